//! The decoder's operations on the processor's buffers, by the kernels.

use std::convert::Infallible;

use crate::candle::{
    decoder::{
        cpu::{
            adapter::{AdaptedWeight, LowRank, Projection},
            buffer::{gather, scatter_add, sized},
            pack_attention::{Gathered, attend, attend_backward, rotate_rows},
            weights::CpuWeights,
        },
        gradients::Gradients,
        ops::{Onto, Ops, Targets, WayBack},
        pack::Pack,
    },
    kernels::{
        attention::Heads,
        bias::{add_rows, fill_rows},
        gemm::{Matrix, Write, gemm},
        log_probs::{log_probs, log_probs_backward},
        rms_norm::{norm_heads, norm_heads_backward, rms_norm, rms_norm_backward},
        swiglu::{swiglu, swiglu_backward},
    },
    model::layout::EMBEDDING,
};

/// Rows end to end.
type Rows = Vec<f32>;

/// What every operation gives: nothing can go wrong.
type Done = Result<(), Infallible>;

/// How the rows of a pass attend.
pub trait CpuAttention {
    /// Fills in a layer's attention of fused rows whose heads are turned.
    fn attend(&mut self, layer: usize, fused: &[f32], out: &mut [f32]);
}

/// Every row of a pack attends to what stands before it in its sequence.
pub struct OverPack<'a> {
    /// Shape of the heads.
    pub heads: Heads,
    /// The rows.
    pub pack: &'a Pack,
    /// Scratch.
    pub gathered: &'a mut Gathered,
}

impl CpuAttention for OverPack<'_> {
    fn attend(&mut self, _: usize, fused: &[f32], out: &mut [f32]) {
        attend(self.heads, self.pack, fused, self.gathered, out);
    }
}

/// The same on a pass with a way back.
pub struct CpuTraining<'a> {
    /// How the rows attend.
    pub attention: OverPack<'a>,
    /// Where gradients are added up.
    pub gradients: &'a mut Gradients,
    /// Where those go that nobody wants.
    pub unused: &'a mut Vec<f32>,
}

impl CpuAttention for CpuTraining<'_> {
    fn attend(&mut self, layer: usize, fused: &[f32], out: &mut [f32]) {
        self.attention.attend(layer, fused, out);
    }
}

/// The operations of one pass.
pub struct CpuOps<'a, A> {
    /// A model's weights.
    pub weights: &'a CpuWeights<'a>,
    /// Position of every row in its sequence.
    pub positions: &'a [u32],
    /// The noise of dropout, where an adapter drops inputs.
    pub noise: Option<u64>,
    /// Scratch of the adapter.
    pub low_rank: &'a mut LowRank,
    /// How rows attend.
    pub attention: A,
}

impl<A> CpuOps<'_, A> {
    fn heads(&self) -> Heads {
        self.weights.model.architecture().heads()
    }

    fn eps(&self) -> f32 {
        self.weights.model.architecture().rms_norm_eps as f32
    }

    /// Width of the residual stream.
    fn hidden(&self) -> usize {
        self.weights.model.architecture().hidden_size
    }

    /// Width of the gated unit.
    fn inner(&self) -> usize {
        self.weights.model.architecture().intermediate_size
    }

    /// Turns heads by the rows' positions; `sign` -1 turns them back.
    fn rotate(&self, fused: &mut [f32], sign: f32) {
        let rope = self.weights.model.rope();
        rotate_rows(self.heads(), rope, self.positions, sign, fused);
    }
}

impl<A: CpuAttention> Ops for CpuOps<'_, A> {
    type Rows = Rows;
    type Error = Infallible;

    fn embed(&mut self, tokens: &[u32], out: &mut Rows) -> Done {
        gather(self.weights.at(EMBEDDING), self.hidden(), tokens, out);
        Ok(())
    }

    fn select(&mut self, rows: &Rows, chosen: &[u32], out: &mut Rows) -> Done {
        gather(rows, self.hidden(), chosen, out);
        Ok(())
    }

    fn norm(&mut self, gain: usize, x: &Rows, out: &mut Rows) -> Done {
        rms_norm(x, self.weights.at(gain), self.eps(), sized(out, x.len()));
        Ok(())
    }

    fn project(&mut self, weight: usize, x: &Rows, onto: Onto<'_, Rows>, out: &mut Rows) -> Done {
        let matrix = self.weights.matrix(weight);
        let inputs = Matrix::new(x, matrix.width());
        let size = inputs.height() * matrix.height();
        let write = match onto {
            Onto::Nothing => {
                sized(out, size);
                Write::Over
            }
            Onto::Bias(bias) => {
                fill_rows(self.weights.at(bias), sized(out, size));
                Write::Add
            }
            Onto::Rows(rows) => {
                out.clone_from(rows);
                Write::Add
            }
        };
        self.weights.product(weight, inputs, out, write);
        if let Some((adapter, noise)) = self.weights.model.adapter().zip(self.noise) {
            let on = AdaptedWeight { adapter, weight };
            self.low_rank.drop_inputs(on, noise, x, out);
        }
        Ok(())
    }

    fn turn(&mut self, fused: &mut Rows) -> Done {
        self.rotate(fused, 1.0);
        Ok(())
    }

    fn norm_and_turn(&mut self, gains: [usize; 2], plain: &Rows, fused: &mut Rows) -> Done {
        fused.clone_from(plain);
        let (heads, eps) = (self.heads(), self.eps());
        for (gain, part) in gains.into_iter().zip([heads.queries(), heads.keys()]) {
            norm_heads(fused, heads.qkv_width(), part, self.weights.at(gain), eps);
        }
        self.turn(fused)
    }

    fn attend(&mut self, layer: usize, fused: &Rows, out: &mut Rows) -> Done {
        let size = self.positions.len() * self.heads().out_width();
        self.attention.attend(layer, fused, sized(out, size));
        Ok(())
    }

    fn gate(&mut self, gate_up: &Rows, out: &mut Rows) -> Done {
        swiglu(gate_up, self.inner(), sized(out, gate_up.len() / 2));
        Ok(())
    }

    fn log_probs(&mut self, logits: &Rows, targets: &Targets<'_>, out: &mut Rows) -> Done {
        let start = out.len();
        let out = &mut sized(out, start + targets.tokens.len())[start..];
        let inverse_temperature = targets.inverse_temperature as f32;
        log_probs(logits, targets.tokens, inverse_temperature, out);
        Ok(())
    }
}

