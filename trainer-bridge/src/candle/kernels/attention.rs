//! Causal attention of a few rows of one sequence: scores, softmax and values, and the way back.
//!
//! A sequence's keys and values are planes of `capacity` positions, one plane a key-value head: keys transposed (`[dim][capacity]`), so
//! that scores are vector operations over positions, values as rows (`[capacity][dim]`). Rows of a head, or heads of a row, are worked on in
//! blocks of [`BLOCK`]; a row's result does not depend on its block.
#![expect(
    clippy::needless_range_loop,
    reason = "loops over constant bounds are what turns into vector instructions"
)]

use std::ops::Range;

use crate::candle::kernels::lanes::{LANES, dot, exponentials, max, sum};

/// The shape of the heads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Heads {
    /// Query heads.
    pub query: usize,
    /// Key-value heads; divides `query`.
    pub key_value: usize,
    /// Elements a head, one of [`HEAD_DIMS`].
    pub dim: usize,
}

/// Head sizes there is code for.
pub const HEAD_DIMS: [usize; 4] = [16, 32, 64, 128];

/// Calls a function that is generic over the head size with the size as a constant.
macro_rules! with_head_dim {
    ($dim:expr, $function:ident($($arg:expr),* $(,)?)) => {
        match $dim {
            16 => $function::<16>($($arg),*),
            32 => $function::<32>($($arg),*),
            64 => $function::<64>($($arg),*),
            128 => $function::<128>($($arg),*),
            other => unreachable!("head_dim {other} was refused when the model was loaded"),
        }
    };
}
pub(crate) use with_head_dim;

impl Heads {
    /// Width of a fused row: queries, keys, values.
    pub fn qkv_width(self) -> usize {
        (self.query + 2 * self.key_value) * self.dim
    }

    /// Width of the attention's result.
    pub fn out_width(self) -> usize {
        self.query * self.dim
    }

    /// Width of the keys (or the values) of a row.
    pub fn kv_width(self) -> usize {
        self.key_value * self.dim
    }

    /// Where the queries lie in a fused row.
    pub fn queries(self) -> Range<usize> {
        0..self.out_width()
    }

    /// Where the keys lie in a fused row.
    pub fn keys(self) -> Range<usize> {
        self.out_width()..self.out_width() + self.kv_width()
    }

    /// The key-value head a query head reads.
    pub fn read_by(self, query_head: usize) -> usize {
        query_head / (self.query / self.key_value)
    }
}

/// Rows worked on at once.
pub const BLOCK: usize = 4;

/// Calls a function that is generic over a number of rows and the head size, for the rows of a range in order: [`BLOCK`] at a time, and
/// what is left one by one. `$row` is the first of each call.
macro_rules! by_blocks {
    ($rows:expr, $row:ident => $function:ident::<_, $dim:ident>($($arg:expr),* $(,)?)) => {{
        let std::ops::Range { start: mut $row, end } = $rows;
        while $row < end {
            if $row + $crate::candle::kernels::attention::BLOCK <= end {
                $function::<{ $crate::candle::kernels::attention::BLOCK }, $dim>($($arg),*);
                $row += $crate::candle::kernels::attention::BLOCK;
            } else {
                $function::<1, $dim>($($arg),*);
                $row += 1;
            }
        }
    }};
}
pub(crate) use by_blocks;

/// Rounds a number of positions up to whole vectors.
pub fn capacity_for(positions: usize) -> usize {
    positions.div_ceil(LANES) * LANES
}

/// Rotates every head of `row` by the angles of one position: Hugging Face's rotate-half convention, element i with element
/// i + dim/2. `sign` -1 turns back, which is also the gradient.
#[inline(always)]
pub fn rotate<const DIM: usize>(row: &mut [f32], cos: &[f32], sin: &[f32], sign: f32) {
    let (heads, _) = row.as_chunks_mut::<DIM>();
    let (cos, sin) = (&cos[..DIM / 2], &sin[..DIM / 2]);
    for head in heads {
        for i in 0..DIM / 2 {
            let s = sign * sin[i];
            let (x, y) = (head[i], head[i + DIM / 2]);
            head[i] = x * cos[i] - y * s;
            head[i + DIM / 2] = y * cos[i] + x * s;
        }
    }
}

/// Inner products of `R` vectors, each with every position of its transposed plane, into `out[r * capacity..][..padded]`.
#[inline(always)]
fn products<const R: usize, const DIM: usize>(
    vectors: [&[f32; DIM]; R],
    planes_t: [&[f32]; R],
    capacity: usize,
    padded: usize,
    scale: f32,
    out: &mut [f32],
) {
    for start in (0..padded).step_by(LANES) {
        let mut sums = [[0.0_f32; LANES]; R];
        for d in 0..DIM {
            for r in 0..R {
                let Some(tile) = planes_t[r][d * capacity + start..].first_chunk::<LANES>() else {
                    return;
                };
                for l in 0..LANES {
                    sums[r][l] = vectors[r][d].mul_add(tile[l], sums[r][l]);
                }
            }
        }
        for r in 0..R {
            if let Some(out) = out[r * capacity + start..].first_chunk_mut::<LANES>() {
                for l in 0..LANES {
                    out[l] = sums[r][l] * scale;
                }
            }
        }
    }
}

