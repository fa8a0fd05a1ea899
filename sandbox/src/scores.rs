//! What a batch scored.

/// Scores of a batch, and what else the reward had to say.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Scores {
    /// One finite score a sample, in order.
    pub total: Vec<f64>,
    /// What the totals are the sums of, as far as the reward names parts: none for Rust, one with the function's name where
    /// a Python function returns a list, one a key where it returns a dict.
    pub components: Vec<Component>,
    /// What a Python reward printed, cut to some kilobytes.
    pub printed: String,
}

/// One named part of a reward.
#[derive(Debug, Clone, PartialEq)]
pub struct Component {
    /// Its name.
    pub name: String,
    /// One finite value a sample.
    pub values: Vec<f64>,
}
