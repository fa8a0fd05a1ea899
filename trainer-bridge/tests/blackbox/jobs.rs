//! What the tests train: a handful of word problems, rewards compiled once, and a judge that looks for one kind of answer.

use std::{
    ops::ControlFlow,
    sync::{Arc, OnceLock},
};

use sandbox::{Bench, Compiler, CompilerConfig, Limits, Module, Source, Verdict, guest_status};
use trainer_bridge::{
    Aggregation, CandleConfig, Ended, Event, GrpoConfig, JudgeError, JudgeRollouts, JudgeSpec,
    OpenJudge, RewardMember, RewardMix, Rollout, SamplingConfig, Scoring, StepMetrics, TrainError,
    TrainExample, TrainJob, TrainOutput, Trainer, TrainerConfig, build,
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
        module: Module::python(code),
        weight: 1.0,
    })
}

pub fn compile(code: &str) -> Module {
    let compiler = Compiler::new(CompilerConfig::default()).unwrap();
    compiler.compile(&Source::rust(code)).unwrap()
}

pub fn member(reward: Reward) -> RewardMember {
    static COMPILED: [OnceLock<Module>; 3] = [const { OnceLock::new() }; 3];
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
    let module = COMPILED[reward as usize].get_or_init(|| compile(code));
    RewardMember {
        name: name.into(),
        module: module.clone(),
        weight: 1.0,
    }
}

/// Judges by the text after `<solution> `.
struct Solution;

impl JudgeRollouts for Solution {
    fn judge(&self, rollouts: &[Rollout<'_>]) -> Result<Vec<Verdict>, JudgeError> {
        let extract = |text: &str| -> Option<String> {
            let solution = text.split("<solution> ").nth(1)?.split(' ').next()?;
            Some(solution.to_owned())
        };
        let judge = |rollout: &Rollout<'_>| {
            let extracted = extract(rollout.completion);
            Verdict {
                correct: extracted.as_deref() == Some(rollout.answer),
                extracted,
            }
        };
        Ok(rollouts.iter().map(judge).collect())
    }
}

/// Opens the judge that `judge` names.
struct Judges;

impl OpenJudge for Judges {
    fn open(&self, spec: &JudgeSpec) -> Result<Arc<dyn JudgeRollouts>, JudgeError> {
        if *spec == judge() {
            return Ok(Arc::new(Solution));
        }
        Err(JudgeError::Setup(format!("no such judge: {}", spec.0)))
    }
}

pub fn judge() -> JudgeSpec {
    JudgeSpec(serde_json::json!({"kind": "solution"}))
}

/// What all trainers of the tests score with.
pub fn scoring() -> Scoring {
    static BENCH: OnceLock<Bench> = OnceLock::new();
    Scoring {
        bench: BENCH.get_or_init(Bench::default).clone(),
        judges: Arc::new(Judges),
    }
}

pub fn mix(members: Vec<RewardMember>) -> RewardMix {
    RewardMix {
        members,
        aggregation: Aggregation::SumThenNormalize,
        limits: Limits::default(),
    }
}

pub fn job(members: Vec<RewardMember>, until_step: u32) -> TrainJob {
    let example = |i: usize| {
        let (a, b, c) = (60 + 7 * i % 97, 20 + 3 * i % 31, 20 + 5 * i % 37);
        let prompt = format!(
            "tom has {a} apples . tom gets {b} more . tom gives {c} away . how many apples are left ?"
        );
        TrainExample {
            question: prompt.clone(),
            prompt,
            answer: (a + b - c).to_string(),
            row: String::new(),
        }
    };
    TrainJob {
        mix: mix(members),
        judge: judge(),
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
        save_every: None,
    }
}

pub fn try_build(config: &TrainerConfig) -> Result<Arc<dyn Trainer>, TrainError> {
    build(config, scoring())
}

pub fn trainer(threads_per_trial: usize) -> Arc<dyn Trainer> {
    try_build(&TrainerConfig::Candle(CandleConfig {
        threads_per_trial,
        ..CandleConfig::default()
    }))
    .unwrap()
}

pub fn wait<T>(future: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(future)
}

/// Follows a run; `on_event` may stop it.
pub fn follow(
    trainer: &dyn Trainer,
    job: TrainJob,
    on_event: &mut (dyn FnMut(Event) -> ControlFlow<()> + Send),
) -> Result<Ended, TrainError> {
    wait(async { trainer.start(job).await?.to_end(on_event).await })
}

pub fn run(
    trainer: &dyn Trainer,
    job: TrainJob,
) -> (Result<TrainOutput, TrainError>, Vec<StepMetrics>) {
    let mut steps = Vec::new();
    let ended = follow(trainer, job, &mut |event| {
        if let Event::Step(step) = event {
            steps.push(*step);
        }
        ControlFlow::Continue(())
    });
    let output = ended.map(|ended| match ended {
        Ended::Done(output) => output,
        Ended::Stopped(saved) => panic!("stopped at {}", saved.checkpoint.step),
    });
    (output, steps)
}
