//! The trainer that submits jobs to Ray, against a cluster that is a server of this process. What goes wrong there is in `ray_trouble`.
#![cfg(unix)]

use std::{
    fs,
    io::Cursor,
    ops::ControlFlow,
    sync::Arc,
    time::{Duration, Instant},
};

use trainer_bridge::{
    Checkpoint, ClusterConfig, Ended, Event, RunId, TrainError, TrainJob, Trainer, TrainerConfig,
    TrlConfig,
};

use crate::{
    cluster::{Act, FakeCluster},
    jobs::{self, Reward, follow, member, try_build},
};

/// The id of a job that an earlier process submitted after a step.
pub fn earlier(step: u32) -> RunId {
    RunId(format!("reward-search-0123456789ab-{step}-0a0b0c0d"))
}

pub fn hello() -> Act {
    Act::Says(
        r#"{"t":"hello","protocol":1,"pid":1,"versions":{"python":"3.11.7","torch":"2.15.0","transformers":"5.23.0","trl":"1.16.0","peft":"0.21.2","datasets":"5.2.0","accelerate":"1.15.0"}}"#
            .to_owned(),
    )
}

pub fn says(line: &str) -> Act {
    Act::Says(line.to_owned())
}

pub fn step(number: u32) -> Act {
    Act::Says(format!(
        r#"{{"t":"step","metrics":{{"step":{number},"reward":0.5,"member_rewards":[0.5]}}}}"#
    ))
}

/// A checkpoint that comes in the log, and the line that tells of it.
pub fn left(what: &str, number: u32, more: &str) -> Vec<Act> {
    // "state"
    vec![
        says(&format!(
            r#"{{"t":"part","path":"w/{number}.tar","data":"c3RhdGU="}}"#
        )),
        says(&format!(
            r#"{{"t":"{what}","step":{number},"checkpoint":"w/{number}.tar","adapter":null{more}}}"#
        )),
    ]
}

