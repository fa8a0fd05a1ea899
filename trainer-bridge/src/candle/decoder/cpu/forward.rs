//! The forward pass of the decoder over rows of tokens, leaving behind what the way back needs. How a layer attends is the caller's:
//! over a pack in training, over a cache in sampling.

use crate::candle::{
    decoder::{
        cpu::pack_attention::{Gathered, attend, rotate_rows},
        pack::Pack,
    },
    kernels::{
        bias::fill_rows,
        gemm::{Into, View, gemm, gemm_packed},
        log_probs::log_probs,
        rms_norm::{norm_heads, rms_norm},
        swiglu::swiglu,
    },
    model::{EMBEDDING, Model, Part, adapter::LowRank},
};

/// What one layer computed, all `[rows, …]`.
#[derive(Default)]
pub struct LayerTape {
    /// The residual stream on entry.
    pub entry: Vec<f32>,
    /// Normalised entry.
    pub normed: Vec<f32>,
    /// Fused queries, keys and values; queries and keys rotated.
    pub qkv: Vec<f32>,
    /// The same before heads are normalised and rotated; empty where they are not normalised.
    pub plain_qkv: Vec<f32>,
    /// The attention's result.
    pub attended: Vec<f32>,
    /// The residual stream after attention.
    pub middle: Vec<f32>,
    /// Normalised middle.
    pub middle_normed: Vec<f32>,
    /// Fused gates and ups.
    pub gate_up: Vec<f32>,
    /// The gated unit's result.
    pub gated: Vec<f32>,
}

/// What a whole pass computed. Reused from pass to pass, so that a training step allocates next to nothing.
#[derive(Default)]
pub struct Tape {
    /// One a layer.
    pub layers: Vec<LayerTape>,
    /// The residual stream after the last layer.
    pub exit: Vec<f32>,
    /// Rows of `exit` that predict something.
    pub selected: Vec<f32>,
    /// The same, normalised.
    pub selected_normed: Vec<f32>,
    /// Their logits.
    pub logits: Vec<f32>,
    /// Log-probabilities of the targets.
    pub log_probs: Vec<f32>,
    /// Scratch of attention.
    pub gathered: Gathered,
    /// The noise of dropout in this pass, where an adapter drops inputs.
    pub noise: Option<u64>,
    low_rank: LowRank,
}

/// Gives `buffer` exactly `len` elements; the old ones keep whatever value they have.
pub fn sized(buffer: &mut Vec<f32>, len: usize) -> &mut [f32] {
    buffer.resize(len, 0.0);
    buffer
}

/// `y = x W^T` or `y += x W^T` for the weight at `index`, which has `inner` columns.
fn project(model: &Model, index: usize, inner: usize, x: &[f32], y: &mut [f32], into: Into) {
    let (rows, inputs) = (x.len() / inner, View::rows(x, inner));
    if let Some(packed) = model.packed(index, inner) {
        gemm_packed(rows, inputs, packed, y, into);
    } else {
        let weight = &model.weights()[index];
        let outer = weight.len() / inner;
        gemm(
            rows,
            outer,
            inner,
            inputs,
            View::transposed(weight, inner),
            y,
            into,
        );
    }
}

/// One projection of a pass, by weights that an adapter is merged into.
struct Projector<'a> {
    model: &'a Model,
    noise: Option<u64>,
    scratch: &'a mut LowRank,
}

impl Projector<'_> {
    fn project(
        &mut self,
        layer: usize,
        part: Part,
        x: &[f32],
        inner: usize,
        y: &mut [f32],
        into: Into,
    ) {
        let index = self.model.index(layer, part);
        project(self.model, index, inner, x, y, into);
        if let Some((adapter, noise)) = self.model.adapter().zip(self.noise) {
            adapter.drop_inputs(index, noise, x, y, self.scratch);
        }
    }

    /// Fused queries, keys and values, with their bias and normalised where the architecture says so; not yet rotated.
    fn project_qkv(&mut self, layer: usize, normed: &[f32], tape: (&mut Vec<f32>, &mut Vec<f32>)) {
        let (qkv, plain) = tape;
        let model = self.model;
        let architecture = model.architecture();
        let heads = architecture.heads();
        let hidden = architecture.hidden_size;
        let qkv = sized(qkv, normed.len() / hidden * heads.qkv_width());
        let bias = model.find(layer, Part::QkvBias);
        let into = match bias {
            Some(bias) => {
                fill_rows(&model.weights()[bias], qkv);
                Into::Add
            }
            None => Into::Overwrite,
        };
        self.project(layer, Part::Qkv, normed, hidden, qkv, into);
        if let Some([queries, keys]) = head_norms(model, layer) {
            plain.clear();
            plain.extend_from_slice(qkv);
            let (eps, width) = (architecture.rms_norm_eps as f32, heads.qkv_width());
            for (norm, part) in [(queries, heads.queries()), (keys, heads.keys())] {
                norm_heads(qkv, width, part, &model.weights()[norm], eps);
            }
        }
    }
}

