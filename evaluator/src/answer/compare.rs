//! Are two answers that have been understood the same answer?
//!
//! The gold answer is trusted and the given one is not: where a liberty is taken (a tolerance, a missing
//! label or unit) it is one that the gold answer allows. Alternatives that contradict each other never
//! match a single value, because a list only equals a list.

use num_rational::BigRational;
use num_traits::One;

use super::{
    evaluate::equal,
    expr::Expr,
    read::WHOLE,
    same_relation::{relation_of, same_relations},
    signs::{self, Signs},
    tolerance::is_rounded,
    unit,
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
        let units = (gold.unit.as_deref(), given.unit.as_deref());
        unit::factor(units.0, units.1)
            .is_some_and(|factor| self.same_numbers(gold, &converted(given, factor)))
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
        let close = is_rounded((gold, given), &readings, self.tolerance);
        self.approximated |= close;
        close
    }

    fn same_labelled(&mut self, gold: (&Label, &Value), given: (&Label, &Value)) -> bool {
        let ((a, x), (b, y)) = (gold, given);
        if a.name == b.name {
            return self.same_values(x, y);
        }
        // `f(x) = 2x` and `f(n) = 2n` are the same function.
        let (from, to) = (&a.parameters, &b.parameters);
        if !from.is_empty() {
            return from.len() == to.len()
                && a.stem() == b.stem()
                && self.same_values(&called(x, from), &called(y, to));
        }
        // The name of a variable means nothing to a region, nor a number to one of its values.
        let same_name =
            a.name.eq_ignore_ascii_case(&b.name) || is_numbered(a, b) || is_numbered(b, a);
        to.is_empty() && (same_name || is_region(x) && is_region(y)) && self.same_values(x, y)
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
        let most = signs::count(gold).max(signs::count(given));
        if most == 0 || most > MOST_SIGNS {
            return false;
        }
        [Signs::Together, Signs::Apart].into_iter().any(|how| {
            let (gold, given) = (signs::expanded(gold, how), signs::expanded(given, how));
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

fn percent(expr: &Expr) -> Expr {
    Expr::quotient(expr.clone(), Expr::integer(100))
}

fn radians(degrees: &Expr) -> Expr {
    Expr::Product(vec![
        degrees.clone(),
        Expr::quotient(Expr::Pi, Expr::integer(180)),
    ])
}

/// The scalar in a unit of which there are `factor` times as many.
fn converted(scalar: &Scalar, factor: BigRational) -> Scalar {
    if factor.is_one() {
        return scalar.clone();
    }
    Scalar {
        expr: Expr::Product(vec![Expr::Number(factor), scalar.expr.clone()]),
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
        ([x], [y]) if x.eq_ignore_ascii_case(y) || are_whole((a, x), (b, y)) => {
            equal(&a.renamed(x, y), b)
        }
        _ => false,
    }
}

/// Whether both symbols stand for every whole number: they have customary names of one, and either one side says
/// so or they count the periods of a solution.
fn are_whole((a, x): (&Expr, &str), (b, y): (&Expr, &str)) -> bool {
    let is_customary = |name| matches!(name, WHOLE | "k" | "l" | "m" | "n");
    let has_pi = |expr: &Expr| expr.any(&|e| *e == Expr::Pi);
    let is_said = x == WHOLE || y == WHOLE;
    is_customary(x) && is_customary(y) && (is_said || has_pi(a) && has_pi(b))
}

/// The parts without their labels, for comparison with parts that have none.
fn plain(values: &[Value]) -> Vec<Value> {
    values
        .iter()
        .cloned()
        .map(super::read::unlabelled)
        .collect()
}

/// The value with its variables called by their places.
fn called(value: &Value, variables: &[String]) -> Value {
    let mut places = 0..;
    variables.iter().fold(value.clone(), |value, name| {
        let place = places.next().unwrap_or(0);
        value.renamed(name, &format!("variable {place}"))
    })
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