/// Sum over positions of `weights[r][position] * planes[r][position]`, for `R` rows of weights.
#[inline(always)]
fn combine<const R: usize, const DIM: usize>(
    weights: &[f32],
    capacity: usize,
    planes: [&[f32]; R],
    visible: usize,
) -> [[f32; DIM]; R] {
    let mut sums = [[0.0_f32; DIM]; R];
    let mut rows = [&[[0.0_f32; DIM]][..]; R];
    let mut weights_of = [weights; R];
    for r in 0..R {
        rows[r] = &planes[r].as_chunks().0[..visible];
        weights_of[r] = &weights[r * capacity..][..visible];
    }
    for position in 0..visible {
        for r in 0..R {
            for d in 0..DIM {
                sums[r][d] = weights_of[r][position].mul_add(rows[r][position][d], sums[r][d]);
            }
        }
    }
    sums
}

/// Adds `weights[r][position] * vectors[r]` to every position of a plane.
#[inline(always)]
fn spread<const R: usize, const DIM: usize>(
    weights: &[f32],
    capacity: usize,
    vectors: [&[f32; DIM]; R],
    plane: &mut [f32],
    visible: usize,
) {
    let (rows, _) = plane.as_chunks_mut::<DIM>();
    let weights: [&[f32]; R] = std::array::from_fn(|r| &weights[r * capacity..][..visible]);
    for (position, row) in rows.iter_mut().enumerate().take(visible) {
        let mut sums = *row;
        for r in 0..R {
            for d in 0..DIM {
                sums[d] = weights[r][position].mul_add(vectors[r][d], sums[d]);
            }
        }
        *row = sums;
    }
}

/// Softmax numerators of `R` queries, each of which sees the first `visible` positions of its plane; zero where it sees nothing. Returns the
/// inverse of each one's sum.
#[inline(always)]
fn numerators<const R: usize, const DIM: usize>(
    queries: [&[f32; DIM]; R],
    keys_t: [&[f32]; R],
    capacity: usize,
    visible: [usize; R],
    weights: &mut [f32],
) -> [f32; R] {
    let padded = capacity_for(last_of(visible));
    let scale = 1.0 / (DIM as f32).sqrt();
    products(queries, keys_t, capacity, padded, scale, weights);
    let mut inverse = [0.0; R];
    for r in 0..R {
        // In whole vectors: what is hidden is far below all that is seen, and then nothing.
        let row = &mut weights[r * capacity..][..padded];
        row[visible[r]..].fill(f32::NEG_INFINITY);
        let largest = max(row);
        exponentials(row, largest);
        row[visible[r]..].fill(0.0);
        inverse[r] = 1.0 / sum(row);
    }
    inverse
}

/// Attention of `R` queries, each to the first `visible` positions of its planes.
#[inline(always)]
pub fn attend_block<const R: usize, const DIM: usize>(
    queries: [&[f32; DIM]; R],
    keys_t: [&[f32]; R],
    values: [&[f32]; R],
    capacity: usize,
    visible: [usize; R],
    weights: &mut [f32],
) -> [[f32; DIM]; R] {
    let inverse = numerators(queries, keys_t, capacity, visible, weights);
    let mut out = combine::<R, DIM>(weights, capacity, values, last_of(visible));
    for r in 0..R {
        for d in 0..DIM {
            out[r][d] *= inverse[r];
        }
    }
    out
}

/// How many positions the one that sees most of them sees.
#[inline(always)]
fn last_of<const R: usize>(visible: [usize; R]) -> usize {
    let mut last = 0;
    // A plain loop: a closure would not be compiled for the wider instruction set.
    for seen in visible {
        last = if seen > last { seen } else { last };
    }
    last
}

/// One key-value head of a sequence, in both layouts.
#[derive(Clone, Copy)]
pub struct Planes<'a> {
    /// Positions there is room for.
    pub capacity: usize,
    /// Keys, `[dim][capacity]`.
    pub keys_t: &'a [f32],
    /// Keys, `[capacity][dim]`.
    pub keys: &'a [f32],
    /// Values, `[dim][capacity]`.
    pub values_t: &'a [f32],
}

/// Gradients of one key-value head, `[capacity][dim]`.
pub struct PlaneGrads<'a> {
    /// Of the rotated keys.
    pub keys: &'a mut [f32],
    /// Of the values.
    pub values: &'a mut [f32],
}

/// The way back of [`attend_block`]: returns the gradients of the queries and adds to those of keys and values. With P the softmax
/// weights: dV += P dO, dP = dO V, dS = P (dP - dO . O) / sqrt(dim), dQ = dS K, dK += dS Q.
#[expect(
    clippy::too_many_arguments,
    reason = "the operands of a gradient: inputs, result, its gradient, scratch, gradients to fill"
)]
#[inline(always)]
pub fn attend_block_backward<const R: usize, const DIM: usize>(
    queries: [&[f32; DIM]; R],
    planes: Planes<'_>,
    visible: [usize; R],
    out: [&[f32; DIM]; R],
    dout: [&[f32; DIM]; R],
    weights: &mut [f32],
    dscores: &mut [f32],
    grads: &mut PlaneGrads<'_>,
) -> [[f32; DIM]; R] {
    let Planes {
        capacity,
        keys_t,
        keys,
        values_t,
    } = planes;
    let last = last_of(visible);
    let padded = capacity_for(last);
    let inverse = numerators(queries, [keys_t; R], capacity, visible, weights);
    let scale = 1.0 / (DIM as f32).sqrt();
    products(dout, [values_t; R], capacity, padded, 1.0, dscores);
    for r in 0..R {
        let mean = dot(dout[r], out[r]);
        let weights = weights[r * capacity..][..padded].iter_mut();
        for (weight, dscore) in weights.zip(&mut dscores[r * capacity..][..padded]) {
            *weight *= inverse[r];
            *dscore = *weight * (*dscore - mean) * scale;
        }
    }
    spread(weights, capacity, dout, grads.values, last);
    spread(dscores, capacity, queries, grads.keys, last);
    combine::<R, DIM>(dscores, capacity, [keys; R], last)
}
