//! The seam: what crosses to a trainer is data, a run can be stopped and saved on its way, and one scorer serves everybody.

use std::{ops::ControlFlow, process::Command, sync::Arc};

use sandbox::{Fault, Verdict};
use trainer_bridge::{
    Aggregation, Ended, Event, FakeConfig, GrpoConfig, JudgeError, JudgeRollouts, RewardMember,
    Rollout, ScaleRewards, Score, ScoreError, TrainError, TrainJob, TrainerConfig,
};

use crate::jobs::{
    Reward, compile, follow, job, judge, member, mix, run, scoring, trainer, try_build,
};

/// Names the file of a job to a copy of this program that is to train it, and the folder for what comes out.
const JOB: &str = "REWARD_SEARCH_TEST_JOB";

fn awkward_job() -> TrainJob {
    let mut job = job(vec![member(Reward::Exact)], 3);
    // Numbers of seventeen digits; the last two are read one bit off by a parser that is fast and not exact.
    job.grpo.learning_rate = 0.001_674_703_073_473_685_7;
    job.mix.members[0].weight = 0.012_088_995_980_580_643;
    job.seed = u64::MAX;
    job
}

/// Trains the job in a file, when another test starts this program for it.
#[test]
fn trains_the_job_it_is_handed() {
    let Some(path) = std::env::var_os(JOB) else {
        return;
    };
    let text = std::fs::read_to_string(&path).unwrap();
    let job: TrainJob = serde_json::from_str(&text).unwrap();
    let digest = job.digest();
    let output = run(&*trainer(1), job).0.unwrap();
    let left = serde_json::json!({
        "digest": digest, "checkpoint": output.saved.checkpoint, "completions": output.completions,
    });
    std::fs::write(path.to_str().unwrap().to_owned() + ".out", left.to_string()).unwrap();
}

#[test]
fn a_job_written_by_one_process_and_trained_by_another_gives_the_same_bits() {
    let job = awkward_job();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("job.json");
    std::fs::write(&path, serde_json::to_string_pretty(&job).unwrap()).unwrap();
    let child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "seam::trains_the_job_it_is_handed"])
        .env(JOB, &path)
        .output()
        .unwrap();
    assert!(child.status.success(), "{child:?}");
    let text = std::fs::read_to_string(folder.path().join("job.json.out")).unwrap();
    let there: serde_json::Value = serde_json::from_str(&text).unwrap();
    let digest = job.digest();
    let here = run(&*trainer(2), job).0.unwrap();
    assert_eq!(there["digest"], digest);
    assert_eq!(there["completions"], serde_json::json!(here.completions));
    let checkpoint = serde_json::to_value(&here.saved.checkpoint).unwrap();
    assert!(there["checkpoint"] == checkpoint, "not the same bits");
    let back = serde_json::from_value(checkpoint).unwrap();
    assert!(here.saved.checkpoint == back, "a checkpoint is data, too");
}

