//! Reads expressions and results at a position in a text: the parser behind `equations`.
//!
//! Everything works on bytes and looks at a bounded number of them, blanks aside, so that a text is read in linear time.

use crate::numbers::{decimals_of, has_sign, unsigned_at};

/// What joins two numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Operator {
    /// `+`
    Add,
    /// `-`
    Subtract,
    /// `*`
    Multiply,
    /// `/`
    Divide,
}

/// What stands between an expression and its result.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Relation {
    /// `=`
    Equal,
    /// `~` or `≈`
    About,
}

/// Operands a step may have; longer sums are read up to here and then passed over.
const MOST_OPERANDS: usize = 16;

/// Numbers joined by operators.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Expression {
    pub(crate) operands: [f64; MOST_OPERANDS],
    pub(crate) operators: [Operator; MOST_OPERANDS - 1],
    pub(crate) count: usize,
}

impl Expression {
    /// Products first, then sums, left to right. `None` on a division by zero.
    pub(crate) fn value(&self) -> Option<f64> {
        let mut sum = 0.0;
        let mut product = self.operands[0];
        for (operator, operand) in self.operators.iter().zip(&self.operands[1..self.count]) {
            match operator {
                Operator::Multiply => product *= operand,
                Operator::Divide if *operand == 0.0 => return None,
                Operator::Divide => product /= operand,
                Operator::Add => {
                    sum += product;
                    product = *operand;
                }
                Operator::Subtract => {
                    sum += product;
                    product = -operand;
                }
            }
        }
        Some(sum + product)
    }
}

/// The longest expression whose first digit stands at `start`, and the position after it. Too long a chain is `None`.
pub(crate) fn expression_at(bytes: &[u8], start: usize) -> Option<(Expression, usize)> {
    let (value, mut end) = unsigned_at(bytes, start)?;
    let first = if has_sign(bytes, start) && !is_bullet(bytes, start) {
        -value
    } else {
        value
    };
    let mut expression = Expression {
        operands: [0.0; MOST_OPERANDS],
        operators: [Operator::Add; MOST_OPERANDS - 1],
        count: 1,
    };
    expression.operands[0] = first;
    while let Some((operator, after)) = operator_at(bytes, skip_blanks(bytes, end)) {
        let Some((operand, operand_end)) = operand_at(bytes, after) else {
            break;
        };
        if expression.count == MOST_OPERANDS {
            return None;
        }
        expression.operators[expression.count - 1] = operator;
        expression.operands[expression.count] = operand;
        expression.count += 1;
        end = operand_end;
    }
    Some((expression, end))
}

/// A stated result: its value, the decimals it is written with, and where reading goes on.
pub(crate) struct Stated {
    pub(crate) value: f64,
    pub(crate) decimals: usize,
    pub(crate) resume: usize,
}

pub(crate) fn result_at(bytes: &[u8], at: usize) -> Option<Stated> {
    let digits = operand_start(bytes, at)?;
    let (first, first_end) = operand_at(bytes, at)?;
    let decimals = decimals_of(&bytes[digits..first_end]);
    let single = Stated {
        value: first,
        decimals,
        resume: digits,
    };
    match expression_at(bytes, digits) {
        Some((chain, end)) if chain.count > 1 => {
            let runs_on = relation_at(bytes, skip_blanks(bytes, end)).is_some();
            match chain.value() {
                Some(value) if !runs_on => Some(Stated {
                    value,
                    decimals: 0,
                    resume: end,
                }),
                _ => Some(single),
            }
        }
        _ => Some(single),
    }
}

/// A number after an operator or a relation: blanks, an optional sign and currency before its digits.
fn operand_at(bytes: &[u8], at: usize) -> Option<(f64, usize)> {
    let digits = operand_start(bytes, at)?;
    let (value, end) = unsigned_at(bytes, digits)?;
    let negative = bytes[at..digits].contains(&b'-');
    Some((if negative { -value } else { value }, end))
}

