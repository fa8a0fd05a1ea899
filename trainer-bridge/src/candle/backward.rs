//! The way back through a forward pass: gradients of every parameter from the gradients of the log-probabilities.

use super::{
    forward::{Tape, sized},
    kernels::{
        gemm::{Into, View, gemm},
        log_probs::log_probs_backward,
        pack_attention::{attend_backward, rotate_rows},
        rms_norm::rms_norm_backward,
        swiglu::swiglu_backward,
    },
    model::{EMBEDDING, Model, Part},
    optim::Gradients,
    pack::Pack,
};

/// Scratch of the way back, reused from pass to pass.
#[derive(Default)]
pub struct Scratch {
    /// Gradient of the residual stream, `[rows, hidden]`.
    residual: Vec<f32>,
    wide: Vec<f32>,
    narrow: Vec<f32>,
}

/// A projection `y = x W^T` on the way back: overwrites dx = dy W and adds dy^T x to dW.
fn project_backward(
    x: &[f32],
    weight: &[f32],
    inner: usize,
    dy: &[f32],
    dx: &mut [f32],
    dw: &mut [f32],
) {
    let (rows, outer) = (x.len() / inner, weight.len() / inner);
    gemm(
        rows,
        inner,
        outer,
        View::rows(dy, outer),
        View::rows(weight, inner),
        dx,
        Into::Overwrite,
    );
    gemm(
        outer,
        inner,
        rows,
        View::transposed(dy, outer),
        View::rows(x, inner),
        dw,
        Into::Add,
    );
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
        let eps = architecture.rms_norm_eps as f32;
        let parameters = model.parameters();
        let rows = pack.tokens.len();
        sized(&mut self.residual, rows * hidden).fill(0.0);
        self.head(model, pack, tape, temperature, dlog_probs, gradients);
        for (index, layer) in tape.layers.iter().enumerate().rev() {
            let at = |part| model.index(index, part);
            let dgated = sized(&mut self.narrow, rows * inner);
            project_backward(
                &layer.gated,
                &parameters[at(Part::Down)],
                inner,
                &self.residual,
                dgated,
                gradients.at(at(Part::Down)),
            );
            let dgate_up = sized(&mut self.wide, rows * 2 * inner);
            swiglu_backward(&layer.gate_up, inner, dgated, dgate_up);
            let dnormed = sized(&mut self.narrow, rows * hidden);
            let gate_up = at(Part::GateUp);
            project_backward(
                &layer.middle_normed,
                &parameters[gate_up],
                hidden,
                dgate_up,
                dnormed,
                gradients.at(gate_up),
            );
            let norm = at(Part::PostNorm);
            rms_norm_backward(
                &layer.middle,
                &parameters[norm],
                eps,
                dnormed,
                &mut self.residual,
                gradients.at(norm),
            );

            let dattended = sized(&mut self.narrow, rows * heads.out_width());
            let output = at(Part::Output);
            let width = heads.out_width();
            project_backward(
                &layer.attended,
                &parameters[output],
                width,
                &self.residual,
                dattended,
                gradients.at(output),
            );
            let dqkv = sized(&mut self.wide, rows * heads.qkv_width());
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
            let dnormed = sized(&mut self.narrow, rows * hidden);
            let qkv = at(Part::Qkv);
            project_backward(
                &layer.normed,
                &parameters[qkv],
                hidden,
                dqkv,
                dnormed,
                gradients.at(qkv),
            );
            let norm = at(Part::InputNorm);
            rms_norm_backward(
                &layer.entry,
                &parameters[norm],
                eps,
                dnormed,
                &mut self.residual,
                gradients.at(norm),
            );
        }
        scatter_add(
            &self.residual,
            hidden,
            &pack.tokens,
            gradients.at(EMBEDDING),
        );
    }

    /// From the log-probabilities to the residual stream after the last layer.
    fn head(
        &mut self,
        model: &Model,
        pack: &Pack,
        tape: &Tape,
        temperature: f64,
        dlog_probs: &[f32],
        gradients: &mut Gradients,
    ) {
        let architecture = model.architecture();
        let (hidden, eps) = (architecture.hidden_size, architecture.rms_norm_eps as f32);
        let parameters = model.parameters();
        let dlogits = sized(&mut self.wide, tape.logits.len());
        log_probs_backward(
            &tape.logits,
            &pack.targets,
            (1.0 / temperature) as f32,
            dlog_probs,
            dlogits,
        );
        let dnormed = sized(&mut self.narrow, tape.selected.len());
        let head = model.head();
        project_backward(
            &tape.selected_normed,
            &parameters[head],
            hidden,
            dlogits,
            dnormed,
            gradients.at(head),
        );
        let dselected = sized(&mut self.wide, tape.selected.len());
        dselected.fill(0.0);
        let norm = model.final_norm();
        rms_norm_backward(
            &tape.selected,
            &parameters[norm],
            eps,
            dnormed,
            dselected,
            gradients.at(norm),
        );
        scatter_add(dselected, hidden, &pack.predicting, &mut self.residual);
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
