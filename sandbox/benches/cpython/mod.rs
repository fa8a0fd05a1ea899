//! The twelve rewards of `benches/rewards`, texts to score, and a CPython to score them with: shared by the benchmark and
//! the test of equality.

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use sandbox::{Sample, Verdict};

/// Names of the rewards, and whether the form with scanners gives the same scores as the two others. Where it does not, the
/// SDK's own idea of a step, a number or a word is the better one: chains and brackets, separators and signs.
pub const REWARDS: [(&str, bool); 12] = [
    ("format_tags", true),
    ("tag_counts", true),
    ("closeness", true),
    ("final_answer", true),
    ("valid_steps", false),
    ("annotations", true),
    ("repetition", false),
    ("numbers_used", false),
    ("results_reused", true),
    ("step_markers", true),
    ("reasoning_words", true),
    ("sentence_length", true),
];

/// Source of a reward in Rust; the form is `regex` or `scan`.
pub fn source(name: &str, form: &str) -> String {
    std::fs::read_to_string(folder().join(format!("{name}.{form}.rs"))).unwrap()
}

/// Source of all rewards in Python.
pub fn python_source() -> PathBuf {
    folder().join("rewards.py")
}

/// One of them as a file of its own, as a candidate is.
#[allow(dead_code, reason = "only the benchmark loads them one by one")]
pub fn python_function(name: &str) -> String {
    let all = std::fs::read_to_string(python_source()).unwrap();
    let head = format!("def {name}(");
    let body = all
        .split("\n\n\n")
        .find(|part| part.starts_with(&head))
        .unwrap();
    format!("import re\n\n\n{body}\n")
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/rewards")
}

/// What a sample is made of.
pub struct Texts {
    pub prompt: String,
    pub completion: String,
    pub answer: String,
}

/// The samples, without verdicts.
pub fn samples(texts: &[Texts]) -> Vec<Sample<'_>> {
    texts
        .iter()
        .map(|one| Sample {
            prompt: &one.prompt,
            completion: &one.completion,
            answer: &one.answer,
            verdict: &Verdict::NO_ANSWER,
            row: "",
        })
        .collect()
}

/// Completions of 300 to 800 characters in the format of the tags, the same in every run.
pub fn tagged(number: usize) -> Vec<Texts> {
    let mut state = 2_463_534_242_u32;
    let mut draw = move |below: u32| {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        state % below
    };
    (0..number)
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
                let words = words[draw(4) as usize];
                text += &format!("Step {}: {words} {x} + {y} = {last} .\n", line + 1);
            }
            text += if number % 9 == 0 { "" } else { "</thinking> " };
            let stated = if number % 3 == 0 {
                last
            } else {
                last + draw(30)
            };
            text += &format!("<solution> {stated} </solution>");
            Texts {
                prompt: format!("tom has {a} boxes of {b} and takes {c} out ?"),
                completion: text,
                answer: last.to_string(),
            }
        })
        .collect()
}

/// The first completions of GSM8K's recorded model solutions, if they are there: in the folder that `REWARD_SEARCH_DATA`
/// names, or in `../shared/data` beside the repository.
pub fn recorded(number: usize) -> Option<Vec<Texts>> {
    let folder = std::env::var_os("REWARD_SEARCH_DATA").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data"),
        PathBuf::from,
    );
    let file = std::fs::read_to_string(folder.join("gsm8k/example_model_solutions.jsonl")).ok()?;
    let mut texts = Vec::new();
    for line in file.lines() {
        let row: serde_json::Value = serde_json::from_str(line).unwrap();
        let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
        let truth = text(&row["ground_truth"]);
        let answer = truth.rsplit("A: ").next().unwrap().trim().to_owned();
        for model in [
            "6b_finetuning",
            "6b_verification",
            "175b_finetuning",
            "175b_verification",
        ] {
            texts.push(Texts {
                prompt: text(&row["question"]),
                completion: text(&row[model]["solution"]),
                answer: answer.clone(),
            });
        }
        if texts.len() >= number {
            break;
        }
    }
    texts.truncate(number);
    Some(texts)
}

/// A CPython that scores on demand.
pub struct Python {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
    _samples: tempfile::NamedTempFile,
}

impl Python {
    /// Nothing where there is no `python3`.
    pub fn start(texts: &[Texts]) -> Option<Self> {
        let file = tempfile::NamedTempFile::new().unwrap();
        let rows: Vec<_> = texts
            .iter()
            .map(|one| (&one.prompt, &one.completion, &one.answer))
            .collect();
        serde_json::to_writer(&file, &rows).unwrap();
        let mut child = Command::new("python3")
            .arg(folder().join("worker.py"))
            .arg(file.path())
            .env("PYTHONDONTWRITEBYTECODE", "1")
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

    /// CPU seconds and scores of one reward.
    pub fn score(&mut self, name: &str) -> (f64, Vec<f64>) {
        writeln!(self.input, "{name}").unwrap();
        let mut line = String::new();
        self.output.read_line(&mut line).unwrap();
        let reply: serde_json::Value = serde_json::from_str(&line).unwrap();
        let scores = reply["scores"].as_array().unwrap().iter();
        (
            reply["seconds"].as_f64().unwrap(),
            scores.map(|score| score.as_f64().unwrap()).collect(),
        )
    }
}

impl Drop for Python {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The first place where two lists of scores differ by more than 1e-9.
pub fn difference(ours: &[f64], theirs: &[f64]) -> Option<usize> {
    if ours.len() != theirs.len() {
        return Some(ours.len().min(theirs.len()));
    }
    ours.iter()
        .zip(theirs)
        .position(|(a, b)| a.is_nan() || b.is_nan() || (a - b).abs() > 1e-9)
}
