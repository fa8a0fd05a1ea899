//! The sample under judgement: what the policy was asked, what it wrote, and what is known about it.

/// One completion with its question, the reference answer and the verifier's verdict.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sample<'a> {
    prompt: &'a str,
    completion: &'a str,
    answer: &'a str,
    correct: bool,
    extracted: Option<&'a str>,
}

impl<'a> Sample<'a> {
    /// A sample that the verifier has not judged: not correct, nothing extracted. For tests of a reward.
    #[must_use]
    pub const fn new(prompt: &'a str, completion: &'a str, answer: &'a str) -> Self {
        Self {
            prompt,
            completion,
            answer,
            correct: false,
            extracted: None,
        }
    }

    /// The same sample with a verdict.
    #[must_use]
    pub const fn with_verdict(mut self, correct: bool, extracted: Option<&'a str>) -> Self {
        self.correct = correct;
        self.extracted = extracted;
        self
    }

    /// The rendered question, as the policy saw it.
    #[must_use]
    pub const fn prompt(&self) -> &'a str {
        self.prompt
    }

    /// What the policy wrote.
    #[must_use]
    pub const fn completion(&self) -> &'a str {
        self.completion
    }

    /// The reference answer, e.g. `"242"`.
    #[must_use]
    pub const fn answer(&self) -> &'a str {
        self.answer
    }

    /// Whether the final answer extracted from the completion is right. This is what the policy is evaluated on.
    #[must_use]
    pub const fn correct(&self) -> bool {
        self.correct
    }

    /// The final answer extracted from the completion; `None` where there was none.
    #[must_use]
    pub const fn extracted(&self) -> Option<&'a str> {
        self.extracted
    }
}
