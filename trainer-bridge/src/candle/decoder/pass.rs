//! The decoder, written once: Llama's layers with what Qwen2 and Qwen3 have beside them, the output head, and the way back through both.
//! Monomorphised for each implementation of [`Ops`].

use crate::candle::{
    decoder::{
        ops::{Onto, Ops, Targets, WayBack},
        pack::Pack,
    },
    model::layout::{LayerWeights, Layout},
};

/// What is kept of a forward pass.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Keep {
    /// Everything, for the way back and to use the memory again.
    Everything,
    /// What enters each layer, of which the way back computes the rest once more: the memory of one layer is enough.
    Entries,
    /// Nothing, for there is no way back: all layers use the memory of one.
    Nothing,
}

/// Rows whose logits are computed together where they are not kept: a vocabulary is long.
const HEAD_ROWS: usize = 512;

impl Keep {
    fn head_rows(self) -> usize {
        match self {
            Self::Everything => usize::MAX,
            Self::Entries | Self::Nothing => HEAD_ROWS,
        }
    }
}

/// What one layer computed, all `[rows, …]`.
#[derive(Default)]
struct LayerTape<R> {
    /// The residual stream on entry.
    entry: R,
    /// Normalised entry.
    normed: R,
    /// Fused queries, keys and values before heads are normalised; unused where they are not.
    plain: R,
    /// Fused queries, keys and values; queries and keys turned to their positions.
    fused: R,
    /// The attention's result.
    attended: R,
    /// The residual stream after attention.
    middle: R,
    /// Normalised middle.
    middle_normed: R,
    /// Fused gates and ups.
    gate_up: R,
    /// The gated unit's result.
    gated: R,
}

/// What the output head computed, a row for each row that predicts something.
#[derive(Default)]
struct HeadTape<R> {
    /// What left the last layer.
    selected: R,
    /// The same, normalised.
    normed: R,
    /// Logits.
    logits: R,
}

/// Gradients on the way back.
#[derive(Default)]
struct Slopes<R> {
    /// Of the residual stream.
    stream: R,
    /// Of something wide: logits, gates and ups, fused rows.
    wide: R,
    /// Of something narrow.
    narrow: R,
}

impl<R: Default> LayerTape<R> {
    /// From the entry to the gated unit's result.
    fn forward<O: Ops<Rows = R>>(
        &mut self,
        ops: &mut O,
        weights: &LayerWeights,
    ) -> Result<(), O::Error> {
        ops.norm(weights.input_norm, &self.entry, &mut self.normed)?;
        let onto = weights.qkv_bias.map_or(Onto::Nothing, Onto::Bias);
        match weights.head_norms {
            Some(gains) => {
                ops.project(weights.qkv, &self.normed, onto, &mut self.plain)?;
                ops.norm_and_turn(gains, &self.plain, &mut self.fused)?;
            }
            None => {
                ops.project(weights.qkv, &self.normed, onto, &mut self.fused)?;
                ops.turn(&mut self.fused)?;
            }
        }
        ops.attend(weights.layer, &self.fused, &mut self.attended)?;
        let onto = Onto::Rows(&self.entry);
        ops.project(weights.output, &self.attended, onto, &mut self.middle)?;
        ops.norm(weights.post_norm, &self.middle, &mut self.middle_normed)?;
        let (gate_up, normed) = (&mut self.gate_up, &self.middle_normed);
        ops.project(weights.gate_up, normed, Onto::Nothing, gate_up)?;
        ops.gate(gate_up, &mut self.gated)
    }

    /// The residual stream on leaving.
    fn leave<O: Ops<Rows = R>>(
        &self,
        ops: &mut O,
        weights: &LayerWeights,
        exit: &mut R,
    ) -> Result<(), O::Error> {
        ops.project(weights.down, &self.gated, Onto::Rows(&self.middle), exit)
    }

    /// From the gradient of what leaves the layer to that of what enters it, both in `slopes.stream`.
    fn backward<O: WayBack<Rows = R>>(
        &self,
        ops: &mut O,
        weights: &LayerWeights,
        slopes: &mut Slopes<R>,
    ) -> Result<(), O::Error> {
        let Slopes {
            stream,
            wide,
            narrow,
        } = slopes;
        ops.project_back(weights.down, &self.gated, stream, narrow)?;
        ops.gate_back(&self.gate_up, narrow, wide)?;
        ops.project_back(weights.gate_up, &self.middle_normed, wide, narrow)?;
        ops.norm_back(weights.post_norm, &self.middle, narrow, stream)?;

        ops.project_back(weights.output, &self.attended, stream, narrow)?;
        ops.attend_back(&self.fused, &self.attended, narrow, wide)?;
        match weights.head_norms {
            Some(gains) => ops.norm_and_turn_back(gains, &self.plain, wide)?,
            None => ops.turn_back(wide)?,
        }
        if let Some(bias) = weights.qkv_bias {
            ops.bias_back(bias, wide)?;
        }
        ops.project_back(weights.qkv, &self.normed, wide, narrow)?;
        ops.norm_back(weights.input_norm, &self.entry, narrow, stream)
    }
}

/// What a forward pass computed. Used again from pass to pass, so that a training step on plain memory allocates next to nothing.
#[derive(Default)]
pub struct Tape<R> {
    layers: Vec<LayerTape<R>>,
    /// The residual stream after the last layer.
    exit: R,
    head: HeadTape<R>,
}

