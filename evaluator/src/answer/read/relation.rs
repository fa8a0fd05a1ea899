//! Reads equations and inequalities as what they say about their variable, where they say it plainly.

use crate::answer::{
    evaluate::{constant, equal, sign_of_infinity},
    parse::brackets::split,
    parse::token::Token,
    parse::{expression, spelled},
    read::named::plain_name,
    read::region::Region,
    read::scalar::scalar,
    read::structure::read,
    value::counted,
    value::expr::Expr,
    value::fuel::Fuel,
    value::relation::Relation,
    value::{End, Kind, Label, Scalar, Value},
};

/// Reads an equation, an inequality or a membership.
pub(crate) fn relation(tokens: &[Token], depth: usize) -> Option<Value> {
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
    if relations == [Relation::NotElement] {
        let outside = Region::of(&read(sides[1], depth)?)?.complement();
        return Some(Value::Labelled(
            label(sides[0])?,
            Box::new(outside.value()?),
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
        return Some(Value::Labelled(label, Box::new(without(vec![hole]))));
    }
    inequality(&sides, &relations).or_else(|| general(&sides, &relations))
}

/// All numbers but some, which are given in ascending order.
pub(crate) fn without(holes: Vec<Scalar>) -> Value {
    let [mut low, above] = line();
    let mut parts = Vec::new();
    for at in holes {
        let end = End { at, closed: false };
        parts.push(Value::Interval(low, end.clone()));
        low = end;
    }
    parts.push(Value::Interval(low, above));
    Value::Collection(Kind::Union, parts)
}

/// The ends of the whole line of numbers.
pub(crate) fn line() -> [End; 2] {
    let below = Expr::Negative(Box::new(Expr::Infinity));
    [below, Expr::Infinity].map(|at| End {
        at: Scalar::of(at),
        closed: false,
    })
}

/// `label = value`, where steps of the working may stand between and an approximation behind. A chain of which a step
/// is wrong has no value.
fn equation(sides: &[&[Token]], relations: &[Relation], depth: usize) -> Option<Value> {
    let approximation = relations.iter().position(|r| *r == Relation::Approximately);
    let last_exact = approximation.unwrap_or(sides.len() - 1);
    if !is_consistent(sides, relations) {
        return None;
    }
    if let Some(label) = label(sides[0]) {
        let value_at = if last_exact == 0 {
            sides.len() - 1
        } else {
            last_exact
        };
        let value = read(sides[value_at], depth)?;
        return Some(Value::Labelled(label, Box::new(value)));
    }
    // `value ≈ decimals` without a label.
    if approximation.is_some() {
        return read(sides[last_exact], depth);
    }
    // `value = x`, or a chain of equations with `x` somewhere in it.
    match sides.iter().rposition(|side| label(side).is_some()) {
        Some(at) if sides.len() == 2 || at + 1 < sides.len() => {
            let value_at = if sides.len() == 2 { 0 } else { sides.len() - 1 };
            let value = read(sides[value_at], depth)?;
            Some(Value::Labelled(label(sides[at])?, Box::new(value)))
        }
        _ => working(sides, depth).or_else(|| general(sides, relations)),
    }
}

/// Whether the constants in a chain of equations are the same number, decimals as far as they go, and expressions in the
/// same symbols equal. A chain that contradicts itself has no value: any of them could be meant.
fn is_consistent(sides: &[&[Token]], relations: &[Relation]) -> bool {
    if relations.len() == 1 && (relations == [Relation::Equal] || label(sides[0]).is_some()) {
        return true;
    }
    let fuel = Fuel::full();
    let mut steps: Vec<(Scalar, Relation)> = Vec::new();
    for (index, side) in sides.iter().enumerate() {
        let Some(here) = scalar(side).filter(|_| label(side).is_none()) else {
            continue;
        };
        let before = index
            .checked_sub(1)
            .map_or(Relation::Equal, |at| relations[at]);
        let is_step_from =
            |first: &&(Scalar, Relation)| first.0.expr.symbols() == here.expr.symbols();
        if let Some((first, _)) = steps.iter().find(is_step_from) {
            let is_constant = first.expr.is_constant();
            let may_round =
                is_constant && (before == Relation::Approximately || here.places.is_some());
            let is_same = equal(&first.expr, &here.expr, &fuel)
                || may_round && rounds_to(first, &here, &fuel)
                || first.unit != here.unit
                || before == Relation::Approximately && !is_constant;
            if !is_same {
                return false;
            }
        } else {
            steps.push((here, before));
        }
    }
    true
}

/// Whether `exact` is `rounded` to the decimal places that were written, or to within one per cent where that is no
/// plain decimal.
fn rounds_to(exact: &Scalar, rounded: &Scalar, fuel: &Fuel) -> bool {
    let (Some(a), Some(b)) = (constant(&exact.expr, fuel), constant(&rounded.expr, fuel)) else {
        return false;
    };
    let within = match rounded.expr {
        Expr::Number(_) => {
            let places = i32::try_from(rounded.places.unwrap_or(0)).unwrap_or(i32::MAX);
            0.500_001 * 0.1_f64.powi(places)
        }
        _ => 0.01 * a.abs(),
    };
    (a - b).abs() <= within
}

/// `3 \times 4 = 12`: a working in numbers stands for its result, if every step of it is true.
fn working(sides: &[&[Token]], depth: usize) -> Option<Value> {
    let steps: Vec<Expr> = sides
        .iter()
        .map(|side| expression(side).filter(Expr::is_constant))
        .collect::<Option<_>>()?;
    let fuel = Fuel::full();
    let is_true = steps
        .windows(2)
        .all(|pair| equal(&pair[0], &pair[1], &fuel));
    is_true.then(|| read(sides[sides.len() - 1], depth))?
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
            let label = Label::plain(inner);
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
    // `f^{-1}(x)` is the name of a function and no power.
    if let [
        f @ Token::Letter(_),
        Token::Mark('^'),
        Token::Mark('{'),
        Token::Mark('-'),
        Token::Number(one),
        Token::Mark('}'),
        rest @ ..,
    ] = tokens
        && one == "1"
        && rest.first() == Some(&Token::Mark('('))
    {
        let plain = [std::slice::from_ref(f), rest].concat();
        return label(&plain).map(|label| Label {
            name: format!("inverse {}", label.name),
            ..label
        });
    }
    let mut in_subscript = 0;
    for (index, token) in tokens.iter().enumerate() {
        let after_underscore = index > 0 && tokens[index - 1] == Token::Mark('_');
        match token {
            Token::Mark('{') if after_underscore || in_subscript > 0 => in_subscript += 1,
            Token::Mark('}') if in_subscript > 0 => in_subscript -= 1,
            _ if in_subscript > 0 || after_underscore => {}
            Token::Letter(_) | Token::Name(_) => {}
            // `not x = 5` names nothing.
            Token::Text(words) if counted::is_name(words) => {}
            Token::Mark('(' | ')' | '{' | '}' | '_' | ',' | '|' | ':' | '\'') => {}
            Token::Number(_) if index >= 2 && tokens[index - 1] == Token::Mark('(') => {}
            Token::Command(name) if is_name(name) => {}
            _ => return None,
        }
    }
    let has_symbol = tokens.iter().any(|t| {
        matches!(
            t,
            Token::Letter(_) | Token::Name(_) | Token::Command(_) | Token::Text(_)
        )
    });
    has_symbol.then(|| Label {
        name: match tokens {
            [Token::Text(words)] => plain_name(words),
            _ => spelled(tokens),
        },
        parameters: parameters(tokens),
    })
}

/// The variables of `f(x, y)` and the index of `a_n`, which may be called otherwise.
fn parameters(tokens: &[Token]) -> Vec<String> {
    let is_index = |letter: char| matches!(letter, 'i' | 'j' | 'k' | 'm' | 'n');
    match tokens {
        [
            Token::Letter(_),
            Token::Mark('('),
            inside @ ..,
            Token::Mark(')'),
        ] => {
            let variables = inside.split(|token| *token == Token::Mark(','));
            let name = |variable: &[Token]| match variable {
                [Token::Letter(letter)] => Some(letter.to_string()),
                [Token::Command(name)] => Some(name.clone()),
                _ => None,
            };
            variables
                .map(name)
                .collect::<Option<_>>()
                .unwrap_or_default()
        }
        [Token::Letter(_), Token::Mark('_'), index @ ..] => match index {
            [Token::Letter(n)] | [Token::Mark('{'), Token::Letter(n), Token::Mark('}')]
                if is_index(*n) =>
            {
                vec![n.to_string()]
            }
            _ => Vec::new(),
        },
        _ => Vec::new(),
    }
}

/// Commands that are symbols or part of their spelling.
fn is_name(name: &str) -> bool {
    const NAMES: [&str; 30] = [
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
        "vec",
        "frac",
    ];
    NAMES.contains(&name)
}
