//! The reply of a language model, read as drafts.
//!
//! Asked for a JSON array, models answer with one, mostly; or wrap it in prose and fences, break strings over lines, forget
//! to escape, run out of tokens half-way, or write plain code blocks under headings. All of that is read. What cannot be
//! is returned with the reason, never dropped and never a panic.

mod fences;
mod json;

use sandbox::{Language, Source};
use serde_json::{Map, Value};

use super::Unreadable;
use crate::domain::draft::Draft;

/// Bytes kept of a text that could not be read.
const EXCERPT: usize = 2000;
/// Characters kept of a name.
const LONGEST_NAME: usize = 80;
/// Arrays and objects within each other that are searched for drafts.
const DEEPEST: usize = 8;

/// Reads every draft in `reply`, in order. `language` is what drafts are in that do not say otherwise.
#[must_use]
pub fn parse(reply: &str, language: Language) -> (Vec<Draft>, Vec<Unreadable>) {
    let reply = without_reasoning(reply);
    let mut found = Found {
        drafts: Vec::new(),
        unreadable: Vec::new(),
        language,
    };
    let scan = json::scan(reply);
    for value in &scan.values {
        found.collect(value, None, 0);
    }
    if found.drafts.is_empty() {
        for block in fences::code_blocks(reply) {
            if looks_like_a_reward(block.code) {
                found.push(Draft {
                    name: block.name,
                    source: Source {
                        language: fences::language_of(block.tag).unwrap_or(language),
                        code: block.code.to_owned(),
                    },
                    rationale: block.prose,
                    parents: Vec::new(),
                });
            }
        }
    }
    if let Some(rest) = scan.broken_off
        && (!found.drafts.is_empty() || json::mentions_code(rest))
    {
        found.refuse(
            rest,
            "the reply breaks off here; a larger `max_tokens` may help",
        );
    }
    if found.drafts.is_empty() && found.unreadable.is_empty() {
        let reason = if reply.trim().is_empty() {
            "the reply is empty"
        } else {
            "there is neither a JSON array of {name, code, description} nor a code block with a reward function"
        };
        found.refuse(reply, reason);
    }
    (found.drafts, found.unreadable)
}

struct Found {
    drafts: Vec<Draft>,
    unreadable: Vec<Unreadable>,
    language: Language,
}

impl Found {
    /// Takes every draft within `value`. `key` is the key it stands under, a name of last resort.
    fn collect(&mut self, value: &Value, key: Option<&str>, depth: usize) {
        match value {
            Value::Array(items) if depth < DEEPEST => {
                for item in items {
                    self.collect(item, None, depth + 1);
                }
            }
            Value::Object(fields) if has_any(fields, CODE_KEYS) => match self.draft(fields, key) {
                Ok(draft) => self.push(draft),
                Err(reason) => self.refuse(&value.to_string(), reason),
            },
            Value::Object(fields) if has_any(fields, NAME_KEYS) && has_any(fields, WHY_KEYS) => {
                self.refuse(&value.to_string(), "the object has no `code`");
            }
            Value::Object(fields) if depth < DEEPEST => {
                for (key, value) in fields {
                    self.collect(value, Some(key), depth + 1);
                }
            }
            _ => {}
        }
    }

    fn draft(&self, fields: &Map<String, Value>, key: Option<&str>) -> Result<Draft, &'static str> {
        let code = text_at(fields, CODE_KEYS).ok_or("`code` is not a text")?;
        let code = fences::unwrapped(&code);
        if code.trim().is_empty() {
            return Err("`code` is empty");
        }
        let language = match text_at(fields, &["language", "lang"]) {
            Some(name) => fences::language_of(&name).unwrap_or(self.language),
            None => self.language,
        };
        Ok(Draft {
            name: text_at(fields, NAME_KEYS)
                .or_else(|| key.map(str::to_owned))
                .unwrap_or_default(),
            source: Source {
                language,
                code: code.to_owned(),
            },
            rationale: text_at(fields, WHY_KEYS).unwrap_or_default(),
            parents: texts_at(fields, "parents"),
        })
    }

    fn push(&mut self, mut draft: Draft) {
        draft.name =
            clean_name(&draft.name).unwrap_or_else(|| format!("unnamed_{}", self.drafts.len() + 1));
        draft.rationale = draft.rationale.trim().to_owned();
        self.drafts.push(draft);
    }

    fn refuse(&mut self, text: &str, reason: &str) {
        self.unreadable.push(Unreadable {
            text: excerpt(text),
            reason: reason.to_owned(),
        });
    }
}

/// Keys under which models put the three things, likeliest first.
const CODE_KEYS: &[&str] = &["code", "source", "function", "implementation"];
const NAME_KEYS: &[&str] = &["name", "title", "id"];
const WHY_KEYS: &[&str] = &["description", "rationale", "explanation", "reasoning"];

fn has_any(fields: &Map<String, Value>, keys: &[&str]) -> bool {
    keys.iter().any(|key| fields.contains_key(*key))
}

/// The first of `keys` that holds a text; a list of lines is one too.
fn text_at(fields: &Map<String, Value>, keys: &[&str]) -> Option<String> {
    keys.iter().find_map(|key| match fields.get(*key)? {
        Value::String(text) => Some(text.clone()),
        Value::Array(lines) => lines
            .iter()
            .map(Value::as_str)
            .collect::<Option<Vec<&str>>>()
            .map(|lines| lines.join("\n")),
        _ => None,
    })
}

fn texts_at(fields: &Map<String, Value>, key: &str) -> Vec<String> {
    match fields.get(key) {
        Some(Value::Array(items)) => items
            .iter()
            .filter_map(Value::as_str)
            .map(str::to_owned)
            .collect(),
        _ => Vec::new(),
    }
}

/// One line, no control characters, not too long; `None` if nothing is left.
fn clean_name(name: &str) -> Option<String> {
    let words: Vec<&str> = name
        .split(|c: char| c.is_whitespace() || !sandbox::may_be_shown(c))
        .filter(|word| !word.is_empty())
        .collect();
    let name: String = words.join(" ").chars().take(LONGEST_NAME).collect();
    (!name.is_empty()).then_some(name)
}

fn looks_like_a_reward(code: &str) -> bool {
    code.contains("fn reward") || code.contains("def ")
}

/// The reply after a `<think>` section that some servers leave in it.
fn without_reasoning(reply: &str) -> &str {
    match reply.trim_start().strip_prefix("<think>") {
        Some(rest) => rest.split_once("</think>").map_or(rest, |(_, after)| after),
        None => reply,
    }
}

/// The beginning of a text, cut at a character.
fn excerpt(text: &str) -> String {
    let text = text.trim();
    text[..text.floor_char_boundary(EXCERPT)].to_owned()
}

#[cfg(test)]
mod tests;
