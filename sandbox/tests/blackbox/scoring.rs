//! Scores: right values, in order, independent of the batch, with limits that hold sample by sample.

use sandbox::{Fault, Limits, Sample, Sandbox, Source, Verdict, probe};

use super::{compiler, engine, rejection, reward, sample};

#[test]
fn the_guest_sees_the_sample_as_it_is() {
    let reward = reward(
        r#"pub fn reward(sample: &Sample) -> f64 {
            let texts = [sample.prompt(), sample.completion(), sample.answer(), sample.extracted().unwrap_or("?")];
            let hash = texts.iter().flat_map(|text| text.bytes().chain([0])).fold(7_u32, |hash, byte| {
                hash.wrapping_mul(31).wrapping_add(u32::from(byte))
            });
            f64::from(hash) + if sample.correct() { 0.5 } else { 0.0 }
        }"#,
    );
    let long = "x".repeat(100_000);
    for (correct, extracted) in [
        (true, Some("é")),
        (false, None),
        (true, Some("")),
        (false, Some(long.as_str())),
    ] {
        let verdict = Verdict {
            correct,
            extracted: extracted.map(str::to_owned),
        };
        let sample = Sample {
            prompt: "q?\n→",
            completion: &long,
            answer: "日本",
            verdict: &verdict,
            row: "",
        };
        let texts = ["q?\n→", &long, "日本", extracted.unwrap_or("?")];
        let hash = texts
            .iter()
            .flat_map(|text| text.bytes().chain([0]))
            .fold(7_u32, |hash, byte| {
                hash.wrapping_mul(31).wrapping_add(u32::from(byte))
            });
        assert_eq!(
            reward.score(&[sample]),
            Ok(vec![f64::from(hash) + if correct { 0.5 } else { 0.0 }])
        );
    }
}

#[test]
fn an_empty_batch_is_an_empty_answer() {
    assert_eq!(
        reward("pub fn reward(_: &Sample) -> f64 { 1.0 }").score(&[]),
        Ok(vec![])
    );
}

#[test]
fn the_fault_names_the_sample_and_the_panic() {
    let reward = reward(
        r#"pub fn reward(sample: &Sample) -> f64 {
            match sample.completion() {
                "panic" => panic!("no score for {:?}", sample.answer()),
                "loop" => loop {},
                "nan" => f64::NAN,
                text => text.len() as f64,
            }
        }"#,
    );
    let fine = sample("", "abc", "");
    assert_eq!(
        reward.score(&[fine, sample("", "loop", "")]),
        Err(Fault::out_of_fuel(1, sandbox::Language::Rust))
    );
    assert_eq!(
        reward.score(&[fine, fine, sample("", "nan", "")]),
        Err(Fault::NotFinite { index: 2 })
    );
    let Err(Fault::Trap { index: 0, message }) =
        reward.score(&[sample("", "panic", "x\u{1b}[2J\ny"), fine])
    else {
        panic!("no trap");
    };
    assert!(
        message.starts_with("panicked at candidate.rs:3:"),
        "{message}"
    );
    assert!(
        message.ends_with(r#"no score for "x\u{1b}[2J\ny""#),
        "{message}"
    );
    assert_eq!(reward.score(&[fine]), Ok(vec![3.0]));
}

#[test]
fn a_long_panic_message_is_cut() {
    let reward =
        reward("pub fn reward(sample: &Sample) -> f64 { panic!(\"{}\", sample.completion()) }");
    let long = "é".repeat(50_000);
    let Err(Fault::Trap { message, .. }) = reward.score(&[sample("", &long, "")]) else {
        panic!("no trap")
    };
    assert!(
        message.len() < 2000 && message.contains("éééé"),
        "{}",
        message.len()
    );
}

#[test]
fn a_verdict_does_not_depend_on_the_rest_of_the_batch() {
    let code = "pub fn reward(sample: &Sample) -> f64 { repetition(sample.completion(), 3) }";
    let module = compiler().compile(&Source::rust(code)).unwrap();
    let heavy_text = "one two three four five ".repeat(100);
    let (light, heavy) = (sample("", "one two three", ""), sample("", &heavy_text, ""));
    let fuel = engine().load(&module).unwrap().measure(&heavy).fuel;
    // Just enough for the heavy one: whatever went before it must not count.
    let exact = Sandbox::new(Limits {
        fuel_per_call: fuel,
        ..Limits::default()
    })
    .unwrap()
    .load(&module)
    .unwrap();
    for batch in [vec![heavy], vec![light, heavy], vec![heavy; 20]] {
        assert!(exact.score(&batch).is_ok());
    }
    let short = Sandbox::new(Limits {
        fuel_per_call: fuel / 2,
        ..Limits::default()
    })
    .unwrap()
    .load(&module)
    .unwrap();
    assert_eq!(
        short.score(&[light, heavy, light]),
        Err(Fault::out_of_fuel(1, sandbox::Language::Rust))
    );
}

