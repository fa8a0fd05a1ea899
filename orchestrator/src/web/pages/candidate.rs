//! `/s/KEY/candidate?name=…`: everything about one name: source, probe, curves, completions with verdicts, what changed from its parents.

use std::{collections::BTreeSet, sync::Arc};

use axum::{
    extract::{Path, Query, State},
    response::Response,
};
use evaluator::{Outcome, Split};
use minijinja::{Value, context};
use serde::{Deserialize, Serialize};
use trainer_bridge::StepMetrics;

use super::{Leaf, drawn, frame, overview::base_f1, reading, view};
use crate::{
    board::candidate::{CandidateView, Shown},
    domain::trial::TrialId,
    reward::probe::Probed,
    store::StoreError,
    terminal::worth::summary,
    web::{
        chart::{Series, curves, interval_bar},
        diff::diff,
        highlight::highlighted,
        page::PageError,
        shelf::Reading,
        site::{Site, answer},
    },
};

/// Completions on one page.
const COMPLETIONS: usize = 12;

/// Which name, and which of its completions.
#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(default)]
pub(in crate::web) struct Wanted {
    name: String,
    /// `right`, `wrong`, `none`, or nothing for all.
    verdict: String,
    /// From 1.
    page: String,
}

pub(in crate::web) async fn page(
    State(site): State<Arc<Site>>,
    Path(key): Path<String>,
    Query(wanted): Query<Wanted>,
) -> Response {
    answer(&site, candidate(&site, &key, &wanted).await)
}

async fn candidate(site: &Site, key: &str, wanted: &Wanted) -> Result<Response, PageError> {
    let reading = reading(site, key).await?;
    let Reading {
        store,
        snapshot,
        board,
        ..
    } = &*reading;
    let shown = Shown::of(store, snapshot, board, &wanted.name).await?;
    let base = base_f1(board);
    let (row, candidate, finals) = match &shown {
        Shown::Candidate(candidate) => (
            candidate.screening.as_ref(),
            Some(&**candidate),
            &candidate.confirmed[..],
        ),
        Shown::Reference(reference) => (Some(&reference.row), None, &reference.confirmed[..]),
        Shown::Mix(mix) => (None, None, std::slice::from_ref(&**mix)),
    };
    let figures = row.and_then(|row| row.figures.as_ref());
    let values = context! {
        title => wanted.name.as_str(),
        search => frame(key, &reading),
        tab => "ranking",
        name => wanted.name.as_str(),
        row => view(&row),
        finals => view(&finals),
        candidate => view(&candidate),
        bar => figures.map(|f| drawn(interval_bar(&f.f1, (0.0, 1.0), base))),
        ranked => board.ranked().count(),
        leader => board.ranked().next().map(|row| &row.name).filter(|name| **name != wanted.name),
        completions => match row.and_then(|row| row.trial) {
            Some(trial) => completions(&reading, trial, wanted).await?,
            None => Value::from(()),
        },
        wanted => view(wanted),
        ..match candidate {
            Some(candidate) => of_candidate(&reading, candidate).await?,
            None => Value::from(()),
        }
    };
    site.pages.page("candidate.html", values)
}

/// What only a candidate has: a source, parents, curves, a probe.
async fn of_candidate(reading: &Reading, candidate: &CandidateView) -> Result<Value, PageError> {
    let search = reading.snapshot.search.id;
    let mut parents = Vec::new();
    for name in &candidate.parents {
        let parent = match reading.store.candidate(search, name).await {
            Ok(parent) => parent,
            // A model may name whatever it likes.
            Err(StoreError::NotFound(_)) => {
                parents.push(context! { name, is_known => false });
                continue;
            }
            Err(error) => return Err(error.into()),
        };
        let lines = diff(&parent.draft.source.code, &candidate.source);
        parents.push(context! { name, is_known => true, lines => view(&lines) });
    }
    let probed = candidate
        .probe
        .as_deref()
        .and_then(|json| serde_json::from_str::<Probed>(json).ok());
    let worth = probed.and_then(|probed| probed.worth);
    Ok(context! {
        parents,
        children => reading.store.children(search, &candidate.name).await?,
        source => Value::from_safe_string(highlighted(&candidate.source, candidate.language)),
        language => candidate.language.to_string(),
        curves => charts(&candidate.curve),
        printed => candidate.curve.last().map(|m| m.printed.clone()).filter(|text| !text.is_empty()),
        samples => candidate.curve.last().map(|m| view(&m.samples)),
        worth => worth.as_ref().map(|worth| view(&summary(worth))),
        hacks => worth.as_ref().map(|worth| view(&worth.hacks)),
    })
}

