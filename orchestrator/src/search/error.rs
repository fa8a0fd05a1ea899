//! Why a search cannot go on.

use sandbox::HostError;
use trainer_bridge::TrainError;

use super::{checkpoints::FolderError, training::TrainingError};
use crate::{
    judge::VerifierError, proposer::ProposeError, reward::references::BaseRewardError,
    store::StoreError,
};

/// Why a search cannot go on. It can be continued once the cause is gone.
#[derive(Debug, thiserror::Error)]
pub enum SearchError {
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The proposer.
    #[error(transparent)]
    Propose(#[from] ProposeError),
    /// The compiler or the sandbox.
    #[error(transparent)]
    Host(#[from] HostError),
    /// The trainer.
    #[error(transparent)]
    Train(#[from] TrainError),
    /// The folder of a trial's checkpoints.
    #[error(transparent)]
    Folder(#[from] FolderError),
    /// Who judges answers.
    #[error(transparent)]
    Verify(#[from] VerifierError),
}

impl From<TrainingError> for SearchError {
    fn from(error: TrainingError) -> Self {
        match error {
            TrainingError::Train(error) => Self::Train(error),
            TrainingError::Folder(error) => Self::Folder(error),
            TrainingError::Store(error) => Self::Store(error),
        }
    }
}

impl From<BaseRewardError> for SearchError {
    fn from(error: BaseRewardError) -> Self {
        match error {
            BaseRewardError::Host(error) => Self::Host(error),
            refused @ BaseRewardError::Refused { .. } => {
                Self::Train(TrainError::Setup(refused.to_string()))
            }
        }
    }
}
