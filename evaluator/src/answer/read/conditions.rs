//! Conditions that stand beside an answer: `for x > 2`, `k \in \mathbb{Z}`.

use crate::answer::{
    parse::{brackets::encloses, token::Token},
    read::structure::{has_number, have_number, read},
    value::{Scalar, Value, expr::Expr, relation::Relation},
};

/// The name of a parameter that stands for every whole number.
pub(crate) const WHOLE: &str = "any whole number";

/// Words that begin a remark on the answer before them.
const REMARKS: [&str; 8] = ["for", "where", "with", "when", "if", "such", "as", "in"];

/// Words that offer something else.
const ALTERNATIVES: [&str; 5] = ["otherwise", "else", "or", "not", "unless"];

/// The items without those that only say where a parameter comes from, such as `k \in \mathbb{Z}`; the parameter
/// is called [`WHOLE`] in the others, because its name means nothing. In `x > 0, x \in \mathbb{Z}` nothing is left
/// out.
pub(super) fn without_domains(items: Vec<Value>) -> Vec<Value> {
    let is_of_parameter = |item: &Value| {
        is_domain(item) && !bounds_another(item, &items) && is_spoken_of(item, &items)
    };
    let is_left_out: Vec<bool> = items.iter().map(is_of_parameter).collect();
    let mut is_left_out = is_left_out.into_iter();
    let (domains, items): (Vec<_>, Vec<_>) = items
        .into_iter()
        .partition(|_| is_left_out.next().unwrap_or(false));
    let is_counted = |set: &&str| set.starts_with("mathbbZ") || set.starts_with("mathbbN");
    let mut named = domains.iter().filter_map(|domain| match domain {
        Value::Labelled(label, _) => Some((&label.name, domain_of(domain).filter(is_counted)?)),
        _ => None,
    });
    match (named.next(), named.next()) {
        (Some((name, "mathbbZ")), None) => {
            items.iter().map(|item| item.renamed(name, WHOLE)).collect()
        }
        (Some((name, set)), None) => {
            let number = format!("{WHOLE} in {set}");
            let renamed = items.iter().map(|item| item.renamed(name, &number));
            renamed.collect()
        }
        _ => items,
    }
}

/// Whether a domain of whole numbers is that of a symbol in another item.
fn is_spoken_of(domain: &Value, items: &[Value]) -> bool {
    let Value::Labelled(variable, _) = domain else {
        return false;
    };
    let mut others = items.iter().filter(|item| !std::ptr::eq(*item, domain));
    domain_of(domain).is_some_and(|set| set.starts_with("mathbbR"))
        || others.any(|item| item.mentions(&variable.name))
}

/// Whether the domain, which is not that of all real numbers, is that of a variable of which another item speaks.
fn bounds_another(domain: &Value, items: &[Value]) -> bool {
    let Value::Labelled(variable, set) = domain else {
        return false;
    };
    let is_about = |item: &Value| matches!(item, Value::Labelled(label, inner) if label == variable && inner != set);
    domain_of(domain).is_some_and(|name| !name.starts_with("mathbbR")) && items.iter().any(is_about)
}

/// `k \in \mathbb{Z}`.
fn is_domain(item: &Value) -> bool {
    domain_of(item).is_some_and(|set| set.starts_with("mathbb"))
}

/// The name of the set that a labelled value comes from.
fn domain_of(item: &Value) -> Option<&str> {
    let Value::Labelled(_, set) = item else {
        return None;
    };
    match &**set {
        Value::Scalar(Scalar {
            expr: Expr::Symbol(name),
            ..
        }) => Some(name),
        _ => None,
    }
}

/// Cuts `for all x > 0` or `(k \in \mathbb{Z})` off what stands before it, and gives what is said there, if it may be a
/// bound.
pub(super) fn conditioned(tokens: &[Token]) -> Option<(&[Token], Option<&[Token]>)> {
    if let Some(at) = remark(tokens)
        && is_condition(&tokens[at..])
    {
        let has_bound = tokens[at..]
            .iter()
            .any(|token| matches!(token, Token::Relation(_)));
        return Some((&tokens[..at], has_bound.then_some(&tokens[at + 1..])));
    }
    let at = tokens
        .iter()
        .rposition(|token| *token == Token::Mark('('))?;
    let is_domain = at > 0
        && encloses(&tokens[at..])
        && tokens[at..].contains(&Token::Relation(Relation::Element));
    is_domain.then(|| (&tokens[..at], Some(&tokens[at + 1..tokens.len() - 1])))
}

/// The condition that tokens state; none where it only says that a number is real or whole, as any may be.
pub(super) fn bound(tokens: &[Token], depth: usize) -> Option<Value> {
    let condition = read(tokens, depth)?;
    let is_usual = domain_of(&condition).is_some_and(|set| matches!(set, "mathbbZ" | "mathbbR"));
    (!is_usual).then_some(condition)
}

/// Where a remark begins, with something before and behind it.
fn remark(tokens: &[Token]) -> Option<usize> {
    let is_remark = |token: &Token| match token {
        Token::Text(words) => words
            .split(' ')
            .next()
            .is_some_and(|word| REMARKS.contains(&word)),
        _ => false,
    };
    let at = tokens.iter().position(is_remark)?;
    (at > 0 && at + 1 < tokens.len()).then_some(at)
}

/// Whether a remark only says when the answer before it holds. One with a number that is no bound, or with an
/// alternative, may be a further answer.
fn is_condition(remark: &[Token]) -> bool {
    let offers_more = |token: &Token| match token {
        Token::Mark(',' | ';') | Token::Relation(Relation::Equal) => true,
        Token::Text(words) => {
            has_number(token)
                || words
                    .split([' ', ';', ','])
                    .any(|word| ALTERNATIVES.contains(&word))
        }
        _ => false,
    };
    let is_bound = |token: &Token| matches!(token, Token::Relation(_));
    !remark.iter().any(offers_more) && (remark.iter().any(is_bound) || !have_number(remark))
}

/// `5 \text{ if } x > 0`, `5 \text{ otherwise}`.
pub(super) fn is_case(part: &&[Token]) -> bool {
    let is_rest = |token: &Token| matches!(token, Token::Text(words) if words.split(' ').any(|word| matches!(word, "otherwise" | "else")));
    remark(part).is_some() || part.last().is_some_and(is_rest)
}
