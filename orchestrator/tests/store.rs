//! What the database itself guarantees, whoever writes to it.
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stderr, missing_docs)]

use evaluator::{BootstrapConfig, Evaluation, Split};
use orchestrator::{
    domain::{
        candidate::{CandidateId, NewCandidate, Origin, Status},
        decider::Decider,
        draft::Draft,
        figures::Figures,
        trial::{Arm, Failure, NewTrial, Stage, TrialId, TrialState},
        verdict::Evaluated,
    },
    store::{Begun, Judged, Proposed, Store, StoreError},
};
use sandbox::Source;
use serde_json::json;
use trainer_bridge::{Aggregation, StepMetrics};

async fn with_one_trial(
    folder: &tempfile::TempDir,
) -> (Store, orchestrator::store::SearchId, TrialId) {
    let (store, _lock) = Store::create_or_open(&folder.path().join("x.db"))
        .await
        .unwrap();
    let Begun::New(search) = store
        .begin("x", &json!({"a": 1}), "tiny", u64::MAX)
        .await
        .unwrap()
    else {
        panic!("the file is new")
    };
    assert_eq!(
        search.seed,
        u64::MAX,
        "seeds survive SQLite's signed integers"
    );
    let stage = Stage::Screen { rung: 0 };
    for _ in 0..2 {
        let trial = NewTrial {
            arm: Arm::Untouched,
            stage,
            seed: 7,
            steps: 3,
            from: None,
        };
        store.plan_trials(search.id, &[trial]).await.unwrap();
    }
    let trials = store.trials(search.id).await.unwrap();
    assert_eq!(trials.len(), 1, "a trial is planned once");
    (store, search.id, trials[0].id)
}

#[tokio::test]
async fn finished_trials_are_immutable_and_steps_append_only() {
    let folder = tempfile::tempdir().unwrap();
    let (store, search, trial) = with_one_trial(&folder).await;
    store.start_trial(trial, 0).await.unwrap();
    let step = StepMetrics {
        step: 1,
        ..StepMetrics::default()
    };
    store.record_step(trial, &step).await.unwrap();
    assert!(
        store.record_step(trial, &step).await.is_err(),
        "a step is recorded once"
    );
    let failure = Failure::NonFinite {
        step: 1,
        message: "its own fault".into(),
    };
    store.fail_trial(trial, &failure, 1.0).await.unwrap();
    let error = store.start_trial(trial, 0).await.unwrap_err();
    assert!(error.to_string().contains("immutable"), "{error}");
    assert!(
        store
            .prune_trial(trial, "another story", 1.0)
            .await
            .is_err()
    );
    let row = &store.trials(search).await.unwrap()[0];
    assert_eq!(row.state, TrialState::Failed(failure));
}

#[tokio::test]
async fn figures_and_deciders_come_back_as_they_were_to_the_last_bit() {
    let folder = tempfile::tempdir().unwrap();
    let (store, search, _) = with_one_trial(&folder).await;
    for seed in 1..=40 {
        let trial = NewTrial {
            arm: Arm::BaseOnly,
            stage: Stage::Confirm { seed },
            seed: u64::from(seed),
            steps: 3,
            from: None,
        };
        store.plan_trials(search, &[trial]).await.unwrap();
        let trial = store.trials(search).await.unwrap().pop().unwrap().id;
        let letters: Vec<u8> = (0..97u32)
            .map(|i| b"cwn"[(i * i * seed) as usize % 3])
            .collect();
        let evaluation = Evaluation::from_bytes(&letters).unwrap();
        let bootstrap = BootstrapConfig {
            seed: u64::from(seed),
            ..BootstrapConfig::default()
        };
        let mut figures = Figures::of(&evaluation, &bootstrap);
        // As awkward as numbers come: 17 digits, and far below one.
        figures.f1.standard_error /= 3.0 * f64::from(seed).exp2();
        let mut deciders = vec![Decider::Rule; letters.len()];
        deciders[seed as usize] = Decider::Model;
        let evaluated = Evaluated {
            evaluation: evaluation.clone(),
            deciders,
        };
        let judged = Judged {
            split: Split::Dev,
            evaluated: &evaluated,
            figures: &figures,
            completions: &[],
            seconds: 1.0,
        };
        store.complete_trial(trial, judged).await.unwrap();
        let stored = store.evaluation(trial).await.unwrap().unwrap();
        assert_eq!(stored.figures, Some(figures));
        assert_eq!(stored.evaluation, evaluation);
        assert_eq!((stored.verdicts.rule, stored.verdicts.asked), (96, 1));
        let all = store.snapshot().await.unwrap().evaluations;
        assert_eq!(all[&trial], stored);
    }
}

#[tokio::test]
async fn a_trial_cut_off_waits_again_and_goes_on_after_the_steps_it_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let (store, search, trial) = with_one_trial(&folder).await;
    assert_eq!(store.start_trial(trial, 0).await.unwrap(), 0);
    for step in 1..=3 {
        let metrics = StepMetrics {
            step,
            ..StepMetrics::default()
        };
        store.record_step(trial, &metrics).await.unwrap();
    }
    assert!(store.waiting_trials(search).await.unwrap().is_empty());
    store.requeue(search).await.unwrap();
    let waiting = store.waiting_trials(search).await.unwrap();
    assert_eq!((waiting.len(), waiting[0].attempts), (1, 1));

    let steps = async || -> Vec<u32> {
        let curves = store.curves(search).await.unwrap();
        let curve = curves.get(&trial).into_iter().flatten();
        curve.map(|metrics| metrics.step).collect()
    };
    assert_eq!(store.start_trial(trial, 2).await.unwrap(), 2);
    assert_eq!(steps().await, [1, 2], "the third will be done again");
    // Of a checkpoint that the database knows nothing of, nothing is believed.
    assert_eq!(store.start_trial(trial, 3).await.unwrap(), 0);
    assert!(steps().await.is_empty());
}

