//! The reply of a language model, read as drafts.
//!
//! Asked for a heading and a code block a reward, models answer so, mostly; or write a JSON array, wrap it in prose and fences, break strings
//! over lines, forget to escape, run out of tokens half-way, think aloud before. All of that is read. What cannot be is returned with the
//! reason, never dropped and never a panic.

mod code;
mod fences;
mod json;
mod lessons;
mod markup;
mod thinking;

pub use lessons::lessons;

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

/// Reads every draft in `reply`, in order. `language` is what drafts are in that do not say otherwise; `is_cut` says that the reply met the
/// limit of its length.
#[must_use]
pub fn parse(reply: &str, language: Language, is_cut: bool) -> (Vec<Draft>, Vec<Unreadable>) {
    let answer = thinking::answer_of(reply);
    let mut found = Found::in_text(answer.text, language, is_cut);
    if found.drafts.is_empty() {
        let retold = retellings(answer.text).into_iter();
        let read = retold.map(|text| Found::in_text(&text, language, is_cut));
        if let Some(better) = read.into_iter().find(|found| !found.drafts.is_empty()) {
            found = better;
        }
    }
    if found.drafts.is_empty() && found.unreadable.is_empty() {
        let reason = if answer.is_cut {
            "the reply ends while the model still thinks: a larger proposer.max_tokens leaves room for the answer"
        } else if reply.trim().is_empty() {
            "the reply is empty"
        } else {
            "there is neither a code block with a reward function nor a JSON array of {name, code, description}"
        };
        found.refuse(reply, reason);
    }
    (found.drafts, found.unreadable)
}

/// The text as it may have been meant, where it cannot be read as it is: JSON within a JSON string, JSON that was escaped once more, quotes of
/// a typesetter.
fn retellings(text: &str) -> Vec<String> {
    let mut retold = Vec::new();
    if let Ok(inner) = serde_json::from_str::<String>(text.trim()) {
        retold.push(inner);
    }
    if text.contains("\\\"code\\\"") {
        retold.push(text.replace("\\\"", "\"").replace("\\\\", "\\"));
    }
    if text.contains('“') {
        retold.push(text.replace(['“', '”'], "\""));
    }
    retold
}

struct Found {
    drafts: Vec<Draft>,
    unreadable: Vec<Unreadable>,
    language: Language,
}

impl Found {
    /// What stands in a text, in its JSON or else in its code blocks.
    fn in_text(text: &str, language: Language, is_cut: bool) -> Self {
        let mut found = Self {
            drafts: Vec::new(),
            unreadable: Vec::new(),
            language,
        };
        let scan = json::scan(text);
        for value in &scan.values {
            found.collect(value, None, 0);
        }
        let has_json = !found.drafts.is_empty() || !found.unreadable.is_empty();
        if !has_json {
            let mut marked = markup::in_yaml(text);
            if marked.is_empty() && !fences::code_blocks(text).iter().any(is_reward_block) {
                marked = markup::in_xml(text);
            }
            for marked in marked {
                found.take_marked(marked);
            }
        }
        if found.drafts.is_empty() && !has_json {
            for block in fences::code_blocks(text) {
                found.take_block(block, is_cut);
            }
        }
        if let Some(rest) = scan.broken_off
            && (has_json || json::mentions_code(rest))
        {
            found.refuse(rest, BREAKS_OFF);
        }
        found
    }

    /// A draft in YAML or XML.
    fn take_marked(&mut self, marked: markup::Marked) {
        let draft = Draft {
            name: marked.name,
            source: Source {
                language: fences::language_of(&marked.language).unwrap_or(self.language),
                code: fences::unwrapped(&marked.code).to_owned(),
            },
            rationale: marked.why,
            parents: listed(&marked.parents),
        };
        self.take(draft);
    }

    /// A code block is a draft, or several, if a reward function stands in it.
    fn take_block(&mut self, block: fences::Block<'_>, is_cut: bool) {
        if !looks_like_a_reward(&block.code) {
            return;
        }
        if block.is_open && is_cut {
            self.refuse(&block.code, BREAKS_OFF);
            return;
        }
        let mut parents = Vec::new();
        let mut prose = Vec::new();
        for line in block.prose {
            match (labelled(&line, PARENTS), labelled(&line, WHY_KEYS)) {
                (Some(names), _) => parents = listed(names),
                (None, Some(why)) => prose.push(why.to_owned()),
                (None, None) => prose.push(line),
            }
        }
        let draft = Draft {
            name: block.name,
            source: Source {
                language: fences::language_of(block.tag).unwrap_or(self.language),
                code: block.code,
            },
            rationale: prose.join(" "),
            parents,
        };
        self.take(draft);
    }

