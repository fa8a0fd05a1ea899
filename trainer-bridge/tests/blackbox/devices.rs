//! Runs on a device of the tensor library's, the processor as such a device: the same runs as on the processor's own path, and what is
//! refused.

use trainer_bridge::{
    CandleConfig, DeviceName, FloatType, LoraConfig, StepMetrics, TrainError, TrainJob,
    TrainOutput, TrainerConfig,
};

use crate::{
    jobs::{Reward, job, member, run, try_build},
    runs::timeless,
};

fn config(device: DeviceName, lora: Option<LoraConfig>) -> CandleConfig {
    CandleConfig {
        device,
        lora,
        ..CandleConfig::default()
    }
}

fn lora(dropout: f64) -> LoraConfig {
    LoraConfig {
        r: 4,
        alpha: 8.0,
        dropout,
        ..LoraConfig::default()
    }
}

fn done(config: CandleConfig, job: TrainJob) -> (TrainOutput, Vec<StepMetrics>) {
    let trainer = try_build(&TrainerConfig::Candle(config)).unwrap();
    let (output, steps) = run(&*trainer, job);
    (output.unwrap(), steps)
}

fn assert_near(what: &str, ours: f64, theirs: f64, tolerance: f64) {
    let error = (ours - theirs).abs() / theirs.abs().max(0.05);
    assert!(
        error < tolerance,
        "{what}: {ours}, on the processor {theirs}"
    );
}

#[test]
fn a_run_is_the_same_as_on_the_processor() {
    for lora in [None, Some(lora(0.0))] {
        let job = || {
            let mut job = job(vec![member(Reward::Exact)], 2);
            job.grpo.beta = 0.02;
            job
        };
        let (there, theirs) = done(config(DeviceName::Cpu, lora.clone()), job());
        let (here, ours) = done(config(DeviceName::CandleCpu, lora), job());
        for (ours, theirs) in ours.iter().zip(&theirs) {
            // Rounding is another; after an update it may have turned a token.
            let tolerance = if ours.step == 1 { 1e-3 } else { 0.1 };
            for (what, ours, theirs) in [
                ("reward", ours.reward, theirs.reward),
                ("length", ours.completion_length, theirs.completion_length),
                ("entropy", ours.entropy, theirs.entropy),
                ("gradient", ours.grad_norm, theirs.grad_norm),
                ("loss", ours.loss, theirs.loss),
            ] {
                assert_near(what, ours, theirs, tolerance);
            }
        }
        let completions = here.completions.iter().zip(&there.completions);
        let same = completions.filter(|(ours, theirs)| ours == theirs).count();
        assert!(same >= 24, "{same} of 30 completions are the same");
        assert_eq!(here.saved.adapter.is_some(), there.saved.adapter.is_some());
    }
}

/// Two passes over batches of two parts, KL and clipping; weights handed over every other batch; dropout.
#[test]
fn a_run_stopped_and_continued_is_the_run_that_never_stopped() {
    let part = |until, from: Option<&TrainOutput>| {
        let mut job = job(vec![member(Reward::Exact)], until);
        let grpo = &mut job.grpo;
        (
            grpo.steps_per_generation,
            grpo.num_iterations,
            grpo.sync_every,
        ) = (2, 2, 8);
        (grpo.prompts_per_step, grpo.beta) = (3, 0.04);
        job.from = from.map(|output| output.saved.checkpoint.clone());
        done(config(DeviceName::CandleCpu, Some(lora(0.1))), job)
    };
    let (straight, steps) = part(5, None);
    let (half, mut pieces) = part(3, None);
    let (continued, more) = part(5, Some(&half));
    pieces.extend(more);
    assert!(straight.saved == continued.saved);
    assert_eq!(straight.completions, continued.completions);
    assert_eq!(timeless(&steps), timeless(&pieces));
}

#[test]
fn what_cannot_be_is_refused_in_a_line() {
    let refused = |config: CandleConfig, parts: &[&str]| {
        let config = TrainerConfig::Candle(config);
        let checked = config.check().unwrap_err();
        let Err(TrainError::Setup(message)) = try_build(&config) else {
            panic!("{config:?} was not refused");
        };
        assert_eq!(
            checked.to_string(),
            message,
            "said before a model is loaded"
        );
        for part in parts {
            assert!(message.contains(part), "{message}");
        }
        assert!(!message.contains('\n'), "{message}");
    };
    refused(
        CandleConfig {
            device: DeviceName::CandleCpu,
            devices: vec![DeviceName::Cpu],
            ..CandleConfig::default()
        },
        &["`device` and `devices`"],
    );
    refused(
        CandleConfig {
            dtype: Some(FloatType::Bf16),
            ..CandleConfig::default()
        },
        &["`dtype`", "f32"],
    );
    #[cfg(not(feature = "cuda"))]
    refused(
        CandleConfig {
            model: "no/such/model".into(),
            devices: vec![DeviceName::Cuda(0), DeviceName::Cuda(1)],
            ..CandleConfig::default()
        },
        &["`cuda:0`", "--features cuda"],
    );
    let written = r#"{"kind": "candle", "device": "gpu"}"#;
    let error = serde_json::from_str::<TrainerConfig>(written).unwrap_err();
    assert!(error.to_string().contains("`cuda:0`"), "{error}");
}
