//! `verify --pairs`: a file of answers with their references, judged; where labels are known, how well.

use std::{
    io::{Write as _, stdout},
    path::Path,
};

use anyhow::{Context as _, bail};
use evaluator::{Answer, ExtractionConfig, Outcome, Strategy, extract_with};
use serde::Serialize;
use serde_json::{Value, json};

use crate::{
    cli::arguments::{Format, VerifyArgs},
    domain::decider::Tally,
    judge::{Given, Judge, Judgement, Question},
    terminal::table::{Column, Table},
    text::{one_line, share},
};

/// Characters of an answer in a table.
const EXCERPT: usize = 60;

/// A line of the file.
struct Pair {
    id: String,
    question: String,
    reference: Answer,
    given: String,
    is_text: bool,
    label: Option<bool>,
}

/// How verdicts and labels agree.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Serialize)]
struct Agreement {
    true_positives: u64,
    false_positives: u64,
    false_negatives: u64,
    true_negatives: u64,
}

impl Agreement {
    fn count(&mut self, verdict: bool, label: bool) {
        *match (verdict, label) {
            (true, true) => &mut self.true_positives,
            (true, false) => &mut self.false_positives,
            (false, true) => &mut self.false_negatives,
            (false, false) => &mut self.true_negatives,
        } += 1;
    }

    fn total(self) -> u64 {
        self.true_positives + self.false_positives + self.false_negatives + self.true_negatives
    }

    /// Right acceptances over all.
    fn precision(self) -> Option<f64> {
        ratio(
            self.true_positives,
            self.true_positives + self.false_positives,
        )
    }

    /// Right acceptances over what should be accepted.
    fn recall(self) -> Option<f64> {
        ratio(
            self.true_positives,
            self.true_positives + self.false_negatives,
        )
    }

    /// Their harmonic mean.
    fn f1(self) -> Option<f64> {
        let wrong = self.false_positives + self.false_negatives;
        ratio(2 * self.true_positives, 2 * self.true_positives + wrong)
    }
}

fn ratio(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}

/// Judges the file and prints what came out.
pub(super) async fn run(file: &Path, args: &VerifyArgs, judge: &Judge) -> anyhow::Result<()> {
    let pairs = read(file, args.in_text)?;
    let questions: Vec<Question<'_>> = pairs.iter().map(Pair::question).collect();
    let judged = Judged {
        judgements: judge.judge(&questions).await?,
        pairs: &pairs,
        judge,
    };
    let mut out = stdout();
    match args.format {
        Format::Json => writeln!(out, "{}", serde_json::to_string_pretty(&judged.json()?)?)?,
        Format::Csv => write!(out, "{}", judged.verdicts().to_csv()?)?,
        Format::Table => writeln!(out, "{}", judged.text(Table::to_text))?,
        Format::Markdown => writeln!(out, "{}", judged.text(Table::to_markdown))?,
    }
    Ok(())
}

impl Pair {
    fn question(&self) -> Question<'_> {
        Question {
            row: "",
            question: &self.question,
            reference: &self.reference,
            given: if self.is_text {
                Given::Completion(&self.given)
            } else {
                Given::Answer(&self.given)
            },
        }
    }
}

/// All verdicts on a file.
struct Judged<'a> {
    pairs: &'a [Pair],
    judgements: Vec<Judgement>,
    judge: &'a Judge,
}

