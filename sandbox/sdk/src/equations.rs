//! Arithmetic steps, `6 * 49 = 294`: found, parsed and checked.
//!
//! A step is two or more numbers joined by `+ - * /` (also `× · ÷ − x`), then `=` (or `~`, `≈` for "about"), then the
//! stated result. Multiplication and division bind closer, as in school. A result that is itself a chain counts by its
//! value (`2 + 3 = 4 + 1`), but in a run-on line (`2 + 3 = 5 * 2 = 10`) each link is a step of its own.
//! Expressions with brackets or unknowns are passed over rather than misread.

use crate::numbers::{decimals_of, has_sign, nearly_equal, unsigned_at};

/// All arithmetic steps of a text from left to right.
///
/// ```
/// use reward_sdk::prelude::*;
/// let text = "6 * 49 = 294 . 294 - 52 = 240 . 5 * 19 ~ 100";
/// let checked: Vec<bool> = equations(text).map(|step| step.is_valid()).collect();
/// assert_eq!(checked, [true, false, false]);
/// let first = equations(text).next().unwrap();
/// assert_eq!((first.left(), first.operator(), first.right(), first.result()), (6.0, Operator::Multiply, 49.0, 294.0));
/// ```
#[must_use]
pub const fn equations(text: &str) -> Equations<'_> {
    Equations { text, position: 0 }
}

/// Result stated by the last of the [`equations`].
///
/// ```
/// use reward_sdk::prelude::*;
/// assert_eq!(last_result("2 + 3 = 5, 5 * 4 = 20."), Some(20.0));
/// ```
#[must_use]
pub fn last_result(text: &str) -> Option<f64> {
    equations(text).last().map(|step| step.result())
}

/// Share of the [`equations`] that are valid; 0 where there is none. A step with `~` counts as not valid.
///
/// ```
/// use reward_sdk::prelude::*;
/// assert_eq!(valid_share("2 + 3 = 5 . 5 * 4 ~ 20"), 0.5);
/// ```
#[must_use]
pub fn valid_share(text: &str) -> f64 {
    let (mut all, mut valid) = (0_usize, 0_usize);
    for step in equations(text) {
        all += 1;
        valid += usize::from(step.is_valid());
    }
    if all == 0 {
        0.0
    } else {
        valid as f64 / all as f64
    }
}

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

/// One arithmetic step.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Equation {
    expression: Expression,
    relation: Relation,
    result: f64,
    decimals: usize,
}

impl Equation {
    /// The first number.
    #[must_use]
    pub const fn left(&self) -> f64 {
        self.expression.operands[0]
    }

    /// The first operator.
    #[must_use]
    pub const fn operator(&self) -> Operator {
        self.expression.operators[0]
    }

    /// The last number of the expression; of `a + b` it is `b`.
    #[must_use]
    pub const fn right(&self) -> f64 {
        self.expression.operands[self.expression.count - 1]
    }

    /// All numbers of the expression; at least two.
    #[must_use]
    pub fn operands(&self) -> &[f64] {
        &self.expression.operands[..self.expression.count]
    }

    /// The operators between the [`operands`](Self::operands); one fewer.
    #[must_use]
    pub fn operators(&self) -> &[Operator] {
        &self.expression.operators[..self.expression.count - 1]
    }

    /// The result as the text states it.
    #[must_use]
    pub const fn result(&self) -> f64 {
        self.result
    }

    /// Whether the text says "equals" or "about".
    #[must_use]
    pub const fn relation(&self) -> Relation {
        self.relation
    }

    /// What the expression really comes to; `None` where it divides by zero.
    #[must_use]
    pub fn value(&self) -> Option<f64> {
        self.expression.value()
    }

    /// Whether the step says `=` and the stated result is right: exactly, or, where it is written with decimals, to the
    /// last of them (`10 / 3 = 3.33` is valid, `10 / 3 = 3` is not).
    #[must_use]
    pub fn is_valid(&self) -> bool {
        let tolerance = if self.decimals == 0 {
            0.0
        } else {
            0.5 * 10_f64.powi(-(self.decimals.min(20) as i32))
        };
        self.relation == Relation::Equal
            && self.value().is_some_and(|value| {
                nearly_equal(value, self.result)
                    || (value - self.result).abs() <= tolerance * (1.0 + 1e-9)
            })
    }

    /// Whether one of the operands is this number.
    #[must_use]
    pub fn uses(&self, number: f64) -> bool {
        self.operands()
            .iter()
            .any(|operand| nearly_equal(*operand, number))
    }
}

/// Iterator of [`equations`].
#[derive(Debug, Clone)]
pub struct Equations<'a> {
    text: &'a str,
    position: usize,
}

impl Iterator for Equations<'_> {
    type Item = Equation;

    fn next(&mut self) -> Option<Equation> {
        let bytes = self.text.as_bytes();
        while self.position < bytes.len() {
            let start = self.position;
            if !bytes[start].is_ascii_digit() {
                self.position += 1;
                continue;
            }
            let Some((expression, end)) = expression_at(bytes, start) else {
                self.position += 1;
                continue;
            };
            // Whatever follows, the numbers of this expression are not the start of another.
            self.position = end;
            if expression.count < 2 || continues_something(bytes, start) {
                continue;
            }
            let Some((relation, after)) = relation_at(bytes, skip_blanks(bytes, end)) else {
                continue;
            };
            let Some(stated) = result_at(bytes, after) else {
                continue;
            };
            // The result may open the next link of a run-on line.
            self.position = stated.resume;
            return Some(Equation {
                expression,
                relation,
                result: stated.value,
                decimals: stated.decimals,
            });
        }
        None
    }
}

