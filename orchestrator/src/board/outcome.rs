//! What a search has come to, where it has come to nothing: said plainly, so that a night in which nothing worked does not look like one
//! that did.

use super::{
    leaderboard::{Leaderboard, Row},
    state::RowState,
};
use crate::domain::trial::UNTOUCHED;

/// Why a search that ended has nothing to show. `Display` is the sentence for people.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum NothingFound {
    /// Nothing was proposed at all.
    #[error("the search found nothing: nothing was proposed")]
    NoDraft,
    /// No reply could be read.
    #[error(
        "the search found nothing: none of {pieces} replies held a draft that can be read (`reward-search leaderboard` has the reasons). Look at \
         proposer.max_tokens, the model and its prompts"
    )]
    NothingReadable {
        /// Replies, or pieces of them.
        pieces: usize,
    },
    /// No draft became a candidate.
    #[error(
        "the search found nothing: none of {drafts} drafts was accepted; the last one: {reason}"
    )]
    NothingAccepted {
        /// Drafts that could be read.
        drafts: usize,
        /// Why the last one was not.
        reason: String,
    },
    /// No candidate could be trained to the end.
    #[error(
        "the search found nothing: none of {candidates} candidates was trained to its end; the last one: {reason}"
    )]
    NothingTrained {
        /// Candidates.
        candidates: usize,
        /// Why the last one was not.
        reason: String,
    },
    /// Nobody answered anything right.
    #[error(
        "the search found nothing: F1 is 0 in every row, for the model answers no question right, trained or not. Look at what it writes \
         (`reward-search show {UNTOUCHED}`), task.extraction, trainer.system_prompt, trainer.chat_template and evaluation.max_completion_length"
    )]
    AllZero,
    /// Training made nothing better.
    #[error(
        "the search found nothing: no candidate is above the untouched model (F1 {untouched:.3}; the best, {best}, has {f1:.3}). More steps, \
         another learning rate or more rounds may help"
    )]
    NobodyAbove {
        /// F1 of the model as it was.
        untouched: f64,
        /// The best candidate.
        best: String,
        /// Its F1.
        f1: f64,
    },
}

impl Leaderboard {
    /// Why the search has nothing to show, if that is so. It is asked when the search has ended.
    #[must_use]
    pub fn nothing_found(&self) -> Option<NothingFound> {
        let reason = |row: &Row| row.reason.clone().unwrap_or_default();
        let last = |state: &dyn Fn(RowState) -> bool| {
            let mut rows = self.candidates.iter().rev();
            rows.find(|row| state(row.state))
                .map(reason)
                .unwrap_or_default()
        };
        let unreadable = self
            .candidates
            .iter()
            .filter(|row| row.state == RowState::Unreadable);
        let unreadable = unreadable.count();
        let readable = self.candidates.len() - unreadable;
        let refused = self
            .candidates
            .iter()
            .filter(|row| row.state.is_refused())
            .count();
        let accepted = self.candidates.len() - refused;
        if self.candidates.is_empty() {
            return Some(NothingFound::NoDraft);
        }
        if readable == 0 {
            return Some(NothingFound::NothingReadable { pieces: unreadable });
        }
        if accepted == 0 {
            let refused = |state: RowState| state.is_refused() && state != RowState::Unreadable;
            return Some(NothingFound::NothingAccepted {
                drafts: readable,
                reason: last(&refused),
            });
        }
        let f1 = |row: &Row| row.figures.as_ref().map(|figures| figures.f1.point);
        let Some((best, highest)) = self.ranked().find_map(|row| Some((row, f1(row)?))) else {
            return Some(NothingFound::NothingTrained {
                candidates: accepted,
                reason: last(&|state| state == RowState::Failed),
            });
        };
        let untouched = self.references.iter().find(|row| row.name == UNTOUCHED);
        let untouched = untouched.filter(|row| row.rung == best.rung).and_then(f1)?;
        let all_zero = |rows: &[Row]| rows.iter().filter_map(f1).all(|f1| f1 == 0.0);
        if all_zero(&self.candidates) && all_zero(&self.references) {
            return Some(NothingFound::AllZero);
        }
        (highest <= untouched).then(|| NothingFound::NobodyAbove {
            untouched,
            best: best.name.clone(),
            f1: highest,
        })
    }
}
