//! What the tests train: a handful of word problems, rewards compiled once.

use std::sync::{Arc, OnceLock};

use sandbox::{Compiler, CompilerConfig, Limits, Module, RewardFn, Sandbox, Source, guest_status};
use trainer_bridge::{
    Aggregation, CandleConfig, GrpoConfig, Judged, RewardMember, RewardMix, Rollout,
    SamplingConfig, StepMetrics, TrainError, TrainExample, TrainJob, TrainOutput, Trainer,
    TrainerConfig, build,
};

/// Rewards of the tests.
#[derive(Clone, Copy)]
pub enum Reward {
    /// 1 for a right answer.
    Exact,
    /// The same for everything.
    Constant,
    /// Indexes out of bounds.
    Panics,
}

/// A reward in Python, or `None` where what it runs in is not built.
pub fn python(code: &str) -> Option<RewardMember> {
    if !guest_status().is_ok_and(|status| status.ready) {
        return None;
    }
    Some(RewardMember {
        name: "python".into(),
        reward: load(&Module::python(code)),
        weight: 1.0,
    })
}

fn compile(code: &str) -> RewardFn {
    let compiler = Compiler::new(CompilerConfig::default()).unwrap();
    load(&compiler.compile(&Source::rust(code)).unwrap())
}

fn load(module: &Module) -> RewardFn {
    Sandbox::new(Limits::default())
        .unwrap()
        .load(module)
        .unwrap()
}

pub fn member(reward: Reward) -> RewardMember {
    static COMPILED: [OnceLock<RewardFn>; 3] = [const { OnceLock::new() }; 3];
    let (name, code) = match reward {
        Reward::Exact => (
            "exact",
            "pub fn reward(s: &Sample) -> f64 { if s.correct() { 1.0 } else { 0.0 } }",
        ),
        Reward::Constant => ("constant", "pub fn reward(_s: &Sample) -> f64 { 0.3 }"),
        Reward::Panics => (
            "panics",
            "pub fn reward(s: &Sample) -> f64 { [1.0, 2.0][s.completion().len() + 2] }",
        ),
    };
    let reward = COMPILED[reward as usize]
        .get_or_init(|| compile(code))
        .clone();
    RewardMember {
        name: name.into(),
        reward,
        weight: 1.0,
    }
}

pub fn job(members: Vec<RewardMember>, until_step: u32) -> TrainJob {
    let extract = |completion: &str| -> Option<String> {
        Some(
            completion
                .split("<solution> ")
                .nth(1)?
                .split(' ')
                .next()?
                .to_owned(),
        )
    };
    let example = |i: usize| {
        let (a, b, c) = (60 + 7 * i % 97, 20 + 3 * i % 31, 20 + 5 * i % 37);
        TrainExample {
            prompt: format!(
                "tom has {a} apples . tom gets {b} more . tom gives {c} away . how many apples are left ?"
            ),
            answer: (a + b - c).to_string(),
        }
    };
    TrainJob {
        rewards: RewardMix {
            members,
            aggregation: Aggregation::SumThenNormalize,
            verifier: Arc::new(move |rollouts| {
                let judge = |rollout: &Rollout<'_>| {
                    let extracted = extract(rollout.completion);
                    Judged {
                        correct: extracted.as_ref() == Some(&rollout.example.answer),
                        extracted,
                    }
                };
                Ok(rollouts.iter().map(judge).collect())
            }),
        },
        grpo: GrpoConfig {
            prompts_per_step: 6,
            learning_rate: 1e-3,
            warmup_steps: 2,
            ..GrpoConfig::default()
        },
        evaluation: SamplingConfig::default(),
        examples: (0..20).map(example).collect(),
        eval_prompts: (0..30).map(|i| example(1000 + i).prompt).collect(),
        seed: 7,
        from: None,
        until_step,
    }
}

pub fn trainer(threads_per_trial: usize) -> Arc<dyn Trainer> {
    build(&TrainerConfig::Candle(CandleConfig {
        threads_per_trial,
        ..CandleConfig::default()
    }))
    .unwrap()
}

pub fn run(
    trainer: &dyn Trainer,
    job: TrainJob,
) -> (Result<TrainOutput, TrainError>, Vec<StepMetrics>) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let mut steps = Vec::new();
    let result = runtime.block_on(trainer.train(job, &mut |step| steps.push(step)));
    (result, steps)
}