/// Numbers joined by operators.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Expression {
    operands: [f64; MOST_OPERANDS],
    operators: [Operator; MOST_OPERANDS - 1],
    count: usize,
}

impl Expression {
    /// Products first, then sums, left to right. `None` on a division by zero.
    fn value(&self) -> Option<f64> {
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
fn expression_at(bytes: &[u8], start: usize) -> Option<(Expression, usize)> {
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
struct Stated {
    value: f64,
    decimals: usize,
    resume: usize,
}

fn result_at(bytes: &[u8], at: usize) -> Option<Stated> {
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

fn relation_at(bytes: &[u8], at: usize) -> Option<(Relation, usize)> {
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
fn continues_something(bytes: &[u8], start: usize) -> bool {
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

fn skip_blanks(bytes: &[u8], mut at: usize) -> usize {
    while matches!(bytes.get(at), Some(b' ' | b'\t')) {
        at += 1;
    }
    at
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each step as (value, stated result, valid).
    fn steps(text: &str) -> Vec<(f64, f64, bool)> {
        equations(text)
            .map(|step| {
                (
                    step.value().unwrap_or(f64::NAN),
                    step.result(),
                    step.is_valid(),
                )
            })
            .collect()
    }

    #[test]
    fn the_four_operators_in_every_spelling() {
        for text in [
            "6*7=42",
            "6 × 7 = 42",
            "6 x 7 = 42",
            "6x7 = 42",
            "6 · 7 = $42",
            "84 ÷ 2 = 42",
            "84/2 = 42.",
            "45 − 3 = 42",
            "$40 + $2 = $42",
        ] {
            assert_eq!(steps(text), [(42.0, 42.0, true)], "{text}");
        }
    }

    #[test]
    fn about_is_never_valid() {
        assert_eq!(steps("6 * 49 ~ 294"), [(294.0, 294.0, false)]);
        assert_eq!(
            equations("2 * 2 ≈ 4").next().map(|step| step.relation()),
            Some(Relation::About)
        );
    }

    #[test]
    fn longer_expressions_follow_precedence() {
        assert_eq!(steps("2 + 3 * 4 - 6 / 2 = 11"), [(11.0, 11.0, true)]);
        assert_eq!(
            equations("1 + 2 + 3 = 6")
                .next()
                .map(|step| step.operands().to_vec()),
            Some(vec![1.0, 2.0, 3.0])
        );
    }

    #[test]
    fn run_on_lines_are_steps_of_their_own() {
        assert_eq!(
            steps("2 + 3 = 5 * 2 = 10"),
            [(5.0, 5.0, true), (10.0, 10.0, true)]
        );
        assert_eq!(steps("2 + 3 = 4 + 1"), [(5.0, 5.0, true)]);
        assert_eq!(steps("2 + 3 = 5 = 5"), [(5.0, 5.0, true)]);
        assert_eq!(
            steps("6 * 49 = 294 . 294 - 52 = 242 ."),
            [(294.0, 294.0, true), (242.0, 242.0, true)]
        );
    }

    #[test]
    fn decimals_are_checked_to_the_last_written() {
        assert_eq!(steps("10 / 3 = 3.33"), [(10.0 / 3.0, 3.33, true)]);
        assert!(!steps("10 / 3 = 3")[0].2);
        assert!(!steps("10 / 3 = 3.34")[0].2);
        assert!(steps("0.1 + 0.2 = 0.3")[0].2);
        assert!(steps("5 / 2 = 2.5")[0].2);
    }

    #[test]
    fn negative_numbers() {
        assert_eq!(steps("3 - 5 = -2"), [(-2.0, -2.0, true)]);
        assert_eq!(steps("-3 + 5 = 2"), [(2.0, 2.0, true)]);
        assert_eq!(steps("4 * -2 = -8"), [(-8.0, -8.0, true)]);
        assert_eq!(steps("3-5=-2"), [(-2.0, -2.0, true)]);
    }

    #[test]
    fn list_marks_are_not_operators() {
        assert_eq!(
            steps("- 3 + 4 = 7\n* 7 - 2 = 5\n1. 5 + 1 = 6"),
            [(7.0, 7.0, true), (5.0, 5.0, true), (6.0, 6.0, true)]
        );
    }

    #[test]
    fn what_cannot_be_read_is_passed_over() {
        for text in [
            "",
            "x + 3 = 5",
            "(1 + 2) * 3 + 4 = 13",
            "2 * (3 + 4) = 14",
            "5 = 5",
            "3 + = 4",
            "3 + 4",
            "3 + 4 =",
            "y - 3 + 4 = 2",
            "a == b",
            "3 + 4 == 7",
            "2 ** 3 = 8",
            "2^3 + 1 = 9",
            "v1.2 + 3 = 4",
        ] {
            assert_eq!(steps(text), [], "{text}");
        }
    }

    #[test]
    fn division_by_zero_has_no_value() {
        let step = equations("5 / 0 = 0").next();
        assert_eq!(step.and_then(|step| step.value()), None);
        assert_eq!(valid_share("5 / 0 = 0"), 0.0);
    }

    #[test]
    fn a_chain_too_long_is_passed_over_in_linear_time() {
        let long = format!("{}1 = 9", "1 + ".repeat(200_000));
        assert!(equations(&long).count() <= 1);
    }

    #[test]
    fn uses_finds_an_operand() {
        let second = equations("6 * 49 = 294 . 294 - 52 = 242").nth(1);
        assert!(second.is_some_and(|step| step.uses(294.0) && !step.uses(242.0)));
    }
}
