//! Mutants of a reward's source: a pool that scores alike under a changed reward says nothing of what was changed.

use sandbox::{Bench, CompileError, Language, Limits, Mutant, RewardFn, Source};
use serde::Serialize;

use super::{ProbeSet, same_bits};

/// Changes that are tried, at most; each in Rust is a run of rustc.
const MOST_IN_PYTHON: u32 = 40;
const MOST_IN_RUST: u32 = 12;

/// What became of the mutants of a reward.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SourceMutants {
    /// Changes that made a reward.
    pub tried: usize,
    /// Of these, those that moved a score of the pool, or failed on it.
    pub told_apart: usize,
    /// The others.
    pub unseen: Vec<Unseen>,
}

/// A change to the source that the pool does not show.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Unseen {
    /// Its line, from 1.
    pub line: usize,
    /// What becomes what.
    pub change: String,
}

impl ProbeSet {
    /// Changes a reward's source in one place after the other and scores the pool, whose scores by the reward itself are `before`. What does not
    /// compile, or is refused, is not counted.
    ///
    /// # Errors
    /// Only the host's trouble.
    pub fn source_mutants(
        &self,
        source: &Source,
        before: &[f64],
        (bench, limits): (&Bench, &Limits),
    ) -> Result<SourceMutants, CompileError> {
        let most = match source.language {
            Language::Python => MOST_IN_PYTHON,
            Language::Rust => MOST_IN_RUST,
        };
        let samples = self.samples();
        let mut found = SourceMutants {
            tried: 0,
            told_apart: 0,
            unseen: Vec::new(),
        };
        for mutant in bench.mutants(source, most)? {
            let Some(reward) = made(&mutant, (bench, limits))? else {
                continue;
            };
            found.tried += 1;
            match reward.score(&samples) {
                Ok(after) if same_bits(before, &after) => found.unseen.push(Unseen {
                    line: mutant.line,
                    change: mutant.change,
                }),
                _ => found.told_apart += 1,
            }
        }
        Ok(found)
    }
}

/// The reward of a mutant, where it is one.
fn made(
    mutant: &Mutant,
    (bench, limits): (&Bench, &Limits),
) -> Result<Option<RewardFn>, CompileError> {
    // Not by the bench itself, which keeps what it loads.
    let loaded = bench
        .compile(&mutant.source)
        .and_then(|module| bench.sandbox(limits)?.load(&module));
    match loaded {
        Ok(reward) => Ok(Some(reward)),
        Err(CompileError::Rejected(_)) => Ok(None),
        Err(error @ CompileError::Host(_)) => Err(error),
    }
}
