//! A stored reward under test: where it comes from, what it says, what became of it before any training.

use std::fmt;

use sandbox::{Fault, Language, Rejection, Source};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{
    draft::Draft,
    trial::{BASE_ONLY, UNTOUCHED},
};
use crate::text::hex;

/// What the names of base rewards begin with; no candidate may have such a name.
pub const BASE_PREFIX: &str = "base/";

/// What the names of controls begin with.
pub const CONTROL_PREFIX: &str = "control/";

/// What the names of candidates begin with that are drawn without any feedback, to compare with.
pub const RANDOM_CANDIDATE: &str = "control/random-candidate-";

/// The database's key of a candidate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CandidateId(pub i64);

/// Where a candidate comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Origin {
    /// It is one of the base rewards, which come with the program and are what others are compared with.
    Base,
    /// It comes with the program, too, and is only there to compare with: it belongs to no mix, is never ranked and never left out.
    Control,
    /// A person named its file in the configuration; it enters the first round.
    Seed,
    /// The proposer suggested it in this round, from 1.
    Round(u32),
}

impl Origin {
    /// The round that it enters, as tables show it; what comes with the program enters none.
    #[must_use]
    pub fn round(self) -> Option<u32> {
        match self {
            Self::Base | Self::Control => None,
            Self::Seed => Some(1),
            Self::Round(round) => Some(round),
        }
    }
}

/// A reward function as the search remembers it. Its module stays in the database until it is asked for.
#[derive(Debug, Clone, PartialEq)]
pub struct Candidate {
    /// The database's key.
    pub id: CandidateId,
    /// Where it comes from.
    pub origin: Origin,
    /// What its author wrote, under a name that is unique within the search.
    pub draft: Draft,
    /// What became of it.
    pub status: Status,
    /// What the probe saw, as JSON, where it got that far.
    pub probe: Option<String>,
}

/// A candidate as lists need it: without its source, its probe and its module.
#[derive(Debug, Clone, PartialEq)]
pub struct CandidateEntry {
    /// The database's key.
    pub id: CandidateId,
    /// Where it comes from.
    pub origin: Origin,
    /// Its name.
    pub name: String,
    /// What became of it.
    pub status: Status,
}

/// What became of a draft before any training.
#[derive(Debug, Clone, PartialEq)]
pub enum Status {
    /// It is compiled, probed and ready to train on.
    Accepted,
    /// The source check, the compiler, the probe or the gate refused it.
    Rejected(Refusal),
    /// It has the same source as an earlier candidate.
    Duplicate {
        /// The earlier one's name.
        of: String,
    },
    /// On what the untouched policy writes, its advantages are those of an earlier candidate: it would teach the same.
    Twin {
        /// The earlier one's name.
        of: String,
    },
    /// It is a piece of a reply in which no draft can be read.
    Unreadable {
        /// Why none can.
        reason: String,
    },
}

/// Why a draft is not trained on. `Display` is one line for people; JSON is tagged with `kind`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, thiserror::Error)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Refusal {
    /// It never ran.
    #[error("{rejection}")]
    Rejection {
        /// What the sandbox refused.
        rejection: Rejection,
    },
    /// It went wrong on what it was measured with.
    #[error("went wrong on a completion of the untouched policy, or on a hack: {fault}")]
    Fault {
        /// What happened.
        fault: Fault,
    },
    /// The gate of the configuration refused it.
    #[error("{message}")]
    Gate {
        /// Which figure missed what.
        message: String,
    },
    /// What a program said that kept the text alone.
    #[error("{message}")]
    Told {
        /// What it said.
        message: String,
    },
}

impl Status {
    /// Why it is not accepted.
    #[must_use]
    pub fn reason(&self) -> Option<String> {
        match self {
            Self::Accepted => None,
            Self::Rejected(refusal) => Some(refusal.to_string()),
            Self::Duplicate { of } => Some(format!("the same source as `{of}`")),
            Self::Twin { of } => Some(format!(
                "a twin of `{of}`: the same advantages on all that the untouched policy wrote, so it would teach the same"
            )),
            Self::Unreadable { reason } => Some(reason.clone()),
        }
    }

    /// Whether it can be trained on.
    #[must_use]
    pub fn is_accepted(&self) -> bool {
        matches!(self, Self::Accepted)
    }
}

