//! The trainer that submits jobs to Ray, with a cluster that misbehaves: every way it can go wrong is provoked.
#![cfg(unix)]

use std::{io::Cursor, ops::ControlFlow};

use sandbox::Fault;
use trainer_bridge::{Ended, Event, TrainError, TrainerConfig, TrlConfig};

use crate::{
    cluster::{Act, FakeCluster, Mishap},
    jobs::{self, follow},
    ray::{config, done, ends, fails, hello, job, play, run, says, step, trainer, with},
};

#[test]
fn a_cluster_out_of_reach_has_not_failed() {
    let quiet = play(&[vec![hello(), step(1), Act::Silence(6), step(2)], done(3)]);
    let cluster = FakeCluster::that_plays([quiet]);
    let ended = run(&config(&cluster));
    assert!(matches!(ended, Ok(Ended::Done(_))), "{ended:?}");
    assert_eq!(cluster.saw("POST /api/jobs/ "), 1);
    let gone = ends(vec![hello(), Act::Silence(usize::MAX)]);
    assert!(
        matches!(&gone, TrainError::Host(why) if why.contains("could not be reached for 5 seconds")),
        "{gone}"
    );
    // Nobody there from the beginning.
    let address = FakeCluster::that_plays([]).url();
    let mut nobody = config(&FakeCluster::that_plays([]));
    nobody = with(nobody, |c| (c.address, c.unreachable_s) = (address, 1));
    let error = fails(&nobody);
    assert!(
        matches!(&error, TrainError::Host(why) if why.contains("could not be reached")),
        "{error}"
    );
}

#[test]
fn a_wrong_token_is_told_before_anything_is_uploaded() {
    let cluster = FakeCluster::that_plays([]).with_token("right");
    let refused = |token_env: Option<&str>| {
        let config = with(config(&cluster), |c| {
            c.token_env = token_env.map(str::to_owned)
        });
        let trainer = trainer(&config);
        match jobs::wait(trainer.check(&job(3))) {
            Err(TrainError::Setup(why)) => why,
            other => panic!("{other:?}"),
        }
    };
    assert!(refused(None).contains("wants a token (401"));
    assert!(refused(Some("HOME")).contains("does not take the token in HOME (403"));
    assert_eq!(cluster.saw("PUT"), 0);
    let unset = with(config(&cluster), |c| {
        c.token_env = Some("NO_SUCH_TOKEN".to_owned())
    });
    let error = TrainerConfig::Ray(unset).check().unwrap_err().to_string();
    assert!(
        error.contains("the variable NO_SUCH_TOKEN holds no token"),
        "{error}"
    );
}

#[test]
fn a_job_that_the_cluster_lost_is_submitted_under_a_new_name() {
    let whole = play(&[vec![hello()], done(3)]);
    let cluster = FakeCluster::that_plays([vec![hello(), step(1), Act::IsForgotten], whole]);
    let config = config(&cluster);
    let lost = fails(&config);
    assert!(
        matches!(&lost, TrainError::Host(why) if why.contains("knows no job") && why.contains("restarted")),
        "{lost}"
    );
    let again = run(&config);
    assert!(matches!(again, Ok(Ended::Done(_))), "{again:?}");
    let posts = cluster.saw("POST /api/jobs/ ");
    assert_eq!((posts, cluster.state().jobs.len()), (2, 1), "two names");
}

#[test]
fn a_job_that_no_node_can_take_is_given_up() {
    let cluster = FakeCluster::that_plays([vec![Act::Waits]]);
    let config = with(config(&cluster), |c| {
        c.resources.insert("slot".to_owned(), 9.0);
    });
    let error = fails(&config);
    assert!(
        matches!(&error, TrainError::Setup(why) if why.contains("waited 2 seconds") && why.contains("1 CPU, 0 GPU, 9 slot")),
        "{error}"
    );
    assert_eq!(cluster.state().stopped.len(), 1, "it must not begin later");
}

#[test]
fn what_breaks_off_is_done_again_and_what_was_done_is_not() {
    let whole = play(&[vec![hello()], done(3)]);
    let mishaps = [
        Mishap::UploadBreaks,
        Mishap::UploadBreaks,
        Mishap::AnswerIsLost,
    ];
    let cluster = FakeCluster::that_plays([whole]).with_mishaps(&mishaps);
    let ended = run(&config(&cluster));
    assert!(matches!(ended, Ok(Ended::Done(_))), "{ended:?}");
    let state = cluster.state();
    for (name, bytes) in &state.packages {
        assert!(
            zip::ZipArchive::new(Cursor::new(bytes.clone())).is_ok(),
            "{name} is whole"
        );
    }
    assert_eq!(state.jobs.len(), 1, "a lost answer is no second job");
}

