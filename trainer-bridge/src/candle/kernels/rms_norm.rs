//! Root-mean-square normalisation (Zhang and Sennrich, arXiv 1910.07467): `y = w * x / sqrt(mean(x^2) + eps)`, row by row.

use super::lanes::dot;

/// `1 / sqrt(mean(x^2) + eps)`; NaN where the squares overflow, which would pass for a row of zeros otherwise: a diverged run must show.
#[inline(always)]
fn inverse_norm(x: &[f32], eps: f32) -> f32 {
    let r = 1.0 / (dot(x, x) / x.len() as f32 + eps).sqrt();
    if r > 0.0 { r } else { f32::NAN }
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
        let r = inverse_norm(x, eps);
        for (((dy, &x), &w), dw) in dy.iter_mut().zip(x).zip(w).zip(dw.iter_mut()) {
            *dw = (*dy * x).mul_add(r, *dw);
            *dy *= w;
        }
        let along = dot(dy, x) / width as f32 * r * r;
        for ((dx, &x), &dy) in dx.iter_mut().zip(x).zip(dy.iter()) {
            *dx += r * (dy - along * x);
        }
    }
}
}
