//! The decoder composed of the tensor library's primitives, gradients by its automatic differentiation: slow and plain, the yardstick
//! the fused CPU path is tested against.

use candle_core::{D, Device, Result, Tensor, Var};

use super::{
    architecture::Architecture,
    kernels::attention::Heads,
    model::{Model, Part},
    pack::{GroupRows, Pack},
    rope::Rope,
};

/// Log-probabilities of a pack's completion tokens, and the variables (what is trained, in the model's order) they depend on.
pub fn log_probs(model: &Model, pack: &Pack, temperature: f64) -> Result<(Tensor, Vec<Var>)> {
    let (weights, variables) = weights(model)?;
    let logits = logits(model, &weights, pack)?;
    Ok((chosen(&logits, &pack.targets, temperature)?, variables))
}

/// All weights as functions of what is trained: of themselves, or of an adapter's matrices.
fn weights(model: &Model) -> Result<(Vec<Tensor>, Vec<Var>)> {
    let layout = model.architecture().parameters();
    let tensor = |values: &[f32], shape: &[usize]| Var::from_slice(values, shape, &Device::Cpu);
    let Some(adapter) = model.adapter() else {
        let variables = layout
            .iter()
            .zip(model.weights())
            .map(|(parameter, values)| tensor(values, &parameter.shape()))
            .collect::<Result<Vec<_>>>()?;
        let weights = variables.iter().map(|v| v.as_tensor().clone()).collect();
        return Ok((weights, variables));
    };
    let mut weights = layout
        .iter()
        .zip(adapter.frozen())
        .map(|(parameter, values)| Ok(tensor(values, &parameter.shape())?.detach()))
        .collect::<Result<Vec<_>>>()?;
    let mut variables = Vec::new();
    for (site, pair) in adapter.sites().iter().zip(adapter.parameters().chunks(2)) {
        let r = adapter.config().r;
        let a = tensor(&pair[0], &[r, site.columns])?;
        let b = tensor(&pair[1], &[site.rows.len(), r])?;
        let product = (b.matmul(&a)? * adapter.config().scale())?;
        let rows = weights[site.weight].dim(0)?;
        let dtype = product.dtype();
        let zeros = |rows| Tensor::zeros((rows, site.columns), dtype, &Device::Cpu);
        let change = [
            zeros(site.rows.start)?,
            product,
            zeros(rows - site.rows.end)?,
        ];
        weights[site.weight] = (&weights[site.weight] + Tensor::cat(&change, 0)?)?;
        variables.extend([a, b]);
    }
    Ok((weights, variables))
}

/// Logits of a pack's predicting rows.
fn logits(model: &Model, weights: &[Tensor], pack: &Pack) -> Result<Tensor> {
    let architecture = model.architecture();
    let (heads, eps) = (architecture.heads(), architecture.rms_norm_eps);
    let mut x = weights[0].index_select(&Tensor::new(&*pack.tokens, &Device::Cpu)?, 0)?;
    for layer in 0..architecture.num_hidden_layers {
        let part = |part| &weights[model.index(layer, part)];
        let find = |part| model.find(layer, part).map(|index| &weights[index]);
        let mut qkv = linear(&rms_norm(&x, part(Part::InputNorm), eps)?, part(Part::Qkv))?;
        if let Some(bias) = find(Part::QkvBias) {
            qkv = qkv.broadcast_add(bias)?;
        }
        let gains = find(Part::QueryNorm).zip(find(Part::KeyNorm));
        let gains = gains.map(|(queries, keys)| Gains { queries, keys, eps });
        let attended = attention(&qkv, pack, heads, gains, model.rope())?;
        x = (x + linear(&attended, part(Part::Output))?)?;
        let gate_up = linear(
            &rms_norm(&x, part(Part::PostNorm), eps)?,
            part(Part::GateUp),
        )?;
        x = (x + linear(&swiglu(&gate_up)?, part(Part::Down))?)?;
    }
    let x = x.index_select(&Tensor::new(&*pack.predicting, &Device::Cpu)?, 0)?;
    linear(
        &rms_norm(&x, &weights[model.final_norm()], eps)?,
        &weights[model.head()],
    )
}

/// Gains of the heads' normalisation.
#[derive(Clone, Copy)]
struct Gains<'a> {
    queries: &'a Tensor,
    keys: &'a Tensor,
    eps: f64,
}

fn linear(x: &Tensor, weight: &Tensor) -> Result<Tensor> {
    x.matmul(&weight.t()?)
}

fn rms_norm(x: &Tensor, weight: &Tensor, eps: f64) -> Result<Tensor> {
    let mean_square = x.sqr()?.mean_keepdim(D::Minus1)?;
    x.broadcast_div(&(mean_square + eps)?.sqrt()?)?
        .broadcast_mul(weight)
}

fn swiglu(gate_up: &Tensor) -> Result<Tensor> {
    let halves = gate_up.chunk(2, D::Minus1)?;
    halves[0].silu()? * &halves[1]
}

