//! The decoder's operations on tensors.

use candle_core::{DType, Error, Result, Tensor};

use crate::candle::{
    decoder::{
        device::{
            adapter::DeviceAdapter,
            attention::PackAttention,
            functions::{
                Angles, gain_gradient, indices, log_probs, log_probs_backward, norm, norm_backward,
                product, swiglu, swiglu_backward,
            },
            weights::{DeviceGradients, DeviceWeights},
        },
        ops::{Onto, Ops, Targets, WayBack},
    },
    kernels::attention::Heads,
    model::{Model, layout::EMBEDDING},
};

/// TensorRows as a tensor, once something has computed them.
#[derive(Default)]
pub struct TensorRows(Option<Tensor>);

impl TensorRows {
    /// The tensor.
    pub fn tensor(&self) -> &Tensor {
        self.0
            .as_ref()
            .expect("an operation reads only what another one has written")
    }

    fn put(&mut self, tensor: Tensor) -> Result<()> {
        self.0 = Some(tensor);
        Ok(())
    }
}

/// How the rows of a pass attend.
pub trait DeviceAttention {
    /// A layer's attention of fused rows whose heads are turned.
    fn attend(&mut self, layer: usize, fused: &Tensor) -> Result<Tensor>;
}

impl DeviceAttention for &PackAttention {
    fn attend(&mut self, _: usize, fused: &Tensor) -> Result<Tensor> {
        PackAttention::attend(self, fused)
    }
}

/// A pass over a pack with a way back.
pub struct DeviceTraining<'a, 'w> {
    /// How the rows attend.
    pub attention: &'a PackAttention,
    /// Where gradients are added up.
    pub sums: &'a mut DeviceGradients<'w>,
}

impl DeviceAttention for DeviceTraining<'_, '_> {
    fn attend(&mut self, _: usize, fused: &Tensor) -> Result<Tensor> {
        self.attention.attend(fused)
    }
}

/// The operations of one pass.
pub struct DeviceOps<'a, A> {
    model: &'a Model,
    weights: &'a DeviceWeights,
    angles: Angles,
    /// The noise of dropout, where an adapter drops inputs.
    pub noise: Option<u64>,
    attention: A,
}

impl<'a, A> DeviceOps<'a, A> {
    /// For rows at positions, nothing dropped.
    pub fn new(
        model: &'a Model,
        weights: &'a DeviceWeights,
        positions: &[u32],
        attention: A,
    ) -> Result<Self> {
        Ok(Self {
            model,
            weights,
            angles: Angles::at(positions, &weights.frozen.cos, &weights.frozen.sin)?,
            noise: None,
            attention,
        })
    }

    fn weight(&self, index: usize) -> &'a Tensor {
        &self.weights.frozen.tensors[index]
    }

    fn heads(&self) -> Heads {
        self.model.architecture().heads()
    }

    fn eps(&self) -> f64 {
        self.model.architecture().rms_norm_eps
    }

    /// The adapter on a weight.
    fn adapted(&self, weight: usize) -> Option<DeviceAdapter<'a>> {
        Some(DeviceAdapter {
            pair: self.weights.pair(weight)?,
            dropout: self.model.adapter().zip(self.noise),
        })
    }
}

/// The heads of fused rows, each `[rows, heads, dim]`.
struct FusedHeads {
    queries: Tensor,
    keys: Tensor,
    values: Tensor,
}

impl FusedHeads {
    /// Takes fused rows apart.
    fn split(fused: &Tensor, heads: Heads) -> Result<Self> {
        let fused = fused.reshape(((), heads.query + 2 * heads.key_value, heads.dim))?;
        Ok(Self {
            queries: fused.narrow(1, 0, heads.query)?,
            keys: fused.narrow(1, heads.query, heads.key_value)?,
            values: fused.narrow(1, heads.query + heads.key_value, heads.key_value)?,
        })
    }

    /// Changes queries and keys, each numbered.
    fn map(self, mut change: impl FnMut(usize, &Tensor) -> Result<Tensor>) -> Result<Self> {
        Ok(Self {
            queries: change(0, &self.queries)?,
            keys: change(1, &self.keys)?,
            values: self.values,
        })
    }

