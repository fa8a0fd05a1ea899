//! What stands beside the sandbox, from the outside: a search whose model tries to have files read while its rewards compile, exports that
//! name any file and any limit, and what is left of a compilation when the program ends.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

mod endpoint;
mod program;

use std::{
    fs,
    os::unix::fs::symlink,
    path::Path,
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use endpoint::{Endpoint, Reply, replies};
use program::{
    Printed, Program, row,
    searches::{CONSTANT, CORRECT, config, draft, folder},
};
use serde_json::{Value, json};

/// What the attacks look for, beside a file that every system has and landlock leaves readable.
const SECRET: &str = "sk-this-is-never-sent";

/// A model that has files read while its rewards compile, first in all ways known, then well-behaved. The names say the way.
fn attacker(secret: &Path) -> Endpoint {
    let read = |path: &str| format!("compile_error!(include_str!({path:?}))");
    let (ours, systems) = (
        read(&secret.display().to_string()),
        read("/usr/lib/os-release"),
    );
    let reward = "pub fn reward(_: &Sample) -> f64 { 1.0 }";
    let drafts = [
        (
            "on a function",
            format!("#[must_use = {ours}] fn f() -> u8 {{ 1 }}\n{reward}"),
        ),
        (
            "on a field",
            format!("struct S {{ #[must_use = {systems}] a: u8 }}\n{reward}"),
        ),
        (
            "in a macro",
            format!("thread_local! {{ #[must_use = {systems}] static A: u8 = 1; }}\n{reward}"),
        ),
        (
            "does not compile",
            "pub fn reward(sample: &Sample) -> f64 { sample.nonsense() }".to_owned(),
        ),
    ];
    let drafts: Vec<(&str, &str)> = drafts.iter().map(|(n, c)| (*n, c.as_str())).collect();
    let good = [("right", CORRECT), ("flat", CONSTANT)];
    Endpoint::start(vec![replies::good(&drafts), replies::good(&good)])
}

fn chat(endpoint: &Endpoint, more: &str) -> String {
    format!(
        "kind = 'chat'\nbase_url = '{}'\nmodel = 'm'\nbackoff_ms = 1\ntimeout_s = 20\n{more}",
        endpoint.base_url()
    )
}

/// The program on a kernel that seems to have no landlock.
fn without_landlock(program: &Program, arguments: &[&str]) -> Printed {
    let script = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/tests/walls/without_landlock.py"
    );
    let itself = program.command(arguments);
    let mut command = Command::new("python3");
    command
        .arg(script)
        .arg(itself.get_program())
        .args(itself.get_args())
        .current_dir(itself.get_current_dir().unwrap())
        .env_remove("REWARD_SEARCH_DATABASE")
        .stdin(Stdio::null());
    Printed::from(command.output().unwrap())
}

/// Runs the search of [`attacker`] and returns what it printed, and all requests but the first: nothing that was read may be in them.
fn searched(run: impl Fn(&Program) -> Printed, more: &str) -> (Printed, String) {
    let secrets = tempfile::tempdir().unwrap();
    let secret = secrets.path().join("key");
    fs::write(&secret, SECRET).unwrap();
    let endpoint = attacker(&secret);
    let program = folder(&config(&chat(&endpoint, more), "", 2));
    let printed = run(&program);
    assert_eq!(printed.code, 0, "{}", printed.err);

    let board = program.leaderboard();
    for name in ["on_a_function", "on_a_field", "in_a_macro"] {
        let row = row(&board["candidates"], name);
        assert_eq!(row["state"], "rejected", "{row:#}");
        assert!(
            row["reason"].as_str().unwrap().contains("attribute"),
            "{row:#}"
        );
    }
    assert_eq!(row(&board["candidates"], "right")["rank"], 1);
    let release = fs::read_to_string("/usr/lib/os-release").unwrap_or_default();
    let release = release.lines().next().unwrap_or(SECRET);
    let asked = endpoint.requests();
    let requests = asked.iter().map(|request| request.body.as_str());
    for text in requests.chain([printed.err.as_str(), &board.to_string()]) {
        // In JSON a quote has a sign before it.
        let text = text.replace("\\\"", "\"");
        assert!(!text.contains(SECRET) && !text.contains(release), "{text}");
    }
    let told: Vec<_> = asked.iter().skip(1).map(|one| one.body.as_str()).collect();
    (printed, told.join("\n"))
}

