//! Which key of a configuration a complaint about its types is about.

use serde::de::DeserializeOwned;
use toml::Value;

/// A complaint about the type of a value, with the value's key, and with the choices where it is one of several words. Complaints that
/// name their key are left as they are.
///
/// A section with a `kind` is read as a whole before its keys are, and a complaint about it says nothing of where it comes from. But it
/// shows the value: the key to blame is the one whose change it follows.
pub fn with_culprit<T: DeserializeOwned>(text: &str, complaint: &str) -> String {
    let explained = explained::<T>(text).unwrap_or_else(|| complaint.to_owned());
    match explained.rsplit_once(" expected ") {
        Some((what, "usize" | "u32" | "u64")) => {
            format!("{what} expected a whole number, 0 or more")
        }
        Some((what, "f32" | "f64")) => format!("{what} expected a number"),
        _ => explained,
    }
}

fn explained<T: DeserializeOwned>(text: &str) -> Option<String> {
    let table: toml::Table = text.parse().ok()?;
    let complaint = |table: toml::Table| Some(T::deserialize(table).err()?.message().to_owned());
    let changed = |path: &[String], value| {
        let mut other = table.clone();
        *value_at(&mut other, path)? = value;
        complaint(other)
    };
    let original = complaint(table.clone())?;
    let no_word = |(path, value): &(Vec<String>, Value)| {
        let told = changed(path, "?".into())?;
        let choices = told
            .strip_prefix("unknown variant `?`, ")
            .filter(|_| told != original)?;
        let kind = (!value.is_str()).then(|| value.type_str())?;
        Some(format!("`{}` is of type {kind}, {choices}", path.join(".")))
    };
    let followed = |(path, value): &(Vec<String>, Value)| {
        let other = changed(path, another(value)?)?;
        let guilty =
            other != original && other.starts_with("invalid ") && original.starts_with("invalid ");
        guilty.then(|| format!("`{}`: {original}", path.join(".")))
    };
    let values = values(&table);
    values
        .iter()
        .find_map(no_word)
        .or_else(|| values.iter().find_map(followed))
}

/// Another value of the same type, where complaints show values of it.
fn another(value: &Value) -> Option<Value> {
    Some(match value {
        Value::String(text) => format!("{text}?").into(),
        Value::Integer(number) if *number < 0 => number.saturating_sub(1).into(),
        Value::Integer(number) => number.saturating_add(1).into(),
        Value::Float(number) => (number + 1.0).into(),
        Value::Boolean(truth) => (!truth).into(),
        _ => return None,
    })
}

/// All values that are no tables, with their paths.
fn values(table: &toml::Table) -> Vec<(Vec<String>, Value)> {
    let with_paths = |(key, value): (&String, &Value)| match value {
        Value::Table(inner) => {
            let below = |(path, value)| ([vec![key.clone()], path].concat(), value);
            values(inner).into_iter().map(below).collect()
        }
        value => vec![(vec![key.clone()], value.clone())],
    };
    table.iter().flat_map(with_paths).collect()
}

fn value_at<'a>(table: &'a mut toml::Table, path: &[String]) -> Option<&'a mut Value> {
    match path {
        [key] => table.get_mut(key),
        [section, rest @ ..] => value_at(table.get_mut(section)?.as_table_mut()?, rest),
        [] => None,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::config::Config;

    fn explained(rest: &str) -> String {
        let text = format!("[search]\nname = \"x\"\n[task]\nkind = \"toy\"\n{rest}");
        let error = toml::from_str::<Config>(&text).unwrap_err();
        with_culprit::<Config>(&text, error.message())
    }

    #[test]
    fn the_key_of_a_section_with_a_kind_is_found() {
        for (kind, rest, key) in [
            (
                "[trainer]\nkind = \"candle\"",
                "threads_per_trial = \"two\"",
                "trainer.threads_per_trial",
            ),
            (
                "[trainer]\nkind = \"candle\"",
                "offline = true\nlora.r = true\nlora.alpha = 8",
                "trainer.lora.r",
            ),
            ("[proposer]\nkind = \"chat\"", "model = 4", "proposer.model"),
        ] {
            let explained = explained(&format!("{kind}\n{rest}"));
            assert!(
                explained.starts_with(&format!("`{key}`: invalid type: ")),
                "{explained}"
            );
            assert!(!explained.contains("usize"), "{explained}");
        }
    }

    #[test]
    fn choices_are_told_to_who_gave_no_word() {
        assert_eq!(
            explained("[grpo]\nscale_rewards = true"),
            "`grpo.scale_rewards` is of type boolean, expected one of `group`, `batch`, `none`"
        );
    }

    #[test]
    fn only_the_key_at_fault_is_blamed() {
        let explained = explained(
            "[trainer]\nkind = \"candle\"\noffline = true\nthreads_per_trial = -2\nmodel = \"x\"",
        );
        assert!(
            explained.starts_with("`trainer.threads_per_trial`: invalid value: "),
            "{explained}"
        );
    }

    #[test]
    fn nobody_is_blamed_for_what_names_itself() {
        let unknown = explained("[trainer]\nkind = \"candle\"\nthreads = 2");
        assert!(unknown.starts_with("unknown field `threads`"), "{unknown}");
    }
}
