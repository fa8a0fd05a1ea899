//! Three ways to one result: the processor's own kernels, the device path, and the device path's way forward under the tensor library's
//! automatic differentiation.
#![expect(clippy::unwrap_used)]

use std::sync::Arc;

use candle_core::{DType, Device, Tensor, Var};

use crate::candle::{
    decoder::{
        backend::Backend,
        device::{
            attention::PackAttention,
            functions::{indices, log_probs},
            ops::DeviceOps,
            weights::{DeviceGradients, DeviceWeights, Frozen, Pair, UploadedModels},
        },
        engine::Engine,
        gradients::Gradients,
        pack::{Group, Pack},
        pass::{Keep, Tape},
    },
    files::tokenizer::{Tokenizer, word_level},
    kernels::choose::Truncation,
    model::{Model, lora::LoraConfig},
    sample::{
        Sampler,
        rows::{Completion, Prompt, Settings},
    },
    tests::small_models::small,
};

/// Moves every number a little; of an adapter, it makes both matrices of each pair matter.
fn stir_gently(parameters: &mut [Vec<f32>]) {
    for (i, values) in parameters.iter_mut().enumerate() {
        for (j, value) in values.iter_mut().enumerate() {
            *value += 0.05 * ((i + 3 * j) as f32).sin();
        }
    }
}

fn adapted(family: &str, targets: &[&str], dropout: f64) -> Model {
    with_adapter(&small(family, true), targets, dropout)
}

fn with_adapter(model: &Model, targets: &[&str], dropout: f64) -> Model {
    let config = LoraConfig {
        r: 3,
        alpha: 5.0,
        dropout,
        targets: targets.iter().map(|&target| target.to_owned()).collect(),
    };
    let mut model = model.with_adapter(&config, 3);
    model.update(stir_gently);
    model
}

const ALL: [&str; 7] = crate::candle::model::lora::TARGETS;
const SOME: [&str; 3] = ["k_proj", "v_proj", "up_proj"];

