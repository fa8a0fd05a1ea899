//! The way back through a forward pass: gradients of every parameter that is trained from the gradients of the log-probabilities.

use crate::candle::{
    decoder::{
        cpu::{
            forward::{Tape, head_norms, sized},
            pack_attention::{attend_backward, rotate_rows},
        },
        pack::Pack,
    },
    kernels::{
        bias::add_rows,
        gemm::{Into, View, gemm},
        log_probs::log_probs_backward,
        rms_norm::{norm_heads_backward, rms_norm_backward},
        swiglu::swiglu_backward,
    },
    learn::adamw::Gradients,
    model::{EMBEDDING, Model, Part, adapter::LowRank},
};

/// Scratch of the way back, reused from pass to pass.
#[derive(Default)]
pub struct Scratch {
    /// Gradient of the residual stream, `[rows, hidden]`.
    residual: Vec<f32>,
    wide: Vec<f32>,
    narrow: Vec<f32>,
    low_rank: LowRank,
    /// Where gradients go that nobody wants.
    unused: Vec<f32>,
}

/// What the way back of a pass reads, and where its gradients go.
struct Pass<'a> {
    model: &'a Model,
    noise: Option<u64>,
    gradients: &'a mut Gradients,
    low_rank: &'a mut LowRank,
    unused: &'a mut Vec<f32>,
}

impl Pass<'_> {
    /// A projection `y = x W^T` on the way back: overwrites dx = dy W and adds the gradients of what is trained.
    fn project(&mut self, index: usize, x: &[f32], inner: usize, dy: &[f32], dx: &mut [f32]) {
        let weight = &self.model.weights()[index];
        let (rows, outer) = (x.len() / inner, weight.len() / inner);
        let (dy_rows, w) = (View::rows(dy, outer), View::rows(weight, inner));
        gemm(rows, inner, outer, dy_rows, w, dx, Into::Overwrite);
        match self.model.adapter() {
            Some(adapter) => {
                let (gradients, scratch) = (&mut *self.gradients, &mut *self.low_rank);
                adapter.backward(index, self.noise, x, dy, dx, gradients, scratch);
            }
            None => gemm(
                outer,
                inner,
                rows,
                View::transposed(dy, outer),
                View::rows(x, inner),
                self.gradients.at(index),
                Into::Add,
            ),
        }
    }

    /// Where the gradient of a weight that no adapter sits on is added up: nowhere that counts while an adapter is trained.
    fn gradient(&mut self, index: usize) -> &mut [f32] {
        if self.model.adapter().is_some() {
            sized(self.unused, self.model.weights()[index].len())
        } else {
            self.gradients.at(index)
        }
    }

    /// From the gradients of the heads, rotated back, to those of the fused projection's result.
    fn heads(&mut self, layer: usize, plain_qkv: &[f32], dqkv: &mut [f32]) {
        let architecture = self.model.architecture();
        let (heads, eps) = (architecture.heads(), architecture.rms_norm_eps as f32);
        let width = heads.qkv_width();
        if let Some([queries, keys]) = head_norms(self.model, layer) {
            for (norm, part) in [(queries, heads.queries()), (keys, heads.keys())] {
                let gain = &self.model.weights()[norm];
                norm_heads_backward(plain_qkv, width, part, gain, eps, dqkv, self.gradient(norm));
            }
        }
        if let Some(bias) = self.model.find(layer, Part::QkvBias) {
            add_rows(dqkv, self.gradient(bias));
        }
    }

    fn norm(&mut self, index: usize, x: &[f32], dy: &mut [f32], dx: &mut [f32]) {
        let eps = self.model.architecture().rms_norm_eps as f32;
        let gain = &self.model.weights()[index];
        rms_norm_backward(x, gain, eps, dy, dx, self.gradient(index));
    }
}

