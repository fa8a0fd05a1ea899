//! Matrix product of small, tall matrices: packed panels and a register-blocked inner kernel (the scheme of Goto and van de Geijn,
//! "Anatomy of High-Performance Matrix Multiplication", ACM TOMS 34(3), 2008).
//!
//! Made for this crate's shapes (a few hundred rows against 64 to 512 columns), single-threaded: parallelism is over micro-batches.
//! A row of the result never depends on the other rows of the batch.

use std::cell::RefCell;

/// Rows and columns of the block of C kept in registers: 6 x 16 floats are 12 AVX2 registers.
const MR: usize = 6;
const NR: usize = 16;
/// Depth of a packed block: a panel of B of this depth is 16 KiB, half of a small L1.
const KC: usize = 256;
/// Rows of A packed at once.
const MC: usize = 16 * MR;

thread_local! {
    /// Packing space, kept between calls: a training step makes thousands of products of the same few shapes.
    static PACKED: RefCell<(Vec<f32>, Vec<f32>)> = const { RefCell::new((Vec::new(), Vec::new())) };
}

/// A matrix seen through strides: element (i, j) is `data[i * row + j * col]`.
#[derive(Clone, Copy)]
pub struct View<'a> {
    data: &'a [f32],
    row: usize,
    col: usize,
}

impl<'a> View<'a> {
    /// Rows of `width` elements, one after another.
    pub fn rows(data: &'a [f32], width: usize) -> Self {
        Self {
            data,
            row: width,
            col: 1,
        }
    }

    /// The transpose of a matrix stored as rows of `width` elements.
    pub fn transposed(data: &'a [f32], width: usize) -> Self {
        Self {
            data,
            row: 1,
            col: width,
        }
    }
}

/// What happens to the old content of C.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Into {
    /// C = A B.
    Overwrite,
    /// C += A B.
    Add,
}

/// C (m x n, row-major) = or += A (m x k) B (k x n).
pub fn gemm(m: usize, n: usize, k: usize, a: View<'_>, b: View<'_>, c: &mut [f32], into: Into) {
    assert_eq!(c.len(), m * n, "C must hold m x n elements");
    if k == 0 && into == Into::Overwrite {
        c.fill(0.0);
    }
    PACKED.with_borrow_mut(|(packed_a, packed_b)| {
        blocked(Shape { m, n, k }, a, b, c, into, packed_a, packed_b);
    });
}

struct Shape {
    m: usize,
    n: usize,
    k: usize,
}

super::vectorized! {
fn blocked<'a>(
    shape: Shape,
    a: View<'a>,
    b: View<'a>,
    c: &'a mut [f32],
    into: Into,
    packed_a: &'a mut Vec<f32>,
    packed_b: &'a mut Vec<f32>,
) {
    let Shape { m, n, k } = shape;
    for k0 in (0..k).step_by(KC) {
        let depth = KC.min(k - k0);
        let add = into == Into::Add || k0 > 0;
        let b_block = View { data: &b.data[k0 * b.row..], ..b };
        pack::<NR>(View { row: b.col, col: b.row, ..b_block }, n, depth, packed_b);
        for m0 in (0..m).step_by(MC) {
            let height = MC.min(m - m0);
            let a_block = View { data: &a.data[m0 * a.row + k0 * a.col..], ..a };
            pack::<MR>(a_block, height, depth, packed_a);
            for (panel_b, j0) in packed_b.chunks_exact(depth * NR).zip((0..n).step_by(NR)) {
                for (panel_a, i0) in packed_a.chunks_exact(depth * MR).zip((0..height).step_by(MR)) {
                    let block = micro(panel_a, panel_b);
                    let (rows, cols) = (MR.min(height - i0), NR.min(n - j0));
                    for (r, row) in block.iter().enumerate().take(rows) {
                        let start = (m0 + i0 + r) * n + j0;
                        let target = &mut c[start..start + cols];
                        if let Some(target) = target.first_chunk_mut::<NR>() {
                            // The common case, with a length the compiler knows.
                            let before = if add { *target } else { [0.0; NR] };
                            for j in 0..NR {
                                target[j] = before[j] + row[j];
                            }
                        } else if add {
                            for (t, &v) in target.iter_mut().zip(row) {
                                *t += v;
                            }
                        } else {
                            target.copy_from_slice(&row[..cols]);
                        }
                    }
                }
            }
        }
    }
}
}

