//! Are two answers that have been understood the same answer?
//!
//! The gold answer is trusted and the given one is not: where a liberty is taken (a tolerance, a missing
//! label or unit) it is one that the gold answer allows. Alternatives that contradict each other never
//! match a single value, because a list only equals a list.

mod classes;
pub(crate) mod names;
pub(crate) mod rules;
pub(crate) mod same_relation;
pub(crate) mod signs;
pub(crate) mod text;
pub(crate) mod tolerance;

use num_rational::BigRational;
use num_traits::One;

use crate::answer::{
    compare::names::{called, equal_up_to_names, is_region, is_same_name, stems},
    compare::same_relation::{is_solved_by, relation_of, same_relations},
    compare::signs::Signs,
    compare::tolerance::is_rounded,
    evaluate::equal,
    value::expr::Expr,
    value::fuel::Fuel,
    value::relation::Relation,
    value::unit,
    value::{End, Kind, Label, Scalar, Value},
};
use crate::explain::Trace;

/// Longer lists are not compared: matching them in any order takes quadratic time.
const MOST_ITEMS: usize = 100;

/// What comparing two parts costs beside evaluating them.
const FUEL_PER_PAIR: u64 = 20;

/// More signs than this stand for too many combinations.
const MOST_SIGNS: usize = 4;

/// Compares answers; remembers whether the tolerance was needed.
pub(crate) struct Comparison<'a> {
    /// The relative tolerance where the gold answer is not a whole number.
    pub tolerance: f64,
    /// Set when some part was equal only within the tolerance.
    pub approximated: bool,
    /// What is left to spend on comparing.
    fuel: Fuel,
    /// How deep in parts of parts the comparison is.
    depth: usize,
    /// The parts of a list are told apart by their names.
    named_apart: bool,
    trace: &'a mut Trace,
}

impl<'a> Comparison<'a> {
    pub fn within(tolerance: f64, trace: &'a mut Trace) -> Self {
        Self {
            tolerance,
            approximated: false,
            fuel: Fuel::full(),
            depth: 0,
            named_apart: false,
            trace,
        }
    }

    pub fn same(&mut self, gold: &Value, given: &Value) -> bool {
        self.same_values(gold, given) || self.same_with_signs(gold, given)
    }

    pub fn note_budget(&mut self) {
        let (spent, full) = self.fuel.spent();
        self.trace
            .note("budget", || format!("{spent} of {full} units of work"));
    }

