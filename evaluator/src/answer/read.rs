//! Reads tokens as a structured answer.
//!
//! The text is cut at its loosest joints first: rows of answers, lists, relations, unions, brackets; what
//! remains is a single expression with its unit. Each cut makes the parts shorter, and the depth of
//! nesting is limited, so the work is bounded by length times depth.

use super::{
    brackets::{encloses, split},
    counted::is_name,
    enclosed::{bracketed, matrices, turned},
    expr::Expr,
    parse::{expression, spelled},
    region::Region,
    relation::{line, relation},
    scalar::scalar,
    token::{Relation, Token},
    value::{End, Kind, Label, Scalar, Value},
};

/// The name of a parameter that stands for every whole number.
pub(super) const WHOLE: &str = "any whole number";

/// How deep brackets may nest in a structured answer.
const MAX_DEPTH: usize = 8;

/// Words that begin a remark on the answer before them.
const REMARKS: [&str; 8] = ["for", "where", "with", "when", "if", "such", "as", "in"];

/// Reads all of `tokens`, if they are an answer that can be understood.
pub(super) fn value(tokens: &[Token]) -> Option<Value> {
    read(tokens, MAX_DEPTH)
}

/// Reads the formula at the beginning or else at the end of an explanation in words.
pub(super) fn explained(tokens: &[Token]) -> Option<Value> {
    let is_words = |token: &Token| matches!(token, Token::Text(words) if words.contains(' '));
    let first = tokens.iter().position(is_words)?;
    let last = tokens.iter().rposition(is_words)?;
    value(&tokens[..first]).or_else(|| value(&tokens[last + 1..]))
}

/// As [`value`], with the depth of nesting that is left.
pub(super) fn read(tokens: &[Token], depth: usize) -> Option<Value> {
    let depth = depth.checked_sub(1)?;
    let tokens = without_remark(strip_group(tokens));
    // The tail of a working: `= 5`, `\approx 5`.
    if let [
        Token::Relation(Relation::Equal | Relation::Approximately),
        rest @ ..,
    ] = tokens
    {
        return read(rest, depth);
    }
    if let Some(interval) = turned(tokens) {
        return Some(interval);
    }
    for separator in [Separator::Semicolon, Separator::Word, Separator::Comma] {
        let parts = split(tokens, |token| separator.is(token));
        if parts.len() > 1 {
            let is_and = |token: &Token| matches!(token, Token::Text(word) if word == "and");
            let is_or = |token: &Token| matches!(token, Token::Text(word) if word == "or");
            let list = list(&parts, separator, depth)?;
            if tokens.iter().any(is_or) {
                return Some(list);
            }
            return Some(conjunction(&list, tokens.iter().any(is_and)).unwrap_or(list));
        }
    }
    single(tokens, depth)
}

/// Without the braces that only group.
fn strip_group(tokens: &[Token]) -> &[Token] {
    let mut tokens = tokens;
    while let [Token::Mark('{'), inner @ .., Token::Mark('}')] = tokens {
        if !encloses(tokens) {
            break;
        }
        tokens = inner;
    }
    tokens
}

/// What stands between the parts of a list, from loose to tight.
#[derive(Clone, Copy)]
enum Separator {
    Semicolon,
    /// `and`, `or`
    Word,
    Comma,
}

impl Separator {
    fn is(self, token: &Token) -> bool {
        match (self, token) {
            (Self::Semicolon, Token::Mark(';')) => true,
            (Self::Comma, Token::Mark(',')) => true,
            (Self::Word, Token::Text(words)) => {
                matches!(words.trim_matches([',', ' ']), "and" | "or")
            }
            _ => false,
        }
    }
}

/// A list. Parts that are lists themselves are tuples where semicolons separate them or their items are
/// labelled, as in `p=5, q=2 or p=7, q=2`; in `1, 2 and 3` they go on.
fn list(parts: &[&[Token]], separator: Separator, depth: usize) -> Option<Value> {
    let mut items = Vec::new();
    // `19, 46, and 82`: nothing stands between the comma and the word.
    for part in parts.iter().filter(|part| !part.is_empty()) {
        match (read(part, depth)?, separator) {
            (Value::Collection(Kind::List, inner), Separator::Semicolon) => {
                items.push(tuple(inner))
            }
            (Value::Collection(Kind::List, inner), Separator::Word) => {
                if inner.iter().all(|item| matches!(item, Value::Labelled(..))) {
                    items.push(tuple(inner));
                } else {
                    items.extend(inner);
                }
            }
            (item, _) => items.push(item),
        }
    }
    let mut items = without_domains(items);
    match items.len() {
        0 => None,
        1 => items.pop(),
        _ => Some(Value::Collection(Kind::List, items)),
    }
}

