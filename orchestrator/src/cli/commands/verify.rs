//! `verify`: is this answer right, and why? One answer step by step, or a file of them with figures.

mod pairs;

use std::io::{Write as _, stdout};

use anyhow::{Context as _, bail};
use evaluator::{Answer, Explanation, ExtractionConfig, Outcome};
use serde_json::json;

use crate::{
    cli::{
        arguments::{Format, VerifyArgs},
        open,
    },
    domain::verdict::ModelKind,
    judge::{Given, Judgement, Question},
    terminal::table::{Column, Table},
    text::one_line,
};

/// Characters of a step's detail in a table.
const DETAIL: usize = 160;

pub(super) async fn run(args: VerifyArgs) -> anyhow::Result<()> {
    let extraction = extraction(&args.extraction)?;
    let (judge, _lock) = open::judge(&args.judge, extraction).await?;
    if let Some(file) = &args.pairs {
        return pairs::run(file, &args, &judge).await;
    }
    let reference = Answer::new(args.reference.as_deref().unwrap_or_default());
    let given = match (&args.answer, &args.completion) {
        (Some(answer), None) => Given::Answer(answer),
        (None, Some(completion)) => Given::Completion(completion),
        _ => bail!("give the answer with --answer, or a text in which it stands with --completion"),
    };
    let explanation = match given {
        Given::Answer(text) => judge.rule().explain_answer(text, &reference),
        Given::Completion(text) => judge.rule().explain(text, &reference),
    };
    let question = Question {
        row: "",
        question: &args.question,
        reference: &reference,
        given,
    };
    let judgements = judge.judge(&[question]).await?;
    let judgement = judgements.first().context("one question has one verdict")?;
    print(&explanation, judgement, judge.model_kind(), args.format)
}

/// A preset's name, or names of strategies joined by commas, as the configuration reads them.
fn extraction(text: &str) -> anyhow::Result<ExtractionConfig> {
    let names: Vec<&str> = text.split(',').map(str::trim).collect();
    let presets = ["strict", "flexible", "tags_only"];
    let written = match names[..] {
        [name] if presets.contains(&name) => json!(name),
        _ => json!(names),
    };
    serde_json::from_value(written).context("--extraction")
}

fn print(
    explanation: &Explanation,
    judgement: &Judgement,
    kind: Option<ModelKind>,
    format: Format,
) -> anyhow::Result<()> {
    let mut out = stdout();
    let decider = judgement.decider.name(kind);
    if format == Format::Json {
        let all = json!({
            "outcome": judgement.outcome,
            "decided_by": decider,
            "extracted": judgement.rule.extracted,
            "strategy": judgement.rule.strategy,
            "rule": judgement.rule.rule,
            "reason": explanation.reason,
            "steps": explanation.steps,
            "report": explanation.report,
        });
        writeln!(out, "{}", serde_json::to_string_pretty(&all)?)?;
        return Ok(());
    }
    let mut table = Table::new(&["step", "result", "detail"].map(Column::Text));
    for step in &explanation.steps {
        let detail = match format {
            Format::Csv => step.detail.clone(),
            _ => one_line(&step.detail, DETAIL),
        };
        table.push(vec![
            one_line(&step.what, DETAIL),
            step.outcome.to_string(),
            detail,
        ]);
    }
    let verdict = match judgement.outcome {
        Outcome::Correct => "right",
        Outcome::Wrong => "wrong",
        Outcome::NoAnswer => "no answer",
    };
    let told = format!(
        "{}\n\nIf that is a mistake, report this line; in evaluator/tests/fixtures/cases.jsonl it is a test:",
        explanation.reason
    );
    match format {
        Format::Csv => {
            table.push(vec![
                "verdict".into(),
                verdict.into(),
                format!("decided by {decider}"),
            ]);
            write!(out, "{}", table.to_csv()?)?;
        }
        Format::Markdown => {
            writeln!(
                out,
                "{}\n\n**{verdict}** (decided by {decider})\n\n{told}\n\n    {}",
                table.to_markdown(),
                explanation.report
            )?;
        }
        Format::Table | Format::Json => {
            writeln!(
                out,
                "{}\n\n{verdict} (decided by {decider})\n{told}\n{}",
                table.to_text(),
                explanation.report
            )?;
        }
    }
    Ok(())
}
