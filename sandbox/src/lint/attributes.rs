//! Attributes a reward may carry: derives of the standard library, hints, lints, documentation.

use syn::{
    AttrStyle, Attribute, Expr, Lit, Meta, Path, Token, punctuated::Punctuated, spanned::Spanned,
};

use super::Finding;

/// Derives of the standard library; a derive is a macro.
const DERIVES: [&str; 9] = [
    "Clone",
    "Copy",
    "Debug",
    "Default",
    "Eq",
    "Hash",
    "Ord",
    "PartialEq",
    "PartialOrd",
];
/// Attributes without effect on what the compiler reads or links.
const HARMLESS: [&str; 9] = [
    "allow",
    "warn",
    "deny",
    "expect",
    "inline",
    "cold",
    "must_use",
    "default",
    "non_exhaustive",
];

/// Refuses every attribute that is not on the lists.
pub(crate) fn check(attribute: &Attribute) -> Result<(), Finding> {
    let name = name(attribute.path());
    let inner = matches!(attribute.style, AttrStyle::Inner(_));
    match name.as_str() {
        "doc" if is_text(&attribute.meta) => Ok(()),
        "doc" => Err(refuse(attribute, "`doc` takes a text and nothing else")),
        "derive" if !inner => check_derive(attribute),
        _ if HARMLESS.contains(&name.as_str()) && (!inner || name == "allow") => {
            check_values(attribute, &attribute.meta)
        }
        _ => Err(refuse(
            attribute,
            &format!("the attribute `{name}` is not available in a reward"),
        )),
    }
}

/// Whether this is `#[cfg(test)]`: its item is never compiled, and need not be looked at.
pub(crate) fn is_test_only(attribute: &Attribute) -> bool {
    attribute.path().is_ident("cfg")
        && attribute
            .parse_args::<Path>()
            .is_ok_and(|condition| condition.is_ident("test"))
}

fn check_derive(attribute: &Attribute) -> Result<(), Finding> {
    let derives = attribute
        .parse_args_with(Punctuated::<Path, Token![,]>::parse_terminated)
        .map_err(|_| refuse(attribute, "this `derive` cannot be read"))?;
    match derives.iter().find(|path| {
        !path
            .get_ident()
            .is_some_and(|name| DERIVES.iter().any(|known| name == known))
    }) {
        None => Ok(()),
        Some(path) => Err(refuse(
            attribute,
            &format!("`derive({})` is not available in a reward", name(path)),
        )),
    }
}

/// Refuses every value that is no plain literal: rustc expands macros there (`#[must_use = include_str!("…")]`).
fn check_values(attribute: &Attribute, meta: &Meta) -> Result<(), Finding> {
    match meta {
        Meta::Path(_) => Ok(()),
        Meta::NameValue(pair) if matches!(&pair.value, Expr::Lit(_)) => Ok(()),
        Meta::NameValue(_) => Err(refuse(
            attribute,
            "the value of an attribute must be a literal",
        )),
        Meta::List(list) => list
            .parse_args_with(Punctuated::<Meta, Token![,]>::parse_terminated)
            .map_err(|_| refuse(attribute, "this attribute cannot be read"))?
            .iter()
            .try_for_each(|inner| check_values(attribute, inner)),
    }
}

/// `#[doc = "…"]`, which is also what a doc comment is.
fn is_text(meta: &Meta) -> bool {
    let Meta::NameValue(pair) = meta else {
        return false;
    };
    matches!(&pair.value, Expr::Lit(literal) if matches!(literal.lit, Lit::Str(_)))
}

fn name(path: &Path) -> String {
    path.segments
        .iter()
        .map(|segment| segment.ident.to_string())
        .collect::<Vec<_>>()
        .join("::")
}

fn refuse(attribute: &Attribute, what: &str) -> Finding {
    Finding::new("attribute", attribute.span(), what)
}
