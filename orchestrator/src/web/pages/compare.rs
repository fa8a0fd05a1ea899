//! `/s/KEY/compare?a=…&b=…`: two arms question by question.

use std::sync::Arc;

use axum::{
    extract::{Path, Query, State},
    response::Response,
};
use evaluator::{Estimate, Split};
use minijinja::{Value, context};
use serde::{Deserialize, Serialize};

use super::{drawn, frame, reading, view};
use crate::{
    board::{
        comparison::{CompareError, of_snapshot},
        differences::Differences,
    },
    domain::trial::BASE_ONLY,
    web::{
        chart::interval_bar,
        diff::diff,
        page::PageError,
        shelf::Reading,
        site::{Site, answer},
    },
};

/// Differing questions shown of each side.
const SHOWN: usize = 10;
/// Names offered for each side.
const OFFERED: usize = 300;

/// Which two.
#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(default)]
pub(in crate::web) struct Wanted {
    a: String,
    b: String,
    /// Differing questions to show of each side; a number.
    show: String,
}

pub(in crate::web) async fn page(
    State(site): State<Arc<Site>>,
    Path(key): Path<String>,
    Query(wanted): Query<Wanted>,
) -> Response {
    answer(&site, compare(&site, &key, &wanted).await)
}

async fn compare(site: &Site, key: &str, wanted: &Wanted) -> Result<Response, PageError> {
    let reading = reading(site, key).await?;
    let board = &reading.board;
    let offered: Vec<&str> = board
        .ranked()
        .chain(&board.references)
        .map(|row| row.name.as_str())
        .chain(board.confirmed.iter().map(|row| row.name.as_str()))
        .take(OFFERED)
        .collect();
    let first = board.ranked().next().map_or("", |row| row.name.as_str());
    let or = |text: &str, usual: &str| match text {
        "" => usual.to_owned(),
        text => text.to_owned(),
    };
    let names = [or(&wanted.a, first), or(&wanted.b, BASE_ONLY)];
    let (compared, names_for_it) = (Arc::clone(&reading), names.to_vec());
    let comparisons =
        tokio::task::spawn_blocking(move || of_snapshot(&compared.snapshot, &names_for_it)).await;
    let mut trouble = None;
    let mut stages = Vec::new();
    match comparisons {
        Ok(Ok(comparisons)) => {
            let [a, b] = &names;
            let all = Differences::read(&reading.store, &reading.snapshot, [a, b]).await?;
            let show = wanted.show.parse().unwrap_or(SHOWN);
            for (comparison, differences) in comparisons.iter().zip(&all) {
                let bars: Vec<Value> = comparison
                    .models
                    .iter()
                    .map(|model| bar(&model.figures.f1))
                    .collect();
                let questions = differing(&reading, differences, show);
                stages.push(context! { comparison => view(comparison), bars, questions });
            }
        }
        Ok(Err(CompareError::Store(error))) => return Err(error.into()),
        Ok(Err(error)) => trouble = Some(error.to_string()),
        Err(_) => trouble = Some("The comparison could not be computed.".to_owned()),
    }
    let values = context! {
        title => "Compare",
        search => frame(key, &reading),
        tab => "compare",
        offered => view(&offered),
        a => names[0].as_str(),
        b => names[1].as_str(),
        trouble,
        stages,
        lines => sources(&reading, &names).await?,
    };
    site.pages.page("compare.html", values)
}

fn bar(estimate: &Estimate) -> Value {
    drawn(interval_bar(estimate, (0.0, 1.0), None))
}

/// The questions that only one of them got right, with what both wrote.
fn differing(reading: &Reading, differences: &Differences, show: usize) -> Value {
    let split: Split = reading.snapshot.search.protocol().split(differences.on);
    let highest = differences
        .only_a
        .iter()
        .chain(&differences.only_b)
        .map(|d| d.question + 1)
        .max();
    let n = reading
        .snapshot
        .trials
        .iter()
        .filter(|trial| trial.stage == differences.on)
        .find_map(|trial| {
            Some(
                reading
                    .snapshot
                    .evaluations
                    .get(&trial.id)?
                    .evaluation
                    .outcomes()
                    .len(),
            )
        });
    let problems = reading.questions(split, n.or(highest).unwrap_or_default());
    let side = |of: &[crate::board::differences::Differing]| -> Vec<Value> {
        of.iter()
            .take(show)
            .map(|d| {
                let problem = problems.get(d.question);
                context! {
                    number => d.question + 1,
                    question => problem.map(|p| p.question.clone()),
                    answer => problem.map(|p| p.answer.as_str().to_owned()),
                    a => d.a.as_str(),
                    b => d.b.as_str(),
                }
            })
            .collect()
    };
    context! {
        only_a => side(&differences.only_a),
        only_b => side(&differences.only_b),
        more_a => differences.only_a.len().saturating_sub(show),
        more_b => differences.only_b.len().saturating_sub(show),
    }
}

/// What differs between the sources, where both are candidates.
async fn sources(reading: &Reading, names: &[String; 2]) -> Result<Value, PageError> {
    let id = reading.snapshot.search.id;
    let mut sources = Vec::new();
    for name in names {
        if let Ok(candidate) = reading.store.candidate(id, name).await {
            sources.push(candidate.draft.source.code);
        }
    }
    Ok(match &sources[..] {
        [b, a] => view(&diff(a, b)),
        _ => Value::from(()),
    })
}