/// Indices of the gains of a layer's query and key heads, where they are normalised.
pub fn head_norms(model: &Model, layer: usize) -> Option<[usize; 2]> {
    let queries = model.find(layer, Part::QueryNorm)?;
    Some([queries, model.find(layer, Part::KeyNorm)?])
}

impl Tape {
    /// Runs the layers over `tokens`. `attend` gets a layer's number and its fused rows, not yet rotated, rotates them, and fills in the
    /// attention's result. The hidden states are in `self.exit`.
    pub fn run(
        &mut self,
        model: &Model,
        tokens: &[u32],
        mut attend: impl FnMut(usize, &mut [f32], &mut [f32], &mut Gathered),
    ) {
        let architecture = model.architecture();
        let (hidden, inner, heads) = (
            architecture.hidden_size,
            architecture.intermediate_size,
            architecture.heads(),
        );
        let eps = architecture.rms_norm_eps as f32;
        let rows = tokens.len();
        self.layers
            .resize_with(architecture.num_hidden_layers, LayerTape::default);
        gather(&model.weights()[EMBEDDING], hidden, tokens, &mut self.exit);
        let mut projector = Projector {
            model,
            noise: self.noise,
            scratch: &mut self.low_rank,
        };
        for (index, layer) in self.layers.iter_mut().enumerate() {
            std::mem::swap(&mut layer.entry, &mut self.exit);
            let gain = model.part(index, Part::InputNorm);
            let normed = sized(&mut layer.normed, rows * hidden);
            rms_norm(&layer.entry, gain, eps, normed);
            projector.project_qkv(index, normed, (&mut layer.qkv, &mut layer.plain_qkv));
            let attended = sized(&mut layer.attended, rows * heads.out_width());
            attend(index, &mut layer.qkv, attended, &mut self.gathered);
            layer.middle.clone_from(&layer.entry);
            let (width, middle) = (heads.out_width(), &mut layer.middle);
            projector.project(index, Part::Output, attended, width, middle, Into::Add);

            let gain = model.part(index, Part::PostNorm);
            let normed = sized(&mut layer.middle_normed, rows * hidden);
            rms_norm(&layer.middle, gain, eps, normed);
            let gate_up = sized(&mut layer.gate_up, rows * 2 * inner);
            projector.project(
                index,
                Part::GateUp,
                normed,
                hidden,
                gate_up,
                Into::Overwrite,
            );
            let gated = sized(&mut layer.gated, rows * inner);
            swiglu(gate_up, inner, gated);
            self.exit.clone_from(&layer.middle);
            projector.project(index, Part::Down, gated, inner, &mut self.exit, Into::Add);
        }
    }

    /// Logits of chosen rows of `self.exit`, in `self.logits`.
    pub fn predict(&mut self, model: &Model, rows: &[u32]) {
        let architecture = model.architecture();
        let hidden = architecture.hidden_size;
        gather(&self.exit, hidden, rows, &mut self.selected);
        let normed = sized(&mut self.selected_normed, self.selected.len());
        rms_norm(
            &self.selected,
            &model.weights()[model.final_norm()],
            architecture.rms_norm_eps as f32,
            normed,
        );
        let logits = sized(&mut self.logits, rows.len() * architecture.vocab_size);
        project(model, model.head(), hidden, normed, logits, Into::Overwrite);
    }

    /// Log-probabilities of a pack's completion tokens at a temperature, in the pack's order.
    pub fn log_probs(&mut self, model: &Model, pack: &Pack, temperature: f64) -> &[f32] {
        self.noise = None;
        self.run_pack(model, pack, temperature)
    }

    /// The same as a training pass sees them: with dropout where the adapter has it.
    pub fn training_log_probs(&mut self, model: &Model, pack: &Pack, temperature: f64) -> &[f32] {
        self.noise = model.noise(&pack.tokens);
        self.run_pack(model, pack, temperature)
    }

    fn run_pack(&mut self, model: &Model, pack: &Pack, temperature: f64) -> &[f32] {
        let heads = model.architecture().heads();
        self.run(model, &pack.tokens, |_, qkv, attended, gathered| {
            rotate_rows(heads, model.rope(), &pack.positions, 1.0, qkv);
            attend(heads, pack, qkv, gathered, attended);
        });
        self.predict(model, &pack.predicting);
        let log_probs_out = sized(&mut self.log_probs, pack.targets.len());
        log_probs(
            &self.logits,
            &pack.targets,
            (1.0 / temperature) as f32,
            log_probs_out,
        );
        &self.log_probs
    }
}

/// Copies chosen rows of a matrix.
fn gather(matrix: &[f32], width: usize, rows: &[u32], out: &mut Vec<f32>) {
    out.clear();
    for &row in rows {
        out.extend_from_slice(&matrix[row as usize * width..][..width]);
    }
}
