//! Matrix product of small, tall matrices: packed panels and a register-blocked inner kernel (the scheme of Goto and van de Geijn,
//! "Anatomy of High-Performance Matrix Multiplication", ACM TOMS 34(3), 2008).
//!
//! Made for this crate's shapes (a few to a few hundred rows against 64 to 1500 columns), single-threaded: parallelism is over
//! micro-batches. A row of the result never depends on the other rows of the batch: each element is summed in one fixed order.

mod register_block;

use std::{cell::RefCell, ops::Range};

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

/// A matrix whose elements belong to somebody else.
#[derive(Clone, Copy)]
pub struct Matrix<'a> {
    strided: Strided<'a>,
    height: usize,
    width: usize,
}

impl<'a> Matrix<'a> {
    /// Rows of `width` elements, one after another.
    pub fn new(data: &'a [f32], width: usize) -> Self {
        let height = data.len().checked_div(width).unwrap_or(0);
        assert_eq!(data.len(), height * width, "a matrix must hold whole rows");
        Self {
            strided: Strided {
                data,
                row: width,
                col: 1,
            },
            height,
            width,
        }
    }

    /// Rows.
    pub fn height(self) -> usize {
        self.height
    }

    /// Columns.
    pub fn width(self) -> usize {
        self.width
    }

    /// Rows as columns and columns as rows.
    pub fn transposed(self) -> Self {
        let Strided { data, row, col } = self.strided;
        Self {
            strided: Strided {
                data,
                row: col,
                col: row,
            },
            height: self.width,
            width: self.height,
        }
    }

    /// Some of the columns.
    pub fn columns(self, columns: Range<usize>) -> Self {
        assert!(columns.end <= self.width, "a matrix must have the columns");
        let start = (columns.start * self.strided.col).min(self.strided.data.len());
        Self {
            strided: Strided {
                data: &self.strided.data[start..],
                ..self.strided
            },
            height: self.height,
            width: columns.len(),
        }
    }
}

/// A matrix's elements seen through strides, one of them 1: element (i, j) is `data[i * row + j * col]`.
#[derive(Clone, Copy)]
struct Strided<'a> {
    data: &'a [f32],
    row: usize,
    col: usize,
}

impl Strided<'_> {
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
pub enum Write {
    /// C = A B.
    Over,
    /// C += A B.
    Add,
}

/// A right-hand matrix as the inner kernel reads it: for every 256 of its rows, panels of 16 columns, the last one filled up with zeros.
/// Worth keeping where one matrix meets a few rows many times: packing it costs more than its product with 16 rows.
#[derive(Clone)]
pub struct Panels {
    data: Vec<f32>,
    depth: usize,
    columns: usize,
}

impl Panels {
    const EMPTY: Self = Self {
        data: Vec::new(),
        depth: 0,
        columns: 0,
    };

    /// Packs B (k x n).
    pub fn of(b: Matrix<'_>) -> Self {
        let mut panels = Self::EMPTY;
        panels.fill(b);
        panels
    }

    fn fill(&mut self, b: Matrix<'_>) {
        (self.depth, self.columns) = (b.height, b.width);
        self.data.resize(self.depth * self.width(), 0.0);
        fill_blocks(b.strided, b.width, self.width(), &mut self.data);
    }

    /// Columns of all panels.
    #[inline(always)]
    fn width(&self) -> usize {
        self.columns.next_multiple_of(NR)
    }
}

/// C (m x n, row after row) = or += A (m x k) B (k x n).
pub fn gemm(a: Matrix<'_>, b: Matrix<'_>, c: &mut [f32], write: Write) {
    SPACE.with_borrow_mut(|(packed, panels)| {
        panels.fill(b);
        multiply(a, panels, c, write, packed);
    });
}

/// The same with a B that was packed before.
pub fn gemm_packed(a: Matrix<'_>, b: &Panels, c: &mut [f32], write: Write) {
    SPACE.with_borrow_mut(|(packed, _)| multiply(a, b, c, write, packed));
}

fn multiply(a: Matrix<'_>, b: &Panels, c: &mut [f32], write: Write, packed: &mut Vec<f32>) {
    assert_eq!(a.width, b.depth, "A must be as wide as B is high");
    assert_eq!(c.len(), a.height * b.columns, "C must hold m x n elements");
    if b.data.is_empty() && write == Write::Over {
        c.fill(0.0);
    }
    blocked(a.height, a.strided, b, c, write, packed);
}

super::vectorized! {
fn fill_blocks<'a>(b: Strided<'a>, n: usize, width: usize, out: &'a mut [f32]) {
    let columns = Strided { row: b.col, col: b.row, ..b };
    for (block, out) in out.chunks_mut((KC * width).max(1)).enumerate() {
        pack::<NR>(columns.from(0, block * KC), n, out.len() / width, out);
    }
}
}

super::vectorized! {
fn blocked<'a, simd: S>(m: usize, a: Strided<'a>, b: &'a Panels, c: &'a mut [f32], write: Write, packed: &'a mut Vec<f32>) {
    // The block of C kept in registers, in rows and panels, and the vectors of a panel: 16 registers of AVX-512's 32, 12 of AVX2's 16.
    match S::F32_LANES {
        16 => in_blocks::<S, 8, 2, 1>(simd, m, a, b, c, write, packed),
        8 => in_blocks::<S, 6, 1, 2>(simd, m, a, b, c, write, packed),
        4 => in_blocks::<S, 6, 1, 4>(simd, m, a, b, c, write, packed),
        _ => in_blocks::<S, 6, 1, NR>(simd, m, a, b, c, write, packed),
    }
}
}

