//! The best of many looks better than it is: its F1 corrected for the choice.

use evaluator::{BootstrapConfig, Estimate, Evaluation, select_best};

use super::leaderboard::Row;
use crate::{domain::figures::bootstrap_of, store::Snapshot};

/// Resamples of the correction: it takes a walk through all rivals for each.
const SELECTION_RESAMPLES: u32 = 2000;
/// Rivals at most. Those placed far behind lead in no resample, and would only cost time.
const RIVALS: usize = 100;

/// The leader's F1, corrected for the choice among all that were judged on the same questions after the same budget. `rows` are ranked, best
/// first.
pub(super) fn corrected_for_choice(rows: &[Row], snapshot: &Snapshot) -> Option<Estimate> {
    let rung = rows.first().filter(|row| row.rank.is_some())?.rung;
    let rivals: Vec<Evaluation> = rows
        .iter()
        .take_while(|row| row.rank.is_some() && row.rung == rung)
        .take(RIVALS)
        .filter_map(|row| Some(snapshot.evaluations.get(&row.trial?)?.evaluation.clone()))
        .collect();
    if rivals.len() < 2 {
        return None;
    }
    let config = BootstrapConfig {
        resamples: SELECTION_RESAMPLES,
        ..bootstrap_of(snapshot.search.seed)
    };
    // Too few questions or none: there is nothing to correct with.
    Some(select_best(&rivals, &config).ok()?.corrected_f1)
}
