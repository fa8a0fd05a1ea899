//! Matrix product of small, tall matrices: packed panels and a register-blocked inner kernel (the scheme of Goto and van de Geijn,
//! "Anatomy of High-Performance Matrix Multiplication", ACM TOMS 34(3), 2008).
//!
//! Made for this crate's shapes (a few to a few hundred rows against 64 to 1500 columns), single-threaded: parallelism is over
//! micro-batches. A row of the result never depends on the other rows of the batch: each element is summed in one fixed order.

use std::cell::RefCell;

/// Rows and columns of the block of C kept in registers: 6 x 16 floats are 12 AVX2 registers.
const MR: usize = 6;
const NR: usize = 16;
/// Depth of a packed block: a panel of B of this depth is 16 KiB, half of a small L1.
const KC: usize = 256;
/// Rows of A that meet one panel of B after another: at this depth they stay in the L2.
const MC: usize = 16 * MR;
/// Steps of depth taken at once where A is read in place: pieces of a length the compiler knows need no check an element.
const STEPS: usize = 8;

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
fn blocked<'a>(m: usize, a: View<'a>, b: &'a Panels, c: &'a mut [f32], into: Into, packed: &'a mut Vec<f32>) {
    let (n, width) = (b.columns, b.width());
    for (block, panels) in b.data.chunks((KC * width).max(1)).enumerate() {
        let depth = panels.len() / width;
        let add = into == Into::Add || block > 0;
        for m0 in (0..m).step_by(MC) {
            let height = MC.min(m - m0);
            let a = a.from(m0, block * KC);
            if a.col != 1 {
                packed.resize(height.next_multiple_of(MR) * depth, 0.0);
                pack::<MR>(a, height, depth, packed);
            }
            for (panel, j0) in panels.chunks_exact(depth * NR).zip((0..n).step_by(NR)) {
                let (panel, _) = panel.as_chunks::<NR>();
                let target = Target { c: &mut *c, n, m0, j0, add };
                if a.col == 1 {
                    by_rows(a, height, panel, target);
                } else {
                    by_panels(packed, height, panel, target);
                }
            }
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

/// The products of one panel of B with `height` rows of A, read where they lie.
#[inline(always)]
fn by_rows(a: View<'_>, height: usize, panel: &[[f32; NR]], mut target: Target<'_>) {
    for i in (0..height).step_by(MR) {
        let a = a.from(i, 0);
        match height - i {
            1 => target.put(i, &rows_times::<1>(a, panel)),
            2 => target.put(i, &rows_times::<2>(a, panel)),
            3 => target.put(i, &rows_times::<3>(a, panel)),
            4 => target.put(i, &rows_times::<4>(a, panel)),
            5 => target.put(i, &rows_times::<5>(a, panel)),
            _ => target.put(i, &rows_times::<MR>(a, panel)),
        }
    }
}

/// The same with A packed.
#[inline(always)]
fn by_panels(a: &[f32], height: usize, panel: &[[f32; NR]], mut target: Target<'_>) {
    let panels = a.chunks_exact(panel.len() * MR);
    for (a, i) in panels.zip((0..height).step_by(MR)) {
        let block = panel_times(a, panel);
        target.put(i, &block[..MR.min(height - i)]);
    }
}

/// One block of C over a panel's whole depth, A packed.
#[inline(always)]
fn panel_times(a: &[f32], panel: &[[f32; NR]]) -> [[f32; NR]; MR] {
    let mut block = [[0.0_f32; NR]; MR];
    let (a, _) = a.as_chunks::<MR>();
    for (a, b) in a.iter().zip(panel) {
        for r in 0..MR {
            for c in 0..NR {
                block[r][c] = a[r].mul_add(b[c], block[r][c]);
            }
        }
    }
    block
}

/// The same, A read where it lies.
#[inline(always)]
fn rows_times<const R: usize>(a: View<'_>, panel: &[[f32; NR]]) -> [[f32; NR]; R] {
    let mut block = [[0.0_f32; NR]; R];
    let (pieces, rest) = panel.as_chunks::<STEPS>();
    for (piece, b) in pieces.iter().enumerate() {
        advance(&mut block, a, piece * STEPS, b);
    }
    for (step, b) in rest.iter().enumerate() {
        advance(&mut block, a, pieces.len() * STEPS + step, &[*b]);
    }
    block
}

/// The same over `D` steps of depth, the first of which is `start`.
#[inline(always)]
fn advance<const R: usize, const D: usize>(
    block: &mut [[f32; NR]; R],
    a: View<'_>,
    start: usize,
    b: &[[f32; NR]; D],
) {
    let mut rows = [&[0.0_f32; D]; R];
    for (r, row) in rows.iter_mut().enumerate() {
        *row = a.data[r * a.row + start..]
            .first_chunk()
            .expect("a row is as long as the panel is deep");
    }
    for d in 0..D {
        for r in 0..R {
            for c in 0..NR {
                block[r][c] = rows[r][d].mul_add(b[d][c], block[r][c]);
            }
        }
    }
}

/// Where the products of a panel of B with rows of A go: columns of C from `j0` on, rows from `m0` on.
struct Target<'a> {
    c: &'a mut [f32],
    n: usize,
    m0: usize,
    j0: usize,
    add: bool,
}

impl Target<'_> {
    /// Stores a block of rows or adds it; the first is row `i` from `m0` on.
    #[inline(always)]
    fn put(&mut self, i: usize, block: &[[f32; NR]]) {
        let cols = NR.min(self.n - self.j0);
        for (r, row) in block.iter().enumerate() {
            let start = (self.m0 + i + r) * self.n + self.j0;
            let target = &mut self.c[start..start + cols];
            if let Some(target) = target.first_chunk_mut::<NR>() {
                // The common case, with a length the compiler knows.
                let before = if self.add { *target } else { [0.0; NR] };
                for j in 0..NR {
                    target[j] = before[j] + row[j];
                }
            } else if self.add {
                for (t, &v) in target.iter_mut().zip(row) {
                    *t += v;
                }
            } else {
                target.copy_from_slice(&row[..cols]);
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
        for (row, rows) in [(0, 1), (5, 2), (9, 3), (77, 4), (100, 5), (122, 6)] {
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