/// Two groups; completions long enough for blocks of rows and for single ones, one of a single token.
fn with_groups<R>(work: impl FnOnce(&[Group<'_>]) -> R) -> R {
    let tokens: Vec<u32> = (0..60).map(|i| (i * 7 + i / 5) % 23).collect();
    let first: [&[u32]; 3] = [&tokens[0..11], &tokens[11..12], &tokens[12..18]];
    let second: [&[u32]; 1] = [&tokens[20..39]];
    let group = |prompt, completions| Group {
        prompt,
        completions,
    };
    work(&[
        group(&tokens[40..46], &first),
        group(&tokens[46..59], &second),
    ])
}

/// A loss's derivative by the log-probabilities.
fn direction(count: usize) -> Vec<f32> {
    (0..count).map(|i| (i as f32 * 1.7).cos()).collect()
}

fn device(dtype: DType) -> Backend {
    Backend::device(Device::Cpu, dtype)
}

/// Log-probabilities and gradients on a backend. A micro-batch a group, so that there is something to add up.
fn computed(model: &Model, backend: &Backend, temperature: f64) -> (Vec<f32>, Vec<Vec<f32>>) {
    with_groups(|groups| {
        let mut engine = Engine::new(model, backend);
        let loss = |_: usize, log_probs: &[f32], derivative: &mut [f32]| {
            derivative.copy_from_slice(&direction(log_probs.len()));
            Ok(log_probs.to_vec())
        };
        let batches: Vec<&[Group<'_>]> = groups.chunks(1).collect();
        let (log_probs, gradients) = engine
            .gradients(model, &batches, temperature, loss)
            .unwrap();
        let gradients = gradients.iter().map(<[f32]>::to_vec).collect();
        (log_probs.concat(), gradients)
    })
}

/// The same by automatic differentiation of the device path's way forward.
fn differentiated(model: &Model, temperature: f64) -> (Vec<f32>, Vec<Vec<f32>>) {
    let mut weights =
        DeviceWeights::of(model, &Device::Cpu, DType::F32, &UploadedModels::default()).unwrap();
    let mut variables = Vec::new();
    let mut variable = |tensor: &Tensor| {
        let variable = Var::from_tensor(tensor).unwrap();
        variables.push(variable.clone());
        variable.into_inner()
    };
    match &mut weights.pairs {
        Some(pairs) => {
            for pair in pairs.iter_mut().flatten() {
                (pair.a, pair.b) = (variable(&pair.a), variable(&pair.b));
            }
        }
        None => {
            let Frozen { tensors, cos, sin } = &*weights.frozen;
            weights.frozen = Arc::new(Frozen {
                tensors: tensors.iter().map(&mut variable).collect(),
                cos: cos.clone(),
                sin: sin.clone(),
            });
        }
    }
    let (mut all, mut gradients) = (Vec::new(), Gradients::zeros(model.parameters()));
    with_groups(|groups| {
        for batch in groups.chunks(1) {
            let pack = Pack::new(batch);
            let heads = model.architecture().heads();
            let attention = PackAttention::new(&pack, heads, &Device::Cpu).unwrap();
            let mut ops = DeviceOps::new(model, &weights, &pack.positions, &attention).unwrap();
            let (layout, mut tape) = (model.layout(), Tape::default());
            tape.run(&mut ops, layout, &pack.tokens, Keep::Nothing)
                .unwrap();
            let logits = tape.predict(&mut ops, layout, &pack.predicting).unwrap();
            let logits = logits.tensor();
            let targets = indices(&pack.targets, &Device::Cpu).unwrap();
            let log_probs = log_probs(&(logits / temperature).unwrap(), &targets).unwrap();
            let dy = Tensor::new(direction(pack.targets.len()), &Device::Cpu).unwrap();
            let store = (&log_probs * dy).unwrap().backward().unwrap();
            all.extend(log_probs.to_vec1::<f32>().unwrap());
            let mut sums = DeviceGradients::new(&weights);
            let found = |tensor: &Tensor| store.get(tensor).unwrap();
            match &weights.pairs {
                Some(pairs) => {
                    let placed = pairs.iter().enumerate();
                    for (weight, pair) in placed.filter_map(|(w, pair)| Some((w, pair.as_ref()?))) {
                        let Pair { a, b, .. } = pair;
                        sums.add_pair(weight, found(a), found(b)).unwrap();
                    }
                }
                None => {
                    for (weight, tensor) in weights.frozen.tensors.iter().enumerate() {
                        sums.add(weight, found(tensor)).unwrap();
                    }
                }
            }
            sums.download(&mut gradients).unwrap();
        }
    });
    (all, gradients.iter().map(<[f32]>::to_vec).collect())
}

/// The largest difference, measured by the largest value.
fn worst(ours: &[f32], theirs: &[f32]) -> f32 {
    assert_eq!(ours.len(), theirs.len());
    let largest = theirs.iter().fold(1e-3_f32, |m, v| m.max(v.abs()));
    let errors = ours
        .iter()
        .zip(theirs)
        .map(|(a, b)| (a - b).abs() / largest);
    errors.fold(0.0, f32::max)
}

type Computed = (Vec<f32>, Vec<Vec<f32>>);

/// Gradients may differ by `tolerance`, log-probabilities by a tenth of it.
fn assert_equal(what: &str, ours: &Computed, theirs: &Computed, tolerance: f32) {
    let error = worst(&ours.0, &theirs.0);
    assert!(
        error < 0.1 * tolerance,
        "{what}: log-probabilities: {error}"
    );
    assert_eq!(ours.1.len(), theirs.1.len());
    for (index, (ours, theirs)) in ours.1.iter().zip(&theirs.1).enumerate() {
        assert!(theirs.iter().any(|&slope| slope != 0.0), "{what}: {index}");
        let error = worst(ours, theirs);
        assert!(error < tolerance, "{what}, parameter {index}: {error}");
    }
}

fn assert_three_ways_agree(model: &Model, temperature: f64, tolerance: f32) {
    let family = &model.architecture().model_type;
    let fused = computed(model, &Backend::cpu(), temperature);
    let device = computed(model, &device(DType::F32), temperature);
    let differentiated = differentiated(model, temperature);
    assert_equal(
        &format!("{family}, processor"),
        &fused,
        &differentiated,
        tolerance,
    );
    assert_equal(
        &format!("{family}, device"),
        &device,
        &differentiated,
        tolerance,
    );
}

#[test]
fn log_probs_and_gradients_are_those_of_automatic_differentiation() {
    for family in ["llama", "qwen2", "qwen3"] {
        for (tied, temperature) in [(true, 1.0), (false, 0.7)] {
            assert_three_ways_agree(&small(family, tied), temperature, 1e-4);
        }
    }
}

#[test]
fn gradients_of_an_adapter_are_those_of_automatic_differentiation() {
    for (family, targets) in [("llama", &ALL[..]), ("qwen2", &ALL), ("qwen3", &SOME)] {
        // An adapter's gradients are small sums of large products.
        assert_three_ways_agree(&adapted(family, targets, 0.0), 0.9, 5e-4);
    }
}

#[test]
fn dropout_drops_the_same_on_a_device() {
    let model = adapted("qwen2", &ALL, 0.4);
    let fused = computed(&model, &Backend::cpu(), 1.0);
    let device = computed(&model, &device(DType::F32), 1.0);
    assert_equal("with dropout", &device, &fused, 5e-4);
    let plain = computed(&adapted("qwen2", &ALL, 0.0), &Backend::cpu(), 1.0);
    assert!(worst(&fused.0, &plain.0) > 1e-3, "something is dropped");
}

/// Half precision is what the processor's tensors have of narrow elements; on a GPU it would be bf16.
#[test]
fn narrow_elements_give_results_near_by() {
    let calm = |family| {
        let mut model = small(family, false);
        let values = |parameters: &mut [Vec<f32>]| {
            parameters
                .iter_mut()
                .flatten()
                .for_each(|value| *value *= 0.25);
        };
        model.update(values);
        model
    };
    for model in [calm("qwen3"), with_adapter(&calm("qwen2"), &ALL, 0.0)] {
        let wide = computed(&model, &device(DType::F32), 1.0);
        let narrow = computed(&model, &device(DType::F16), 1.0);
        let error = worst(&narrow.0, &wide.0);
        assert!(error > 1e-6 && error < 2e-2, "{error}");
        for (index, (narrow, wide)) in narrow.1.iter().zip(&wide.1).enumerate() {
            let product =
                |a: &[f32], b: &[f32]| -> f32 { a.iter().zip(b).map(|(a, b)| a * b).sum() };
            let lengths = (product(narrow, narrow) * product(wide, wide)).sqrt();
            let cosine = product(narrow, wide) / lengths;
            assert!(cosine > 0.98, "parameter {index}: {cosine}");
        }
    }
}

fn drawn(model: &Model, backend: &Backend, temperature: f64) -> Vec<Completion> {
    let tokenizer = word_level(["a"].into_iter());
    let tokenizer = Tokenizer::parse(tokenizer.as_bytes(), vec![1]).unwrap();
    let seeds = |seeds: std::ops::Range<u8>| seeds.map(|seed| [seed; 32]).collect();
    let prompts = [
        Prompt {
            tokens: &[4, 5, 6, 7, 8, 11, 3],
            seeds: seeds(0..6),
        },
        Prompt {
            tokens: &[9],
            seeds: seeds(6..9),
        },
        Prompt {
            tokens: &[2, 12, 7, 5],
            seeds: seeds(9..11),
        },
    ];
    let settings = Settings {
        temperature,
        truncation: Truncation::NONE,
        max_length: 40,
    };
    let engine = Engine::new(model, backend);
    let sampler = Sampler {
        engine: &engine,
        model,
        tokenizer: &tokenizer,
        settings,
        step: 1,
    };
    let drawn = sampler.sample(&prompts).unwrap();
    assert_eq!(drawn.iter().map(Vec::len).collect::<Vec<_>>(), [6, 3, 2]);
    drawn.concat()
}

#[test]
fn the_same_tokens_are_drawn_everywhere() {
    let mut models = vec![adapted("llama", &ALL, 0.4), small("qwen2", true)];
    models.push(small("qwen3", false));
    for (model, temperature) in models.iter().flat_map(|model| [(model, 0.0), (model, 1.0)]) {
        let fused = drawn(model, &Backend::cpu(), temperature);
        let device = drawn(model, &device(DType::F32), temperature);
        let lengths: Vec<usize> = fused.iter().map(|c| c.tokens.len()).collect();
        if temperature > 0.0 {
            let early = lengths.iter().any(|&length| length < 40);
            assert!(early && lengths.contains(&40), "{lengths:?}");
        }
        for (fused, device) in fused.iter().zip(&device) {
            assert_eq!(fused.tokens, device.tokens);
            assert_eq!(fused.finished, device.finished);
            assert!(worst(&device.log_probs, &fused.log_probs) < 1e-4);
            assert!((fused.entropy - device.entropy).abs() < 1e-3);
        }
    }
}

#[test]
fn weights_that_are_no_numbers_are_an_error_on_a_device() {
    let mut model = small("llama", true);
    model.update(|parameters| parameters[3][0] = f32::NAN);
    let engine = Engine::new(&model, &device(DType::F32));
    let tokenizer = word_level(["a"].into_iter());
    let tokenizer = Tokenizer::parse(tokenizer.as_bytes(), vec![1]).unwrap();
    let prompts = [Prompt {
        tokens: &[4, 5],
        seeds: vec![[0; 32]],
    }];
    let settings = Settings {
        temperature: 1.0,
        truncation: Truncation::NONE,
        max_length: 5,
    };
    let sampler = Sampler {
        engine: &engine,
        model: &model,
        tokenizer: &tokenizer,
        settings,
        step: 8,
    };
    let error = sampler.sample(&prompts).unwrap_err();
    assert!(
        error.to_string().contains("not finite at step 8"),
        "{error}"
    );
}

#[test]
fn an_update_of_the_weights_reaches_the_device() {
    let mut model = small("llama", true);
    let before = computed(&model, &device(DType::F32), 1.0);
    model.update(stir_gently);
    let after = computed(&model, &device(DType::F32), 1.0);
    assert!(worst(&before.0, &after.0) > 1e-2);
    assert_equal(
        "updated",
        &after,
        &computed(&model, &Backend::cpu(), 1.0),
        1e-4,
    );
}
