//! Reads tokens as a structured answer.
//!
//! The text is cut at its loosest joints first: rows of answers, lists, relations, unions, brackets; what
//! remains is a single expression with its unit. Each cut makes the parts shorter, and the depth of
//! nesting is limited, so the work is bounded by length times depth.

use num_rational::BigRational;

use super::{
    evaluate::sign_of_infinity,
    expr::{Expr, Function},
    matrix,
    number::decimal,
    parse::{expression, spelled},
    token::{Relation, Token},
    value::{End, Kind, Label, Scalar, Value},
};

/// How deep brackets may nest in a structured answer.
const MAX_DEPTH: usize = 8;

/// Longer products of matrices are not carried out.
const MOST_FACTORS: usize = 3;

/// Words that begin a remark on the answer before them.
const REMARKS: [&str; 8] = ["for", "where", "with", "when", "if", "such", "as", "in"];

/// Reads all of `tokens`, if they are an answer that can be understood.
pub(super) fn value(tokens: &[Token]) -> Option<Value> {
    read(tokens, MAX_DEPTH)
}

fn read(tokens: &[Token], depth: usize) -> Option<Value> {
    let depth = depth.checked_sub(1)?;
    let tokens = without_remark(strip_group(tokens));
    for separator in [Separator::Semicolon, Separator::Word, Separator::Comma] {
        let parts = split(tokens, |token| separator.is(token));
        if parts.len() > 1 {
            return list(&parts, separator, depth);
        }
    }
    single(tokens, depth)
}

/// Braces that only group, as in `{1, 2}` without backslashes, hold a set.
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
    items.retain(|item| !is_domain(item));
    match items.len() {
        0 => None,
        1 => items.pop(),
        _ => Some(Value::Collection(Kind::List, items)),
    }
}

