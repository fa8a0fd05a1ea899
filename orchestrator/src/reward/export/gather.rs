//! What is to be exported, gathered: out of a search, or from rewards at hand.

use std::collections::BTreeMap;

use evaluator::{Conventions, ExtractionConfig};
use sandbox::{Language, Limits, Module, Source};
use trainer_bridge::Aggregation;

use super::error::ExportError;
use crate::{
    board::{confirmed::Confirmed, leaderboard::Leaderboard},
    config::Config,
    domain::{
        candidate::{Candidate, CandidateId, Origin},
        figures::Figures,
    },
    store::{SearchRecord, Store},
};

/// Rewards to be exported, with all that is known of them.
#[derive(Debug)]
pub struct Gathered {
    /// The rewards, in order.
    pub members: Vec<Gatherable>,
    /// How they become one advantage.
    pub aggregation: Aggregation,
    /// What a call may use up.
    pub limits: Limits,
    /// Where answers are looked for.
    pub extraction: ExtractionConfig,
    /// How notations are read.
    pub conventions: Conventions,
    /// The search that they come from, if they come from one.
    pub search: Option<OfSearch>,
}

/// What a manifest says of a search.
#[derive(Debug)]
pub struct OfSearch {
    /// The search.
    pub record: SearchRecord,
    /// Its configuration.
    pub config: Config,
    /// Figures of this very mix on Test.
    pub confirmed: Option<Confirmed>,
    /// What the confirmation says against it: see [`Confirmed::cautions`].
    pub cautions: Vec<String>,
}

/// One reward to be exported.
#[derive(Debug, Clone)]
pub struct Gatherable {
    /// Its name.
    pub name: String,
    /// Its weight.
    pub weight: f64,
    /// What is run.
    pub module: Module,
    /// What its author wrote, where it is known.
    pub source: Option<Source>,
    /// Why it should work.
    pub rationale: String,
    /// The round it entered; 0 for what entered none.
    pub round: u32,
    /// Its figures on Dev.
    pub dev: Option<Figures>,
}

/// Which rewards of a search.
#[derive(Debug, Clone, Copy)]
pub enum Which<'a> {
    /// The best distinct ones.
    Top(usize),
    /// A mix of that name.
    Ensemble(&'a str),
    /// One candidate, ranked or not.
    Candidate(&'a str),
}

/// Rewards of a search. Base rewards come first where every candidate was trained beside them.
///
/// # Errors
/// See [`ExportError`].
pub async fn of_search(store: &Store, which: Which<'_>) -> Result<Gathered, ExportError> {
    let board = Leaderboard::read(store).await?;
    let record = store.search().await?;
    let config: Config =
        serde_json::from_str(&record.config).map_err(|source| ExportError::Config {
            database: store.path().to_owned(),
            source,
        })?;
    let candidates = store.candidates(record.id).await?;
    let (chosen, aggregation) = match which {
        Which::Top(top) => (best(store, &board, top)?, config.ensemble.aggregation),
        Which::Ensemble(name) => mix(store, &record, name, &candidates).await?,
        Which::Candidate(name) => {
            // Its absence is an error that says what there is.
            store.candidate(record.id, name).await?;
            (vec![(name.to_owned(), 1.0)], Aggregation::default())
        }
    };
    let aggregation = if chosen.len() == 1 {
        Aggregation::default()
    } else {
        aggregation
    };
    let names: Vec<&String> = chosen.iter().map(|(name, _)| name).collect();
    let mut confirmed = board.confirmed.iter();
    let confirmed = confirmed.find(|finalist| finalist.members.iter().eq(names.iter().copied()));
    let cautions = confirmed.map(|finalist| finalist.cautions(&board.confirmed));
    let confirmed = confirmed.cloned();
    let figures: BTreeMap<&str, &Figures> = board
        .candidates
        .iter()
        .filter_map(|row| Some((row.name.as_str(), row.figures.as_ref()?)))
        .collect();
    let base = candidates
        .iter()
        .filter(|candidate| config.search.with_base_rewards && candidate.origin == Origin::Base);
    let base = base.map(|candidate| (candidate.draft.name.clone(), 1.0));
    let mut members = Vec::new();
    for (name, weight) in base.collect::<Vec<_>>().into_iter().chain(chosen) {
        let candidate = candidates.iter().find(|c| c.draft.name == name);
        let candidate = candidate.expect("it was found in this search").clone();
        let dev = figures.get(name.as_str()).copied().cloned();
        members.push(member(store, candidate, weight, dev).await?);
    }
    Ok(Gathered {
        members,
        aggregation,
        limits: config.limits.clone(),
        extraction: config.task.extraction(),
        conventions: config.verifier.conventions().clone(),
        search: Some(OfSearch {
            record,
            config,
            confirmed,
            cautions: cautions.unwrap_or_default(),
        }),
    })
}

fn best(store: &Store, board: &Leaderboard, top: usize) -> Result<Vec<(String, f64)>, ExportError> {
    let ranked = board.distinct().count();
    if top == 0 || top > ranked {
        return Err(ExportError::TooMany {
            database: store.path().to_owned(),
            ranked,
        });
    }
    let names = board.distinct().take(top);
    Ok(names.map(|row| (row.name.clone(), 1.0)).collect())
}

/// The members of a mix that the search has made.
async fn mix(
    store: &Store,
    record: &SearchRecord,
    name: &str,
    candidates: &[Candidate],
) -> Result<(Vec<(String, f64)>, Aggregation), ExportError> {
    let all = store.ensembles(record.id).await?;
    let Some(found) = all.iter().find(|ensemble| ensemble.name == name) else {
        let names: Vec<&str> = all.iter().map(|e| e.name.as_str()).collect();
        let there = match names.as_slice() {
            [] => "are none: mixes are made when the finalists are chosen; --top K takes the best candidates".to_owned(),
            names => format!("is {}", names.join(", ")),
        };
        return Err(ExportError::NoEnsemble {
            database: store.path().to_owned(),
            name: name.to_owned(),
            there,
        });
    };
    let name_of = |id: CandidateId| {
        let candidate = candidates.iter().find(|candidate| candidate.id == id);
        let candidate = candidate.expect("foreign keys see to it that it is there");
        candidate.draft.name.clone()
    };
    let members = found.members.iter();
    let members = members.map(|(id, weight)| (name_of(*id), *weight));
    Ok((members.collect(), found.aggregation))
}

async fn member(
    store: &Store,
    candidate: Candidate,
    weight: f64,
    dev: Option<Figures>,
) -> Result<Gatherable, ExportError> {
    let Some(wasm) = store.wasm(candidate.id).await? else {
        return Err(ExportError::NeverRan {
            name: candidate.draft.name,
            status: candidate.status.to_string(),
            reason: candidate.status.reason().unwrap_or_default(),
        });
    };
    let module = Module::from_bytes(wasm);
    // A module in Python is its own source.
    let source = (module.language() == Language::Rust).then_some(candidate.draft.source);
    Ok(Gatherable {
        name: candidate.draft.name,
        weight,
        module,
        source,
        rationale: candidate.draft.rationale,
        round: candidate.origin.round().unwrap_or_default(),
        dev,
    })
}
