//! Manifests of exports as a stranger might write them: whatever stands there, reading them ends, reads nothing outside the folder, and
//! what comes of it has limits that can be kept, none above the defaults where they are granted.
#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

use std::{
    fs,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    process::Command,
    sync::mpsc,
    thread,
    time::Duration,
};

use orchestrator::reward::export::{Exported, import, sources};
use proptest::{
    prelude::*,
    sample::{Index, select},
    test_runner::{Config, TestRunner},
};
use sandbox::{Bench, Limits};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

/// What stands outside the folder, and must never be seen.
const SECRET: &str = "# the stranger's prey";
/// What stands inside.
const MINE: &str = "def reward(completions, **kwargs):\n    return [1.0] * len(completions)\n";

fn digest(text: &str) -> String {
    let bytes = Sha256::digest(text);
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// An export, and around it what a manifest could name: a file outside, links to it, pipes that never begin, devices that never end.
struct Folder {
    _all: tempfile::TempDir,
    export: PathBuf,
    outside: String,
}

impl Folder {
    fn new() -> Self {
        let all = tempfile::tempdir().unwrap();
        let export = all.path().join("export");
        fs::create_dir_all(export.join("base")).unwrap();
        let outside = all.path().join("prey.py");
        fs::write(&outside, SECRET).unwrap();
        fs::write(export.join("mine.py"), MINE).unwrap();
        fs::write(export.join("base/mine.py"), MINE).unwrap();
        symlink(&outside, export.join("link.py")).unwrap();
        symlink(all.path(), export.join("up")).unwrap();
        symlink("/dev/zero", export.join("zero.py")).unwrap();
        let made = Command::new("mkfifo").arg(export.join("pipe.py")).status();
        assert!(made.unwrap().success());
        Self {
            outside: outside.display().to_string(),
            export,
            _all: all,
        }
    }
}

/// A member whose file has these contents.
fn member(name: &str, file: &str, contents: &str) -> Value {
    let digest = digest(contents);
    json!({"name": name, "weight": 1.0, "wasm": file, "source": file,
           "wasm_sha256": digest, "source_sha256": digest})
}

fn manifest() -> Value {
    json!({
        "manifest_version": 1,
        "aggregation": "sum_then_normalize",
        "limits": Limits::default(),
        "extraction": evaluator::ExtractionConfig::default(),
        "members": [member("a", "mine.py", MINE), member("b", "base/mine.py", MINE)],
    })
}

/// Values that somebody up to no good would put in place of another.
fn evil(outside: &str) -> impl Strategy<Value = Value> + use<> {
    let names = vec![
        outside.to_owned(),
        "../prey.py".to_owned(),
        "base/../../prey.py".to_owned(),
        "up/prey.py".to_owned(),
        "link.py".to_owned(),
        "zero.py".to_owned(),
        "pipe.py".to_owned(),
        "/dev/zero".to_owned(),
        "/proc/self/environ".to_owned(),
        "base".to_owned(),
        ".".to_owned(),
        "mine.py\0".to_owned(),
        "manifest.json".to_owned(),
        digest(SECRET),
        String::new(),
    ];
    prop_oneof![
        4 => select(names.clone()).prop_map(Value::from),
        // One that knows what it is after.
        2 => select(names).prop_map(|file| member("prey", &file, SECRET)),
        1 => any::<i64>().prop_map(Value::from),
        1 => any::<u64>().prop_map(Value::from),
        1 => select(vec![0.0, -1.0, 1e308, 5e-324]).prop_map(Value::from),
        1 => Just(Value::Null),
        1 => any::<bool>().prop_map(Value::from),
        1 => "\\PC{0,20}".prop_map(Value::from),
        1 => (0_usize..100).prop_map(|depth| (0..depth).fold(json!([]), |inner, _| json!([inner]))),
        1 => Just(json!({"a": {"b": []}})),
    ]
}

/// The places of all values, as JSON pointers.
fn places(value: &Value, at: String, all: &mut Vec<String>) {
    match value {
        Value::Object(map) => map
            .iter()
            .for_each(|(name, inner)| places(inner, format!("{at}/{name}"), all)),
        Value::Array(list) => list
            .iter()
            .enumerate()
            .for_each(|(place, inner)| places(inner, format!("{at}/{place}"), all)),
        _ => {}
    }
    all.push(at);
}

/// Reads the export in every way there is, and holds what comes of it to what must hold.
fn check(folder: &Folder, text: &[u8]) -> Result<(), TestCaseError> {
    let export: &Path = &folder.export;
    fs::write(export.join("manifest.json"), text).unwrap();
    let read = Exported::read(export);
    if let Ok(Some(exported)) = &read {
        prop_assert!(exported.limits.validate().is_ok());
        let most = Limits::default();
        let granted = exported.limits.at_most(&most);
        prop_assert!(granted.validate().is_ok());
        prop_assert_eq!(granted.at_most(&most), granted.clone());
        for (granted, most) in [
            (granted.fuel_per_call, most.fuel_per_call),
            (granted.python_fuel_per_call, most.python_fuel_per_call),
            (granted.deadline_ms, most.deadline_ms),
            (granted.memory_mib.into(), most.memory_mib.into()),
            (
                granted.python_memory_mib.into(),
                most.python_memory_mib.into(),
            ),
            (granted.stack_kib.into(), most.stack_kib.into()),
            (granted.sample_kib.into(), most.sample_kib.into()),
            (granted.module_kib.into(), most.module_kib.into()),
            (
                granted.concurrent_calls.into(),
                most.concurrent_calls.into(),
            ),
        ] {
            prop_assert!(granted <= most, "{granted} of {most}");
        }
        prop_assert!(
            exported
                .members
                .iter()
                .all(|member| member.weight.is_finite())
        );
    }
    let seen = format!(
        "{read:?} {:?} {:?} {:?}",
        import(export, &Bench::default()),
        sources(export),
        Exported::around(&export.join("mine.py"), MINE.as_bytes()),
    );
    prop_assert!(!seen.contains(SECRET), "{seen}");
    Ok(())
}

#[test]
fn a_strangers_manifest_ends_within_its_folder_and_limits() {
    // What hangs on a pipe or reads without end fails; it cannot be ended.
    let (done, ended) = mpsc::channel();
    thread::spawn(move || {
        let folder = Folder::new();
        let whole = manifest();
        check(&folder, whole.to_string().as_bytes()).unwrap();
        assert!(sources(&folder.export).is_ok(), "unchanged it is an export");
        let mut all = Vec::new();
        places(&whole, String::new(), &mut all);
        let config = Config {
            cases: 3000,
            failure_persistence: None,
            ..Config::default()
        };
        let changes = prop::collection::vec((any::<Index>(), evil(&folder.outside)), 1..4);
        let noise = (any::<Index>(), prop::collection::vec(any::<u8>(), 0..8));
        let outcome = TestRunner::new(config).run(&(changes, any::<Option<u8>>(), noise), |case| {
            let (changes, is_noisy, (at, bytes)) = case;
            let mut changed = whole.clone();
            for (place, value) in changes {
                if let Some(slot) = changed.pointer_mut(place.get::<String>(&all)) {
                    *slot = value;
                }
            }
            let mut text = changed.to_string().into_bytes();
            // Now and then it is no JSON at all.
            if is_noisy.is_some_and(|dice| dice < 40) {
                let at = at.index(text.len());
                text.splice(at..at, bytes);
            }
            check(&folder, &text)
        });
        let _ = done.send(outcome.map_err(|failure| failure.to_string()));
    });
    match ended.recv_timeout(Duration::from_secs(240)) {
        Ok(outcome) => outcome.unwrap(),
        Err(why) => panic!("it panicked or did not end: {why}"),
    }
}
