//! What a reward costs: from source to callable, a call of 64 completions, and the same in CPython, alternated in one run.
//!
//! `cargo bench -p sandbox` prints minima and medians. Every reward of `benches/rewards` is there three times: as Python
//! authors write it, the same in Rust with regular expressions, and with the SDK's scanners. The first two must agree on
//! every score. Without a `python3` on the path its column stays empty.
#![allow(clippy::print_stdout, clippy::unwrap_used, missing_docs)]

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::Instant;

use sandbox::{
    Compiler, CompilerConfig, Limits, Module, RewardFn, Sample, Sandbox, Source, Verdict,
};

const REWARDS: [&str; 5] = [
    "format_tags",
    "closeness",
    "valid_steps",
    "repetition",
    "numbers_used",
];
const ROUNDS: usize = 40;

fn main() {
    let texts = completions();
    let length: usize = texts
        .iter()
        .map(|(_, completion, _)| completion.len())
        .sum();
    println!(
        "{} completions, {} characters on average",
        texts.len(),
        length / texts.len()
    );

    let started = Instant::now();
    let compiler = Compiler::new(CompilerConfig::default()).unwrap();
    println!(
        "compiler ready in {:.0} ms (the SDK is built once a toolchain)",
        ms(started)
    );
    let sandbox = Sandbox::new(Limits::default()).unwrap();
    let verdict = Verdict {
        correct: false,
        extracted: None,
    };
    let batch: Vec<Sample<'_>> = texts
        .iter()
        .map(|(prompt, completion, answer)| Sample {
            prompt,
            completion,
            answer,
            verdict,
        })
        .collect();

    let empty = callable(
        &compiler,
        &sandbox,
        "pub fn reward(_: &Sample) -> f64 { 1.0 }",
    );
    let nothing = [Sample {
        prompt: "",
        completion: "",
        answer: "",
        verdict,
    }];
    let mut instance: Vec<f64> = (0..5000)
        .map(|_| timed(|| empty.score(&nothing)).1 * 1e6)
        .collect();
    println!(
        "fresh instance, empty reward, empty sample: {} us",
        spread(&mut instance)
    );

    println!(
        "\n{:14} {:>7} {:>6} {:>6} {:>6}   {:>17} {:>10}",
        "reward", "form", "rustc", "load", "KiB", "64 calls, ms", "CPython"
    );
    let mut python = Python::start(&texts);
    for name in REWARDS {
        for form in ["regex", "scan"] {
            let source =
                std::fs::read_to_string(folder().join(format!("{name}.{form}.rs"))).unwrap();
            let mut compile = Vec::new();
            let mut load = Vec::new();
            let mut module = None;
            for _ in 0..5 {
                let (compiled, seconds) =
                    timed(|| compiler.compile(&Source::rust(&source)).unwrap());
                compile.push(seconds * 1e3);
                load.push(timed(|| sandbox.load(&compiled).unwrap()).1 * 1e3);
                module = Some(compiled);
            }
            let module: Module = module.unwrap();
            let reward = sandbox.load(&module).unwrap();
            let mut ours = Vec::new();
            let mut theirs = Vec::new();
            for _ in 0..ROUNDS {
                let (scores, seconds) = timed(|| reward.score(&batch).unwrap());
                ours.push(seconds * 1e3);
                if let Some((seconds, reference)) = python.as_mut().map(|python| python.score(name))
                {
                    theirs.push(seconds * 1e3);
                    assert!(
                        form == "scan" || agree(&scores, &reference),
                        "{name}: scores differ from Python's"
                    );
                }
            }
            let best = least(&ours);
            let reference = least(&theirs);
            println!(
                "{name:14} {form:>7} {:6.0} {:6.0} {:6.0}   {:>17} {:>5.2} {:>5.2}x",
                least(&compile),
                least(&load),
                module.bytes().len() as f64 / 1024.0,
                spread(&mut ours),
                reference,
                reference / best,
            );
        }
    }
    println!(
        "\nminimum (median); the factor is CPython's minimum over ours: above 1 the sandbox is faster"
    );
}

fn callable(compiler: &Compiler, sandbox: &Sandbox, code: &str) -> RewardFn {
    sandbox
        .load(&compiler.compile(&Source::rust(code)).unwrap())
        .unwrap()
}

/// Prompts, completions of 300 to 800 characters and answers, the same in every run.
fn completions() -> Vec<(String, String, String)> {
    let mut state = 2_463_534_242_u32;
    let mut draw = move |below: u32| {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        state % below
    };
    (0..64)
        .map(|number| {
            let (a, b, c) = (draw(90) + 10, draw(9) + 2, draw(90) + 5);
            let mut text = String::from("<thinking> ");
            let mut last = a;
            for line in 0..draw(8) + 6 {
                let (x, y) = (last % 900 + 3, draw(40) + 2);
                let slip = if draw(5) == 0 { 10 } else { 0 };
                last = x + y + slip;
                let words = [
                    "so we have",
                    "then the total is",
                    "because each box holds",
                    "and therefore",
                ];
                text += &format!(
                    "Step {}: {} {x} + {y} = {last} . ",
                    line + 1,
                    words[draw(4) as usize]
                );
            }
            text += if number % 9 == 0 { "" } else { "</thinking> " };
            let stated = if number % 3 == 0 {
                last
            } else {
                last + draw(30)
            };
            text += &format!("<solution> {stated} </solution>");
            (
                format!("tom has {a} boxes of {b} and takes {c} out ?"),
                text,
                last.to_string(),
            )
        })
        .collect()
}

/// A CPython that scores on demand.
struct Python {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
    _samples: tempfile::NamedTempFile,
}

impl Python {
    fn start(samples: &[(String, String, String)]) -> Option<Self> {
        let file = tempfile::NamedTempFile::new().unwrap();
        serde_json::to_writer(&file, samples).unwrap();
        let mut child = Command::new("python3")
            .arg(folder().join("rewards.py"))
            .arg(file.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .ok()?;
        let (input, output) = (child.stdin.take()?, BufReader::new(child.stdout.take()?));
        Some(Self {
            child,
            input,
            output,
            _samples: file,
        })
    }

    /// Seconds and scores of one reward.
    fn score(&mut self, name: &str) -> (f64, Vec<f64>) {
        writeln!(self.input, "go").unwrap();
        let mut line = String::new();
        self.output.read_line(&mut line).unwrap();
        let reply: serde_json::Value = serde_json::from_str(&line).unwrap();
        let scores = reply[name]["scores"]
            .as_array()
            .unwrap()
            .iter()
            .filter_map(serde_json::Value::as_f64)
            .collect();
        (reply[name]["seconds"].as_f64().unwrap(), scores)
    }
}

impl Drop for Python {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn agree(ours: &[f64], theirs: &[f64]) -> bool {
    ours.len() == theirs.len() && ours.iter().zip(theirs).all(|(a, b)| (a - b).abs() <= 1e-9)
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/rewards")
}

fn timed<T>(work: impl FnOnce() -> T) -> (T, f64) {
    let started = Instant::now();
    let result = work();
    (result, started.elapsed().as_secs_f64())
}

fn ms(started: Instant) -> f64 {
    started.elapsed().as_secs_f64() * 1e3
}

fn least(times: &[f64]) -> f64 {
    times.iter().copied().fold(f64::NAN, f64::min)
}

/// Minimum, and the median in brackets.
fn spread(times: &mut [f64]) -> String {
    times.sort_by(f64::total_cmp);
    format!("{:.2} ({:.2})", times[0], times[times.len() / 2])
}
