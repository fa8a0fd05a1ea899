//! Readings that are a given answer's alone: how people write what a reference writes in one of the ways that are read
//! anyway. A reference is not read so, for it may mean something else: `C(6,2)` a point, `IV` a name, `3x4` a size.

use num_bigint::BigInt;
use num_rational::BigRational;

use crate::answer::{
    parse::token::{self, Token},
    read::special::remainder,
    read::structure,
    value::number::decimal,
    value::numerals,
    value::{Kind, Scalar, Value, expr::Expr},
};

/// Longer texts are not read in these ways.
const LONGEST: usize = 60;

/// Square brackets round fewer items may be an interval's.
const FEWEST_ITEMS: usize = 3;

/// What letters glued to a number multiply it by.
const GLUED: [(&str, u64); 5] = [
    ("k", 1000),
    ("K", 1000),
    ("M", 1_000_000),
    ("B", 1_000_000_000),
    ("bn", 1_000_000_000),
];

/// Further readings of a given answer, whose usual ones are `readings`.
pub(super) fn loose(clean: &str, tokens: &[Token], readings: &[Value]) -> Vec<Value> {
    let mut more = Vec::new();
    if let [Value::Collection(Kind::Bracket, items)] = readings
        && items.len() >= FEWEST_ITEMS
    {
        more.push(Value::Collection(Kind::Tuple, items.clone()));
        more.push(Value::Collection(Kind::List, items.clone()));
    }
    if clean.len() > LONGEST {
        return more;
    }
    more.extend(remainder(tokens));
    more.extend(by_rows(clean));
    if !clean.starts_with(|c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '(')) {
        return more;
    }
    more.extend(with_times(clean));
    more.extend(chosen(clean));
    more.extend(spaced(clean));
    let number = numerals::roman(clean);
    more.extend(number.map(|value| number_of(BigRational::from_integer(value.into()))));
    more.extend(enlarged(clean));
    more
}

/// Further readings of a gold answer: `4:1` as a ratio that is no 4, `XIV` as a number.
pub(super) fn of_gold(clean: &str, tokens: &[Token]) -> Option<Value> {
    if let [Token::Number(a), Token::Mark(':'), Token::Number(b)] = tokens {
        let (a, b) = (
            decimal(a)?,
            decimal(b).filter(|b| *b != BigRational::default())?,
        );
        let ratio = Some(a / b).filter(BigRational::is_integer)?;
        let ratio = Expr::Apply("ratio".to_owned(), vec![Expr::Number(ratio)]);
        return Some(Value::Scalar(Scalar::of(ratio)));
    }
    // Names of segments and choices are made of other letters.
    let value = numerals::roman(clean).filter(|_| clean.contains(['I', 'V', 'X']))?;
    Some(number_of(BigRational::from_integer(value.into())))
}

fn number_of(value: BigRational) -> Value {
    Value::Scalar(Scalar::of(Expr::Number(value)))
}

/// `2x3`, `2 x 3 x 4`: `x` between two numbers, where there is no other letter.
fn with_times(clean: &str) -> Option<Value> {
    let is_part = |c: char| c.is_ascii_digit() || matches!(c, 'x' | 'X' | ' ' | '.' | '-');
    if !clean.contains(['x', 'X']) || !clean.chars().all(is_part) {
        return None;
    }
    let factors: Vec<&str> = clean.split(['x', 'X']).map(str::trim).collect();
    let is_number = |factor: &&str| decimal(factor.trim_start_matches('-')).is_some();
    if !factors.iter().all(is_number) {
        return None;
    }
    structure::value(&token::tokens(&factors.join(r" \times "), false))
}

/// `C(6,2)`: how many choices there are.
fn chosen(clean: &str) -> Option<Value> {
    let inner = clean.strip_prefix("C(")?.strip_suffix(')')?;
    let (n, k) = inner.split_once(',')?;
    let (n, k): (u32, u32) = (n.trim().parse().ok()?, k.trim().parse().ok()?);
    let whole = |value: u32| Box::new(Expr::integer(i64::from(value)));
    (k <= n).then(|| Value::Scalar(Scalar::of(Expr::Binomial(whole(n), whole(k)))))
}

/// `1 2 3`: at least three numbers in a row are a list.
fn spaced(clean: &str) -> Option<Value> {
    let numbers: Vec<&str> = clean.split_whitespace().collect();
    let is_group = |number: &&str| number.len() == 3;
    if numbers.len() < FEWEST_ITEMS || numbers[1..].iter().all(is_group) {
        return None;
    }
    let item = |text: &&str| {
        let digits = text.strip_prefix('-').unwrap_or(text);
        let value = decimal(digits)?;
        let is_plain = digits.bytes().all(|b| b.is_ascii_digit() || b == b'.');
        let value = if digits.len() < text.len() {
            -value
        } else {
            value
        };
        is_plain.then(|| number_of(value))
    };
    let items: Option<Vec<Value>> = numbers.iter().map(item).collect();
    Some(Value::Collection(Kind::List, items?))
}

/// `2.5k`, `3M`.
fn enlarged(clean: &str) -> Option<Value> {
    let end = clean.find(|c: char| c.is_ascii_alphabetic())?;
    let (digits, letters) = clean.split_at(end);
    let size = GLUED.iter().find(|(name, _)| *name == letters)?.1;
    let digits = digits
        .strip_prefix('-')
        .map_or((false, digits), |digits| (true, digits));
    let value = decimal(digits.1)? * BigRational::from_integer(BigInt::from(size));
    Some(number_of(if digits.0 { -value } else { value }))
}

/// `[1 2; 3 4]`, `[1; 2; 3]`: rows between semicolons.
fn by_rows(clean: &str) -> Option<Value> {
    let inner = clean.strip_prefix('[')?.strip_suffix(']')?;
    if !inner.contains(';') || inner.contains(['[', '(', '{']) {
        return None;
    }
    let cell = |text: &str| structure::value(&token::tokens(text, false));
    let row = |row: &str| {
        let cells = row.split([',', ' ']).filter(|cell| !cell.is_empty());
        cells.map(cell).collect::<Option<Vec<Value>>>()
    };
    let rows: Vec<Vec<Value>> = inner.split(';').map(row).collect::<Option<_>>()?;
    let width = rows.first()?.len();
    if width == 0 || rows.iter().any(|row| row.len() != width) {
        return None;
    }
    Some(if width == 1 {
        Value::Collection(Kind::Tuple, rows.into_iter().flatten().collect())
    } else {
        Value::Matrix(rows)
    })
}
