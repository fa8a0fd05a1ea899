//! Values with names in words: `The maximum is 5`, `width 4`, `Alice: 5`, `A(1, 2)`, `7 remainder 2`.

use crate::answer::{
    parse::token::Token,
    read::enclosed::bracketed,
    read::scalar::scalar,
    read::structure::read,
    value::counted::is_name,
    value::{Kind, Label, Value},
};

/// Words behind which the value of what they name follows.
const VERBS: [&str; 9] = [
    "is", "are", "was", "were", "equals", "has", "have", "had", "gets",
];

/// What a sentence begins with that names nothing.
const NEUTRAL: [&str; 22] = [
    "",
    "it",
    "this",
    "that",
    "there",
    "he",
    "she",
    "they",
    "we",
    "you",
    "i",
    "answer",
    "value",
    "result",
    "solution",
    "total",
    "final answer",
    "exactly",
    "only",
    "just",
    "so",
    "number",
];

/// Measures whose value may follow without a verb.
const MEASURES: [&str; 32] = [
    "width",
    "length",
    "height",
    "depth",
    "radius",
    "diameter",
    "center",
    "centre",
    "vertex",
    "focus",
    "mean",
    "median",
    "mode",
    "range",
    "domain",
    "max",
    "min",
    "quotient",
    "remainder",
    "base",
    "area",
    "perimeter",
    "volume",
    "slope",
    "amplitude",
    "period",
    "point",
    "speed",
    "first",
    "sum",
    "product",
    "difference",
];

/// Words that make another value of what follows them.
const LIMITING: [&str; 10] = [
    "almost",
    "nearly",
    "about",
    "around",
    "roughly",
    "maybe",
    "perhaps",
    "up",
    "approximately",
    "close",
];

/// The value that a name in words has: `\text{max: } 5`, `Alice has 5`, `x is 5`, `radius 3`, `the point (2, 3)`. The
/// words that cannot be a unit, such as `not`, are no name either.
pub(super) fn named(tokens: &[Token], depth: usize) -> Option<Value> {
    let (words, value) = match tokens {
        [Token::Letter(name), Token::Text(verb), value @ ..] if verb == "is" => {
            let label = Label::plain(&name.to_string());
            return Some(Value::Labelled(label, Box::new(read(value, depth)?)));
        }
        [Token::Text(name), Token::Mark(':'), value @ ..] => (name.as_str(), value),
        [Token::Text(words), value @ ..] => match words.strip_suffix([':', '=']) {
            Some(name) => (name.trim(), value),
            None => match words.rsplit_once(' ').unwrap_or(("", words)) {
                (name, verb) if VERBS.contains(&verb.to_lowercase().as_str()) => (name, value),
                _ if is_measure(words) => (words.as_str(), value),
                _ => return None,
            },
        },
        _ => return None,
    };
    if value.is_empty() || !is_name(words) || is_limited(words) {
        return None;
    }
    let inner = read(value, depth)?;
    let name = plain_name(words);
    if NEUTRAL.contains(&name.as_str()) {
        return Some(inner);
    }
    Some(Value::Labelled(Label::plain(&name), Box::new(inner)))
}

fn is_measure(words: &str) -> bool {
    let name = plain_name(words);
    MEASURES.contains(&name.as_str()) || matches!(name.as_str(), "exactly" | "only" | "just")
}

fn is_limited(words: &str) -> bool {
    words
        .split(' ')
        .any(|word| LIMITING.contains(&word.to_lowercase().as_str()))
}

/// A name without articles, in lower case and in one of its forms.
pub(super) fn plain_name(words: &str) -> String {
    let lower = words.to_lowercase();
    let kept = lower.split(' ').filter(|word| {
        !matches!(
            *word,
            "the" | "a" | "an" | "its" | "their" | "value" | "part"
        ) || *word == lower
    });
    let kept = kept.map(|word| match word {
        "maximum" => "max",
        "minimum" => "min",
        other => other,
    });
    kept.collect::<Vec<_>>().join(" ")
}

/// The parts of a list that are all named by a word or a letter before them, each by another: `Alice 15 years, Bob 9
/// years`, `a: 3, b: 5`.
pub(super) fn all_named(parts: &[&[Token]], depth: usize) -> Option<Vec<Value>> {
    if parts.len() < 2 {
        return None;
    }
    let one = |part: &&[Token]| {
        let (name, value) = match *part {
            [Token::Letter(name), Token::Mark(':'), value @ ..] => (name.to_string(), value),
            [Token::Text(name), value @ ..] if is_proper(name) => (plain_name(name), value),
            _ => return None,
        };
        Some((name, Value::Scalar(scalar(value)?)))
    };
    let named: Vec<(String, Value)> = parts.iter().map(one).collect::<Option<_>>()?;
    let is_once = |(at, (name, _)): (usize, &(String, Value))| {
        named[..at].iter().all(|(other, _)| other != name)
    };
    let are_apart = named.iter().enumerate().all(is_once) && depth > 0;
    are_apart.then(|| {
        let labelled = named.into_iter();
        labelled
            .map(|(name, value)| Value::Labelled(Label::plain(&name), Box::new(value)))
            .collect()
    })
}

/// A single word with a capital, as names have.
fn is_proper(name: &str) -> bool {
    name.len() > 2
        && name.starts_with(|c: char| c.is_ascii_uppercase())
        && name.chars().all(char::is_alphabetic)
        && is_name(name)
        && !is_limited(name)
}

/// `A(1, 2)`: a point and its coordinates.
pub(super) fn named_point(tokens: &[Token], depth: usize) -> Option<Value> {
    let [Token::Letter(name), coordinates @ ..] = tokens else {
        return None;
    };
    let is_point = name.is_uppercase() && coordinates.first() == Some(&Token::Mark('('));
    let value = bracketed(coordinates, depth).filter(|_| is_point)?;
    let label = Label::plain(&name.to_string());
    matches!(value, Value::Collection(Kind::Tuple, _))
        .then(|| Value::Labelled(label, Box::new(value)))
}

/// `7 remainder 2`, `7 R 2`.
pub(super) fn division(tokens: &[Token]) -> Option<Value> {
    let [
        quotient @ Token::Number(_),
        sign,
        remainder @ Token::Number(_),
    ] = tokens
    else {
        return None;
    };
    let is_sign = match sign {
        Token::Letter(letter) => *letter == 'R',
        Token::Text(words) => matches!(words.as_str(), "remainder" | "rem" | "with remainder"),
        _ => false,
    };
    let part = |name: &str, token: &Token| {
        let value = Value::Scalar(scalar(std::slice::from_ref(token))?);
        Some(Value::Labelled(Label::plain(name), Box::new(value)))
    };
    let parts = vec![part("quotient", quotient)?, part("remainder", remainder)?];
    is_sign.then_some(Value::Collection(Kind::List, parts))
}
