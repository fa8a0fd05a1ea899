//! What somebody meets who uses the program for the first time: what is wrong is said with its place, and nothing healthy is blamed.
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stderr, missing_docs)]

mod program;

use std::{
    fs,
    io::Read as _,
    process::Stdio,
    time::{Duration, Instant},
};

use program::{Program, searches};
use serde_json::Value;

const TOY: &str =
    "search = { name = 'x', rounds = 1, candidates_per_round = 1 }\ntask = { kind = 'toy' }\n";

/// What a run that must be refused says on standard error.
fn refused(program: &Program, arguments: &[&str]) -> String {
    let printed = program.run(arguments);
    assert_eq!(printed.code, 2, "{printed:?}");
    printed.err
}

/// Rewards as a training script for GSM8K has them, which pay in a format that is not the built-in pool's.
const SCRIPT: &str = r#"
def extract(text):
    return text.split("<answer>")[-1].split("</answer>")[0].strip()

def correctness(prompts, completions, answer, **kwargs):
    return [2.0 if extract(c[0]["content"]) == a else 0.0 for c, a in zip(completions, answer)]
"#;

#[test]
fn a_reward_that_pays_in_another_format_is_not_called_hacked() {
    if !program::has_python_guest() {
        return;
    }
    let program = Program::with("");
    program.write("script.py", SCRIPT);
    let found = program.succeed(&["audit", "script.py", "--format", "json"]);
    let found: Value = serde_json::from_str(&found).unwrap();
    assert_eq!(found[0]["flags"], Value::Array(Vec::new()), "{found:#}");
    assert!(
        found[0]["attack"]["auc_within"].as_f64() > Some(0.9),
        "{found:#}"
    );
    // verl's dump, which `probe` reads, too.
    let row = |n: u32, reply: u32| {
        format!(
            "{{\"input\": \"{n}+{n}?\", \"output\": \"<answer>{reply}</answer>\", \"gts\": \"{}\", \"step\": 1}}\n",
            2 * n
        )
    };
    program.write(
        "dump.jsonl",
        &[row(2, 4), row(2, 5), row(3, 6), row(3, 7)].concat(),
    );
    let found = program.succeed(&["audit", "script.py", "--pool", "dump.jsonl"]);
    assert!(found.contains("4 completions, 2 right"), "{found}");
}

#[test]
fn a_reward_that_asks_for_a_column_is_probed_on_a_pool_that_has_it() {
    if !program::has_python_guest() {
        return;
    }
    let program = Program::with("");
    program.write(
        "column.py",
        "def reward(completions, answer, bonus, **kwargs):\n    return [float(a in c) * b for c, a, b in zip(completions, answer, bonus)]\n",
    );
    program.write(
        "groups.jsonl",
        "{\"prompt\": \"2+2?\", \"answer\": \"4\", \"completions\": [\"4\", \"5\"], \"bonus\": 3}\n",
    );
    program.write(
        "rows.jsonl",
        "{\"prompt\": \"2+2?\", \"answer\": \"4\", \"completion\": \"4\", \"bonus\": 3}\n{\"prompt\": \"2+2?\", \"answer\": \"4\", \"completion\": \"5\", \"bonus\": 3}\n",
    );
    for pool in ["groups.jsonl", "rows.jsonl"] {
        let found = program.succeed(&["probe", "column.py", "--pool", pool, "--format", "json"]);
        let found: Value = serde_json::from_str(&found).unwrap();
        assert_eq!(found[0]["refused"], Value::Null, "{pool}: {found:#}");
        assert_eq!(found[0]["worth"]["highest"], 3.0, "{pool}: {found:#}");
    }
}

#[test]
fn what_does_not_compile_is_said_with_its_place_in_the_file() {
    let program = Program::with("");
    program.write(
        "s.jsonl",
        "{\"completion\": \"The answer is 4\", \"answer\": \"4\"}\n",
    );
    for (source, says) in [
        (
            "\npub fn reward(sample: &Sample) -> f32 {\n    1.0\n}\n",
            "line 2: the entry must be `pub fn reward(sample: &Sample) -> f64`",
        ),
        (
            "pub fn reward(sample: Sample) -> f64 { 1.0 }",
            "line 1: the entry must be `pub fn reward(sample: &Sample) -> f64`",
        ),
        (
            "pub fn reward(sample: &Sample) -> f64 {\n    let text: String = sample.completion();\n    1.0\n}\n",
            "mismatched types: expected `String`, found `&str` (line 2)",
        ),
    ] {
        program.write("mine.rs", source);
        let err = refused(&program, &["score", "mine.rs", "--samples", "s.jsonl"]);
        assert!(err.contains(says), "`{says}` is not in: {err}");
    }
}

