//! The innermost part of the matrix product: a block of C that stays in the registers while it goes through the depth of its panels.

use pulp::Simd;

use crate::candle::kernels::gemm::{NR, Strided};

/// Steps of depth taken at once where A is read in place: pieces of a length the compiler knows need no check an element.
const STEPS: usize = 8;

/// Some rows of A that meet one group of panels after another.
pub struct Strip<'a, S: Simd, const R: usize, const V: usize> {
    /// The instruction set.
    pub simd: S,
    /// What begins with the first of these rows.
    pub a: Strided<'a>,
    /// The same rows packed, unless they are read in place.
    pub packed: &'a [f32],
    /// How many they are.
    pub height: usize,
    /// Where the products go.
    pub target: Target<'a>,
}

/// A block of C.
type Block<S, const R: usize, const P: usize, const V: usize> = [[[<S as Simd>::f32s; V]; P]; R];

impl<S: Simd, const R: usize, const V: usize> Strip<'_, S, R, V> {
    /// The products with the next `P` panels.
    #[inline(always)]
    pub fn times<const P: usize>(&mut self, panels: [&[f32]; P]) {
        let panels = panels.map(|panel| S::as_simd_f32s(panel).0.as_chunks().0);
        if self.a.col == 1 {
            self.by_rows::<P>(panels);
        } else {
            self.by_packed::<P>(panels);
        }
        self.target.j0 += P * NR;
    }

    #[inline(always)]
    fn by_rows<const P: usize>(&mut self, panels: [&[[S::f32s; V]]; P]) {
        let simd = self.simd;
        for i in (0..self.height).step_by(R) {
            let a = self.a.from(i, 0);
            let target = &mut self.target;
            match R.min(self.height - i) {
                1 => target.put(simd, i, &rows_times::<S, 1, P, V>(simd, a, panels)),
                2 => target.put(simd, i, &rows_times::<S, 2, P, V>(simd, a, panels)),
                3 => target.put(simd, i, &rows_times::<S, 3, P, V>(simd, a, panels)),
                4 => target.put(simd, i, &rows_times::<S, 4, P, V>(simd, a, panels)),
                5 => target.put(simd, i, &rows_times::<S, 5, P, V>(simd, a, panels)),
                6 => target.put(simd, i, &rows_times::<S, 6, P, V>(simd, a, panels)),
                7 => target.put(simd, i, &rows_times::<S, 7, P, V>(simd, a, panels)),
                _ => target.put(simd, i, &rows_times::<S, R, P, V>(simd, a, panels)),
            }
        }
    }

    #[inline(always)]
    fn by_packed<const P: usize>(&mut self, panels: [&[[S::f32s; V]]; P]) {
        let blocks = self.packed.chunks_exact(panels[0].len() * R);
        for (a, i) in blocks.zip((0..self.height).step_by(R)) {
            let block: Block<S, R, P, V> = packed_times(self.simd, a, panels);
            let rows = R.min(self.height - i);
            self.target.put(self.simd, i, &block[..rows]);
        }
    }
}

/// One block of C over the whole depth of its panels, A packed.
#[inline(always)]
fn packed_times<S: Simd, const R: usize, const P: usize, const V: usize>(
    simd: S,
    a: &[f32],
    panels: [&[[S::f32s; V]]; P],
) -> Block<S, R, P, V> {
    let mut block = [[[simd.splat_f32s(0.0); V]; P]; R];
    let (a, _) = a.as_chunks::<R>();
    let panels = panels.map(|panel| &panel[..a.len()]);
    for (d, a) in a.iter().enumerate() {
        add_products(simd, &mut block, *a, panels.map(|panel| panel[d]));
    }
    block
}

const _: () = assert!(STEPS == 8, "`each_step` writes eight steps out");

/// Writes the `STEPS` steps out: a loop would make the pointer to every row anew in each.
macro_rules! each_step {
    ($d:ident => $body:block) => { each_step!($d => $body; 0 1 2 3 4 5 6 7) };
    ($d:ident => $body:block; $($step:literal)*) => {
        $({
            const $d: usize = $step;
            $body
        })*
    };
}

/// The same, A read where it lies.
#[inline(always)]
fn rows_times<S: Simd, const R: usize, const P: usize, const V: usize>(
    simd: S,
    a: Strided<'_>,
    panels: [&[[S::f32s; V]]; P],
) -> Block<S, R, P, V> {
    let mut block = [[[simd.splat_f32s(0.0); V]; P]; R];
    let pieces = panels.map(|panel| panel.as_chunks::<STEPS>().0);
    let whole = pieces[0].len();
    let pieces = pieces.map(|pieces| &pieces[..whole]);
    for piece in 0..whole {
        let rows = rows_at::<R, STEPS>(a, piece * STEPS);
        each_step!(D => {
            let b = pieces.map(|pieces| pieces[piece][D]);
            add_products(simd, &mut block, rows.map(|row| row[D]), b);
        });
    }
    for d in whole * STEPS..panels[0].len() {
        let a = rows_at::<R, 1>(a, d).map(|row| row[0]);
        add_products(simd, &mut block, a, panels.map(|panel| panel[d]));
    }
    block
}

/// The next `D` elements of `R` rows.
#[inline(always)]
fn rows_at<const R: usize, const D: usize>(a: Strided<'_>, start: usize) -> [&[f32; D]; R] {
    std::array::from_fn(|r| {
        a.data[r * a.row + start..]
            .first_chunk()
            .expect("a row is as long as the panel is deep")
    })
}

/// One step of depth: a column of A times a row of B.
#[inline(always)]
fn add_products<S: Simd, const R: usize, const P: usize, const V: usize>(
    simd: S,
    block: &mut Block<S, R, P, V>,
    a: [f32; R],
    b: [[S::f32s; V]; P],
) {
    for r in 0..R {
        let a = simd.splat_f32s(a[r]);
        for p in 0..P {
            for v in 0..V {
                block[r][p][v] = simd.mul_add_f32s(a, b[p][v], block[r][p][v]);
            }
        }
    }
}

/// Where the products of panels of B with rows of A go: the rows of C from some row on, columns from `j0` on.
pub struct Target<'a> {
    /// From the first of the rows on.
    pub c: &'a mut [f32],
    /// Columns of C.
    pub n: usize,
    /// The next column.
    pub j0: usize,
    /// Whether products are added to what is there.
    pub add: bool,
}

impl Target<'_> {
    /// Stores a block of rows or adds it; the first is row `i`.
    #[inline(always)]
    fn put<S: Simd, const P: usize, const V: usize>(
        &mut self,
        simd: S,
        i: usize,
        block: &[[[S::f32s; V]; P]],
    ) {
        for (r, row) in block.iter().enumerate() {
            for (p, piece) in row.iter().enumerate() {
                let j = self.j0 + p * NR;
                let start = (i + r) * self.n + j;
                let columns = NR.min(self.n - j);
                let target = &mut self.c[start..start + columns];
                if columns == NR {
                    put_whole(simd, target, piece, self.add);
                } else {
                    let mut whole = [0.0; NR];
                    whole[..columns].copy_from_slice(target);
                    put_whole(simd, &mut whole, piece, self.add);
                    target.copy_from_slice(&whole[..columns]);
                }
            }
        }
    }
}

#[inline(always)]
fn put_whole<S: Simd>(simd: S, target: &mut [f32], piece: &[S::f32s], add: bool) {
    let (target, _) = S::as_mut_simd_f32s(target);
    for (target, &new) in target.iter_mut().zip(piece) {
        *target = if add {
            simd.add_f32s(*target, new)
        } else {
            new
        };
    }
}
