//! The decoder on tensors: the way forward over rows of tokens, layer by layer. How a layer attends is the caller's.

use candle_core::{DType, Result, Tensor};

use crate::candle::{
    decoder::device::{
        ops::{Angles, indices, norm, product, swiglu},
        weights::{Pair, Weights},
    },
    kernels::attention::Heads,
    model::{EMBEDDING, Model, Part},
};

/// What one layer computed, all `[rows, …]`.
pub struct LayerTape {
    /// Normalised entry.
    pub normed: Tensor,
    /// Fused queries, keys and values before heads are normalised and turned.
    pub plain: Tensor,
    /// The same after.
    pub fused: Tensor,
    /// The attention's result.
    pub attended: Tensor,
    /// The residual stream after attention.
    pub middle: Tensor,
    /// Normalised middle.
    pub middle_normed: Tensor,
    /// Fused gates and ups.
    pub gate_up: Tensor,
    /// The gated unit's result.
    pub gated: Tensor,
    /// The residual stream on leaving.
    pub exit: Tensor,
}

/// A model and its weights on a device.
pub struct Decoder<'a> {
    /// The model as the host has it.
    pub model: &'a Model,
    /// Its weights there.
    pub weights: &'a Weights,
    /// The noise of dropout, where an adapter drops inputs.
    pub noise: Option<u64>,
}

/// The heads of fused rows, each `[rows, heads, dim]`.
pub struct FusedHeads {
    /// Of the queries.
    pub queries: Tensor,
    /// Of the keys.
    pub keys: Tensor,
    /// Of the values.
    pub values: Tensor,
}

impl FusedHeads {
    /// Takes fused rows apart.
    pub fn split(fused: &Tensor, heads: Heads) -> Result<Self> {
        let fused = fused.reshape(((), heads.query + 2 * heads.key_value, heads.dim))?;
        Ok(Self {
            queries: fused.narrow(1, 0, heads.query)?,
            keys: fused.narrow(1, heads.query, heads.key_value)?,
            values: fused.narrow(1, heads.query + heads.key_value, heads.key_value)?,
        })
    }

    /// Fused rows again.
    pub fn join(self) -> Result<Tensor> {
        let values = self.values.contiguous()?;
        Tensor::cat(&[self.queries, self.keys, values], 1)?.flatten_from(1)
    }
}