impl Judged<'_> {
    fn rows(&self) -> impl Iterator<Item = (&Pair, &Judgement)> {
        self.pairs.iter().zip(&self.judgements)
    }

    fn agreement(&self) -> Agreement {
        let mut agreement = Agreement::default();
        for (pair, judgement) in self.rows() {
            if let Some(label) = pair.label {
                agreement.count(judgement.outcome == Outcome::Correct, label);
            }
        }
        agreement
    }

    fn tally(&self) -> Tally {
        Tally::of(self.judgements.iter().map(|judgement| judgement.decider))
    }

    /// One line a pair.
    fn verdicts(&self) -> Table {
        let columns = [
            "id",
            "label",
            "right",
            "outcome",
            "extracted",
            "rule",
            "decided_by",
            "reference",
            "given",
        ];
        let mut table = Table::new(&columns.map(Column::Text));
        for (pair, judgement) in self.rows() {
            let rule = &judgement.rule;
            table.push(vec![
                pair.id.clone(),
                pair.label
                    .map_or_else(String::new, |label| label.to_string()),
                (judgement.outcome == Outcome::Correct).to_string(),
                word(&judgement.outcome),
                rule.extracted.clone().unwrap_or_default(),
                rule.rule.as_ref().map_or_else(String::new, word),
                judgement.decider.name(self.judge.model_kind()).to_owned(),
                pair.reference.as_str().to_owned(),
                pair.given.clone(),
            ]);
        }
        table
    }

    /// The pairs that are judged otherwise than labelled.
    fn disagreements(&self) -> Table {
        let columns = ["judged otherwise", "label", "reference", "given"];
        let mut table = Table::new(&columns.map(Column::Text));
        for (pair, judgement) in self.rows() {
            let verdict = judgement.outcome == Outcome::Correct;
            if pair.label.is_some_and(|label| label != verdict) {
                table.push(vec![
                    pair.id.clone(),
                    if verdict { "wrong" } else { "right" }.to_owned(),
                    one_line(pair.reference.as_str(), EXCERPT),
                    one_line(&pair.given, EXCERPT),
                ]);
            }
        }
        table
    }

    fn text(&self, form: fn(&Table) -> String) -> String {
        let agreement = self.agreement();
        let accepted = self
            .judgements
            .iter()
            .filter(|judgement| judgement.outcome == Outcome::Correct)
            .count();
        let mut text = format!("{} pairs, {accepted} accepted", self.pairs.len());
        let tally = self.tally();
        if tally.involves_a_model() {
            text += &format!("; {tally}");
        }
        if agreement.total() == 0 {
            return text + "\nNo pair has a label, so there is nothing to compare with.";
        }
        let figure = |value: Option<f64>| value.map_or_else(|| "-".to_owned(), share);
        let mut table =
            Table::new(&["precision", "recall", "F1", "TP", "FP", "FN", "TN"].map(Column::Number));
        table.push(vec![
            figure(agreement.precision()),
            figure(agreement.recall()),
            figure(agreement.f1()),
            agreement.true_positives.to_string(),
            agreement.false_positives.to_string(),
            agreement.false_negatives.to_string(),
            agreement.true_negatives.to_string(),
        ]);
        text += &format!("\n\n{}", form(&table));
        let disagreements = self.disagreements();
        if !disagreements.is_empty() {
            text += &format!("\n\n{}", form(&disagreements));
        }
        text
    }

    fn json(&self) -> anyhow::Result<Value> {
        let agreement = self.agreement();
        let verdicts: Vec<Value> = self
            .rows()
            .map(|(pair, judgement)| {
                json!({
                    "id": pair.id,
                    "label": pair.label,
                    "outcome": judgement.outcome,
                    "extracted": judgement.rule.extracted,
                    "rule": judgement.rule.rule,
                    "decided_by": judgement.decider.name(self.judge.model_kind()),
                })
            })
            .collect();
        Ok(json!({
            "pairs": self.pairs.len(),
            "labelled": agreement.total(),
            "agreement": agreement,
            "precision": agreement.precision(),
            "recall": agreement.recall(),
            "f1": agreement.f1(),
            "decided_by": self.tally(),
            "verdicts": verdicts,
        }))
    }
}

/// An outcome or rule as JSON writes it.
fn word(value: &impl Serialize) -> String {
    serde_json::to_value(value)
        .ok()
        .and_then(|value| value.as_str().map(str::to_owned))
        .unwrap_or_default()
}

fn read(file: &Path, in_text: bool) -> anyhow::Result<Vec<Pair>> {
    let text =
        std::fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
    let pairs = text
        .lines()
        .enumerate()
        .filter(|(_, line)| !line.trim().is_empty())
        .map(|(number, line)| {
            pair(line, number + 1, in_text)
                .with_context(|| format!("{}:{}", file.display(), number + 1))
        })
        .collect::<anyhow::Result<Vec<Pair>>>()?;
    if pairs.is_empty() {
        bail!("{} holds no pairs", file.display());
    }
    Ok(pairs)
}

fn pair(line: &str, number: usize, in_text: bool) -> anyhow::Result<Pair> {
    let row: Value = serde_json::from_str(line).context("no JSON")?;
    let text = |key: &str| row[key].as_str();
    let (given, is_text) = match (text("answer"), text("response").or(text("completion"))) {
        (Some(answer), None) => (answer, in_text),
        (None, Some(completion)) => (completion, true),
        _ => bail!(
            "needs either a field `answer`, or `response` or `completion`, with what is to be judged"
        ),
    };
    let reference = text("reference").context("needs a field `reference`")?;
    let label = match &row["label"] {
        Value::Null => None,
        Value::Bool(label) => Some(*label),
        other => bail!("`label` is {other}; it must be true or false"),
    };
    Ok(Pair {
        id: text("id").map_or_else(|| number.to_string(), str::to_owned),
        question: text("question").unwrap_or_default().to_owned(),
        reference: Answer::new(&if in_text {
            found_in(reference)
        } else {
            reference.to_owned()
        }),
        given: given.to_owned(),
        is_text,
        label,
    })
}

/// The reference in a text: what its marks say, its formula, or the text itself if it has neither. A number in prose that
/// nothing marks may be any.
fn found_in(reference: &str) -> String {
    let marks = ExtractionConfig {
        strategies: vec![
            Strategy::SolutionTags,
            Strategy::Boxed,
            Strategy::Hashes,
            Strategy::AnswerLine,
            Strategy::AnswerIs,
            Strategy::FinalLine,
            Strategy::LastFormula,
        ],
    };
    extract_with(reference, &marks).map_or_else(|| reference.to_owned(), |found| found.text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_are_found_in_texts() {
        for (text, expected) in [
            ("5 * 14000 = 70000\n#### 70000", "70000"),
            ("The answer is 70000.", "70000"),
            (r"so \boxed{\frac{1}{2}}", r"\frac{1}{2}"),
            ("so $x = 2$ is it", "x = 2"),
            ("70000", "70000"),
            ("There are 5 of 7", "There are 5 of 7"),
        ] {
            assert_eq!(found_in(text), expected, "{text}");
        }
    }
}
