//! A brief put into words, a section each.

use std::fmt::Write as _;

use evaluator::Problem;

use super::{detail::Detail, prompt::tag};
use crate::{
    domain::draft::Draft,
    proposer::{
        Background, Curve, Fate, Lesson, PastCandidate, ProbeFigures, Setback, Written, Wrong,
    },
};

/// Points of a curve.
const POINTS: usize = 10;
/// Bytes shown of a source, of a completion, and of a rationale or a reason.
const LONGEST_SOURCE: usize = 6000;
const LONGEST_COMPLETION: usize = 700;
const LONGEST_LINE: usize = 400;
/// Bytes shown of what a compiler says.
const LONGEST_DIAGNOSTIC: usize = 1500;
/// Names of earlier candidates that are listed.
const MOST_NAMES: usize = 60;

pub(super) fn problems(problems: &[Problem], detail: &Detail) -> String {
    let lines = problems.iter().take(detail.problems).map(|p| {
        format!(
            "- {} -> {}",
            one_line(&p.question),
            one_line(p.answer.as_str())
        )
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// Completions of the untouched model.
pub(super) fn written(written: &[Written], detail: &Detail) -> String {
    let shown = written.iter().take(detail.written).map(|w| {
        format!(
            "{}\n(to `{}`, whose answer is {})",
            quoted(&w.completion),
            cut(&one_line(&w.prompt), LONGEST_LINE),
            one_line(&w.answer)
        )
    });
    shown.collect::<Vec<_>>().join("\n\n")
}

/// The rows that candidates are compared with.
pub(super) fn baselines(background: &Background) -> String {
    if background.references.is_empty() {
        return String::new();
    }
    let mut table =
        String::from("| | F1 | 95 % interval | accuracy | answered |\n|---|---|---|---|---|\n");
    for row in &background.references {
        let [low, high] = row.interval;
        let _ = writeln!(
            table,
            "| {} | {:.3} | {low:.3} to {high:.3} | {:.3} | {:.3} |",
            row.name, row.f1, row.accuracy, row.answer_rate
        );
    }
    table.trim_end().to_owned()
}

/// What your function is trained with.
pub(super) fn added(background: &Background) -> String {
    let names: Vec<String> = background
        .base
        .iter()
        .map(|base| format!("`{}` ({})", base.name, one_line(&base.rationale)))
        .collect();
    let (steps, group) = (background.steps, background.group);
    let run = match (steps, group) {
        (0, _) | (_, 0) => String::new(),
        _ => format!(
            " The run that ranks it has {steps} optimiser steps; {group} completions of a question are compared with each other."
        ),
    };
    let sums = "They come to at most 3, 2 and 3 points and at least 0, -4 and -1.5";
    match (background.adds_base, names.is_empty()) {
        (true, false) => format!(
            "Your function is not trained on alone: its score is added to those of the base rewards {}. {sums}, so that yours should be of \
             that size to be felt, and need not pay for what they pay for.{run}",
            names.join(", ")
        ),
        (_, false) => format!(
            "Your function is trained on alone; nothing else pays for form or answer. (The base rewards that it is compared with are {}.){run}",
            names.join(", ")
        ),
        _ => {
            format!("Your function is trained on alone; nothing else pays for form or answer.{run}")
        }
    }
}

/// The ranking as a table, best first.
pub(super) fn history(history: &[PastCandidate], detail: &Detail) -> String {
    let mut table = String::from(
        "| rank | name | round | F1 | 95 % interval | accuracy | answered | right above wrong | flat | idea |\n\
         |---|---|---|---|---|---|---|---|---|---|\n",
    );
    let mut rows = 0;
    for candidate in history {
        let Fate::Ranked {
            rank,
            f1,
            interval: [low, high],
            accuracy,
            answer_rate,
        } = &candidate.fate
        else {
            continue;
        };
        rows += 1;
        if rows > detail.rows {
            continue;
        }
        let probe = candidate.study.probe.as_ref();
        let share =
            |value: Option<f64>| value.map_or("-".to_owned(), |value| format!("{value:.2}"));
        let idea = match &candidate.study.same_as {
            Some(better) => format!(
                "(taught exactly what {better} did) {}",
                candidate.draft.rationale
            ),
            None => candidate.draft.rationale.clone(),
        };
        let _ = writeln!(
            table,
            "| {rank} | {} | {} | {f1:.3} | {low:.3} to {high:.3} | {accuracy:.3} | {answer_rate:.3} | {} | {} | {} |",
            cell(&candidate.draft.name),
            candidate.origin.round().unwrap_or_default(),
            share(probe.and_then(|probe| probe.auc)),
            share(probe.map(|probe| probe.flat)),
            cell(&idea),
        );
    }
    if rows == 0 {
        return match history.is_empty() {
            true => "Nothing yet: this is the first round.".to_owned(),
            false => "Nothing has been ranked yet.".to_owned(),
        };
    }
    if rows > detail.rows {
        let _ = writeln!(table, "\n({} more below these.)", rows - detail.rows);
    }
    format!(
        "{table}\n`right above wrong`: before any training, how often a right completion scores above a wrong one to the same question (0.5 is \
         chance). `flat`: the share of questions to which all completions score the same."
    )
}

/// Sources, each in its block.
pub(super) fn sources(drafts: &[&Draft]) -> String {
    let blocks = drafts.iter().map(|draft| {
        format!(
            "Source of {}:\n\n{}",
            one_line(&draft.name),
            block(draft, LONGEST_SOURCE)
        )
    });
    blocks.collect::<Vec<_>>().join("\n\n")
}

fn block(draft: &Draft, bytes: usize) -> String {
    let code = cut(draft.source.code.trim_end(), bytes);
    let fence = if code.contains("```") { "~~~~" } else { "```" };
    format!("{fence}{}\n{code}\n{fence}", tag(draft.source.language))
}

/// Trainings at ten points each, with what the probe saw.
pub(super) fn curves(candidates: &[&PastCandidate], detail: &Detail) -> String {
    let shown: Vec<String> = candidates
        .iter()
        .take(detail.curves)
        .filter(|c| !c.study.curves.is_empty() || c.study.probe.is_some())
        .map(|c| {
            let width = c.study.curves.iter().map(|curve| curve.of.chars().count());
            let width = width.max().unwrap_or(0);
            let lines = c.study.curves.iter().map(|curve| {
                format!(
                    "  {:width$}  {}",
                    one_line(&curve.of),
                    points(curve).join(" ")
                )
            });
            let mut text = c.draft.name.clone();
            for line in lines.chain(c.study.probe.as_ref().map(probe)) {
                let _ = write!(text, "\n{line}");
            }
            text
        })
        .collect();
    match shown.is_empty() {
        true => String::new(),
        false => format!(
            "Training from the first step to the last, at ten points. `right` is the share of completions whose answer is right, `cut` of those that \
             met the length limit, `flat` of questions without any difference in reward; a line `part …` is a part that the function names itself.\n\n\
             ```text\n{}\n```",
            shown.join("\n\n")
        ),
    }
}

fn probe(probe: &ProbeFigures) -> String {
    let [low, high] = probe.range;
    let mut text = format!("  before any training: scores from {low:.2} to {high:.2}");
    for (name, tau) in &probe.agreement {
        let _ = write!(text, ", agrees with {name} {tau:+.2}");
    }
    let paid: Vec<String> = probe
        .hacks
        .iter()
        .filter(|(_, above)| *above > 0.0)
        .map(|(kind, above)| format!("{kind} ({:.0} %)", above * 100.0))
        .collect();
    if !paid.is_empty() {
        let _ = write!(
            text,
            "; empty tricks that it pays above right answers: {}",
            paid.join(", ")
        );
    }
    text
}

/// A curve's means over ten equal stretches; its steps themselves where it has no more.
fn points(curve: &Curve) -> Vec<String> {
    let values = &curve.values;
    let count = values.len().min(POINTS);
    let mean = |at: usize| {
        let (from, to) = (at * values.len() / count, (at + 1) * values.len() / count);
        let stretch = &values[from..to];
        stretch.iter().sum::<f64>() / stretch.len() as f64
    };
    let places = match values.iter().any(|value| value.abs() >= 20.0) {
        true => 0,
        false => 2,
    };
    (0..count)
        .map(|at| format!("{:.places$}", mean(at)))
        .collect()
}

/// Completions that good candidates got wrong.
pub(super) fn misjudged(candidates: &[&PastCandidate], detail: &Detail) -> String {
    let all = candidates
        .iter()
        .flat_map(|c| c.study.misjudged.iter().map(|m| (&c.draft.name, m)));
    let shown: Vec<String> = all
        .take(detail.misjudged)
        .map(|(name, m)| {
            let what = match m.correct {
                false => format!(
                    "{name} paid a wrong answer the most of all ({:.2}, step {})",
                    m.reward, m.step
                ),
                true => format!(
                    "{name} paid a right answer the least of all ({:.2}, step {})",
                    m.reward, m.step
                ),
            };
            format!(
                "{what}. To `{}` the model wrote:\n{}",
                cut(&one_line(&m.prompt), LONGEST_LINE),
                quoted(&m.completion)
            )
        })
        .collect();
    match shown.is_empty() {
        true => String::new(),
        false => format!(
            "What they got wrong while they trained:\n\n{}",
            shown.join("\n\n")
        ),
    }
}

/// The latest candidates that never got a rank, and why; of the very latest the source.
pub(super) fn failures(history: &[PastCandidate], detail: &Detail) -> String {
    let failed: Vec<(&PastCandidate, &str, &String)> = history
        .iter()
        .filter_map(|candidate| match &candidate.fate {
            Fate::Ranked { .. } => None,
            Fate::Rejected { reason } => Some((candidate, "was rejected", reason)),
            Fate::Failed { reason } => Some((candidate, "failed in training", reason)),
        })
        .collect();
    if failed.is_empty() {
        return String::new();
    }
    let latest = &failed[failed.len().saturating_sub(detail.failures)..];
    let lines: Vec<String> = latest
        .iter()
        .enumerate()
        .map(|(at, (candidate, what, reason))| {
            let name = one_line(&candidate.draft.name);
            let line = format!("- {name} {what}: {}", cut(&one_line(reason), LONGEST_LINE));
            let is_latest = at + detail.failed_sources >= latest.len();
            let has_source =
                candidate.study.same_as.is_none() && !candidate.draft.source.code.trim().is_empty();
            match is_latest && has_source {
                true => format!(
                    "{line}\n\n{}\n",
                    block(&candidate.draft, LONGEST_SOURCE / 2)
                ),
                false => line,
            }
        })
        .collect();
    format!(
        "Without a rank; avoid their mistakes:\n\n{}",
        lines.join("\n").trim_end()
    )
}

/// What earlier rounds taught, the latest last.
pub(super) fn lessons(lessons: &[Lesson], detail: &Detail) -> String {
    let latest = &lessons[lessons.len().saturating_sub(detail.lessons)..];
    let lines = latest.iter().map(|lesson| {
        let text: Vec<&str> = lesson.text.lines().map(str::trim).collect();
        format!("- before round {}: {}", lesson.round, text.join(" "))
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// Drafts that were refused, with what was said of each.
pub(super) fn refused(setbacks: &[Setback]) -> String {
    let told = setbacks.iter().filter_map(|setback| match &setback.why {
        Wrong::Refused(why) => Some(format!(
            "## {}\n\n{}\n\nWhat is wrong:\n{}",
            one_line(&setback.draft.name),
            block(&setback.draft, LONGEST_SOURCE),
            indented(&cut(why.trim(), LONGEST_DIAGNOSTIC))
        )),
        Wrong::Twin { .. } => None,
    });
    told.collect::<Vec<_>>().join("\n\n")
}

/// Drafts that are the same as earlier ones.
pub(super) fn twins(setbacks: &[Setback]) -> String {
    let told = setbacks.iter().filter_map(|setback| match &setback.why {
        Wrong::Twin { of } => Some(format!(
            "- {} is the same as {}: {}",
            one_line(&setback.draft.name),
            one_line(of),
            cut(&one_line(&setback.draft.rationale), LONGEST_LINE)
        )),
        Wrong::Refused(_) => None,
    });
    told.collect::<Vec<_>>().join("\n")
}

/// The names of the latest candidates.
pub(super) fn names(history: &[PastCandidate]) -> String {
    let names: Vec<String> = history.iter().map(|c| one_line(&c.draft.name)).collect();
    match names.is_empty() {
        true => "none yet".to_owned(),
        false => names[names.len().saturating_sub(MOST_NAMES)..].join(", "),
    }
}

/// Text of several lines as a quotation.
pub(super) fn quoted(text: &str) -> String {
    let text = cut(text.trim(), LONGEST_COMPLETION);
    let lines = text.lines().map(|line| format!("> {line}"));
    match text.is_empty() {
        true => "> (nothing)".to_owned(),
        false => lines.collect::<Vec<_>>().join("\n"),
    }
}

fn indented(text: &str) -> String {
    let lines = text.lines().map(|line| format!("    {line}"));
    lines.collect::<Vec<_>>().join("\n")
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
    use super::*;

    #[test]
    fn curves_have_ten_points_or_as_many_as_they_have_steps() {
        let curve = |values: Vec<f64>| Curve {
            of: "reward".to_owned(),
            values,
        };
        assert!(points(&curve(Vec::new())).is_empty());
        assert_eq!(points(&curve(vec![1.0, 0.5])), ["1.00", "0.50"]);
        let rising = points(&curve((0..25).map(f64::from).collect()));
        assert_eq!(rising.len(), 10);
        assert_eq!((&*rising[0], &*rising[9]), ("0", "23"));
    }
}
