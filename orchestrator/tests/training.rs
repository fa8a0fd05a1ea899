//! The one place that runs a training: stopped by whoever watches, kept, and gone on with.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

use std::{ops::ControlFlow, sync::Arc};

use evaluator::ExtractionConfig;
use orchestrator::{
    judge::{JudgeConfig, Judges},
    search::{
        checkpoints::CheckpointFolder,
        training::{Training, TrainingError, Watch},
    },
};
use sandbox::{Bench, Limits, Source};
use trainer_bridge::{
    Aggregation, BoxFuture, Ended, FakeConfig, GrpoConfig, RewardMember, RewardMix, SamplingConfig,
    Saved, Scoring, StepMetrics, TrainExample, TrainJob, TrainerConfig, build,
};

const RIGHT: &str =
    "pub fn reward(sample: &Sample) -> f64 { f64::from(u8::from(sample.correct())) }";

/// Writes down the steps it sees and the checkpoints that are kept, and stops at a step.
struct Until {
    last: u32,
    steps: Vec<u32>,
    saved: Vec<u32>,
}

impl Until {
    fn step(last: u32) -> Self {
        Self {
            last,
            steps: Vec::new(),
            saved: Vec::new(),
        }
    }
}

impl Watch for Until {
    fn step<'a>(
        &'a mut self,
        metrics: &'a StepMetrics,
    ) -> BoxFuture<'a, Result<ControlFlow<()>, TrainingError>> {
        self.steps.push(metrics.step);
        let stops = metrics.step == self.last;
        Box::pin(async move {
            Ok(match stops {
                true => ControlFlow::Break(()),
                false => ControlFlow::Continue(()),
            })
        })
    }

    fn saved(&mut self, saved: &Saved) -> Result<(), TrainingError> {
        self.saved.push(saved.checkpoint.step);
        Ok(())
    }
}

fn job() -> TrainJob {
    let module = Bench::default().compile(&Source::rust(RIGHT)).unwrap();
    TrainJob {
        mix: RewardMix {
            members: vec![RewardMember {
                name: "right".into(),
                module,
                weight: 1.0,
            }],
            aggregation: Aggregation::default(),
            limits: Limits::default(),
        },
        judge: JudgeConfig::by_rule(ExtractionConfig::tags_only()).spec(),
        grpo: GrpoConfig::default(),
        evaluation: SamplingConfig::default(),
        examples: vec![TrainExample {
            prompt: "Q: 3 and 4 ?".into(),
            question: "3 and 4 ?".into(),
            answer: "7".into(),
            row: String::new(),
        }],
        eval_prompts: (0..40).map(|n| format!("{n} and 2 ?")).collect(),
        seed: 3,
        from: None,
        until_step: 30,
        save_every: Some(2),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_training_is_stopped_by_its_watcher_and_goes_on_from_its_folder() {
    let scoring = Scoring {
        bench: Bench::default(),
        judges: Arc::new(Judges::new()),
    };
    let fake = TrainerConfig::Fake(FakeConfig {
        step_ms: 10,
        fails_at_step: None,
    });
    let trainer = build(&fake, scoring).unwrap();
    let parent = tempfile::tempdir().unwrap();
    let folder = CheckpointFolder::new(parent.path().join("run"));
    let training = |folder| Training {
        trainer: &*trainer,
        job: job(),
        folder,
        earlier: None,
    };
    let mut first = Until::step(5);
    let ended = training(Some(&folder)).to_end(&mut first).await.unwrap();
    let Ended::Stopped(saved) = ended else {
        panic!("{ended:?}");
    };
    let stopped = saved.checkpoint.step;
    assert!((5..15).contains(&stopped), "after step {stopped}");
    assert_eq!(first.steps, (1..=stopped).collect::<Vec<_>>());
    assert_eq!(first.saved[..2], [2, 4]);
    assert_eq!(first.saved.last(), Some(&stopped));
    assert_eq!(folder.step().unwrap(), Some(stopped));

    let mut second = Until::step(0);
    let output = training(Some(&folder)).to_completion(&mut second).await;
    assert_eq!(second.steps, (stopped + 1..=30).collect::<Vec<_>>());
    assert_eq!(folder.step().unwrap(), Some(30));
    let straight = training(None).to_completion(&mut Until::step(0)).await;
    assert_eq!(output.unwrap(), straight.unwrap());
}