/// What the model is told all the same: whose drafts failed and by which rule, and rustc's own words about one.
fn assert_tells_why(prompt: &str) {
    for word in [
        "on_a_function",
        "in_a_macro",
        "attribute",
        "no method named",
        "nonsense",
    ] {
        assert!(prompt.contains(word), "`{word}` is not in {prompt}");
    }
}

#[test]
fn a_model_that_has_files_read_learns_nothing() {
    let run = |program: &Program| program.run(&["run", "search.toml"]);
    let (_, prompt) = searched(run, "language = 'rust'");
    assert_tells_why(&prompt);
}

#[test]
fn nor_does_it_where_there_is_no_landlock() {
    let run = |program: &Program| without_landlock(program, &["run", "search.toml"]);
    let (printed, prompt) = searched(run, "language = 'rust'\naccept_unguarded_rustc = true");
    assert_tells_why(&prompt);
    assert_eq!(
        printed.err.matches("This system has no landlock").count(),
        1,
        "said once: {}",
        printed.err
    );
}

#[test]
fn a_models_rust_asks_for_landlock_or_for_consent() {
    let endpoint = Endpoint::start(vec![Reply::error(500, "not to be asked")]);
    let program = folder(&config(&chat(&endpoint, "language = 'rust'"), "", 1));
    let printed = without_landlock(&program, &["run", "search.toml"]);
    assert_eq!(printed.code, 2, "{}", printed.err);
    for word in [
        "landlock",
        "accept_unguarded_rustc = true",
        "language = \"python\"",
    ] {
        assert!(printed.err.contains(word), "{}", printed.err);
    }
    assert!(endpoint.requests().is_empty());
}

/// An export with a reward that never ends, whose manifest asks for the most there is.
fn export(program: &Program, change: impl Fn(&mut Value)) {
    let wasm = wat::parse_str(
        r#"(module (memory (export "memory") 1)
            (func (export "reward_v2_prepare") (param i32) (result i64) (i64.const 1024))
            (func (export "reward_v2_score") (result f64) (loop $l (br $l)) (f64.const 1)))"#,
    )
    .unwrap();
    let _ = fs::create_dir(program.path("export"));
    fs::write(program.path("export/loop.wasm"), &wasm).unwrap();
    fs::write(program.path("export/loop.rs"), CORRECT).unwrap();
    fs::write(program.path("loop.wasm"), &wasm).unwrap();
    let mut manifest = json!({
        "manifest_version": 1,
        "aggregation": "sum_then_normalize",
        "limits": {"fuel_per_call": i64::MAX, "deadline_ms": 86_400_000, "memory_mib": 4095},
        "extraction": evaluator::ExtractionConfig::default(),
        "members": [{
            "name": "loop", "weight": 1.0, "wasm": "loop.wasm", "source": "loop.rs",
            "wasm_sha256": digest(&wasm),
        }],
    });
    change(&mut manifest);
    program.write("export/manifest.json", &manifest.to_string());
    program.write(
        "samples.jsonl",
        "{\"completion\": \"5\", \"answer\": \"5\"}\n",
    );
}

