//! What can go wrong while a loaded reward function scores a sample.

use serde::{Deserialize, Serialize};

use crate::source::Language;

/// Why a sample got no score. `index` is the sample's place in the batch.
///
/// All but [`Fault::Host`] are the candidate's doing and come again with the same module, sample and limits.
/// [`Fault::Deadline`] alone depends on the machine; the fuel limit is meant to strike long before it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Fault {
    /// The call used up its fuel: an endless loop, or too much work.
    #[error("sample {index}: out of fuel; an endless loop, or more work than `{}` allows", fuel_limit(.language))]
    OutOfFuel {
        /// Place in the batch.
        index: usize,
        /// The reward's language, which says which limit it was.
        #[serde(default = "rust", skip_serializing_if = "is_rust")]
        language: Language,
    },
    /// The call ran into the wall-clock backstop.
    #[error("sample {index}: past the deadline of one call (`deadline_ms`)")]
    Deadline {
        /// Place in the batch.
        index: usize,
    },
    /// The guest asked for more memory than it may have.
    #[error("sample {index}: out of memory (`{}`)", memory_limit(.language))]
    OutOfMemory {
        /// Place in the batch.
        index: usize,
        /// The reward's language, which says which limit it was.
        #[serde(default = "rust", skip_serializing_if = "is_rust")]
        language: Language,
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
    /// The sample is larger than the guest may be given.
    #[error("sample {index}: {bytes} bytes of text are more than a sample may have (`sample_kib`)")]
    SampleTooLarge {
        /// Place in the batch.
        index: usize,
        /// Size of the sample's texts together.
        bytes: usize,
    },
    /// The samples of a group together are larger than the guest's memory.
    #[error(
        "sample {index}: the {samples} samples of its group have {bytes} bytes together, more than fit into `memory_mib`; make the groups smaller"
    )]
    GroupTooLarge {
        /// Place in the batch of the group's first sample.
        index: usize,
        /// Samples in the group.
        samples: usize,
        /// Size of the group's texts together, as they would be written.
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
    /// A Python reward raised an exception.
    #[error("sample {index}: {}", last_line(.traceback))]
    Exception {
        /// Place in the batch.
        index: usize,
        /// Python's traceback, as far as it lies in the candidate's file, shortened; the last line is the exception.
        traceback: String,
    },
    /// A Python reward returned something that is no list of numbers.
    #[error("sample {index}: {message}")]
    WrongReturn {
        /// Place in the batch.
        index: usize,
        /// What it returned, and what it should.
        message: String,
    },
    /// A Python reward needs something that is not there: a column of the samples, or a part of a stand-in for a module.
    #[error("sample {index}: {message}")]
    NotThere {
        /// Place in the batch.
        index: usize,
        /// What is not there, and where it could come from.
        message: String,
    },
    /// A function for a batch returned too many scores or too few.
    #[error("sample {index}: {found} scores for {expected} completions")]
    WrongLength {
        /// Place in the batch of the first sample the scores were for.
        index: usize,
        /// Completions it was given.
        expected: usize,
        /// Scores it returned.
        found: usize,
    },
    /// A function for a batch failed on the batch, but on none of its samples alone.
    #[error("{samples} samples together: {}", .fault.reason())]
    Batch {
        /// Size of the batch.
        samples: usize,
        /// What happened; its index says nothing.
        fault: Box<Fault>,
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
    /// A call of a reward in this language used up its fuel.
    #[must_use]
    pub const fn out_of_fuel(index: usize, language: Language) -> Self {
        Self::OutOfFuel { index, language }
    }

    /// A call of a reward in this language asked for too much memory.
    #[must_use]
    pub const fn out_of_memory(index: usize, language: Language) -> Self {
        Self::OutOfMemory { index, language }
    }

    /// Place in the batch of the sample at fault, if it is one sample.
    #[must_use]
    pub const fn index(&self) -> Option<usize> {
        match self {
            Self::OutOfFuel { index, .. }
            | Self::Deadline { index }
            | Self::OutOfMemory { index, .. }
            | Self::StackOverflow { index }
            | Self::NotFinite { index }
            | Self::SampleTooLarge { index, .. }
            | Self::GroupTooLarge { index, .. }
            | Self::Trap { index, .. }
            | Self::Protocol { index, .. }
            | Self::Exception { index, .. }
            | Self::WrongReturn { index, .. }
            | Self::NotThere { index, .. }
            | Self::WrongLength { index, .. }
            | Self::Host { index, .. } => Some(*index),
            Self::Batch { .. } => None,
        }
    }

    /// The same fault at another place in the batch.
    #[must_use]
    pub fn at(mut self, place: usize) -> Self {
        match &mut self {
            Self::OutOfFuel { index, .. }
            | Self::Deadline { index }
            | Self::OutOfMemory { index, .. }
            | Self::StackOverflow { index }
            | Self::NotFinite { index }
            | Self::SampleTooLarge { index, .. }
            | Self::GroupTooLarge { index, .. }
            | Self::Trap { index, .. }
            | Self::Protocol { index, .. }
            | Self::Exception { index, .. }
            | Self::WrongReturn { index, .. }
            | Self::NotThere { index, .. }
            | Self::WrongLength { index, .. }
            | Self::Host { index, .. } => *index = place,
            Self::Batch { .. } => {}
        }
        self
    }

    /// What happened, without the sample it happened to.
    #[must_use]
    pub fn reason(&self) -> String {
        let whole = self.to_string();
        match whole.split_once(": ") {
            Some((_, reason)) => reason.to_owned(),
            None => whole,
        }
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
            Self::SampleTooLarge { .. } => "sample_too_large",
            Self::GroupTooLarge { .. } => "group_too_large",
            Self::Trap { .. } => "trap",
            Self::Protocol { .. } => "protocol",
            Self::Exception { .. } => "exception",
            Self::WrongReturn { .. } => "wrong_return",
            Self::NotThere { .. } => "not_there",
            Self::WrongLength { .. } => "wrong_length",
            Self::Batch { .. } => "batch",
            Self::Host { .. } => "host",
        }
    }

    /// Whether the host is to blame: worth a retry, and no judgement on the candidate.
    #[must_use]
    pub const fn is_host_trouble(&self) -> bool {
        matches!(self, Self::Host { .. })
    }
}

