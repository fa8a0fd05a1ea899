//! The base rewards as ordinary candidates: compiled by the same path, stored, protected by their names.

use sandbox::HostError;

use super::{
    admit::{Submitted, judge},
    base::base_rewards,
    maker::RewardMaker,
};
use crate::domain::candidate::{NewCandidate, Origin, source_hash};

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
        let sha256 = source_hash(&draft.source);
        let draft = Submitted {
            origin: Origin::Base,
            draft,
            sha256,
            twin: None,
        };
        let base = judge(maker, draft, None).await?;
        if let Some(reason) = base.status.reason() {
            return Err(BaseRewardError::Refused {
                reason,
                name: base.draft.name,
            });
        }
        made.push(base);
    }
    Ok(made)
}
