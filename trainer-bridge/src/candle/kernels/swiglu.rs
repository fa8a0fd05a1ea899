//! The gated unit of Llama's feed-forward block (Shazeer, arXiv 2002.05202): `silu(gate) * up`, both halves of one fused row.

use super::lanes::sigmoid;

vectorized! {
/// `gate_up` holds rows of `width` gates and `width` ups.
pub fn swiglu<'a>(gate_up: &'a [f32], width: usize, y: &'a mut [f32]) {
    for (row, y) in gate_up.chunks_exact(2 * width).zip(y.chunks_exact_mut(width)) {
        let (gate, up) = row.split_at(width);
        for ((y, &g), &u) in y.iter_mut().zip(gate).zip(up) {
            *y = g * sigmoid(g) * u;
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
        for (((&g, &u), &dy), (dg, du)) in gate.iter().zip(up).zip(dy).zip(dgate.iter_mut().zip(dup)) {
            let s = sigmoid(g);
            *dg = dy * u * s * (1.0 + g * (1.0 - s));
            *du = dy * g * s;
        }
    }
}
}