    /// Fused rows again.
    fn join(self) -> Result<Tensor> {
        let values = self.values.contiguous()?;
        Tensor::cat(&[self.queries, self.keys, values], 1)?.flatten_from(1)
    }
}

impl<A: DeviceAttention> Ops for DeviceOps<'_, A> {
    type Rows = TensorRows;
    type Error = Error;

    fn embed(&mut self, tokens: &[u32], out: &mut TensorRows) -> Result<()> {
        let embedding = self.weight(EMBEDDING);
        out.put(embedding.index_select(&indices(tokens, embedding.device())?, 0)?)
    }

    fn select(&mut self, rows: &TensorRows, chosen: &[u32], out: &mut TensorRows) -> Result<()> {
        let rows = rows.tensor();
        out.put(rows.index_select(&indices(chosen, rows.device())?, 0)?)
    }

    fn norm(&mut self, gain: usize, x: &TensorRows, out: &mut TensorRows) -> Result<()> {
        out.put(norm(x.tensor(), self.weight(gain), self.eps())?)
    }

    fn project(
        &mut self,
        weight: usize,
        x: &TensorRows,
        onto: Onto<'_, TensorRows>,
        out: &mut TensorRows,
    ) -> Result<()> {
        let x = x.tensor();
        let mut y = product(x, &self.weight(weight).t()?)?;
        if let Some(adapted) = self.adapted(weight) {
            y = (y + adapted.forward(x)?)?;
        }
        out.put(match onto {
            Onto::Nothing => y,
            Onto::Bias(bias) => y.broadcast_add(self.weight(bias))?,
            Onto::Rows(rows) => (rows.tensor() + y)?,
        })
    }

    fn turn(&mut self, fused: &mut TensorRows) -> Result<()> {
        let heads = FusedHeads::split(fused.tensor(), self.heads())?;
        let turned = heads.map(|_, heads| self.angles.turn(heads))?;
        fused.put(turned.join()?)
    }

    fn norm_and_turn(
        &mut self,
        gains: [usize; 2],
        plain: &TensorRows,
        fused: &mut TensorRows,
    ) -> Result<()> {
        let heads = FusedHeads::split(plain.tensor(), self.heads())?;
        let turned = heads.map(|part, heads| {
            let normed = norm(heads, self.weight(gains[part]), self.eps())?;
            self.angles.turn(&normed)
        })?;
        fused.put(turned.join()?)
    }

    fn attend(&mut self, layer: usize, fused: &TensorRows, out: &mut TensorRows) -> Result<()> {
        out.put(self.attention.attend(layer, fused.tensor())?)
    }

    fn gate(&mut self, gate_up: &TensorRows, out: &mut TensorRows) -> Result<()> {
        out.put(swiglu(gate_up.tensor())?)
    }

    fn log_probs(
        &mut self,
        logits: &TensorRows,
        targets: &Targets<'_>,
        out: &mut Vec<f32>,
    ) -> Result<()> {
        let logits = cooled(logits, targets)?;
        let tokens = indices(targets.tokens, logits.device())?;
        out.extend(log_probs(&logits, &tokens)?.to_vec1::<f32>()?);
        Ok(())
    }
}

/// Logits in f32, divided by the temperature.
fn cooled(logits: &TensorRows, targets: &Targets<'_>) -> Result<Tensor> {
    logits.tensor().to_dtype(DType::F32)? * targets.inverse_temperature
}

impl DeviceOps<'_, DeviceTraining<'_, '_>> {
    /// Adds the gradient of a gain, where it is trained, and gives that by the normalisation's input.
    fn normalised_back(&mut self, gain: usize, x: &Tensor, dy: &Tensor) -> Result<Tensor> {
        let (eps, sums) = (self.eps(), &mut self.attention.sums);
        if sums.wants_weights() {
            sums.add(gain, &gain_gradient(x, eps, dy)?)?;
        }
        norm_backward(x, self.weight(gain), eps, dy)
    }
}