    /// Takes a draft; or several, where its code holds several rewards.
    fn take(&mut self, draft: Draft) {
        match code::sources(&draft.source.code, draft.source.language) {
            Err(why) => self.refuse(&draft.source.code, &why),
            Ok(sources) => {
                let is_one = sources.len() == 1;
                for (own, source) in sources {
                    let mut draft = Draft {
                        source,
                        ..draft.clone()
                    };
                    // Every reward may be called `reward`; that names none.
                    if let Some(own) = own.filter(|own| own != "reward")
                        && (draft.name.trim().is_empty() || !is_one)
                    {
                        draft.name = own;
                    }
                    self.push(draft);
                }
            }
        }
    }

    /// Takes every draft within `value`. `key` is the key it stands under, a name of last resort.
    fn collect(&mut self, value: &Value, key: Option<&str>, depth: usize) {
        match value {
            Value::Array(items) if depth < DEEPEST => {
                for item in items {
                    self.collect(item, None, depth + 1);
                }
            }
            Value::Object(fields) if has_any(fields, CODE_KEYS) => match self.draft(fields, key) {
                Ok(draft) => self.take(draft),
                Err(reason) => self.refuse(&value.to_string(), reason),
            },
            Value::Object(fields) if has_any(fields, NAME_KEYS) && has_any(fields, WHY_KEYS) => {
                self.refuse(&value.to_string(), "the object has no `code`");
            }
            Value::Object(fields) if depth < DEEPEST => {
                for (key, value) in fields {
                    match value {
                        Value::String(code) if looks_like_a_reward(code) => {
                            let source = Source {
                                language: self.language,
                                code: fences::unwrapped(code).to_owned(),
                            };
                            self.take(Draft {
                                name: key.clone(),
                                source,
                                rationale: String::new(),
                                parents: Vec::new(),
                            });
                        }
                        _ => self.collect(value, Some(key), depth + 1),
                    }
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
const WHY_KEYS: &[&str] = &[
    "description",
    "rationale",
    "explanation",
    "reasoning",
    "why",
];
const PARENTS: &[&str] = &["parents", "parent", "builds on"];
/// Why what was cut off is no draft.
const BREAKS_OFF: &str = "the reply breaks off here; a larger proposer.max_tokens may help";

/// What stands after a label at the beginning of a line, `Why: …` or `**Parents:** …`.
fn labelled<'a>(line: &'a str, labels: &[&str]) -> Option<&'a str> {
    let (label, rest) = line.split_once(':')?;
    let is_mark = |c: char| c.is_whitespace() || matches!(c, '*' | '_' | '-' | '`');
    let label = label.trim_matches(is_mark);
    labels
        .iter()
        .any(|known| known.eq_ignore_ascii_case(label))
        .then(|| rest.trim_start_matches(is_mark))
}

/// Names in a list with commas; none where the list says that there are none.
fn listed(names: &str) -> Vec<String> {
    let is_mark = |c: char| c.is_whitespace() || matches!(c, '`' | '"' | '*' | '[' | ']' | '.');
    names
        .split(',')
        .map(|name| name.trim_matches(is_mark))
        .filter(|name| !name.is_empty() && !name.eq_ignore_ascii_case("none") && *name != "-")
        .map(str::to_owned)
        .collect()
}

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
    code.contains("fn reward") || code.contains("def ") || code.contains("(sample: &Sample)")
}

/// Whether a block holds a reward, and is not a document that holds some.
fn is_reward_block(block: &fences::Block<'_>) -> bool {
    let is_markup = matches!(block.tag, "xml" | "html" | "yaml" | "yml");
    !is_markup && looks_like_a_reward(&block.code) && !block.code.trim_start().starts_with('<')
}

/// The beginning of a text, cut at a character.
fn excerpt(text: &str) -> String {
    let text = text.trim();
    text[..text.floor_char_boundary(EXCERPT)].to_owned()
}

#[cfg(test)]
mod tests;
