//! What rustc computes itself: values of constants and statics, array lengths, discriminants, const arguments.
//!
//! Such code must come to an end, so it may not loop, branch or call: literals, names, arithmetic, constructors, and a few
//! constructors of the standard library. Array sizes are worked out here and bounded, because rustc allocates them.

use std::cell::RefCell;
use std::collections::{HashMap, HashSet};

use syn::spanned::Spanned;
use syn::visit::{self, Visit};
use syn::{BinOp, Expr, ExprCall, ExprMethodCall, Lit, UnOp};

use super::Finding;
use super::paths::RESERVED;

/// Elements of an array, nested ones multiplied.
const MOST_ELEMENTS: u64 = 65_536;
/// Elements of all arrays of a source together, as it writes them: rustc holds them all.
pub(crate) const MOST_ELEMENTS_TOGETHER: u64 = 262_144;
/// Constants that are followed from one to the next for the length of an array.
const MOST_STEPS: u32 = 16;

/// Methods of the standard library that a constant may call; an author's own may not bear these names and be `const`.
pub(crate) const METHODS: [&str; 4] = ["len", "as_str", "as_bytes", "is_empty"];

/// The constants of a source by name, wherever they stand; a name used twice counts with its largest value.
#[derive(Default)]
pub(crate) struct Constants<'a> {
    definitions: HashMap<String, Vec<&'a Expr>>,
    /// Values worked out so far; `None` while at it, which ends circles, and for what is no plain integer.
    values: RefCell<HashMap<String, Option<u64>>>,
    /// The const parameters of its items.
    parameters: HashSet<String>,
}

impl<'a> Constants<'a> {
    /// Collects all constants of a file.
    pub(crate) fn of(file: &'a syn::File) -> Self {
        let mut constants = Self::default();
        constants.visit_file(file);
        constants
    }

    /// The largest value the name can have: outer `None` if it is no constant of the source, inner if it is no integer.
    pub(crate) fn value(&self, name: &str) -> Option<Option<u64>> {
        let definitions = self.definitions.get(name)?;
        if let Some(value) = self.values.borrow().get(name) {
            return Some(*value);
        }
        self.values.borrow_mut().insert(name.to_owned(), None);
        let largest = definitions
            .iter()
            .map(|expression| integer(expression, self))
            .try_fold(0, |most, value| Some(value?.max(most)));
        self.values.borrow_mut().insert(name.to_owned(), largest);
        Some(largest)
    }

    /// The number of elements of an array or bytes of a text, where it is plain; of a name's meanings the largest.
    fn length_of(&self, expression: &Expr, steps: u32) -> Option<u64> {
        match expression {
            Expr::Lit(literal) => match &literal.lit {
                Lit::Str(text) => Some(text.value().len() as u64),
                Lit::ByteStr(text) => Some(text.value().len() as u64),
                _ => None,
            },
            Expr::Array(array) => Some(array.elems.len() as u64),
            Expr::Repeat(repeat) => integer(&repeat.len, self),
            Expr::Reference(reference) => self.length_of(&reference.expr, steps),
            Expr::Paren(inner) => self.length_of(&inner.expr, steps),
            Expr::MethodCall(call) => self.length_of(&call.receiver, steps),
            Expr::Path(path) => {
                let name = path.path.segments.last()?.ident.to_string();
                let left = steps.checked_sub(1)?;
                self.definitions
                    .get(&name)?
                    .iter()
                    .map(|expression| self.length_of(expression, left))
                    .try_fold(0, |most, length| Some(length?.max(most)))
            }
            _ => None,
        }
    }

    fn add(&mut self, name: &syn::Ident, value: &'a Expr) {
        self.definitions
            .entry(name.to_string())
            .or_default()
            .push(value);
    }
}

