//! Are two answers that have been understood the same answer?
//!
//! The gold answer is trusted and the given one is not: where a liberty is taken (a tolerance, a missing
//! label or unit) it is one that the gold answer allows. Alternatives that contradict each other never
//! match a single value, because a list only equals a list.

use super::{
    evaluate::{constant, constant_ratio, equal, is_integer},
    expr::Expr,
    token::Relation,
    unit::{self, Unit},
    value::{End, Kind, Label, Scalar, Value},
};
use crate::explain::Trace;

/// Longer lists are not compared: matching them in any order takes quadratic time.
const MOST_ITEMS: usize = 100;

/// More comparisons of parts than this are not made: no answer meant to be understood needs them.
const MOST_STEPS: u32 = 20_000;

/// More signs than this stand for too many combinations.
const MOST_SIGNS: usize = 4;

/// Compares answers; remembers whether the tolerance was needed.
pub(super) struct Comparison<'a> {
    /// The relative tolerance where the gold answer is not a whole number.
    pub tolerance: f64,
    /// Set when some part was equal only within the tolerance.
    pub approximated: bool,
    /// How many pairs of parts have been compared.
    steps: u32,
    /// How deep in parts of parts the comparison is.
    depth: usize,
    trace: &'a mut Trace,
}

impl<'a> Comparison<'a> {
    pub fn within(tolerance: f64, trace: &'a mut Trace) -> Self {
        Self {
            tolerance,
            approximated: false,
            steps: 0,
            depth: 0,
            trace,
        }
    }

    pub fn same(&mut self, gold: &Value, given: &Value) -> bool {
        self.same_values(gold, given) || self.same_with_signs(gold, given)
    }

    pub fn note_budget(&mut self) {
        let steps = self.steps;
        self.trace.note("budget", || {
            format!("{steps} of {MOST_STEPS} comparisons of parts")
        });
    }

    /// Counts the comparison, and notes it after those of its parts.
    fn same_values(&mut self, gold: &Value, given: &Value) -> bool {
        self.steps += 1;
        if self.steps > MOST_STEPS {
            return false;
        }
        self.depth += 1;
        let same = self.same_kinds(gold, given);
        self.depth -= 1;
        let what = if self.depth == 0 {
            "rule: same structure"
        } else {
            "part"
        };
        self.trace
            .step(what, same, || format!("{gold} against {given}"));
        same
    }

    fn same_kinds(&mut self, gold: &Value, given: &Value) -> bool {
        use Value::{Collection, Interval, Labelled, Matrix, Scalar};
        match (gold, given) {
            (Scalar(a), Scalar(b)) => self.same_scalars(a, b),
            (Labelled(a, x), Labelled(b, y)) => self.same_labelled((a, x), (b, y)),
            (Labelled(label, x), y) => self.same_values(x, y) || self.same_as_relation(label, x, y),
            (x, Labelled(label, y)) => self.same_values(x, y) || self.same_as_relation(label, y, x),
            (Value::Relation(..), Value::Relation(..)) => same_relations(gold, given),
            (Collection(a, xs), Collection(b, ys)) => self.same_collections((*a, xs), (*b, ys)),
            // A set of one is its element; nothing else of one part is a collection.
            (Collection(Kind::Set, xs), y) if xs.len() == 1 => self.same_values(&xs[0], y),
            (x, Collection(Kind::Set, ys)) if ys.len() == 1 => self.same_values(x, &ys[0]),
            (Interval(..), Collection(..)) | (Collection(..), Interval(..)) => {
                let (Some((a, b)), Some((c, d))) = (ends(gold), ends(given)) else {
                    return false;
                };
                self.same_ends(&a, &c) && self.same_ends(&b, &d)
            }
            (Interval(a, b), Interval(c, d)) => self.same_ends(a, c) && self.same_ends(b, d),
            (Matrix(a), Matrix(b)) => {
                a.len() == b.len() && std::iter::zip(a, b).all(|(a, b)| self.same_in_order(a, b))
            }
            _ => false,
        }
    }

    fn same_scalars(&mut self, gold: &Scalar, given: &Scalar) -> bool {
        let units = (
            gold.unit.as_deref().and_then(unit::named),
            given.unit.as_deref().and_then(unit::named),
        );
        if let (Some(a), Some(b)) = units
            && a != b
        {
            return a.dimension == b.dimension && self.same_numbers(gold, &converted(given, a, b));
        }
        if let (Some(a), Some(b)) = (half_of_day(gold), half_of_day(given))
            && a != b
        {
            return false;
        }
        self.same_numbers(gold, given)
    }

