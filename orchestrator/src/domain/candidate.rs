//! A stored reward under test: what it is called, what it says, what became of it before any training.

use sandbox::{Language, Source};
use sha2::{Digest, Sha256};

use crate::{
    domain::{
        draft::Draft,
        trial::{BASE_ONLY, UNTOUCHED},
    },
    text::hex,
};

/// The database's key of a candidate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CandidateId(pub i64);

/// A reward function as the search remembers it.
#[derive(Debug, Clone, PartialEq)]
pub struct Candidate {
    /// The database's key.
    pub id: CandidateId,
    /// The round that proposed it; 0 for the base rewards.
    pub round: u32,
    /// Unique within the search.
    pub name: String,
    /// What its author wrote.
    pub source: Source,
    /// Why its author thought it would work.
    pub rationale: String,
    /// Names of the candidates it was made from.
    pub parents: Vec<String>,
    /// What became of it.
    pub status: Status,
    /// What the probe saw, as JSON, where it got that far.
    pub probe: Option<String>,
}

/// What became of a draft before any training.
#[derive(Debug, Clone, PartialEq)]
pub enum Status {
    /// Compiled, probed, ready to train on: the bytes that run are the bytes that are exported.
    Accepted {
        /// The guest.
        wasm: Vec<u8>,
    },
    /// Refused by the source check, the compiler or the probe.
    Rejected {
        /// Why.
        reason: String,
    },
    /// The same source as an earlier candidate.
    Duplicate {
        /// Which one.
        reason: String,
    },
    /// A piece of a reply that is no draft.
    Unreadable {
        /// Why.
        reason: String,
    },
}

impl Status {
    /// The word stored for it.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Self::Accepted { .. } => "accepted",
            Self::Rejected { .. } => "rejected",
            Self::Duplicate { .. } => "duplicate",
            Self::Unreadable { .. } => "unreadable",
        }
    }

    /// Why it is not accepted.
    #[must_use]
    pub fn reason(&self) -> Option<&str> {
        match self {
            Self::Accepted { .. } => None,
            Self::Rejected { reason }
            | Self::Duplicate { reason }
            | Self::Unreadable { reason } => Some(reason),
        }
    }

    /// The guest, if accepted.
    #[must_use]
    pub fn wasm(&self) -> Option<&[u8]> {
        match self {
            Self::Accepted { wasm } => Some(wasm),
            _ => None,
        }
    }
}

/// A draft judged and ready to be stored.
#[derive(Debug, Clone, PartialEq)]
pub struct NewCandidate {
    /// The draft, its name already made unique.
    pub draft: Draft,
    /// Of the normalised source.
    pub sha256: String,
    /// What became of it.
    pub status: Status,
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

/// Names the search gives itself: reference rows and ensembles.
fn is_reserved(name: &str) -> bool {
    let ensemble = |size: &str| size.bytes().all(|b| b.is_ascii_digit());
    name == BASE_ONLY || name == UNTOUCHED || name.strip_prefix("top-").is_some_and(ensemble)
}

/// Makes a proposer's name printable and unique among `taken`. No name it makes has a slash, so the names of the base rewards
/// ([`crate::reward::base::PREFIX`]) are out of reach.
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
