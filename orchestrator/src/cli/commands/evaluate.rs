//! `evaluate`: completions made elsewhere, or asked of a served model, judged and compared.

mod harness;
mod predictions;
mod report;
mod served;

use evaluator::{BootstrapConfig, Evaluation, ExtractionConfig};

use crate::{
    board::comparison::Comparison,
    cli::{arguments::EvaluateArgs, open},
    domain::{figures::Figures, verdict::Evaluated},
    judge::{Given, Judge, Question},
};
use predictions::Predictions;
use report::{Judged, Report};

pub(super) async fn run(args: EvaluateArgs) -> anyhow::Result<()> {
    let (chosen, _lock) = open::judge(&args.judge, ExtractionConfig::flexible()).await?;
    let mut models = predictions::read(&args.predictions)?;
    if let Some(endpoint) = &args.served.endpoint {
        let out = served::ask(endpoint, &args.served).await?;
        models.extend(predictions::read(&[out])?);
    }
    predictions::check_same_questions(&models)?;
    let report = judge(&models, &chosen, args.seed).await?;
    report.print(args.format, &mut std::io::stdout())
}

async fn judge(models: &[Predictions], chosen: &Judge, seed: u64) -> anyhow::Result<Report> {
    let strict = Judge::Rule(evaluator::RuleVerifier::new(ExtractionConfig::strict()));
    let bootstrap = BootstrapConfig {
        seed,
        ..BootstrapConfig::default()
    };
    let mut judged = Vec::new();
    for model in models {
        let strict = evaluate(&strict, model).await?;
        judged.push(Judged {
            refused: model.refused(),
            strict: Figures::of(&strict.evaluation, &bootstrap),
            flexible: evaluate(chosen, model).await?,
            model: model.model.clone(),
        });
    }
    judged.sort_by(|a, b| {
        let f1 = |judged: &Judged| judged.flexible.evaluation.f1();
        f1(b).total_cmp(&f1(a))
    });
    let evaluations: Vec<(String, Evaluation)> = judged
        .iter()
        .map(|judged| (judged.model.clone(), judged.flexible.evaluation.clone()))
        .collect();
    let comparison = Comparison::of("these questions", false, &evaluations, &bootstrap)?;
    Ok(Report {
        comparison,
        judged,
        judge: chosen.model_kind(),
    })
}

async fn evaluate(chosen: &Judge, model: &Predictions) -> anyhow::Result<Evaluated> {
    let questions: Vec<Question<'_>> = model
        .rows
        .iter()
        .map(|row| Question {
            row: "",
            question: &row.question,
            reference: &row.answer,
            given: Given::Completion(&row.completion),
        })
        .collect();
    Ok(Evaluated::of(&chosen.judge(&questions).await?)?)
}