/// Position of the first digit of the operand that begins at `at`.
fn operand_start(bytes: &[u8], at: usize) -> Option<usize> {
    let mut at = skip_blanks(bytes, at);
    for mark in [b'-', b'$'] {
        at += usize::from(bytes.get(at) == Some(&mark));
    }
    let starts = bytes.get(at).is_some_and(u8::is_ascii_digit)
        || (bytes.get(at) == Some(&b'.') && bytes.get(at + 1).is_some_and(u8::is_ascii_digit));
    starts.then_some(at)
}

fn operator_at(bytes: &[u8], at: usize) -> Option<(Operator, usize)> {
    let rest = bytes.get(at..)?;
    match rest.first()? {
        b'+' => Some((Operator::Add, at + 1)),
        b'-' => Some((Operator::Subtract, at + 1)),
        b'*' if rest.get(1) != Some(&b'*') => Some((Operator::Multiply, at + 1)),
        b'/' if rest.get(1) != Some(&b'/') => Some((Operator::Divide, at + 1)),
        b'x' | b'X'
            if rest
                .get(1)
                .is_some_and(|byte| *byte == b' ' || byte.is_ascii_digit()) =>
        {
            Some((Operator::Multiply, at + 1))
        }
        _ => [
            ("×", Operator::Multiply),
            ("·", Operator::Multiply),
            ("÷", Operator::Divide),
            ("−", Operator::Subtract),
        ]
        .into_iter()
        .find(|(sign, _)| rest.starts_with(sign.as_bytes()))
        .map(|(sign, operator)| (operator, at + sign.len())),
    }
}

pub(crate) fn relation_at(bytes: &[u8], at: usize) -> Option<(Relation, usize)> {
    let rest = bytes.get(at..)?;
    match rest.first()? {
        b'=' if rest.get(1) != Some(&b'=') => Some((Relation::Equal, at + 1)),
        b'~' => Some((Relation::About, at + 1)),
        _ => rest
            .starts_with("≈".as_bytes())
            .then(|| (Relation::About, at + "≈".len())),
    }
}

/// Whether the number at `start` belongs to something larger on its left: an operator, a closing bracket, a decimal or a word.
pub(crate) fn continues_something(bytes: &[u8], start: usize) -> bool {
    if is_bullet(bytes, start) {
        return false;
    }
    let mut left = &bytes[..start];
    if has_sign(bytes, start) {
        left = match left {
            [rest @ .., b'-'] | [rest @ .., b'-', b'$'] => rest,
            _ => &left[..left.len().saturating_sub("−".len())],
        };
    }
    if left
        .last()
        .is_some_and(|byte| byte.is_ascii_alphanumeric() || *byte == b'.')
    {
        return true;
    }
    let trimmed = left.trim_ascii_end();
    let trimmed = trimmed
        .strip_suffix(b"$")
        .unwrap_or(trimmed)
        .trim_ascii_end();
    let crossed_line = left[trimmed.len()..].contains(&b'\n');
    !crossed_line
        && (matches!(
            trimmed.last(),
            Some(b'+' | b'-' | b'*' | b'/' | b'^' | b')')
        ) || ["×", "·", "÷", "−"]
            .iter()
            .any(|sign| trimmed.ends_with(sign.as_bytes())))
}

/// Whether the only thing before the number on its line is a list mark: `- 3 + 4 = 7`.
fn is_bullet(bytes: &[u8], start: usize) -> bool {
    let Some((b'-' | b'*' | b'+', indent)) = bytes[..start]
        .strip_suffix(b" ")
        .and_then(|before| before.split_last())
    else {
        return false;
    };
    let before = indent
        .iter()
        .rev()
        .find(|byte| !matches!(byte, b' ' | b'\t'));
    matches!(before, None | Some(b'\n'))
}

pub(crate) fn skip_blanks(bytes: &[u8], mut at: usize) -> usize {
    while matches!(bytes.get(at), Some(b' ' | b'\t')) {
        at += 1;
    }
    at
}