#[test]
fn a_reader_that_goes_away_and_a_full_disk_are_the_same_to_every_table() {
    let program = searches::replay();
    program.succeed(&["run", "search.toml"]);
    for what in ["outcomes", "candidates"] {
        let full = fs::File::options().write(true).open("/dev/full").unwrap();
        let mut command = program.command(&["records", what]);
        let status = command.stdout(full).stderr(Stdio::null()).status().unwrap();
        assert_eq!(status.code(), Some(1), "{what}");
    }
    let mut command = program.command(&["records", "outcomes"]);
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let done = command.stdout(writer).output().unwrap();
    assert_eq!(
        (done.status.code(), &*done.stderr),
        (Some(0), &b""[..]),
        "{done:?}"
    );
}

#[test]
fn a_wrong_column_is_named_with_the_nearest_one() {
    let task = "task = { kind = 'jsonl', file = 'rows.jsonl', question = 'qestion' }\n";
    let program = Program::with(&format!("search = {{ name = 'x' }}\n{task}"));
    program.write(
        "rows.jsonl",
        "{\"question\": \"2+2?\", \"answer\": \"4\"}\n",
    );
    let err = refused(&program, &["run", "search.toml", "--plan"]);
    for part in [
        "rows.jsonl:1: no column `qestion`",
        "there are answer, question",
        "Did you mean `question`?",
    ] {
        assert!(err.contains(part), "`{part}` is not in: {err}");
    }
}

#[test]
fn the_built_in_model_says_which_word_it_does_not_know() {
    let program = Program::with(
        "search = { name = 'x' }\ntask = { kind = 'jsonl', file = 'rows.jsonl' }\n[trainer]\nkind = 'candle'\nmodel = 'toy'\n[screen]\nproblems = 10\n[confirm]\nproblems = 10\n",
    );
    let rows: String = (0..60)
        .map(|n| {
            format!(
                "{{\"question\": \"Compute {n} + 1 ?\", \"answer\": \"{}\"}}\n",
                n + 1
            )
        })
        .collect();
    program.write("rows.jsonl", &rows);
    let err = refused(&program, &["run", "search.toml", "--plan"]);
    for part in ["no token for \"Compute\"", "`toy`"] {
        assert!(err.contains(part), "`{part}` is not in: {err}");
    }
}

#[test]
fn a_plan_says_that_a_seed_reward_is_not_there() {
    let program = Program::with(&TOY.replace(
        "candidates_per_round = 1",
        "candidates_per_round = 1, seed_rewards = ['none.rs']",
    ));
    let plan = program.succeed(&["run", "search.toml", "--plan"]);
    assert!(
        plan.contains("but ") && plan.contains("none.rs: cannot be read"),
        "{plan}"
    );
    assert!(plan.contains("1 round of 1 reward function\n"), "{plan}");
}

#[test]
fn only_what_can_be_a_search_is_served() {
    let program = Program::with(TOY);
    let err = refused(&program, &["serve", "search.toml", "--port", "0"]);
    assert!(err.contains("search.toml is no database"), "{err}");
    let mut command = program.command(&["serve", "later.db", "--port", "0"]);
    let mut serving = command.stdout(Stdio::piped()).spawn().unwrap();
    let mut out = serving.stdout.take().unwrap();
    let (mut told, begun) = (Vec::new(), Instant::now());
    while !String::from_utf8_lossy(&told).contains("later.db is not there yet") {
        let mut some = [0; 256];
        let read = out.read(&mut some).unwrap();
        told.extend(&some[..read]);
        let waits = read > 0 && begun.elapsed() < Duration::from_secs(20);
        assert!(waits, "{}", String::from_utf8_lossy(&told));
    }
    serving.kill().unwrap();
    serving.wait().unwrap();
}

#[test]
fn a_reward_is_not_compared_with_itself() {
    let program = Program::with(TOY);
    let err = refused(&program, &["compare", "a", "b", "a"]);
    assert!(err.contains("`a` is named twice"), "{err}");
}

const RIGHT: &str = "pub fn reward(sample: &Sample) -> f64 { 1.0 / f64::from(u8::from(sample.completion() != \"?\")) }";