fn chosen(logits: &Tensor, targets: &[u32], temperature: f64) -> Result<Tensor> {
    let logits = (logits / temperature)?;
    let largest = logits.max_keepdim(D::Minus1)?.detach();
    let total = logits
        .broadcast_sub(&largest)?
        .exp()?
        .sum_keepdim(D::Minus1)?;
    let normaliser = (total.log()? + largest)?.squeeze(D::Minus1)?;
    let index = Tensor::new(targets, logits.device())?.unsqueeze(1)?;
    logits.gather(&index, D::Minus1)?.squeeze(D::Minus1)? - normaliser
}

fn attention(
    qkv: &Tensor,
    pack: &Pack,
    heads: Heads,
    gains: Option<Gains<'_>>,
    rope: &Rope,
) -> Result<Tensor> {
    let (rows, device) = (qkv.dim(0)?, qkv.device());
    let half = heads.dim / 2;
    let angles = |table: &[f32]| -> Result<Tensor> {
        let table = Tensor::from_slice(table, (rope.positions(), half), device)?;
        let table = table.index_select(&Tensor::new(&*pack.positions, device)?, 0)?;
        Tensor::cat(&[&table, &table], 1)?
            .unsqueeze(1)?
            .to_dtype(qkv.dtype())
    };
    let (cos, sin) = (angles(rope.tables().0)?, angles(rope.tables().1)?);
    let split = |start: usize, count: usize| -> Result<Tensor> {
        qkv.narrow(1, start * heads.dim, count * heads.dim)?
            .contiguous()?
            .reshape((rows, count, heads.dim))
    };
    let turn = |x: Tensor| -> Result<Tensor> {
        let (low, high) = (x.narrow(2, 0, half)?, x.narrow(2, half, half)?);
        x.broadcast_mul(&cos)? + Tensor::cat(&[&high.neg()?, &low], 2)?.broadcast_mul(&sin)?
    };
    let per_kv = heads.query / heads.key_value;
    let repeat = |x: Tensor| -> Result<Tensor> {
        let shape = (rows, heads.key_value, per_kv, heads.dim);
        x.unsqueeze(2)?
            .broadcast_as(shape)?
            .reshape((rows, heads.query, heads.dim))
    };
    let (mut queries, mut keys) = (split(0, heads.query)?, split(heads.query, heads.key_value)?);
    if let Some(gains) = gains {
        queries = rms_norm(&queries, gains.queries, gains.eps)?;
        keys = rms_norm(&keys, gains.keys, gains.eps)?;
    }
    let (queries, keys) = (turn(queries)?, repeat(turn(keys)?)?);
    let values = repeat(split(heads.query + heads.key_value, heads.key_value)?)?;
    let mut mask = vec![f32::NEG_INFINITY; rows * rows];
    for (prefix, own) in pack.groups.iter().flat_map(GroupRows::sequences) {
        for row in own.clone() {
            mask[row * rows..][prefix.clone()].fill(0.0);
            mask[row * rows..][own.start..=row].fill(0.0);
        }
    }
    let mask = Tensor::from_vec(mask, (rows, rows), device)?.to_dtype(qkv.dtype())?;
    let by_head = |x: Tensor| x.transpose(0, 1)?.contiguous();
    let scores = (by_head(queries)?.matmul(&by_head(keys)?.t()?)? / (heads.dim as f64).sqrt())?
        .broadcast_add(&mask)?;
    let weights = scores
        .broadcast_sub(&scores.max_keepdim(D::Minus1)?.detach())?
        .exp()?;
    let weights = weights.broadcast_div(&weights.sum_keepdim(D::Minus1)?)?;
    weights
        .matmul(&by_head(values)?)?
        .transpose(0, 1)?
        .contiguous()?
        .reshape((rows, heads.out_width()))
}

/// A small Llama with random weights: grouped queries, and an output head of its own unless `tied`.
pub fn small_model(tied: bool) -> Model {
    small("llama", tied)
}

/// A small model of a family with random weights.
pub fn small(model_type: &str, tied: bool) -> Model {
    let architecture = Architecture::parse(&format!(
        r#"{{"model_type": "{model_type}", "hidden_size": 32, "intermediate_size": 40, "num_hidden_layers": 2, "num_attention_heads": 4,
            "num_key_value_heads": 2, "head_dim": 16, "vocab_size": 23, "max_position_embeddings": 64, "rms_norm_eps": 1e-5,
            "tie_word_embeddings": {tied}, "eos_token_id": 1}}"#
    ));
    let architecture = architecture.expect("the configuration above is valid");
    let mut model = super::sft::random(architecture.into(), 5);
    model.update(stir);
    model
}

