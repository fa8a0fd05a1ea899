//! What a person should look at, by rule and severity: the verdict of a probe.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::{
    HackShare, Part, SourceMutants, Worth,
    exam::{Exam, Seen, Shortcut, Standing, Surfaces},
    hacks::KINDS,
};

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Worth knowing; a choice as a rule.
    Note,
    /// A policy may make use of it.
    Warning,
    /// The reward pays for something else than a right answer, or its scores cannot be relied on.
    Error,
}

impl Severity {
    /// Its name, as in SARIF.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Note => "note",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

/// Every rule and what it says, for tables and SARIF.
pub const RULES: [(&str, &str); 18] = [
    ("refused", "A search would refuse the reward."),
    (
        "uncalibrated",
        "No right answer earns anything in any format tried: nothing could be measured.",
    ),
    ("inverted", "Wrong answers earn more than right ones."),
    (
        "answer-blind",
        "Right and wrong answers earn the same in every format tried.",
    ),
    ("blank-pays", "A blank earns as much as a right answer."),
    (
        "shortcut",
        "A completion that answers nothing is paid like a right answer.",
    ),
    (
        "wrong-accepted",
        "A wrong answer is paid like the right one.",
    ),
    (
        "right-refused",
        "Right answers in other words are not paid.",
    ),
    (
        "mutant-survives",
        "Changing the answer of a right completion changes no score.",
    ),
    ("brittle", "A change that cannot matter changes scores."),
    (
        "batch-dependent",
        "Scores depend on the other prompts of the batch.",
    ),
    (
        "group-dependent",
        "Scores depend on the other completions of the prompt.",
    ),
    (
        "order-dependent",
        "Scores depend on the order of the batch.",
    ),
    (
        "nondeterministic",
        "The same completions do not score the same twice.",
    ),
    (
        "prefers-wrong",
        "On the pool wrong completions score above right ones.",
    ),
    (
        "flat",
        "No group of the pool has any variance: nothing to learn from.",
    ),
    (
        "unexercised",
        "Changes to the source that no completion of the pool shows.",
    ),
    (
        "part-dominates",
        "Most of the variance comes from a part that does not tell right from wrong.",
    ),
];

/// One thing found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// The rule, of [`RULES`].
    pub rule: &'static str,
    /// How bad it is.
    pub severity: Severity,
    /// What of the rule: the kind of a shortcut, the name of a part; empty where there is one finding a rule.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub about: String,
    /// A sentence.
    pub message: String,
}

/// A finding that is known already: reward, rule and what of it. Figures are no part of it, so that a baseline lasts.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Known {
    /// The reward's name.
    pub reward: String,
    /// The rule.
    pub rule: String,
    /// What of it.
    #[serde(default)]
    pub about: String,
}

impl Finding {
    /// What a baseline holds of it.
    #[must_use]
    pub fn known(&self, reward: &str) -> Known {
        Known {
            reward: reward.to_owned(),
            rule: self.rule.to_owned(),
            about: self.about.clone(),
        }
    }

    /// That a reward was refused.
    #[must_use]
    pub fn refused(why: &str) -> Self {
        found("refused", Severity::Error, "", why.to_owned())
    }
}

fn found(rule: &'static str, severity: Severity, about: &str, message: String) -> Finding {
    debug_assert!(RULES.iter().any(|(name, _)| *name == rule), "{rule}");
    Finding {
        rule,
        severity,
        about: about.to_owned(),
        message,
    }
}

/// From this share of what a right answer earns above a wrong one a shortcut is an error.
const PAYS: f64 = 0.5;
/// And from this it is worth a warning.
const PAYS_SOMETHING: f64 = 0.1;
/// A wrong answer that earns this much counts as accepted.
const ACCEPTED: f64 = 0.9;
/// Standard errors that an AUC must miss chance by.
const STANDARD_ERRORS: f64 = 2.0;
/// The share of the variance that is too much for a part that does not tell right from wrong, and the AUC below which it does not.
const DOMINATES: (f64, f64) = (0.5, 0.6);
/// Answers that a finding names.
const NAMED: usize = 5;
/// Share of altered answers that may go unseen: what stands elsewhere in a completion, too.
const UNSEEN: f64 = 0.1;

/// What was found of a reward, the worst first.
#[must_use]
pub fn findings(worth: &Worth, exam: &Exam, parts: &[Part]) -> Vec<Finding> {
    let mut findings = steadiness(worth, exam);
    findings.extend(standing(worth, exam));
    if exam.calibration.standing == Standing::Calibrated {
        // Scores of two batches cannot be compared where they depend on the batch.
        if !exam.depends_on_batch {
            findings.extend(shortcuts(&exam.shortcuts));
            findings.extend(of_the_user(&worth.hacks));
        }
        findings.extend(of_surfaces(exam));
    }
    findings.extend(on_the_pool(worth, exam));
    findings.extend(dominating(parts));
    findings.sort_by_key(|finding| std::cmp::Reverse(finding.severity));
    findings
}

