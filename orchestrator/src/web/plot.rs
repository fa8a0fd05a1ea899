//! The charts of a search as files.

use super::{
    chart::{Series, curves, finalists, rounds},
    style::alone,
};
use crate::{
    board::{candidate::Shown, leaderboard::Leaderboard},
    store::{Store, StoreError},
};

/// Which chart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Plot {
    /// F1 by round.
    Rounds,
    /// The finalists on Test.
    Finalists,
    /// The course of one candidate's training: its reward and its share of right completions.
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
            let curve = match Shown::read(store, name).await? {
                Shown::Candidate(candidate) => candidate.curve,
                Shown::Mix(_) | Shown::Reference(_) => Vec::new(),
            };
            let of = |value: fn(&trainer_bridge::StepMetrics) -> f64| {
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