/// Makes norms other than 1, biases and adapters other than 0, and weights large enough for attention to be far from uniform.
pub fn stir(parameters: &mut [Vec<f32>]) {
    for (i, values) in parameters.iter_mut().enumerate() {
        for (j, value) in values.iter_mut().enumerate() {
            *value = *value * 4.0 + 0.1 * ((i + 3 * j) as f32).sin();
        }
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used)]
    use super::super::{
        backward::Scratch, forward::Tape, lora::LoraConfig, optim::Gradients, pack::Group,
    };
    use super::*;

    /// Makes both matrices of each pair matter.
    fn stir_adapter(parameters: &mut [Vec<f32>]) {
        for (i, values) in parameters.iter_mut().enumerate() {
            for (j, value) in values.iter_mut().enumerate() {
                *value += 0.05 * ((i + 3 * j) as f32).sin();
            }
        }
    }

    /// Two groups; completions long enough for blocks of rows and for single ones, one of a single token.
    fn pack() -> Pack {
        let tokens: Vec<u32> = (0..60).map(|i| (i * 7 + i / 5) % 23).collect();
        let first: [&[u32]; 3] = [&tokens[0..11], &tokens[11..12], &tokens[12..18]];
        let second: [&[u32]; 1] = [&tokens[20..39]];
        Pack::new(&[
            Group {
                prompt: &tokens[40..46],
                completions: &first,
            },
            Group {
                prompt: &tokens[46..59],
                completions: &second,
            },
        ])
    }

    fn worst(ours: &[f32], theirs: &[f32]) -> f32 {
        assert_eq!(ours.len(), theirs.len());
        let largest = theirs.iter().fold(1e-3_f32, |m, v| m.max(v.abs()));
        ours.iter()
            .zip(theirs)
            .map(|(a, b)| (a - b).abs() / largest)
            .fold(0.0, f32::max)
    }

    /// Checks log-probabilities and the gradients of everything that is trained.
    fn equals_automatic_differentiation(model: &Model, temperature: f64, tolerance: f32) {
        let pack = pack();
        let mut tape = Tape::default();
        // Twice: buffers that were used before must not show.
        tape.log_probs(model, &pack, temperature);
        let ours = tape.log_probs(model, &pack, temperature).to_vec();
        let (theirs, variables) = log_probs(model, &pack, temperature).unwrap();
        let error = worst(&ours, &theirs.to_vec1::<f32>().unwrap());
        assert!(error < 1e-5, "log-probabilities: {error}");

        let direction: Vec<f32> = (0..ours.len()).map(|i| (i as f32 * 1.7).cos()).collect();
        let mut gradients = Gradients::zeros(model.parameters());
        Scratch::default().backward(
            model,
            &pack,
            &mut tape,
            temperature,
            &direction,
            &mut gradients,
        );
        let loss = (theirs * Tensor::new(direction, &Device::Cpu).unwrap())
            .unwrap()
            .sum_all()
            .unwrap();
        let store = loss.backward().unwrap();
        assert_eq!(variables.len(), model.parameters().len());
        for (index, (ours, variable)) in gradients.iter().zip(&variables).enumerate() {
            let theirs = store
                .get(variable)
                .unwrap()
                .flatten_all()
                .unwrap()
                .to_vec1::<f32>()
                .unwrap();
            let error = worst(ours, &theirs);
            let family = &model.architecture().model_type;
            assert!(error < tolerance, "{family}, parameter {index}: {error}");
        }
    }

    #[test]
    fn fused_log_probs_and_gradients_equal_those_of_automatic_differentiation() {
        for family in ["llama", "qwen2", "qwen3"] {
            for (tied, temperature) in [(true, 1.0), (false, 0.7)] {
                equals_automatic_differentiation(&small(family, tied), temperature, 1e-4);
            }
        }
    }

    #[test]
    fn gradients_of_an_adapter_equal_those_of_automatic_differentiation() {
        let all = LoraConfig {
            r: 3,
            alpha: 5.0,
            ..LoraConfig::default()
        };
        let some = LoraConfig {
            targets: ["k_proj", "v_proj", "up_proj"].map(str::to_owned).to_vec(),
            ..all.clone()
        };
        for (family, config) in [("llama", &all), ("qwen2", &all), ("qwen3", &some)] {
            let mut model = small(family, true).with_adapter(config, 3);
            model.update(stir_adapter);
            // An adapter's gradients are small sums of large products.
            equals_automatic_differentiation(&model, 0.9, 5e-4);
        }
    }

    #[test]
    fn a_shared_prompt_changes_nothing() {
        let model = small_model(true);
        let (prompt, a, b) = ([3, 4, 5, 6, 7], [8, 9, 10, 11, 12, 13], [14, 15]);
        let together: [&[u32]; 2] = [&a, &b];
        let shared = Pack::new(&[Group {
            prompt: &prompt,
            completions: &together,
        }]);
        let (alone_a, alone_b): ([&[u32]; 1], [&[u32]; 1]) = ([&a], [&b]);
        let apart = Pack::new(&[
            Group {
                prompt: &prompt,
                completions: &alone_b,
            },
            Group {
                prompt: &prompt,
                completions: &alone_a,
            },
        ]);
        let shared = Tape::default().log_probs(&model, &shared, 1.0).to_vec();
        let apart = Tape::default().log_probs(&model, &apart, 1.0).to_vec();
        assert_eq!(
            shared,
            [&apart[2..], &apart[..2]].concat(),
            "equal to the bit"
        );
    }
}