impl<R: Default> Tape<R> {
    /// Runs the layers over `tokens`.
    pub fn run<O: Ops<Rows = R>>(
        &mut self,
        ops: &mut O,
        layout: &Layout,
        tokens: &[u32],
        keep: Keep,
    ) -> Result<(), O::Error> {
        let layers = match keep {
            Keep::Everything | Keep::Entries => layout.layers.len(),
            Keep::Nothing => 1,
        };
        self.layers.resize_with(layers, LayerTape::default);
        ops.embed(tokens, &mut self.exit)?;
        for (i, weights) in layout.layers.iter().enumerate() {
            let layer = &mut self.layers[i.min(layers - 1)];
            std::mem::swap(&mut layer.entry, &mut self.exit);
            layer.forward(ops, weights)?;
            layer.leave(ops, weights, &mut self.exit)?;
            if keep == Keep::Entries {
                let entry = std::mem::take(&mut layer.entry);
                *layer = LayerTape {
                    entry,
                    ..LayerTape::default()
                };
            }
        }
        Ok(())
    }

    /// What [`Self::predict`] computed.
    pub fn logits(&self) -> &R {
        &self.head.logits
    }

    /// Computes the logits of chosen rows.
    pub fn predict<O: Ops<Rows = R>>(
        &mut self,
        ops: &mut O,
        layout: &Layout,
        rows: &[u32],
    ) -> Result<&R, O::Error> {
        let HeadTape {
            selected,
            normed,
            logits,
        } = &mut self.head;
        ops.select(&self.exit, rows, selected)?;
        ops.norm(layout.final_norm, selected, normed)?;
        ops.project(layout.head, normed, Onto::Nothing, logits)?;
        Ok(logits)
    }
}

/// What a pass goes over, and how.
#[derive(Clone, Copy)]
pub struct PassInput<'a> {
    /// Where the model's weights lie.
    pub layout: &'a Layout,
    /// The rows.
    pub pack: &'a Pack,
    /// What is kept.
    pub keep: Keep,
    /// What logits are divided by.
    pub temperature: f64,
}

impl<'a> PassInput<'a> {
    /// Runs of predicting rows with their targets.
    fn runs(self) -> impl Iterator<Item = (&'a [u32], Targets<'a>)> {
        let length = self.keep.head_rows();
        let rows = self.pack.predicting.chunks(length);
        rows.zip(self.pack.targets.chunks(length))
            .map(move |(rows, tokens)| {
                let targets = Targets {
                    tokens,
                    inverse_temperature: 1.0 / self.temperature,
                };
                (rows, targets)
            })
    }
}

/// A pass over a pack, there and back.
#[derive(Default)]
pub struct Pass<R> {
    tape: Tape<R>,
    slopes: Slopes<R>,
    log_probs: Vec<f32>,
}

impl<R: Default> Pass<R> {
    /// Log-probabilities of the pack's completion tokens, in its order.
    pub fn forward<O: Ops<Rows = R>>(
        &mut self,
        ops: &mut O,
        input: PassInput<'_>,
    ) -> Result<&[f32], O::Error> {
        let PassInput {
            layout, pack, keep, ..
        } = input;
        self.tape.run(ops, layout, &pack.tokens, keep)?;
        self.log_probs.clear();
        for (rows, targets) in input.runs() {
            let logits = self.tape.predict(ops, layout, rows)?;
            ops.log_probs(logits, &targets, &mut self.log_probs)?;
            if keep != Keep::Everything {
                self.tape.head = HeadTape::default();
            }
        }
        Ok(&self.log_probs)
    }

    /// The way back of the last [`Self::forward`], which had the same input, from the gradients of the log-probabilities.
    pub fn backward<O: WayBack<Rows = R>>(
        &mut self,
        ops: &mut O,
        input: PassInput<'_>,
        dlog_probs: &[f32],
    ) -> Result<(), O::Error> {
        let PassInput {
            layout, pack, keep, ..
        } = input;
        let recomputes = keep != Keep::Everything;
        ops.zeros(&self.tape.exit, &mut self.slopes.stream)?;
        let mut rest = dlog_probs;
        for (rows, targets) in input.runs() {
            let (here, later) = rest.split_at(rows.len());
            rest = later;
            if recomputes {
                self.tape.predict(ops, layout, rows)?;
            }
            self.head_backward(ops, layout, (rows, &targets), here)?;
            if recomputes {
                self.tape.head = HeadTape::default();
                (self.slopes.wide, self.slopes.narrow) = (R::default(), R::default());
            }
        }
        let layers = self.tape.layers.iter_mut().zip(&layout.layers);
        for (layer, weights) in layers.rev() {
            if recomputes {
                layer.forward(ops, weights)?;
            }
            layer.backward(ops, weights, &mut self.slopes)?;
            if recomputes {
                *layer = LayerTape::default();
            }
        }
        ops.embed_back(&pack.tokens, &self.slopes.stream)
    }

    /// From the log-probabilities to the residual stream after the last layer.
    fn head_backward<O: WayBack<Rows = R>>(
        &mut self,
        ops: &mut O,
        layout: &Layout,
        (rows, targets): (&[u32], &Targets<'_>),
        dlog_probs: &[f32],
    ) -> Result<(), O::Error> {
        let HeadTape {
            selected,
            normed,
            logits,
        } = &self.tape.head;
        let Slopes {
            stream,
            wide,
            narrow,
        } = &mut self.slopes;
        ops.log_probs_back(logits, targets, dlog_probs, wide)?;
        ops.project_back(layout.head, normed, wide, narrow)?;
        ops.zeros(selected, wide)?;
        ops.norm_back(layout.final_norm, selected, narrow, wide)?;
        ops.select_back(rows, wide, stream)
    }
}