fn steadiness(worth: &Worth, exam: &Exam) -> Vec<Finding> {
    let mut all = Vec::new();
    let mut say = |rule, severity, message: &str| {
        all.push(found(rule, severity, "", message.to_owned()));
    };
    if !worth.deterministic {
        say(
            "nondeterministic",
            Severity::Error,
            "the same batch does not score the same twice",
        );
    }
    if !worth.order_independent {
        say(
            "order-dependent",
            Severity::Error,
            "scores change where the batch is scored back to front",
        );
    } else if exam.depends_on_batch {
        say(
            "batch-dependent",
            Severity::Error,
            "scores change with the other prompts of the batch: half of the pool scored alone gives other bits",
        );
    } else if exam.depends_on_group {
        say(
            "group-dependent",
            Severity::Note,
            "scores depend on the other completions of the prompt: trainers that reward one completion at a time cannot run it",
        );
    }
    all
}

fn standing(worth: &Worth, exam: &Exam) -> Option<Finding> {
    let honest = &exam.calibration;
    let tried = honest.tried;
    let tells = worth.auc_within.is_some_and(|auc| {
        auc.standard_error
            .is_some_and(|error| auc.point - STANDARD_ERRORS * error > 0.5)
    });
    match honest.standing {
        Standing::Calibrated if honest.blank >= honest.right => Some(found(
            "blank-pays",
            Severity::Error,
            "",
            format!(
                "a blank earns {:.3}, a right answer {:.3}",
                honest.blank, honest.right
            ),
        )),
        Standing::Calibrated => None,
        // The pool's own completions tell more than made-up ones.
        Standing::Uncalibrated | Standing::AnswerBlind if tells => None,
        Standing::Uncalibrated => Some(found(
            "uncalibrated",
            Severity::Warning,
            "",
            format!(
                "no right answer earns anything in any of {tried} formats tried (everything scores {}): give completions that it pays with --pool",
                honest.right
            ),
        )),
        Standing::Inverted => Some(found(
            "inverted",
            Severity::Error,
            "",
            format!(
                "a wrong answer earns {:.3}, a right one {:.3}",
                honest.wrong, honest.right
            ),
        )),
        Standing::AnswerBlind => Some(found(
            "answer-blind",
            Severity::Warning,
            "",
            format!(
                "a right answer earns no more than a wrong one in any of {tried} formats tried ({:.3} at most): it can be a part of a reward, not all of it",
                honest.right
            ),
        )),
    }
}

fn shortcuts(shortcuts: &[Shortcut]) -> Vec<Finding> {
    let of = |shortcut: &Shortcut| {
        let above = shortcut.above_wrong?;
        let is_answer = shortcut.family == "near-miss";
        let least = if is_answer { ACCEPTED } else { PAYS };
        let severity = if above >= least {
            Severity::Error
        } else if above >= PAYS_SOMETHING {
            Severity::Warning
        } else {
            return None;
        };
        let rule = if is_answer {
            "wrong-accepted"
        } else {
            "shortcut"
        };
        let share = percent(shortcut.share.unwrap_or(above));
        let mut message = format!("{} earns {share} of a right answer", shortcut.kind);
        // Where a wrong answer costs something, what earns nothing is paid for not being one.
        let above = percent(above);
        if above != share {
            message += &format!(", {above} of the way from an honest wrong one to it");
        }
        Some(found(rule, severity, shortcut.kind, message))
    };
    shortcuts.iter().filter_map(of).collect()
}

/// Hacks from a file, beside right completions of the same question: they are errors where half of them earn as much.
fn of_the_user(hacks: &[HackShare]) -> Vec<Finding> {
    let own = hacks.iter().filter(|hack| !KINDS.contains(&&*hack.kind));
    let paid = own.filter(|hack| hack.above + hack.equal >= PAYS);
    paid.map(|hack| {
        let message = format!(
            "{} (from the file) earns at least as much as a right completion in {} of pairs",
            hack.kind,
            percent(hack.above + hack.equal)
        );
        found("shortcut", Severity::Error, &hack.kind, message)
    })
    .collect()
}

