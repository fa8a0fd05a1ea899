//! Losses, advantages and gradients beside those that TRL's own trainer computed on the same rollouts and rewards
//! (`scripts/trl_goldens.py` made `tests/goldens/trl.json`).
#![expect(clippy::unwrap_used)]

use candle_core::{DType, Device};
use serde::Deserialize;

use crate::candle::{
    decoder::{backend::Backend, engine::Engine, gradients::Gradients},
    learn::{
        loss::loss_and_gradients,
        rollouts::{RolloutGroup, ScoredCompletion},
    },
    model::{Model, architecture::Architecture},
    sample::rows::Completion,
};
use crate::{
    Aggregation, GrpoConfig, ImportanceSamplingLevel, LossType, ScaleRewards,
    grpo::advantage::{Advantages, Combination},
};

/// Completions of a prompt.
const GROUP: usize = 4;

#[derive(Deserialize)]
struct Goldens {
    model: serde_json::Value,
    limit: usize,
    epsilon: f64,
    epsilon_high: f64,
    weights: Vec<f64>,
    rewards: Vec<Vec<f64>>,
    prompts: Vec<Vec<u32>>,
    completions: Vec<Vec<u32>>,
    old: Vec<Vec<f32>>,
    reference: Vec<Vec<f32>>,
    tensors: Vec<String>,
    cases: Vec<TrlCase>,
}

#[derive(Deserialize)]
struct TrlCase {
    loss_type: LossType,
    beta: f64,
    use_bias_correction_kl: bool,
    aggregation: Aggregation,
    scale_rewards: ScaleRewards,
    importance_sampling_level: ImportanceSamplingLevel,
    mask_truncated_completions: bool,
    loss: f64,
    advantages: Vec<f64>,
    /// Of each tensor: norm, and two projections.
    gradients: Vec<[f64; 3]>,
}

/// The script's formula for weights and directions: numbers in [-1, 1).
fn values(stream: u32, count: usize) -> impl Iterator<Item = f64> {
    (0..count as u32).map(move |index| {
        let seed = stream.wrapping_mul(40_503).wrapping_add(12_345);
        let mut x = index.wrapping_mul(2_654_435_761).wrapping_add(seed);
        for (shift, factor) in [(16, 0x85EB_CA6B_u32), (13, 0xC2B2_AE35)] {
            x = (x ^ (x >> shift)).wrapping_mul(factor);
        }
        f64::from(x ^ (x >> 16)) / 2_147_483_648.0 - 1.0
    })
}

impl Goldens {
    fn read() -> Self {
        serde_json::from_str(include_str!("../../../tests/goldens/trl.json")).unwrap()
    }

    fn stream(&self, tensor: &str) -> u32 {
        let place = self.tensors.iter().position(|name| name == tensor);
        place.unwrap() as u32
    }

    fn model(&self) -> Model {
        let architecture = Architecture::parse(&self.model.to_string()).unwrap();
        let parameters = architecture.parameters().into_iter().map(|parameter| {
            let columns = parameter.columns.unwrap_or(1);
            let tensor = |(name, rows): &(String, usize)| -> Vec<f32> {
                let norm = name.contains("norm");
                let weight = move |v: f64| if norm { 1.0 + 0.2 * v } else { 0.4 * v };
                let values = values(self.stream(name), rows * columns);
                values.map(|v| weight(v) as f32).collect()
            };
            parameter.parts.iter().flat_map(tensor).collect()
        });
        let parameters = parameters.collect();
        Model::new(architecture.into(), parameters)
    }

    fn grpo(&self, case: &TrlCase) -> GrpoConfig {
        GrpoConfig {
            num_generations: GROUP,
            max_completion_length: self.limit,
            epsilon: self.epsilon,
            epsilon_high: Some(self.epsilon_high),
            loss_type: case.loss_type,
            beta: case.beta,
            use_bias_correction_kl: case.use_bias_correction_kl,
            scale_rewards: case.scale_rewards,
            importance_sampling_level: case.importance_sampling_level,
            mask_truncated_completions: case.mask_truncated_completions,
            ..GrpoConfig::default()
        }
    }

