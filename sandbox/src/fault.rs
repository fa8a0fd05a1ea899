//! What can go wrong while a loaded reward function scores a sample.

use serde::{Deserialize, Serialize};

/// Why a sample got no score. `index` is the sample's place in the batch.
///
/// All but [`Fault::Host`] are the candidate's doing and come again with the same module, sample and limits.
/// [`Fault::Deadline`] alone depends on the machine; the fuel limit is meant to strike long before it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Fault {
    /// The call used up its fuel: an endless loop, or too much work.
    #[error(
        "sample {index}: out of fuel; an endless loop, or more work than `fuel_per_call` allows"
    )]
    OutOfFuel {
        /// Place in the batch.
        index: usize,
    },
    /// The call ran into the wall-clock backstop.
    #[error("sample {index}: past the deadline of one call (`deadline_ms`)")]
    Deadline {
        /// Place in the batch.
        index: usize,
    },
    /// The guest asked for more memory than it may have.
    #[error("sample {index}: out of memory (`memory_mib`)")]
    OutOfMemory {
        /// Place in the batch.
        index: usize,
    },
    /// The call stack was exhausted: recursion without end, or too deep.
    #[error("sample {index}: stack overflow; recursion without end, or too deep")]
    StackOverflow {
        /// Place in the batch.
        index: usize,
    },
    /// The score is NaN or infinite.
    #[error(
        "sample {index}: the score is not a finite number; guard divisions, logarithms and roots"
    )]
    NotFinite {
        /// Place in the batch.
        index: usize,
    },
    /// A reward of groups returned more or fewer scores than the group has samples.
    #[error("sample {index}: {found} scores for a group of {expected}; return one score a sample, in order")]
    WrongLength {
        /// Place in the batch of the group's first sample.
        index: usize,
        /// Samples in the group.
        expected: usize,
        /// Scores returned.
        found: usize,
    },
    /// The sample is larger than the guest may be given.
    #[error("sample {index}: {bytes} bytes of text are more than a sample may have (`sample_kib`)")]
    SampleTooLarge {
        /// Place in the batch.
        index: usize,
        /// Size of the sample's texts together.
        bytes: usize,
    },
    /// The guest panicked or did something WebAssembly does not allow.
    #[error("sample {index}: {message}")]
    Trap {
        /// Place in the batch.
        index: usize,
        /// The panic message with its line, or the engine's name for the trap.
        message: String,
    },
    /// The guest does not keep to the calling convention (never happens to guests made from source).
    #[error("sample {index}: the guest breaks the calling convention: {message}")]
    Protocol {
        /// Place in the batch.
        index: usize,
        /// What it did.
        message: String,
    },
    /// The engine failed, not the candidate: try again, and do not hold it against the reward.
    #[error("sample {index}: the sandbox itself failed: {message}")]
    Host {
        /// Place in the batch.
        index: usize,
        /// The engine's error.
        message: String,
    },
}

impl Fault {
    /// Place in the batch of the sample at fault.
    #[must_use]
    pub const fn index(&self) -> usize {
        match self {
            Self::OutOfFuel { index }
            | Self::Deadline { index }
            | Self::OutOfMemory { index }
            | Self::StackOverflow { index }
            | Self::NotFinite { index }
            | Self::WrongLength { index, .. }
            | Self::SampleTooLarge { index, .. }
            | Self::Trap { index, .. }
            | Self::Protocol { index, .. }
            | Self::Host { index, .. } => *index,
        }
    }

    /// The same fault at another place in the batch.
    #[must_use]
    pub fn at(mut self, place: usize) -> Self {
        match &mut self {
            Self::OutOfFuel { index }
            | Self::Deadline { index }
            | Self::OutOfMemory { index }
            | Self::StackOverflow { index }
            | Self::NotFinite { index }
            | Self::WrongLength { index, .. }
            | Self::SampleTooLarge { index, .. }
            | Self::Trap { index, .. }
            | Self::Protocol { index, .. }
            | Self::Host { index, .. } => *index = place,
        }
        self
    }

    /// A stable name of the variant, as in its JSON.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::OutOfFuel { .. } => "out_of_fuel",
            Self::Deadline { .. } => "deadline",
            Self::OutOfMemory { .. } => "out_of_memory",
            Self::StackOverflow { .. } => "stack_overflow",
            Self::NotFinite { .. } => "not_finite",
            Self::WrongLength { .. } => "wrong_length",
            Self::SampleTooLarge { .. } => "sample_too_large",
            Self::Trap { .. } => "trap",
            Self::Protocol { .. } => "protocol",
            Self::Host { .. } => "host",
        }
    }

    /// Whether the host is to blame: worth a retry, and no judgement on the candidate.
    #[must_use]
    pub const fn is_host_trouble(&self) -> bool {
        matches!(self, Self::Host { .. })
    }
}
