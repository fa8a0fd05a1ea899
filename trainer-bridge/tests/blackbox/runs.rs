//! Whole runs.

use std::time::Duration;

use trainer_bridge::{
    FakeConfig, LossType, SamplingConfig, StepMetrics, TrainError, TrainerConfig,
};

use crate::{
    jobs::{Reward, job, member, python, run, trainer, try_build},
    skipping::skip,
};

/// Metrics without the one that measures time.
pub fn timeless(steps: &[StepMetrics]) -> Vec<StepMetrics> {
    steps
        .iter()
        .map(|step| StepMetrics {
            step_time: 0.0,
            ..step.clone()
        })
        .collect()
}

#[test]
fn equal_jobs_give_equal_bits_on_any_number_of_threads() {
    let (one, steps_one) = run(&*trainer(1), job(vec![member(Reward::Exact)], 3));
    let (two, steps_two) = run(&*trainer(2), job(vec![member(Reward::Exact)], 3));
    let (one, two) = (one.unwrap(), two.unwrap());
    assert_eq!(one.saved, two.saved);
    assert_eq!(one.completions, two.completions);
    assert_eq!(timeless(&steps_one), timeless(&steps_two));
    let mut other = job(vec![member(Reward::Exact)], 3);
    other.seed = 8;
    assert_ne!(
        run(&*trainer(1), other).0.unwrap().completions,
        one.completions
    );
}

#[test]
fn what_an_earlier_run_drew_changes_nothing_in_a_later_one() {
    let veteran = trainer(1);
    for sync_every in [1, 3] {
        let semi_online = |reward, temperature| {
            let mut job = job(vec![member(reward)], 4);
            (job.grpo.sync_every, job.grpo.temperature) = (sync_every, temperature);
            job
        };
        run(&*veteran, semi_online(Reward::Constant, 1.0))
            .0
            .unwrap();
        for temperature in [1.0, 0.7] {
            let (shared, shared_steps) = run(&*veteran, semi_online(Reward::Exact, temperature));
            let (alone, alone_steps) = run(&*trainer(1), semi_online(Reward::Exact, temperature));
            assert_eq!(shared.unwrap().saved, alone.unwrap().saved);
            assert_eq!(timeless(&shared_steps), timeless(&alone_steps));
        }
    }
}

#[test]
fn a_run_continued_from_a_checkpoint_is_the_run_never_stopped() {
    let trainer = trainer(1);
    let (straight, straight_steps) = run(&*trainer, job(vec![member(Reward::Exact)], 4));
    let (first, mut steps) = run(&*trainer, job(vec![member(Reward::Exact)], 2));
    let mut rest = job(vec![member(Reward::Exact)], 4);
    rest.from = Some(first.unwrap().saved.checkpoint);
    let (second, more) = run(&*trainer, rest);
    steps.extend(more);
    let (straight, second) = (straight.unwrap(), second.unwrap());
    assert_eq!(straight.saved, second.saved);
    assert_eq!(straight.completions, second.completions);
    assert_eq!(timeless(&straight_steps), timeless(&steps));
}

#[test]
fn a_reward_for_right_answers_teaches_them() {
    let mut lesson = job(vec![member(Reward::Exact)], 16);
    (lesson.grpo.prompts_per_step, lesson.grpo.learning_rate) = (16, 4e-4);
    let (output, steps) = run(&*trainer(2), lesson);
    output.unwrap();
    let correct = |steps: &[StepMetrics]| {
        steps.iter().map(|step| step.correct).sum::<f64>() / steps.len() as f64
    };
    let (early, late) = (correct(&steps[..4]), correct(&steps[12..]));
    assert!(late > early + 0.15, "{early} -> {late}");
    assert_eq!(
        steps.iter().map(|step| step.step).collect::<Vec<_>>(),
        (1..=16).collect::<Vec<_>>()
    );
    let first = &steps[0];
    assert_eq!(first.reward, first.correct);
    assert_eq!(first.member_rewards, [first.correct]);
    assert!(first.grad_norm > 0.0 && first.entropy > 0.0 && first.num_tokens > 128 * 10);
    assert_eq!((first.learning_rate, steps[1].learning_rate), (2e-4, 4e-4));
}

#[test]
fn every_objective_trains() {
    let dapo = run(&*trainer(1), job(vec![member(Reward::Exact)], 1))
        .0
        .unwrap();
    for loss_type in [LossType::Grpo, LossType::Bnpo, LossType::DrGrpo] {
        let mut job = job(vec![member(Reward::Exact)], 1);
        job.grpo.loss_type = loss_type;
        let output = run(&*trainer(1), job).0.unwrap();
        // With one batch a step, DAPO's mean over tokens is BNPO's.
        assert_eq!(output.saved == dapo.saved, loss_type == LossType::Bnpo);
    }
}

#[test]
fn masked_completions_teach_nothing() {
    let mut cut = job(vec![member(Reward::Exact)], 1);
    // Too short for any answer: everything is cut, and with it nothing is left to learn from.
    (
        cut.grpo.max_completion_length,
        cut.grpo.mask_truncated_completions,
    ) = (2, true);
    let (result, steps) = run(&*trainer(1), cut);
    result.unwrap();
    assert_eq!(
        (steps[0].clipped_ratio, steps[0].grad_norm, steps[0].loss),
        (1.0, 0.0, 0.0)
    );
}

