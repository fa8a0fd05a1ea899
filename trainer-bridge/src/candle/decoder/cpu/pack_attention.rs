//! Causal self-attention over a pack of groups: sequence after sequence, keys and values brought together from prompt and own rows.

use std::ops::Range;

use crate::candle::kernels::{
    attention::{
        BLOCK, Heads, PlaneGrads, Planes, attend_block, attend_block_backward, by_blocks,
        capacity_for, rotate, with_head_dim,
    },
    vectorized,
};
use crate::candle::{
    decoder::pack::{GroupRows, Pack},
    model::rope::Rope,
};

vectorized! {
/// Turns queries and keys of every fused row to its position; `sign` -1 turns them back.
pub fn rotate_rows<'a>(heads: Heads, rope: &'a Rope, positions: &'a [u32], sign: f32, qkv: &'a mut [f32]) {
    let turned = heads.out_width() + heads.kv_width();
    for (row, &position) in qkv.chunks_exact_mut(heads.qkv_width()).zip(positions) {
        let (cos, sin) = rope.at(position as usize);
        with_head_dim!(heads.dim, rotate(&mut row[..turned], cos, sin, sign));
    }
}
}

vectorized! {
/// Attention of every row of a pack. `qkv` holds fused rows, queries and keys turned to their positions.
pub fn attend<'a>(heads: Heads, pack: &'a Pack, qkv: &'a [f32], gathered: &'a mut Gathered, out: &'a mut [f32]) {
    with_head_dim!(heads.dim, attend_pack(heads, pack, qkv, gathered, out));
}
}

vectorized! {
/// The way back, with respect to the turned rows; overwrites `grads`.
pub fn attend_backward<'a>(
    heads: Heads,
    pack: &'a Pack,
    qkv: &'a [f32],
    out: &'a [f32],
    dout: &'a [f32],
    gathered: &'a mut Gathered,
    grads: &'a mut [f32],
) {
    grads.fill(0.0);
    let rows = BackwardRows { qkv, out, dout };
    with_head_dim!(heads.dim, attend_pack_backward(heads, pack, rows, gathered, grads));
}
}

/// What the way back reads, row by row.
struct BackwardRows<'a> {
    qkv: &'a [f32],
    out: &'a [f32],
    dout: &'a [f32],
}

/// Element `start` to `start + DIM` of a matrix, as an array.
#[inline(always)]
fn head<const DIM: usize>(matrix: &[f32], start: usize) -> &[f32; DIM] {
    matrix[start..]
        .first_chunk()
        .expect("a row holds whole heads")
}

#[inline(always)]
fn attend_pack<const DIM: usize>(
    heads: Heads,
    pack: &Pack,
    qkv: &[f32],
    gathered: &mut Gathered,
    out: &mut [f32],
) {
    for (prefix, own) in pack.groups.iter().flat_map(GroupRows::sequences) {
        gathered.load::<DIM>(heads, qkv, &prefix, &own);
        for h in 0..heads.query {
            let seen = |row| prefix.len() + row - own.start + 1;
            by_blocks!(own.clone(), row => attend_rows::<_, DIM>(heads, h, row, seen(row), qkv, gathered, out));
        }
    }
}

#[inline(always)]
fn attend_rows<const R: usize, const DIM: usize>(
    heads: Heads,
    h: usize,
    row: usize,
    visible: usize,
    qkv: &[f32],
    gathered: &mut Gathered,
    out: &mut [f32],
) {
    let (width, out_width) = (heads.qkv_width(), heads.out_width());
    let capacity = gathered.capacity;
    let plane = gathered.plane::<DIM>(heads.read_by(h));
    let queries = std::array::from_fn(|r| head(qkv, (row + r) * width + h * DIM));
    let (keys_t, values) = (&gathered.keys_t[plane.clone()], &gathered.values[plane]);
    let block = attend_block::<R, DIM>(
        queries,
        [keys_t; R],
        [values; R],
        capacity,
        std::array::from_fn(|r| visible + r),
        &mut gathered.weights,
    );
    for (r, result) in block.iter().enumerate() {
        out[(row + r) * out_width + h * DIM..][..DIM].copy_from_slice(result);
    }
}

#[inline(always)]
fn attend_pack_backward<const DIM: usize>(
    heads: Heads,
    pack: &Pack,
    rows: BackwardRows<'_>,
    gathered: &mut Gathered,
    grads: &mut [f32],
) {
    let (width, out_width) = (heads.qkv_width(), heads.out_width());
    for (prefix, own) in pack.groups.iter().flat_map(GroupRows::sequences) {
        gathered.load::<DIM>(heads, rows.qkv, &prefix, &own);
        gathered.mirror::<DIM>(heads);
        for h in 0..heads.query {
            let seen = |row| prefix.len() + row - own.start + 1;
            by_blocks!(own.clone(), row => rows_backward::<_, DIM>(heads, h, row, seen(row), &rows, gathered, grads));
        }
        for (position, row) in prefix.chain(own).enumerate() {
            let row = &mut grads[row * width + out_width..(row + 1) * width];
            let (keys, values) = row.split_at_mut(heads.kv_width());
            for (source, target) in [(&gathered.dkeys, keys), (&gathered.dvalues, values)] {
                let (target, _) = target.as_chunks_mut::<DIM>();
                for (h, target) in target.iter_mut().enumerate() {
                    let source = head::<DIM>(source, (h * gathered.capacity + position) * DIM);
                    for d in 0..DIM {
                        target[d] += source[d];
                    }
                }
            }
        }
    }
}

