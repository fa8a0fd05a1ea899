//! Whom an export is for, and what it is made of.

/// A trainer that an export is made for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Target {
    /// TRL: reward functions, one a member.
    Trl,
    /// verl: `compute_score`.
    Verl,
    /// verifiers: async functions, one a member.
    Verifiers,
}

impl Target {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Trl => "trl",
            Self::Verl => "verl",
            Self::Verifiers => "verifiers",
        }
    }
}

/// A file to be written: its name from the folder on, and what it holds.
pub(super) type File = (String, Vec<u8>);
