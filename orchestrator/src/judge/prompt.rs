//! What a judging model is told: a template, the kind's own or the user's, in minijinja's language.
//!
//! `{name}` may stand for `{{ name }}`. What is put in is never searched for variables itself.

use std::{fs, path::Path};

use minijinja::context;

use crate::{domain::verdict::ModelKind, judge::endpoint::Messages, text::template::Template};

/// What a template may refer to.
const VARIABLES: [&str; 4] = ["question", "reference", "answer", "completion"];

/// A word in braces that is this like a variable is a misspelling of it.
const LIKENESS: f64 = 0.85;

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
pub(super) struct Prompt(Template);

impl Prompt {
    /// The kind's own template, or the one in `file`.
    ///
    /// # Errors
    /// One line that names the file, if it cannot be read, is no template or lacks what a judge must know.
    pub(super) fn load(kind: ModelKind, file: Option<&Path>) -> Result<Self, String> {
        let Some(file) = file else {
            return Self::new(match kind {
                ModelKind::Tinyv => include_str!("prompts/tinyv.md"),
                ModelKind::Xverify => include_str!("prompts/xverify.md"),
                ModelKind::Llm => include_str!("prompts/llm.md"),
            });
        };
        let name = file.display();
        let text = fs::read_to_string(file)
            .map_err(|error| format!("verifier.prompt_file: cannot read {name}: {error}"))?;
        Self::new(&text).map_err(|why| format!("verifier.prompt_file {name}: {why}"))
    }

    fn new(text: &str) -> Result<Self, String> {
        if let Some((wrong, right)) = misspelt(text) {
            return Err(format!(
                "there is no {{{wrong}}}. Did you mean {{{right}}}?"
            ));
        }
        let template = Template::with_single_braces(text.trim_end(), &VARIABLES)?;
        if !template.uses("reference") {
            Err("it needs {reference}, the right answer".to_owned())
        } else if !template.uses("answer") && !template.uses("completion") {
            Err(
                "it needs {answer}, the final answer, or {completion}, the whole response"
                    .to_owned(),
            )
        } else {
            Ok(Self(template))
        }
    }

    /// The message that asks about a case.
    ///
    /// # Errors
    /// One line, if the user's template asks for something that cannot be computed.
    pub(super) fn render(&self, case: &Case<'_>) -> Result<Messages, String> {
        let values = context! {
            question => case.question,
            reference => case.reference,
            answer => case.answer,
            completion => case.completion,
        };
        let user = self.0.render(values);
        Ok(Messages {
            system: None,
            user: user.map_err(|why| format!("verifier.prompt_file: {why}"))?,
        })
    }
}

/// The first `{word}` that is no variable but looks like one, with what it looks like.
fn misspelt(text: &str) -> Option<(&str, &'static str)> {
    let words = text.split('{').skip(1).filter_map(|rest| {
        let (word, _) = rest.split_once('}')?;
        word.bytes().all(|b| b.is_ascii_lowercase()).then_some(word)
    });
    words
        .flat_map(|word| VARIABLES.map(|known| (word, known)))
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
            prompt.render(&CASE).unwrap().user,
            "What is {answer}? | 3 | {reference} | \\boxed{x} {"
        );
    }

    #[test]
    fn templates_that_cannot_work_are_refused() {
        for (text, why) in [
            ("{answer}", "{reference}"),
            (
                "{reference} {question}",
                "{answer}, the final answer, or {completion}",
            ),
            (
                "{reference} {answer} {{ refrence }}",
                "Did you mean `reference`?",
            ),
            ("{reference}\n{% if %}", "line 2"),
            ("{reference} {answer} {qestion}", "Did you mean {question}?"),
        ] {
            let told = Prompt::new(text).unwrap_err();
            assert!(told.contains(why), "{told}");
        }
        let missing = Prompt::load(ModelKind::Llm, Some(Path::new("no/such.md"))).unwrap_err();
        assert!(missing.contains("verifier.prompt_file"), "{missing}");
    }
}