#[test]
fn a_constant_reward_leaves_the_base_model_as_it_is() {
    let (untouched, none) = run(&*trainer(1), job(Vec::new(), 0));
    let (trained, steps) = run(&*trainer(1), job(vec![member(Reward::Constant)], 3));
    assert!(none.is_empty());
    assert!(
        steps
            .iter()
            .all(|s| s.frac_reward_zero_std == 1.0 && s.grad_norm == 0.0 && s.reward_std == 0.0)
    );
    assert_eq!(untouched.unwrap().completions, trained.unwrap().completions);
}

#[test]
fn a_fault_of_a_reward_names_the_member_and_the_step() {
    let (result, steps) = run(
        &*trainer(1),
        job(vec![member(Reward::Exact), member(Reward::Panics)], 3),
    );
    assert!(steps.is_empty());
    match result {
        Err(TrainError::Reward {
            member, step: 1, ..
        }) => assert_eq!(member, "panics"),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_run_that_leaves_the_numbers_fails_and_says_so() {
    let mut wild = job(vec![member(Reward::Exact)], 12);
    wild.grpo.learning_rate = 1e30;
    match run(&*trainer(1), wild).0 {
        Err(error @ TrainError::NonFinite { .. }) => {
            assert!(error.to_string().contains("learning_rate"), "{error}")
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn impossible_jobs_are_refused_with_a_reason() {
    let refused = |change: fn(&mut trainer_bridge::TrainJob), part: &str| {
        let mut job = job(vec![member(Reward::Exact)], 1);
        change(&mut job);
        match run(&*trainer(1), job).0 {
            Err(TrainError::Setup(message)) => assert!(
                message.contains(part) && !message.contains('\n'),
                "{message}"
            ),
            other => panic!("{part}: {other:?}"),
        }
    };
    refused(|job| job.grpo.num_generations = 1, "num_generations");
    refused(|job| job.examples = [].into(), "at least one example");
    refused(|job| job.mix.members.clear(), "one reward");
    refused(
        |job| job.eval_prompts = ["how many zebras ?".to_owned()].into(),
        "zebras",
    );
    refused(
        |job| job.eval_prompts = ["tom".to_owned() + &" has".repeat(200)].into(),
        "tokens",
    );
}

#[test]
fn greedy_evaluation_is_the_same_for_every_seed() {
    let greedy = |seed| {
        let mut job = job(Vec::new(), 0);
        job.evaluation = SamplingConfig {
            temperature: 0.0,
            ..SamplingConfig::default()
        };
        job.seed = seed;
        run(&*trainer(1), job).0.unwrap().completions
    };
    assert_eq!(greedy(1), greedy(2));
}

#[test]
fn parts_of_a_reward_and_what_it_prints_are_kept() {
    let code = "
def reward(completions, correct, **kwargs):
    print('scoring', len(completions))
    return {'right': [float(c) for c in correct], 'tags': [0.5] * len(completions)}
";
    let Some(member) = python(code) else {
        skip("the Python guest is not built; `reward-search guest build` makes it");
        return;
    };
    let (output, steps) = run(&*trainer(1), job(vec![member], 2));
    output.unwrap();
    for step in &steps {
        let parts: Vec<(&str, f64)> = step
            .parts
            .iter()
            .map(|p| (p.part.as_str(), p.mean))
            .collect();
        assert_eq!(parts, [("right", step.correct), ("tags", 0.5)]);
        assert!(step.printed.starts_with("scoring "), "{}", step.printed);
        let named = step.under_trls_names(&["python".to_owned()]);
        assert_eq!(named["rewards/python/tags/mean"], 0.5);
    }
}

#[test]
fn dropping_the_future_gives_the_thread_up() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let trainer = trainer(1);
    let long = job(vec![member(Reward::Exact)], 100_000);
    let stopped = runtime.block_on(async {
        tokio::time::timeout(Duration::from_millis(600), async {
            let mut run = trainer.start(long).await.unwrap();
            while run.event().await.is_some() {}
        })
        .await
    });
    assert!(stopped.is_err());
    // The same trainer is ready for the next run.
    assert!(
        run(&*trainer, job(vec![member(Reward::Exact)], 1))
            .0
            .is_ok()
    );
}

#[test]
fn the_fake_trainer_learns_from_a_reward_that_tells_right_from_wrong() {
    let fake = try_build(&TrainerConfig::Fake(FakeConfig::default())).unwrap();
    let skill = |reward| {
        run(&*fake, job(vec![member(reward)], 20))
            .1
            .last()
            .unwrap()
            .correct
    };
    assert!(skill(Reward::Exact) > skill(Reward::Constant));
    let failing = try_build(&TrainerConfig::Fake(FakeConfig {
        fails_at_step: Some(2),
        ..FakeConfig::default()
    }))
    .unwrap();
    let (result, steps) = run(&*failing, job(vec![member(Reward::Exact)], 20));
    assert!(matches!(result, Err(TrainError::Host(_))) && steps.len() == 1);
}
