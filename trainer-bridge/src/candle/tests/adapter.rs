//! Adapters on the processor: merged, and with some of their inputs dropped.

use crate::candle::{
    decoder::pack::Group,
    model::{Model, lora::LoraConfig},
    tests::small_models::{small, stir, training_pass},
};

fn adapted(dropout: f64) -> Model {
    let config = LoraConfig {
        r: 2,
        alpha: 3.0,
        dropout,
        targets: ["q_proj", "v_proj", "o_proj", "down_proj"]
            .map(str::to_owned)
            .to_vec(),
    };
    let mut model = small("qwen2", false).with_adapter(&config, 11);
    model.update(stir);
    model
}

/// Some work on a prompt and two completions.
fn with_groups<R>(work: impl FnOnce(&[Group<'_>]) -> R) -> R {
    let completions: [&[u32]; 2] = [&[7, 8, 9, 10, 11], &[5, 2, 3]];
    work(&[Group {
        prompt: &[4, 6, 12],
        completions: &completions,
    }])
}

fn weight(i: usize) -> f32 {
    1.0 + i as f32
}

fn pass(model: &Model) -> (Vec<f32>, Vec<Vec<f32>>) {
    with_groups(|groups| training_pass(model, groups, weight))
}

fn loss(model: &Model) -> f64 {
    let log_probs = pass(model).0.into_iter().enumerate();
    log_probs
        .map(|(i, l)| f64::from(l) * f64::from(weight(i)))
        .sum()
}

#[test]
fn a_fresh_adapter_changes_nothing() {
    let model = small("llama", true);
    let fresh = model.with_adapter(&LoraConfig::default(), 1);
    assert_eq!(loss(&model), loss(&fresh));
    let mut merged = fresh.clone();
    merged.update(|_| {});
    assert_eq!(merged.merged_weights().as_deref(), Some(model.weights()));
    assert_eq!(fresh.parameters().len(), 2 * 7 * 2);
}

#[test]
fn dropout_drops_its_share_and_keeps_the_mean() {
    let config = LoraConfig {
        dropout: 0.3,
        ..LoraConfig::default()
    };
    let model = small("llama", true).with_adapter(&config, 1);
    let adapter = model.adapter().expect("it was just put on");
    let factors: Vec<f32> = adapter.factors(5, 2).take(100_000).collect();
    let dropped = factors.iter().filter(|&&factor| factor == 0.0).count();
    assert!((29_000..31_000).contains(&dropped), "{dropped}");
    let mean = factors.iter().sum::<f32>() / 100_000.0;
    assert!((mean - 1.0).abs() < 0.01, "{mean}");
}

#[test]
fn gradients_with_dropout_are_those_of_finite_differences() {
    let model = adapted(0.4);
    let plain = adapted(0.0);
    assert!(
        (loss(&model) - loss(&plain)).abs() > 1e-3,
        "something is dropped"
    );
    assert_eq!(loss(&model), loss(&model), "the same noise each time");
    let gradients = pass(&model).1;
    let step = 4e-3_f32;
    for (index, gradient) in gradients.iter().enumerate() {
        // Along the gradient's signs, so that rounding stays small beside the change.
        let moved = |sign: f32| {
            let mut moved = model.clone();
            let change = |parameters: &mut [Vec<f32>]| {
                for (value, slope) in parameters[index].iter_mut().zip(gradient) {
                    *value += sign * step * slope.signum() / gradient.len() as f32;
                }
            };
            moved.restore(model.updates(), change);
            loss(&moved)
        };
        let seen = (moved(1.0) - moved(-1.0)) / (2.0 * f64::from(step));
        let mean = gradient
            .iter()
            .map(|slope| f64::from(slope.abs()))
            .sum::<f64>();
        let expected = mean / gradient.len() as f64;
        let error = (seen - expected).abs() / expected.max(0.1);
        assert!(error < 2e-2, "parameter {index}: {seen} is not {expected}");
    }
}
