//! Reads settings, their types and their meaning out of the sources of the configuration: what stands in a doc comment there is the reference.

pub mod sections;

use std::{fs, path::Path};

/// A key of a section.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key {
    pub name: String,
    /// As in the program, without `Option`.
    pub kind: String,
    /// Whether the program knows an absent value of it.
    pub optional: bool,
    pub meaning: String,
}

/// A word that a key may have as its value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Word {
    pub name: String,
    pub meaning: String,
}

fn source(file: &str) -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    fs::read_to_string(root.join(file)).unwrap_or_else(|error| panic!("{file}: {error}"))
}

/// The lines between the one that begins with `opening` and the brace that closes it.
fn body(text: &str, opening: &str) -> Option<Vec<String>> {
    let mut lines = text.lines();
    let first = lines.find(|line| line.trim_start().starts_with(opening))?;
    let indent = first.len() - first.trim_start().len();
    let end = format!("{}}}", " ".repeat(indent));
    let inside = lines.take_while(|line| *line != end);
    Some(inside.map(|line| line.trim().to_owned()).collect())
}

/// The doc comment, and whether serde skips it, of each line that is neither.
fn documented(lines: &[String]) -> Vec<(String, bool, &str)> {
    let mut found = Vec::new();
    let (mut about, mut skipped) = (Vec::new(), false);
    for line in lines {
        if let Some(words) = line.strip_prefix("///") {
            about.push(words.trim());
        } else if line.starts_with("#[") {
            skipped |= line == "#[serde(skip)]";
        } else if !line.is_empty() {
            found.push((about.join(" "), skipped, line.as_str()));
            (about, skipped) = (Vec::new(), false);
        }
    }
    found
}

fn keys_in(lines: &[String]) -> Vec<Key> {
    let key = |(meaning, skipped, line): (String, bool, &str)| {
        let (name, rest) = line.strip_prefix("pub ")?.split_once(": ")?;
        let kind = rest.split(" = ").next()?.trim_end_matches(',');
        let inner = kind
            .strip_prefix("Option<")
            .and_then(|kind| kind.strip_suffix('>'));
        (!skipped).then(|| Key {
            name: name.to_owned(),
            kind: inner
                .unwrap_or(kind)
                .trim_start_matches("$crate::judge::endpoint::")
                .to_owned(),
            optional: inner.is_some(),
            meaning,
        })
    };
    documented(lines).into_iter().filter_map(key).collect()
}

/// The keys of a struct, in their order. The sections that name an endpoint share some, which stand where those are defined.
pub fn keys(file: &str, name: &str) -> Vec<Key> {
    let text = source(file);
    let lines = body(&text, &format!("pub struct {name} {{"));
    let own = keys_in(&lines.unwrap_or_else(|| panic!("{file} has no struct {name}")));
    if !text.contains(&format!("    pub struct {name} {{")) {
        return own;
    }
    let shared = source("orchestrator/src/judge/endpoint/config.rs");
    let mut all = keys_in(&body(&shared, "pub struct $section {").unwrap());
    for key in &mut all {
        if key.kind == "$tokens" {
            key.kind = "u32".to_owned();
            key.optional = text.contains("max_tokens: Option<u32> = ");
        }
    }
    all.extend(own);
    all
}

/// The words of an enum in one of these files.
pub fn words(files: &[&str], name: &str) -> Option<Vec<Word>> {
    let lines = files
        .iter()
        .find_map(|file| body(&source(file), &format!("pub enum {name} {{")))?;
    let word = |(meaning, _, line): (String, bool, &str)| {
        let variant = line.strip_suffix(',')?;
        let plain = variant.chars().all(char::is_alphanumeric);
        plain.then(|| Word {
            name: snake_case(variant),
            meaning,
        })
    };
    Some(documented(&lines).into_iter().filter_map(word).collect())
}

fn snake_case(name: &str) -> String {
    let mut snake = String::new();
    for c in name.chars() {
        if c.is_uppercase() && !snake.is_empty() {
            snake.push('_');
        }
        snake.extend(c.to_lowercase());
    }
    snake
}