impl Scratch {
    /// Adds to `gradients` those of a loss with `dlog_probs` as its derivative by the log-probabilities that `tape` computed for `pack`.
    pub fn backward(
        &mut self,
        model: &Model,
        pack: &Pack,
        tape: &mut Tape,
        temperature: f64,
        dlog_probs: &[f32],
        gradients: &mut Gradients,
    ) {
        let architecture = model.architecture();
        let (hidden, inner, heads) = (
            architecture.hidden_size,
            architecture.intermediate_size,
            architecture.heads(),
        );
        let rows = pack.tokens.len();
        let Self {
            residual,
            wide,
            narrow,
            low_rank,
            unused,
        } = self;
        let mut pass = Pass {
            model,
            noise: tape.noise,
            gradients,
            low_rank,
            unused,
        };
        sized(residual, rows * hidden).fill(0.0);
        let buffers = (&mut residual[..], &mut *wide, &mut *narrow);
        pass.head(pack, tape, temperature, dlog_probs, buffers);
        for (index, layer) in tape.layers.iter().enumerate().rev() {
            let at = |part| model.index(index, part);
            let dgated = sized(narrow, rows * inner);
            pass.project(at(Part::Down), &layer.gated, inner, residual, dgated);
            let dgate_up = sized(wide, rows * 2 * inner);
            swiglu_backward(&layer.gate_up, inner, dgated, dgate_up);
            let dnormed = sized(narrow, rows * hidden);
            let gate_up = at(Part::GateUp);
            pass.project(gate_up, &layer.middle_normed, hidden, dgate_up, dnormed);
            pass.norm(at(Part::PostNorm), &layer.middle, dnormed, residual);

            let width = heads.out_width();
            let dattended = sized(narrow, rows * width);
            pass.project(
                at(Part::Output),
                &layer.attended,
                width,
                residual,
                dattended,
            );
            let dqkv = sized(wide, rows * heads.qkv_width());
            attend_backward(
                heads,
                pack,
                &layer.qkv,
                &layer.attended,
                dattended,
                &mut tape.gathered,
                dqkv,
            );
            rotate_rows(heads, model.rope(), &pack.positions, -1.0, dqkv);
            pass.heads(index, &layer.plain_qkv, dqkv);
            let dnormed = sized(narrow, rows * hidden);
            pass.project(at(Part::Qkv), &layer.normed, hidden, dqkv, dnormed);
            pass.norm(at(Part::InputNorm), &layer.entry, dnormed, residual);
        }
        if model.adapter().is_none() {
            scatter_add(residual, hidden, &pack.tokens, gradients.at(EMBEDDING));
        }
    }
}

impl Pass<'_> {
    /// From the log-probabilities to the residual stream after the last layer. `buffers` are the residual stream's gradient and scratch.
    fn head(
        &mut self,
        pack: &Pack,
        tape: &Tape,
        temperature: f64,
        dlog_probs: &[f32],
        buffers: (&mut [f32], &mut Vec<f32>, &mut Vec<f32>),
    ) {
        let (residual, wide, narrow) = buffers;
        let hidden = self.model.architecture().hidden_size;
        let dlogits = sized(wide, tape.logits.len());
        let inverse_temperature = (1.0 / temperature) as f32;
        log_probs_backward(
            &tape.logits,
            &pack.targets,
            inverse_temperature,
            dlog_probs,
            dlogits,
        );
        let dnormed = sized(narrow, tape.selected.len());
        let head = self.model.head();
        self.project(head, &tape.selected_normed, hidden, dlogits, dnormed);
        let dselected = sized(wide, tape.selected.len());
        dselected.fill(0.0);
        let norm = self.model.final_norm();
        self.norm(norm, &tape.selected, dnormed, dselected);
        scatter_add(dselected, hidden, &pack.predicting, residual);
    }
}

/// Adds rows to chosen rows of a matrix.
fn scatter_add(source: &[f32], width: usize, rows: &[u32], matrix: &mut [f32]) {
    for (source, &row) in source.chunks_exact(width).zip(rows) {
        for (m, &s) in matrix[row as usize * width..][..width]
            .iter_mut()
            .zip(source)
        {
            *m += s;
        }
    }
}
