//! Where two sets of settings differ.

use std::{collections::BTreeSet, fmt};

use serde_json::Value;

/// Settings of a single training that may change between two sittings, since they change nothing of what it gives.
const FREE: [&str; 1] = ["trainer.threads_per_trial"];

/// A value that differs between two configurations.
#[derive(Debug, Clone, PartialEq)]
pub struct Difference {
    /// The key with its sections: `proposer.model`.
    pub setting: String,
    /// What it was; null where it was not set.
    pub before: Value,
    /// What it is.
    pub after: Value,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            setting,
            before,
            after,
        } = self;
        write!(f, "{setting} is {before} there and {after} here")
    }
}

/// Every value that differs, in the order of the keys.
#[must_use]
pub fn differences(before: &Value, after: &Value) -> Vec<Difference> {
    let mut found = Vec::new();
    collect("", [before, after], &mut found);
    found
}

/// The first value that differs between the settings of two trainings, with both values; free settings apart.
#[must_use]
pub fn first_difference(before: &Value, after: &Value) -> Option<String> {
    let mut found = differences(before, after).into_iter();
    let first = found.find(|difference| !FREE.contains(&&*difference.setting));
    first.map(|difference| difference.to_string())
}

fn collect(path: &str, [before, after]: [&Value; 2], found: &mut Vec<Difference>) {
    if let (Value::Object(a), Value::Object(b)) = (before, after) {
        let keys: BTreeSet<&String> = a.keys().chain(b.keys()).collect();
        for key in keys {
            let path = if path.is_empty() {
                key.clone()
            } else {
                format!("{path}.{key}")
            };
            let [a, b] = [a, b].map(|object| object.get(key).unwrap_or(&Value::Null));
            collect(&path, [a, b], found);
        }
    } else if before != after {
        found.push(Difference {
            setting: path.to_owned(),
            before: before.clone(),
            after: after.clone(),
        });
    }
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