/// The product in register blocks of `R` rows and `P` panels of `V` vectors. The sum of an element of C does not depend on them.
#[inline(always)]
fn in_blocks<S: Simd, const R: usize, const P: usize, const V: usize>(
    simd: S,
    m: usize,
    a: Strided<'_>,
    b: &Panels,
    c: &mut [f32],
    write: Write,
    packed: &mut Vec<f32>,
) {
    let (n, width) = (b.columns, b.width());
    for (block, panels) in b.data.chunks((KC * width).max(1)).enumerate() {
        let depth = panels.len() / width;
        let add = write == Write::Add || block > 0;
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
fn pack<const W: usize>(view: Strided<'_>, count: usize, depth: usize, out: &mut [f32]) {
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
            for view_a in [Matrix::new(&a, k), Matrix::new(&a_t, m).transposed()] {
                for view_b in [Matrix::new(&b, n), Matrix::new(&b_t, k).transposed()] {
                    let mut c = vec![1.0; m * n];
                    gemm(view_a, view_b, &mut c, Write::Over);
                    assert!(
                        c.iter()
                            .zip(&truth)
                            .all(|(&c, t)| (f64::from(c) - t).abs() < 1e-4)
                    );
                    let mut kept = vec![1.0; m * n];
                    let panels = Panels::of(view_b);
                    gemm_packed(view_a, &panels, &mut kept, Write::Over);
                    assert_eq!(c, kept, "packed before or not: the same to the bit");
                    gemm(view_a, view_b, &mut c, Write::Add);
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
        for a in [Matrix::new(&a, k), Matrix::new(&a, m).transposed()] {
            let panels = Panels::of(Matrix::new(&b, n));
            let mut here = vec![1.0; m * n];
            let (mut one_by_one, mut other_blocks) = (here.clone(), here.clone());
            gemm_packed(a, &panels, &mut here, Write::Add);
            let (simd, space) = (pulp::Scalar::new(), &mut Vec::new());
            in_blocks::<_, 6, 1, NR>(
                simd,
                m,
                a.strided,
                &panels,
                &mut one_by_one,
                Write::Add,
                space,
            );
            in_blocks::<_, 8, 2, NR>(
                simd,
                m,
                a.strided,
                &panels,
                &mut other_blocks,
                Write::Add,
                space,
            );
            assert_eq!(here, one_by_one);
            assert_eq!(here, other_blocks);
            #[cfg(target_arch = "x86_64")]
            if let Some(avx2) = pulp::x86::V3::try_new() {
                let mut c = vec![1.0; m * n];
                in_blocks::<_, 6, 1, 2>(avx2, m, a.strided, &panels, &mut c, Write::Add, space);
                assert_eq!(here, c);
            }
        }
    }

    #[test]
    fn some_columns_of_a_matrix_are_a_matrix() {
        let (a, b) = (noise(5 * 30, 7), noise(8 * 3, 8));
        let part: Vec<f32> = a.chunks(30).flat_map(|row| row[11..19].to_vec()).collect();
        let (mut from_whole, mut from_part) = (vec![0.0; 15], vec![0.0; 15]);
        let columns = Matrix::new(&a, 30).columns(11..19);
        gemm(columns, Matrix::new(&b, 3), &mut from_whole, Write::Over);
        gemm(
            Matrix::new(&part, 8),
            Matrix::new(&b, 3),
            &mut from_part,
            Write::Over,
        );
        assert_eq!(from_whole, from_part);
        let (mut from_whole, mut from_part) = (vec![0.0; 64], vec![0.0; 64]);
        gemm(
            columns.transposed(),
            Matrix::new(&part, 8),
            &mut from_whole,
            Write::Over,
        );
        let part = Matrix::new(&part, 8);
        gemm(part.transposed(), part, &mut from_part, Write::Over);
        assert_eq!(from_whole, from_part);
    }

    #[test]
    #[should_panic(expected = "A must be as wide as B is high")]
    fn matrices_that_do_not_fit_are_refused() {
        let a = noise(12, 9);
        let (a, b) = (Matrix::new(&a, 3), Matrix::new(&a, 3));
        gemm(a, b, &mut [0.0; 12], Write::Over);
    }

    #[test]
    fn a_row_does_not_depend_on_its_neighbours() {
        let (a, w) = (noise(128 * 64, 3), noise(192 * 64, 4));
        let w_t = Matrix::new(&w, 64).transposed();
        let mut all = vec![0.0; 128 * 192];
        gemm(Matrix::new(&a, 64), w_t, &mut all, Write::Over);
        // Every height that the inner kernel has code for.
        for (row, rows) in (1..=8).map(|rows| (rows * 13, rows)) {
            let mut one = vec![0.0; rows * 192];
            let a = &a[row * 64..(row + rows) * 64];
            gemm(Matrix::new(a, 64), w_t, &mut one, Write::Over);
            assert_eq!(one, all[row * 192..(row + rows) * 192]);
        }
    }
}
