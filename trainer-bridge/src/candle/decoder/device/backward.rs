//! The way back through the decoder. A layer's intermediate results are not kept: only what enters it is, and the rest is computed once
//! more, so that the memory of one layer is enough.

use candle_core::{DType, Result, Tensor};

use crate::candle::{
    decoder::{
        device::{
            attention::PackAttention,
            decoder::{Decoder, FusedHeads, LayerTape},
            ops::{
                Angles, gain_gradient, indices, log_probs, log_probs_backward, norm_backward,
                product, swiglu_backward,
            },
            weights::Sums,
        },
        pack::Pack,
    },
    model::{EMBEDDING, Part},
};

/// Rows whose logits are computed together: a vocabulary is long.
const HEAD_ROWS: usize = 512;

/// A pack on its way through a decoder.
pub struct Pass<'a> {
    decoder: &'a Decoder<'a>,
    pack: &'a Pack,
    attention: PackAttention,
    angles: Angles,
    inverse_temperature: f64,
    /// What enters each layer, and at the end what leaves the last one.
    stream: Vec<Tensor>,
}

impl<'a> Pass<'a> {
    /// Goes through the layers. For a pass without a way back, what enters a layer is forgotten at once.
    pub fn forward(
        decoder: &'a Decoder<'a>,
        pack: &'a Pack,
        temperature: f64,
        returns: bool,
    ) -> Result<Self> {
        let architecture = decoder.model.architecture();
        let mut pass = Self {
            decoder,
            pack,
            attention: PackAttention::new(pack, architecture.heads(), decoder.head().device())?,
            angles: decoder.angles(&pack.positions)?,
            inverse_temperature: 1.0 / temperature,
            stream: vec![decoder.embed(&pack.tokens)?],
        };
        for layer in 0..architecture.num_hidden_layers {
            let exit = pass.layer(layer)?.exit;
            if !returns {
                pass.stream.clear();
            }
            pass.stream.push(exit);
        }
        Ok(pass)
    }

    /// A layer with what enters it: the last of the stream.
    fn layer(&self, layer: usize) -> Result<LayerTape> {
        let entry = self.stream.last().expect("something enters every layer");
        let attend = |fused: &Tensor| self.attention.attend(fused);
        self.decoder.layer(layer, entry, &self.angles, attend)
    }

    /// What left the last layer.
    pub fn exit(&self) -> &Tensor {
        self.stream.last().expect("something leaves every pass")
    }

    /// Runs of predicting rows with their targets: tensors of both, and where the run begins.
    fn runs(&self) -> impl Iterator<Item = Result<(usize, Tensor, Tensor)>> + '_ {
        let device = self.exit().device();
        let rows = self.pack.predicting.chunks(HEAD_ROWS);
        let pairs = rows.zip(self.pack.targets.chunks(HEAD_ROWS)).enumerate();
        pairs.map(move |(run, (rows, targets))| {
            let start = run * HEAD_ROWS;
            Ok((start, indices(rows, device)?, indices(targets, device)?))
        })
    }

    /// Log-probabilities of the completion tokens, in the pack's order.
    pub fn log_probs(&self) -> Result<Vec<f32>> {
        let mut all = Vec::with_capacity(self.pack.targets.len());
        for run in self.runs() {
            let (_, rows, targets) = run?;
            let logits = self.logits(&self.exit().index_select(&rows, 0)?)?;
            all.extend(log_probs(&logits, &targets)?.to_vec1::<f32>()?);
        }
        Ok(all)
    }

    fn logits(&self, rows: &Tensor) -> Result<Tensor> {
        self.decoder.logits(rows)? * self.inverse_temperature
    }

    /// Adds the gradients of a loss with these derivatives by the log-probabilities.
    pub fn backward(mut self, dlog_probs: &[f32], sums: &mut Sums<'_>) -> Result<()> {
        let reversed = self.angles.reversed()?;
        let mut dstream = self.head_backward(dlog_probs, sums)?;
        for layer in (0..self.decoder.model.architecture().num_hidden_layers).rev() {
            self.stream.pop();
            let tape = self.layer(layer)?;
            let mut back = Back {
                pass: &self,
                layer,
                sums,
            };
            dstream = back.layer(&tape, &dstream, &reversed)?;
        }
        if sums.wants_weights() {
            let embedding = &self.decoder.weights.frozen.tensors[EMBEDDING];
            let tokens = indices(&self.pack.tokens, embedding.device())?;
            let zeros = Tensor::zeros(embedding.shape(), DType::F32, embedding.device())?;
            let dstream = dstream.to_dtype(DType::F32)?;
            sums.add(EMBEDDING, &zeros.index_add(&tokens, &dstream, 0)?)?;
        }
        Ok(())
    }

    /// From the log-probabilities to what left the last layer.
    fn head_backward(&self, dlog_probs: &[f32], sums: &mut Sums<'_>) -> Result<Tensor> {
        let (decoder, exit) = (self.decoder, self.exit());
        let (norm, head) = (decoder.model.final_norm(), decoder.head());
        let gain = &decoder.weights.frozen.tensors[norm];
        let mut dexit = exit.zeros_like()?;
        for run in self.runs() {
            let (start, rows, targets) = run?;
            let selected = exit.index_select(&rows, 0)?;
            let dy = &dlog_probs[start..][..rows.elem_count()];
            let dy = Tensor::from_slice(dy, dy.len(), exit.device())?;
            let logits = self.logits(&selected)?;
            let dlogits = log_probs_backward(&logits, &targets, &dy)? * self.inverse_temperature;
            let dlogits = dlogits?.to_dtype(head.dtype())?;
            let dnormed = product(&dlogits, head)?;
            if sums.wants_weights() {
                let normed = decoder.final_norm(&selected)?;
                sums.add(decoder.model.head(), &product(&dlogits.t()?, &normed)?)?;
                sums.add(norm, &gain_gradient(&selected, decoder.eps(), &dnormed)?)?;
            }
            let dselected = norm_backward(&selected, gain, decoder.eps(), &dnormed)?;
            dexit = dexit.index_add(&rows, &dselected, 0)?;
        }
        Ok(dexit)
    }
}