/// Copies `count` rows of `view` into panels of `W` rows, depth-major, the last panel filled up with zeros.
#[inline(always)]
fn pack<const W: usize>(view: View<'_>, count: usize, depth: usize, out: &mut Vec<f32>) {
    let panels = count.div_ceil(W);
    out.resize(panels * W * depth, 0.0);
    for (panel, out) in out.chunks_exact_mut(W * depth).enumerate() {
        let first = panel * W;
        let here = W.min(count - first);
        let (slots, _) = out.as_chunks_mut::<W>();
        if here < W {
            slots.fill([0.0; W]);
        }
        if view.row == 1 {
            for (d, slot) in slots.iter_mut().enumerate() {
                let source = &view.data[first + d * view.col..];
                match source.first_chunk::<W>() {
                    Some(whole) if here == W => *slot = *whole,
                    _ => slot[..here].copy_from_slice(&source[..here]),
                }
            }
        } else {
            for r in 0..here {
                let start = (first + r) * view.row;
                if view.col == 1 {
                    for (slot, &v) in slots.iter_mut().zip(&view.data[start..start + depth]) {
                        slot[r] = v;
                    }
                } else {
                    for (d, slot) in slots.iter_mut().enumerate() {
                        slot[r] = view.data[start + d * view.col];
                    }
                }
            }
        }
    }
}

/// One block of C over the whole packed depth.
#[inline(always)]
fn micro(a: &[f32], b: &[f32]) -> [[f32; NR]; MR] {
    let mut block = [[0.0_f32; NR]; MR];
    let (a, _) = a.as_chunks::<MR>();
    let (b, _) = b.as_chunks::<NR>();
    for (a, b) in a.iter().zip(b) {
        for r in 0..MR {
            for c in 0..NR {
                block[r][c] = a[r].mul_add(b[c], block[r][c]);
            }
        }
    }
    block
}

#[cfg(test)]
mod tests {
    use super::*;

    fn noise(n: usize, seed: u32) -> Vec<f32> {
        let mut state = seed;
        (0..n)
            .map(|_| {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                (state >> 8) as f32 / (1 << 24) as f32 - 0.5
            })
            .collect()
    }

    #[test]
    fn equals_the_definition_for_every_layout_and_edge() {
        for (m, n, k) in [
            (1, 1, 1),
            (6, 16, 8),
            (7, 17, 300),
            (130, 84, 64),
            (5, 352, 64),
            (64, 64, 513),
        ] {
            let (a, b) = (noise(m * k, 1), noise(k * n, 2));
            let a_t: Vec<f32> = (0..m * k).map(|i| a[i % m * k + i / m]).collect();
            let b_t: Vec<f32> = (0..k * n).map(|i| b[i % k * n + i / k]).collect();
            let truth: Vec<f64> = (0..m * n)
                .map(|i| {
                    (0..k)
                        .map(|d| f64::from(a[i / n * k + d]) * f64::from(b[d * n + i % n]))
                        .sum()
                })
                .collect();
            for view_a in [View::rows(&a, k), View::transposed(&a_t, m)] {
                for view_b in [View::rows(&b, n), View::transposed(&b_t, k)] {
                    let mut c = vec![1.0; m * n];
                    gemm(m, n, k, view_a, view_b, &mut c, Into::Overwrite);
                    assert!(
                        c.iter()
                            .zip(&truth)
                            .all(|(&c, t)| (f64::from(c) - t).abs() < 1e-4)
                    );
                    gemm(m, n, k, view_a, view_b, &mut c, Into::Add);
                    assert!(
                        c.iter()
                            .zip(&truth)
                            .all(|(&c, t)| (f64::from(c) - 2.0 * t).abs() < 2e-4)
                    );
                }
            }
        }
    }

    #[test]
    fn a_row_does_not_depend_on_its_neighbours() {
        let (a, w) = (noise(128 * 64, 3), noise(192 * 64, 4));
        let mut all = vec![0.0; 128 * 192];
        gemm(
            128,
            192,
            64,
            View::rows(&a, 64),
            View::transposed(&w, 64),
            &mut all,
            Into::Overwrite,
        );
        for row in [0, 5, 127] {
            let mut one = vec![0.0; 192];
            let a = &a[row * 64..(row + 1) * 64];
            gemm(
                1,
                192,
                64,
                View::rows(a, 64),
                View::transposed(&w, 64),
                &mut one,
                Into::Overwrite,
            );
            assert_eq!(one, all[row * 192..(row + 1) * 192]);
        }
    }
}