impl<'a> Visit<'a> for Constants<'a> {
    fn visit_item_const(&mut self, item: &'a syn::ItemConst) {
        self.add(&item.ident, &item.expr);
        visit::visit_item_const(self, item);
    }

    fn visit_impl_item_const(&mut self, item: &'a syn::ImplItemConst) {
        self.add(&item.ident, &item.expr);
        visit::visit_impl_item_const(self, item);
    }

    fn visit_const_param(&mut self, parameter: &'a syn::ConstParam) {
        self.parameters.insert(parameter.ident.to_string());
        visit::visit_const_param(self, parameter);
    }

    fn visit_trait_item_const(&mut self, item: &'a syn::TraitItemConst) {
        if let Some((_, value)) = &item.default {
            self.add(&item.ident, value);
        }
        visit::visit_trait_item_const(self, item);
    }
}

/// Refuses whatever could run for long, or at all.
pub(crate) fn check(expression: &Expr) -> Result<(), Finding> {
    let both = |a: &Expr, b: &Expr| check(a).and_then(|()| check(b));
    match expression {
        Expr::Lit(_) | Expr::Path(_) => Ok(()),
        Expr::Array(array) => array.elems.iter().try_for_each(check),
        Expr::Tuple(tuple) => tuple.elems.iter().try_for_each(check),
        Expr::Struct(literal) if literal.rest.is_none() => literal
            .fields
            .iter()
            .try_for_each(|field| check(&field.expr)),
        Expr::Reference(reference) => check(&reference.expr),
        Expr::Paren(inner) => check(&inner.expr),
        Expr::Group(inner) => check(&inner.expr),
        Expr::Unary(operation) => check(&operation.expr),
        Expr::Binary(operation) => both(&operation.left, &operation.right),
        Expr::Cast(cast) => check(&cast.expr),
        Expr::Field(field) => check(&field.base),
        Expr::Index(index) => both(&index.expr, &index.index),
        Expr::Repeat(repeat) if is_simple(&repeat.expr) => Ok(()),
        Expr::Block(block) if block.label.is_none() => match block.block.stmts.as_slice() {
            [syn::Stmt::Expr(only, None)] => check(only),
            _ => Err(refuse(expression, "a block")),
        },
        Expr::Macro(call) if call.mac.path.is_ident("concat") => Ok(()),
        Expr::MethodCall(call) => check_method(call),
        Expr::Call(call) => check_call(call),
        Expr::Const(_) | Expr::Loop(_) | Expr::While(_) | Expr::ForLoop(_) => {
            Err(refuse(expression, "a loop or `const` block"))
        }
        Expr::If(_) | Expr::Match(_) => Err(refuse(expression, "`if` or `match`")),
        Expr::Macro(_) => Err(refuse(expression, "a macro call")),
        _ => Err(refuse(expression, "this expression")),
    }
}

/// Refuses arrays that are too large, or whose size cannot be told. `nested` is the size of what each element holds.
pub(crate) fn check_length(
    length: &Expr,
    nested: u64,
    constants: &Constants<'_>,
) -> Result<u64, Finding> {
    let Some(count) = integer(length, constants) else {
        return Err(Finding::new(
            "array",
            length.span(),
            "write the length as a number, or a constant that is one",
        ));
    };
    match count.max(1).checked_mul(nested) {
        Some(elements) if elements <= MOST_ELEMENTS => Ok(elements),
        _ => Err(Finding::new(
            "array",
            length.span(),
            format!("an array of more than {MOST_ELEMENTS} elements; use a `Vec`"),
        )),
    }
}