impl Decoder<'_> {
    /// The layers' entry: each token's embedding.
    pub fn embed(&self, tokens: &[u32]) -> Result<Tensor> {
        let embedding = &self.weights.frozen.tensors[EMBEDDING];
        embedding.index_select(&indices(tokens, embedding.device())?, 0)
    }

    /// Rotary angles of rows at positions.
    pub fn angles(&self, positions: &[u32]) -> Result<Angles> {
        let frozen = &self.weights.frozen;
        Angles::at(positions, &frozen.cos, &frozen.sin)
    }

    /// One layer. `attend` gets fused rows whose heads are turned.
    pub fn layer(
        &self,
        layer: usize,
        entry: &Tensor,
        angles: &Angles,
        attend: impl FnOnce(&Tensor) -> Result<Tensor>,
    ) -> Result<LayerTape> {
        let normed = self.norm(layer, Part::InputNorm, entry)?;
        let mut plain = self.project(layer, Part::Qkv, &normed)?;
        if let Some(bias) = self.find(layer, Part::QkvBias) {
            plain = plain.broadcast_add(bias)?;
        }
        let fused = self.turned(layer, &plain, angles)?;
        let attended = attend(&fused)?;
        let middle = (entry + self.project(layer, Part::Output, &attended)?)?;
        let middle_normed = self.norm(layer, Part::PostNorm, &middle)?;
        let gate_up = self.project(layer, Part::GateUp, &middle_normed)?;
        let gated = swiglu(&gate_up)?;
        let exit = (&middle + self.project(layer, Part::Down, &gated)?)?;
        Ok(LayerTape {
            normed,
            plain,
            fused,
            attended,
            middle,
            middle_normed,
            gate_up,
            gated,
            exit,
        })
    }

    /// Logits, in f32, of rows that left the last layer.
    pub fn logits(&self, rows: &Tensor) -> Result<Tensor> {
        let normed = self.final_norm(rows)?;
        product(&normed, &self.head().t()?)?.to_dtype(DType::F32)
    }

    /// Rows that left the last layer, normalised.
    pub fn final_norm(&self, rows: &Tensor) -> Result<Tensor> {
        let gain = &self.weights.frozen.tensors[self.model.final_norm()];
        norm(rows, gain, self.eps())
    }

    /// The output head.
    pub fn head(&self) -> &Tensor {
        &self.weights.frozen.tensors[self.model.head()]
    }

    /// Epsilon of the normalisations.
    pub fn eps(&self) -> f64 {
        self.model.architecture().rms_norm_eps
    }

    /// A layer's weight, where the architecture has it.
    pub fn find(&self, layer: usize, part: Part) -> Option<&Tensor> {
        let index = self.model.find(layer, part)?;
        Some(&self.weights.frozen.tensors[index])
    }

    fn norm(&self, layer: usize, part: Part, x: &Tensor) -> Result<Tensor> {
        let gain = &self.weights.frozen.tensors[self.model.index(layer, part)];
        norm(x, gain, self.eps())
    }

    /// Fused rows with their heads normalised, where the architecture says so, and turned.
    fn turned(&self, layer: usize, plain: &Tensor, angles: &Angles) -> Result<Tensor> {
        let turn = |part, x: &Tensor| match self.find(layer, part) {
            Some(gain) => angles.turn(&norm(x, gain, self.eps())?),
            None => angles.turn(x),
        };
        let plain = FusedHeads::split(plain, self.model.architecture().heads())?;
        let turned = FusedHeads {
            queries: turn(Part::QueryNorm, &plain.queries)?,
            keys: turn(Part::KeyNorm, &plain.keys)?,
            values: plain.values,
        };
        turned.join()
    }

    /// `x W^T`, and what an adapter adds.
    fn project(&self, layer: usize, part: Part, x: &Tensor) -> Result<Tensor> {
        let index = self.model.index(layer, part);
        let y = product(x, &self.weights.frozen.tensors[index].t()?)?;
        let Some(pair) = self.weights.pair(index) else {
            return Ok(y);
        };
        let reduced = self.reduced(pair, x)?;
        y + product(&reduced, &pair.b.t()?)?
    }

    /// What an adapter's A makes of its inputs, some of which may be dropped: `[rows, members x r]`.
    pub fn reduced(&self, pair: &Pair, x: &Tensor) -> Result<Tensor> {
        let Some(members) = self.dropped(pair, x)? else {
            return product(x, &pair.a.t()?);
        };
        let reduce = |member: &Dropped| product(&(x * &member.factors)?, &member.a.t()?);
        let reduced = members.iter().map(reduce).collect::<Result<Vec<_>>>()?;
        Tensor::cat(&reduced, 1)
    }

    /// What is dropped from an adapter's inputs: each of its members drops others. Nothing where there is no dropout.
    pub fn dropped(&self, pair: &Pair, x: &Tensor) -> Result<Option<Vec<Dropped>>> {
        let Some((adapter, noise)) = self.model.adapter().zip(self.noise) else {
            return Ok(None);
        };
        let member = |(site, columns): (usize, std::ops::Range<usize>)| {
            let factors: Vec<f32> = adapter
                .factors(noise, 2 * site)
                .take(x.elem_count())
                .collect();
            Ok(Dropped {
                factors: Tensor::from_vec(factors, x.shape(), x.device())?.to_dtype(x.dtype())?,
                a: pair.a.narrow(0, columns.start, columns.len())?,
                first: columns.start,
            })
        };
        pair.members().map(member).collect::<Result<_>>().map(Some)
    }
}

/// One of the adapters of a [`Pair`], and what each of its inputs is multiplied by.
pub struct Dropped {
    /// 0, or a little above 1.
    pub factors: Tensor,
    /// Its own A.
    pub a: Tensor,
    /// Its first column of the pair's B.
    pub first: usize,
}
