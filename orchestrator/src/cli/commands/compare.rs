//! `compare`: arms of a search question by question, any number of them.

use std::{
    collections::HashMap,
    io::{Write as _, stdout},
};

use anyhow::bail;
use evaluator::Evaluation;

use crate::{
    board::{
        comparison::{Comparison, Pair},
        leaderboard::ArmNames,
    },
    cli::{
        arguments::{CompareArgs, Format},
        open::open,
    },
    domain::{figures::bootstrap_of, trial::Stage},
    store::Store,
    terminal::sheet::{Column, Sheet},
    text::nearest,
};

pub(super) async fn run(args: CompareArgs) -> anyhow::Result<()> {
    let store = open(args.database).await?;
    let comparisons = comparisons(&store, &args.names).await?;
    let mut out = stdout();
    match args.format {
        Format::Json => writeln!(out, "{}", serde_json::to_string_pretty(&comparisons)?)?,
        Format::Csv => write!(out, "{}", csv(&comparisons)?)?,
        Format::Table | Format::Markdown => {
            let is_table = args.format == Format::Table;
            let text = |sheet: Sheet| {
                if is_table {
                    sheet.to_text()
                } else {
                    sheet.to_markdown()
                }
            };
            for comparison in &comparisons {
                let heading = if is_table { "" } else { "## " };
                writeln!(
                    out,
                    "{heading}{}: {} questions\n\n{}\n\n{}\n\n{}\n",
                    comparison.on,
                    comparison.questions,
                    text(comparison.models_sheet()),
                    text(comparison.pairs_sheet()),
                    comparison.legend()
                )?;
            }
        }
    }
    Ok(())
}

/// One comparison for each set of questions all were judged on.
async fn comparisons(store: &Store, names: &[String]) -> anyhow::Result<Vec<Comparison>> {
    let runs = runs(store).await?;
    let of_each = names
        .iter()
        .map(|name| runs_of(&runs, name))
        .collect::<anyhow::Result<Vec<_>>>()?;
    let mut stages: Vec<Stage> = of_each[0]
        .keys()
        .filter(|stage| of_each.iter().all(|of| of.contains_key(stage)))
        .copied()
        .collect();
    stages.sort();
    if stages.is_empty() {
        let names: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
        bail!(
            "{} were never judged on the same questions: candidates are screened on Dev, ensembles confirmed on Test",
            names.join(" and ")
        );
    }
    let bootstrap = bootstrap_of(store.search().await?.seed);
    stages
        .into_iter()
        .map(|stage| {
            let (on, used_for_selection) = match stage {
                Stage::Screen { .. } => ("Dev, screening".to_owned(), true),
                Stage::Confirm { seed } => (format!("Test, seed {}", seed + 1), false),
            };
            let models: Vec<(String, Evaluation)> = names
                .iter()
                .zip(&of_each)
                .map(|(name, of)| (name.clone(), of[&stage].clone()))
                .collect();
            Ok(Comparison::of(
                &on,
                used_for_selection,
                &models,
                &bootstrap,
            )?)
        })
        .collect()
}

/// One line a pair and set of questions, unrounded.
fn csv(comparisons: &[Comparison]) -> anyhow::Result<String> {
    use Column::Text;
    let mut sheet = Sheet::new(
        &[
            "on",
            "used_for_selection",
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
            "holm_p",
            "bonferroni_p",
            "f1_difference",
            "f1_difference_lower",
            "f1_difference_upper",
            "accuracy_difference",
            "accuracy_difference_lower",
            "accuracy_difference_upper",
        ]
        .map(Text),
    );
    for comparison in comparisons {
        let f1 = |name: &str| {
            let model = comparison.models.iter().find(|m| m.model == name);
            model.map_or_else(String::new, |m| m.figures.f1.point.to_string())
        };
        for pair in &comparison.pairs {
            let mut row = vec![
                comparison.on.clone(),
                comparison.used_for_selection.to_string(),
                comparison.questions.to_string(),
                pair.a.clone(),
                pair.b.clone(),
                f1(&pair.a),
                f1(&pair.b),
            ];
            row.extend(numbers(pair));
            sheet.push(row);
        }
    }
    Ok(sheet.to_csv()?)
}

/// The counts, tests and differences of a pair, unrounded.
fn numbers(pair: &Pair) -> Vec<String> {
    let counts = [pair.both, pair.only_a, pair.only_b, pair.neither];
    let tests = [pair.exact_p, pair.mid_p, pair.holm_p, pair.bonferroni_p];
    let differences = [&pair.f1_difference, &pair.accuracy_difference]
        .map(|d| [d.point, d.interval.lower, d.interval.upper]);
    let reals = tests.into_iter().chain(differences.into_iter().flatten());
    counts
        .iter()
        .map(u64::to_string)
        .chain(reals.map(|x| x.to_string()))
        .collect()
}

type Runs = Vec<(String, Stage, Evaluation)>;

async fn runs(store: &Store) -> anyhow::Result<Runs> {
    let mut snapshot = store.snapshot().await?;
    let names = ArmNames {
        candidates: &snapshot.candidates,
        ensembles: &snapshot.ensembles,
    };
    Ok(snapshot
        .trials
        .iter()
        .filter_map(|row| {
            let stored = snapshot.evaluations.remove(&row.trial.id)?;
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
        let hint = nearest::hint(name, runs.iter().map(|run| &*run.0));
        bail!(
            "nothing judged is called `{name}`.{hint} `reward-search leaderboard` lists all names"
        );
    }
    Ok(found)
}