impl WayBack for DeviceOps<'_, DeviceTraining<'_, '_>> {
    fn zeros(&mut self, like: &TensorRows, out: &mut TensorRows) -> Result<()> {
        out.put(like.tensor().zeros_like()?)
    }

    fn log_probs_back(
        &mut self,
        logits: &TensorRows,
        targets: &Targets<'_>,
        dlog_probs: &[f32],
        dlogits: &mut TensorRows,
    ) -> Result<()> {
        let (dtype, logits) = (logits.tensor().dtype(), cooled(logits, targets)?);
        let tokens = indices(targets.tokens, logits.device())?;
        let dy = Tensor::from_slice(dlog_probs, dlog_probs.len(), logits.device())?;
        let slopes = log_probs_backward(&logits, &tokens, &dy)? * targets.inverse_temperature;
        dlogits.put(slopes?.to_dtype(dtype)?)
    }

    fn select_back(
        &mut self,
        chosen: &[u32],
        dout: &TensorRows,
        drows: &mut TensorRows,
    ) -> Result<()> {
        let sum = drows.tensor();
        let sum = sum.index_add(&indices(chosen, sum.device())?, dout.tensor(), 0)?;
        drows.put(sum)
    }

    fn project_back(
        &mut self,
        weight: usize,
        x: &TensorRows,
        dy: &TensorRows,
        dx: &mut TensorRows,
    ) -> Result<()> {
        let (x, dy) = (x.tensor(), dy.tensor());
        let mut slopes = product(dy, self.weight(weight))?;
        let adapted = self.adapted(weight);
        let sums = &mut *self.attention.sums;
        if sums.wants_weights() {
            sums.add(weight, &product(&dy.t()?, x)?)?;
        } else if let Some(adapted) = adapted {
            slopes = adapted.backward(x, dy, slopes, (weight, sums))?;
        }
        dx.put(slopes)
    }

    fn bias_back(&mut self, bias: usize, dy: &TensorRows) -> Result<()> {
        let sums = &mut self.attention.sums;
        if sums.wants_weights() {
            sums.add(bias, &dy.tensor().to_dtype(DType::F32)?.sum(0)?)?;
        }
        Ok(())
    }

    fn norm_back(
        &mut self,
        gain: usize,
        x: &TensorRows,
        dy: &mut TensorRows,
        dx: &mut TensorRows,
    ) -> Result<()> {
        let slopes = self.normalised_back(gain, x.tensor(), dy.tensor())?;
        let sum = (dx.tensor() + slopes)?;
        dx.put(sum)
    }

    fn gate_back(
        &mut self,
        gate_up: &TensorRows,
        dout: &TensorRows,
        dgate_up: &mut TensorRows,
    ) -> Result<()> {
        dgate_up.put(swiglu_backward(gate_up.tensor(), dout.tensor())?)
    }

    fn attend_back(
        &mut self,
        fused: &TensorRows,
        _: &TensorRows,
        dout: &TensorRows,
        dfused: &mut TensorRows,
    ) -> Result<()> {
        let attention = self.attention.attention;
        dfused.put(attention.backward(fused.tensor(), dout.tensor())?)
    }

    fn turn_back(&mut self, dfused: &mut TensorRows) -> Result<()> {
        let reversed = self.angles.reversed()?;
        let heads = FusedHeads::split(dfused.tensor(), self.heads())?;
        dfused.put(heads.map(|_, heads| reversed.turn(heads))?.join()?)
    }

    fn norm_and_turn_back(
        &mut self,
        gains: [usize; 2],
        plain: &TensorRows,
        dfused: &mut TensorRows,
    ) -> Result<()> {
        let reversed = self.angles.reversed()?;
        let plain = FusedHeads::split(plain.tensor(), self.heads())?;
        let plain = [plain.queries, plain.keys];
        let heads = FusedHeads::split(dfused.tensor(), self.heads())?;
        let slopes = heads.map(|part, heads| {
            self.normalised_back(gains[part], &plain[part], &reversed.turn(heads)?)
        })?;
        dfused.put(slopes.join()?)
    }

    fn embed_back(&mut self, tokens: &[u32], dout: &TensorRows) -> Result<()> {
        let embedding = self.weight(EMBEDDING);
        let sums = &mut self.attention.sums;
        if sums.wants_weights() {
            let tokens = indices(tokens, embedding.device())?;
            let zeros = Tensor::zeros(embedding.shape(), DType::F32, embedding.device())?;
            let dout = dout.tensor().to_dtype(DType::F32)?;
            sums.add(EMBEDDING, &zeros.index_add(&tokens, &dout, 0)?)?;
        }
        Ok(())
    }
}