impl fmt::Display for Status {
    /// One word for people.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Accepted => "accepted",
            Self::Rejected(_) => "rejected",
            Self::Duplicate { .. } => "duplicate",
            Self::Twin { .. } => "twin",
            Self::Unreadable { .. } => "unreadable",
        })
    }
}

/// A draft judged and ready to be stored.
#[derive(Debug, Clone, PartialEq)]
pub struct NewCandidate {
    /// Where it comes from.
    pub origin: Origin,
    /// The draft, its name already made unique.
    pub draft: Draft,
    /// Of the normalised source.
    pub sha256: String,
    /// What became of it.
    pub status: Status,
    /// The guest, where the draft is accepted: the bytes that run are the bytes that are exported.
    pub wasm: Option<Vec<u8>>,
    /// What the probe saw, as JSON.
    pub probe: Option<String>,
}

/// The hash that tells duplicates: sha-256 of the source without whole-line comments, blank lines and trailing blanks.
///
/// Whole-line comments do not count, so that a proposer cannot resubmit a candidate under a new headline; a directive to the
/// sandbox (`# reward-search: function=…`) does, for it says which function of a file is meant.
#[must_use]
pub fn source_hash(source: &Source) -> String {
    let mut hash = Sha256::new();
    for line in source.code.lines().map(str::trim_end) {
        let text = line.trim_start();
        let comment = match source.language {
            Language::Rust => text.starts_with("//"),
            Language::Python => text.starts_with('#') && !text.starts_with("# reward-search:"),
        };
        if !text.is_empty() && !comment {
            hash.update(line.as_bytes());
            hash.update(b"\n");
        }
    }
    hex(&hash.finalize())
}

/// The names of mixes that are not numbered.
pub const MIXES: [&str; 3] = ["diverse-rounds", "correctness-only", GREEDY];

/// The mix that adding members one by one came to.
pub const GREEDY: &str = "greedy";

/// Names the search gives itself: reference rows and ensembles.
fn is_reserved(name: &str) -> bool {
    let numbered = |size: &str| size.bytes().all(|b| b.is_ascii_digit());
    let mixes = ["top-", "tried-", "random-"];
    name == BASE_ONLY
        || name == UNTOUCHED
        || MIXES.contains(&name)
        || mixes
            .iter()
            .any(|mix| name.strip_prefix(mix).is_some_and(numbered))
}

/// Makes a proposer's name printable and unique among `taken`. No name it makes has a slash, so the names of the base rewards
/// ([`BASE_PREFIX`]) are out of reach.
#[must_use]
pub fn unique_name(wish: &str, taken: &dyn Fn(&str) -> bool) -> String {
    let mut name: String = wish
        .trim()
        .chars()
        .map(|c| {
            if c.is_ascii_alphanumeric() || "-_.".contains(c) {
                c.to_ascii_lowercase()
            } else {
                '_'
            }
        })
        .take(48)
        .collect();
    name = name.trim_matches(['_', '-', '.']).to_owned();
    if name.is_empty() {
        name = "reward".to_owned();
    }
    let taken = |name: &str| is_reserved(name) || taken(name);
    if !taken(&name) {
        return name;
    }
    (2u32..)
        .map(|n| format!("{name}-{n}"))
        .find(|candidate| !taken(candidate))
        .expect("there are more numbers than names")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_and_blank_lines_do_not_make_a_new_reward() {
        let hash = |code: &str| {
            source_hash(&Source {
                language: Language::Rust,
                code: code.into(),
            })
        };
        assert_eq!(hash("// a\n\nfn f() {}  \n"), hash("// b\nfn f() {}"));
        assert_ne!(hash("fn f() {}"), hash("fn g() {}"));
        let python =
            |function| source_hash(&Source::python("# x\ny = 1\n").with_function(function));
        assert_ne!(python("f"), python("g"));
    }

    #[test]
    fn names_are_printable_unprotected_and_unique() {
        let taken = |name: &str| name == "close" || name == "close-2";
        assert_eq!(unique_name("close", &taken), "close-3");
        assert_eq!(
            unique_name("base/exact_format", &taken),
            "base_exact_format"
        );
        assert_eq!(unique_name("<script>é", &taken), "script");
        assert_eq!(unique_name("", &taken), "reward");
        assert_eq!(unique_name("-rf", &taken), "rf");
        assert_eq!(unique_name("..", &taken), "reward");
        assert_eq!(unique_name("top-3", &taken), "top-3-2");
        assert_eq!(unique_name("untouched", &taken), "untouched-2");
    }
}
