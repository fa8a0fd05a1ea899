//! Several trials score at once: results stay apart, and so do deadlines.

use std::thread;
use std::time::{Duration, Instant};

use sandbox::{Fault, Limits, Sandbox, Source};

use super::{compiler, engine, reward, sample};

#[test]
fn many_threads_share_rewards_and_get_their_own_scores() {
    let rewards = [1, 10, 100].map(|factor| {
        reward(&format!("pub fn reward(sample: &Sample) -> f64 {{ {factor}.0 * sample.completion().len() as f64 }}"))
    });
    thread::scope(|scope| {
        for worker in 0..12_usize {
            let rewards = &rewards;
            scope.spawn(move || {
                let factor = [1.0, 10.0, 100.0][worker % 3];
                for round in 0..50_usize {
                    let texts: Vec<String> = (0..8)
                        .map(|place| "x".repeat(worker * 7 + round + place))
                        .collect();
                    let batch: Vec<_> = texts.iter().map(|text| sample("", text, "")).collect();
                    let expected: Vec<f64> = texts
                        .iter()
                        .map(|text| factor * text.len() as f64)
                        .collect();
                    assert_eq!(rewards[worker % 3].score(&batch), Ok(expected));
                }
            });
        }
    });
}

#[test]
fn more_callers_than_places_wait_their_turn() {
    let module = compiler()
        .compile(&Source::rust(
            "pub fn reward(s: &Sample) -> f64 { word_count(s.completion()) as f64 }",
        ))
        .unwrap();
    let narrow = Sandbox::new(Limits {
        concurrent_calls: 2,
        ..Limits::default()
    })
    .unwrap();
    let reward = narrow.load(&module).unwrap();
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                assert_eq!(
                    reward.score(&[sample("", "one two", ""); 100]),
                    Ok(vec![2.0; 100])
                )
            });
        }
    });
}

#[test]
fn one_deadline_leaves_its_siblings_alone() {
    // So much fuel that only the deadline can end the loop.
    let limits = Limits {
        fuel_per_call: u64::MAX / 4,
        deadline_ms: 300,
        ..Limits::default()
    };
    let impatient = Sandbox::new(limits).unwrap();
    let load = |code: &str| {
        impatient
            .load(&compiler().compile(&Source::rust(code)).unwrap())
            .unwrap()
    };
    let endless = load(
        "pub fn reward(s: &Sample) -> f64 { let mut n = 1_u64; loop { n = n.wrapping_mul(3) ^ s.completion().len() as u64; if n == 0 { return 0.0 } } }",
    );
    let good = load("pub fn reward(sample: &Sample) -> f64 { sample.completion().len() as f64 }");
    let started = Instant::now();
    thread::scope(|scope| {
        let stuck = scope.spawn(|| endless.score(&[sample("", "x", "")]));
        let sibling = scope.spawn(|| {
            let mut calls = 0;
            while !stuck.is_finished() && started.elapsed() < Duration::from_secs(30) {
                assert_eq!(good.score(&[sample("", "abc", "")]), Ok(vec![3.0]));
                calls += 1;
            }
            (stuck.join().unwrap(), calls)
        });
        let (fault, calls) = sibling.join().unwrap();
        assert_eq!(fault, Err(Fault::Deadline { index: 0 }));
        assert!(calls > 10, "the sibling scored {calls} times");
    });
    assert!(
        started.elapsed() < Duration::from_secs(20),
        "{:?}",
        started.elapsed()
    );
    assert_eq!(good.score(&[sample("", "abc", "")]), Ok(vec![3.0]));
}

#[test]
fn a_reward_outlives_its_sandbox() {
    let module = compiler()
        .compile(&Source::rust("pub fn reward(_: &Sample) -> f64 { 4.0 }"))
        .unwrap();
    let reward = Sandbox::new(Limits::default())
        .unwrap()
        .load(&module)
        .unwrap();
    assert_eq!(reward.score(&[sample("", "", "")]), Ok(vec![4.0]));
}

#[test]
fn sandboxes_come_and_go() {
    let module = compiler()
        .compile(&Source::rust("pub fn reward(_: &Sample) -> f64 { 4.0 }"))
        .unwrap();
    for _ in 0..20 {
        let sandbox = Sandbox::new(Limits::default()).unwrap();
        assert_eq!(
            sandbox.load(&module).unwrap().score(&[sample("", "", "")]),
            Ok(vec![4.0])
        );
    }
}

#[test]
fn candidates_compile_side_by_side() {
    thread::scope(|scope| {
        for number in 0..4 {
            scope.spawn(move || {
                let reward = reward(&format!(
                    "pub fn reward(_: &Sample) -> f64 {{ {number}.0 }}"
                ));
                assert_eq!(
                    reward.score(&[sample("", "", "")]),
                    Ok(vec![f64::from(number)])
                );
            });
        }
    });
    assert!(engine().limits().concurrent_calls > 4);
}
