//! The prompt: two templates, and a brief put into words.
//!
//! A template is Markdown with `{{ variables }}`, in minijinja's language. What is put in is never searched for variables itself.

use std::{fmt, fmt::Write, fs, io, path::Path};

use evaluator::Problem;
use minijinja::context;
use sandbox::Language;

use super::Brief;
use crate::{
    proposer::{Fate, PastCandidate},
    text::template::Template,
};

/// What templates may refer to.
const VARIABLES: [&str; 10] = [
    "language",
    "example",
    "sdk_reference",
    "round",
    "count",
    "format_hint",
    "problems",
    "history",
    "best",
    "failures",
];
/// Rows of the ranking that are shown.
const MOST_RANKED: usize = 40;
/// Sources of the best that are shown.
const MOST_SOURCES: usize = 3;
/// Rejected and failed candidates that are shown, the latest.
const MOST_FAILURES: usize = 12;
/// Bytes shown of a source.
const LONGEST_SOURCE: usize = 6000;
/// Bytes shown of a rationale or a reason.
const LONGEST_LINE: usize = 400;

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

/// The templates of both messages.
#[derive(Debug)]
pub(super) struct Templates {
    system: Template,
    user: Template,
}

/// The name of a template in a user's folder, and the text that is used where the folder has none.
type BuiltIn = (&'static str, &'static str);

const SYSTEM: BuiltIn = ("system.md", include_str!("../prompts/system.md"));
const USER: BuiltIn = ("user.md", include_str!("../prompts/user.md"));

impl Templates {
    /// Compiles the built-in templates, or those of `folder` where it has them.
    ///
    /// # Errors
    /// One line that names the file, if one cannot be read or used, or if the folder has neither.
    pub(super) fn load(folder: Option<&Path>) -> Result<Self, String> {
        let own = |(name, _): BuiltIn| folder.map(|folder| own(&folder.join(name))).transpose();
        let (system, user) = (own(SYSTEM)?.flatten(), own(USER)?.flatten());
        if let (Some(folder), None, None) = (folder, &system, &user) {
            return Err(format!(
                "proposer.prompt_dir {} holds neither a system.md nor a user.md",
                folder.display()
            ));
        }
        let built_in = |(_, text): BuiltIn| Template::new(text, &VARIABLES);
        Ok(Self {
            system: system.map_or_else(|| built_in(SYSTEM), Ok)?,
            user: user.map_or_else(|| built_in(USER), Ok)?,
        })
    }