    fn groups(&self, case: &TrlCase, advantages: &Advantages) -> Vec<RolloutGroup> {
        let scored = |index: usize| {
            let tokens = self.completions[index].clone();
            let finished = tokens.last() == Some(&1);
            let masked = case.mask_truncated_completions && !finished;
            ScoredCompletion {
                answered: false,
                completion: Completion {
                    tokens,
                    finished,
                    log_probs: Vec::new(),
                    entropy: 0.0,
                },
                text: String::new(),
                rewards: Vec::new(),
                reward: advantages.rewards[index],
                correct: false,
                advantage: Some(advantages.values[index]),
                masked,
                learns: !masked && (advantages.values[index] != 0.0 || case.beta > 0.0),
                old: Some(self.old[index].clone()),
                reference: (case.beta > 0.0).then(|| self.reference[index].clone()),
            }
        };
        let group = |(number, prompt): (usize, &Vec<u32>)| RolloutGroup {
            example: number,
            prompt: prompt.clone(),
            rollouts: (number * GROUP..(number + 1) * GROUP).map(scored).collect(),
        };
        self.prompts.iter().enumerate().map(group).collect()
    }

    /// Norm and projections of every tensor's gradient, by name.
    fn digests(&self, model: &Model, gradients: &Gradients) -> Vec<(String, [f64; 3])> {
        let mut digests = Vec::new();
        for (parameter, gradient) in model
            .architecture()
            .parameters()
            .iter()
            .zip(gradients.iter())
        {
            let mut rest = gradient;
            for (name, rows) in &parameter.parts {
                let (own, others) = rest.split_at(rows * parameter.columns.unwrap_or(1));
                rest = others;
                let project = |stream: u32| -> f64 {
                    let direction = values(stream, own.len());
                    own.iter()
                        .zip(direction)
                        .map(|(&g, d)| f64::from(g) * d)
                        .sum()
                };
                let square: f64 = own.iter().map(|&g| f64::from(g).powi(2)).sum();
                let stream = self.stream(name);
                let digest = [
                    square.sqrt(),
                    project(5000 + stream),
                    project(6000 + stream),
                ];
                digests.push((name.clone(), digest));
            }
        }
        digests
    }
}

#[test]
fn losses_and_gradients_of_every_parameter_are_those_of_trl() {
    assert_trls(&Backend::cpu());
}

#[test]
fn losses_and_gradients_on_a_device_are_those_of_trl() {
    assert_trls(&Backend::device(Device::Cpu, DType::F32));
}

fn assert_trls(backend: &Backend) {
    let goldens = Goldens::read();
    let model = goldens.model();
    assert_eq!(goldens.cases.len(), 100);
    let mut clipped = 0;
    for case in &goldens.cases {
        let grpo = goldens.grpo(case);
        let (rewards, weights) = (&goldens.rewards, &goldens.weights);
        let combination = Combination {
            weights,
            aggregation: case.aggregation,
            group: GROUP,
        };
        let found = combination.advantages(rewards, case.scale_rewards);
        let off = |a: f64, b: f64, scale: f64| (a - b).abs() > 1e-3 * scale;
        let name = || {
            format!(
                "{:?} beta {} corrected {} {:?} {:?} {:?} masked {}",
                case.loss_type,
                case.beta,
                case.use_bias_correction_kl,
                case.aggregation,
                case.scale_rewards,
                case.importance_sampling_level,
                case.mask_truncated_completions
            )
        };
        for (ours, theirs) in found.values.iter().zip(&case.advantages) {
            assert!((ours - theirs).abs() < 1e-5, "{}: {ours} {theirs}", name());
        }
        let groups = goldens.groups(case, &found);
        let tokens: usize = groups.iter().map(RolloutGroup::tokens).sum();
        let mut engine = Engine::new(&model, backend);
        let step_loss = loss_and_gradients(&mut engine, &model, &groups, tokens as f64, &grpo, 1);
        let (step_loss, gradients) = step_loss.unwrap();
        clipped += usize::from(step_loss.clip_ratio_low > 0.0 && step_loss.clip_ratio_high > 0.0);
        let (ours, theirs) = (step_loss.loss, case.loss);
        assert!(
            !off(ours, theirs, theirs.abs()),
            "{}: loss {ours}, TRL's {theirs}",
            name()
        );
        for (tensor, ours) in goldens.digests(&model, gradients) {
            let theirs = case.gradients[goldens.stream(&tensor) as usize];
            // A projection can be 0 by chance: what is off is measured by the gradient's norm.
            for (ours, theirs_one) in ours.iter().zip(theirs) {
                assert!(
                    !off(*ours, theirs_one, theirs[0]),
                    "{}: gradient of {tensor}: {ours:?}, TRL's {theirs_one:?}",
                    name()
                );
            }
        }
    }
    assert!(
        clipped > 50,
        "clipping must have been put to the test: {clipped}"
    );
}
