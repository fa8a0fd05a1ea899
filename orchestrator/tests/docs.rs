//! The README and `docs/` are true: their commands run, their links lead somewhere, their examples and settings are taken.
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stderr, missing_docs)]

mod program;

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use clap::Parser as _;
use orchestrator::{cli::arguments::Cli, config::Config};
use program::{Printed, Program, searches::replay};
use serde_json::{Value, json};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// Every page: its path and its text.
fn pages() -> Vec<(PathBuf, String)> {
    let mut paths = vec![
        root().join("README.md"),
        root().join("CHANGELOG.md"),
        root().join("sandbox/SECURITY.md"),
        root().join("trainer-bridge/python/README.md"),
    ];
    for folder in ["docs", "docs/experiments"] {
        let docs = fs::read_dir(root().join(folder)).unwrap();
        paths.extend(
            docs.map(|entry| entry.unwrap().path())
                .filter(|path| path.extension().is_some_and(|e| e == "md")),
        );
    }
    paths.sort();
    paths
        .into_iter()
        .map(|path| (path.clone(), fs::read_to_string(path).unwrap()))
        .collect()
}

/// The blocks of one language.
fn blocks<'t>(text: &'t str, language: &str) -> Vec<&'t str> {
    let mut found = Vec::new();
    for (i, part) in text.split("```").enumerate() {
        if i % 2 == 1
            && let Some((tongue, block)) = part.split_once('\n')
            && tongue == language
        {
            found.push(block);
        }
    }
    found
}

