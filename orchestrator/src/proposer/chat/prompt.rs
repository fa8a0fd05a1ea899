//! The prompt: two templates, and a brief put into words.
//!
//! A template is Markdown with `{{placeholders}}`. What is put in is never searched for placeholders itself.

use std::{fmt, fmt::Write, fs, io, path::Path};

use evaluator::Problem;
use sandbox::Language;

use super::Brief;
use crate::proposer::{Fate, PastCandidate};

/// What templates may refer to.
const PLACEHOLDERS: [&str; 10] = [
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

/// The templates of both messages, known to hold only [`PLACEHOLDERS`].
#[derive(Debug)]
pub(super) struct Templates {
    system: String,
    user: String,
}

impl Templates {
    /// The built-in templates, or those of `folder` where it has them.
    pub(super) fn load(folder: Option<&Path>) -> Result<Self, String> {
        let built_in = [
            ("system.md", include_str!("../prompts/system.md")),
            ("user.md", include_str!("../prompts/user.md")),
        ];
        let Some(folder) = folder else {
            let [(_, system), (_, user)] = built_in;
            return Ok(Self {
                system: system.to_owned(),
                user: user.to_owned(),
            });
        };
        let mut own = 0;
        let mut texts = Vec::new();
        for (name, default) in built_in {
            let path = folder.join(name);
            match fs::read_to_string(&path) {
                Ok(text) => {
                    check(&text)
                        .map_err(|why| format!("prompt template {}: {why}", path.display()))?;
                    own += 1;
                    texts.push(text);
                }
                Err(error) if error.kind() == io::ErrorKind::NotFound => {
                    texts.push(default.to_owned())
                }
                Err(error) => return Err(format!("prompt template {}: {error}", path.display())),
            }
        }
        if own == 0 {
            return Err(format!(
                "proposer.prompt_dir {} holds neither a system.md nor a user.md",
                folder.display()
            ));
        }
        let user = texts.pop().expect("two texts were read");
        let system = texts.pop().expect("two texts were read");
        Ok(Self { system, user })
    }

    /// The prompt for a round.
    pub(super) fn render(&self, brief: &Brief<'_>, language: Language) -> Prompt {
        let value = |name: &str| match name {
            "language" => language_name(language).to_owned(),
            "example" => example(language).to_owned(),
            "sdk_reference" => reference(language).trim().to_owned(),
            "round" => brief.round.to_string(),
            "count" => brief.count.to_string(),
            "format_hint" => brief.format_hint.trim().to_owned(),
            "problems" => problems(brief.problems),
            "history" => history(brief.history),
            "best" => best(brief.history),
            "failures" => failures(brief.history),
            // Templates are checked when they are loaded.
            other => format!("{{{{{other}}}}}"),
        };
        Prompt {
            system: fill(&self.system, value),
            user: fill(&self.user, value),
        }
    }
}

/// What is wrong with a template, if anything.
fn check(template: &str) -> Result<(), String> {
    let mut unknown = None;
    fill(template, |name| {
        if !PLACEHOLDERS.contains(&name) {
            unknown.get_or_insert_with(|| name.to_owned());
        }
        String::new()
    });
    match unknown {
        Some(name) => Err(format!(
            "unknown placeholder {{{{{name}}}}}; there are {}",
            PLACEHOLDERS.join(", ")
        )),
        None if template.trim().is_empty() => Err("it is empty".to_owned()),
        None => Ok(()),
    }
}

/// `template` with each `{{name}}` replaced by `value(name)`, in one pass.
fn fill(template: &str, mut value: impl FnMut(&str) -> String) -> String {
    let mut text = String::with_capacity(template.len());
    let mut rest = template;
    while let Some((before, opened)) = rest.split_once("{{") {
        text.push_str(before);
        match opened.split_once("}}") {
            Some((name, after)) if is_name(name) => {
                text.push_str(&value(name));
                rest = after;
            }
            _ => {
                text.push_str("{{");
                rest = opened;
            }
        }
    }
    text.push_str(rest);
    text
}

fn is_name(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_lowercase() || b == b'_')
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

    use evaluator::Answer;

    use super::*;
    use crate::domain::{candidate::Origin, draft::Draft};
    use sandbox::Source;

    fn past(name: &str, fate: Fate) -> PastCandidate {
        PastCandidate {
            origin: Origin::Round(1),
            draft: Draft {
                name: name.to_owned(),
                source: Source::rust(format!("// {name} {{{{count}}}}")),
                rationale: "pays | for\n{{round}}".to_owned(),
                parents: Vec::new(),
            },
            fate,
        }
    }

    fn ranked(rank: usize) -> Fate {
        Fate::Ranked {
            rank,
            f1: 0.75,
            interval: [0.7, 0.8],
            accuracy: 0.6,
            answer_rate: 0.99,
            reward_curve: vec![0.0, 0.5, 1.0],
            correct_curve: Vec::new(),
        }
    }

    fn render(history: &[PastCandidate]) -> Prompt {
        render_in(Language::Rust, history)
    }

    fn render_in(language: Language, history: &[PastCandidate]) -> Prompt {
        let problems = [Problem {
            question: "1 + 1 ?".to_owned(),
            answer: Answer::new("2"),
            solution: None,
        }];
        let brief = Brief {
            round: 3,
            count: 8,
            seed: 0,
            history,
            problems: &problems,
            format_hint: "Answers look like <solution> 2 </solution>.",
        };
        Templates::load(None).unwrap().render(&brief, language)
    }

    #[test]
    fn built_in_templates_are_sound() {
        let templates = Templates::load(None).unwrap();
        assert_eq!(check(&templates.system), Ok(()));
        assert_eq!(check(&templates.user), Ok(()));
        let prompt = render(&[]);
        assert!(!prompt.to_string().contains("{{"), "{prompt}");
        assert!(prompt.system.contains(sandbox::SDK_REFERENCE.trim()));
        assert!(prompt.user.contains("Propose 8 reward functions"));
        assert!(prompt.user.contains("- 1 + 1 ? -> 2"));
        assert!(prompt.user.contains("first round"));
        assert!(prompt.user.contains("Answers look like"));
    }

    #[test]
    fn a_prompt_for_python_speaks_of_python_alone() {
        let prompt = render_in(Language::Python, &[]);
        assert!(
            prompt
                .system
                .contains("Python source with one public function")
        );
        assert!(prompt.system.contains(sandbox::PYTHON_REFERENCE.trim()));
        assert!(prompt.system.contains(
            r#""code": "def reward(prompts, completions, answer, **kwargs):\n    return [...]""#
        ));
        assert!(!prompt.system.contains("Rust") && !prompt.system.contains("{{"));
    }

    #[test]
    fn the_history_is_told_whole() {
        let prompt = render(&[
            past("best", ranked(1)),
            past("second", ranked(2)),
            past("third", ranked(3)),
            past("fourth", ranked(4)),
            past(
                "broken",
                Fate::Rejected {
                    reason: "error[E0425]:\n cannot find".to_owned(),
                },
            ),
            past(
                "slow",
                Fate::Failed {
                    reason: "out of fuel".to_owned(),
                },
            ),
        ]);
        let row = "| 1 | best | 1 | 0.750 | 0.700 to 0.800 | 0.600 | 0.990 | 0.00 → 0.50 → 1.00 | - | pays / for {{round}} |";
        assert!(prompt.user.contains(row), "{}", prompt.user);
        assert!(
            prompt.user.contains("```rust\n// third {{count}}\n```"),
            "not searched for placeholders"
        );
        assert!(!prompt.user.contains("// fourth"));
        assert!(
            prompt
                .user
                .contains("- broken was rejected: error[E0425]: cannot find")
        );
        assert!(
            prompt
                .user
                .contains("- slow failed in training: out of fuel")
        );
    }

    #[test]
    fn templates_of_ones_own() {
        let folder = tempfile::tempdir().unwrap();
        let why = Templates::load(Some(folder.path())).unwrap_err();
        assert!(why.contains("neither"), "{why}");
        fs::write(
            folder.path().join("user.md"),
            "Give {{count}}, {{ not this }} {{",
        )
        .unwrap();
        let templates = Templates::load(Some(folder.path())).unwrap();
        assert_eq!(
            fill(&templates.user, |_| "8".to_owned()),
            "Give 8, {{ not this }} {{"
        );
        fs::write(folder.path().join("system.md"), "{{cuont}}").unwrap();
        let why = Templates::load(Some(folder.path())).unwrap_err();
        assert!(why.contains("{{cuont}}") && why.contains("count"), "{why}");
    }

    #[test]
    fn curves_are_summed_up() {
        assert_eq!(curve(&[]), "-");
        assert_eq!(curve(&[1.0]), "1.00 → 1.00 → 1.00");
        let rising: Vec<f64> = (0..25).map(f64::from).collect();
        assert_eq!(curve(&rising), "2.00 → 12.00 → 22.00");
    }
}
