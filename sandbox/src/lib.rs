//! Turns untrusted reward source into a [`RewardFn`] that can do nothing but return finite numbers, and says why when it cannot.

/// STUB of the seam; the sandbox's author replaces every body and moves each type into its room.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Language {
    /// Rust against the guest SDK.
    Rust,
    /// Python in TRL's signature.
    Python,
}

/// A reward function as its author wrote it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// The language of `code`.
    pub language: Language,
    /// The text.
    pub code: String,
}

/// A compiled guest: the bytes that are screened, stored and exported.
#[derive(Debug, Clone)]
pub struct Module {
    /// The WebAssembly binary.
    pub wasm: std::sync::Arc<[u8]>,
}

/// One completion to be scored.
#[derive(Debug, Clone, Copy)]
pub struct Sample<'a> {
    /// The rendered question the policy saw.
    pub prompt: &'a str,
    /// What the policy wrote.
    pub completion: &'a str,
    /// The reference answer.
    pub answer: &'a str,
    /// What the evaluator says of the completion.
    pub verdict: Verdict<'a>,
}

/// The evaluator's judgement, as far as a reward may see it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Verdict<'a> {
    /// Whether the extracted answer is right.
    pub correct: bool,
    /// The extracted final answer, if there was one.
    pub extracted: Option<&'a str>,
}

/// What went wrong while scoring.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Fault {
    /// STUB
    #[error("trap: {message}")]
    Trap {
        /// STUB
        message: String,
    },
}

/// A reward function that can be called.
#[derive(Clone)]
pub struct RewardFn;

impl RewardFn {
    /// One finite score a sample, in order.
    pub fn score(&self, batch: &[Sample<'_>]) -> Result<Vec<f64>, Fault> {
        Ok(batch.iter().map(|s| f64::from(u8::from(s.verdict.correct))).collect())
    }
}