#[inline(always)]
fn rows_backward<const R: usize, const DIM: usize>(
    heads: Heads,
    h: usize,
    row: usize,
    visible: usize,
    rows: &BackwardRows<'_>,
    gathered: &mut Gathered,
    grads: &mut [f32],
) {
    let (width, out_width) = (heads.qkv_width(), heads.out_width());
    let plane = gathered.plane::<DIM>(heads.read_by(h));
    let planes = Planes {
        capacity: gathered.capacity,
        keys_t: &gathered.keys_t[plane.clone()],
        keys: &gathered.keys[plane.clone()],
        values_t: &gathered.values_t[plane.clone()],
    };
    let mut plane_grads = PlaneGrads {
        keys: &mut gathered.dkeys[plane.clone()],
        values: &mut gathered.dvalues[plane],
    };
    let dqueries = attend_block_backward::<R, DIM>(
        std::array::from_fn(|r| head(rows.qkv, (row + r) * width + h * DIM)),
        planes,
        std::array::from_fn(|r| visible + r),
        std::array::from_fn(|r| head(rows.out, (row + r) * out_width + h * DIM)),
        std::array::from_fn(|r| head(rows.dout, (row + r) * out_width + h * DIM)),
        &mut gathered.weights,
        &mut gathered.dscores,
        &mut plane_grads,
    );
    for (r, result) in dqueries.iter().enumerate() {
        grads[(row + r) * width + h * DIM..][..DIM].copy_from_slice(result);
    }
}

/// Keys and values of one sequence, brought together from its prefix and its own rows. Reused from sequence to sequence.
#[derive(Default)]
pub struct Gathered {
    capacity: usize,
    keys_t: Vec<f32>,
    values: Vec<f32>,
    weights: Vec<f32>,
    // What only the way back needs.
    keys: Vec<f32>,
    values_t: Vec<f32>,
    dkeys: Vec<f32>,
    dvalues: Vec<f32>,
    dscores: Vec<f32>,
}

impl Gathered {
    /// Where a key-value head's plane lies.
    #[inline(always)]
    fn plane<const DIM: usize>(&self, key_value_head: usize) -> Range<usize> {
        let size = self.capacity * DIM;
        key_value_head * size..(key_value_head + 1) * size
    }

    #[inline(always)]
    fn load<const DIM: usize>(
        &mut self,
        heads: Heads,
        qkv: &[f32],
        prefix: &Range<usize>,
        own: &Range<usize>,
    ) {
        let capacity = capacity_for(prefix.len() + own.len());
        self.capacity = capacity;
        self.keys_t.resize(heads.kv_width() * capacity, 0.0);
        self.values.resize(heads.kv_width() * capacity, 0.0);
        self.weights.resize(BLOCK * capacity, 0.0);
        let (width, out_width) = (heads.qkv_width(), heads.out_width());
        for (position, row) in prefix.clone().chain(own.clone()).enumerate() {
            let row = &qkv[row * width + out_width..(row + 1) * width];
            let (keys, values) = row.split_at(heads.kv_width());
            for (&key, plane) in keys.iter().zip(self.keys_t.chunks_exact_mut(capacity)) {
                plane[position] = key;
            }
            let (values, _) = values.as_chunks::<DIM>();
            for (value, plane) in values
                .iter()
                .zip(self.values.chunks_exact_mut(capacity * DIM))
            {
                plane[position * DIM..][..DIM].copy_from_slice(value);
            }
        }
    }

    /// Prepares the way back: the other layout of keys and values, and no gradients yet.
    #[inline(always)]
    fn mirror<const DIM: usize>(&mut self, heads: Heads) {
        let capacity = self.capacity;
        self.keys.resize(self.keys_t.len(), 0.0);
        self.values_t.resize(self.values.len(), 0.0);
        self.dscores.resize(BLOCK * capacity, 0.0);
        for grads in [&mut self.dkeys, &mut self.dvalues] {
            grads.clear();
            grads.resize(self.keys_t.len(), 0.0);
        }
        for h in 0..heads.key_value {
            let plane = self.plane::<DIM>(h);
            let (keys_t, keys) = (&self.keys_t[plane.clone()], &mut self.keys[plane.clone()]);
            let (values, values_t) = (&self.values[plane.clone()], &mut self.values_t[plane]);
            for d in 0..DIM {
                let (keys, _) = keys.as_chunks_mut::<DIM>();
                let (values, _) = values.as_chunks::<DIM>();
                let columns = keys_t[d * capacity..]
                    .iter()
                    .zip(&mut values_t[d * capacity..(d + 1) * capacity]);
                for ((key, value), (&key_t, value_t)) in keys.iter_mut().zip(values).zip(columns) {
                    key[d] = key_t;
                    *value_t = value[d];
                }
            }
        }
    }
}
