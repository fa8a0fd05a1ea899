//! What a reward function is given.

/// One completion to be scored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
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
