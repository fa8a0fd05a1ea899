//! The prompts: four templates, and what is put into them.
//!
//! A template is Markdown with `{{ variables }}`, in minijinja's language. What is put in is never searched for variables itself.

use std::{fmt, fs, io, path::Path};

use minijinja::{Value, context};
use sandbox::Language;

use super::{
    Brief,
    detail::{self, Detail},
    errand::{Errand, Move},
    told,
};
use crate::{
    proposer::{Aftermath, Unreadable},
    text::template::Template,
};

/// What templates may refer to.
const VARIABLES: [&str; 31] = [
    "language",
    "tag",
    "example",
    "sdk_reference",
    "round",
    "count",
    "format_hint",
    "problems",
    "written",
    "baselines",
    "added",
    "seeds",
    "history",
    "best",
    "curves",
    "misjudged",
    "failures",
    "lessons",
    "asks_lessons",
    "errand",
    "chosen",
    "refused",
    "twins",
    "missing",
    "names",
    "user",
    "reason",
    "excerpt",
    "base",
    "steps",
    "group",
];

/// A rendered prompt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Prompt {
    pub(super) system: String,
    pub(super) user: String,
}

impl fmt::Display for Prompt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "[system]\n{}\n\n[user]\n{}",
            self.system.trim_end(),
            self.user.trim_end()
        )
    }
}

impl Prompt {
    /// About how many tokens it has.
    pub(super) fn tokens(&self) -> usize {
        (self.system.len() + self.user.len()) / super::BYTES_PER_TOKEN
    }
}

/// The templates of all messages.
#[derive(Debug)]
pub(super) struct Templates {
    system: Template,
    user: Template,
    follow_up: Template,
    unreadable: Template,
}

/// The name of a template in a user's folder, and the text that is used where the folder has none.
type BuiltIn = (&'static str, &'static str);

const SYSTEM: BuiltIn = ("system.md", include_str!("../prompts/system.md"));
const USER: BuiltIn = ("user.md", include_str!("../prompts/user.md"));
const FOLLOW_UP: BuiltIn = ("follow_up.md", include_str!("../prompts/follow_up.md"));
const UNREADABLE: BuiltIn = ("unreadable.md", include_str!("../prompts/unreadable.md"));

/// How a prompt is written, whatever it is about.
#[derive(Debug, Clone, Copy)]
pub(super) struct Form {
    /// The language rewards are written in.
    pub(super) language: Language,
    /// Tokens it should not exceed.
    pub(super) budget: usize,
}

impl Templates {
    /// Compiles the built-in templates, or those of `folder` where it has them.
    ///
    /// # Errors
    /// One line that names the file, if one cannot be read or used, or if the folder has none.
    pub(super) fn load(folder: Option<&Path>) -> Result<Self, String> {
        let mut found = 0;
        let mut load = |(name, text): BuiltIn| {
            let own = folder.map(|folder| own(&folder.join(name))).transpose()?;
            match own.flatten() {
                Some(template) => {
                    found += 1;
                    Ok(template)
                }
                None => Template::new(text, &VARIABLES),
            }
        };
        let templates = Self {
            system: load(SYSTEM)?,
            user: load(USER)?,
            follow_up: load(FOLLOW_UP)?,
            unreadable: load(UNREADABLE)?,
        };
        match folder {
            Some(folder) if found == 0 => Err(format!(
                "proposer.templates {} holds neither a system.md nor a user.md, a follow_up.md or an unreadable.md",
                folder.display()
            )),
            _ => Ok(templates),
        }
    }

    /// Writes the prompt of a request, with as much of what is known as its budget allows.
    ///
    /// # Errors
    /// One line, if a template of the user's asks for something that cannot be computed.
    pub(super) fn ask(
        &self,
        brief: &Brief<'_>,
        errand: &Errand,
        form: Form,
    ) -> Result<Prompt, String> {
        let mut last = None;
        for detail in detail::from_most() {
            let user = render(&self.user, told_values(brief, errand, &detail, form))?;
            let prompt = Prompt {
                system: self.system(form)?,
                user,
            };
            if prompt.tokens() <= form.budget {
                return Ok(prompt);
            }
            last = Some(prompt);
        }
        let prompt = last.expect("there is a least detail");
        tracing::warn!(
            tokens = prompt.tokens(),
            "the prompt is longer than proposer.prompt_tokens ({}) with all left out that may be",
            form.budget
        );
        Ok(prompt)
    }

