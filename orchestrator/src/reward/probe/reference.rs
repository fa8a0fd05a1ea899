//! How data sets write the reference answer that a reward is given.

/// One of these ways.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reference {
    /// As it is: `72`.
    Plain,
    /// GSM8K's: a worked solution that ends in `#### 72`.
    Worked,
    /// As competition solutions have it: `\boxed{72}`.
    Boxed,
    /// `$72$`.
    Maths,
}

impl Reference {
    /// All of them; the plain one first.
    pub(in crate::reward::probe) const ALL: [Self; 4] =
        [Self::Plain, Self::Worked, Self::Boxed, Self::Maths];

    /// How it looks.
    pub(in crate::reward::probe) const fn name(self) -> &'static str {
        match self {
            Self::Plain => "72",
            Self::Worked => "… #### 72",
            Self::Boxed => "\\boxed{72}",
            Self::Maths => "$72$",
        }
    }

    /// The reference as the reward is given it.
    pub(super) fn written(self, answer: &str) -> String {
        match self {
            Self::Plain => answer.to_owned(),
            Self::Worked => format!("It is worked out step by step.\n#### {answer}"),
            Self::Boxed => format!("So we have $\\boxed{{{answer}}}$."),
            Self::Maths => format!("${answer}$"),
        }
    }
}
