//! The base rewards as ordinary candidates of round 0: compiled by the same path, stored, protected by their names.

use sandbox::Source;
use trainer_bridge::TrainError;

use crate::{
    admit::judge,
    base_rewards::base_rewards,
    candidate::{Candidate, CandidateId, NewCandidate, source_hash},
    search::SearchError,
    workshop::Workshop,
};

/// Compiles the base rewards.
///
/// # Errors
/// For trouble of the host, or when the limits are too small for them.
pub async fn make(workshop: &Workshop) -> Result<Vec<NewCandidate>, SearchError> {
    let mut made = Vec::new();
    for draft in base_rewards() {
        let sha256 = source_hash(&Source {
            language: draft.language,
            code: draft.code.clone(),
        });
        let base = judge(workshop, draft, sha256, None, None).await?;
        if let Some(reason) = base.status.reason() {
            let why = format!(
                "the base reward `{}` was refused: {reason}; are the [limits] too small?",
                base.draft.name
            );
            return Err(TrainError::Setup(why).into());
        }
        made.push(base);
    }
    Ok(made)
}

/// The mix of the base rewards: a plain sum, as in the reference paper.
#[must_use]
pub fn members(candidates: &[Candidate]) -> Vec<(CandidateId, f64)> {
    let base = candidates
        .iter()
        .filter(|c| c.round == 0 && c.status.wasm().is_some());
    base.map(|c| (c.id, 1.0)).collect()
}