fn of_surfaces(exam: &Exam) -> Vec<Finding> {
    let mut all = Vec::new();
    let Surfaces { tried, paid, .. } = &exam.distinctions;
    if !paid.is_empty() {
        let named = some(paid);
        all.push(found(
            "wrong-accepted",
            Severity::Error,
            "distinctions",
            format!(
                "{} of {tried} wrong answers that look alike are paid: {}",
                paid.len(),
                named
            ),
        ));
    }
    let Surfaces {
        tried,
        unpaid,
        paid,
    } = &exam.equivalences;
    if !unpaid.is_empty() {
        let named = some(unpaid);
        // A blank more is an answer in other words, too: what pays none of them compares texts.
        let severity = if paid.is_empty() {
            Severity::Warning
        } else {
            Severity::Note
        };
        all.push(found(
            "right-refused",
            severity,
            "",
            format!(
                "{} of {tried} right answers in other words are not paid: {}",
                unpaid.len(),
                named
            ),
        ));
    }
    all
}

/// The first of each kind, and how many more.
fn some(seen: &[Seen]) -> String {
    let mut kinds = BTreeSet::new();
    let first = seen.iter().filter(|seen| kinds.insert(seen.kind));
    let named: Vec<String> = first
        .take(NAMED)
        .map(|seen| format!("`{}` for {}", seen.answer, seen.reference))
        .collect();
    match seen.len() - named.len() {
        0 => named.join(" · "),
        more => format!("{} and {more} more", named.join(" · ")),
    }
}

fn on_the_pool(worth: &Worth, exam: &Exam) -> Vec<Finding> {
    let mut all = Vec::new();
    let standing = exam.calibration.standing;
    // What is blind to answers orders made-up completions by the styles they were made up in.
    let is_told =
        standing == Standing::Inverted || standing == Standing::AnswerBlind && exam.is_pool_made_up;
    if let Some(within) = worth.auc_within
        && !is_told
        && let Some(error) = within.standard_error
        && within.point + STANDARD_ERRORS * error < 0.5
    {
        all.push(found(
            "prefers-wrong",
            Severity::Warning,
            "",
            format!(
                "AUC within groups {:.3}: on the pool wrong completions score above right ones",
                within.point
            ),
        ));
    }
    // Of what was not measured nothing is said.
    if worth.flat_groups == 1.0 && worth.mixed_groups > 0 && standing != Standing::Uncalibrated {
        all.push(found(
            "flat",
            Severity::Warning,
            "",
            "no group of the pool has any variance: nothing to learn from".to_owned(),
        ));
    }
    if standing != Standing::Calibrated {
        return all;
    }
    let altered = &exam.altered;
    let survived = altered.mutants - altered.killed;
    if survived as f64 > UNSEEN * altered.mutants as f64 {
        all.push(found(
            "mutant-survives",
            Severity::Warning,
            "",
            format!(
                "{survived} of {} right completions of the pool score no less with another answer in them",
                altered.mutants
            ),
        ));
    }
    for relation in altered.relations.iter().filter(|r| 2 * r.same < r.tried) {
        all.push(found(
            "brittle",
            Severity::Note,
            relation.change,
            format!(
                "{} changes the score of {} of {} right completions",
                relation.change,
                relation.tried - relation.same,
                relation.tried
            ),
        ));
    }
    all
}

/// What of the source the pool says nothing of.
#[must_use]
pub fn unexercised(mutants: &SourceMutants) -> Option<Finding> {
    let unseen = &mutants.unseen;
    let shown = unseen.iter().take(NAMED);
    let shown: Vec<String> = shown
        .map(|one| format!("line {}, {}", one.line, one.change))
        .collect();
    let more = match unseen.len().saturating_sub(NAMED) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    (!unseen.is_empty()).then(|| {
        let message = format!(
            "{} of {} small changes to its source move no score of the pool, which says nothing of these places: {}{more}",
            unseen.len(),
            mutants.tried,
            shown.join(" · ")
        );
        found("unexercised", Severity::Note, "", message)
    })
}

/// A part that carries most of the variance and does not tell right from wrong, where another does.
#[must_use]
pub fn dominating(parts: &[Part]) -> Vec<Finding> {
    let (most, chance) = DOMINATES;
    let auc = |part: &Part| part.auc_within.map(|auc| auc.point);
    let tells = |part: &Part| auc(part).is_some_and(|auc| auc > chance);
    let any = parts.iter().any(tells);
    let of = |part: &Part| {
        let share = part.variance_share.filter(|share| *share > most)?;
        let auc = auc(part).filter(|auc| any && *auc <= chance)?;
        Some(found(
            "part-dominates",
            Severity::Warning,
            &part.part,
            format!(
                "{} carries {} of the variance within groups, and tells right from wrong with AUC {auc:.3}",
                part.part,
                percent(share)
            ),
        ))
    };
    parts.iter().filter_map(of).collect()
}

fn percent(share: f64) -> String {
    format!("{:.0} %", 100.0 * share)
}
