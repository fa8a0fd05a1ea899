//! `train` from outside: one real run in two sittings equals the run in one, and bad input is told in one line.
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stderr)]

mod program;

use evaluator::{Dataset, Split, toy};
use program::Program;
use serde_json::{Value, json};

const CONFIG: &str = r#"
[search]
name = "single"
seed = 3

[task]
kind = "toy"

[grpo]
prompts_per_step = 4
steps_per_generation = 2

[screen]
steps = 5
problems = 40
"#;

const RIGHT: &str = "pub fn reward(s: &Sample) -> f64 { if s.correct() { 1.0 } else { 0.0 } }";

fn folder() -> Program {
    let program = Program::with(CONFIG);
    program.write("right.rs", RIGHT);
    program
}

/// The lines of a run's metrics without those that measure time.
fn metrics(program: &Program, out: &str) -> Vec<Value> {
    let text = std::fs::read_to_string(program.path(out).join("metrics.jsonl")).unwrap();
    text.lines()
        .map(|line| {
            let mut line: Value = serde_json::from_str(line).unwrap();
            line["step_time"].take();
            line["tokens_per_second"].take();
            line
        })
        .collect()
}

#[test]
fn a_run_in_sittings_is_the_run_in_one() {
    let program = folder();
    let mix = [
        "train",
        "search.toml",
        "--reward",
        "right.rs",
        "--reward",
        "base/exact_format",
        "--weights",
        "1,0.1",
        "--format",
        "json",
    ];
    let train = |more: &[&str]| -> Value {
        let out = program.succeed(&[&mix[..], more].concat());
        serde_json::from_str(&out).unwrap()
    };
    let straight = train(&["--out", "straight"]);
    assert_eq!(
        (straight["questions"].as_u64(), straight["steps"].as_u64()),
        (Some(40), Some(5))
    );
    // A leg of three steps that ends within a batch of rollouts, then a second sitting that makes the run longer.
    train(&["--out", "pieces", "--save-every", "2", "--steps", "3"]);
    let pieces = train(&["--out", "pieces", "--save-every", "3"]);
    assert_eq!(straight, pieces);
    let steps = metrics(&program, "straight");
    assert_eq!(steps, metrics(&program, "pieces"));
    assert_eq!(steps.len(), 5);
    assert!(
        steps[0]["rewards/right/mean"].is_number()
            && steps[0]["rewards/base/exact_format/std"].is_number()
    );
    let bytes = |out: &str| std::fs::read(program.path(out).join("checkpoint-5.bin")).unwrap();
    assert!(bytes("straight") == bytes("pieces"));
    let model =
        |out: &str| std::fs::read(program.path(out).join("model/model.safetensors")).unwrap();
    assert!(model("straight") == model("pieces"));
    // Done is done: nothing is trained again, and the result is the same.
    assert_eq!(train(&["--out", "pieces"]), straight);
    let shorter = program.run(&[&mix[..], &["--out", "pieces", "--steps", "3"]].concat());
    assert!(
        shorter.code == 2 && shorter.err.contains("has 5 steps already"),
        "{}",
        shorter.err
    );
    let kept = std::fs::read(program.path("pieces").join("result.json")).unwrap();
    assert_eq!(serde_json::from_slice::<Value>(&kept).unwrap(), straight);
}

#[test]
fn a_run_goes_on_with_other_threads_but_not_from_a_damaged_checkpoint() {
    let program = folder();
    let train = |steps: &str| {
        let run =
            format!("train search.toml --reward right.rs --out out --problems 10 --steps {steps}");
        program.run(&run.split(' ').collect::<Vec<_>>())
    };
    assert_eq!(train("1").code, 0);
    program.write(
        "search.toml",
        &format!("{CONFIG}\n[trainer]\nkind = \"candle\"\nthreads_per_trial = 2\n"),
    );
    let more = train("2");
    assert!(
        more.code == 0 && more.err.contains("Continuing after step 1"),
        "{}",
        more.err
    );
    let file = program.path("out").join("checkpoint-2.bin");
    let half = std::fs::read(&file).unwrap().len() / 2;
    std::fs::File::options()
        .write(true)
        .open(&file)
        .unwrap()
        .set_len(half as u64)
        .unwrap();
    let refused = train("3");
    let last = refused.err.trim_end().lines().last().unwrap_or_default();
    let told = ["checkpoint", "of out", "--out"]
        .iter()
        .all(|part| last.contains(part));
    assert!(
        refused.code == 2 && told,
        "{}: {}",
        refused.code,
        refused.err
    );
}

#[test]
fn bad_input_is_told_in_one_line() {
    let program = folder();
    std::fs::create_dir(program.path("thesis")).unwrap();
    program.write("thesis/chapter.txt", "");
    let refused = |arguments: &[&str], part: &str| {
        let printed = program.run(&[&["train", "search.toml"], arguments].concat());
        let lines = printed.err.trim_end().lines().count();
        assert!(
            printed.code == 2 && printed.err.contains(part) && lines == 1,
            "{arguments:?}: {} {}",
            printed.code,
            printed.err
        );
    };
    refused(
        &["--reward", "right.rs", "--weights", "1,2"],
        "--weights has 2 numbers for 1 rewards",
    );
    refused(&["--reward", "base/exact"], "base/exact_format");
    refused(&["--reward", "missing.rs"], "missing.rs");
    refused(&["--reward", "right.rs", "--out", "thesis"], "holds no run");
}

