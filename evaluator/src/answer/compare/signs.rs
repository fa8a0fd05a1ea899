//! Answers with `±` as the lists of what they stand for.

use crate::answer::value::{Kind, Scalar, Value};

/// How several `±` in one expression belong together.
#[derive(Clone, Copy)]
pub(crate) enum Signs {
    /// All upper or all lower signs.
    Together,
    /// Every combination.
    Apart,
}

/// The most `±` in any one part.
pub(crate) fn count(value: &Value) -> usize {
    match value {
        Value::Scalar(scalar) => scalar.expr.plus_minus_count(),
        Value::Labelled(_, inner) => count(inner),
        Value::Collection(Kind::Tuple, items) => items.iter().map(count).sum(),
        Value::Collection(_, items) => items.iter().map(count).max().unwrap_or(0),
        _ => 0,
    }
}

/// The value with everything that has a `±` replaced by the list of what it stands for.
pub(crate) fn expanded(value: &Value, how: Signs) -> Value {
    let most = count(value);
    match value {
        Value::Labelled(_, inner) => expanded(inner, how),
        Value::Scalar(_) | Value::Collection(Kind::Tuple, _) if most > 0 => {
            let choices: Vec<u32> = match how {
                Signs::Together => vec![0, u32::MAX],
                Signs::Apart => (0..1 << most).collect(),
            };
            let chosen = |choice| with_signs(value, choice, &mut 0);
            Value::Collection(Kind::Set, choices.into_iter().map(chosen).collect())
        }
        Value::Collection(kind @ (Kind::List | Kind::Set), items) => {
            let mut all = Vec::new();
            for item in items {
                match expanded(item, how) {
                    Value::Collection(Kind::Set, inner) if count(item) > 0 => all.extend(inner),
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
        Value::Labelled(label, inner) => {
            let inner = with_signs(inner, choice, used);
            Value::Labelled(label.clone(), Box::new(inner))
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
