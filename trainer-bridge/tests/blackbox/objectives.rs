//! Objectives, filters and schedules in whole runs: what they change, what they leave alone, and that stopping anywhere changes nothing.

use trainer_bridge::{
    Filter, GrpoConfig, ImportanceSamplingLevel, LossType, StepMetrics, TrainError, TrainJob,
    TrainOutput,
};

use crate::{
    jobs::{Reward, job, member, run, trainer},
    runs::timeless,
};

fn with(until_step: u32, change: impl FnOnce(&mut GrpoConfig)) -> TrainJob {
    let mut job = job(vec![member(Reward::Exact)], until_step);
    change(&mut job.grpo);
    job
}

fn done(job: TrainJob) -> (TrainOutput, Vec<StepMetrics>) {
    let (output, steps) = run(&*trainer(1), job);
    (output.unwrap(), steps)
}

/// Two passes over batches of two parts, KL and clipping; weights handed over every other batch.
fn crowded(grpo: &mut GrpoConfig) {
    (
        grpo.steps_per_generation,
        grpo.num_iterations,
        grpo.sync_every,
    ) = (2, 2, 8);
    (grpo.prompts_per_step, grpo.beta) = (3, 0.04);
}

#[test]
fn a_run_stopped_after_any_step_continues_as_if_it_never_was() {
    const LAST: u32 = 9;
    let (straight, steps) = done(with(LAST, crowded));
    for stop in 1..LAST {
        let (first, mut pieces) = done(with(stop, crowded));
        let mut rest = with(LAST, crowded);
        rest.from = Some(first.saved.checkpoint);
        let (second, more) = done(rest);
        pieces.extend(more);
        assert!(straight.saved == second.saved, "stopped after step {stop}");
        assert_eq!(straight.completions, second.completions);
        assert_eq!(
            timeless(&steps),
            timeless(&pieces),
            "stopped after step {stop}"
        );
    }
}

#[test]
fn a_checkpoint_without_the_policy_that_samples_is_refused_where_it_is_needed() {
    let (first, _) = done(with(1, |_| {}));
    let mut rest = with(4, |grpo| grpo.sync_every = 3);
    rest.from = Some(first.saved.checkpoint);
    match run(&*trainer(1), rest).0 {
        Err(TrainError::Setup(message)) => assert!(message.contains("sync_every"), "{message}"),
        other => panic!("{other:?}"),
    }
}

#[test]
fn rollouts_come_from_the_weights_of_the_last_sync() {
    let lengths = |steps: &[StepMetrics]| -> Vec<f64> {
        steps.iter().map(|step| step.completion_length).collect()
    };
    let (_, online) = done(with(4, |_| {}));
    let (_, semi_online) = done(with(4, |grpo| grpo.sync_every = 2));
    let (_, offline) = done(with(4, |grpo| grpo.sync_every = 100));
    let (_, frozen) = done(with(4, |grpo| grpo.learning_rate = 0.0));
    // A policy that never learns samples what an offline run samples.
    assert_eq!(lengths(&offline), lengths(&frozen));
    assert_eq!(timeless(&semi_online[..1]), timeless(&online[..1]));
    assert_eq!(lengths(&semi_online)[..2], lengths(&offline)[..2]);
    assert_ne!(lengths(&semi_online)[2..], lengths(&offline)[2..]);
    assert_ne!(lengths(&online)[1..], lengths(&offline)[1..]);
}

#[test]
fn a_step_on_its_own_rollouts_never_clips_and_later_ones_do() {
    let (_, online) = done(with(2, |_| {}));
    let clipped = |step: &StepMetrics| step.clip_ratio_low + step.clip_ratio_high;
    assert!(online.iter().all(|step| clipped(step) == 0.0));
    let (_, repeated) = done(with(4, |grpo| {
        (grpo.num_iterations, grpo.epsilon) = (4, 1e-3);
    }));
    assert_eq!(clipped(&repeated[0]), 0.0);
    assert!(repeated[1..].iter().all(|step| clipped(step) > 0.0));
    assert!(
        repeated[1..]
            .iter()
            .all(|step| step.reward == repeated[0].reward)
    );
}

#[test]
fn without_updates_the_policy_is_the_reference_policy() {
    let (_, steps) = done(with(2, |grpo| {
        (grpo.beta, grpo.learning_rate) = (0.1, 0.0);
    }));
    assert!(steps.iter().all(|step| step.kl == Some(0.0)));
    let (_, steps) = done(with(3, |grpo| grpo.beta = 0.1));
    assert_eq!(steps[0].kl, Some(0.0));
    assert!(steps[2].kl.unwrap() > 0.0);
}