#[test]
fn samples_are_read_as_trainers_write_them_and_a_fault_has_its_line() {
    let program = Program::with("");
    program.write("right.rs", RIGHT);
    program.write(
        "dump.jsonl",
        "{\"input\": \"2+2?\", \"output\": \"The answer is 4\", \"gts\": \"4\", \"score\": 1.0, \"step\": 1}\n",
    );
    let scored = program.succeed(&["score", "right.rs", "--samples", "dump.jsonl"]);
    let scored: Value = serde_json::from_str(&scored).unwrap();
    assert_eq!(
        (&scored["correct"], &scored["score"]),
        (&true.into(), &1.0.into())
    );
    let judged = program.succeed(&[
        "evaluate",
        "--predictions",
        "dump.jsonl",
        "--format",
        "json",
    ]);
    let judged: Value = serde_json::from_str(&judged).unwrap();
    assert_eq!(judged["models"][0]["correct"], 1, "{judged:#}");
    for (samples, says) in [
        ("", "s.jsonl holds no samples"),
        (
            "\n{\"completion\": \"x\", \"answer\": \"4\"}\n\n{\"completion\": \"?\", \"answer\": \"4\"}\n",
            "s.jsonl:4: right: sample 1: the score is not a finite number",
        ),
        (
            "{\"completions\": \"x\", \"answer\": \"4\"}",
            "s.jsonl:1: expected {\"prompt\": …, \"completion\": …, \"answer\": …}: a sample needs `completion`; it has `completions`.",
        ),
        ("{\"completion\": ", "s.jsonl:1: "),
    ] {
        program.write("s.jsonl", samples);
        let err = refused(&program, &["score", "right.rs", "--samples", "s.jsonl"]);
        assert!(err.contains(says), "`{says}` is not in: {err}");
        assert!(!err.contains("at line 1"), "{err}");
    }
    program.write("list.json", "[{\"completion\": \"x\", \"answer\": \"4\"}]");
    let err = refused(&program, &["evaluate", "--predictions", "list.json"]);
    assert!(
        err.contains("list.json:1: each line must be an object"),
        "{err}"
    );
}

#[test]
fn a_reference_row_is_shown_with_its_figures_after_it_was_confirmed_too() {
    let program = searches::replay();
    program.succeed(&["run", "search.toml"]);
    for (name, on) in [
        ("untouched", "nothing: the base model as it is"),
        ("base-rewards-only", "base/exact_format + "),
    ] {
        let shown = program.succeed(&["show", name]);
        for part in [
            &format!("{name}  (a reference row, complete)\ntrained on  {on}"),
            "\nF1          ",
            "\nF1 on Test  ",
        ] {
            assert!(shown.contains(part), "`{part}` is not in: {shown}");
        }
    }
}

#[test]
fn what_is_paid_for_not_being_wrong_is_told_as_that() {
    let program = Program::with("");
    program.write(
        "costly.rs",
        "pub fn reward(sample: &Sample) -> f64 {\n    match (sample.correct(), sample.extracted()) { (true, _) => 3.0, (_, Some(_)) => -1.0, _ => 0.0 }\n}\n",
    );
    let found = program.succeed(&["probe", "costly.rs"]);
    let found: Vec<&str> = found.split_whitespace().collect();
    let says = "0 % of a right answer, 25 % of the way from an honest wrong one to it";
    assert!(found.join(" ").contains(says), "{}", found.join(" "));
}

#[test]
fn a_training_that_teaches_nothing_says_so() {
    let program = Program::with(&format!(
        "{TOY}screen = {{ steps = 1, problems = 10 }}\ntrainer = {{ kind = 'candle', model = 'toy' }}\n"
    ));
    program.write("flat.rs", "pub fn reward(_: &Sample) -> f64 { 1.0 }");
    let trained = program.run(&["train", "search.toml", "--reward", "flat.rs"]);
    assert_eq!(trained.code, 0, "{trained:?}");
    for part in ["  flat 1.00  ", "so nothing was learnt"] {
        assert!(
            trained.err.contains(part),
            "`{part}` is not in: {}",
            trained.err
        );
    }
    let trained = program.run(&["train", "search.toml", "--reward", "base/answer_check"]);
    assert!(!trained.err.contains("nothing was learnt"), "{trained:?}");
}

#[test]
fn a_database_without_its_option_is_told_of_it() {
    let err = refused(&Program::with(TOY), &["leaderboard", "night.db"]);
    assert!(
        err.contains("tip: a database is named with '--database night.db'"),
        "{err}"
    );
}

#[test]
fn a_chart_is_not_written_under_another_kinds_name() {
    let program = Program::with(TOY);
    let err = refused(&program, &["plot", "rounds", "--out", "x.png"]);
    assert!(err.contains("not as png: name a .svg file"), "{err}");
    assert!(!program.path("x.png").exists());
}
