//! Who is told what a search does, as it does it: a terminal, a log, a page.

use trainer_bridge::StepMetrics;

use crate::{
    board::leaderboard::Leaderboard,
    domain::{candidate::NewCandidate, figures::Figures, trial::Trial},
    proposer::Heard,
};

/// Is told of everything that happens in a search, in order.
pub trait Events: Send + Sync {
    /// Something worth a line.
    fn line(&self, text: &str);

    /// The reference rows are being made.
    fn references(&self);

    /// A round begins.
    fn round(&self, round: u32, of: u32);

    /// A language model is asked, or answers.
    fn hears(&self, heard: &Heard<'_>) {
        let _ = heard;
    }

    /// A round's drafts are judged.
    fn admitted(&self, candidates: &[NewCandidate]);

    /// The finalists are being confirmed.
    fn confirming(&self, arms: usize, seeds: u32);

    /// A batch of trials begins, with that many steps in all.
    fn batch(&self, steps: u32);

    /// So many more steps follow from what has ended of the batch.
    fn batch_grows(&self, steps: u32);

    /// The batch is done.
    fn batch_done(&self);

    /// A trial of this name begins; what becomes of it is told to the value returned.
    fn trial<'a>(&'a self, name: &str, trial: &Trial) -> Box<dyn TrialEvents + 'a>;

    /// A round is ranked.
    fn ranking(&self, board: &Leaderboard, round: u32);
}

/// Is told what becomes of one trial; dropped when nobody waits for it any more.
pub trait TrialEvents: Send + Sync {
    /// A step is done.
    fn step(&self, metrics: &StepMetrics);

    /// The trial is trained and judged.
    fn complete(&self, figures: &Figures, seconds: f64);

    /// The trial failed.
    fn failed(&self, why: &str);
}
