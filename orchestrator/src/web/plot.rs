//! The charts of a search as files.

use trainer_bridge::StepMetrics;

use super::{
    chart::{Series, curves, finalists, rounds},
    style::alone,
};
use crate::{
    board::{candidate::Shown, leaderboard::Leaderboard},
    domain::trial::{Arm, Trial},
    store::{Store, StoreError},
};

/// Which chart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Plot {
    /// F1 by round.
    Rounds,
    /// The finalists on Test.
    Finalists,
    /// The course of one training: its reward and its share of right completions. Of a mix, that of its first seed.
    Training(String),
}

/// The chart as an SVG document; `None` where there is nothing to draw yet.
///
/// # Errors
/// [`StoreError::NotFound`] for a name that is not there; else if the database cannot be read.
pub async fn plot(store: &Store, plot: &Plot) -> Result<Option<String>, StoreError> {
    let drawn = match plot {
        Plot::Rounds => rounds(&Leaderboard::read_bare(store).await?),
        Plot::Finalists => finalists(&Leaderboard::read_bare(store).await?.confirmed),
        Plot::Training(name) => {
            let curve = training(store, name).await?;
            let of = |value: fn(&StepMetrics) -> f64| {
                curve
                    .iter()
                    .map(|m| (f64::from(m.step), value(m)))
                    .collect()
            };
            let series = [
                Series {
                    name: "reward",
                    points: of(|m| m.reward),
                },
                Series {
                    name: "right",
                    points: of(|m| m.correct),
                },
            ];
            curves(name, &series)
        }
    };
    Ok(drawn.map(|svg| alone(&svg)))
}

/// The steps of what was trained under this name.
async fn training(store: &Store, name: &str) -> Result<Vec<StepMetrics>, StoreError> {
    let trial = match Shown::read(store, name).await? {
        Shown::Candidate(candidate) => return Ok(candidate.curve),
        Shown::Reference(reference) => reference.row.trial,
        Shown::Mix(mix) => {
            let snapshot = store.outcomes().await?;
            let named = snapshot.ensembles.iter().find(|e| e.name == mix.name);
            let is_its = |trial: &&Trial| named.is_some_and(|e| trial.arm == Arm::Ensemble(e.id));
            snapshot.trials.iter().find(is_its).map(|trial| trial.id)
        }
    };
    match trial {
        Some(trial) => store.curve(trial).await,
        None => Ok(Vec::new()),
    }
}