    /// Pays for the comparison, and notes it after those of its parts.
    fn same_values(&mut self, gold: &Value, given: &Value) -> bool {
        if self.fuel.take(FUEL_PER_PAIR).is_none() {
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
        use Value::{Collection, Interval, Labelled, Matrix, Scalar, Under};
        match (gold, given) {
            // A condition may be left out, but not be another one.
            (Under(x, a), Under(y, b)) => {
                is_about(a, x) == is_about(b, y) && self.same_values(x, y) && self.same_values(a, b)
            }
            (Under(x, _), y) => self.same_values(x, y),
            (x, Under(y, _)) => self.same_values(x, y),
            (Scalar(a), Scalar(b)) => self.same_scalars(a, b),
            (Labelled(a, x), Labelled(b, y)) => self.same_labelled((a, x), (b, y)),
            (Labelled(label, x), y) => {
                let may_be_solved = !is_solution(x) || is_turned(label, y);
                self.same_values(x, y) || may_be_solved && self.same_as_relation(label, x, y)
            }
            (x, Labelled(label, y)) => self.same_values(x, y) || self.same_as_relation(label, y, x),
            (Value::Relation(..), Value::Relation(..)) => same_relations(gold, given, &self.fuel),
            (Value::Relation(sides, _), Scalar(b)) => {
                value_named(sides, gold).is_some_and(|a| self.same_scalars(&a, b))
                    || is_solved_by(gold, &b.expr, &self.fuel)
            }
            (Scalar(a), Value::Relation(sides, _)) => {
                value_named(sides, given).is_some_and(|b| self.same_scalars(a, &b))
            }
            (Collection(a, xs), Collection(b, ys)) => {
                let are_named = have_names(xs) || have_names(ys);
                let outside = std::mem::replace(&mut self.named_apart, are_named);
                let same = self.same_collections((*a, xs), (*b, ys));
                self.named_apart = outside;
                same
            }
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
        let units = if gold.percent && given.percent {
            // What the per cent are of.
            (gold.unit.as_deref(), given.unit.as_deref())
        } else {
            (gold.unit(), given.unit())
        };
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
            (true, false) if given.is_in_radians() => {
                readings = vec![(radians(&gold.expr), given.expr.clone())];
            }
            (false, true) if gold.is_in_radians() => {
                readings = vec![(gold.expr.clone(), radians(&given.expr))];
            }
            (true, false) => readings.push((radians(&gold.expr), given.expr.clone())),
            (false, true) => readings.push((gold.expr.clone(), radians(&given.expr))),
            _ => {}
        }
        if readings
            .iter()
            .any(|(a, b)| equal(a, b, &self.fuel) || equal_up_to_names(a, b, &self.fuel))
            || classes::same_class(&gold.expr, &given.expr, &self.fuel)
        {
            return true;
        }
        let close = is_rounded((gold, given), &readings, self.tolerance, &self.fuel);
        self.approximated |= close;
        close
    }

    fn same_labelled(&mut self, gold: (&Label, &Value), given: (&Label, &Value)) -> bool {
        let ((a, x), (b, y)) = (gold, given);
        // `f(x) = 2x` and `f(n) = 2n` are the same function.
        let (from, to) = (&a.parameters, &b.parameters);
        if !from.is_empty() {
            return from.len() == to.len()
                && a.stem() == b.stem()
                && self.same_values(&called(x, from), &called(y, to));
        }
        if a.name == b.name {
            return self.same_values(x, y);
        }
        // The name of a variable means nothing to a region that is the whole answer, nor a number to one of its values.
        let same_name = is_same_name(a, b);
        let is_free = !self.named_apart && is_region((a, b), x) && is_region((a, b), y);
        to.is_empty() && (same_name || is_free) && self.same_values(x, y)
    }

    /// `y = 2x` against `2x - y = 0`, `x > 1` against `-x < -1`.
    fn same_as_relation(&self, label: &Label, value: &Value, other: &Value) -> bool {
        let Value::Relation(..) = other else {
            return false;
        };
        relation_of(label, value)
            .is_some_and(|relation| same_relations(&relation, other, &self.fuel))
    }

    fn same_collections(&mut self, gold: (Kind, &[Value]), given: (Kind, &[Value])) -> bool {
        use Kind::{Bracket, List, Set, Tuple, Union};
        let ((a, xs), (b, ys)) = (gold, given);
        if xs.len().max(ys.len()) > MOST_ITEMS {
            return false;
        }
        match (a, b) {
            // Values with names may stand in any order.
            (Tuple, Tuple) if xs.iter().chain(ys).all(is_labelled) => {
                xs.len() == ys.len() && self.same_in_any_order(xs, ys)
            }
            (Tuple, Tuple) | (Bracket, Bracket) => self.same_in_order(xs, ys),
            // Braces forget the order that parentheses keep, and square brackets are an interval's.
            (Tuple, List) | (List, Tuple) => self.same_in_order(&plain(xs), &plain(ys)),
            // Which value belongs to which name only the order can tell.
            (List, List | Set) if are_named_apart(xs) && !ys.iter().any(is_labelled) => {
                self.same_in_order(&plain(xs), ys)
            }
            (List, List) if are_counted_apart(xs, ys) || are_counted_apart(ys, xs) => {
                self.same_in_order(xs, ys)
            }
            (List | Set, List) if are_named_apart(ys) && !xs.iter().any(is_labelled) => {
                self.same_in_order(xs, &plain(ys))
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
        // The names on the left count as they do without a sign.
        let (mine, theirs) = (stems(gold), stems(given));
        if !mine.is_empty() && !theirs.is_empty() && mine != theirs {
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

/// Whether a condition is one on a variable of the value.
fn is_about(condition: &Value, value: &Value) -> bool {
    matches!(condition, Value::Labelled(label, _) if value.mentions(&label.name))
}

/// Whether the value says what something is and not only how it depends on other things. An equation that such a
/// value solves may be the question, and is no answer to it.
fn is_solution(value: &Value) -> bool {
    let is_constant = |scalar: &Scalar| scalar.expr.is_constant();
    match value {
        Value::Scalar(scalar) => is_constant(scalar),
        Value::Interval(low, high) => is_constant(&low.at) && is_constant(&high.at),
        _ => true,
    }
}

/// `-x > -1`: nothing but the sign is left to solve.
fn is_turned(label: &Label, relation: &Value) -> bool {
    let is_negative = |side: &Expr| matches!(side, Expr::Negative(x) if matches!(&**x, Expr::Symbol(name) if *name == label.name));
    match relation {
        Value::Relation(sides, _) => match &sides[..] {
            [x, bound] | [bound, x] if is_negative(x) => bound.is_constant(),
            _ => false,
        },
        _ => false,
    }
}

/// The value in `\sin\theta = \frac35` or `f(2) + f(3) = 12`: what is named on the left leaves nothing to solve.
fn value_named(sides: &[Expr], relation: &Value) -> Option<Scalar> {
    let (Value::Relation(_, relations), [left, right]) = (relation, sides) else {
        return None;
    };
    let is_angle = |name: &String| {
        name.len() == 1 && name.starts_with(|c: char| c.is_ascii_uppercase())
            || matches!(name.as_str(), "alpha" | "beta" | "gamma" | "theta")
    };
    let is_of_angle = match left {
        Expr::Function(_, inner) => matches!(&**inner, Expr::Symbol(name) if is_angle(name)),
        _ => false,
    };
    let is_application = |expr: &Expr| matches!(expr, Expr::Apply(..));
    let is_named = is_of_angle || left.symbols().is_empty() && left.any(&|e| is_application(e));
    let is_value = relations[..] == [Relation::Equal] && is_named && right.is_constant();
    is_value.then(|| Scalar::of(right.clone()))
}

fn is_labelled(value: &Value) -> bool {
    matches!(value, Value::Labelled(..))
}

/// Whether the parts belong to different names, such as x and y, and not all to one, such as the solutions x_1 and x_2.
fn are_named_apart(values: &[Value]) -> bool {
    let mut stems = values.iter().map(|value| match value {
        Value::Labelled(label, _) => Some(label.stem()),
        _ => None,
    });
    let Some(Some(first)) = stems.next() else {
        return false;
    };
    let others: Option<Vec<&str>> = stems.collect();
    others.is_some_and(|others| others.iter().any(|stem| *stem != first))
}

/// Whether the parts of the one count or measure different things, `5 red pens, 3 blue pens`, and those of the other are
/// bare numbers, which only their order assigns.
fn are_counted_apart(counted: &[Value], bare: &[Value]) -> bool {
    let unit = |value: &Value| match value {
        Value::Scalar(scalar) => scalar.unit.clone(),
        _ => None,
    };
    let units: Option<Vec<String>> = counted.iter().map(unit).collect();
    let differ = units.is_some_and(|units| units.windows(2).any(|pair| pair[0] != pair[1]));
    differ
        && bare
            .iter()
            .all(|value| matches!(value, Value::Scalar(scalar) if scalar.unit().is_none()))
}

/// Whether two of the parts have names, and not the same.
fn have_names(values: &[Value]) -> bool {
    let mut stems = values.iter().filter_map(|value| match value {
        Value::Labelled(label, _) => Some(label.stem()),
        _ => None,
    });
    let first = stems.next();
    stems.any(|stem| Some(stem) != first)
}

/// The parts without their labels, for comparison with parts that have none.
fn plain(values: &[Value]) -> Vec<Value> {
    values
        .iter()
        .cloned()
        .map(crate::answer::read::structure::unlabelled)
        .collect()
}
