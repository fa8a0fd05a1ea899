//! Root-mean-square normalisation (Zhang and Sennrich, arXiv 1910.07467): `y = w * x / sqrt(mean(x^2) + eps)`, of whole rows, and of
//! the heads within fused rows as Qwen3 has it.

use std::ops::Range;

use crate::candle::kernels::lanes::dot;

/// `1 / sqrt(mean(x^2) + eps)`; NaN where the squares overflow, which would pass for a row of zeros otherwise: a diverged run must show.
#[inline(always)]
fn inverse_norm(x: &[f32], eps: f32) -> f32 {
    let r = 1.0 / (dot(x, x) / x.len() as f32 + eps).sqrt();
    if r > 0.0 { r } else { f32::NAN }
}

/// The part of the way back that both forms share: adds to `dw`, overwrites `dy` with w dy, and returns r and the share of x in dx,
/// so that dx = r (w dy - share x).
#[inline(always)]
fn weigh_gradient(x: &[f32], w: &[f32], eps: f32, dy: &mut [f32], dw: &mut [f32]) -> (f32, f32) {
    let r = inverse_norm(x, eps);
    for (((dy, &x), &w), dw) in dy.iter_mut().zip(x).zip(w).zip(dw.iter_mut()) {
        *dw = (*dy * x).mul_add(r, *dw);
        *dy *= w;
    }
    (r, dot(dy, x) / w.len() as f32 * r * r)
}

vectorized! {
/// Normalises rows as wide as `w`.
pub fn rms_norm<'a>(x: &'a [f32], w: &'a [f32], eps: f32, y: &'a mut [f32]) {
    let width = w.len();
    for (x, y) in x.chunks_exact(width).zip(y.chunks_exact_mut(width)) {
        let r = inverse_norm(x, eps);
        for ((y, &x), &w) in y.iter_mut().zip(x).zip(w) {
            *y = x * r * w;
        }
    }
}
}

vectorized! {
/// The way back, added to `dx` and `dw`. With r = 1 / sqrt(mean(x^2) + eps): dx += r (w dy) - x r^3 mean(w dy x), and dw += dy x r
/// summed over rows. `dy` is overwritten with w dy.
pub fn rms_norm_backward<'a>(x: &'a [f32], w: &'a [f32], eps: f32, dy: &'a mut [f32], dx: &'a mut [f32], dw: &'a mut [f32]) {
    let width = w.len();
    for ((x, dy), dx) in x.chunks_exact(width).zip(dy.chunks_exact_mut(width)).zip(dx.chunks_exact_mut(width)) {
        let (r, share) = weigh_gradient(x, w, eps, dy, dw);
        for ((dx, &x), &dy) in dx.iter_mut().zip(x).zip(dy.iter()) {
            *dx += r * (dy - share * x);
        }
    }
}
}

vectorized! {
/// Normalises, in place, every head that lies in `heads` (elements, whole heads as wide as `w`) of rows of `width` elements.
pub fn norm_heads<'a>(rows: &'a mut [f32], width: usize, heads: Range<usize>, w: &'a [f32], eps: f32) {
    for row in rows.chunks_exact_mut(width) {
        for head in row[heads.clone()].chunks_exact_mut(w.len()) {
            let r = inverse_norm(head, eps);
            for (x, &w) in head.iter_mut().zip(w) {
                *x = *x * r * w;
            }
        }
    }
}
}

vectorized! {
/// The way back of [`norm_heads`]: turns the gradients of the normalised heads into those of `rows`, the heads before, in place, and
/// adds to `dw`.
pub fn norm_heads_backward<'a>(
    rows: &'a [f32],
    width: usize,
    heads: Range<usize>,
    w: &'a [f32],
    eps: f32,
    drows: &'a mut [f32],
    dw: &'a mut [f32],
) {
    for (row, drow) in rows.chunks_exact(width).zip(drows.chunks_exact_mut(width)) {
        let (row, drow) = (row[heads.clone()].chunks_exact(w.len()), drow[heads.clone()].chunks_exact_mut(w.len()));
        for (x, dy) in row.zip(drow) {
            let (r, share) = weigh_gradient(x, w, eps, dy, dw);
            for (d, &x) in dy.iter_mut().zip(x) {
                *d = r * (*d - share * x);
            }
        }
    }
}
}