#[test]
fn equal_jobs_have_equal_digests_and_others_others() {
    let (one, mut other) = (awkward_job(), awkward_job());
    assert_eq!(one.digest(), other.digest());
    assert_eq!(one.digest().len(), 64);
    let unequal: [&dyn Fn(&mut TrainJob); 5] = [
        &|job| job.seed -= 1,
        &|job| job.mix.members[0].weight = 0.3,
        &|job| job.mix.members[0].module = member(Reward::Constant).module,
        &|job| job.examples[3].question.push('?'),
        &|job| job.judge.0["kind"] = "another".into(),
    ];
    for (place, change) in unequal.iter().enumerate() {
        other = awkward_job();
        change(&mut other);
        assert_ne!(one.digest(), other.digest(), "change {place}");
    }
    let stray = serde_json::to_string(&one)
        .unwrap()
        .replacen("{", r#"{"priority":1,"#, 1);
    let error = serde_json::from_str::<TrainJob>(&stray).unwrap_err();
    assert!(error.to_string().contains("priority"), "{error}");
}

#[test]
fn checkpoints_on_the_way_are_those_of_shorter_runs_and_change_nothing() {
    let trainer = trainer(1);
    // Step 3 lies within a batch, whose sampling policy the checkpoint must hold.
    let semi_online = |until_step| {
        let mut job = job(vec![member(Reward::Exact)], until_step);
        job.grpo.sync_every = 2;
        job
    };
    let mut saved = Vec::new();
    let mut saving = semi_online(4);
    saving.save_every = Some(1);
    let ended = follow(&*trainer, saving, &mut |event| {
        if let Event::Saved(at) = event {
            saved.push(at);
        }
        ControlFlow::Continue(())
    });
    let Ok(Ended::Done(output)) = ended else {
        panic!("{ended:?}");
    };
    assert!(output == run(&*trainer, semi_online(4)).0.unwrap());
    let steps: Vec<u32> = saved.iter().map(|at| at.checkpoint.step).collect();
    assert_eq!(steps, [1, 2, 3], "the last one is part of the result");
    for at in saved {
        let step = at.checkpoint.step;
        assert!(at == run(&*trainer, semi_online(step)).0.unwrap().saved);
        let mut rest = semi_online(4);
        rest.from = Some(at.checkpoint);
        assert!(
            run(&*trainer, rest).0.unwrap() == output,
            "from step {step}"
        );
    }
}

#[test]
fn a_run_that_is_stopped_ends_early_and_can_go_on() {
    let fake = TrainerConfig::Fake(FakeConfig {
        step_ms: 5,
        fails_at_step: None,
    });
    for trainer in [trainer(1), try_build(&fake).unwrap()] {
        let exact = || job(vec![member(Reward::Exact)], 40);
        let mut steps = Vec::new();
        let ended = follow(&*trainer, exact(), &mut |event| {
            let Event::Step(step) = event else {
                return ControlFlow::Continue(());
            };
            steps.push(step.step);
            if step.step == 2 {
                ControlFlow::Break(())
            } else {
                ControlFlow::Continue(())
            }
        });
        let Ok(Ended::Stopped(saved)) = ended else {
            panic!("{ended:?}");
        };
        let step = saved.checkpoint.step;
        assert!((2..10).contains(&step), "stopped after step {step}");
        assert_eq!(steps, (1..=step).collect::<Vec<_>>());
        let mut rest = exact();
        (rest.from, rest.until_step) = (Some(saved.checkpoint), step + 1);
        let mut straight = exact();
        straight.until_step = step + 1;
        let (rest, straight) = (run(&*trainer, rest).0, run(&*trainer, straight).0);
        assert!(rest.unwrap() == straight.unwrap());
    }
}

#[test]
fn the_kind_of_judge_is_none_of_a_trainers_business_but_an_unknown_one_is_named() {
    let mut unknown = job(vec![member(Reward::Exact)], 1);
    unknown.judge.0["kind"] = "oracle".into();
    match run(&*trainer(1), unknown).0 {
        Err(TrainError::Setup(why)) => assert!(why.contains("oracle"), "{why}"),
        other => panic!("{other:?}"),
    }
}

fn rollout<'a>(answer: &'a str, completion: &'a str) -> Rollout<'a> {
    Rollout {
        row: "",
        prompt: "p",
        question: "q",
        answer,
        completion,
    }
}

fn weighted(name: &str, weight: f64, code: &str) -> RewardMember {
    RewardMember {
        name: name.into(),
        module: compile(code),
        weight,
    }
}

#[test]
fn a_scorer_sums_as_its_mix_says() {
    let right = weighted(
        "right",
        1.0,
        "pub fn reward(s: &Sample) -> f64 { if s.correct() { 1.0 } else { 0.0 } }",
    );
    let long = weighted(
        "long",
        -0.5,
        "pub fn reward(s: &Sample) -> f64 { s.completion().len() as f64 }",
    );
    let texts = [
        "<solution> 7 ",
        "<solution> 8 !",
        "7",
        "<solution> 7 ......",
    ];
    let rollouts = texts.map(|text| rollout("7", text));
    let mut mix = mix(vec![right, long]);
    let scored = |mix: &_| {
        let scorer = scoring().scorer(mix, &judge()).unwrap();
        scorer.score(&rollouts).unwrap()
    };
    let plain = scored(&mix);
    let correct: Vec<bool> = plain
        .verdicts
        .iter()
        .map(|verdict| verdict.correct)
        .collect();
    assert_eq!(correct, [true, false, false, true]);
    assert_eq!(plain.totals, [1.0 - 6.5, -7.0, -0.5, 1.0 - 9.5]);
    assert_eq!(plain.sums(2), plain.totals);
    mix.aggregation = Aggregation::NormalizeThenSum;
    let normalized = scored(&mix);
    assert_eq!(normalized.totals, plain.totals, "for people");
    // Each reward of a group of two is 1/sqrt(2) of its standard deviation from the mean (and the constant 1e-4 away).
    let half = 0.5_f64.sqrt();
    for (sum, expected) in normalized.sums(2).iter().zip([1.5, -1.5, -0.5, 0.5]) {
        assert!((sum - expected * half).abs() < 1e-3, "{sum} {expected}");
    }
    // What a trainer that knows of one reward makes of the sums by normalising over the batch are the mix's advantages.
    let advantages = normalized.advantages(ScaleRewards::Group, 2).values;
    let sums = normalized.sums(2);
    let std = (sums.iter().map(|sum| sum * sum).sum::<f64>() / 3.0).sqrt();
    for (advantage, sum) in advantages.iter().zip(sums) {
        assert!((advantage - sum / (std + 1e-4)).abs() < 1e-12);
    }
}

#[test]
fn a_fault_names_the_member_and_a_sum_too_large_is_one() {
    let huge = "pub fn reward(_s: &Sample) -> f64 { 1e308 }";
    let members = vec![weighted("one", 1.0, huge), weighted("two", 1.0, huge)];
    let scorer = scoring().scorer(&mix(members), &judge()).unwrap();
    match scorer.score(&[rollout("7", "x")]) {
        Err(ScoreError::Fault {
            member,
            fault: Fault::NotFinite { index: 0 },
        }) => assert_eq!(member, "two"),
        other => panic!("{other:?}"),
    }
    let broken = RewardMember {
        name: "broken".into(),
        module: sandbox::Module::from_bytes(*b"\0asm none"),
        weight: 1.0,
    };
    let mut job = job(vec![broken], 1);
    job.grpo = GrpoConfig::default();
    match run(&*trainer(1), job).0 {
        Err(TrainError::Unloadable { member, .. }) => assert_eq!(member, "broken"),
        other => panic!("{other:?}"),
    }
}

/// Has a verdict too few.
struct Careless;

impl JudgeRollouts for Careless {
    fn judge(&self, rollouts: &[Rollout<'_>]) -> Result<Vec<Verdict>, JudgeError> {
        let wrong = Verdict {
            correct: false,
            extracted: None,
        };
        Ok(vec![wrong; rollouts.len() - 1])
    }
}

#[test]
fn every_rollout_needs_a_verdict() {
    let scorer = scoring().scorer_judged_by(&mix(Vec::new()), Arc::new(Careless));
    let error = scorer.unwrap().score(&[rollout("7", "x")]).unwrap_err();
    assert!(error.to_string().contains("0 verdicts for 1"), "{error}");
}
