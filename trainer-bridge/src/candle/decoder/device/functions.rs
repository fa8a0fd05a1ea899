//! The decoder's operations on tensors, those with a gradient beside their way back.
//!
//! Elements may be narrow; sums, exponentials and normalisation are in f32 always. Every operation is composed of the tensor library's own
//! differentiable ones, so that its automatic differentiation can be held against the ways back, which are written out because they
//! compute only what is wanted.

use candle_core::{D, DType, Device, Result, Tensor};

/// Matrix product over the last two dimensions. cuBLAS takes matrices that are dense by rows or by columns; others are copied first.
pub fn product(a: &Tensor, b: &Tensor) -> Result<Tensor> {
    dense(a)?.matmul(&dense(b)?)
}

fn dense(x: &Tensor) -> Result<Tensor> {
    let (sizes, strides) = (x.dims(), x.stride());
    let rank = sizes.len();
    let matrix = [strides[rank - 2], strides[rank - 1]];
    let by_rows = matrix == [sizes[rank - 1], 1];
    let by_columns = matrix == [1, sizes[rank - 2]];
    let even = (0..rank.saturating_sub(3)).all(|i| strides[i] == strides[i + 1] * sizes[i + 1]);
    if (by_rows || by_columns) && even {
        Ok(x.clone())
    } else {
        x.contiguous()
    }
}

/// Token ids, positions or places as a tensor.
pub fn indices(values: &[u32], device: &Device) -> Result<Tensor> {
    Tensor::from_slice(values, values.len(), device)
}

/// `x / rms(x) * gain` over the last dimension (Zhang and Sennrich, arXiv 1910.07467).
pub fn norm(x: &Tensor, gain: &Tensor, eps: f64) -> Result<Tensor> {
    normalised(x, eps)?
        .0
        .to_dtype(x.dtype())?
        .broadcast_mul(gain)
}

/// `x / rms(x)` and `1 / rms(x)`, both in f32.
fn normalised(x: &Tensor, eps: f64) -> Result<(Tensor, Tensor)> {
    let x = x.to_dtype(DType::F32)?;
    let inverse = (x.sqr()?.mean_keepdim(D::Minus1)? + eps)?.sqrt()?.recip()?;
    Ok((x.broadcast_mul(&inverse)?, inverse))
}

/// The gradient by a normalisation's input.
pub fn norm_backward(x: &Tensor, gain: &Tensor, eps: f64, dy: &Tensor) -> Result<Tensor> {
    let (hat, inverse) = normalised(x, eps)?;
    let dhat = dy
        .to_dtype(DType::F32)?
        .broadcast_mul(&gain.to_dtype(DType::F32)?)?;
    let along = (&dhat * &hat)?.mean_keepdim(D::Minus1)?;
    (dhat - hat.broadcast_mul(&along)?)?
        .broadcast_mul(&inverse)?
        .to_dtype(x.dtype())
}

/// The gradient by a normalisation's gain.
pub fn gain_gradient(x: &Tensor, eps: f64, dy: &Tensor) -> Result<Tensor> {
    let width = x.dim(D::Minus1)?;
    let products = (normalised(x, eps)?.0 * dy.to_dtype(DType::F32)?)?;
    products.reshape(((), width))?.sum(0)
}

/// Gated unit `silu(gate) * up` of fused gates and ups (Shazeer, arXiv 2002.05202).
pub fn swiglu(gate_up: &Tensor) -> Result<Tensor> {
    let halves = gate_up.chunk(2, D::Minus1)?;
    halves[0].silu()? * &halves[1]
}

/// The gradient by the fused gates and ups.
pub fn swiglu_backward(gate_up: &Tensor, dy: &Tensor) -> Result<Tensor> {
    let (wide, dy) = (gate_up.to_dtype(DType::F32)?, dy.to_dtype(DType::F32)?);
    let halves = wide.chunk(2, D::Minus1)?;
    let (gate, up) = (&halves[0], &halves[1]);
    let sigmoid = (gate.neg()?.exp()? + 1.0)?.recip()?;
    let silu = (gate * &sigmoid)?;
    let slope = (&sigmoid + (&silu * (1.0 - &sigmoid)?)?)?;
    let (dgate, dup) = (((&dy * up)? * slope)?, (dy * silu)?);
    Tensor::cat(&[dgate, dup], D::Minus1)?.to_dtype(gate_up.dtype())
}

/// Softmax over the last dimension, in f32.
pub fn softmax(x: &Tensor) -> Result<Tensor> {
    let x = x.to_dtype(DType::F32)?;
    let weights = x
        .broadcast_sub(&x.max_keepdim(D::Minus1)?.detach())?
        .exp()?;
    weights.broadcast_div(&weights.sum_keepdim(D::Minus1)?)
}

/// Log-probability of one target a row of logits in f32.
pub fn log_probs(logits: &Tensor, targets: &Tensor) -> Result<Tensor> {
    let largest = logits.max_keepdim(D::Minus1)?.detach();
    let rest = logits.broadcast_sub(&largest)?;
    let normaliser = rest.exp()?.sum_keepdim(D::Minus1)?.log()?;
    let chosen = rest.gather(&targets.unsqueeze(1)?, D::Minus1)?;
    (chosen - normaliser)?.squeeze(D::Minus1)
}

