//! Rotary position embedding: the table of angles (Su et al., arXiv 2104.09864), and Llama 3's stretching of it.

use std::f64::consts::TAU;

/// Cosines and sines of every position, `[positions][dim / 2]`.
#[derive(Debug)]
pub struct Rope {
    half: usize,
    cos: Vec<f32>,
    sin: Vec<f32>,
}

/// How Llama 3 stretches the angles to a longer context: slow frequencies are divided by `factor`, fast ones stay, those between are
/// mixed (Llama 3.1's reference code; `rope_type = "llama3"` in transformers).
#[derive(Debug, Clone, PartialEq)]
pub struct Llama3Scaling {
    /// What slow frequencies are divided by.
    pub factor: f64,
    /// Turns within the original context below which a frequency is slow.
    pub low_freq_factor: f64,
    /// Turns within the original context above which a frequency is fast.
    pub high_freq_factor: f64,
    /// Tokens of the original context.
    pub original_context: f64,
}

impl Llama3Scaling {
    fn apply(&self, frequency: f64) -> f64 {
        let turns = self.original_context * frequency / TAU;
        let fast = (turns - self.low_freq_factor) / (self.high_freq_factor - self.low_freq_factor);
        let fast = fast.clamp(0.0, 1.0);
        frequency * (fast + (1.0 - fast) / self.factor)
    }
}

impl Rope {
    /// Angles `position * theta^(-2i / dim)`, the frequencies scaled if asked for.
    pub fn new(dim: usize, theta: f64, scaling: Option<&Llama3Scaling>, positions: usize) -> Self {
        let half = dim / 2;
        let frequencies: Vec<f64> = (0..half)
            .map(|i| theta.powf(-(2.0 * i as f64) / dim as f64))
            .map(|frequency| scaling.map_or(frequency, |scaling| scaling.apply(frequency)))
            .collect();
        let angles = || (0..positions).flat_map(|p| frequencies.iter().map(move |f| p as f64 * f));
        Self {
            half,
            cos: angles().map(|a| a.cos() as f32).collect(),
            sin: angles().map(|a| a.sin() as f32).collect(),
        }
    }

    /// Positions there are angles for.
    pub fn positions(&self) -> usize {
        self.cos.len() / self.half
    }

    /// (cosines, sines) of one position, `dim / 2` each.
    pub fn at(&self, position: usize) -> (&[f32], &[f32]) {
        let here = position * self.half..(position + 1) * self.half;
        (&self.cos[here.clone()], &self.sin[here])
    }

    /// (cosines, sines) of all positions, row after row.
    pub fn tables(&self) -> (&[f32], &[f32]) {
        (&self.cos, &self.sin)
    }
}
