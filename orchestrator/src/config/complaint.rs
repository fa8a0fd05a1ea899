//! What is wrong with the text of a configuration, with the key at fault.

use serde::de::DeserializeOwned;
use serde_path_to_error::{Path, Segment};
use toml::{Table, Value};
use trainer_bridge::{CandleConfig, FakeConfig, TrlConfig};

use crate::{
    data::config::{Gsm8kConfig, JsonlConfig, ToyConfig},
    judge::ModelConfig,
    proposer::{chat::ChatConfig, grammar::GrammarConfig, replay::ReplayConfig},
};

/// Why a text is no configuration.
#[derive(Debug)]
pub(super) struct Complaint {
    /// The byte of the text where it is wrong, where that is known.
    pub(super) at: Option<usize>,
    /// What is wrong, in one line.
    pub(super) what: String,
}

/// Reads a configuration.
///
/// # Errors
/// The first complaint. One about the type of a value names the value's key, with the choices where it is one of several words.
pub(super) fn read<T: DeserializeOwned>(text: &str) -> Result<T, Complaint> {
    toml::from_str(text).map_err(|error| Complaint {
        at: error.span().map(|span| span.start),
        what: explained::<T>(text).unwrap_or_else(|| in_plain_words(error.message())),
    })
}

/// The complaint in full; `None` for a text that is no TOML.
fn explained<T: DeserializeOwned>(text: &str) -> Option<String> {
    let table: Table = text.parse().ok()?;
    let Fault { keys, what } = fault::<T>(&table)?;
    // A section with a `kind` is read as a whole before its keys are: what is wrong in it is found by reading it as that kind.
    let in_section = match keys.as_slice() {
        [section] => table[section].as_table().and_then(|settings| {
            let mut settings = settings.clone();
            let kind = settings.remove("kind")?;
            fault_in(section, kind.as_str()?, &settings)
        }),
        _ => None,
    };
    Some(match in_section {
        Some(inner) => inner.what.told(&[keys, inner.keys].concat()),
        None => what.told(&keys),
    })
}

/// What is wrong in a section of a kind; `None` if there is no such section or kind.
fn fault_in(section: &str, kind: &str, settings: &Table) -> Option<Fault> {
    match (section, kind) {
        ("task", "toy") => fault::<ToyConfig>(settings),
        ("task", "gsm8k") => fault::<Gsm8kConfig>(settings),
        ("task", "jsonl") => fault::<JsonlConfig>(settings),
        ("proposer", "grammar") => fault::<GrammarConfig>(settings),
        ("proposer", "chat") => fault::<ChatConfig>(settings),
        ("proposer", "replay") => fault::<ReplayConfig>(settings),
        ("verifier", "tinyv" | "xverify" | "llm") => fault::<ModelConfig>(settings),
        ("trainer", "candle") => fault::<CandleConfig>(settings),
        ("trainer", "trl" | "ray") => fault::<TrlConfig>(settings),
        ("trainer", "fake") => fault::<FakeConfig>(settings),
        _ => None,
    }
}

/// Where a table is no `T`, and why.
struct Fault {
    /// The keys that lead to the value.
    keys: Vec<String>,
    what: What,
}

enum What {
    /// It should be one of these words (`expected one of …`) but has this type.
    NoWord {
        found: &'static str,
        choices: String,
    },
    /// What serde says.
    Other(String),
}

impl What {
    fn told(self, keys: &[String]) -> String {
        let key = keys.join(".");
        match self {
            Self::NoWord { found, choices } => format!("`{key}` is of type {found}, {choices}"),
            Self::Other(said) if said.starts_with("invalid ") => match keys {
                [] => in_plain_words(&said),
                _ => format!("`{key}`: {}", in_plain_words(&said)),
            },
            // Complaints about a key itself name it.
            Self::Other(said) => said,
        }
    }
}

fn fault<T: DeserializeOwned>(table: &Table) -> Option<Fault> {
    let complaint = |table: Table| serde_path_to_error::deserialize::<_, T>(table).err();
    let error = complaint(table.clone())?;
    let keys = keys(error.path());
    let no_word = || {
        let mut other = table.clone();
        let value = value_at(&mut other, &keys)?;
        let found = (!value.is_str()).then(|| value.type_str())?;
        *value = "?".into();
        let told = complaint(other)?.into_inner();
        let choices = told.message().strip_prefix("unknown variant `?`, ")?;
        Some(What::NoWord {
            found,
            choices: choices.to_owned(),
        })
    };
    Some(Fault {
        what: no_word().unwrap_or_else(|| What::Other(error.inner().message().to_owned())),
        keys,
    })
}

/// The keys of a path, as far as it leads through tables.
fn keys(path: &Path) -> Vec<String> {
    path.iter()
        .map_while(|segment| match segment {
            Segment::Map { key } => Some(key.clone()),
            Segment::Seq { .. } | Segment::Enum { .. } | Segment::Unknown => None,
        })
        .collect()
}

fn value_at<'a>(table: &'a mut Table, keys: &[String]) -> Option<&'a mut Value> {
    match keys {
        [key] => table.get_mut(key),
        [section, rest @ ..] => value_at(table.get_mut(section)?.as_table_mut()?, rest),
        [] => None,
    }
}

/// A complaint without the names that types have in a program.
fn in_plain_words(said: &str) -> String {
    if said.starts_with("invalid boolean") {
        return "expected a value: texts stand in quotes (`\"…\"`), what is true or not is `true` or `false`".to_owned();
    }
    let said = said.replace(" as i128,", ",");
    match said.rsplit_once(" expected ") {
        Some((what, "usize" | "u32" | "u64")) => {
            format!("{what} expected a whole number, 0 or more")
        }
        Some((what, "f32" | "f64")) => format!("{what} expected a number"),
        Some((what, "a sequence")) => format!("{what} expected a list, `[…]`"),
        _ => said,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::config::Config;

    fn explained(rest: &str) -> String {
        let text = format!("[search]\nname = \"x\"\n[task]\nkind = \"toy\"\n{rest}");
        read::<Config>(&text).unwrap_err().what
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
    fn values_are_complained_of_without_the_names_of_types() {
        for (rest, says) in [
            (
                "[confirm]\nseeds = 100000000000000000000",
                "invalid type: integer `100000000000000000000`, expected a whole number, 0 or more",
            ),
            (
                "[ensemble]\nsizes = 3",
                "`ensemble.sizes`: invalid type: integer `3`, expected a list, `[…]`",
            ),
            ("[screen]\nsteps = ten", "texts stand in quotes"),
        ] {
            let explained = explained(rest);
            assert!(explained.contains(says), "{explained}");
        }
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

    #[test]
    fn every_kind_of_every_section_is_looked_into() {
        for section in ["task", "proposer", "verifier", "trainer"] {
            let text = match section {
                "task" => "[search]\nname = \"x\"\n[task]\nkind = \"?\"".to_owned(),
                _ => format!(
                    "search = {{ name = \"x\" }}\ntask = {{ kind = \"toy\" }}\n[{section}]\nkind = \"?\""
                ),
            };
            let told = read::<Config>(&text).unwrap_err().what;
            let kinds: Vec<&str> = told.split('`').skip(3).step_by(2).collect();
            assert!(kinds.len() > 1, "{told}");
            let spoilt = Table::from_iter([("no such key".to_owned(), true.into())]);
            // `rule` has no keys.
            for kind in kinds.into_iter().filter(|kind| *kind != "rule") {
                assert!(
                    fault_in(section, kind, &spoilt).is_some(),
                    "{section} {kind}"
                );
            }
        }
    }
}