fn digest(bytes: &[u8]) -> String {
    use sha2::Digest as _;
    let digest = sha2::Sha256::digest(bytes);
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// What scoring this says; it must not take long. What waits for a pipe or computes for ever is ended, and fails the test.
fn score(program: &Program, reward: &str) -> Printed {
    let arguments = ["score", reward, "--samples", "samples.jsonl"];
    program.run_within(&arguments, Duration::from_secs(60))
}

#[test]
fn an_export_sets_no_limits_of_its_own() {
    let program = Program::with("");
    export(&program, |_| ());
    for reward in ["export", "export/loop.wasm"] {
        let printed = score(&program, reward);
        let said = printed.out.clone() + &printed.err;
        assert!(said.contains("fuel"), "{printed:?}");
        assert!(
            printed.err.contains("more than the default limits"),
            "{printed:?}"
        );
    }
    // Beside a manifest the source is scored as it was run, and the manifest's limits are a stranger's there, too.
    let printed = score(&program, "export/loop.rs");
    assert!(
        printed.err.contains("more than the default limits"),
        "{printed:?}"
    );
}

#[test]
fn an_export_names_nothing_but_its_own_files() {
    let program = Program::with("");
    let refused = |what: &str, says: &str| {
        let printed = score(&program, what);
        assert_eq!(printed.code, 2, "{printed:?}");
        assert!(printed.err.contains(says), "{says}: {printed:?}");
    };
    let outside = program.path("loop.wasm").display().to_string();
    for (file, says) in [
        ("/dev/zero", "not the name of a file in this folder"),
        ("../loop.wasm", "not the name of a file in this folder"),
        (outside.as_str(), "not the name of a file in this folder"),
        ("link.wasm", "is a link"),
        ("pipe.wasm", "no regular file"),
    ] {
        export(&program, |manifest| {
            manifest["members"][0]["wasm"] = file.into();
        });
        if !program.path("export/link.wasm").exists() {
            symlink("../loop.wasm", program.path("export/link.wasm")).unwrap();
            pipe(&program.path("export/pipe.wasm"));
        }
        refused("export", says);
    }
    export(&program, |manifest| manifest["members"] = json!([]));
    refused("export", "`members` is empty");
    export(&program, |manifest| {
        manifest["limits"]["memory_mib"] = 0.into()
    });
    refused("export", "memory_mib");

    // Manifests that are none: a link to what never ends, a pipe that never begins; also beside a file that is scored on its own.
    let manifest = program.path("export/manifest.json");
    fs::write(program.path("export/mine.rs"), CORRECT).unwrap();
    for make in [
        |path: &Path| symlink("/dev/zero", path).unwrap(),
        |path: &Path| pipe(path),
    ] {
        fs::remove_file(&manifest).unwrap();
        make(&manifest);
        refused("export", "manifest.json");
        let printed = score(&program, "export/mine.rs");
        assert_eq!(printed.code, 0, "it has nothing to do with it: {printed:?}");
    }
    fs::remove_file(&manifest).unwrap();
    fs::write(&manifest, vec![b' '; 2 << 20]).unwrap();
    refused("export", "at most");
}

fn pipe(path: &Path) {
    let made = Command::new("mkfifo").arg(path).status().unwrap();
    assert!(made.success());
}

/// A source that keeps rustc busy until its limits end it.
fn slow() -> String {
    let folder = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../sandbox/tests/fixtures/rust"
    );
    fs::read_to_string(format!("{folder}/type_recursion.rs")).unwrap()
}

/// The processes that work in a folder below this one.
fn at_work(folder: &Path) -> usize {
    let processes = fs::read_dir("/proc").unwrap().flatten();
    processes
        .filter_map(|process| fs::read_link(process.path().join("cwd")).ok())
        .filter(|cwd| cwd.starts_with(folder) && cwd != folder)
        .count()
}

