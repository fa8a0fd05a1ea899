//! `docs/configuration.md` is made of the configuration itself: keys as the program takes them, defaults as it fills them in, meanings as they stand in the
//! sources. `REWARD_SEARCH_WRITE_DOCS=1` writes it anew; without, this fails where the page says anything else.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

mod settings;

use std::{fmt::Write as _, fs, path::Path};

use orchestrator::config::Config;
use serde_json::Value as Json;
use settings::{
    Key, Word, keys,
    sections::{CONFIG, SECTIONS, Section, WORDS},
    words,
};
use toml::{Table, Value};

/// Defaults that are left out where a configuration is stored and cannot be guessed; each is tried like all others.
const LEFT_OUT: &[(&str, &str)] = &[
    ("prompt_tokens", "24000"),
    ("device", "\"cpu\""),
    ("random_candidates", "0"),
    ("world", "\"rounding\""),
];

impl Section {
    fn base(&self) -> Table {
        let mut table: Table = "search = { name = 'x' }\ntask = { kind = 'toy' }"
            .parse()
            .unwrap();
        table.extend(self.base.parse::<Table>().unwrap());
        table
    }

    /// The base with a key set, or taken away.
    fn with(&self, key: &str, value: Option<Value>) -> Table {
        let mut table = self.base();
        let mut at = &mut table;
        for part in self.path {
            let entry = at
                .entry(*part)
                .or_insert_with(|| Value::Table(Table::new()));
            at = match entry {
                Value::Array(several) => several[0].as_table_mut().unwrap(),
                other => other.as_table_mut().unwrap(),
            };
        }
        match value {
            Some(value) => at.insert(key.to_owned(), value),
            None => at.remove(key),
        };
        table
    }

    /// What the program says of a configuration.
    fn read(table: Table) -> Result<Config, String> {
        Config::deserialize_from(table)
    }

    /// The keys that the program takes here, by what it says of one that it does not.
    fn taken(&self) -> Vec<String> {
        let said = Self::read(self.with("no such key", Some(true.into()))).unwrap_err();
        let named = said
            .split("expected ")
            .nth(1)
            .unwrap_or_else(|| panic!("{}: {said}", self.heading));
        named
            .split('`')
            .skip(1)
            .step_by(2)
            .map(str::to_owned)
            .collect()
    }

    /// The default of a key as it is written in a file; `None` where there is none.
    fn default(&self, key: &Key, choices: &[Word]) -> Option<String> {
        let plain = Self::read(self.base()).unwrap();
        let mut told = &serde_json::to_value(&plain).unwrap();
        for part in self.path {
            told = &told[*part];
            told = told.get(0).unwrap_or(told);
        }
        let without = Self::read(self.with(&key.name, None));
        if key.optional || without.is_err() || told[&key.name] == "" {
            return None;
        }
        if key.name == "language" {
            return Some("see there".to_owned());
        }
        let is_it = |written: &String| {
            let value = format!("x = {written}").parse::<Table>().unwrap()["x"].clone();
            Self::read(self.with(&key.name, Some(value))).is_ok_and(|config| config == plain)
        };
        // A table has one of its own on the page.
        let known = told.get(&key.name).map(|value| match value {
            Json::Object(_) => "{}".to_owned(),
            other => written(other),
        });
        let left_out = LEFT_OUT
            .iter()
            .find(|(name, _)| *name == key.name)
            .map(|(_, value)| (*value).to_owned());
        let guesses = match self.kind(key, choices).as_str() {
            "true or false" => vec!["false", "true"],
            "table" => vec!["{}"],
            _ => vec!["[]"],
        };
        let guesses = guesses.into_iter().map(str::to_owned);
        let words = choices.iter().map(|word| format!("\"{}\"", word.name));
        let all = known
            .into_iter()
            .chain(left_out)
            .chain(guesses)
            .chain(words);
        let found = all.into_iter().find(is_it);
        Some(
            found.unwrap_or_else(|| {
                panic!("{} {}: its default is not known", self.heading, key.name)
            }),
        )
    }

    /// What a key takes.
    fn kind(&self, key: &Key, choices: &[Word]) -> String {
        let plain = |kind: &str| match kind {
            "u32" | "u64" | "usize" => "whole number",
            "f64" => "number",
            "bool" => "true or false",
            "String" | "DeviceName" => "text",
            "PathBuf" => "path",
            "ExtractionConfig" => "word or list",
            _ => "table",
        };
        let kind = match key.kind.strip_prefix("Vec<") {
            Some(_) if !choices.is_empty() => "list of words".to_owned(),
            None if !choices.is_empty() => "word".to_owned(),
            Some(inner) => format!("list of {}s", plain(inner.trim_end_matches('>'))),
            None => plain(&key.kind).to_owned(),
        };
        let units = [
            ("_s", "seconds"),
            ("_ms", "ms"),
            ("_mib", "MiB"),
            ("_kib", "KiB"),
            ("_usd", "dollars"),
            ("_length", "tokens"),
            ("price_per_million_prompt_tokens", "dollars"),
            ("price_per_million_completion_tokens", "dollars"),
            ("max_tokens", "tokens"),
            ("prompt_tokens", "tokens"),
            ("tokens_total", "tokens"),
        ];
        match units.iter().find(|(end, _)| key.name.ends_with(end)) {
            Some((_, unit)) => format!("{kind}, {unit}"),
            None => kind,
        }
    }