/// The gradient by the logits: target minus probabilities, times the log-probability's gradient.
pub fn log_probs_backward(logits: &Tensor, targets: &Tensor, dy: &Tensor) -> Result<Tensor> {
    let dy = dy.unsqueeze(1)?;
    softmax(logits)?
        .broadcast_mul(&dy.neg()?)?
        .scatter_add(&targets.unsqueeze(1)?, &dy, 1)
}

/// Rotary angles of some rows, `[rows, 1, dim]` each, in f32.
pub struct Angles {
    cos: Tensor,
    sin: Tensor,
}

impl Angles {
    /// Of rows at positions, from the tables of all positions, `[positions, dim]` each.
    pub fn at(positions: &[u32], cos: &Tensor, sin: &Tensor) -> Result<Self> {
        let positions = indices(positions, cos.device())?;
        Ok(Self {
            cos: cos.index_select(&positions, 0)?.unsqueeze(1)?,
            sin: sin.index_select(&positions, 0)?.unsqueeze(1)?,
        })
    }

    /// The same angles the other way round: what turns gradients back.
    pub fn reversed(&self) -> Result<Self> {
        Ok(Self {
            cos: self.cos.clone(),
            sin: self.sin.neg()?,
        })
    }

    /// Turns heads `[rows, heads, dim]`, the first half of each against the second.
    pub fn turn(&self, x: &Tensor) -> Result<Tensor> {
        let wide = x.to_dtype(DType::F32)?;
        let halves = wide.chunk(2, D::Minus1)?;
        let crossed = Tensor::cat(&[halves[1].neg()?, halves[0].contiguous()?], D::Minus1)?;
        let turned = (wide.broadcast_mul(&self.cos)? + crossed.broadcast_mul(&self.sin)?)?;
        turned.to_dtype(x.dtype())
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used)]
    use candle_core::Var;

    use super::*;

    fn wavy(shape: (usize, usize), pace: f32) -> Tensor {
        let values: Vec<f32> = (0..shape.0 * shape.1)
            .map(|i| (i as f32 * pace).sin())
            .collect();
        Tensor::from_vec(values, shape, &Device::Cpu).unwrap()
    }

    fn assert_near(ours: &Tensor, theirs: &Tensor) {
        let difference = (ours - theirs).unwrap().abs().unwrap();
        let worst: f32 = difference.max_all().unwrap().to_scalar().unwrap();
        assert!(worst < 1e-5, "{worst}");
    }

    /// The gradient by `x` of `f(x)` weighted by `dy`, by the tensor library's automatic differentiation.
    fn differentiated(x: &Tensor, dy: &Tensor, f: impl Fn(&Tensor) -> Result<Tensor>) -> Tensor {
        let x = Var::from_tensor(x).unwrap();
        let weighted = (f(x.as_tensor()).unwrap() * dy).unwrap();
        let gradients = weighted.backward().unwrap();
        gradients.get(x.as_tensor()).unwrap().clone()
    }

    #[test]
    fn ways_back_are_those_of_automatic_differentiation() {
        let (x, gain) = (wavy((5, 8), 0.7), wavy((1, 8), 1.3).squeeze(0).unwrap());
        let dy = wavy((5, 8), 2.1);
        let dx = norm_backward(&x, &gain, 1e-5, &dy).unwrap();
        assert_near(&dx, &differentiated(&x, &dy, |x| norm(x, &gain, 1e-5)));
        let dgain = gain_gradient(&x, 1e-5, &dy).unwrap();
        let by_gain = differentiated(&gain, &dy, |gain| norm(&x, gain, 1e-5));
        assert_near(&dgain, &by_gain);

        let half = wavy((5, 4), 2.1);
        let dx = swiglu_backward(&x, &half).unwrap();
        assert_near(&dx, &differentiated(&x, &half, swiglu));

        let (targets, dy) = (
            indices(&[3, 0, 7, 7, 1], &Device::Cpu).unwrap(),
            wavy((1, 5), 1.9).squeeze(0).unwrap(),
        );
        let dx = log_probs_backward(&x, &targets, &dy).unwrap();
        assert_near(&dx, &differentiated(&x, &dy, |x| log_probs(x, &targets)));
    }

    #[test]
    fn turning_back_undoes_turning() {
        let table = |f: fn(f32) -> f32| {
            let angles: Vec<f32> = (0..24)
                .map(|i| f((i % 4) as f32 * (i / 8) as f32))
                .collect();
            Tensor::from_vec(angles, (3, 8), &Device::Cpu).unwrap()
        };
        let angles = Angles::at(&[2, 0, 1], &table(f32::cos), &table(f32::sin)).unwrap();
        let x = wavy((6, 8), 0.9).reshape((3, 2, 8)).unwrap();
        let turned = angles.turn(&x).unwrap();
        let back = angles.reversed().unwrap().turn(&turned).unwrap();
        assert_near(&back, &x);
    }

    #[test]
    fn only_what_is_dense_by_rows_or_columns_is_multiplied_as_it_is() {
        let x = wavy((4, 6), 0.3).reshape((2, 2, 2, 3)).unwrap();
        let keeps = |x: &Tensor| dense(x).unwrap().stride() == x.stride();
        assert!(keeps(&x) && keeps(&x.t().unwrap()));
        assert!(keeps(&x.narrow(2, 0, 1).unwrap()), "a cache half filled");
        assert!(!keeps(&x.narrow(3, 0, 2).unwrap()), "some columns alone");
        assert!(!keeps(&x.transpose(0, 1).unwrap()), "batches out of order");
    }
}
