//! What a judging model is told: a template with placeholders, the kind's own or the user's.
//!
//! What is put in is never searched for placeholders itself.

use std::{fs, path::Path};

use crate::{domain::verdict::ModelKind, judge::endpoint::Messages};

/// What a template may refer to.
const PLACEHOLDERS: [Placeholder; 4] = [
    Placeholder::Question,
    Placeholder::Reference,
    Placeholder::Answer,
    Placeholder::Completion,
];

/// A placeholder that is this like a known one is a misspelling of it.
const LIKENESS: f64 = 0.85;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Placeholder {
    Question,
    Reference,
    Answer,
    Completion,
}

impl Placeholder {
    const fn name(self) -> &'static str {
        match self {
            Self::Question => "question",
            Self::Reference => "reference",
            Self::Answer => "answer",
            Self::Completion => "completion",
        }
    }
}

/// What is judged.
#[derive(Debug, Clone, Copy)]
pub(super) struct Case<'a> {
    pub(super) question: &'a str,
    pub(super) reference: &'a str,
    /// The final answer; empty if there is none.
    pub(super) answer: &'a str,
    /// The whole response.
    pub(super) completion: &'a str,
}

/// A template, known to tell the model what it needs.
#[derive(Debug, Clone)]
pub(super) struct Prompt {
    text: String,
}

impl Prompt {
    /// The kind's own template, or the one in `file`.
    ///
    /// # Errors
    /// If the file cannot be read or lacks a placeholder, in one line that names it.
    pub(super) fn load(kind: ModelKind, file: Option<&Path>) -> Result<Self, String> {
        let Some(file) = file else {
            let text = match kind {
                ModelKind::Tinyv => include_str!("prompts/tinyv.md"),
                ModelKind::Xverify => include_str!("prompts/xverify.md"),
                ModelKind::Llm => include_str!("prompts/llm.md"),
            };
            return Self::new(text);
        };
        let name = file.display();
        let text = fs::read_to_string(file)
            .map_err(|error| format!("verifier.prompt_file: cannot read {name}: {error}"))?;
        Self::new(&text).map_err(|why| format!("verifier.prompt_file {name} {why}"))
    }

    fn new(text: &str) -> Result<Self, String> {
        let has = |placeholder: Placeholder| text.contains(&format!("{{{}}}", placeholder.name()));
        if !has(Placeholder::Reference) {
            return Err("needs the placeholder {reference}".to_owned());
        }
        if !has(Placeholder::Answer) && !has(Placeholder::Completion) {
            return Err("needs one of the placeholders {answer} and {completion}".to_owned());
        }
        match misspelt(text) {
            Some((wrong, right)) => Err(format!(
                "has the unknown placeholder {{{wrong}}}. Did you mean {{{right}}}?"
            )),
            None => Ok(Self {
                text: text.trim_end().to_owned(),
            }),
        }
    }

    /// The template with a case put in.
    pub(super) fn render(&self, case: &Case<'_>) -> Messages {
        let mut user = String::with_capacity(self.text.len() + case.completion.len());
        let mut rest = self.text.as_str();
        while let Some(at) = rest.find('{') {
            user.push_str(&rest[..at]);
            rest = &rest[at..];
            let found = PLACEHOLDERS.into_iter().find_map(|placeholder| {
                let after = rest[1..]
                    .strip_prefix(placeholder.name())?
                    .strip_prefix('}')?;
                Some((placeholder, after))
            });
            match found {
                Some((placeholder, after)) => {
                    user.push_str(case.of(placeholder));
                    rest = after;
                }
                None => {
                    user.push('{');
                    rest = &rest[1..];
                }
            }
        }
        user.push_str(rest);
        Messages { system: None, user }
    }
}

impl<'a> Case<'a> {
    fn of(&self, placeholder: Placeholder) -> &'a str {
        match placeholder {
            Placeholder::Question => self.question,
            Placeholder::Reference => self.reference,
            Placeholder::Answer => self.answer,
            Placeholder::Completion => self.completion,
        }
    }
}

/// The first `{word}` that is no placeholder but looks like one, with what it looks like.
fn misspelt(text: &str) -> Option<(&str, &'static str)> {
    let words = text.split('{').skip(1).filter_map(|rest| {
        let (word, _) = rest.split_once('}')?;
        word.bytes().all(|b| b.is_ascii_lowercase()).then_some(word)
    });
    words
        .flat_map(|word| PLACEHOLDERS.map(|known| (word, known.name())))
        .find(|(word, known)| word != known && strsim::jaro_winkler(word, known) > LIKENESS)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    const CASE: Case<'static> = Case {
        question: "What is {answer}?",
        reference: "3",
        answer: "{reference}",
        completion: "so three",
    };

    #[test]
    fn what_is_put_in_is_not_searched_again() {
        let prompt = Prompt::new("{question} | {reference} | {answer} | \\boxed{x} {").unwrap();
        assert_eq!(
            prompt.render(&CASE).user,
            "What is {answer}? | 3 | {reference} | \\boxed{x} {"
        );
    }

    #[test]
    fn every_kind_has_a_template_that_tells_all_it_needs() {
        for kind in [ModelKind::Tinyv, ModelKind::Xverify, ModelKind::Llm] {
            let prompt = Prompt::load(kind, None).unwrap();
            let user = prompt.render(&CASE).user;
            assert!(user.contains("What is {answer}?"), "{user}");
            assert!(!user.contains("{completion}") && !user.contains("{question}"));
        }
    }

    #[test]
    fn templates_that_cannot_work_are_refused() {
        for (text, why) in [
            ("{answer}", "{reference}"),
            ("{reference} {question}", "{answer} and {completion}"),
            ("{reference} {answer} {qestion}", "Did you mean {question}?"),
        ] {
            let told = Prompt::new(text).unwrap_err();
            assert!(told.contains(why), "{told}");
        }
        let missing = Prompt::load(ModelKind::Llm, Some(Path::new("no/such.md"))).unwrap_err();
        assert!(missing.contains("verifier.prompt_file"), "{missing}");
    }
}