impl CpuOps<'_, CpuTraining<'_>> {
    /// Where the gradient of a weight that no adapter sits on is added up: nowhere that counts while an adapter is trained.
    fn gradient(&mut self, index: usize) -> &mut [f32] {
        let CpuTraining {
            gradients, unused, ..
        } = &mut self.attention;
        if self.weights.model.adapter().is_some() {
            sized(unused, self.weights.at(index).len())
        } else {
            gradients.at(index)
        }
    }
}

impl WayBack for CpuOps<'_, CpuTraining<'_>> {
    fn zeros(&mut self, like: &Rows, out: &mut Rows) -> Done {
        sized(out, like.len()).fill(0.0);
        Ok(())
    }

    fn log_probs_back(
        &mut self,
        logits: &Rows,
        targets: &Targets<'_>,
        dlog_probs: &[f32],
        dlogits: &mut Rows,
    ) -> Done {
        let dlogits = sized(dlogits, logits.len());
        let inverse_temperature = targets.inverse_temperature as f32;
        log_probs_backward(
            logits,
            targets.tokens,
            inverse_temperature,
            dlog_probs,
            dlogits,
        );
        Ok(())
    }

    fn select_back(&mut self, chosen: &[u32], dout: &Rows, drows: &mut Rows) -> Done {
        scatter_add(dout, self.hidden(), chosen, drows);
        Ok(())
    }

    fn project_back(&mut self, weight: usize, x: &Rows, dy: &Rows, dx: &mut Rows) -> Done {
        let matrix = self.weights.matrix(weight);
        let (inputs, dy_rows) = (
            Matrix::new(x, matrix.width()),
            Matrix::new(dy, matrix.height()),
        );
        let dx = sized(dx, x.len());
        gemm(dy_rows, matrix, dx, Write::Over);
        let gradients = &mut *self.attention.gradients;
        match self.weights.model.adapter() {
            Some(adapter) => {
                let projection = Projection { x, dy, dx };
                let on = AdaptedWeight { adapter, weight };
                self.low_rank
                    .backward(on, self.noise, projection, gradients);
            }
            None => {
                let gradient = gradients.at(weight);
                gemm(dy_rows.transposed(), inputs, gradient, Write::Add);
            }
        }
        Ok(())
    }

    fn bias_back(&mut self, bias: usize, dy: &Rows) -> Done {
        add_rows(dy, self.gradient(bias));
        Ok(())
    }

    fn norm_back(&mut self, gain: usize, x: &Rows, dy: &mut Rows, dx: &mut Rows) -> Done {
        let (weights, eps) = (self.weights, self.eps());
        rms_norm_backward(x, weights.at(gain), eps, dy, dx, self.gradient(gain));
        Ok(())
    }

    fn gate_back(&mut self, gate_up: &Rows, dout: &Rows, dgate_up: &mut Rows) -> Done {
        let dgate_up = sized(dgate_up, gate_up.len());
        swiglu_backward(gate_up, self.inner(), dout, dgate_up);
        Ok(())
    }

    fn attend_back(&mut self, fused: &Rows, out: &Rows, dout: &Rows, dfused: &mut Rows) -> Done {
        let OverPack {
            heads,
            pack,
            gathered,
        } = &mut self.attention.attention;
        let dfused = sized(dfused, fused.len());
        attend_backward(*heads, pack, fused, out, dout, gathered, dfused);
        Ok(())
    }

    fn turn_back(&mut self, dfused: &mut Rows) -> Done {
        self.rotate(dfused, -1.0);
        Ok(())
    }

    fn norm_and_turn_back(&mut self, gains: [usize; 2], plain: &Rows, dfused: &mut Rows) -> Done {
        self.turn_back(dfused)?;
        let (weights, heads, eps) = (self.weights, self.heads(), self.eps());
        let width = heads.qkv_width();
        for (gain, part) in gains.into_iter().zip([heads.queries(), heads.keys()]) {
            let values = weights.at(gain);
            let gradient = self.gradient(gain);
            norm_heads_backward(plain, width, part, values, eps, dfused, gradient);
        }
        Ok(())
    }

    fn embed_back(&mut self, tokens: &[u32], dout: &Rows) -> Done {
        if self.weights.model.adapter().is_none() {
            let gradient = self.attention.gradients.at(EMBEDDING);
            scatter_add(
                dout,
                self.weights.matrix(EMBEDDING).width(),
                tokens,
                gradient,
            );
        }
        Ok(())
    }
}
