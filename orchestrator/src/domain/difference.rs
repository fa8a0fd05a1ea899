//! Where two sets of settings differ first.

use std::collections::BTreeSet;

use serde_json::Value;

/// Settings that may change between two sittings, since they change nothing of what a run gives.
const FREE: [&str; 1] = ["trainer.threads_per_trial"];

/// The path of the first value that differs between two configurations, with both values; free settings apart.
#[must_use]
pub fn first_difference(before: &Value, after: &Value) -> Option<String> {
    difference_at("", before, after)
}

fn difference_at(path: &str, before: &Value, after: &Value) -> Option<String> {
    if let (Value::Object(a), Value::Object(b)) = (before, after) {
        let keys: BTreeSet<&String> = a.keys().chain(b.keys()).collect();
        return keys.into_iter().find_map(|key| {
            let path = if path.is_empty() {
                key.clone()
            } else {
                format!("{path}.{key}")
            };
            let of = |object: &serde_json::Map<String, Value>| {
                object.get(key).cloned().unwrap_or(Value::Null)
            };
            difference_at(&path, &of(a), &of(b))
        });
    }
    let differs = before != after && !FREE.contains(&path);
    differs.then(|| format!("{path} is {before} there and {after} here"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_first_difference_is_named_with_its_path() {
        let a = json!({"search": {"seed": 1, "rounds": 3}});
        assert_eq!(first_difference(&a, &a), None);
        let b = json!({"search": {"seed": 2, "rounds": 3}});
        assert_eq!(
            first_difference(&a, &b).as_deref(),
            Some("search.seed is 1 there and 2 here")
        );
        let threads =
            |n: Option<u8>| json!({"trainer": {"kind": "candle", "threads_per_trial": n}});
        assert_eq!(first_difference(&threads(Some(8)), &threads(None)), None);
    }
}
