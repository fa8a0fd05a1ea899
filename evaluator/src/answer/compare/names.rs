//! What names mean: of variables, of functions, of free constants, and of the parts of an answer.

use crate::answer::{
    evaluate::equal,
    read::conditions::WHOLE,
    value::{Kind, Label, Value, expr::Expr, fuel::Fuel},
};

/// Equal when one symbol is called differently: by its case alone, or as the whole number
/// that counts the periods of a trigonometric solution.
pub(super) fn equal_up_to_names(a: &Expr, b: &Expr, fuel: &Fuel) -> bool {
    let only_in = |x: &[&str], y: &[&str]| -> Vec<String> {
        x.iter()
            .filter(|name| !y.contains(name))
            .map(|name| (*name).to_owned())
            .collect()
    };
    let (in_a, in_b) = (a.symbols(), b.symbols());
    match (&only_in(&in_a, &in_b)[..], &only_in(&in_b, &in_a)[..]) {
        ([x], [y])
            if is_case(x, y) && !is_exponent(a, x)
                || are_whole((a, x), (b, y))
                || are_free((&in_a, x), (&in_b, y)) =>
        {
            equal(&a.renamed(x, y), b, fuel)
        }
        _ => false,
    }
}

/// Whether the symbol is raised anywhere, as the T of a transpose is.
fn is_exponent(expr: &Expr, name: &str) -> bool {
    let is_it = |e: &Expr| matches!(e, Expr::Symbol(symbol) if symbol == name);
    expr.any(&|e| matches!(e, Expr::Power(_, exponent) if is_it(exponent)))
}

/// Whether two letters differ in their case alone; names of several letters, such as Delta, are other symbols.
fn is_case(x: &str, y: &str) -> bool {
    x.len() == 1 && x.eq_ignore_ascii_case(y)
}

/// Whether both symbols are customary names of a constant that is free: beside others, if one of the names is the most usual;
/// in the formula of a function, if it is the only constant.
fn are_free((in_a, x): (&[&str], &str), (in_b, y): (&[&str], &str)) -> bool {
    let is_only = |names: &[&str]| {
        let constants = names.iter().filter(|name| !name.starts_with(PLACE)).count();
        constants == 1 && names.len() > 1
    };
    let is_customary = |name: &str| matches!(name, "A" | "C" | "K" | "c" | "k");
    let is_usual = |name: &str| matches!(name, "C" | "c");
    let has_place = |names: &[&str]| names.iter().any(|name| name.starts_with(PLACE));
    let is_letter = |name: &str| is_customary(name) || matches!(name, "a" | "b" | "m");
    if has_place(in_a) && is_only(in_a) && is_only(in_b) {
        return is_letter(x) && is_letter(y);
    }
    in_a.len() > 1 && is_customary(x) && is_customary(y) && (is_usual(x) || is_usual(y))
}

/// Whether both symbols stand for every whole number: they have customary names of one, and either one side says
/// so or they count the periods of a solution.
fn are_whole((a, x): (&Expr, &str), (b, y): (&Expr, &str)) -> bool {
    let is_customary =
        |name: &str| name.starts_with(WHOLE) || matches!(name, "k" | "l" | "m" | "n");
    let has_pi = |expr: &Expr| expr.any(&|e| *e == Expr::Pi);
    let is_said = x.starts_with(WHOLE) != y.starts_with(WHOLE);
    is_customary(x) && is_customary(y) && (is_said || has_pi(a) && has_pi(b))
}

/// How the names of variables begin that are called by their places.
const PLACE: &str = "variable ";

/// The value with its variables called by their places.
pub(super) fn called(value: &Value, variables: &[String]) -> Value {
    let mut places = 0..;
    variables.iter().fold(value.clone(), |value, name| {
        let place = places.next().unwrap_or(0);
        value.renamed(name, &format!("{PLACE}{place}"))
    })
}

/// Whether both are called the same, by another case or with a number at most.
pub(super) fn is_same_name(a: &Label, b: &Label) -> bool {
    a.name.eq_ignore_ascii_case(&b.name) || is_numbered(a, b) || is_numbered(b, a)
}

/// Whether one is the other with a number, as `x_1` is `x`.
fn is_numbered(label: &Label, plain: &Label) -> bool {
    let index = label
        .name
        .strip_prefix(&plain.name)
        .and_then(|rest| rest.strip_prefix('_'));
    index.is_some_and(|index| index.bytes().all(|b| b.is_ascii_digit()))
}

/// Sets of numbers, for which the name of the variable means nothing. Points and vectors have names of their own, as
/// have sets that are called by a word, such as domain and range.
pub(super) fn is_region((a, b): (&Label, &Label), value: &Value) -> bool {
    match value {
        Value::Collection(Kind::Tuple | Kind::Bracket, _) => is_variable(a) || is_variable(b),
        // `f(1)` is no variable.
        Value::Interval(..) if a.name.contains('(') || b.name.contains('(') => false,
        Value::Interval(..) | Value::Collection(Kind::Set | Kind::Union, _) => {
            !(is_word(a) && is_word(b))
        }
        _ => false,
    }
}

fn is_variable(label: &Label) -> bool {
    label.name.len() == 1 && label.name.starts_with(|c: char| c.is_ascii_lowercase())
}

fn is_word(label: &Label) -> bool {
    label.name.len() > 2
        && label
            .name
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b == b' ')
}

/// The stems of the labels of a value and of its parts, in lower case and in order, each once.
pub(super) fn stems(value: &Value) -> Vec<String> {
    let mut stems = Vec::new();
    collect_stems(value, &mut stems);
    stems.sort_unstable();
    stems.dedup();
    stems
}

fn collect_stems(value: &Value, stems: &mut Vec<String>) {
    match value {
        Value::Labelled(label, inner) => {
            stems.push(label.stem().to_lowercase());
            collect_stems(inner, stems);
        }
        Value::Collection(_, items) => items.iter().for_each(|item| collect_stems(item, stems)),
        _ => {}
    }
}