#[test]
fn no_state_survives_a_batch_and_a_probe_finds_what_survives_a_sample() {
    let code = "use std::sync::atomic::{AtomicU32, Ordering};
        static CALLS: AtomicU32 = AtomicU32::new(0);
        pub fn reward(_: &Sample) -> f64 { f64::from(CALLS.fetch_add(1, Ordering::Relaxed)) }";
    let counting = reward(code);
    for _ in 0..3 {
        assert_eq!(
            counting.score(&[sample("", "", ""); 3]),
            Ok(vec![0.0, 1.0, 2.0])
        );
    }
    let refused = rejection(probe(&counting, &[]).unwrap_err());
    assert_eq!(
        refused.to_string(),
        "unstable: an empty completion scored 0 on its own and 1 after other samples; a score may not depend on earlier calls"
    );
}

#[test]
fn a_fault_counts_only_if_a_fresh_instance_shows_it_too() {
    // It keeps 3 MiB a sample: one alone fits, a batch in one instance does not.
    let module = compiler()
        .compile(&Source::rust(
            "use std::sync::Mutex;
        static KEPT: Mutex<Vec<Vec<u8>>> = Mutex::new(Vec::new());
        pub fn reward(sample: &Sample) -> f64 {
            KEPT.lock().unwrap().push(vec![1; 3 << 20]);
            sample.completion().len() as f64
        }",
        ))
        .unwrap();
    let narrow = Sandbox::new(Limits {
        memory_mib: 16,
        ..Limits::default()
    })
    .unwrap();
    let hoarder = narrow.load(&module).unwrap();
    assert_eq!(
        hoarder.score(&[sample("", "abc", ""); 20]),
        Ok(vec![3.0; 20])
    );
    let tight = Sandbox::new(Limits {
        memory_mib: 4,
        ..Limits::default()
    })
    .unwrap();
    assert_eq!(
        tight.load(&module).unwrap().score(&[sample("", "abc", "")]),
        Err(Fault::out_of_memory(0, sandbox::Language::Rust))
    );
}

#[test]
fn equal_sources_give_equal_bytes_and_equal_fuel() {
    let source = Source::rust(
        "pub fn reward(sample: &Sample) -> f64 { word_count(sample.completion()) as f64 }",
    );
    let (first, second) = (
        compiler().compile(&source).unwrap(),
        compiler().compile(&source).unwrap(),
    );
    assert_eq!(first, second);
    let one = sample("", "one two three", "");
    let measured = [&first, &second].map(|module| engine().load(module).unwrap().measure(&one));
    assert_eq!(measured[0], measured[1]);
    assert_eq!(measured[0].score, Ok(3.0));
    assert!(measured[0].fuel > 100);
}

#[test]
fn a_module_holds_no_path_of_the_machine() {
    let module = compiler().compile(&Source::rust(
        "pub fn reward(s: &Sample) -> f64 { f64::from(s.completion().as_bytes()[0]) }",
    ));
    let text = String::from_utf8_lossy(module.unwrap().bytes()).into_owned();
    for path in ["/home", "/root", "/tmp", env!("CARGO_TARGET_TMPDIR")] {
        assert!(!text.contains(path), "{path}");
    }
}

#[test]
fn a_sample_too_large_is_a_fault_of_its_own() {
    let reward =
        reward("pub fn reward(sample: &Sample) -> f64 { sample.completion().len() as f64 }");
    let text = "x".repeat(1 << 20);
    assert_eq!(
        reward.score(&[sample("", &text, "")]),
        Ok(vec![1_048_576.0])
    );
    assert_eq!(
        reward.score(&[sample("", "", ""), sample("?", &text, "")]),
        Err(Fault::SampleTooLarge {
            index: 1,
            bytes: 1_048_577
        })
    );
}

#[test]
fn limits_that_make_no_sense_are_named() {
    let error = Sandbox::new(Limits {
        fuel_per_call: 0,
        ..Limits::default()
    })
    .unwrap_err();
    assert_eq!(
        error.to_string(),
        "sandbox limits: `fuel_per_call = 0` is not possible: it must be at least 1"
    );
}

#[test]
fn a_probe_reports_range_fuel_and_constancy() {
    let pool = [sample("", "a b", ""), sample("", "a b c", "")];
    let counting =
        reward("pub fn reward(sample: &Sample) -> f64 { word_count(sample.completion()) as f64 }");
    let report = probe(&counting, &pool).unwrap();
    assert!(
        !report.constant && report.lowest == 0.0 && report.highest >= 2000.0,
        "{report:?}"
    );
    assert!(report.mean_fuel > 0 && report.most_fuel > report.mean_fuel);
    assert!(report.samples > pool.len() + 10);
    assert_eq!(report, probe(&counting, &pool).unwrap());
    assert!(
        probe(&reward("pub fn reward(_: &Sample) -> f64 { 1.0 }"), &pool)
            .unwrap()
            .constant
    );
}

#[test]
fn a_probe_says_on_what_it_failed() {
    let careless =
        reward("pub fn reward(sample: &Sample) -> f64 { 1.0 / sample.completion().len() as f64 }");
    let refused = rejection(probe(&careless, &[]).unwrap_err());
    assert_eq!(
        refused.to_string(),
        "fails on nothing but empty texts: sample 0: the score is not a finite number; guard divisions, logarithms and roots"
    );
}