pub fn done(number: u32) -> Vec<Act> {
    let mut acts = left("done", number, r#","completions":["a","b"]"#);
    acts.push(Act::Ends(
        "SUCCEEDED",
        "Job finished successfully.",
        None,
        Some(0),
    ));
    acts
}

pub fn play(acts: &[Vec<Act>]) -> Vec<Act> {
    acts.concat()
}

pub fn config(cluster: &FakeCluster) -> TrlConfig {
    TrlConfig {
        silence_s: 20,
        stop_s: 1,
        cluster: Some(ClusterConfig {
            address: cluster.url(),
            gpus: 0.0,
            // Instead of a test's own program of many megabytes.
            program: Some("/opt/reward-search".into()),
            poll_ms: 100,
            lease_s: 5,
            queue_s: 2,
            unreachable_s: 5,
            ..ClusterConfig::default()
        }),
        ..TrlConfig::default()
    }
}

pub fn with(config: TrlConfig, change: impl FnOnce(&mut ClusterConfig)) -> TrlConfig {
    let mut config = config;
    change(config.cluster.as_mut().unwrap());
    config
}

pub fn trainer(config: &TrlConfig) -> Arc<dyn Trainer> {
    try_build(&TrainerConfig::Ray(config.clone())).unwrap()
}

pub fn job(until_step: u32) -> TrainJob {
    jobs::job(vec![member(Reward::Exact)], until_step)
}

pub fn run(config: &TrlConfig) -> Result<Ended, TrainError> {
    follow(
        &*trainer(config),
        job(3),
        &mut |_| ControlFlow::Continue(()),
    )
}

pub fn fails(config: &TrlConfig) -> TrainError {
    match run(config) {
        Err(error) => error,
        Ok(ended) => panic!("{ended:?}"),
    }
}

/// The error of a job that does this.
pub fn ends(acts: Vec<Act>) -> TrainError {
    fails(&config(&FakeCluster::that_plays([acts])))
}

#[test]
fn a_run_is_a_job_of_packages_that_are_uploaded_once() {
    let whole = || {
        play(&[
            vec![Act::Prints("Loading weights: 40%"), hello(), step(1)],
            left("saved", 1, ""),
            vec![step(2), step(3)],
            done(3),
        ])
    };
    // Any variable will do whose value is known; tests do not set any.
    let token = std::env::var("PATH").unwrap();
    let cluster = FakeCluster::that_plays([whole(), whole()]).with_token(token.trim());
    let config = with(config(&cluster), |c| c.token_env = Some("PATH".to_owned()));
    let trainer = trainer(&config);
    let (mut steps, mut saved) = (Vec::new(), Vec::new());
    let mut on_event = |event: Event| {
        match event {
            Event::Step(metrics) => steps.push(metrics.step),
            Event::Saved(at) => saved.push(at.checkpoint),
        }
        ControlFlow::Continue(())
    };
    let ended = follow(&*trainer, job(3), &mut on_event);
    let Ok(Ended::Done(output)) = ended else {
        panic!("{ended:?}");
    };
    assert_eq!(output.completions, ["a", "b"]);
    assert_eq!(output.saved.checkpoint.bytes(), Some(b"state".as_slice()));
    assert_eq!(
        (steps, saved),
        (vec![1, 2, 3], vec![Checkpoint::of_bytes(1, *b"state")])
    );
    let again = follow(&*trainer, job(3), &mut |_| ControlFlow::Continue(()));
    assert!(matches!(again, Ok(Ended::Done(_))), "{again:?}");
    let state = cluster.state();
    let uploads = state
        .seen
        .iter()
        .filter(|line| line.starts_with("PUT") && !line.contains("_lease_"));
    assert_eq!(
        uploads.count(),
        3,
        "the worker once, each job once: {:#?}",
        state.seen
    );
    let (id, played) = state.jobs.iter().next().unwrap();
    assert!(
        id.starts_with("reward-search-") && id.contains("-0-"),
        "{id}"
    );
    let env = &played.submission["runtime_env"];
    let package = |uri: &serde_json::Value| {
        let name = uri.as_str().unwrap().strip_prefix("gcs://").unwrap();
        zip::ZipArchive::new(Cursor::new(state.packages[name].clone())).unwrap()
    };
    assert!(
        package(&env["py_modules"][0])
            .by_name("reward_search/worker/leased.py")
            .is_ok()
    );
    let mut own = package(&env["working_dir"]);
    let given: TrainJob = serde_json::from_reader(own.by_name("job.json").unwrap()).unwrap();
    assert_eq!(given, job(3));
    let start: serde_json::Value =
        serde_json::from_reader(own.by_name("start.json").unwrap()).unwrap();
    assert_eq!(
        (&start["job"], &start["work"]),
        (&"job.json".into(), &"".into())
    );
    assert_eq!(
        (&start["program"], &start["settings"]["model"]),
        (&"/opt/reward-search".into(), &"model".into())
    );
    assert_eq!(start["lease"]["seconds"], 5);
    assert!(own.by_name("model/model.safetensors").is_ok());
    assert!(
        state.leases.keys().any(|name| name.contains(id)),
        "its lease was renewed"
    );
}

#[test]
fn a_job_that_goes_on_is_taken_over() {
    let acts = play(&[
        vec![hello(), step(3)],
        left("saved", 3, ""),
        vec![step(4)],
        done(5),
    ]);
    let id = earlier(2);
    let cluster = FakeCluster::that_plays([]).with_job(&id.0, acts);
    let trainer = trainer(&config(&cluster));
    let mut rest = job(5);
    rest.from = Some(Checkpoint::of_bytes(3, *b"state"));
    jobs::wait(async {
        let mut run = trainer.attach(&id, &rest).await.unwrap().unwrap();
        let mut steps = Vec::new();
        while let Some(event) = run.event().await {
            match event {
                Event::Step(metrics) => steps.push(metrics.step),
                Event::Saved(saved) => panic!("it is known: {saved:?}"),
            }
        }
        assert_eq!(steps, [4]);
        let ended = run.result().await;
        assert!(matches!(ended, Ok(Ended::Done(_))), "{ended:?}");
        // It has come to its end, and says so again.
        let again = trainer.attach(&id, &rest).await.unwrap().unwrap();
        assert!(matches!(again.result().await, Ok(Ended::Done(_))));
    });
    assert_eq!(cluster.saw("POST /api/jobs/ "), 0);
}

#[test]
fn what_is_of_no_use_is_not_taken_over() {
    let dead = vec![
        hello(),
        step(1),
        Act::Ends("FAILED", "node died", None, None),
    ];
    let (failed, ahead) = (
        earlier(0),
        RunId("reward-search-ffffffffffff-2-00000000".to_owned()),
    );
    let cluster = FakeCluster::that_plays([])
        .with_job(&failed.0, dead)
        .with_job(&ahead.0, vec![Act::Hangs]);
    let trainer = trainer(&config(&cluster));
    jobs::wait(async {
        for _ in 0..3 {
            // It is looked at until it is over.
            let found = trainer.attach(&failed, &job(3)).await.unwrap();
            drop(found);
        }
        assert!(trainer.attach(&failed, &job(3)).await.unwrap().is_none());
        assert!(
            trainer
                .attach(&earlier(7), &job(9))
                .await
                .unwrap()
                .is_none()
        );
        assert!(trainer.attach(&ahead, &job(3)).await.unwrap().is_none());
        assert!(
            trainer
                .attach(&RunId("1234-1".to_owned()), &job(3))
                .await
                .unwrap()
                .is_none()
        );
    });
    assert_eq!(
        cluster.state().stopped,
        [ahead.0],
        "it begins past what is known"
    );
}

#[test]
fn a_run_that_is_stopped_is_asked_first() {
    let stop = |stop_s: u64, acts: Vec<Act>| {
        let cluster = FakeCluster::that_plays([acts]);
        let config = TrlConfig {
            stop_s,
            ..config(&cluster)
        };
        let ended = follow(&*trainer(&config), job(3), &mut |event| match event {
            Event::Step(step) if step.step == 2 => ControlFlow::Break(()),
            _ => ControlFlow::Continue(()),
        });
        let stopped = cluster.state().stopped.len();
        (ended, stopped)
    };
    let whole = play(&[
        vec![hello(), step(1), step(2), Act::AwaitsStop],
        left("stopped", 2, ""),
    ]);
    let (ended, kills) = stop(20, whole);
    assert!(
        matches!(&ended, Ok(Ended::Stopped(saved)) if saved.checkpoint.step == 2),
        "{ended:?}"
    );
    assert_eq!(kills, 0);
    let stubborn = play(&[
        vec![hello(), step(1)],
        left("saved", 1, ""),
        vec![
            step(2),
            Act::AwaitsKill,
            Act::Ends("STOPPED", "Job was intentionally stopped.", None, None),
        ],
    ]);
    let (deaf, kills) = stop(1, stubborn);
    assert!(
        matches!(&deaf, Ok(Ended::Stopped(saved)) if saved.checkpoint.step == 1),
        "{deaf:?}"
    );
    assert_eq!(kills, 1);
}

#[test]
fn a_run_that_nobody_waits_for_loses_its_lease_and_is_left_alone() {
    let cluster = FakeCluster::that_plays([vec![hello(), step(1), Act::Hangs]]);
    let trainer = trainer(&config(&cluster));
    jobs::wait(async {
        let mut run = trainer.start(job(3)).await.unwrap();
        assert!(run.event().await.is_some());
        drop(run);
        tokio::time::sleep(Duration::from_secs(1)).await;
    });
    let renewed = cluster.state().renewed.unwrap();
    std::thread::sleep(Duration::from_secs(2));
    assert_eq!(cluster.state().renewed, Some(renewed));
    assert!(
        renewed < Instant::now() && cluster.state().stopped.is_empty(),
        "another process may take it over"
    );
}

#[test]
fn what_is_large_goes_by_a_shared_folder() {
    let folder = tempfile::tempdir().unwrap();
    // The id is not known before: the file that the worker tells of is written when the job is there.
    let cluster = FakeCluster::that_plays([vec![hello(), Act::Hangs]]);
    let shared = with(config(&cluster), |c| {
        c.shared = Some("/nodes".into());
        c.shared_here = Some(folder.path().to_owned());
    });
    let trainer = trainer(&shared);
    let mut rest = job(3);
    rest.from = Some(Checkpoint::of_bytes(2, *b"from"));
    let run = jobs::wait(async {
        let run = trainer.start(rest).await.unwrap();
        let own = folder.path().join(&run.id().0);
        for _ in 0..200 {
            if own.join("lease").exists() && cluster.state().jobs.contains_key(&run.id().0) {
                break;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        assert_eq!(fs::read(own.join("from.tar")).unwrap(), b"from");
        fs::write(own.join("3.tar"), "shared state").unwrap();
        let id = &run.id().0;
        let done = format!(
            r#"{{"t":"done","step":3,"checkpoint":"/nodes/{id}/3.tar","adapter":null,"completions":[]}}"#
        );
        cluster.state().act(id, vec![Act::Says(done)]);
        let gone = own.clone();
        let ended = run.result().await;
        assert!(!gone.exists(), "nothing is left behind");
        ended
    });
    let Ok(Ended::Done(output)) = run else {
        panic!("{run:?}");
    };
    assert_eq!(
        output.saved.checkpoint.bytes(),
        Some(b"shared state".as_slice())
    );
    assert!(
        cluster.state().leases.is_empty(),
        "the lease is a file, too"
    );
}
