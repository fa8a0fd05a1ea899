//! The verdict module says of every pair that the evaluator's tests know exactly what the evaluator itself says.

#![allow(clippy::unwrap_used, clippy::print_stdout)]

use std::fs;

use evaluator::{
    Answer, Comma, Conventions, ExtractionConfig, Outcome, RuleVerifier, Verdict, extract_with,
};
use serde_json::{Value, json};
use wasmtime::{Config, Engine, Instance, Memory, Module, Store};

/// A host of the module's, as simple as can be.
struct Asked {
    store: Store<()>,
    instance: Instance,
    memory: Memory,
}

impl Asked {
    fn new() -> Self {
        let mut config = Config::new();
        config
            .consume_fuel(true)
            .cranelift_nan_canonicalization(true)
            .max_wasm_stack(512 << 10);
        let engine = Engine::new(&config).unwrap();
        let module = Module::new(&engine, sandbox::VERDICT_MODULE).unwrap();
        assert_eq!(module.imports().count(), 0);
        let mut store = Store::new(&engine, ());
        store.set_fuel(u64::MAX).unwrap();
        let instance = Instance::new(&mut store, &module, &[]).unwrap();
        let memory = instance.get_memory(&mut store, "memory").unwrap();
        Self {
            store,
            instance,
            memory,
        }
    }

    fn put(&mut self, parts: &[&str]) {
        let text = parts.concat();
        let store = &mut self.store;
        let room = self
            .instance
            .get_typed_func::<u32, u32>(&mut *store, "room");
        let address = room.unwrap().call(&mut *store, text.len() as u32).unwrap();
        let memory = self.memory.data_mut(store);
        memory[address as usize..][..text.len()].copy_from_slice(text.as_bytes());
    }

    /// The flags and the text of a record.
    fn record(&mut self, record: u64) -> (u8, String) {
        let (address, length) = ((record >> 32) as usize, record as u32 as usize);
        let record = &self.memory.data(&self.store)[address..][..length];
        (record[0], String::from_utf8(record[1..].to_vec()).unwrap())
    }

    /// Asks with one text.
    fn ask(&mut self, what: &str, text: &str) -> (u8, String) {
        self.put(&[text]);
        let asked = self
            .instance
            .get_typed_func::<(), u64>(&mut self.store, what);
        let record = asked.unwrap().call(&mut self.store, ()).unwrap();
        self.record(record)
    }

    /// Asks with a text to be judged and a reference.
    fn judge(&mut self, what: &str, given: &str, reference: &str) -> (u8, String) {
        self.put(&[given, reference]);
        let asked = self
            .instance
            .get_typed_func::<u32, u64>(&mut self.store, what);
        let record = asked.unwrap().call(&mut self.store, given.len() as u32);
        self.record(record.unwrap())
    }
}

fn record(verdict: Verdict) -> (u8, String) {
    let correct = u8::from(verdict.outcome == Outcome::Correct);
    let flags = correct | (2 * u8::from(verdict.extracted.is_some()));
    (flags, verdict.extracted.unwrap_or_default())
}

/// What is to be judged, with its reference.
fn pairs() -> Vec<(String, String)> {
    let folder = format!("{}/../evaluator/tests", env!("CARGO_MANIFEST_DIR"));
    let mut pairs = Vec::new();
    for file in [
        "fixtures/cases.jsonl",
        "fixtures/other_words.jsonl",
        "data/sample/verification/hacking.jsonl",
        "data/sample/verification/hardverify.dev.jsonl",
        "data/sample/verification/mathverify_tests.jsonl",
        "data/sample/gsm8k/example_model_solutions.jsonl",
    ] {
        for line in fs::read_to_string(format!("{folder}/{file}"))
            .unwrap()
            .lines()
        {
            let case: Value = serde_json::from_str(line).unwrap();
            let text = |key: &str| case[key].as_str().map(str::to_owned);
            let truth =
                text("ground_truth").map(|truth| truth.rsplit("A: ").next().unwrap().to_owned());
            let reference = text("reference")
                .or(truth)
                .or(text("gold"))
                .unwrap_or_default();
            let given = ["answer", "completion", "response", "target", "pred"];
            let solutions = case.as_object().unwrap().values();
            let solutions = solutions.filter_map(|of| of["solution"].as_str().map(str::to_owned));
            pairs.extend(
                given
                    .iter()
                    .filter_map(|key| text(key))
                    .chain(solutions)
                    .map(|given| (given, reference.clone())),
            );
        }
    }
    pairs
}

#[test]
fn the_module_judges_as_the_evaluator_does() {
    let pairs = pairs();
    assert!(pairs.len() > 1000, "{}", pairs.len());
    let decimal = Conventions {
        comma: Comma::Decimal,
        ..Conventions::default()
    };
    for (extraction, conventions) in [
        (ExtractionConfig::flexible(), Conventions::default()),
        (ExtractionConfig::strict(), decimal),
    ] {
        let mut asked = Asked::new();
        let settings = json!({"extraction": extraction, "conventions": conventions});
        assert_eq!(
            asked.ask("configure", &settings.to_string()),
            (1, String::new())
        );
        let rules = RuleVerifier::new(extraction.clone()).with_conventions(conventions);
        let (mut right, mut most_fuel) = (0_u32, 0);
        for (given, reference) in &pairs {
            let answer = Answer::new(reference);
            let before = asked.store.get_fuel().unwrap();
            let verdict = record(rules.verify(given, &answer));
            right += u32::from(verdict.0 & 1);
            assert_eq!(
                asked.judge("verdict", given, reference),
                verdict,
                "{reference}: {given}"
            );
            most_fuel = most_fuel.max(before - asked.store.get_fuel().unwrap());
            let compared = record(rules.verify_answer(given, &answer));
            assert_eq!(
                asked.judge("compare", given, reference),
                compared,
                "{reference}: {given}"
            );
            let found = extract_with(given, &extraction);
            let found = found.map_or((0, String::new()), |found| (2, found.text));
            assert_eq!(asked.ask("extract", given), found, "{given}");
        }
        println!(
            "{} pairs, {right} right, at most {most_fuel} units of fuel",
            pairs.len()
        );
    }
}

#[test]
fn settings_that_make_no_sense_are_named() {
    let mut asked = Asked::new();
    for (settings, says) in [
        ("{", "EOF"),
        (r#"{"extraction": ["boxes"]}"#, "boxes"),
        (r#"{"conventions": {"rounding": 0.5}}"#, "rounding is 0.5"),
        (r#"{"strategies": []}"#, "unknown field"),
    ] {
        let (flags, what) = asked.ask("configure", settings);
        assert!(flags == 0 && what.contains(says), "{settings}: {what}");
    }
    // What was there before still counts.
    assert_eq!(
        asked.judge("verdict", "The answer is 18.", "18"),
        (3, "18".to_owned())
    );
    assert_eq!(asked.judge("verdict", "no idea", "18"), (0, String::new()));
}
