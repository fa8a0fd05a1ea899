//! Matrix product of small, tall matrices: packed panels and a register-blocked inner kernel (the scheme of Goto and van de Geijn,
//! "Anatomy of High-Performance Matrix Multiplication", ACM TOMS 34(3), 2008).
//!
//! Made for this crate's shapes (a few to a few hundred rows against 64 to 1500 columns), single-threaded: parallelism is over
//! micro-batches. A row of the result never depends on the other rows of the batch: each element is summed in one fixed order.

mod register_block;

use std::cell::RefCell;

use pulp::Simd;

use register_block::{Strip, Target};

/// Columns of a panel.
const NR: usize = 16;
/// Depth of a packed block: a panel of B of this depth is 16 KiB, half of a small L1.
const KC: usize = 256;
/// Rows of A that meet one panel of B after another: at this depth they stay in the L2.
const MC: usize = 96;

thread_local! {
    /// Packing space, kept between calls: a training step makes thousands of products of the same few shapes.
    static SPACE: RefCell<(Vec<f32>, Panels)> = const { RefCell::new((Vec::new(), Panels::EMPTY)) };
}

/// A matrix seen through strides, one of them 1: element (i, j) is `data[i * row + j * col]`.
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

    /// What begins with element (i, j).
    #[inline(always)]
    fn from(self, i: usize, j: usize) -> Self {
        Self {
            data: &self.data[i * self.row + j * self.col..],
            ..self
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

/// A right-hand matrix as the inner kernel reads it: for every 256 of its rows, panels of 16 columns, the last one filled up with zeros.
/// Worth keeping where one matrix meets a few rows many times: packing it costs more than its product with 16 rows.
#[derive(Clone)]
pub struct Panels {
    data: Vec<f32>,
    columns: usize,
}

impl Panels {
    const EMPTY: Self = Self {
        data: Vec::new(),
        columns: 0,
    };

    /// Packs B (k x n).
    pub fn of(n: usize, k: usize, b: View<'_>) -> Self {
        let mut panels = Self::EMPTY;
        panels.fill(n, k, b);
        panels
    }

    fn fill(&mut self, n: usize, k: usize, b: View<'_>) {
        self.columns = n;
        self.data.resize(k * self.width(), 0.0);
        fill_blocks(b, n, self.width(), &mut self.data);
    }

    /// Columns of all panels.
    #[inline(always)]
    fn width(&self) -> usize {
        self.columns.next_multiple_of(NR)
    }
}

/// C (m x n, row-major) = or += A (m x k) B (k x n).
pub fn gemm(m: usize, n: usize, k: usize, a: View<'_>, b: View<'_>, c: &mut [f32], into: Into) {
    SPACE.with_borrow_mut(|(packed, panels)| {
        panels.fill(n, k, b);
        multiply(m, a, panels, c, into, packed);
    });
}

/// The same with a B that was packed before.
pub fn gemm_packed(m: usize, a: View<'_>, b: &Panels, c: &mut [f32], into: Into) {
    SPACE.with_borrow_mut(|(packed, _)| multiply(m, a, b, c, into, packed));
}

fn multiply(m: usize, a: View<'_>, b: &Panels, c: &mut [f32], into: Into, packed: &mut Vec<f32>) {
    assert_eq!(c.len(), m * b.columns, "C must hold m x n elements");
    if b.data.is_empty() && into == Into::Overwrite {
        c.fill(0.0);
    }
    blocked(m, a, b, c, into, packed);
}

super::vectorized! {
fn fill_blocks<'a>(b: View<'a>, n: usize, width: usize, out: &'a mut [f32]) {
    let columns = View { row: b.col, col: b.row, ..b };
    for (block, out) in out.chunks_mut((KC * width).max(1)).enumerate() {
        pack::<NR>(columns.from(0, block * KC), n, out.len() / width, out);
    }
}
}

super::vectorized! {
fn blocked<'a, simd: S>(m: usize, a: View<'a>, b: &'a Panels, c: &'a mut [f32], into: Into, packed: &'a mut Vec<f32>) {
    // The block of C kept in registers, in rows and panels, and the vectors of a panel: 16 registers of AVX-512's 32, 12 of AVX2's 16.
    match S::F32_LANES {
        16 => in_blocks::<S, 8, 2, 1>(simd, m, a, b, c, into, packed),
        8 => in_blocks::<S, 6, 1, 2>(simd, m, a, b, c, into, packed),
        4 => in_blocks::<S, 6, 1, 4>(simd, m, a, b, c, into, packed),
        _ => in_blocks::<S, 6, 1, NR>(simd, m, a, b, c, into, packed),
    }
}
}