#[tokio::test]
async fn a_search_is_continued_only_with_its_own_configuration() {
    let folder = tempfile::tempdir().unwrap();
    let (store, ..) = with_one_trial(&folder).await;
    assert!(matches!(
        store
            .begin("x", &json!({"a": 1}), "tiny", u64::MAX)
            .await
            .unwrap(),
        Begun::Continued(_)
    ));
    let error = store
        .begin("x", &json!({"a": 2}), "tiny", 1)
        .await
        .unwrap_err();
    assert!(matches!(error, StoreError::OtherConfig { .. }));
    let told = error.to_string();
    for part in ["a is 1 there and 2 here", "--from"] {
        assert!(told.contains(part), "{told}");
    }
}

#[tokio::test]
async fn what_decides_no_figure_may_change_and_is_kept_with_its_time() {
    let folder = tempfile::tempdir().unwrap();
    let (store, _lock) = Store::create_or_open(&folder.path().join("x.db"))
        .await
        .unwrap();
    let config = |rounds: u32, model: &str, gate: bool| {
        json!({"search": {"rounds": rounds, "seed": 1, "seed_rewards": []},
               "proposer": {"kind": "chat", "model": model}, "screen": {"gate": gate}})
    };
    let begin = async |config| store.begin("x", &config, "tiny", 1).await;
    let Begun::New(search) = begin(config(2, "a", true)).await.unwrap() else {
        panic!("the file is new")
    };
    store.stop_rounds(search.id, "{}").await.unwrap();
    store.finish(search.id).await.unwrap();
    assert!(matches!(
        begin(config(2, "a", true)).await.unwrap(),
        Begun::Continued(search) if search.finished
    ));
    let Begun::Changed(search, changed) = begin(config(4, "b", true)).await.unwrap() else {
        panic!("two settings are others")
    };
    assert!(
        !search.finished && search.stop_reason.is_none(),
        "it is open again"
    );
    assert_eq!(changed.len(), 2);
    let changes = store.changes(search.id).await.unwrap();
    let told: Vec<String> = changes.iter().map(ToString::to_string).collect();
    assert!(
        told[0].ends_with(r#"after round 0: proposer.model was "a" and is "b""#),
        "{told:?}"
    );
    assert!(
        told[1].ends_with("search.rounds was 2 and is 4"),
        "{told:?}"
    );
    assert!(matches!(
        begin(config(4, "b", true)).await.unwrap(),
        Begun::Continued(_)
    ));
    let mut other = config(4, "b", true);
    other["search"]["seed"] = json!(2);
    other["search"]["rounds"] = json!(9);
    let error = begin(other).await.unwrap_err();
    assert!(
        error
            .to_string()
            .contains("search.seed is 1 there and 2 here"),
        "{error}"
    );
    assert_eq!(store.changes(search.id).await.unwrap().len(), 2);
}

#[tokio::test]
async fn a_mix_of_other_members_takes_the_name_and_the_earlier_one_stays() {
    let folder = tempfile::tempdir().unwrap();
    let (store, search, _) = with_one_trial(&folder).await;
    let candidates: Vec<NewCandidate> = ["a", "b", "c"].iter().map(|name| accepted(name)).collect();
    let proposed = Proposed {
        round: 1,
        candidates: &candidates,
        first_trial: &|id| NewTrial {
            arm: Arm::Candidate(id),
            stage: Stage::Screen { rung: 0 },
            seed: 7,
            steps: 3,
            from: None,
        },
    };
    store.record_round(search, proposed).await.unwrap();
    let mix = |ids: [i64; 2]| ids.map(|id| (CandidateId(id), 1.0));
    let ensure = async |ids, aggregation| {
        let mix = store
            .ensure_ensemble(search, "top-2", aggregation, &mix(ids))
            .await;
        mix.unwrap().id
    };
    let names = async || -> Vec<String> {
        let ensembles = store.ensembles(search).await.unwrap();
        ensembles.into_iter().map(|e| e.name).collect()
    };
    let sum = Aggregation::SumThenNormalize;
    let first = ensure([1, 2], sum).await;
    assert_eq!(ensure([1, 2], sum).await, first);
    let second = ensure([3, 1], sum).await;
    assert_eq!(names().await, ["top-2@1", "top-2"]);
    assert_eq!(ensure([3, 1], sum).await, second);
    assert_ne!(ensure([3, 1], Aggregation::NormalizeThenSum).await, second);
    assert_eq!(names().await, ["top-2@1", "top-2@2", "top-2"]);
    assert_eq!(ensure([1, 2], sum).await, first, "it is what it was");
    assert_eq!(names().await, ["top-2", "top-2@2", "top-2@3"]);
}

fn accepted(name: &str) -> NewCandidate {
    NewCandidate {
        origin: Origin::Round(1),
        draft: Draft {
            name: name.to_owned(),
            source: Source::rust(name),
            rationale: String::new(),
            parents: Vec::new(),
        },
        sha256: name.to_owned(),
        status: Status::Accepted,
        wasm: Some(vec![0]),
        probe: None,
    }
}