    fn same_numbers(&mut self, gold: &Scalar, given: &Scalar) -> bool {
        let mut readings = vec![(gold.expr.clone(), given.expr.clone())];
        // A sign on one side only can be part of the value or its unit.
        match (gold.percent, given.percent) {
            (true, false) => readings.push((percent(&gold.expr), given.expr.clone())),
            (false, true) => readings.push((gold.expr.clone(), percent(&given.expr))),
            _ => {}
        }
        match (gold.degrees, given.degrees) {
            (true, false) => readings.push((radians(&gold.expr), given.expr.clone())),
            (false, true) => readings.push((gold.expr.clone(), radians(&given.expr))),
            _ => {}
        }
        if readings
            .iter()
            .any(|(a, b)| equal(a, b) || equal_up_to_names(a, b))
        {
            return true;
        }
        let close = (gold.decimal || given.decimal)
            && !is_integer(&gold.expr)
            && readings.iter().any(|(a, b)| self.within_tolerance(a, b));
        self.approximated |= close;
        close
    }

    fn within_tolerance(&self, gold: &Expr, given: &Expr) -> bool {
        let (Some(gold), Some(given)) = (constant(gold), constant(given)) else {
            return false;
        };
        (gold - given).abs() <= self.tolerance * gold.abs()
    }

    fn same_labelled(&mut self, gold: (&Label, &Value), given: (&Label, &Value)) -> bool {
        let ((a, x), (b, y)) = (gold, given);
        if a.name == b.name {
            return self.same_values(x, y);
        }
        // `f(x) = 2x` and `f(n) = 2n` are the same function.
        match (&a.parameter, &b.parameter) {
            (Some(from), Some(to)) if a.name.split('(').next() == b.name.split('(').next() => {
                self.same_values(&renamed(x, from, to), y)
            }
            // The name of a variable means nothing to a region, nor a number to one of its values.
            (None, None) => {
                let same_name =
                    a.name.eq_ignore_ascii_case(&b.name) || is_numbered(a, b) || is_numbered(b, a);
                (same_name || is_region(x) && is_region(y)) && self.same_values(x, y)
            }
            _ => false,
        }
    }

    /// `y = 2x` against `2x - y = 0`, `x > 1` against `-x < -1`.
    fn same_as_relation(&self, label: &Label, value: &Value, other: &Value) -> bool {
        let Value::Relation(..) = other else {
            return false;
        };
        relation_of(label, value).is_some_and(|relation| same_relations(&relation, other))
    }

    fn same_collections(&mut self, gold: (Kind, &[Value]), given: (Kind, &[Value])) -> bool {
        use Kind::{Bracket, List, Set, Tuple, Union};
        let ((a, xs), (b, ys)) = (gold, given);
        if xs.len().max(ys.len()) > MOST_ITEMS {
            return false;
        }
        match (a, b) {
            (Tuple, Tuple) | (Bracket, Bracket) => self.same_in_order(xs, ys),
            (Tuple | Bracket, List | Set) | (List | Set, Tuple | Bracket) => {
                self.same_in_order(&plain(xs), &plain(ys))
            }
            (List | Set | Union, List | Set | Union) => {
                // A set does not count its elements, and a repeated point is one point.
                if a == Set || b == Set || xs.iter().all(|x| matches!(x, Value::Collection(..))) {
                    self.each_in(xs, ys) && self.each_in(ys, xs)
                } else {
                    xs.len() == ys.len() && self.same_in_any_order(xs, ys)
                }
            }
            _ => false,
        }
    }

    fn same_in_order(&mut self, xs: &[Value], ys: &[Value]) -> bool {
        xs.len() == ys.len() && std::iter::zip(xs, ys).all(|(x, y)| self.same_values(x, y))
    }

    fn same_in_any_order(&mut self, xs: &[Value], ys: &[Value]) -> bool {
        let mut left: Vec<&Value> = ys.iter().collect();
        xs.iter().all(|x| {
            let found = left.iter().position(|y| self.same_values(x, y));
            found.map(|index| left.swap_remove(index)).is_some()
        })
    }

    fn each_in(&mut self, xs: &[Value], ys: &[Value]) -> bool {
        xs.iter().all(|x| ys.iter().any(|y| self.same_values(x, y)))
    }

    fn same_ends(&mut self, gold: &End, given: &End) -> bool {
        gold.closed == given.closed && self.same_scalars(&gold.at, &given.at)
    }

    /// Answers with `±` as the list of what they stand for, with the signs chosen together or apart.
    fn same_with_signs(&mut self, gold: &Value, given: &Value) -> bool {
        let most = signs(gold).max(signs(given));
        if most == 0 || most > MOST_SIGNS {
            return false;
        }
        [Signs::Together, Signs::Apart].into_iter().any(|how| {
            let (gold, given) = (expanded(gold, how), expanded(given, how));
            self.same_values(&gold, &given)
        })
    }
}