/// How many steps are told of a job of so many, which hangs after its end is told, and how often its log was followed and asked for.
fn heard(last: u32, mishaps: &[Mishap]) -> (usize, usize, usize) {
    let mut acts = play(&[
        vec![Act::Prints("Loading weights: 40%"), hello()],
        (1..=last).map(step).collect(),
        done(last),
    ]);
    acts.pop();
    let cluster = FakeCluster::that_plays([acts]).with_mishaps(mishaps);
    let mut steps = Vec::new();
    let mut on_event = |event: Event| {
        if let Event::Step(metrics) = event {
            steps.push(metrics.step);
        }
        ControlFlow::Continue(())
    };
    let ended = follow(&*trainer(&config(&cluster)), job(last), &mut on_event);
    assert!(matches!(ended, Ok(Ended::Done(_))), "{ended:?}");
    let each: Vec<u32> = (1..=last).collect();
    assert_eq!(steps, each, "each once, and in their order");
    (
        steps.len(),
        cluster.saw("/logs/tail "),
        cluster.saw("/logs "),
    )
}

#[test]
fn a_log_is_followed_and_else_asked_for() {
    assert_eq!(heard(3, &[]), (3, 1, 0));
    let (_, tries, asked) = heard(3, &[Mishap::NoTail]);
    assert!(tries == 1 && asked >= 3, "{tries} {asked}");
    // A connection that breaks is made again, and brings what is known once more.
    assert_eq!(heard(3, &[Mishap::TailBreaks]), (3, 2, 0));
    let (_, tries, asked) = heard(3, &[Mishap::TailBreaks; 3]);
    assert!(tries == 3 && asked >= 1, "{tries} {asked}");
    // One that stands and brings nothing may be late once, and is given up then.
    let (_, tries, asked) = heard(30, &[Mishap::TailIsDeaf]);
    assert!(tries == 2 && asked >= 2, "{tries} {asked}");
}

#[test]
fn what_a_job_ends_by_decides_what_is_done_next() {
    let failed = |code: Option<i32>, kind: Option<&'static str>| {
        Act::Ends(
            "FAILED",
            "Job failed due to an application error",
            kind,
            code,
        )
    };
    let fault = ends(vec![
        hello(),
        says(
            r#"{"t":"error","kind":"reward","step":2,"message":"m","reward":"exact","fault":{"kind":"trap","index":4,"message":"sample 4: panicked"}}"#,
        ),
        failed(Some(3), None),
    ]);
    assert!(fault.fails_the_trial());
    assert!(matches!(
        fault,
        TrainError::Reward {
            fault: Fault::Trap { index: 4, .. },
            ..
        }
    ));
    let cannot = ends(vec![
        Act::Prints("No module named reward_search\n"),
        failed(Some(1), None),
    ]);
    assert!(
        matches!(&cannot, TrainError::Setup(why) if why.contains("cannot start") && why.contains("No module named reward_search")),
        "{cannot}"
    );
    let killed = ends(vec![hello(), step(1), failed(Some(137), None)]);
    assert!(
        matches!(&killed, TrainError::Host(why) if why.contains("killed after step 1")),
        "{killed}"
    );
    let quit = ends(vec![hello(), Act::Prints("lost\n"), failed(Some(4), None)]);
    assert!(
        matches!(&quit, TrainError::Host(why) if why.contains("exit code 4") && why.contains("lost")),
        "{quit}"
    );
    let node = ends(vec![hello(), step(1), failed(None, None)]);
    assert!(
        matches!(&node, TrainError::Host(why) if why.contains("the cluster lost the job")),
        "{node}"
    );
    let env = ends(vec![failed(None, Some("RUNTIME_ENV_SETUP_FAILURE"))]);
    assert!(
        matches!(&env, TrainError::Host(why) if why.contains("could not prepare")),
        "{env}"
    );
    let stopped = ends(vec![
        hello(),
        Act::Ends("STOPPED", "by an operator", None, None),
    ]);
    assert!(
        matches!(&stopped, TrainError::Host(why) if why.contains("not by us")),
        "{stopped}"
    );
    let torn = ends(vec![hello(), says("{\"t\":\"st"), Act::Hangs]);
    assert!(
        matches!(&torn, TrainError::Host(why) if why.contains("no line of its protocol")),
        "{torn}"
    );
}

#[test]
fn a_worker_that_lacks_something_or_hangs_is_told_of() {
    let old = says(r#"{"t":"hello","protocol":1,"versions":{"torch":"2.15.0","trl":"1.10.0"}}"#);
    let lacks = ends(vec![old, Act::Hangs]);
    assert!(
        matches!(&lacks, TrainError::Setup(why) if why.contains("trl is 1.10.0") && why.contains("pip install transformers==")),
        "{lacks}"
    );
    let cluster = FakeCluster::that_plays([vec![hello(), step(1), Act::Hangs]]);
    let hung = fails(&TrlConfig {
        silence_s: 1,
        ..config(&cluster)
    });
    assert!(
        matches!(&hung, TrainError::Host(why) if why.contains("for 1 seconds after step 1")),
        "{hung}"
    );
    assert_eq!(cluster.state().stopped.len(), 1);
}