const fn rust() -> Language {
    Language::Rust
}

fn is_rust(language: &Language) -> bool {
    *language == Language::Rust
}

const fn fuel_limit(language: &Language) -> &'static str {
    match language {
        Language::Rust => "fuel_per_call",
        Language::Python => "python_fuel_per_call",
    }
}

const fn memory_limit(language: &Language) -> &'static str {
    match language {
        Language::Rust => "memory_mib",
        Language::Python => "python_memory_mib",
    }
}

/// The exception at the end of a traceback, with the line of the source it came from: `ValueError: no number (line 3)`.
fn last_line(traceback: &str) -> String {
    let lines: Vec<&str> = traceback.lines().map(str::trim).collect();
    // The message may have several lines itself; the exception starts at the last one without an indent.
    let start = traceback
        .lines()
        .enumerate()
        .filter(|(_, line)| line.starts_with("  "))
        .last()
        .map_or(0, |(last_of_frames, _)| last_of_frames + 1);
    let exception = lines.get(start..).unwrap_or_default().join(" ");
    let place = lines
        .iter()
        .rev()
        .find_map(|line| line.strip_prefix("File \"reward.py\", "))
        .and_then(|place| place.split(',').next());
    match place {
        Some(place) => format!("{exception} ({place})"),
        None => exception,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_exception_is_one_line_with_its_place() {
        let traceback = "Traceback (most recent call last):\n  File \"reward.py\", line 3, in reward\n    return 1 / 0\nZeroDivisionError: division\nby zero";
        let fault = Fault::Exception {
            index: 2,
            traceback: traceback.to_owned(),
        };
        assert_eq!(
            fault.to_string(),
            "sample 2: ZeroDivisionError: division by zero (line 3)"
        );
        let bare = Fault::Exception {
            index: 0,
            traceback: "MemoryError: ".to_owned(),
        };
        assert_eq!(bare.to_string(), "sample 0: MemoryError:");
    }

    #[test]
    fn a_fault_of_a_batch_names_no_sample() {
        let fault = Fault::Batch {
            samples: 64,
            fault: Box::new(Fault::out_of_fuel(0, Language::Python)),
        };
        assert_eq!(fault.index(), None);
        assert!(
            fault
                .to_string()
                .starts_with("64 samples together: out of fuel")
        );
        assert!(fault.to_string().contains("`python_fuel_per_call`"));
    }

    #[test]
    fn a_limit_is_named_by_its_language_and_older_faults_are_of_rust() {
        let fault = Fault::out_of_memory(1, Language::Rust);
        assert_eq!(fault.to_string(), "sample 1: out of memory (`memory_mib`)");
        let older = r#"{"kind":"out_of_memory","index":1}"#;
        assert_eq!(serde_json::to_string(&fault).ok().as_deref(), Some(older));
        assert_eq!(serde_json::from_str::<Fault>(older).ok(), Some(fault));
    }
}