    fn page(&self) -> String {
        let mut page = format!(
            "## {}\n\n{}\n\n| key | takes | default | meaning |\n|---|---|---|---|\n",
            self.heading, self.about
        );
        for key in keys(self.file, self.name) {
            let one = key.kind.strip_prefix("Vec<").unwrap_or(&key.kind);
            let choices = match one.trim_end_matches('>') {
                "DeviceName" => Vec::new(),
                one => words(WORDS, one).unwrap_or_default(),
            };
            let default = match self.default(&key, &choices) {
                Some(default) if default == "see there" => default,
                Some(default) => format!("`{default}`"),
                None if key.optional => "–".to_owned(),
                None => "needed".to_owned(),
            };
            let meanings: Vec<String> = choices
                .iter()
                .map(|word| format!("`{}`: {}", word.name, word.meaning.trim_end_matches('.')))
                .collect();
            let mut meaning = key.meaning.clone();
            if !meanings.is_empty() {
                let _ = write!(meaning, " {}.", meanings.join("; "));
            }
            let kind = self.kind(&key, &choices);
            let _ = writeln!(
                page,
                "| `{}` | {kind} | {default} | {} |",
                key.name,
                meaning.replace('|', "\\|")
            );
        }
        page
    }
}

/// A value as TOML has it, with separators in large numbers.
fn written(value: &Json) -> String {
    match value {
        Json::Array(several) => format!(
            "[{}]",
            several.iter().map(written).collect::<Vec<_>>().join(", ")
        ),
        Json::Number(number) => match number.as_u64() {
            Some(whole) if whole >= 1_000_000 => {
                let digits = whole.to_string();
                let groups: Vec<&str> = digits
                    .as_bytes()
                    .rchunks(3)
                    .rev()
                    .map(|group| std::str::from_utf8(group).unwrap())
                    .collect();
                groups.join("_")
            }
            _ => number.to_string(),
        },
        other => other.to_string(),
    }
}

/// Reading a table as a file is read.
trait FromTable: Sized {
    fn deserialize_from(table: Table) -> Result<Self, String>;
}

impl FromTable for Config {
    fn deserialize_from(table: Table) -> Result<Self, String> {
        table
            .try_into()
            .map_err(|error: toml::de::Error| error.message().to_owned())
    }
}

const HEAD: &str = "# Every setting

A search is asked for in one TOML file; [configs/](../configs) has complete ones with comments. Only `[search] name` and `[task] kind` are needed. An unknown key is
refused with the nearest valid one, a value that cannot work with what would; `reward-search run FILE --plan` shows what a file comes to. What may be
changed later in a search that has begun is in [searches.md](searches.md).

`–` stands for a key that may be absent and then is; its meaning says what that means. (This page is made of the program's own sources by
`orchestrator/tests/configuration.rs`, which fails where the two differ.)
";

#[test]
fn the_reference_is_what_the_program_takes() {
    let mut page = HEAD.to_owned();
    for section in SECTIONS {
        let known: Vec<String> = keys(section.file, section.name)
            .into_iter()
            .map(|key| key.name)
            .collect();
        let mut taken = section.taken();
        // An older name of a key.
        taken.retain(|key| key != "prompt_dir");
        assert_eq!(known, taken, "{}", section.heading);
        page += "\n";
        page += &section.page();
    }
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/configuration.md");
    if std::env::var_os("REWARD_SEARCH_WRITE_DOCS").is_some() {
        fs::write(&path, &page).unwrap();
    }
    let written = fs::read_to_string(&path).unwrap_or_default();
    let differs = page
        .lines()
        .zip(written.lines())
        .find(|(is, was)| is != was);
    assert!(
        page == written,
        "docs/configuration.md is not what the program takes; REWARD_SEARCH_WRITE_DOCS=1 and this test write it. {differs:?}"
    );
}

#[test]
fn every_part_of_a_configuration_has_its_table() {
    for key in keys(CONFIG, "Config") {
        assert!(
            SECTIONS
                .iter()
                .any(|section| section.path == [key.name.as_str()]),
            "[{}]",
            key.name
        );
    }
    // A key that takes a table, or a list of them, has one of its own.
    for section in SECTIONS {
        for key in keys(section.file, section.name) {
            let is_table = [
                "Conventions",
                "LoraConfig",
                "GateConfig",
                "Vec<Rung>",
                "Vec<ModelConfig>",
                "Moves",
                "GreedyConfig",
                "RaceConfig",
                "ClusterConfig",
            ]
            .contains(&key.kind.as_str());
            let path = [section.path, &[key.name.as_str()]].concat();
            assert!(
                !is_table || SECTIONS.iter().any(|section| section.path == path),
                "{path:?}"
            );
        }
    }
    // The kinds of each section that has some. The trainer that trains nothing is for tests.
    for (name, others) in [
        ("task", &[][..]),
        ("proposer", &[]),
        ("verifier", &["rule"]),
        ("trainer", &["fake"]),
    ] {
        let table =
            format!("search = {{ name = 'x' }}\ntask = {{ kind = 'toy' }}\n{name}.kind = '?'")
                .replace("task = { kind = 'toy' }\ntask", "task");
        let said = Config::deserialize_from(table.parse().unwrap()).unwrap_err();
        for kind in said
            .split('`')
            .skip(3)
            .step_by(2)
            .filter(|kind| !others.contains(kind))
        {
            let told = format!("\"{kind}\"");
            assert!(
                SECTIONS
                    .iter()
                    .any(|section| section.path == [name] && section.heading.contains(&told)),
                "{name} {kind}"
            );
        }
    }
}