    /// Writes the prompt that asks for what a round still lacks.
    ///
    /// # Errors
    /// As [`Templates::ask`].
    pub(super) fn follow_up(
        &self,
        brief: &Brief<'_>,
        aftermath: Aftermath<'_>,
        form: Form,
    ) -> Result<Prompt, String> {
        let values = context! {
            round => brief.round,
            count => aftermath.setbacks.len() + aftermath.missing,
            format_hint => brief.format_hint.trim(),
            refused => told::refused(aftermath.setbacks),
            twins => told::twins(aftermath.setbacks),
            missing => aftermath.missing,
            names => told::names(brief.history),
            ..general(form.language)
        };
        Ok(Prompt {
            system: self.system(form)?,
            user: render(&self.follow_up, values)?,
        })
    }

    /// Writes the prompt that asks once more, after a reply that held no draft.
    ///
    /// # Errors
    /// As [`Templates::ask`].
    pub(super) fn unreadable(
        &self,
        asked: &Prompt,
        unreadable: &[Unreadable],
        form: Form,
    ) -> Result<Prompt, String> {
        let first = unreadable.first();
        let values = context! {
            user => asked.user.trim_end(),
            reason => first.map_or("", |piece| &piece.reason),
            excerpt => first.map_or_else(String::new, |piece| told::quoted(&piece.text)),
            ..general(form.language)
        };
        Ok(Prompt {
            system: asked.system.clone(),
            user: render(&self.unreadable, values)?,
        })
    }

    fn system(&self, form: Form) -> Result<String, String> {
        render(&self.system, general(form.language))
    }
}

fn render(template: &Template, values: Value) -> Result<String, String> {
    let rendered = template.render(values);
    rendered.map_err(|why| format!("a template of proposer.templates: {why}"))
}

/// The values of every template; those of others are empty.
fn general(language: Language) -> Value {
    let empty: Vec<(&str, &str)> = VARIABLES.iter().map(|name| (*name, "")).collect();
    context! {
        language => language_name(language),
        tag => tag(language),
        example => example(language),
        sdk_reference => reference(language).trim(),
        missing => 0,
        asks_lessons => false,
        ..Value::from_iter(empty)
    }
}

/// The values of `user.md`.
fn told_values(brief: &Brief<'_>, errand: &Errand, detail: &Detail, form: Form) -> Value {
    let background = brief.background;
    let chosen = errand.sources(brief, detail);
    let names: Vec<&str> = chosen.iter().map(|c| &*c.draft.name).collect();
    context! {
        round => brief.round,
        count => errand.count,
        format_hint => brief.format_hint.trim(),
        problems => told::problems(brief.problems, detail),
        written => told::written(&background.written, detail),
        baselines => told::baselines(background),
        added => told::added(background),
        base => told::sources(&background.base.iter().collect::<Vec<_>>()),
        seeds => told::sources(&background.seeds.iter().collect::<Vec<_>>()),
        steps => background.steps,
        group => background.group,
        history => told::history(brief.history, detail),
        best => told::sources(&chosen.iter().map(|c| &c.draft).collect::<Vec<_>>()),
        curves => told::curves(&chosen, detail),
        misjudged => told::misjudged(&chosen, detail),
        failures => told::failures(brief.history, detail),
        lessons => told::lessons(&background.lessons, detail),
        asks_lessons => errand.notes && brief.round > 1,
        errand => match errand.kind {
            Move::All => "all",
            Move::Fresh => "fresh",
            Move::Mutate => "mutate",
            Move::Combine => "combine",
        },
        chosen => names.join(", "),
        ..general(form.language)
    }
}

/// The template in a file of the user's, if the file is there.
fn own(file: &Path) -> Result<Option<Template>, String> {
    let refused = |why: String| format!("prompt template {}: {why}", file.display());
    let text = match fs::read_to_string(file) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(refused(error.to_string())),
    };
    if text.trim().is_empty() {
        return Err(refused("it is empty".to_owned()));
    }
    Template::new(&text, &VARIABLES).map(Some).map_err(refused)
}

const fn language_name(language: Language) -> &'static str {
    match language {
        Language::Rust => "Rust",
        Language::Python => "Python",
    }
}

/// What stands behind the fence of a block.
pub(super) const fn tag(language: Language) -> &'static str {
    match language {
        Language::Rust => "rust",
        Language::Python => "python",
    }
}

/// A reward function that is no idea of its own.
const fn example(language: Language) -> &'static str {
    match language {
        Language::Rust => {
            "pub fn reward(sample: &Sample) -> f64 {\n    if sample.correct() { 1.0 } else { 0.0 }\n}"
        }
        Language::Python => {
            "def reward(completions, correct, **kwargs):\n    return [1.0 if right else 0.0 for right in correct]"
        }
    }
}

/// What a reward function may use.
const fn reference(language: Language) -> &'static str {
    match language {
        Language::Rust => sandbox::SDK_REFERENCE,
        Language::Python => sandbox::PYTHON_REFERENCE,
    }
}
