//! Rewards of groups: the completions of one prompt are scored together.

use sandbox::{Fault, Limits, Sample, Sandbox, Source, probe};

use super::{compiler, rejection, reward, sample};

const SHORTEST: &str = "pub fn reward_group(samples: &[Sample]) -> Vec<f64> {
    let shortest = samples.iter().map(|sample| sample.completion().len()).min().unwrap_or(0);
    samples.iter().map(|sample| if sample.completion().len() == shortest { 1.0 } else { 0.0 }).collect()
}";

#[test]
fn a_group_is_a_run_of_equal_prompts() {
    let batch: Vec<Sample<'_>> = [
        ("p", "aa"),
        ("p", "a"),
        ("q", "aaa"),
        ("q", "aaaa"),
        ("p", "aaaaa"),
    ]
    .map(|(prompt, completion)| sample(prompt, completion, ""))
    .to_vec();
    let shortest = reward(SHORTEST);
    assert!(shortest.is_of_groups());
    assert_eq!(shortest.score(&batch), Ok(vec![0.0, 1.0, 1.0, 0.0, 1.0]));
    assert_eq!(shortest.score(&[]), Ok(vec![]));
    assert!(!probe(&shortest, &batch).unwrap().constant);
}

#[test]
fn regular_expressions_work_on_every_text_of_a_group() {
    let all = reward(
        r#"use regex::Regex;
        pub fn reward_group(samples: &[Sample]) -> Vec<f64> {
            let number = Regex::new(r"\d+").unwrap();
            samples.iter().map(|sample| number.find_iter(sample.completion()).count() as f64).collect()
        }"#,
    );
    let batch = [
        sample("p", "1 2 3", "4"),
        sample("p", "", ""),
        sample("p", "1", ""),
    ];
    assert_eq!(all.score(&batch), Ok(vec![3.0, 0.0, 1.0]));
}

#[test]
fn faults_name_the_group_or_the_sample() {
    let faulty = reward(
        r#"pub fn reward_group(samples: &[Sample]) -> Vec<f64> {
            match samples[0].prompt() {
                "short" => vec![1.0; samples.len() - 1],
                "long" => vec![1.0; samples.len() + 1],
                "loop" => loop {},
                "panic" => panic!("no scores"),
                _ => samples.iter().map(|sample| sample.completion().parse().unwrap_or(0.0)).collect(),
            }
        }"#,
    );
    let fine = [sample("", "1", ""), sample("", "2", "")];
    let with = |prompt| {
        [
            fine[0],
            fine[1],
            sample(prompt, "", ""),
            sample(prompt, "", ""),
        ]
    };
    let (index, expected) = (2, 2);
    assert_eq!(
        faulty.score(&with("short")),
        Err(Fault::WrongLength {
            index,
            expected,
            found: 1
        })
    );
    let too_long = faulty.score(&with("long")).unwrap_err();
    assert_eq!(too_long.to_string(), "sample 2: 3 scores for 2 completions");
    assert_eq!(
        faulty.score(&with("loop")),
        Err(Fault::out_of_fuel(index, sandbox::Language::Rust))
    );
    assert_eq!(faulty.score(&with("panic")).unwrap_err().kind(), "trap");
    assert_eq!(
        faulty.score(&[fine[0], fine[1], sample("", "nan", "")]),
        Err(Fault::NotFinite { index: 2 })
    );
    assert_eq!(faulty.score(&fine), Ok(vec![1.0, 2.0]));
}

#[test]
fn state_between_groups_is_found_out() {
    let counting = reward(
        "use std::sync::atomic::{AtomicU32, Ordering};
        static CALLS: AtomicU32 = AtomicU32::new(0);
        pub fn reward_group(samples: &[Sample]) -> Vec<f64> {
            vec![f64::from(CALLS.fetch_add(1, Ordering::Relaxed)); samples.len()]
        }",
    );
    let refused = rejection(probe(&counting, &[]).unwrap_err());
    assert_eq!(refused.kind(), "unstable");
}

#[test]
fn two_entries_are_one_too_many() {
    let both = format!("{SHORTEST}\npub fn reward(sample: &Sample) -> f64 {{ 1.0 }}");
    let refused = rejection(compiler().compile(&Source::rust(both)).unwrap_err());
    assert_eq!(
        refused.to_string(),
        "line 5: there must be one entry, `reward` or `reward_group`"
    );
}

#[test]
fn a_group_larger_than_the_memory_is_a_fault_of_its_own() {
    let limits = Limits {
        memory_mib: 4,
        ..Limits::default()
    };
    let shortest = Sandbox::new(limits)
        .unwrap()
        .load(&compiler().compile(&Source::rust(SHORTEST)).unwrap())
        .unwrap();
    let text = "a".repeat((1 << 20) - 1);
    let mut batch = vec![sample("p", "a", "")];
    batch.extend([sample("q", &text, ""); 4]);
    assert_eq!(
        shortest.score(&batch),
        Err(Fault::GroupTooLarge {
            index: 1,
            samples: 4,
            bytes: 4 + 4 * 20 + 4 * (1 << 20),
        })
    );
    assert_eq!(
        shortest.score(&batch[..2]).map(|scores| scores.len()),
        Ok(2)
    );
}