/// A layer on the way back.
struct Back<'a, 'p, 's, 'w> {
    pass: &'a Pass<'p>,
    layer: usize,
    sums: &'s mut Sums<'w>,
}

impl Back<'_, '_, '_, '_> {
    /// From the gradient of what leaves the layer to that of what enters it.
    fn layer(&mut self, tape: &LayerTape, dexit: &Tensor, reversed: &Angles) -> Result<Tensor> {
        let dgated = self.project(Part::Down, &tape.gated, dexit)?;
        let dgate_up = swiglu_backward(&tape.gate_up, &dgated)?;
        let dnormed = self.project(Part::GateUp, &tape.middle_normed, &dgate_up)?;
        let dmiddle = (dexit + self.norm(Part::PostNorm, &tape.middle, &dnormed)?)?;

        let dattended = self.project(Part::Output, &tape.attended, &dmiddle)?;
        let dfused = self.pass.attention.backward(&tape.fused, &dattended)?;
        let dplain = self.heads(&tape.plain, &dfused, reversed)?;
        let dnormed = self.project(Part::Qkv, &tape.normed, &dplain)?;
        dmiddle + self.norm(Part::InputNorm, self.pass.exit(), &dnormed)?
    }

    /// A projection on the way back: gives dx and adds the gradients of what is trained.
    fn project(&mut self, part: Part, x: &Tensor, dy: &Tensor) -> Result<Tensor> {
        let decoder = self.pass.decoder;
        let index = decoder.model.index(self.layer, part);
        let dx = product(dy, &decoder.weights.frozen.tensors[index])?;
        if self.sums.wants_weights() {
            self.sums.add(index, &product(&dy.t()?, x)?)?;
            return Ok(dx);
        }
        let Some(pair) = decoder.weights.pair(index) else {
            return Ok(dx);
        };
        let reduced = decoder.reduced(pair, x)?;
        let dreduced = product(dy, &pair.b)?;
        let db = product(&dy.t()?, &reduced)?;
        let Some(members) = decoder.dropped(pair, x)? else {
            self.sums
                .add_pair(index, &product(&dreduced.t()?, x)?, &db)?;
            return dx + product(&dreduced, &pair.a)?;
        };
        let (mut dx, mut da) = (dx, Vec::new());
        for member in &members {
            let own = dreduced.narrow(1, member.first, member.a.dim(0)?)?;
            da.push(product(&own.t()?, &(x * &member.factors)?)?);
            dx = (dx + (product(&own, &member.a)? * &member.factors)?)?;
        }
        self.sums.add_pair(index, &Tensor::cat(&da, 0)?, &db)?;
        Ok(dx)
    }

    fn norm(&mut self, part: Part, x: &Tensor, dy: &Tensor) -> Result<Tensor> {
        let decoder = self.pass.decoder;
        let index = decoder.model.index(self.layer, part);
        if self.sums.wants_weights() {
            self.sums
                .add(index, &gain_gradient(x, decoder.eps(), dy)?)?;
        }
        let gain = &decoder.weights.frozen.tensors[index];
        norm_backward(x, gain, decoder.eps(), dy)
    }

    /// From turned heads to the fused projection's result.
    fn heads(&mut self, plain: &Tensor, dfused: &Tensor, reversed: &Angles) -> Result<Tensor> {
        let model = self.pass.decoder.model;
        let heads = model.architecture().heads();
        let (x, dturned) = (
            FusedHeads::split(plain, heads)?,
            FusedHeads::split(dfused, heads)?,
        );
        let (dqueries, dkeys) = (
            reversed.turn(&dturned.queries)?,
            reversed.turn(&dturned.keys)?,
        );
        let dplain = FusedHeads {
            queries: self.head_norm(Part::QueryNorm, &x.queries, dqueries)?,
            keys: self.head_norm(Part::KeyNorm, &x.keys, dkeys)?,
            values: dturned.values,
        };
        let dplain = dplain.join()?;
        if let Some(bias) = model.find(self.layer, Part::QkvBias)
            && self.sums.wants_weights()
        {
            self.sums.add(bias, &dplain.to_dtype(DType::F32)?.sum(0)?)?;
        }
        Ok(dplain)
    }

    fn head_norm(&mut self, part: Part, x: &Tensor, dy: Tensor) -> Result<Tensor> {
        match self.pass.decoder.find(self.layer, part) {
            Some(_) => self.norm(part, x, &dy),
            None => Ok(dy),
        }
    }
}