/// The value of an integer expression, where it is plain. Const parameters count as one: their arguments are checked where they
/// are given.
fn integer(expression: &Expr, constants: &Constants<'_>) -> Option<u64> {
    match expression {
        Expr::Lit(literal) => match &literal.lit {
            Lit::Int(number) => number.base10_parse().ok(),
            Lit::Byte(byte) => Some(u64::from(byte.value())),
            Lit::Char(c) => Some(u64::from(c.value())),
            _ => None,
        },
        Expr::Path(path) => {
            let names: Vec<String> = path
                .path
                .segments
                .iter()
                .map(|segment| segment.ident.to_string())
                .collect();
            match (names.as_slice(), constants.value(names.last()?)) {
                (_, Some(value)) => value,
                ([of, name], None) if of == "u8" && name == "MAX" => Some(u64::from(u8::MAX)),
                ([name], None) if constants.parameters.contains(name) => Some(1),
                _ => None,
            }
        }
        Expr::Paren(inner) => integer(&inner.expr, constants),
        Expr::Group(inner) => integer(&inner.expr, constants),
        Expr::Cast(cast) => integer(&cast.expr, constants),
        Expr::Block(block) => match block.block.stmts.as_slice() {
            [syn::Stmt::Expr(only, None)] => integer(only, constants),
            _ => None,
        },
        Expr::Unary(operation) if matches!(operation.op, UnOp::Deref(_)) => {
            integer(&operation.expr, constants)
        }
        Expr::MethodCall(call) if call.method == "len" && call.args.is_empty() => {
            constants.length_of(&call.receiver, MOST_STEPS)
        }
        Expr::Binary(operation) => {
            let (a, b) = (
                integer(&operation.left, constants)?,
                integer(&operation.right, constants)?,
            );
            match operation.op {
                BinOp::Add(_) => a.checked_add(b),
                BinOp::Sub(_) => Some(a.saturating_sub(b)),
                BinOp::Mul(_) => a.checked_mul(b),
                BinOp::Div(_) => a.checked_div(b),
                // Its remainder could be anything below the divisor.
                BinOp::Rem(_) => Some(b),
                BinOp::Shl(_) => a.checked_mul(1_u64.checked_shl(u32::try_from(b).ok()?)?),
                _ => None,
            }
        }
        _ => None,
    }
}

/// `.len()` and views of a text.
fn check_method(call: &ExprMethodCall) -> Result<(), Finding> {
    if METHODS.iter().any(|name| call.method == name)
        && call.args.is_empty()
        && is_text_or_name(&call.receiver)
    {
        return Ok(());
    }
    Err(Finding::new(
        "constant",
        call.method.span(),
        format!(
            "a constant may not call `{}`; compute it in a function",
            call.method
        ),
    ))
}

/// Constructors: of the author's own tuple structs and variants (functions have lower-case names, see `walk`), and `new` of
/// the listed types of the standard library. Closures among the arguments run later, in the sandbox.
fn check_call(call: &ExprCall) -> Result<(), Finding> {
    let refusal = || {
        Finding::new(
            "constant",
            call.span(),
            "a constant may not call functions; use `LazyLock::new(|| …)` or compute it in a function",
        )
    };
    let Expr::Path(function) = &*call.func else {
        return Err(refusal());
    };
    let names: Vec<String> = function
        .path
        .segments
        .iter()
        .map(|segment| segment.ident.to_string())
        .collect();
    let constructor = match names.as_slice() {
        [.., of, last] if last == "new" => RESERVED.contains(&of.as_str()),
        [.., last] => last.starts_with(char::is_uppercase),
        [] => false,
    };
    if !constructor || function.qself.is_some() {
        return Err(refusal());
    }
    call.args
        .iter()
        .filter(|argument| !matches!(argument, Expr::Closure(_)))
        .try_for_each(check)
}

/// An element that may be repeated: no other constant, which could be an array itself.
fn is_simple(element: &Expr) -> bool {
    match element {
        Expr::Lit(_) => true,
        Expr::Repeat(inner) => is_simple(&inner.expr),
        Expr::Array(array) => array.elems.iter().all(is_simple),
        Expr::Tuple(tuple) => tuple.elems.iter().all(is_simple),
        Expr::Unary(operation) => is_simple(&operation.expr),
        Expr::Path(path) => path
            .path
            .segments
            .last()
            .is_some_and(|segment| segment.ident == "None"),
        _ => false,
    }
}

fn is_text_or_name(receiver: &Expr) -> bool {
    match receiver {
        Expr::Lit(_) | Expr::Path(_) => true,
        Expr::Field(field) => is_text_or_name(&field.base),
        Expr::Paren(inner) => is_text_or_name(&inner.expr),
        _ => false,
    }
}

fn refuse(expression: &Expr, what: &str) -> Finding {
    Finding::new(
        "constant",
        expression.span(),
        format!("{what} is not allowed in a constant; compute it in a function"),
    )
}
