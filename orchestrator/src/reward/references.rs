//! The base rewards as ordinary candidates of round 0: compiled by the same path, stored, protected by their names.

use sandbox::{HostError, Source};

use crate::{
    domain::candidate::{Candidate, CandidateId, NewCandidate, source_hash},
    reward::{admit::judge, base::base_rewards, maker::RewardMaker},
};

/// Why the base rewards are not there.
#[derive(Debug, thiserror::Error)]
pub enum BaseRewardError {
    /// Trouble of the host.
    #[error(transparent)]
    Host(#[from] HostError),
    /// The sandbox refuses one of them.
    #[error("the base reward `{name}` was refused: {reason}; are the [limits] too small?")]
    Refused {
        /// Which one.
        name: String,
        /// Why.
        reason: String,
    },
}

/// Compiles the base rewards.
///
/// # Errors
/// For trouble of the host, or when the limits are too small for them.
pub async fn make(maker: &RewardMaker) -> Result<Vec<NewCandidate>, BaseRewardError> {
    let mut made = Vec::new();
    for draft in base_rewards() {
        let sha256 = source_hash(&Source {
            language: draft.language,
            code: draft.code.clone(),
        });
        let base = judge(maker, draft, sha256, None, None).await?;
        if let Some(reason) = base.status.reason() {
            return Err(BaseRewardError::Refused {
                reason: reason.to_owned(),
                name: base.draft.name,
            });
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
