//! The trainer that drives TRL, against workers that are scripts: they speak the lines of the real one and know nothing of torch. Every way
//! a worker can go wrong is provoked.
#![cfg(unix)]

use std::{
    fs,
    io::Write as _,
    ops::ControlFlow,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::Arc,
    time::{Duration, Instant},
};

use sandbox::Fault;
use trainer_bridge::{
    Bytes, Checkpoint, Ended, Event, Filter, GrpoConfig, Location, LossType, TrainError, TrainJob,
    Trainer, TrainerConfig, TrlConfig,
};

use crate::jobs::{self, Reward, follow, member, try_build};

/// What an interpreter says that has everything.
const LOOK: &str = r#"{"python": "3.11.7", "executable": "AT", "packages": {"torch": "2.15.0", "transformers": "5.23.0", "trl": "TRL",
 "peft": "0.21.2", "datasets": "5.2.0", "accelerate": "1.15.0"}}"#;
/// What every script begins with: it answers what it is, greets, and reads what it is to do into `$start` and `$work`.
const BEGIN: &str = r#"
tell() { printf '%s\n' "$1"; }
tell '{"t":"hello","protocol":1,"pid":1}'
read -r start
work=$(printf '%s' "$start" | sed 's/.*"work":"\([^"]*\)".*/\1/')
job=$(printf '%s' "$start" | sed 's/.*"job":"\([^"]*\)".*/\1/')
step() { tell "{\"t\":\"step\",\"metrics\":{\"step\":$1,\"reward\":0.5,\"member_rewards\":[0.5]}}"; }
left() { printf 'state of %s' "$1" > "$work/checkpoint-$1.tar"; printf '"step":%s,"checkpoint":"%s/checkpoint-%s.tar","adapter":null' "$1" "$work" "$1"; }
"#;

/// An interpreter that is a script.
struct Scripted {
    folder: tempfile::TempDir,
    config: TrlConfig,
}

fn scripted(script: &str) -> Scripted {
    scripted_with("1.16.0", &format!("{BEGIN}{script}"))
}

fn scripted_with(trl: &str, script: &str) -> Scripted {
    let folder = tempfile::tempdir().unwrap();
    let python = folder.path().join("python");
    let look = LOOK
        .replace("TRL", trl)
        .replace("AT", &python.display().to_string());
    let text = format!(
        "#!/bin/sh\nif [ \"$1\" = -I ]; then cat <<'END'\n{look}\nEND\nexit 0\nfi\n{script}\n"
    );
    write_program(&python, &text);
    let config = TrlConfig {
        python: Some(python),
        devices: Vec::new(),
        silence_s: 20,
        stop_s: 1,
        ..TrlConfig::default()
    };
    Scripted { folder, config }
}

/// Writes a program by another process: one that this process still had open could not be run while another thread of it forks.
fn write_program(path: &Path, text: &str) {
    let mut shell = Command::new("sh")
        .args(["-c", "cat > \"$0\" && chmod +x \"$0\""])
        .arg(path)
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    let written = shell.stdin.take().unwrap().write_all(text.as_bytes());
    assert!(written.is_ok() && shell.wait().unwrap().success());
}