/// One chart a figure: first what matters, then the parts that the reward names itself.
fn charts(curve: &[StepMetrics]) -> Vec<Value> {
    let of = |value: &dyn Fn(&StepMetrics) -> Option<f64>| -> Vec<(f64, f64)> {
        let points = curve
            .iter()
            .filter_map(|m| Some((f64::from(m.step), value(m)?)));
        points.collect()
    };
    let mut charts = Vec::new();
    let mut add = |title: &str, series: &[Series<'_>]| {
        let names: Vec<String> = series.iter().map(|s| s.name.to_owned()).collect();
        if let Some(svg) = curves(title, series) {
            let legend = if names.len() > 1 { names } else { Vec::new() };
            charts.push(context! { title, svg => drawn(svg), legend });
        }
    };
    type Figure = fn(&StepMetrics) -> Option<f64>;
    let figures: [(&str, Figure); 6] = [
        ("Reward", |m| Some(m.reward)),
        ("Share right", |m| Some(m.correct)),
        ("Completion length, tokens", |m| Some(m.completion_length)),
        ("Groups without a gradient", |m| {
            Some(m.frac_reward_zero_std)
        }),
        ("Entropy, nats", |m| Some(m.entropy)),
        ("Gradient norm", |m| Some(m.grad_norm)),
    ];
    for (title, value) in figures {
        let points = of(&value);
        add(
            title,
            &[Series {
                name: title,
                points,
            }],
        );
    }
    let names: BTreeSet<(&str, &str)> = curve
        .iter()
        .flat_map(|m| m.parts.iter().map(|p| (p.reward.as_str(), p.part.as_str())))
        .collect();
    for (reward, part) in names.iter().take(24) {
        let mean = |m: &StepMetrics| {
            let of_part = m
                .parts
                .iter()
                .find(|p| p.reward == *reward && p.part == *part);
            Some(of_part?.mean)
        };
        let title = format!("Part {part}");
        let points = of(&mean);
        add(&title, &[Series { name: part, points }]);
    }
    charts
}

/// What the trained policy wrote to the held-out questions, and what was said of it.
async fn completions(
    reading: &Reading,
    trial: TrialId,
    wanted: &Wanted,
) -> Result<Value, PageError> {
    let Some(judged) = reading.snapshot.evaluations.get(&trial) else {
        return Ok(Value::from(()));
    };
    let written = reading.store.completions(trial).await?.unwrap_or_default();
    let outcomes = judged.evaluation.outcomes();
    let questions = reading.questions(judged.split, outcomes.len());
    let word = |outcome: &Outcome| match outcome {
        Outcome::Correct => "right",
        Outcome::Wrong => "wrong",
        Outcome::NoAnswer => "none",
    };
    let all: Vec<(usize, &Outcome)> = outcomes.iter().enumerate().collect();
    let count = |name: &str| all.iter().filter(|(_, o)| word(o) == name).count();
    let counts = context! { all => all.len(), right => count("right"), wrong => count("wrong"), none => count("none") };
    let kept: Vec<(usize, &Outcome)> = all
        .iter()
        .filter(|(_, outcome)| wanted.verdict.is_empty() || word(outcome) == wanted.verdict)
        .copied()
        .collect();
    let leaf = Leaf::of(wanted.page.parse().unwrap_or(1), kept.len(), COMPLETIONS);
    let rows: Vec<Value> = leaf
        .of_list(&kept)
        .iter()
        .map(|&(i, outcome)| {
            context! {
                number => i + 1,
                verdict => word(outcome),
                completion => written.get(i),
                question => questions.get(i).map(|p| p.question.clone()),
                answer => questions.get(i).map(|p| p.answer.as_str().to_owned()),
            }
        })
        .collect();
    Ok(
        context! { rows, leaf => view(&leaf), counts, split => match judged.split {
            Split::Dev => "Dev",
            Split::Test => "Test",
            Split::Train => "Train",
        } },
    )
}
