//! `doctor`: what it finds on this machine, what it misses where something is taken away, and that a search says the same before it starts.
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stderr, missing_docs)]

mod program;

use program::{Printed, Program};
use serde_json::Value;

const TOY: &str =
    "search = { name = 'x', rounds = 1, candidates_per_round = 1 }\ntask = { kind = 'toy' }\n";
const SECRET: &str = "sk-this-must-never-be-shown";

/// Runs a command without what stands in the variables, and with what `set` says.
fn run(program: &Program, arguments: &[&str], set: &[(&str, &str)]) -> Printed {
    let mut command = program.command(arguments);
    command
        .env_remove("DOCTORS_KEY")
        .env("HF_HUB_CACHE", program.path("models"))
        .env("XDG_CACHE_HOME", program.path("data"));
    command.envs(set.iter().copied());
    Printed::from(command.output().unwrap())
}

/// The checks by name.
fn check<'a>(examination: &'a Value, name: &str) -> &'a Value {
    let checks = examination["checks"].as_array().unwrap();
    checks
        .iter()
        .find(|check| check["name"] == name)
        .unwrap_or_else(|| panic!("no {name} in {examination:#}"))
}

fn examined(printed: &Printed) -> Value {
    serde_json::from_str(&printed.out).unwrap_or_else(|_| panic!("{printed:?}"))
}

#[test]
fn a_machine_that_runs_these_tests_is_ready() {
    let program = Program::with(TOY);
    let printed = run(
        &program,
        &["doctor", "search.toml", "--format", "json"],
        &[],
    );
    assert_eq!(printed.code, 0, "{printed:?}");
    let found = examined(&printed);
    assert_eq!(found["ready"], true);
    for name in ["rustc", "WebAssembly target", "devices", "caches"] {
        assert_eq!(check(&found, name)["state"], "ready", "{found:#}");
    }
    let data = check(&found, "data: gsm8k");
    assert_eq!(data["state"], "unused");
    assert_eq!(data["mend"], "reward-search data fetch gsm8k");
    let table = run(&program, &["doctor"], &[]);
    assert_eq!(table.code, 0);
    assert!(table.out.contains("WebAssembly target"), "{table:?}");
}

#[test]
fn without_a_compiler_doctor_and_search_say_what_to_do() {
    let program = Program::with(TOY);
    let nothing = program.path("nothing").display().to_string();
    let set = [("PATH", nothing.as_str())];
    let printed = run(&program, &["doctor", "--format", "json"], &set);
    assert_eq!(printed.code, 1, "{printed:?}");
    let found = examined(&printed);
    assert_eq!(found["ready"], false);
    let rustc = check(&found, "rustc");
    assert_eq!(rustc["state"], "missing");
    assert!(
        rustc["mend"].as_str().unwrap().contains("rustup"),
        "{rustc}"
    );

    let search = run(&program, &["run", "search.toml"], &set);
    assert_eq!(search.code, 1, "{search:?}");
    assert_eq!(search.err.trim_end().lines().count(), 1, "{search:?}");
    for part in ["rustup", "reward-search doctor"] {
        assert!(
            search.err.contains(part),
            "`{part}` is not in {}",
            search.err
        );
    }
    assert!(!program.path("x.db").exists());
}

#[test]
fn a_configuration_s_needs_are_looked_at_and_no_key_is_shown() {
    let program = Program::with(
        "search = { name = 'x' }\ntask = { kind = 'gsm8k' }\n\
         proposer = { kind = 'chat', base_url = 'http://h/v1', model = 'm', api_key_env = 'DOCTORS_KEY' }\n",
    );
    let doctor = ["doctor", "search.toml", "--format", "json"];
    let without = run(&program, &doctor, &[]);
    assert_eq!(without.code, 1, "{without:?}");
    let found = examined(&without);
    assert_eq!(check(&found, "data: gsm8k")["state"], "missing");
    let key = check(&found, "key");
    assert_eq!(key["state"], "missing");
    let told = key["found"].as_str().unwrap();
    assert!(
        told.contains("DOCTORS_KEY") && told.contains("proposer.api_key_env"),
        "{told}"
    );

    for form in ["json", "table", "csv", "markdown"] {
        let with = run(
            &program,
            &["doctor", "search.toml", "--format", form],
            &[("DOCTORS_KEY", SECRET)],
        );
        assert!(with.out.contains("DOCTORS_KEY is set"), "{with:?}");
        assert!(!format!("{with:?}").contains(SECRET));
    }
}