impl Scripted {
    fn trainer(&self) -> Arc<dyn Trainer> {
        try_build(&TrainerConfig::Trl(self.config.clone())).unwrap()
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn run(&self) -> Result<Ended, TrainError> {
        follow(&*self.trainer(), job(3), &mut |_| ControlFlow::Continue(()))
    }

    fn fails(&self) -> TrainError {
        match self.run() {
            Err(error) => error,
            Ok(ended) => panic!("{ended:?}"),
        }
    }
}

fn job(until_step: u32) -> TrainJob {
    jobs::job(vec![member(Reward::Exact)], until_step)
}

fn state(checkpoint: &Checkpoint) -> String {
    String::from_utf8(checkpoint.bytes().unwrap().to_vec()).unwrap()
}

#[test]
fn a_run_tells_its_steps_and_leaves_its_completions_and_its_state() {
    let worker = scripted(
        r#"cp "$job" "$(dirname "$0")/job.json"; printf '%s' "$start" > "$(dirname "$0")/start.json"; env > "$(dirname "$0")/env"
tell '{"t":"phase","what":"training"}'; tell '{"t":"a newer kind of line"}'
step 1; tell "{\"t\":\"saved\",$(left 1)}"; step 2
tell "{\"t\":\"done\",\"completions\":[\"a\",\"b\"],$(left 3)}""#,
    );
    let (mut steps, mut saved) = (Vec::new(), Vec::new());
    let ended = follow(&*worker.trainer(), job(3), &mut |event| {
        match event {
            Event::Step(metrics) => steps.push(metrics.step),
            Event::Saved(at) => saved.push((at.checkpoint.step, state(&at.checkpoint))),
        }
        ControlFlow::Continue(())
    });
    let Ok(Ended::Done(output)) = ended else {
        panic!("{ended:?}");
    };
    assert_eq!(steps, [1, 2]);
    assert_eq!(saved, [(1, "state of 1".to_owned())]);
    assert_eq!(output.completions, ["a", "b"]);
    assert_eq!(state(&output.saved.checkpoint), "state of 3");
    // The job it was given is the job; the rates of its steps came with it.
    let given: TrainJob =
        serde_json::from_slice(&fs::read(worker.path("job.json")).unwrap()).unwrap();
    assert_eq!(given, job(3));
    let start: serde_json::Value =
        serde_json::from_slice(&fs::read(worker.path("start.json")).unwrap()).unwrap();
    assert_eq!(
        start["learning_rates"],
        serde_json::json!([5e-4, 1e-3, 1e-3])
    );
    assert_eq!(start["settings"]["device"], "cpu");
    let env = fs::read_to_string(worker.path("env")).unwrap();
    assert!(
        env.contains("CUDA_VISIBLE_DEVICES=\n") && env.contains("PYTHONPATH="),
        "{env}"
    );
    let work = PathBuf::from(start["work"].as_str().unwrap());
    assert!(!work.exists(), "nothing is left behind");
}

#[test]
fn a_run_goes_on_from_the_state_that_an_earlier_one_left() {
    let worker = scripted(
        r#"from=$(grep -o '"folder":"[^"]*"' "$job" | sed 's/"folder":"\(.*\)"/\1/')
tell "{\"t\":\"done\",\"completions\":[\"$(cat "$from")\"],$(left 3)}""#,
    );
    let mut rest = job(3);
    rest.from = Some(Checkpoint {
        step: 2,
        at: Location::Bytes(Bytes(b"as it was".as_slice().into())),
    });
    let ended = follow(&*worker.trainer(), rest, &mut |_| ControlFlow::Continue(()));
    let Ok(Ended::Done(output)) = ended else {
        panic!("{ended:?}");
    };
    assert_eq!(output.completions, ["as it was"]);
}

#[test]
fn a_fault_of_the_reward_is_the_candidates_own() {
    let worker = scripted(
        r#"tell '{"t":"error","kind":"reward","step":2,"message":"m","reward":"exact","fault":{"kind":"trap","index":4,"message":"sample 4: panicked"}}'; exit 3"#,
    );
    let error = worker.fails();
    assert!(error.fails_the_trial());
    match error {
        TrainError::Reward {
            member,
            step: 2,
            fault: Fault::Trap { index: 4, message },
        } => assert_eq!((member.as_str(), message.as_str()), ("exact", "panicked")),
        other => panic!("{other:?}"),
    }
}

#[test]
fn what_cannot_work_and_what_runs_out_are_told_apart() {
    let told = |kind: &str| {
        let line = format!(
            r#"{{"t":"error","kind":"{kind}","step":2,"message":"so it is","what":"gradient"}}"#
        );
        scripted(&format!("tell '{line}'; exit 3")).fails()
    };
    let lost = told("non_finite");
    assert!(lost.fails_the_trial(), "{lost}");
    assert!(
        lost.to_string()
            .starts_with("gradient is not finite at step 2"),
        "{lost}"
    );
    assert!(matches!(told("out_of_memory"), TrainError::OutOfMemory(why) if why == "so it is"));
    assert!(matches!(told("cuda_missing"), TrainError::Setup(why) if why == "so it is"));
    assert!(matches!(told("setup"), TrainError::Setup(_)));
    assert!(matches!(told("checkpoint"), TrainError::Checkpoint(_)));
    assert!(matches!(told("unknown"), TrainError::Host(_)));
}

#[test]
fn a_worker_that_is_killed_is_worth_another_try() {
    let killed = scripted("step 1; kill -9 $$").fails();
    let told = killed.to_string();
    assert!(matches!(killed, TrainError::Host(_)));
    assert!(
        told.contains("signal 9")
            && told.contains("after step 1")
            && told.contains("memory ran out"),
        "{told}"
    );
    let torn = scripted(r#"step 1; printf '{"t":"st'; kill -9 $$"#).fails();
    assert!(
        matches!(&torn, TrainError::Host(why) if why.contains("while it wrote a line")),
        "{torn}"
    );
    let quit = scripted("step 1; echo 'RuntimeError: lost' >&2; exit 4").fails();
    assert!(
        matches!(&quit, TrainError::Host(why) if why.contains("exit status: 4") && why.contains("RuntimeError: lost")),
        "{quit}"
    );
}

#[test]
fn a_worker_that_hangs_is_killed_with_all_that_it_started() {
    let mut worker = scripted(
        r#"step 1; sleep 300 & echo $! > "$(dirname "$0")/child"; tell '{"t":"phase","what":"sleeping"}'; wait"#,
    );
    worker.config.silence_s = 1;
    let since = Instant::now();
    let hung = worker.fails();
    assert!(since.elapsed() < Duration::from_secs(60));
    assert!(
        matches!(&hung, TrainError::Host(why) if why.contains("for 1 seconds after step 1 (sleeping)")),
        "{hung}"
    );
    let child = fs::read_to_string(worker.path("child")).unwrap();
    assert_is_gone(child.trim());
}

/// Whether a process is gone or only waits to be reaped.
fn assert_is_gone(id: &str) {
    let state = || fs::read_to_string(format!("/proc/{id}/stat")).unwrap_or_default();
    for _ in 0..200 {
        let state = state();
        if state.is_empty() || state.contains(") Z") {
            return;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    panic!("{}", state());
}

#[test]
fn a_run_that_is_stopped_ends_gracefully_or_else_is_killed() {
    let stop = |script: &str| {
        let worker = scripted(script);
        let ended = follow(&*worker.trainer(), job(3), &mut |event| match event {
            Event::Step(step) if step.step == 2 => ControlFlow::Break(()),
            _ => ControlFlow::Continue(()),
        });
        drop(worker);
        ended
    };
    let graceful = stop(r#"step 1; step 2; read -r stop; tell "{\"t\":\"stopped\",$(left 2)}""#);
    let Ok(Ended::Stopped(saved)) = graceful else {
        panic!("{graceful:?}");
    };
    assert_eq!(state(&saved.checkpoint), "state of 2");
    // One that does not listen: what it saved last is what is left.
    let deaf = stop(r#"step 1; tell "{\"t\":\"saved\",$(left 1)}"; step 2; sleep 300"#);
    let Ok(Ended::Stopped(saved)) = deaf else {
        panic!("{deaf:?}");
    };
    assert_eq!(state(&saved.checkpoint), "state of 1");
    let nothing = stop("step 2; sleep 300");
    assert!(matches!(nothing, Err(TrainError::Host(_))), "{nothing:?}");
}

#[test]
fn a_run_that_nobody_waits_for_ends() {
    let worker = scripted(r#"echo $$ > "$(dirname "$0")/pid"; step 1; sleep 300"#);
    let trainer = worker.trainer();
    jobs::wait(async {
        let mut run = trainer.start(job(3)).await.unwrap();
        assert!(run.event().await.is_some());
        drop(run);
        tokio::time::sleep(Duration::from_secs(2)).await;
    });
    assert_is_gone(fs::read_to_string(worker.path("pid")).unwrap().trim());
}

#[test]
fn each_run_sees_one_gpu_and_waits_for_it() {
    let mut worker = scripted(
        r#"here=$(dirname "$0"); printf '%s\n' "$CUDA_VISIBLE_DEVICES $start" >> "$here/seen"
while [ ! -e "$here/go" ]; do sleep 0.05; done
tell "{\"t\":\"done\",\"completions\":[],$(left 3)}""#,
    );
    worker.config.devices = vec![0, 1];
    let trainer = worker.trainer();
    let seen = || fs::read_to_string(worker.path("seen")).unwrap_or_default();
    jobs::wait(async {
        let mut runs = Vec::new();
        for _ in 0..3 {
            runs.push(trainer.start(job(3)).await.unwrap());
        }
        while seen().lines().count() < 2 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        tokio::time::sleep(Duration::from_millis(300)).await;
        assert_eq!(seen().lines().count(), 2, "the third waits");
        fs::write(worker.path("go"), "").unwrap();
        for run in runs {
            let ended = run.result().await;
            assert!(matches!(ended, Ok(Ended::Done(_))), "{ended:?}");
        }
    });
    let seen = seen();
    let gpus: Vec<(&str, serde_json::Value)> = seen
        .lines()
        .map(|line| line.split_once(' ').unwrap())
        .map(|(visible, start)| (visible, serde_json::from_str(start).unwrap()))
        .collect();
    assert_eq!(gpus.len(), 3);
    assert!(gpus[0].0 != gpus[1].0 && !gpus[0].0.is_empty() && !gpus[1].0.is_empty());
    let settings = |gpu: usize, key: &str| gpus[gpu].1["settings"][key].clone();
    let mut numbers = [settings(0, "number"), settings(1, "number")].map(|n| n.as_u64().unwrap());
    numbers.sort_unstable();
    assert_eq!(numbers, [0, 1]);
    assert_eq!(
        (settings(0, "device"), settings(0, "dtype")),
        ("cuda".into(), "bf16".into())
    );
}

#[test]
fn lines_that_are_none_are_no_result() {
    let garbage = scripted("tell 'Loading weights: 100%'; sleep 300").fails();
    assert!(
        matches!(&garbage, TrainError::Host(why) if why.contains("Loading weights")),
        "{garbage}"
    );
    let other = scripted_with("1.16.0", r#"echo '{"t":"hello","protocol":7}'; sleep 300"#).fails();
    assert!(
        matches!(&other, TrainError::Setup(why) if why.contains("protocol 7")),
        "{other}"
    );
}

#[test]
fn an_interpreter_that_cannot_run_a_worker_is_named_with_what_mends_it() {
    let setup = |config: TrlConfig| match TrainerConfig::Trl(config).check() {
        Err(TrainError::Setup(why)) => why,
        other => panic!("{other:?}"),
    };
    let missing = setup(TrlConfig {
        python: Some(PathBuf::from("/no/such/python")),
        ..TrlConfig::default()
    });
    assert!(
        missing.contains("there is no Python /no/such/python"),
        "{missing}"
    );
    let none = setup(TrlConfig {
        python: Some(Path::new("/bin/true").to_owned()),
        ..TrlConfig::default()
    });
    assert!(none.contains("/bin/true is no Python"), "{none}");
    let old = setup(scripted_with("1.10.0", "exit 1").config);
    assert!(
        old.contains("trl is 1.10.0") && old.contains("-m pip install trl==1.16.0"),
        "{old}"
    );
    // It has everything and does not start all the same.
    let broken = scripted_with("1.16.0", "echo 'ImportError: libcublas' >&2; exit 1").fails();
    assert!(
        matches!(&broken, TrainError::Setup(why) if why.contains("cannot start (with exit status: 1): ImportError: libcublas")),
        "{broken}"
    );
}

#[test]
fn settings_that_trl_cannot_honour_are_refused_by_name() {
    let worker = scripted("exit 1");
    let refused = |grpo: GrpoConfig| {
        let named = TrainerConfig::Trl(worker.config.clone())
            .refusals(&grpo)
            .join("; ");
        let mut job = job(3);
        job.grpo = grpo;
        let started = follow(&*worker.trainer(), job, &mut |_| ControlFlow::Continue(()));
        assert!(matches!(started, Err(TrainError::Setup(_))), "{started:?}");
        named
    };
    let filter = refused(GrpoConfig {
        filter: Filter::Raft,
        ..GrpoConfig::default()
    });
    assert!(filter.starts_with("grpo.filter:"), "{filter}");
    let sync = refused(GrpoConfig {
        sync_every: 4,
        ..GrpoConfig::default()
    });
    assert!(sync.starts_with("grpo.sync_every = 4:"), "{sync}");
    let bnpo = refused(GrpoConfig {
        loss_type: LossType::Bnpo,
        ..GrpoConfig::default()
    });
    assert!(bnpo.contains("`trainer.micro_batch` to 128"), "{bnpo}");
}