/// An interval's ends; `(a, b)` and `[a, b]` are intervals too where they are compared with one.
fn ends(value: &Value) -> Option<(End, End)> {
    let (kind, items) = match value {
        Value::Interval(low, high) => return Some((low.clone(), high.clone())),
        Value::Collection(kind @ (Kind::Tuple | Kind::Bracket), items) => (*kind, items),
        _ => return None,
    };
    let [Value::Scalar(low), Value::Scalar(high)] = &items[..] else {
        return None;
    };
    let end = |at: &Scalar| End {
        at: at.clone(),
        closed: kind == Kind::Bracket,
    };
    Some((end(low), end(high)))
}

/// `a` or `p` for a time of day before or after noon.
fn half_of_day(scalar: &Scalar) -> Option<char> {
    let letters: String = scalar
        .unit
        .as_deref()?
        .chars()
        .filter(char::is_ascii_alphabetic)
        .collect();
    matches!(letters.to_ascii_lowercase().as_str(), "am" | "pm")
        .then(|| letters.to_ascii_lowercase().chars().next())?
}

fn percent(expr: &Expr) -> Expr {
    Expr::quotient(expr.clone(), Expr::integer(100))
}

fn radians(degrees: &Expr) -> Expr {
    Expr::Product(vec![
        degrees.clone(),
        Expr::quotient(Expr::Pi, Expr::integer(180)),
    ])
}

/// The scalar, given in units of `from`, in units of `to`.
fn converted(scalar: &Scalar, to: Unit, from: Unit) -> Scalar {
    let factor = Expr::Number(from.in_terms_of(to));
    Scalar {
        expr: Expr::Product(vec![factor, scalar.expr.clone()]),
        ..scalar.clone()
    }
}

/// Equal when one symbol is called differently: by its case alone, or as the whole number that counts the
/// periods of a trigonometric solution.
fn equal_up_to_names(a: &Expr, b: &Expr) -> bool {
    let only_in = |x: &[&str], y: &[&str]| -> Vec<String> {
        x.iter()
            .filter(|name| !y.contains(name))
            .map(|name| (*name).to_owned())
            .collect()
    };
    let (in_a, in_b) = (a.symbols(), b.symbols());
    match (&only_in(&in_a, &in_b)[..], &only_in(&in_b, &in_a)[..]) {
        ([x], [y]) if x.eq_ignore_ascii_case(y) || is_period(a, x) && is_period(b, y) => {
            equal(&a.renamed(x, y), b)
        }
        _ => false,
    }
}

/// Whether the symbol is a customary name of whole numbers in an expression with pi.
fn is_period(expr: &Expr, symbol: &str) -> bool {
    matches!(symbol, "k" | "l" | "m" | "n") && expr.any(&|e| *e == Expr::Pi)
}

/// The parts without their labels, for comparison with parts that have none.
fn plain(values: &[Value]) -> Vec<Value> {
    values
        .iter()
        .cloned()
        .map(super::read::unlabelled)
        .collect()
}

/// Whether one is the other with a number, as `x_1` is `x`.
fn is_numbered(label: &Label, plain: &Label) -> bool {
    let index = label
        .name
        .strip_prefix(&plain.name)
        .and_then(|rest| rest.strip_prefix('_'));
    index.is_some_and(|index| index.bytes().all(|b| b.is_ascii_digit()))
}

/// Sets of numbers, for which the name of the variable means nothing.
fn is_region(value: &Value) -> bool {
    matches!(
        value,
        Value::Interval(..)
            | Value::Collection(Kind::Set | Kind::Union | Kind::Tuple | Kind::Bracket, _)
    )
}

fn renamed(value: &Value, from: &str, to: &str) -> Value {
    map_scalars(value, &|expr| expr.renamed(from, to))
}

fn map_scalars(value: &Value, f: &impl Fn(&Expr) -> Expr) -> Value {
    let scalar = |s: &Scalar| Scalar {
        expr: f(&s.expr),
        ..s.clone()
    };
    let end = |e: &End| End {
        at: scalar(&e.at),
        closed: e.closed,
    };
    let all = |values: &[Value]| values.iter().map(|v| map_scalars(v, f)).collect();
    match value {
        Value::Scalar(s) => Value::Scalar(scalar(s)),
        Value::Collection(kind, items) => Value::Collection(*kind, all(items)),
        Value::Interval(low, high) => Value::Interval(end(low), end(high)),
        Value::Labelled(label, inner) => {
            Value::Labelled(label.clone(), Box::new(map_scalars(inner, f)))
        }
        Value::Matrix(rows) => Value::Matrix(rows.iter().map(|row| all(row)).collect()),
        other => other.clone(),
    }
}