/// The product in register blocks of `R` rows and `P` panels of `V` vectors. The sum of an element of C does not depend on them.
#[inline(always)]
fn in_blocks<S: Simd, const R: usize, const P: usize, const V: usize>(
    simd: S,
    m: usize,
    a: View<'_>,
    b: &Panels,
    c: &mut [f32],
    into: Into,
    packed: &mut Vec<f32>,
) {
    let (n, width) = (b.columns, b.width());
    for (block, panels) in b.data.chunks((KC * width).max(1)).enumerate() {
        let depth = panels.len() / width;
        let add = into == Into::Add || block > 0;
        for m0 in (0..m).step_by(MC) {
            let height = MC.min(m - m0);
            let a = a.from(m0, block * KC);
            if a.col != 1 {
                packed.resize(height.next_multiple_of(R) * depth, 0.0);
                pack::<R>(a, height, depth, packed);
            }
            let mut strip = Strip::<S, R, V> {
                simd,
                a,
                packed,
                height,
                target: Target {
                    c: &mut c[m0 * n..],
                    n,
                    j0: 0,
                    add,
                },
            };
            let blocks = panels.chunks_exact(P * depth * NR);
            let single = blocks.remainder();
            for panels in blocks {
                let mut panels = panels.chunks_exact(depth * NR);
                strip.times::<P>(std::array::from_fn(|_| panels.next().unwrap_or_default()));
            }
            for panel in single.chunks_exact(depth * NR) {
                strip.times([panel]);
            }
        }
    }
}

/// Copies `count` rows of `view` into panels of `W` rows, depth-major, the last panel filled up with zeros.
#[inline(always)]
fn pack<const W: usize>(view: View<'_>, count: usize, depth: usize, out: &mut [f32]) {
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
                for (slot, &v) in slots.iter_mut().zip(&view.data[start..start + depth]) {
                    slot[r] = v;
                }
            }
        }
    }
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
            (9, 40, 300),
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
                    let mut kept = vec![1.0; m * n];
                    let panels = Panels::of(n, k, view_b);
                    gemm_packed(m, view_a, &panels, &mut kept, Into::Overwrite);
                    assert_eq!(c, kept, "packed before or not: the same to the bit");
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
    fn the_bits_are_those_of_every_instruction_set() {
        let (m, n, k) = (45, 84, 300);
        let (a, b) = (noise(m * k, 5), noise(k * n, 6));
        for a in [View::rows(&a, k), View::transposed(&a, m)] {
            let panels = Panels::of(n, k, View::rows(&b, n));
            let mut here = vec![1.0; m * n];
            let (mut one_by_one, mut other_blocks) = (here.clone(), here.clone());
            gemm_packed(m, a, &panels, &mut here, Into::Add);
            let (simd, space) = (pulp::Scalar::new(), &mut Vec::new());
            in_blocks::<_, 6, 1, NR>(simd, m, a, &panels, &mut one_by_one, Into::Add, space);
            in_blocks::<_, 8, 2, NR>(simd, m, a, &panels, &mut other_blocks, Into::Add, space);
            assert_eq!(here, one_by_one);
            assert_eq!(here, other_blocks);
            #[cfg(target_arch = "x86_64")]
            if let Some(avx2) = pulp::x86::V3::try_new() {
                let mut c = vec![1.0; m * n];
                in_blocks::<_, 6, 1, 2>(avx2, m, a, &panels, &mut c, Into::Add, space);
                assert_eq!(here, c);
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
        // Every height that the inner kernel has code for.
        for (row, rows) in (1..=8).map(|rows| (rows * 13, rows)) {
            let mut one = vec![0.0; rows * 192];
            let a = &a[row * 64..(row + rows) * 64];
            gemm(
                rows,
                192,
                64,
                View::rows(a, 64),
                View::transposed(&w, 64),
                &mut one,
                Into::Overwrite,
            );
            assert_eq!(one, all[row * 192..(row + rows) * 192]);
        }
    }
}
