//! Macros that an author defines: which may be defined, and what their definitions and calls may hold.
//!
//! rustc puts the tokens of a call between those of the definition, so the syntax tree of neither says what is compiled. Two things
//! hold instead. Neither may hold tokens that could become what the other rules refuse, however they are put together (this
//! file). And every call is [expanded](super::expansion) as rustc would, and what comes out is checked like everything else.

use std::collections::HashMap;

use proc_macro2::{Delimiter, Spacing, TokenStream, TokenTree};
use syn::ext::IdentExt;
use syn::visit::{self, Visit};
use syn::{Ident, ItemMacro, ItemMod};

use super::expansion::Rule;
use super::{Finding, attributes, macros, paths};

/// Words that begin an item, a constant or what a reward may not have.
const CLOSED_WORDS: [&str; 17] = [
    "async",
    "await",
    "const",
    "enum",
    "extern",
    "fn",
    "impl",
    "macro",
    "macro_rules",
    "mod",
    "static",
    "struct",
    "trait",
    "type",
    "unsafe",
    "use",
    "yield",
];
/// Words after which `!` denies what follows.
const BEFORE_DENIAL: [&str; 5] = ["if", "in", "match", "return", "while"];

/// The macros of a source by name.
#[derive(Default)]
pub(crate) struct OwnMacros {
    definitions: HashMap<String, Vec<Rule>>,
    refused: Option<Finding>,
}

/// Whose tokens are looked at.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Of {
    /// A definition; one with a single rule, which no other can be taken for, may have statics.
    Definition {
        single: bool,
    },
    Call,
}

/// What stands around some tokens.
#[derive(Clone, Copy)]
struct Around {
    /// `[…]` other than that of `vec!`: a `;` makes a length there.
    array: bool,
    /// `$(…)`: what precedes it may come to stand before its first token.
    repetition: bool,
}

impl OwnMacros {
    /// Collects the macros of a file, and refuses it for the first that may not be defined.
    pub(crate) fn of(file: &syn::File) -> Result<Self, Finding> {
        let mut macros = Self::default();
        macros.visit_file(file);
        match macros.refused.take() {
            Some(finding) => Err(finding),
            None => Ok(macros),
        }
    }

    /// The rules of the macro that a path calls, if it is one of the author's.
    pub(crate) fn rules(&self, path: &syn::Path) -> Option<&[Rule]> {
        self.definitions
            .get(&path.get_ident()?.to_string())
            .map(Vec::as_slice)
    }

    fn define(&mut self, item: &ItemMacro) -> Result<(), Finding> {
        let span = item
            .mac
            .path
            .segments
            .first()
            .map_or_else(proc_macro2::Span::call_site, |segment| segment.ident.span());
        let Some(name) = &item.ident else {
            return Err(Finding::new("macro", span, "a macro needs a name"));
        };
        let plain = name.unraw().to_string();
        if macros::is_available(&plain) || paths::check_name(name).is_err() {
            return Err(Finding::new(
                "macro",
                name.span(),
                format!("`{plain}!` is a macro or name of the standard library; choose another"),
            ));
        }
        let rules = Rule::all(item.mac.tokens.clone())?;
        let of = Of::Definition {
            single: rules.len() == 1,
        };
        check_tokens(item.mac.tokens.clone(), of, NOTHING_AROUND)?;
        if self.definitions.insert(name.to_string(), rules).is_some() {
            return Err(Finding::new(
                "macro",
                name.span(),
                format!("the macro `{plain}!` is defined twice"),
            ));
        }
        Ok(())
    }
}

impl<'ast> Visit<'ast> for OwnMacros {
    fn visit_item_macro(&mut self, item: &'ast ItemMacro) {
        if item.mac.path.is_ident("macro_rules")
            && self.refused.is_none()
            && let Err(finding) = self.define(item)
        {
            self.refused = Some(finding);
        }
    }

    fn visit_item_mod(&mut self, item: &'ast ItemMod) {
        if !item.attrs.iter().any(attributes::is_test_only) {
            visit::visit_item_mod(self, item);
        }
    }
}

const NOTHING_AROUND: Around = Around {
    array: false,
    repetition: false,
};

/// Refuses tokens of a call that could become something else than what they look like.
pub(crate) fn check_call(tokens: TokenStream) -> Result<(), Finding> {
    check_tokens(tokens, Of::Call, NOTHING_AROUND)
}

