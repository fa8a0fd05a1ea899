//! Macros a reward may call, and what their arguments hold.
//!
//! A macro's argument is bare tokens to the parser; unless it is taken apart and checked, anything can hide there.

use syn::parse::{Parse, ParseStream, Parser};
use syn::punctuated::Punctuated;
use syn::{Attribute, Expr, Ident, Macro, Pat, Token, Type, Visibility};

use super::Finding;

/// Macros whose arguments are expressions.
const OF_EXPRESSIONS: &[&str] = &[
    "assert",
    "assert_eq",
    "assert_ne",
    "dbg",
    "debug_assert",
    "debug_assert_eq",
    "debug_assert_ne",
    "eprint",
    "eprintln",
    "format",
    "format_args",
    "panic",
    "print",
    "println",
    "todo",
    "unimplemented",
    "unreachable",
    "write",
    "writeln",
];

/// Macros whose arguments are read otherwise.
const OF_OTHERS: [&str; 4] = ["concat", "matches", "thread_local", "vec"];

/// Whether a reward may call this macro of the standard library.
pub(crate) fn is_available(name: &str) -> bool {
    OF_EXPRESSIONS.contains(&name) || OF_OTHERS.contains(&name)
}

/// What a macro call holds, parsed.
pub(crate) enum Arguments {
    Expressions(Vec<Expr>),
    /// `vec![element; length]`
    Repeat {
        element: Box<Expr>,
        length: Box<Expr>,
    },
    /// `matches!(value, pattern if guard)`
    Matches {
        value: Box<Expr>,
        pattern: Box<Pat>,
        guard: Option<Box<Expr>>,
    },
    /// `thread_local! { … }`
    ThreadLocals(Vec<ThreadLocal>),
}

/// One variable of `thread_local!`.
pub(crate) struct ThreadLocal {
    pub(crate) attributes: Vec<Attribute>,
    pub(crate) of: Type,
    pub(crate) initial: Expr,
}

/// Takes a macro call apart.
pub(crate) fn arguments(call: &Macro) -> Result<Arguments, Finding> {
    let span = call
        .path
        .segments
        .first()
        .map_or_else(proc_macro2::Span::call_site, |segment| segment.ident.span());
    let Some(name) = call.path.get_ident().map(ToString::to_string) else {
        return Err(Finding::new(
            "macro",
            span,
            "call macros by their plain name",
        ));
    };
    let parsed = match name.as_str() {
        "vec" => vec_arguments.parse2(call.tokens.clone()),
        "matches" => matches_arguments.parse2(call.tokens.clone()),
        "thread_local" => thread_locals.parse2(call.tokens.clone()),
        "concat" => literals.parse2(call.tokens.clone()),
        name if OF_EXPRESSIONS.contains(&name) => expressions.parse2(call.tokens.clone()),
        "macro_rules" => {
            return Err(Finding::new(
                "macro",
                span,
                "a macro cannot be defined here; write a function",
            ));
        }
        _ => {
            return Err(Finding::new(
                "macro",
                span,
                format!("the macro `{name}!` is not available in a reward"),
            ));
        }
    };
    parsed.map_err(|error| {
        Finding::new(
            "macro",
            error.span(),
            format!("the arguments of `{name}!` cannot be read: {error}"),
        )
    })
}

fn expressions(input: ParseStream<'_>) -> syn::Result<Arguments> {
    let list = Punctuated::<Expr, Token![,]>::parse_terminated(input)?;
    Ok(Arguments::Expressions(list.into_iter().collect()))
}

fn literals(input: ParseStream<'_>) -> syn::Result<Arguments> {
    Punctuated::<syn::Lit, Token![,]>::parse_terminated(input)?;
    Ok(Arguments::Expressions(Vec::new()))
}

fn vec_arguments(input: ParseStream<'_>) -> syn::Result<Arguments> {
    let fork = input.fork();
    if fork.parse::<Expr>().is_ok() && fork.peek(Token![;]) {
        let element = input.parse()?;
        input.parse::<Token![;]>()?;
        return Ok(Arguments::Repeat {
            element,
            length: input.parse()?,
        });
    }
    expressions(input)
}

fn matches_arguments(input: ParseStream<'_>) -> syn::Result<Arguments> {
    let value = input.parse()?;
    input.parse::<Token![,]>()?;
    let pattern = Box::new(Pat::parse_multi_with_leading_vert(input)?);
    let guard = input
        .parse::<Option<Token![if]>>()?
        .map(|_| input.parse())
        .transpose()?;
    input.parse::<Option<Token![,]>>()?;
    Ok(Arguments::Matches {
        value,
        pattern,
        guard,
    })
}

fn thread_locals(input: ParseStream<'_>) -> syn::Result<Arguments> {
    let mut all = Vec::new();
    while !input.is_empty() {
        all.push(input.parse()?);
    }
    Ok(Arguments::ThreadLocals(all))
}

impl Parse for ThreadLocal {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let attributes = input.call(Attribute::parse_outer)?;
        input.parse::<Visibility>()?;
        input.parse::<Token![static]>()?;
        input.parse::<Ident>()?;
        input.parse::<Token![:]>()?;
        let of = input.parse()?;
        input.parse::<Token![=]>()?;
        let initial = input.parse()?;
        if !input.is_empty() {
            input.parse::<Token![;]>()?;
        }
        Ok(Self {
            attributes,
            of,
            initial,
        })
    }
}