/// Waits for something that must come about.
fn wait_for(what: &str, mut is_so: impl FnMut() -> bool) {
    let started = Instant::now();
    while !is_so() {
        assert!(started.elapsed() < Duration::from_secs(60), "{what}");
        thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn rustc_ends_with_us_and_leaves_nothing() {
    let program = Program::with("");
    program.write("slow.rs", &slow());
    program.write("good.rs", CORRECT);
    program.write(
        "samples.jsonl",
        "{\"completion\": \"5\", \"answer\": \"5\"}\n",
    );
    let folder = program.path("work");
    fs::create_dir(&folder).unwrap();
    let score = |reward: &str| {
        let mut command = program.command(&["score", reward, "--samples", "samples.jsonl"]);
        command.env("TMPDIR", &folder);
        command
    };
    // Where the SDK is not in the cache yet it is built here.
    assert!(score("good.rs").output().unwrap().status.success());
    for signal in ["INT", "TERM", "KILL"] {
        let mut child = score("slow.rs")
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        wait_for("rustc is started", || at_work(&folder) > 1);
        let kill = format!("kill -{signal} {}", child.id());
        assert!(
            Command::new("sh")
                .args(["-c", &kill])
                .status()
                .unwrap()
                .success()
        );
        child.wait().unwrap();
        let started = Instant::now();
        wait_for("rustc is gone", || at_work(&folder) == 0);
        assert!(
            started.elapsed() < Duration::from_secs(3),
            "{signal}: {:?}",
            started.elapsed()
        );
        assert!(score("good.rs").output().unwrap().status.success());
        let left: Vec<_> = fs::read_dir(&folder).unwrap().flatten().collect();
        assert!(left.is_empty(), "{signal}: {left:?}");
    }
}

#[test]
fn a_search_asked_to_stop_leaves_no_compiler_and_goes_on() {
    let drafts = draft("slow", &slow()) + &draft("right", CORRECT);
    let program = folder(&config("kind = 'replay'\npath = 'drafts.jsonl'", "", 1));
    program.write("drafts.jsonl", &drafts);
    let work = program.path("work");
    fs::create_dir(&work).unwrap();
    let run = || {
        let mut command = program.command(&["run", "search.toml"]);
        command.env("TMPDIR", &work).stderr(Stdio::piped());
        command
    };
    for signal in ["INT", "TERM"] {
        let child = run().spawn().unwrap();
        wait_for("rustc is started", || at_work(&work) > 1);
        let kill = format!("kill -{signal} {}", child.id());
        let sent = Command::new("sh").args(["-c", &kill]).status().unwrap();
        assert!(sent.success());
        let printed = Printed::from(child.wait_with_output().unwrap());
        assert_eq!(printed.code, 130, "{signal}: {printed:?}");
        assert!(
            printed.err.contains("the same command continues"),
            "{printed:?}"
        );
        let started = Instant::now();
        wait_for("rustc is gone", || at_work(&work) == 0);
        assert!(started.elapsed() < Duration::from_secs(3), "{signal}");
    }
    let printed = Printed::from(run().output().unwrap());
    assert_eq!(printed.code, 0, "{printed:?}");
    let board = program.leaderboard();
    assert_eq!(board["state"], "finished");
    assert_eq!(row(&board["candidates"], "slow")["state"], "rejected");
    assert_eq!(row(&board["candidates"], "right")["rank"], 1);
    let left: Vec<_> = fs::read_dir(&work).unwrap().flatten().collect();
    assert!(left.is_empty(), "{left:?}");
}

/// Takes a minute of computing and the package index.
#[test]
#[ignore = "builds the Python guest anew"]
fn the_guest_is_built_without_what_lies_where_it_is_asked_for() {
    let program = Program::with("");
    for name in [
        "venv",
        "pip",
        "logging",
        "sitecustomize",
        "componentize_py",
        "guest",
    ] {
        let code = format!(
            "open({:?}, 'a')\n",
            program.path("was-run").display().to_string()
        );
        program.write(&format!("{name}.py"), &code);
    }
    let mut command = program.command(&["guest", "build"]);
    command
        .env("REWARD_SEARCH_CACHE", program.path("cache"))
        .env("PYTHONPATH", program.path(""));
    let printed = Printed::from(command.output().unwrap());
    assert_eq!(printed.code, 0, "{}", printed.err);
    assert!(printed.out.contains("ready"), "{}", printed.out);
    assert!(!program.path("was-run").exists());
}
