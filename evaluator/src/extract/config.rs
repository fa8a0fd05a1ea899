//! Which strategies are tried, in which order, as configuration files write it.

use serde::{Deserialize, Serialize};

use super::Strategy;

/// Which strategies are tried, in which order; never empty, none twice.
///
/// In a configuration file a list of names, or the name of a preset: `extraction = "strict"`, `extraction =
/// ["boxed", "last_number"]`. It is stored as the list it stands for: `{"strategies": ["boxed", "last_number"]}`,
/// which can be read, too.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Written")]
pub struct ExtractionConfig {
    /// The strategies, first to last.
    pub strategies: Vec<Strategy>,
}

impl ExtractionConfig {
    /// `<solution>` tags and nothing else: for policies trained to write them.
    pub fn tags_only() -> Self {
        Self {
            strategies: vec![Strategy::SolutionTags],
        }
    }

    /// The marks that nobody writes by accident, and no guessing: tags, boxes and `####`.
    pub fn strict() -> Self {
        Self {
            strategies: vec![Strategy::SolutionTags, Strategy::Boxed, Strategy::Hashes],
        }
    }

    /// All strategies, from the most explicit mark to the least.
    pub fn flexible() -> Self {
        Self {
            strategies: Strategy::ALL.to_vec(),
        }
    }
}

impl Default for ExtractionConfig {
    /// [`ExtractionConfig::flexible`].
    fn default() -> Self {
        Self::flexible()
    }
}

/// The forms in which an order of strategies may be written.
#[derive(Deserialize)]
#[serde(untagged)]
enum Written {
    Name(String),
    Names(Vec<String>),
    Stored { strategies: Vec<String> },
}

impl TryFrom<Written> for ExtractionConfig {
    type Error = String;

    fn try_from(written: Written) -> Result<Self, String> {
        match written {
            Written::Name(name) => preset(&name),
            Written::Names(names) | Written::Stored { strategies: names } => order(&names),
        }
    }
}

fn preset(name: &str) -> Result<ExtractionConfig, String> {
    match name {
        "strict" => Ok(ExtractionConfig::strict()),
        "flexible" => Ok(ExtractionConfig::flexible()),
        "tags_only" => Ok(ExtractionConfig::tags_only()),
        _ => Err(format!(
            "unknown extraction `{name}`: expected strict, flexible, tags_only or a list of {}",
            names()
        )),
    }
}

fn order(names_given: &[String]) -> Result<ExtractionConfig, String> {
    let mut strategies = Vec::new();
    for name in names_given {
        let strategy = Strategy::named(name)
            .ok_or_else(|| format!("unknown extraction strategy `{name}`: expected {}", names()))?;
        if strategies.contains(&strategy) {
            return Err(format!(
                "extraction strategy `{name}` stands in the list twice"
            ));
        }
        strategies.push(strategy);
    }
    if strategies.is_empty() {
        return Err(format!(
            "an empty list of extraction strategies finds nothing: expected some of {}",
            names()
        ));
    }
    Ok(ExtractionConfig { strategies })
}

fn names() -> String {
    Strategy::ALL.map(Strategy::name).join(", ")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn read(json: &str) -> Result<ExtractionConfig, String> {
        serde_json::from_str(json).map_err(|error| error.to_string())
    }

    #[test]
    fn presets_and_lists_are_read() {
        assert_eq!(read(r#""strict""#), Ok(ExtractionConfig::strict()));
        assert_eq!(read(r#""flexible""#), Ok(ExtractionConfig::default()));
        assert_eq!(
            read(r#"["solution_tags"]"#),
            Ok(ExtractionConfig::tags_only())
        );
    }

    #[test]
    fn what_is_stored_is_read_again() {
        let stored = serde_json::to_string(&ExtractionConfig::default()).unwrap();
        assert!(
            stored.starts_with(r#"{"strategies":["solution_tags","boxed""#),
            "{stored}"
        );
        assert_eq!(read(&stored), Ok(ExtractionConfig::default()));
    }

    #[test]
    fn mistakes_name_what_is_valid() {
        for (json, part) in [
            (r#""strickt""#, "expected strict, flexible"),
            (
                r#"["boxes"]"#,
                "`boxes`: expected solution_tags, boxed, hashes",
            ),
            (r#"["boxed", "boxed"]"#, "twice"),
            ("[]", "expected some of solution_tags"),
        ] {
            let error = read(json).unwrap_err();
            assert!(error.contains(part), "{json}: {error}");
        }
    }
}
