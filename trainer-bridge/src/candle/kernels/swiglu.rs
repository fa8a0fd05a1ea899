//! The gated unit of Llama's feed-forward block (Shazeer, arXiv 2002.05202): `silu(gate) * up`, both halves of one fused row.

use crate::candle::kernels::lanes::{LANES, load, sigmoid, store};

vectorized! {
/// `gate_up` holds rows of `width` gates and `width` ups.
pub fn swiglu<'a>(gate_up: &'a [f32], width: usize, y: &'a mut [f32]) {
    for (row, y) in gate_up.chunks_exact(2 * width).zip(y.chunks_exact_mut(width)) {
        let (gate, up) = row.split_at(width);
        for ((y, g), u) in y.chunks_mut(LANES).zip(gate.chunks(LANES)).zip(up.chunks(LANES)) {
            let (g, u) = (load(g), load(u));
            let mut lanes = [0.0; LANES];
            for l in 0..LANES {
                lanes[l] = g[l] * sigmoid(g[l]) * u[l];
            }
            store(lanes, y);
        }
    }
}
}

vectorized! {
/// The way back: silu'(g) = s (1 + g (1 - s)) with s the logistic function of g.
pub fn swiglu_backward<'a>(gate_up: &'a [f32], width: usize, dy: &'a [f32], dx: &'a mut [f32]) {
    for ((row, dy), dx) in gate_up.chunks_exact(2 * width).zip(dy.chunks_exact(width)).zip(dx.chunks_exact_mut(2 * width)) {
        let (gate, up) = row.split_at(width);
        let (dgate, dup) = dx.split_at_mut(width);
        let inputs = gate.chunks(LANES).zip(up.chunks(LANES)).zip(dy.chunks(LANES));
        let outputs = dgate.chunks_mut(LANES).zip(dup.chunks_mut(LANES));
        for (((g, u), dy), (dgate, dup)) in inputs.zip(outputs) {
            let (g, u, dy) = (load(g), load(u), load(dy));
            let (mut dg, mut du) = ([0.0; LANES], [0.0; LANES]);
            for l in 0..LANES {
                let s = sigmoid(g[l]);
                dg[l] = dy[l] * u[l] * s * (1.0 + g[l] * (1.0 - s));
                du[l] = dy[l] * g[l] * s;
            }
            store(dg, dgate);
            store(du, dup);
        }
    }
}
}