#[test]
fn a_kl_term_alone_pulls_the_policy_back_to_where_it_began() {
    let (away, _) = done(with(30, |grpo| grpo.learning_rate = 1e-3));
    let mut back = job(vec![member(Reward::Constant)], 70);
    (back.grpo.beta, back.grpo.learning_rate) = (1.0, 3e-4);
    back.from = Some(away.saved.checkpoint);
    let (_, steps) = done(back);
    let kl: Vec<f64> = steps.iter().filter_map(|step| step.kl).collect();
    // Prompts differ from step to step, and the optimiser arrives with its momentum: means, not single steps.
    let mean = |part: &[f64]| part.iter().sum::<f64>() / part.len() as f64;
    assert!(mean(&kl[30..]) < 0.5 * mean(&kl[..10]), "{kl:?}");
}

#[test]
fn filters_keep_their_share() {
    let first = |filter: Filter| done(with(1, |grpo| grpo.filter = filter)).1.remove(0);
    let none = first(Filter::None);
    assert_eq!(none.kept, 1.0);
    // One for a right answer, else nothing: a group without a contrast is all right or all wrong.
    let contrast = 1.0 - none.frac_reward_zero_std;
    assert!(contrast > 0.0 && contrast < 1.0, "{contrast}");
    let zero_variance = first(Filter::ZeroVariance);
    assert!((zero_variance.kept - contrast).abs() < 1e-12);
    let rejecting = first(Filter::ReinforceRej);
    assert_eq!(timeless(&[rejecting]), timeless(&[zero_variance]));
    let raft = first(Filter::Raft);
    assert!(raft.kept < contrast && raft.kept > 0.0);
    assert!(raft.loss < -0.9, "all advantages are 1: {}", raft.loss);
}

#[test]
fn sequence_level_ratios_train_and_differ_from_token_level() {
    let second = |level| {
        let (output, steps) = done(with(2, |grpo| {
            (grpo.num_iterations, grpo.importance_sampling_level) = (2, level);
            grpo.loss_type = LossType::Grpo;
        }));
        (output.saved, steps[0].grad_norm, steps[1].grad_norm)
    };
    let token = second(ImportanceSamplingLevel::Token);
    let sequence = second(ImportanceSamplingLevel::Sequence);
    // On policy the two are the same objective up to rounding.
    assert!((token.1 - sequence.1).abs() < 1e-4 * token.1);
    assert!(token.2 != sequence.2 && token.0 != sequence.0);
}

#[test]
fn impossible_rhythms_are_refused_with_the_arithmetic() {
    let problems = |change: fn(&mut GrpoConfig)| {
        let mut grpo = GrpoConfig::default();
        change(&mut grpo);
        grpo.problems().join("; ")
    };
    assert!(
        problems(|g| (g.steps_per_generation, g.num_iterations, g.sync_every) = (2, 2, 6))
            .contains("multiple")
    );
    assert_eq!(
        problems(|g| (g.steps_per_generation, g.num_iterations, g.sync_every) = (2, 2, 8)),
        ""
    );
    assert_eq!(
        problems(|g| (g.steps_per_generation, g.sync_every) = (4, 1)),
        ""
    );
    for (key, problem) in [
        ("sync_every", problems(|g| g.sync_every = 0)),
        ("num_iterations", problems(|g| g.num_iterations = 0)),
        (
            "steps_per_generation",
            problems(|g| g.steps_per_generation = 0),
        ),
        ("beta", problems(|g| g.beta = -0.1)),
        ("epsilon", problems(|g| g.epsilon = 1.0)),
        (
            "epsilon_high",
            problems(|g| g.epsilon_high = Some(f64::NAN)),
        ),
    ] {
        assert!(problem.starts_with(key), "{key}: {problem}");
    }
}

#[test]
fn a_step_shows_its_best_and_its_worst_completion() {
    let (_, steps) = done(with(1, |_| {}));
    let [best, worst] = &steps[0].samples[..] else {
        panic!("{:?}", steps[0].samples);
    };
    assert!(best.reward > worst.reward && best.correct && !worst.correct);
    assert!(best.prompt.starts_with("tom has") && best.completion.contains("<solution>"));
}