/// The items without those that only say where a parameter comes from, such as `k \in \mathbb{Z}`; the parameter
/// is called [`WHOLE`] in the others, because its name means nothing.
fn without_domains(items: Vec<Value>) -> Vec<Value> {
    let (domains, items): (Vec<_>, Vec<_>) = items.into_iter().partition(is_domain);
    let is_whole =
        |domain: &&Value| domain_of(domain).is_some_and(|set| set.starts_with("mathbbZ"));
    let mut named = domains
        .iter()
        .filter(is_whole)
        .filter_map(|domain| match domain {
            Value::Labelled(label, _) => Some(&label.name),
            _ => None,
        });
    match (named.next(), named.next()) {
        (Some(name), None) => items.iter().map(|item| item.renamed(name, WHOLE)).collect(),
        _ => items,
    }
}

/// `k \in \mathbb{Z}`.
fn is_domain(item: &Value) -> bool {
    domain_of(item).is_some_and(|set| set.starts_with("mathbb"))
}

/// The name of the set that a labelled value comes from.
fn domain_of(item: &Value) -> Option<&str> {
    let Value::Labelled(_, set) = item else {
        return None;
    };
    match &**set {
        Value::Scalar(Scalar {
            expr: Expr::Symbol(name),
            ..
        }) => Some(name),
        _ => None,
    }
}

fn tuple(items: Vec<Value>) -> Value {
    Value::Collection(Kind::Tuple, items.into_iter().map(unlabelled).collect())
}

/// The value without its label.
pub(super) fn unlabelled(value: Value) -> Value {
    match value {
        Value::Labelled(_, inner) => *inner,
        other => other,
    }
}

/// Cuts off `for all x > 0`, `(k \in \mathbb{Z})` and the brace before a system of equations.
fn without_remark(tokens: &[Token]) -> &[Token] {
    if let [Token::SetOpen, system @ ..] = tokens
        && let [Token::Begin, .., Token::End] = system
    {
        return system;
    }
    let is_remark = |token: &Token| match token {
        Token::Text(words) => words
            .split(' ')
            .next()
            .is_some_and(|word| REMARKS.contains(&word)),
        _ => false,
    };
    if let Some(at) = tokens.iter().position(is_remark)
        && at > 0
        && at + 1 < tokens.len()
    {
        return &tokens[..at];
    }
    let last_open = tokens.iter().rposition(|token| *token == Token::Mark('('));
    match last_open {
        Some(at) if at > 0 && tokens[at..].contains(&Token::Relation(Relation::Element)) => {
            &tokens[..at]
        }
        _ => tokens,
    }
}

fn single(tokens: &[Token], depth: usize) -> Option<Value> {
    if let Some(numbers) = real_numbers(&spelled(tokens)) {
        return Some(numbers);
    }
    relation(tokens, depth)
        .or_else(|| union(tokens, depth))
        .or_else(|| cut(tokens, depth))
        .or_else(|| named_point(tokens, depth))
        .or_else(|| named_in_words(tokens, depth))
        .or_else(|| ratio(tokens))
        .or_else(|| matrices(tokens, depth))
        .or_else(|| bracketed(tokens, depth))
        .or_else(|| scalar(tokens).map(Value::Scalar))
}

/// All real numbers, the positive or the negative ones.
fn real_numbers(name: &str) -> Option<Value> {
    let [below, above] = line();
    let zero = End {
        at: Scalar::of(Expr::integer(0)),
        closed: false,
    };
    Some(match name {
        "mathbbR" => Value::Interval(below, above),
        "mathbbR^+" | "mathbbR_+" | "mathbbR_Greater0" => Value::Interval(zero, above),
        "mathbbR^-" | "mathbbR_-" | "mathbbR_Less0" => Value::Interval(below, zero),
        _ => return None,
    })
}