fn check_tokens(tokens: TokenStream, of: Of, around: Around) -> Result<(), Finding> {
    let tokens: Vec<TokenTree> = tokens.into_iter().collect();
    let tokens = Tokens {
        all: &tokens,
        of,
        around,
    };
    (0..tokens.all.len()).try_for_each(|at| tokens.check(at))
}

/// Tokens of one level, to look back and forth in.
struct Tokens<'a> {
    all: &'a [TokenTree],
    of: Of,
    around: Around,
}

impl Tokens<'_> {
    fn sign(&self, at: Option<usize>) -> Option<char> {
        match self.all.get(at?)? {
            TokenTree::Punct(sign) => Some(sign.as_char()),
            _ => None,
        }
    }

    fn word(&self, at: Option<usize>) -> Option<&Ident> {
        match self.all.get(at?)? {
            TokenTree::Ident(word) => Some(word),
            _ => None,
        }
    }

    fn check(&self, at: usize) -> Result<(), Finding> {
        let before = at.checked_sub(1);
        match &self.all[at] {
            TokenTree::Group(group) => {
                let repetition = self.sign(before) == Some('$');
                let of_vec = self.sign(before) == Some('!')
                    && self.word(at.checked_sub(2)).is_some_and(|w| w == "vec");
                let array = if repetition {
                    self.around.array
                } else {
                    group.delimiter() == Delimiter::Bracket && !of_vec
                };
                check_tokens(group.stream(), self.of, Around { array, repetition })
            }
            TokenTree::Punct(sign) => match sign.as_char() {
                '#' => Err(refuse(
                    sign.span(),
                    "an attribute or a documentation comment",
                )),
                '$' if self.of == Of::Call => Err(refuse(sign.span(), "`$`")),
                ';' if self.around.array => Err(Finding::new(
                    "macro",
                    sign.span(),
                    "an array with a length is not available in a macro of your own; use `vec!` or a function",
                )),
                '!' if self.denies(at) || self.is_unequal(at) || self.calls(at) => Ok(()),
                '!' => Err(Finding::new(
                    "macro",
                    sign.span(),
                    "a macro of your own may call the macros of the standard library that a reward may call, and no other; call it outside, or write a function",
                )),
                _ => Ok(()),
            },
            TokenTree::Ident(word) => self.check_word(at, word),
            TokenTree::Literal(_) => Ok(()),
        }
    }

    fn check_word(&self, at: usize, word: &Ident) -> Result<(), Finding> {
        let single = self.of == Of::Definition { single: true };
        let text = word.to_string();
        if CLOSED_WORDS.contains(&text.as_str()) && !(single && text == "static") {
            return Err(refuse(word.span(), &format!("`{text}`")));
        }
        if !paths::is_crate(&word.unraw().to_string()) {
            return Ok(());
        }
        let is_path = self.sign(Some(at + 1)) == Some(':') && self.sign(Some(at + 2)) == Some(':');
        match self.word(Some(at + 3)).filter(|_| is_path) {
            Some(module) => paths::check_names(&[word, module], false),
            None => Err(refuse(word.span(), &format!("`{word}` by itself"))),
        }
    }

    /// `!` that can only deny what follows, whatever is put around it.
    fn denies(&self, at: usize) -> bool {
        let Some(before) = at.checked_sub(1) else {
            return !self.around.repetition;
        };
        let one_further = before.checked_sub(1);
        if let Some(word) = self.word(Some(before)) {
            return BEFORE_DENIAL.iter().any(|known| word == known)
                && self.sign(one_further) != Some('$');
        }
        match self.sign(Some(before)) {
            Some('=' | ',' | ';' | '&' | '|') => true,
            Some('>') => self.sign(one_further) == Some('='),
            _ => false,
        }
    }

    fn is_unequal(&self, at: usize) -> bool {
        matches!(&self.all[at], TokenTree::Punct(sign) if sign.spacing() == Spacing::Joint)
            && self.sign(Some(at + 1)) == Some('=')
    }

    /// `name!(…)` of an available macro, by its plain name.
    fn calls(&self, at: usize) -> bool {
        let name = at.checked_sub(1);
        let before = self.sign(at.checked_sub(2));
        self.word(name)
            .is_some_and(|word| macros::is_available(&word.to_string()))
            && !matches!(before, Some('$' | ':' | '.'))
            && matches!(self.all.get(at + 1), Some(TokenTree::Group(_)))
    }
}

fn refuse(span: proc_macro2::Span, what: &str) -> Finding {
    Finding::new(
        "macro",
        span,
        format!(
            "{what} is not available in a macro of your own, nor in what it is given; write a function"
        ),
    )
}