/// The labelled value as an equation or inequality of its label.
fn relation_of(label: &Label, value: &Value) -> Option<Value> {
    let name = Expr::Symbol(label.name.clone());
    let infinite = |end: &End| super::evaluate::sign_of_infinity(&end.at.expr).is_some();
    let strict_or = |end: &End, strict, closed| if end.closed { closed } else { strict };
    let (relation, bound) = match value {
        Value::Scalar(scalar) => (Relation::Equal, scalar),
        Value::Interval(low, high) if infinite(high) => (
            strict_or(low, Relation::Greater, Relation::GreaterOrEqual),
            &low.at,
        ),
        Value::Interval(low, high) if infinite(low) => (
            strict_or(high, Relation::Less, Relation::LessOrEqual),
            &high.at,
        ),
        _ => return None,
    };
    Some(Value::Relation(
        vec![name, bound.expr.clone()],
        vec![relation],
    ))
}

/// Whether two relations hold for the same values of their symbols, as far as scaling can show.
fn same_relations(a: &Value, b: &Value) -> bool {
    let (Value::Relation(xs, r), Value::Relation(ys, s)) = (a, b) else {
        return false;
    };
    if let ([left, right], [other_left, other_right], [r], [s]) = (&xs[..], &ys[..], &r[..], &s[..])
    {
        let (x, y) = (
            left.clone().minus(right.clone()),
            other_left.clone().minus(other_right.clone()),
        );
        return constant_ratio(&x, &y).is_some_and(|ratio| {
            let turned = if ratio > 0.0 { *s } else { s.reversed() };
            *r == turned
        });
    }
    let same = |ys: &[&Expr], s: &[Relation]| {
        xs.len() == ys.len() && r == s && std::iter::zip(xs, ys).all(|(x, y)| equal(x, y))
    };
    let backwards: Vec<Relation> = s.iter().rev().map(|r| r.reversed()).collect();
    same(&ys.iter().collect::<Vec<_>>(), s)
        || same(&ys.iter().rev().collect::<Vec<_>>(), &backwards)
}

/// How several `±` in one expression belong together.
#[derive(Clone, Copy)]
enum Signs {
    /// All upper or all lower signs.
    Together,
    /// Every combination.
    Apart,
}

/// The most `±` in any one part.
fn signs(value: &Value) -> usize {
    match value {
        Value::Scalar(scalar) => scalar.expr.plus_minus_count(),
        Value::Labelled(_, inner) => signs(inner),
        Value::Collection(Kind::Tuple, items) => items.iter().map(signs).sum(),
        Value::Collection(_, items) => items.iter().map(signs).max().unwrap_or(0),
        _ => 0,
    }
}

/// The value with everything that has a `±` replaced by the list of what it stands for.
fn expanded(value: &Value, how: Signs) -> Value {
    let count = signs(value);
    match value {
        Value::Labelled(_, inner) => expanded(inner, how),
        Value::Scalar(_) | Value::Collection(Kind::Tuple, _) if count > 0 => {
            let choices: Vec<u32> = match how {
                Signs::Together => vec![0, u32::MAX],
                Signs::Apart => (0..1 << count).collect(),
            };
            let chosen = |choice| with_signs(value, choice, &mut 0);
            Value::Collection(Kind::Set, choices.into_iter().map(chosen).collect())
        }
        Value::Collection(kind @ (Kind::List | Kind::Set), items) => {
            let mut all = Vec::new();
            for item in items {
                match expanded(item, how) {
                    Value::Collection(Kind::Set, inner) if signs(item) > 0 => all.extend(inner),
                    item => all.push(item),
                }
            }
            Value::Collection(*kind, all)
        }
        other => other.clone(),
    }
}

/// The value with signs chosen; `used` counts the signs chosen in earlier parts.
fn with_signs(value: &Value, choice: u32, used: &mut usize) -> Value {
    match value {
        Value::Scalar(scalar) => {
            let chosen = choice.checked_shr(*used as u32).unwrap_or(0);
            // Signs chosen together stay so however many came before.
            let chosen = if choice == u32::MAX { u32::MAX } else { chosen };
            *used += scalar.expr.plus_minus_count();
            Value::Scalar(Scalar {
                expr: scalar.expr.with_signs(chosen),
                ..scalar.clone()
            })
        }
        Value::Collection(kind, items) => {
            let items = items
                .iter()
                .map(|item| with_signs(item, choice, used))
                .collect();
            Value::Collection(*kind, items)
        }
        other => other.clone(),
    }
}