    /// Writes the prompt for a round.
    ///
    /// # Errors
    /// One line, if a template of the user's asks for something that cannot be computed.
    pub(super) fn render(&self, brief: &Brief<'_>, language: Language) -> Result<Prompt, String> {
        let values = context! {
            language => language_name(language),
            example => example(language),
            sdk_reference => reference(language).trim(),
            round => brief.round,
            count => brief.count,
            format_hint => brief.format_hint.trim(),
            problems => problems(brief.problems),
            history => history(brief.history),
            best => best(brief.history),
            failures => failures(brief.history),
        };
        let render = |template: &Template| {
            let rendered = template.render(values.clone());
            rendered.map_err(|why| format!("a template of proposer.prompt_dir: {why}"))
        };
        Ok(Prompt {
            system: render(&self.system)?,
            user: render(&self.user)?,
        })
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

/// A reward function in one line of a JSON string.
const fn example(language: Language) -> &'static str {
    match language {
        Language::Rust => "pub fn reward(sample: &Sample) -> f64 { ... }",
        Language::Python => {
            r"def reward(prompts, completions, answer, **kwargs):\n    return [...]"
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

fn problems(problems: &[Problem]) -> String {
    let lines: Vec<String> = problems
        .iter()
        .map(|p| {
            format!(
                "- {} -> {}",
                one_line(&p.question),
                one_line(p.answer.as_str())
            )
        })
        .collect();
    lines.join("\n")
}

/// The ranking as a table, best first.
fn history(history: &[PastCandidate]) -> String {
    let mut table = String::from(
        "| rank | name | round | F1 | 95 % interval | accuracy | answered | reward in training | right in training | idea |\n\
         |---|---|---|---|---|---|---|---|---|---|\n",
    );
    let mut rows = 0;
    for candidate in history.iter() {
        let Fate::Ranked {
            rank,
            f1,
            interval: [low, high],
            accuracy,
            answer_rate,
            reward_curve,
            correct_curve,
        } = &candidate.fate
        else {
            continue;
        };
        rows += 1;
        if rows > MOST_RANKED {
            continue;
        }
        let _ = writeln!(
            table,
            "| {rank} | {} | {} | {f1:.3} | {low:.3} to {high:.3} | {accuracy:.3} | {answer_rate:.3} | {} | {} | {} |",
            cell(&candidate.draft.name),
            candidate.origin.round().unwrap_or_default(),
            curve(reward_curve),
            curve(correct_curve),
            cell(&candidate.draft.rationale),
        );
    }
    match rows {
        0 => "Nothing yet: this is the first round.".to_owned(),
        1..=MOST_RANKED => table,
        _ => format!("{table}\n({} more below these.)", rows - MOST_RANKED),
    }
}

/// The sources of the best candidates.
fn best(history: &[PastCandidate]) -> String {
    let mut text = String::new();
    let ranked = history
        .iter()
        .filter(|c| matches!(c.fate, Fate::Ranked { .. }));
    for candidate in ranked.take(MOST_SOURCES) {
        let tag = match candidate.draft.source.language {
            Language::Rust => "rust",
            Language::Python => "python",
        };
        let code = cut(candidate.draft.source.code.trim_end(), LONGEST_SOURCE);
        let _ = write!(
            text,
            "Source of {}:\n\n```{tag}\n{code}\n```\n\n",
            one_line(&candidate.draft.name)
        );
    }
    text.trim_end().to_owned()
}

/// The latest candidates that never got a rank, and why.
fn failures(history: &[PastCandidate]) -> String {
    let lines: Vec<String> = history
        .iter()
        .filter_map(|candidate| {
            let (what, reason) = match &candidate.fate {
                Fate::Ranked { .. } => return None,
                Fate::Rejected { reason } => ("was rejected", reason),
                Fate::Failed { reason } => ("failed in training", reason),
            };
            let name = one_line(&candidate.draft.name);
            Some(format!(
                "- {name} {what}: {}",
                cut(&one_line(reason), LONGEST_LINE)
            ))
        })
        .collect();
    if lines.is_empty() {
        return String::new();
    }
    let latest = &lines[lines.len().saturating_sub(MOST_FAILURES)..];
    format!(
        "Without a rank; avoid their mistakes:\n\n{}",
        latest.join("\n")
    )
}

/// A curve by its beginning, middle and end: means of a fifth of it each, so that a noisy step does not mislead.
fn curve(values: &[f64]) -> String {
    if values.is_empty() {
        return "-".to_owned();
    }
    let width = (values.len() / 5).max(1);
    let mean = |from: usize| values[from..from + width].iter().sum::<f64>() / width as f64;
    let [first, middle, last] = [0, (values.len() - width) / 2, values.len() - width].map(mean);
    format!("{first:.2} → {middle:.2} → {last:.2}")
}

/// Text for one cell of a table.
fn cell(text: &str) -> String {
    cut(&one_line(text), LONGEST_LINE).replace('|', "/")
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn cut(text: &str, bytes: usize) -> String {
    match text.len() <= bytes {
        true => text.to_owned(),
        false => format!("{}…", &text[..text.floor_char_boundary(bytes)]),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn templates_of_ones_own() {
        let folder = tempfile::tempdir().unwrap();
        let load = || Templates::load(Some(folder.path()));
        let why = load().unwrap_err();
        assert!(why.contains("neither"), "{why}");
        let own = "Give {{count}}{% if round > 1 %} more{% endif %}.\n";
        fs::write(folder.path().join("user.md"), own).unwrap();
        let brief = Brief {
            round: 2,
            count: 8,
            seed: 0,
            history: &[],
            problems: &[],
            format_hint: "",
        };
        let prompt = load().unwrap().render(&brief, Language::Rust).unwrap();
        assert_eq!(prompt.user, "Give 8 more.\n");
        assert!(prompt.system.contains(sandbox::SDK_REFERENCE.trim()));
        for (bad, says) in [
            ("{{cuont}}", "Did you mean `count`?"),
            ("one\n{% nonsense %}", "system.md: line 2"),
            ("\n", "it is empty"),
        ] {
            fs::write(folder.path().join("system.md"), bad).unwrap();
            let why = load().unwrap_err();
            assert!(why.contains(says), "{why}");
        }
    }

    #[test]
    fn curves_are_summed_up() {
        assert_eq!(curve(&[]), "-");
        assert_eq!(curve(&[1.0]), "1.00 → 1.00 → 1.00");
        let rising: Vec<f64> = (0..25).map(f64::from).collect();
        assert_eq!(curve(&rising), "2.00 → 12.00 → 22.00");
    }
}