/// A command line, by the rules of a shell as far as the documentation needs them.
fn words(line: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut quote = None;
    for c in line.chars() {
        match quote {
            Some(q) if c == q => quote = None,
            None if c == '\'' || c == '"' => quote = Some(c),
            None if c == ' ' => words.push(String::new()),
            _ => words.last_mut().unwrap().push(c),
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

/// Every command of this program that the documentation shows, without comments and with something real for what it leaves open.
fn commands() -> Vec<(String, Vec<String>)> {
    let open = [
        ("[--weights 1,0.5]", ""),
        ("[--verifier CONFIG]", ""),
        ("REWARD...", "mine.rs"),
        ("[CONFIG]", ""),
        ("--ensemble top-3", "--ensemble top-2"),
        ("NAME", "right"),
        ("concise_x_correct", "right"),
        ("correct_x_valid", "right"),
        ("configs/quickstart.toml", "search.toml"),
        ("CONFIG", "search.toml"),
        ("FILE", "samples.jsonl"),
    ];
    let mut found = Vec::new();
    for (path, text) in pages() {
        let lines = ["sh", "bash", ""]
            .into_iter()
            .flat_map(|l| blocks(&text, l));
        for line in lines.flat_map(str::lines) {
            let ours = line
                .strip_prefix("reward-search ")
                .or_else(|| line.strip_prefix("cargo run --release -- "));
            let Some(arguments) = ours else { continue };
            let mut arguments = arguments.to_owned();
            for (left, real) in open {
                arguments = arguments.replace(left, real);
            }
            let end = [" #", " > ", " | "]
                .iter()
                .filter_map(|s| arguments.find(s))
                .min();
            arguments.truncate(end.unwrap_or(arguments.len()));
            let name = path.file_name().unwrap().to_string_lossy();
            found.push((format!("{name}: {line}"), words(&arguments)));
        }
    }
    assert!(found.len() > 40, "the commands are found");
    found
}

#[test]
fn every_command_is_one() {
    for (line, arguments) in commands() {
        let all = std::iter::once("reward-search".to_owned()).chain(arguments);
        if let Err(error) = Cli::try_parse_from(all) {
            panic!("{line}: {error}");
        }
    }
}

/// What is not run here, by the beginning of its arguments, and why.
const NOT_RUN: [(&str, &str); 14] = [
    ("serve", "never ends; tests/pages.rs"),
    ("worker install", "downloads six gigabytes"),
    ("guest build", "needs a package index; sandbox/tests/python"),
    ("data fetch", "needs a network; tests/data_fetch.rs"),
    (
        "pretrain",
        "takes minutes; tests/worlds.rs, trainer-bridge/tests/blackbox/pretraining.rs",
    ),
    (
        "evaluate --endpoint",
        "needs a served model; tests/evaluate_served.rs",
    ),
    ("run configs/gsm8k", "needs a model of the hub"),
    ("run configs/worlds", "takes minutes; tests/worlds.rs"),
    (
        "doctor",
        "its exit code depends on the machine; tests/doctor.rs",
    ),
    ("score --stdio --job", "tests/stdio.rs"),
    (
        "probe rewards.py --fail-on",
        "its exit code is what it found; tests/probe_findings.rs",
    ),
    ("completions bash", "tests/faces.rs"),
    ("man --dir", "tests/faces.rs"),
    (
        "run search.toml --database new.db --from",
        "tests/mended.rs",
    ),
];

const PYTHON: &str = "def correctness(completions, answer, **kwargs):\n    return [1.0 if a in c else 0.0 for c, a in zip(completions, answer)]\n\n\
                      def get_cosine_scaled_reward(max_len):\n    def cosine(completions, **kwargs):\n        return [min(len(c), max_len) / max_len for c in completions]\n    return cosine\n";

/// A folder with a finished search and all the files that the commands name.
fn prepared() -> Program {
    let program = replay();
    program.succeed(&["run", "search.toml", "--quiet"]);
    let reward = reward_of(&fs::read_to_string(root().join("README.md")).unwrap());
    for name in ["mine.rs", "my_reward.rs"] {
        program.write(name, &reward);
    }
    program.write("rewards.py", PYTHON);
    program.write("train_grpo.py", PYTHON);
    let cell = json!({"cell_type": "code", "source": PYTHON});
    program.write(
        "demo.ipynb",
        &json!({"cells": [cell], "nbformat": 4}).to_string(),
    );
    let samples = samples();
    program.write("samples.jsonl", &samples);
    program.write("rollouts.jsonl", &samples);
    let pool: Vec<String> = (2..12)
        .map(|n| {
            let right = format!("<thinking>x</thinking><solution> {n} </solution>");
            json!({"prompt": format!("{n} ?"), "answer": n.to_string(), "completions": [right, "<solution> 0 </solution>", "none"]}).to_string()
        })
        .collect();
    program.write("recorded.jsonl", &pool.join("\n"));
    for name in ["A.jsonl", "B.jsonl"] {
        let rows: Vec<String> = (0..30)
            .map(|n| {
                json!({"answer": n.to_string(), "completion": format!("#### {}", n % 20)})
                    .to_string()
            })
            .collect();
        program.write(name, &rows.join("\n"));
    }
    program
}

#[test]
fn every_command_works() {
    let program = prepared();
    let has_python = program::has_python_guest();
    let (mut run, mut seen) = (0, BTreeSet::new());
    for (line, arguments) in commands() {
        let told = arguments.join(" ");
        let is_known = NOT_RUN.iter().any(|(begin, _)| told.starts_with(begin));
        let needs_python = [".py", ".ipynb"].iter().any(|end| told.contains(end));
        if is_known || (needs_python && !has_python) || !seen.insert(told.clone()) {
            continue;
        }
        for left in ["my_rewards", "my-rewards", "run"] {
            let _ = fs::remove_dir_all(program.path(left));
        }
        let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let mut command = program.command(&words);
        let printed = Printed::from(
            command
                .env("REWARD_SEARCH_DATABASE", "x.db")
                .output()
                .unwrap(),
        );
        assert_eq!(printed.code, 0, "{line}\n{}", printed.err);
        run += 1;
    }
    eprintln!("{run} commands run");
    assert!(run > 25, "{run}");
}

#[test]
fn what_is_not_run_is_there() {
    let all: Vec<String> = commands()
        .into_iter()
        .map(|(_, words)| words.join(" "))
        .collect();
    for (begin, _) in NOT_RUN {
        assert!(
            all.iter().any(|told| told.starts_with(begin)),
            "no page shows `{begin}` any more"
        );
    }
}

#[test]
fn every_link_leads_somewhere() {
    let anchor = |heading: &str| -> String {
        let kept = heading.trim().to_lowercase();
        let kept = kept
            .chars()
            .filter(|c| c.is_alphanumeric() || " -_".contains(*c));
        kept.map(|c| if c == ' ' { '-' } else { c }).collect()
    };
    let mut links = 0;
    for (path, text) in pages() {
        for link in text
            .split("](")
            .skip(1)
            .filter_map(|rest| rest.split(')').next())
        {
            if link.starts_with("http") || link.contains(char::is_whitespace) {
                continue;
            }
            let (file, place) = link.split_once('#').unwrap_or((link, ""));
            let target = match file {
                "" => path.clone(),
                file => path.parent().unwrap().join(file),
            };
            assert!(target.exists(), "{}: {link}", path.display());
            if !place.is_empty() {
                let text = fs::read_to_string(&target).unwrap();
                let mut headings = text.lines().filter_map(|line| line.strip_prefix('#'));
                let found =
                    headings.any(|heading| anchor(heading.trim_start_matches('#')) == place);
                assert!(found, "{}: {link}", path.display());
            }
            links += 1;
        }
    }
    assert!(links > 60, "{links}");
}

#[test]
fn every_page_is_in_the_index() {
    let index = fs::read_to_string(root().join("docs/README.md")).unwrap();
    for (path, _) in pages() {
        let name = path.file_name().unwrap().to_string_lossy();
        assert!(
            name == "README.md" || index.contains(&format!("{name})")),
            "{name}"
        );
    }
}

/// The experiment's statistics, and that its page says what its data say.
#[test]
fn the_experiment_says_what_its_data_say() {
    let script = root().join("orchestrator/scripts/experiment/main.py");
    let tried = std::process::Command::new("python3")
        .args([script.as_os_str(), "test".as_ref()])
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .output();
    let printed = match tried {
        Ok(printed) => printed,
        // The program needs no Python; who has none cannot make the page again either.
        Err(error) => return eprintln!("not run: python3: {error}"),
    };
    assert!(
        printed.status.success(),
        "{}",
        String::from_utf8_lossy(&printed.stderr)
    );
}

/// The example of a page.
fn reward_of(page: &str) -> String {
    blocks(page, "rust")[0].to_owned()
}

fn samples() -> String {
    let sample = |completion: &str| {
        json!({"prompt": "6 * 49 ?", "completion": completion, "answer": "294"}).to_string() + "\n"
    };
    let right = "<thinking> 6 * 49 = 294 . </thinking> <solution> 294 </solution>";
    let wrong = "<thinking> 6 * 49 ~ 290 . </thinking> <solution> 290 </solution>";
    sample(right) + &sample(wrong)
}

fn scores(program: &Program, reward: &str) -> Vec<f64> {
    let out = program.succeed(&["score", reward, "--samples", "samples.jsonl"]);
    let score = |line: &str| {
        serde_json::from_str::<Value>(line).unwrap()["score"]
            .as_f64()
            .unwrap()
    };
    out.lines().map(score).collect()
}

#[test]
fn the_example_rewards_score() {
    let guide = fs::read_to_string(root().join("docs/rewards.md")).unwrap();
    let readme = fs::read_to_string(root().join("README.md")).unwrap();
    assert_eq!(reward_of(&guide), reward_of(&readme));
    let program = Program::with("");
    program.write("samples.jsonl", &samples());
    program.write("mine.rs", &reward_of(&readme));
    assert_eq!(scores(&program, "mine.rs"), [3.0, 0.0]);
    if program::has_python_guest() {
        program.write("mine.py", blocks(&guide, "python")[0]);
        assert_eq!(scores(&program, "mine.py"), [1.0, 1.0]);
    }
}

#[test]
fn every_setting_shown_is_taken() {
    let base = "search = { name = 'x' }\ntask = { kind = 'toy' }\n";
    let mut shown = 0;
    for (path, text) in pages() {
        for block in blocks(&text, "toml") {
            let mut table: toml::Table = base.parse().unwrap();
            let page = path.display();
            let here: toml::Table = block
                .parse()
                .unwrap_or_else(|error| panic!("{page}: {error}\n{block}"));
            // What another program reads stands under its own names.
            if here.keys().any(|key| key == "env") {
                continue;
            }
            for (section, settings) in here {
                let known = table
                    .entry(section)
                    .or_insert_with(|| toml::Table::new().into());
                known
                    .as_table_mut()
                    .unwrap()
                    .extend(settings.as_table().unwrap().clone());
            }
            if let Some(trainer) = table.get_mut("trainer") {
                let trainer = trainer.as_table_mut().unwrap();
                trainer.entry("kind").or_insert_with(|| "candle".into());
            }
            let read: Result<Config, _> = table.try_into();
            assert!(read.is_ok(), "{page}: {:?}\n{block}", read.err());
            shown += 1;
        }
    }
    assert!(shown >= 5, "{shown}");
}
