//! Do two equations or inequalities say the same?

use crate::answer::{
    evaluate::{constant_ratio, equal, sign_of_infinity},
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