#[test]
fn one_reward_is_trained_with_as_a_search_screens_it() {
    let program = folder();
    let base = format!("{CONFIG}\n").replace("seed = 3", "seed = 3\nwith_base_rewards = true");
    program.write("base.toml", &base);
    for (name, config, more, aggregation, rewards) in [
        ("one", "search.toml", &[][..], "sum_then_normalize", 1),
        (
            "two",
            "search.toml",
            &["base/exact_format"],
            "normalize_then_sum",
            2,
        ),
        ("beside", "base.toml", &[], "sum_then_normalize", 4),
    ] {
        let mut arguments = vec![
            "train", config, "--steps", "1", "--out", name, "--reward", "right.rs",
        ];
        arguments.extend(more.iter().flat_map(|reward| ["--reward", reward]));
        program.succeed(&arguments);
        let run = std::fs::read(program.path(name).join("run.json")).unwrap();
        let run: Value = serde_json::from_slice(&run).unwrap();
        assert_eq!(run["aggregation"], aggregation, "{name}");
        assert_eq!(run["rewards"].as_array().unwrap().len(), rewards, "{name}");
    }
}

#[test]
fn what_is_typed_is_checked_like_the_configuration() {
    let program = folder();
    for typed in [["--problems", "0"], ["--steps", "4294967295"]] {
        let arguments = ["train", "search.toml", "--reward", "right.rs"];
        let refused = program.run(&[&arguments[..], &typed].concat());
        assert_eq!(refused.code, 2, "{refused:?}");
        assert!(refused.err.contains("screen."), "{}", refused.err);
    }
}

/// Questions that the tiny model can read, and one that it cannot: among those of Test, or in the Dev part of the others.
fn with_one_unreadable(test: bool) -> Program {
    let readable = toy::problems(Split::Train, 80, 1);
    let mut lines: Vec<String> = readable
        .iter()
        .map(|problem| {
            json!({"question": problem.question, "answer": format!("#### {}", problem.answer.as_str())})
                .to_string()
        })
        .collect();
    let unreadable = json!({"question": "Unaussprechlich?", "answer": "#### 1"}).to_string();
    let program = folder();
    std::fs::create_dir(program.path("data")).unwrap();
    let write =
        |file: &str, lines: &[String]| program.write(&format!("data/{file}"), &lines.join("\n"));
    write(
        "test.jsonl",
        if test {
            std::slice::from_ref(&unreadable)
        } else {
            &lines
        },
    );
    if !test {
        lines.push(unreadable);
    }
    write("train.jsonl", &lines);
    let is_in_dev = |seed: u64| {
        let dev = Dataset::gsm8k(&program.path("data"), 40, seed)
            .unwrap()
            .subset(Split::Dev, 40, 0);
        dev.iter()
            .any(|problem| problem.question.starts_with("Unaus"))
    };
    let seed = if test {
        3
    } else {
        (0..).find(|seed| is_in_dev(*seed)).unwrap()
    };
    let config = CONFIG
        .replace("seed = 3", &format!("seed = {seed}"))
        .replace(
            "kind = \"toy\"",
            "kind = \"gsm8k\"\npath = \"data\"\ndev_size = 40",
        );
    program.write("search.toml", &config);
    program
}

#[test]
fn what_cannot_be_judged_in_the_end_does_not_begin() {
    let program = with_one_unreadable(false);
    let refused = program.run(&[
        "train",
        "search.toml",
        "--reward",
        "right.rs",
        "--out",
        "out",
        "--save-every",
        "2",
    ]);
    assert_eq!(refused.code, 2, "{refused:?}");
    assert!(refused.err.contains("Unaus"), "{}", refused.err);
    assert!(
        !program.path("out/metrics.jsonl").exists(),
        "no step was made"
    );

    let program = with_one_unreadable(true);
    let refused = program.run(&["run", "search.toml"]);
    assert_eq!(refused.code, 2, "{refused:?}");
    assert!(refused.err.contains("Unaus"), "{}", refused.err);
    assert!(!program.path("single.db").exists(), "no search was made");
}

#[cfg(unix)]
#[test]
fn a_run_without_a_folder_promises_nothing_when_it_is_stopped() {
    let program = folder();
    let mut child = program
        .command(&[
            "train",
            "search.toml",
            "--reward",
            "right.rs",
            "--steps",
            "2000",
        ])
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    // Its first step is told when it listens.
    let mut lines = std::io::BufRead::lines(std::io::BufReader::new(child.stderr.take().unwrap()));
    lines
        .find(|line| line.as_ref().unwrap().contains("step"))
        .unwrap()
        .unwrap();
    let id = child.id().to_string();
    std::process::Command::new("kill")
        .args(["-INT", &id])
        .status()
        .unwrap();
    let said: Vec<String> = lines.map_while(Result::ok).collect();
    assert_eq!(child.wait().unwrap().code(), Some(130));
    assert!(
        said.iter().any(|line| line.contains("nothing was kept")),
        "{said:?}"
    );
}
