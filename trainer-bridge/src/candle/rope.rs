//! Rotary position embedding: the table of angles (Su et al., arXiv 2104.09864).

/// Cosines and sines of every position, `[positions][dim / 2]`.
#[derive(Debug)]
pub struct Rope {
    half: usize,
    cos: Vec<f32>,
    sin: Vec<f32>,
}

impl Rope {
    /// Angles `position * theta^(-2i / dim)`.
    pub fn new(dim: usize, theta: f64, positions: usize) -> Self {
        let half = dim / 2;
        let frequencies: Vec<f64> = (0..half)
            .map(|i| theta.powf(-(2.0 * i as f64) / dim as f64))
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
