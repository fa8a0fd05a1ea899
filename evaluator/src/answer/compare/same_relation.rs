//! Do two equations or inequalities say the same?

use crate::answer::{
    evaluate::{constant_ratio, equal, is_constant_everywhere, sign_of_infinity},
    value::expr::Expr,
    value::fuel::Fuel,
    value::relation::Relation,
    value::{End, Label, Value},
};

/// The labelled value as an equation or inequality of its label.
pub(crate) fn relation_of(label: &Label, value: &Value) -> Option<Value> {
    let name = Expr::Symbol(label.name.clone());
    let infinite = |end: &End| sign_of_infinity(&end.at.expr).is_some();
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
pub(crate) fn same_relations(a: &Value, b: &Value, fuel: &Fuel) -> bool {
    let (Value::Relation(xs, r), Value::Relation(ys, s)) = (a, b) else {
        return false;
    };
    if let ([left, right], [other_left, other_right], [r], [s]) = (&xs[..], &ys[..], &r[..], &s[..])
    {
        // Of what holds nowhere or everywhere the difference says nothing: it is what is written.
        if is_settled(left, right, fuel) || is_settled(other_left, other_right, fuel) {
            let same = |a, b| equal(left, a, fuel) && equal(right, b, fuel);
            return r == s && same(other_left, other_right)
                || *r == s.reversed() && same(other_right, other_left);
        }
        let (x, y) = (
            left.clone().minus(right.clone()),
            other_left.clone().minus(other_right.clone()),
        );
        return constant_ratio(&x, &y, fuel).is_some_and(|ratio| {
            let turned = if ratio > 0.0 { *s } else { s.reversed() };
            *r == turned
        });
    }
    let same = |ys: &[&Expr], s: &[Relation]| {
        xs.len() == ys.len() && r == s && std::iter::zip(xs, ys).all(|(x, y)| equal(x, y, fuel))
    };
    let backwards: Vec<Relation> = s.iter().rev().map(|r| r.reversed()).collect();
    same(&ys.iter().collect::<Vec<_>>(), s)
        || same(&ys.iter().rev().collect::<Vec<_>>(), &backwards)
}

/// The names of what depends on other things.
const DEPENDENT: [&str; 4] = ["y", "z", "r", "rho"];

/// Whether the expression is what the equation says of the one dependent variable that it does not contain:
/// `y - 3 = x^2` is solved by `x^2 + 3`, and `y^2 = x` by no root of it.
pub(crate) fn is_solved_by(equation: &Value, solution: &Expr, fuel: &Fuel) -> bool {
    let Value::Relation(sides, relations) = equation else {
        return false;
    };
    let ([left, right], [Relation::Equal]) = (&sides[..], &relations[..]) else {
        return false;
    };
    let known = solution.symbols();
    let mut unknown = left.symbols();
    unknown.extend(right.symbols());
    unknown.retain(|name| !known.contains(name));
    unknown.dedup();
    let [name] = unknown[..] else { return false };
    if known.is_empty() || !DEPENDENT.contains(&name) {
        return false;
    }
    let at = |steps: i64| {
        let value = Expr::Sum(vec![solution.clone(), Expr::integer(steps)]);
        (
            left.with_value(name, &value),
            right.with_value(name, &value),
        )
    };
    // The sides meet there and part in proportion to the way from there, as those of a straight line do.
    let [(left, right), (left_1, right_1), (left_2, right_2)] = [at(0), at(1), at(2)];
    let parted = left_1.clone().minus(right_1.clone());
    equal(&left, &right, fuel)
        && !equal(&left_1, &right_1, fuel)
        && equal(
            &Expr::Sum(vec![parted.clone(), parted]),
            &left_2.minus(right_2),
            fuel,
        )
}

/// Whether the two sides differ by the same number everywhere, as those of an identity do, or of a statement about
/// numbers.
fn is_settled(left: &Expr, right: &Expr, fuel: &Fuel) -> bool {
    let difference = left.clone().minus(right.clone());
    difference.is_constant() || is_constant_everywhere(&difference, fuel)
}
