//! `compare`: two arms question by question.

use std::{
    collections::HashMap,
    io::{Write as _, stdout},
};

use anyhow::bail;
use evaluator::{Evaluation, mcnemar, paired_difference};
use serde_json::json;

use crate::{
    cli::{CompareArgs, Format},
    leaderboard::{ArmNames, interval, probability, share},
    statistics::bootstrap_of,
    store::Store,
    trial::Stage,
};

pub(super) async fn run(args: CompareArgs) -> anyhow::Result<()> {
    let mut out = stdout();
    let store = super::open(args.database).await?;
    let runs = runs(&store).await?;
    let (of_a, of_b) = (runs_of(&runs, &args.a)?, runs_of(&runs, &args.b)?);
    let mut stages: Vec<Stage> = of_a
        .keys()
        .filter(|stage| of_b.contains_key(stage))
        .copied()
        .collect();
    stages.sort();
    if stages.is_empty() {
        bail!(
            "`{}` and `{}` were never judged on the same questions: candidates are screened on Dev, ensembles confirmed on Test",
            args.a,
            args.b
        );
    }
    let bootstrap = bootstrap_of(store.search().await?.seed);
    let mut rows = Vec::new();
    for stage in stages {
        let (a, b) = (of_a[&stage], of_b[&stage]);
        let test = mcnemar(a, b)?;
        let difference = paired_difference(a, b, &bootstrap)?;
        let name = match stage {
            Stage::Screen { .. } => "Dev, screening".to_owned(),
            Stage::Confirm { seed } => format!("Test, seed {}", seed + 1),
        };
        if args.format == Format::Table {
            writeln!(out, "{name}: {} questions", a.outcomes().len())?;
            writeln!(out, "  F1 {} against {}", share(a.f1()), share(b.f1()))?;
            writeln!(
                out,
                "                       {:>12} right {:>12} wrong",
                args.b, args.b
            )?;
            writeln!(
                out,
                "  {:>20} {:>18} {:>18}",
                format!("{} right", args.a),
                test.both,
                test.only_a
            )?;
            writeln!(
                out,
                "  {:>20} {:>18} {:>18}",
                format!("{} wrong", args.a),
                test.only_b,
                test.neither
            )?;
            writeln!(
                out,
                "  McNemar exact p {}, mid-p {}",
                probability(test.exact_p),
                probability(test.mid_p)
            )?;
            writeln!(
                out,
                "  F1 difference {:+.3} {}\n",
                difference.f1.point,
                interval(&difference.f1)
            )?;
        }
        rows.push(json!({
            "on": name, "questions": a.outcomes().len(), "a": args.a, "b": args.b, "f1_a": a.f1(), "f1_b": b.f1(),
            "both": test.both, "only_a": test.only_a, "only_b": test.only_b, "neither": test.neither,
            "exact_p": test.exact_p, "mid_p": test.mid_p,
            "f1_difference": difference.f1, "accuracy_difference": difference.accuracy,
        }));
    }
    match args.format {
        Format::Table => {}
        Format::Json => writeln!(out, "{}", serde_json::to_string_pretty(&rows)?)?,
        Format::Csv => {
            writeln!(
                out,
                "on,questions,a,b,f1_a,f1_b,both,only_a,only_b,neither,exact_p,mid_p"
            )?;
            for row in &rows {
                let keys = [
                    "on",
                    "questions",
                    "a",
                    "b",
                    "f1_a",
                    "f1_b",
                    "both",
                    "only_a",
                    "only_b",
                    "neither",
                    "exact_p",
                    "mid_p",
                ];
                writeln!(out, "{}", keys.map(|key| row[key].to_string()).join(","))?;
            }
        }
    }
    Ok(())
}

type Runs = Vec<(String, Stage, Evaluation)>;

async fn runs(store: &Store) -> anyhow::Result<Runs> {
    let search = store.search().await?;
    let candidates = store.candidates(search.id).await?;
    let ensembles = store.ensembles(search.id).await?;
    let names = ArmNames {
        candidates: &candidates,
        ensembles: &ensembles,
    };
    let mut evaluations = store.evaluations(search.id).await?;
    let trials = store.trials(search.id).await?;
    Ok(trials
        .iter()
        .filter_map(|row| {
            let stored = evaluations.remove(&row.trial.id)?;
            Some((
                names.name(row.trial.arm),
                row.trial.stage,
                stored.evaluation,
            ))
        })
        .collect())
}

fn runs_of<'a>(runs: &'a Runs, name: &str) -> anyhow::Result<HashMap<Stage, &'a Evaluation>> {
    let found: HashMap<_, _> = runs
        .iter()
        .filter(|run| run.0 == name)
        .map(|run| (run.1, &run.2))
        .collect();
    if found.is_empty() {
        let nearest = runs.iter().max_by(|a, b| {
            strsim::jaro_winkler(&a.0, name).total_cmp(&strsim::jaro_winkler(&b.0, name))
        });
        let hint = nearest
            .map(|run| format!(" Did you mean `{}`?", run.0))
            .unwrap_or_default();
        bail!(
            "nothing judged is called `{name}`.{hint} `reward-search leaderboard` lists all names"
        );
    }
    Ok(found)
}
