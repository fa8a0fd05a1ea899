//! Keys and values of the sequences being sampled: for each layer and row, planes as `kernels::attention` reads them.

use crate::candle::{
    kernels::{
        attention::{BLOCK, Heads, attend_block, by_blocks, capacity_for, with_head_dim},
        vectorized,
    },
    model::Model,
};

/// Room for every row's positions in every layer.
pub struct CpuCache {
    heads: Heads,
    capacity: usize,
    layers: Vec<Layer>,
    weights: Vec<f32>,
}

struct Layer {
    keys_t: Vec<f32>,
    values: Vec<f32>,
}

impl CpuCache {
    /// Bytes that a sequence of up to `positions` tokens takes.
    pub fn bytes_per_row(model: &Model, positions: usize) -> usize {
        let architecture = model.architecture();
        let floats = 2 * architecture.heads().kv_width() * capacity_for(positions);
        size_of::<f32>() * floats * architecture.num_hidden_layers
    }

    /// Room for `rows` sequences of up to `positions` tokens.
    pub fn new(model: &Model, rows: usize, positions: usize) -> Self {
        let heads = model.architecture().heads();
        let capacity = capacity_for(positions);
        let size = rows * heads.kv_width() * capacity;
        let layer = || Layer {
            keys_t: vec![0.0; size],
            values: vec![0.0; size],
        };
        let layers = std::iter::repeat_with(layer)
            .take(model.architecture().num_hidden_layers)
            .collect();
        Self {
            heads,
            capacity,
            layers,
            weights: vec![0.0; BLOCK * capacity],
        }
    }

    /// Stores keys and values of a fused row, its keys turned, at a position of a sequence.
    pub fn store(&mut self, layer: usize, row: usize, position: usize, qkv: &[f32]) {
        let (heads, capacity) = (self.heads, self.capacity);
        let size = heads.kv_width() * capacity;
        let Layer { keys_t, values } = &mut self.layers[layer];
        let (key, value) = qkv[heads.out_width()..].split_at(heads.kv_width());
        for (plane, &key) in keys_t[row * size..][..size]
            .chunks_exact_mut(capacity)
            .zip(key)
        {
            plane[position] = key;
        }
        let planes = values[row * size..][..size].chunks_exact_mut(capacity * heads.dim);
        for (plane, value) in planes.zip(value.chunks_exact(heads.dim)) {
            plane[position * heads.dim..][..heads.dim].copy_from_slice(value);
        }
    }

    /// Attention of one new token a row, itself stored already: fused rows `qkv`, one for each of `rows`, at `positions`.
    pub fn attend(
        &mut self,
        layer: usize,
        rows: &[usize],
        positions: &[u32],
        qkv: &[f32],
        out: &mut [f32],
    ) {
        let Self {
            heads,
            capacity,
            layers,
            weights,
        } = self;
        attend_rows(
            *heads,
            *capacity,
            &layers[layer],
            rows,
            positions,
            qkv,
            weights,
            out,
        );
    }
}

vectorized! {
#[expect(clippy::too_many_arguments, reason = "the cache taken apart for the instruction set's sake")]
fn attend_rows<'a>(
    heads: Heads,
    capacity: usize,
    layer: &'a Layer,
    rows: &'a [usize],
    positions: &'a [u32],
    qkv: &'a [f32],
    weights: &'a mut [f32],
    out: &'a mut [f32],
) {
    with_head_dim!(heads.dim, attend_each(heads, capacity, layer, rows, positions, qkv, weights, out));
}
}

/// What a row has stored in a layer: a plane of each key-value head.
#[derive(Clone, Copy)]
struct RowPlanes<'a> {
    capacity: usize,
    keys_t: &'a [f32],
    values: &'a [f32],
}

#[expect(clippy::too_many_arguments, reason = "as above")]
#[inline(always)]
fn attend_each<const DIM: usize>(
    heads: Heads,
    capacity: usize,
    layer: &Layer,
    rows: &[usize],
    positions: &[u32],
    qkv: &[f32],
    weights: &mut [f32],
    out: &mut [f32],
) {
    let size = heads.kv_width() * capacity;
    let tokens = rows
        .iter()
        .zip(positions)
        .zip(qkv.chunks_exact(heads.qkv_width()));
    for (((&row, &position), qkv), out) in tokens.zip(out.chunks_exact_mut(heads.out_width())) {
        let (queries, _) = qkv.as_chunks::<DIM>();
        let (out, _) = out.as_chunks_mut::<DIM>();
        let planes = RowPlanes {
            capacity,
            keys_t: &layer.keys_t[row * size..][..size],
            values: &layer.values[row * size..][..size],
        };
        by_blocks!(0..heads.query, h => attend_heads::<_, DIM>(heads, h, planes, queries, position, weights, out));
    }
}

/// `R` heads of one row, from the head `h` on: side by side, since one alone waits for its own sums.
#[inline(always)]
fn attend_heads<const R: usize, const DIM: usize>(
    heads: Heads,
    h: usize,
    planes: RowPlanes<'_>,
    queries: &[[f32; DIM]],
    position: u32,
    weights: &mut [f32],
    out: &mut [[f32; DIM]],
) {
    let size = planes.capacity * DIM;
    let (mut read, mut keys_t, mut values) =
        ([&queries[h]; R], [planes.keys_t; R], [planes.values; R]);
    for r in 0..R {
        let start = heads.read_by(h + r) * size;
        read[r] = &queries[h + r];
        keys_t[r] = &planes.keys_t[start..][..size];
        values[r] = &planes.values[start..][..size];
    }
    let visible = [position as usize + 1; R];
    let block = attend_block(read, keys_t, values, planes.capacity, visible, weights);
    out[h..h + R].copy_from_slice(&block);
}