/// `x > 2 and x < 5` as the interval between, `x > 2, x \ne 5` as that ray without the point. A comma joins only
/// where one condition leaves out nothing but points; elsewhere it may mean `or`.
fn conjunction(list: &Value, is_and: bool) -> Option<Value> {
    let Value::Collection(Kind::List, items) = list else {
        return None;
    };
    let mut joint: Option<(&Label, Region)> = None;
    let mut is_plain = is_and;
    for item in items {
        let Value::Labelled(label, inner) = item else {
            return None;
        };
        let region = Region::of(inner)?;
        is_plain |= region.is_all_but_points();
        joint = Some(match joint {
            None => (label, region),
            Some((first, so_far)) if first == label => (label, so_far.intersected(&region)),
            Some(_) => return None,
        });
    }
    let (label, region) = joint.filter(|_| is_plain)?;
    Some(Value::Labelled(label.clone(), Box::new(region.value()?)))
}

/// A set without another, `\mathbb{R} \setminus \{2\}`, or what is in both, `A \cap B`.
fn cut(tokens: &[Token], depth: usize) -> Option<Value> {
    let is_cut =
        |name: &'static str| move |token: &Token| *token == Token::Command(name.to_owned());
    let regions = |sides: &[&[Token]]| match sides {
        [left, right] => Some((region(left, depth)?, region(right, depth)?)),
        _ => None,
    };
    let cut = match regions(&split(tokens, is_cut("setminus"))) {
        Some((whole, holes)) => whole.intersected(&holes.complement()),
        None => {
            let (a, b) = regions(&split(tokens, is_cut("cap")))?;
            a.intersected(&b)
        }
    };
    cut.value()
}

/// A set of numbers; a number or a list stands for the set of them.
fn region(tokens: &[Token], depth: usize) -> Option<Region> {
    match read(tokens, depth)? {
        Value::Scalar(at) => Region::point(&at),
        Value::Collection(Kind::List, items) => Region::of(&Value::Collection(Kind::Set, items)),
        value => Region::of(&value),
    }
}

/// `\text{max: } 5`: a name in words, and its value. The words that cannot be a unit, such as `not`, are no name
/// either.
fn named_in_words(tokens: &[Token], depth: usize) -> Option<Value> {
    let [Token::Text(words), value @ ..] = tokens else {
        return None;
    };
    let name = words.strip_suffix([':', '='])?.trim();
    if !is_name(name) {
        return None;
    }
    let label = Label::plain(&name.to_lowercase());
    Some(Value::Labelled(label, Box::new(read(value, depth)?)))
}

/// `1:2:3` as its terms in units of the first. A ratio of two is a fraction.
fn ratio(tokens: &[Token]) -> Option<Value> {
    let terms = split(tokens, |token| *token == Token::Mark(':'));
    if terms.len() < 3 {
        return None;
    }
    let terms: Vec<Expr> = terms.into_iter().map(expression).collect::<Option<_>>()?;
    let in_units = |term: &Expr| Scalar::of(Expr::quotient(term.clone(), terms[0].clone()));
    let terms = terms.iter().map(|term| Value::Scalar(in_units(term)));
    Some(Value::Collection(Kind::Tuple, terms.collect()))
}

/// `A(1, 2)`: a point and its coordinates.
fn named_point(tokens: &[Token], depth: usize) -> Option<Value> {
    let [Token::Letter(name), coordinates @ ..] = tokens else {
        return None;
    };
    let is_point = name.is_uppercase() && coordinates.first() == Some(&Token::Mark('('));
    let value = bracketed(coordinates, depth).filter(|_| is_point)?;
    let label = Label::plain(&name.to_string());
    matches!(value, Value::Collection(Kind::Tuple, _))
        .then(|| Value::Labelled(label, Box::new(value)))
}

fn union(tokens: &[Token], depth: usize) -> Option<Value> {
    let parts = split(tokens, |token| *token == Token::Command("cup".to_owned()));
    if parts.len() < 2 {
        return None;
    }
    let parts: Option<Vec<Value>> = parts.into_iter().map(|part| read(part, depth)).collect();
    let union = Value::Collection(Kind::Union, parts?);
    let known = Region::of(&union).and_then(|region| region.value());
    Some(known.unwrap_or(union))
}