/// `k \in \mathbb{Z}` says where a parameter comes from and is no part of the answer.
fn is_domain(item: &Value) -> bool {
    match item {
        Value::Labelled(_, set) => {
            matches!(&**set, Value::Scalar(s) if matches!(&s.expr, Expr::Symbol(name) if name.starts_with("mathbb")))
        }
        _ => false,
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

/// Cuts at tokens outside of all brackets.
fn split(tokens: &[Token], is_separator: impl Fn(&Token) -> bool) -> Vec<&[Token]> {
    let mut parts = Vec::new();
    let (mut start, mut depth) = (0, 0usize);
    for (index, token) in tokens.iter().enumerate() {
        depth = depth.saturating_add_signed(nesting(token));
        if depth == 0 && is_separator(token) {
            parts.push(&tokens[start..index]);
            start = index + 1;
        }
    }
    parts.push(&tokens[start..]);
    parts
}

/// What a token does to the depth of brackets. Round and square ones may close each other.
fn nesting(token: &Token) -> isize {
    match token {
        Token::Mark('(' | '[' | '{') | Token::SetOpen | Token::Begin => 1,
        Token::Mark(')' | ']' | '}') | Token::SetClose | Token::End => -1,
        Token::Command(name) => match name.as_str() {
            "langle" | "lfloor" | "lceil" => 1,
            "rangle" | "rfloor" | "rceil" => -1,
            _ => 0,
        },
        _ => 0,
    }
}

/// Whether the first token opens a bracket that the last one closes.
fn encloses(tokens: &[Token]) -> bool {
    let mut depth = 0;
    let closing = tokens.iter().position(|token| {
        depth += nesting(token);
        depth == 0
    });
    tokens.len() > 1 && closing == Some(tokens.len() - 1)
}

/// Cuts off `for all x > 0` and the like.
fn without_remark(tokens: &[Token]) -> &[Token] {
    let remark = tokens.iter().position(|token| match token {
        Token::Text(words) => words
            .split(' ')
            .next()
            .is_some_and(|word| REMARKS.contains(&word)),
        _ => false,
    });
    match remark {
        Some(at) if at > 0 && at + 1 < tokens.len() => &tokens[..at],
        _ => tokens,
    }
}

fn single(tokens: &[Token], depth: usize) -> Option<Value> {
    if spelled(tokens) == "mathbbR" {
        let [below, above] = line();
        return Some(Value::Interval(below, above));
    }
    relation(tokens, depth)
        .or_else(|| union(tokens, depth))
        .or_else(|| matrices(tokens, depth))
        .or_else(|| bracketed(tokens, depth))
        .or_else(|| scalar(tokens).map(Value::Scalar))
}

fn union(tokens: &[Token], depth: usize) -> Option<Value> {
    let parts = split(tokens, |token| *token == Token::Command("cup".to_owned()));
    if parts.len() < 2 {
        return None;
    }
    let parts: Option<Vec<Value>> = parts.into_iter().map(|part| read(part, depth)).collect();
    Some(Value::Collection(Kind::Union, parts?))
}

/// Several matrices, added or multiplied.
fn matrices(tokens: &[Token], depth: usize) -> Option<Value> {
    if tokens.first() != Some(&Token::Begin) || encloses(tokens) {
        return None;
    }
    let terms = split(tokens, |token| *token == Token::Mark('+'));
    // Entries of a product grow with every factor.
    let factors = |term: &&[Token]| term.iter().filter(|token| **token == Token::End).count();
    if terms.iter().any(|term| factors(term) > MOST_FACTORS) {
        return None;
    }
    let mut sum: Option<Value> = None;
    for term in terms {
        let mut product: Option<Value> = None;
        for factor in term.split_inclusive(|token| *token == Token::End) {
            let factor = bracketed(factor, depth)?;
            product = Some(match product {
                None => factor,
                Some(product) => matrix::product(&product, &factor)?,
            });
        }
        sum = Some(match sum {
            None => product?,
            Some(sum) => matrix::sum(&sum, &product?)?,
        });
    }
    sum
}

fn bracketed(tokens: &[Token], depth: usize) -> Option<Value> {
    if !encloses(tokens) {
        return None;
    }
    let (open, inner, close) = (
        tokens.first()?,
        &tokens[1..tokens.len() - 1],
        tokens.last()?,
    );
    if let (Token::SetOpen, Token::SetClose) = (open, close) {
        return set(inner, depth);
    }
    if (open, close) == (&Token::Begin, &Token::End) {
        return matrix_of(inner, depth);
    }
    let closed = |token: &Token| matches!(token, Token::Mark('[' | ']'));
    let parts = split(inner, |token| matches!(token, Token::Mark(',' | ';')));
    if parts.len() < 2 {
        // A scalar in parentheses is left to the expression parser, with what surrounds it.
        return read(inner, depth).filter(|value| !matches!(value, Value::Scalar(_)));
    }
    let items: Option<Vec<Value>> = parts.into_iter().map(|part| read(part, depth)).collect();
    let items = items?;
    if closed(open) == closed(close) {
        let kind = if closed(open) {
            Kind::Bracket
        } else {
            Kind::Tuple
        };
        return Some(Value::Collection(kind, items));
    }
    let [low, high]: [Value; 2] = items.try_into().ok()?;
    let (Value::Scalar(low), Value::Scalar(high)) = (low, high) else {
        return None;
    };
    let low = End {
        at: low,
        closed: closed(open),
    };
    Some(Value::Interval(
        low,
        End {
            at: high,
            closed: closed(close),
        },
    ))
}

/// `\{…\}`: by its elements, or by a condition on them.
fn set(inner: &[Token], depth: usize) -> Option<Value> {
    let is_bar = |token: &Token| {
        matches!(token, Token::Mark('|' | ':')) || *token == Token::Command("mid".to_owned())
    };
    let parts = split(inner, is_bar);
    if let [variable, condition] = parts[..]
        && variable
            .iter()
            .any(|token| matches!(token, Token::Letter(_)))
    {
        return read(condition, depth);
    }
    match read(inner, depth)? {
        Value::Collection(Kind::List, items) => Some(Value::Collection(Kind::Set, items)),
        item => Some(Value::Collection(Kind::Set, vec![item])),
    }
}

/// `\begin{pmatrix} … \end{pmatrix}`; a single row or column is a vector.
fn matrix_of(inner: &[Token], depth: usize) -> Option<Value> {
    let mut rows = Vec::new();
    for row in split(inner, |token| *token == Token::RowBreak) {
        if row.is_empty() {
            continue;
        }
        let cells = split(row, |token| *token == Token::Mark('&'));
        rows.push(
            cells
                .into_iter()
                .map(|cell| read(cell, depth))
                .collect::<Option<Vec<_>>>()?,
        );
    }
    let is_vector = rows.len() == 1 || rows.iter().all(|row| row.len() == 1);
    Some(if is_vector {
        Value::Collection(Kind::Tuple, rows.into_iter().flatten().collect())
    } else {
        Value::Matrix(rows)
    })
}

fn relation(tokens: &[Token], depth: usize) -> Option<Value> {
    let sides = split(tokens, |token| matches!(token, Token::Relation(_)));
    if sides.len() < 2 {
        return None;
    }
    let mut at = 0;
    let mut relations = Vec::new();
    for side in &sides[..sides.len() - 1] {
        at += side.len();
        let Token::Relation(relation) = &tokens[at] else {
            return None;
        };
        relations.push(*relation);
        at += 1;
    }
    if relations == [Relation::Element] {
        return Some(Value::Labelled(
            label(sides[0])?,
            Box::new(read(sides[1], depth)?),
        ));
    }
    if relations
        .iter()
        .all(|r| matches!(r, Relation::Equal | Relation::Approximately))
    {
        return equation(&sides, &relations, depth);
    }
    if let ([x, hole], [Relation::NotEqual]) = (&sides[..], &relations[..])
        && let (Some(label), Some(hole)) = (label(x), scalar(hole))
    {
        return Some(Value::Labelled(label, Box::new(without(hole))));
    }
    inequality(&sides, &relations).or_else(|| general(&sides, &relations))
}

/// All numbers but one.
fn without(hole: Scalar) -> Value {
    let [below, above] = line();
    let end = End {
        at: hole,
        closed: false,
    };
    let parts = vec![
        Value::Interval(below, end.clone()),
        Value::Interval(end, above),
    ];
    Value::Collection(Kind::Union, parts)
}

/// The ends of the whole line of numbers.
fn line() -> [End; 2] {
    let below = Expr::Negative(Box::new(Expr::Infinity));
    [below, Expr::Infinity].map(|at| End {
        at: Scalar::of(at),
        closed: false,
    })
}

/// `label = value`, where steps of the working may stand between and an approximation behind.
fn equation(sides: &[&[Token]], relations: &[Relation], depth: usize) -> Option<Value> {
    let approximation = relations.iter().position(|r| *r == Relation::Approximately);
    let last_exact = approximation.unwrap_or(sides.len() - 1);
    match label(sides[0]) {
        Some(label) => {
            let value_at = if last_exact == 0 {
                sides.len() - 1
            } else {
                last_exact
            };
            Some(Value::Labelled(
                label,
                Box::new(read(sides[value_at], depth)?),
            ))
        }
        // `value ≈ decimals` without a label.
        None if approximation.is_some() => read(sides[last_exact], depth),
        // `value = x`, or a chain of equations with `x` somewhere in it.
        None => match sides.iter().rposition(|side| label(side).is_some()) {
            Some(at) if sides.len() == 2 || at + 1 < sides.len() => {
                let value_at = if sides.len() == 2 { 0 } else { sides.len() - 1 };
                Some(Value::Labelled(
                    label(sides[at])?,
                    Box::new(read(sides[value_at], depth)?),
                ))
            }
            _ => general(sides, relations),
        },
    }
}

fn general(sides: &[&[Token]], relations: &[Relation]) -> Option<Value> {
    let sides: Option<Vec<Expr>> = sides.iter().map(|side| expression(side)).collect();
    Some(Value::Relation(sides?, relations.to_vec()))
}

/// `a < x ≤ b` and `x > a` as intervals of the labelled variable.
fn inequality(sides: &[&[Token]], relations: &[Relation]) -> Option<Value> {
    if !relations.iter().all(|relation| relation.is_order()) {
        return None;
    }
    let (variable, low, high) = match (sides, relations) {
        ([x, bound], [relation]) if label(x).is_some() => end_of(x, bound, *relation)?,
        ([bound, x], [relation]) if label(x).is_some() => end_of(x, bound, relation.reversed())?,
        ([a, x, b], [first, second]) => {
            let (x_label, low, above) = end_of(x, a, first.reversed())?;
            let (_, below, high) = end_of(x, b, *second)?;
            // One of the two pairs is set, depending on the direction in which it is written.
            match ((low, high), (below, above)) {
                ((low @ Some(_), high @ Some(_)), _) => (x_label, low, high),
                (_, (low @ Some(_), high @ Some(_))) => (x_label, low, high),
                _ => return None,
            }
        }
        _ => return None,
    };
    let [below, above] = line();
    let (low, high) = (low.unwrap_or(below), high.unwrap_or(above));
    let absolute = variable
        .name
        .strip_prefix('|')
        .and_then(|name| name.strip_suffix('|'));
    Some(match absolute {
        Some(inner) => {
            let label = Label {
                name: inner.to_owned(),
                parameter: None,
            };
            Value::Labelled(label, Box::new(of_absolute(low, high)))
        }
        None => Value::Labelled(variable, Box::new(Value::Interval(low, high))),
    })
}

/// What `x` can be when `|x|` lies in an interval of positive numbers.
fn of_absolute(low: End, high: End) -> Value {
    let negated = |end: &End| End {
        at: Scalar {
            expr: Expr::Negative(Box::new(end.at.expr.clone())),
            ..end.at.clone()
        },
        closed: end.closed,
    };
    if sign_of_infinity(&low.at.expr).is_some() {
        return Value::Interval(negated(&high), high);
    }
    let below = Value::Interval(negated(&high), negated(&low));
    Value::Collection(Kind::Union, vec![below, Value::Interval(low, high)])
}

/// `x relation bound` as the lower or upper end it sets.
fn end_of(
    x: &[Token],
    bound: &[Token],
    relation: Relation,
) -> Option<(Label, Option<End>, Option<End>)> {
    let label = label(x)?;
    let at = scalar(bound)?;
    let closed = matches!(relation, Relation::LessOrEqual | Relation::GreaterOrEqual);
    let end = Some(End { at, closed });
    Some(match relation {
        Relation::Greater | Relation::GreaterOrEqual => (label, end, None),
        _ => (label, None, end),
    })
}

/// What an equation may define: symbols without numbers or signs between them, such as `x`, `x_1`,
/// `f(x)`, `AB`, `|AB|`, `A:B` or `(x, y)`.
fn label(tokens: &[Token]) -> Option<Label> {
    let mut in_subscript = 0;
    for (index, token) in tokens.iter().enumerate() {
        let after_underscore = index > 0 && tokens[index - 1] == Token::Mark('_');
        match token {
            Token::Mark('{') if after_underscore || in_subscript > 0 => in_subscript += 1,
            Token::Mark('}') if in_subscript > 0 => in_subscript -= 1,
            _ if in_subscript > 0 || after_underscore => {}
            Token::Letter(_) | Token::Text(_) => {}
            Token::Mark('(' | ')' | '{' | '}' | '_' | ',' | '|' | ':' | '\'') => {}
            Token::Number(_) if index >= 2 && tokens[index - 1] == Token::Mark('(') => {}
            Token::Command(name) if is_name(name) => {}
            _ => return None,
        }
    }
    let parameter = match tokens {
        [
            Token::Letter(_),
            Token::Mark('('),
            Token::Letter(x),
            Token::Mark(')'),
        ] => Some(x.to_string()),
        _ => None,
    };
    let has_symbol = tokens
        .iter()
        .any(|t| matches!(t, Token::Letter(_) | Token::Command(_) | Token::Text(_)));
    has_symbol.then(|| Label {
        name: spelled(tokens),
        parameter,
    })
}

/// Commands that are symbols or part of their spelling.
fn is_name(name: &str) -> bool {
    const NAMES: [&str; 29] = [
        "alpha",
        "beta",
        "gamma",
        "delta",
        "epsilon",
        "varepsilon",
        "zeta",
        "eta",
        "theta",
        "iota",
        "kappa",
        "lambda",
        "mu",
        "nu",
        "xi",
        "rho",
        "sigma",
        "tau",
        "phi",
        "varphi",
        "chi",
        "psi",
        "omega",
        "angle",
        "triangle",
        "max",
        "min",
        "overline",
        "frac",
    ];
    NAMES.contains(&name)
}

/// One expression with percent, degrees or unit.
pub(super) fn scalar(tokens: &[Token]) -> Option<Scalar> {
    let decimal = tokens
        .iter()
        .any(|token| matches!(token, Token::Number(digits) if digits.contains('.')));
    let (tokens, unit) = split_unit(tokens);
    if let Some(angle) = degrees(tokens) {
        return Some(Scalar {
            expr: angle,
            percent: false,
            degrees: true,
            unit: None,
            decimal,
        });
    }
    let (tokens, percent) = match tokens {
        [before @ .., Token::Mark('%')] => (before, true),
        _ => (
            tokens,
            matches!(unit.as_deref(), Some("percent" | "pct" | "percentage")),
        ),
    };
    let expr = expression(tokens)?;
    Some(Scalar {
        expr,
        percent,
        degrees: false,
        unit: unit.filter(|_| !percent),
        decimal,
    })
}

impl Scalar {
    /// A bare expression.
    pub fn of(expr: Expr) -> Self {
        Self {
            expr,
            percent: false,
            degrees: false,
            unit: None,
            decimal: false,
        }
    }
}

/// Cuts off the words at the end and any power of them, as in `15 \text{ cm}^2`.
fn split_unit(tokens: &[Token]) -> (&[Token], Option<String>) {
    let first_word = tokens
        .iter()
        .position(|token| matches!(token, Token::Text(_)));
    match first_word {
        Some(at) if at > 0 => (&tokens[..at], Some(spelled(&tokens[at..]))),
        _ => (tokens, None),
    }
}

/// `60^\circ`, `60^\circ 42'` as a number of degrees.
fn degrees(tokens: &[Token]) -> Option<Expr> {
    let circle = tokens
        .iter()
        .position(|token| *token == Token::Command("circ".to_owned()))?;
    let is_function =
        |token: &Token| matches!(token, Token::Command(name) if Function::named(name).is_some());
    let whole = match &tokens[..circle] {
        [before @ .., Token::Mark('^')] if !before.iter().any(is_function) => expression(before)?,
        _ => return None,
    };
    match &tokens[circle + 1..] {
        [] => Some(whole),
        [Token::Number(minutes), Token::Mark('\'')] => {
            let share = decimal(minutes)? / BigRational::from_integer(60.into());
            Some(Expr::Sum(vec![whole, Expr::Number(share)]))
        }
        _ => None,
    }
}
