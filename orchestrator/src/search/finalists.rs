//! Who is confirmed on Test: the base rewards, the best candidates, and a mix of the best for each size asked for.

use crate::{
    board::leaderboard::Leaderboard,
    config::Config,
    domain::trial::Arm,
    store::{SearchId, Store, StoreError},
};

/// The arms of the confirmation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finalists {
    /// In the order they are run: reference first.
    pub arms: Vec<Arm>,
}

impl Finalists {
    /// Chooses by the ranking on Dev alone, and stores the mixes. Sizes larger than the number of distinct candidates are left out.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn choose(
        store: &Store,
        search: SearchId,
        config: &Config,
        board: &Leaderboard,
    ) -> Result<Self, StoreError> {
        let best: Vec<_> = board.distinct().filter_map(|row| row.candidate).collect();
        let mut arms = vec![Arm::BaseOnly];
        arms.extend(
            best.iter()
                .take(config.confirm.candidates)
                .map(|&id| Arm::Candidate(id)),
        );
        for &size in config
            .ensemble
            .sizes
            .iter()
            .filter(|&&size| size <= best.len())
        {
            let members: Vec<_> = best[..size].iter().map(|&id| (id, 1.0)).collect();
            let name = format!("top-{size}");
            let ensemble = store
                .ensure_ensemble(search, &name, config.ensemble.aggregation, &members)
                .await?;
            arms.push(Arm::Ensemble(ensemble.id));
        }
        Ok(Self { arms })
    }
}
