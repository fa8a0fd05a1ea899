//! `score --stdio` from the outside: a peer that sends good lines, bad lines, too much, and goes away at any moment.
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stderr, missing_docs)]

mod endpoint;
mod program;

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    process::{Child, ChildStdin, ChildStdout, Stdio},
    thread,
    time::{Duration, Instant},
};

use endpoint::{Endpoint, Reply as Answer};
use evaluator::ExtractionConfig;
use orchestrator::judge::JudgeConfig;
use program::Program;
use sandbox::{Bench, Limits, Source};
use serde_json::{Value, json};
use trainer_bridge::{Aggregation, GrpoConfig, RewardMember, RewardMix, SamplingConfig, TrainJob};

const RIGHT: &str =
    "pub fn reward(sample: &Sample) -> f64 { f64::from(u8::from(sample.correct())) }";
const LENGTH: &str = "pub fn reward(sample: &Sample) -> f64 { if sample.completion() == \"panic\" { panic!(\"asked to\") } sample.completion().len() as f64 }";

/// A server and its two pipes.
struct Server {
    child: Child,
    to: Option<ChildStdin>,
    from: BufReader<ChildStdout>,
    _program: Program,
}

impl Server {
    /// Starts one and reads its first line.
    fn start(arguments: &[&str]) -> (Self, Value) {
        let program = Program::with("");
        program.write("right.rs", RIGHT);
        program.write("length.rs", LENGTH);
        Self::of(program, arguments)
    }

    /// The same in a folder that is there.
    fn of(program: Program, arguments: &[&str]) -> (Self, Value) {
        let mut child = program
            .command(&[&["score", "--stdio"], arguments].concat())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let to = child.stdin.take();
        let from = BufReader::new(child.stdout.take().unwrap());
        let mut server = Self {
            child,
            to,
            from,
            _program: program,
        };
        let hello = server.read();
        (server, hello)
    }

    fn send(&mut self, line: &[u8]) {
        let to = self.to.as_mut().unwrap();
        to.write_all(line).unwrap();
        to.write_all(b"\n").unwrap();
    }

    fn read(&mut self) -> Value {
        let mut line = String::new();
        self.from.read_line(&mut line).unwrap();
        serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line}"))
    }

    fn ask(&mut self, request: &Value) -> Value {
        self.send(request.to_string().as_bytes());
        self.read()
    }

    /// Ends the input; the exit code.
    fn end(mut self) -> i32 {
        drop(self.to.take());
        let mut rest = String::new();
        self.from.read_to_string(&mut rest).unwrap();
        assert_eq!(rest, "");
        self.child.wait().unwrap().code().unwrap()
    }
}

#[test]
fn batches_are_scored_and_the_end_of_input_is_the_end() {
    let (mut server, hello) = Server::start(&["right.rs", "length.rs", "--weights", "2,-0.5"]);
    let hello = &hello["hello"];
    assert_eq!(hello["protocol"], 1);
    assert_eq!(hello["rewards"][1]["name"], "length");
    assert_eq!(hello["rewards"][1]["weight"], -0.5);
    assert!(hello["rewards"][0]["limits"]["fuel_per_call"].is_u64());

    let reply = server.ask(&json!({"id": 1, "samples": [
        {"prompt": "2+2?", "completion": "so 4", "answer": "4"},
        {"prompt": "2+2?", "completion": "<solution> 5 </solution>", "answer": 4},
    ]}));
    assert_eq!(
        reply,
        json!({"id": 1, "scores": [0.0, -12.0], "components": {"right": [1.0, 0.0], "length": [4.0, 24.0]},
               "correct": [true, false], "extracted": ["4", "5"]})
    );
    let columns = server.ask(
        &json!({"id": "trl", "prompts": [[{"role": "user", "content": "2+2?"}]],
                "completions": [[{"role": "assistant", "content": "so 4"}]], "answer": ["4"]}),
    );
    assert_eq!(columns["scores"], json!([0.0]));
    assert_eq!(server.ask(&json!({"samples": []}))["scores"], json!([]));
    assert_eq!(
        server.ask(&json!({"id": 9, "ping": true})),
        json!({"id": 9, "pong": true})
    );
    assert_eq!(server.end(), 0);
}

#[test]
fn bad_lines_get_an_error_and_the_next_line_is_answered() {
    let (mut server, _) = Server::start(&["length.rs"]);
    for (line, kind) in [
        (&b"{oops"[..], "invalid_json"),
        (b"\xff\xfe\xfd", "not_utf8"),
        (b"\0\0\0", "invalid_json"),
        (br#"{"id": 5, "samples": 5}"#, "invalid_request"),
        (
            br#"{"id": 5, "samples": [{"completion": "panic", "answer": "1"}]}"#,
            "trap",
        ),
    ] {
        server.send(line);
        let reply = server.read();
        assert_eq!(reply["error"]["kind"], kind, "{reply}");
        assert!(reply["error"]["message"].is_string());
    }
    let faulty = server.ask(&json!({"id": 6, "samples": [
        {"completion": "a", "answer": "1"}, {"completion": "panic", "answer": "1"}]}));
    assert_eq!(
        (&faulty["id"], &faulty["error"]["index"]),
        (&json!(6), &json!(1))
    );
    assert_eq!(faulty["error"]["reward"], "length");
    assert!(
        faulty["error"]["message"]
            .as_str()
            .unwrap()
            .contains("asked to")
    );

    server.send(b"\n  \n");
    let blank_lines_are_nothing = server.ask(&json!({"ping": true}));
    assert_eq!(blank_lines_are_nothing["pong"], true);
    assert_eq!(server.end(), 0);
}

#[test]
fn an_over_long_line_is_skipped_in_bounded_memory() {
    let (mut server, hello) = Server::start(&["length.rs"]);
    let limit = hello["hello"]["limits"]["line_bytes"].as_u64().unwrap() as usize;
    let before = resident_kib(&server.child);
    let piece = vec![b'x'; 1 << 20];
    for _ in 0..4 * limit / piece.len() {
        server.to.as_mut().unwrap().write_all(&piece).unwrap();
    }
    server.send(b"");
    assert_eq!(server.read()["error"]["kind"], "line_too_long");
    assert_eq!(server.ask(&json!({"ping": true}))["pong"], true);
    let grown = resident_kib(&server.child).saturating_sub(before);
    assert!(
        grown < 3 * (limit as u64 >> 10),
        "{grown} KiB more than before"
    );
    assert_eq!(server.end(), 0);
}

#[test]
fn a_line_of_very_many_values_is_refused_in_bounded_memory() {
    let (mut server, _) = Server::start(&["length.rs"]);
    let before = peak_kib(&server.child);
    let zeros = "0,".repeat(30_000_000);
    let samples = "{\"completion\":\"\"},".repeat(2_200_000);
    for request in [
        format!("{{\"completions\": [\"\"], \"solution\": [{zeros}0]}}"),
        format!("{{\"samples\": [{samples}{{}}]}}"),
    ] {
        server.send(request.as_bytes());
        assert_eq!(server.read()["error"]["kind"], "too_many_values");
    }
    assert_eq!(server.ask(&json!({"ping": true}))["pong"], true);
    let grown = peak_kib(&server.child).saturating_sub(before);
    // The line itself, whose buffer doubles.
    assert!(grown < 256 << 10, "{grown} KiB more than before");
    assert_eq!(server.end(), 0);
}

#[test]
fn a_reader_that_goes_away_ends_the_server_quietly() {
    let (mut server, _) = Server::start(&["length.rs"]);
    let request = json!({"samples": [{"completion": "a", "answer": "1"}]}).to_string() + "\n";
    let Server { to, from, .. } = &mut server;
    let mut to = to.take().unwrap();
    drop(std::mem::replace(from, dead_pipe()));
    // Our own pipe breaks once it is gone.
    while to.write_all(request.as_bytes()).is_ok() {}
    let started = Instant::now();
    let code = server.child.wait().unwrap().code();
    assert_eq!(code, Some(0));
    assert!(started.elapsed() < Duration::from_secs(10));
}

/// Any readable pipe, to take the place of the one that is closed.
fn dead_pipe() -> BufReader<ChildStdout> {
    let mut child = std::process::Command::new("true")
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let pipe = child.stdout.take().unwrap();
    child.wait().unwrap();
    BufReader::new(pipe)
}

#[test]
fn a_writer_that_is_slow_or_cut_off_is_waited_for_and_then_left() {
    let (mut server, _) = Server::start(&["length.rs"]);
    let request = json!({"id": 1, "samples": [{"completion": "abc", "answer": "1"}]}).to_string();
    let to = server.to.as_mut().unwrap();
    for byte in request.as_bytes() {
        to.write_all(&[*byte]).unwrap();
        to.flush().unwrap();
    }
    thread::sleep(Duration::from_millis(50));
    to.write_all(b"\n").unwrap();
    assert_eq!(server.read()["scores"], json!([3.0]));
    // Cut off in the middle of a request: the piece is answered as what it is, and that is all.
    server
        .to
        .take()
        .unwrap()
        .write_all(&request.as_bytes()[..20])
        .unwrap();
    assert_eq!(server.read()["error"]["kind"], "invalid_json");
    assert_eq!(server.end(), 0);
}

#[test]
fn many_samples_take_no_more_memory_than_few() {
    let (mut server, _) = Server::start(&["length.rs"]);
    let samples: Vec<Value> = (0..64)
        .map(|n| json!({"prompt": "q", "completion": "word ".repeat(n), "answer": n.to_string()}))
        .collect();
    let request = json!({"id": 0, "samples": samples});
    let batches = |server: &mut Server, n: usize| {
        for _ in 0..n {
            assert_eq!(server.ask(&request)["scores"][63], 315.0);
        }
    };
    batches(&mut server, 50);
    let before = resident_kib(&server.child);
    batches(&mut server, 250);
    let grown = resident_kib(&server.child).saturating_sub(before);
    assert!(grown < 4096, "{grown} KiB more after 16000 samples");
    assert_eq!(server.end(), 0);
}

/// Resident memory of a process; 0 where the system does not say.
fn resident_kib(child: &Child) -> u64 {
    status_kib(child, "VmRSS:")
}

/// The same at its most.
fn peak_kib(child: &Child) -> u64 {
    status_kib(child, "VmHWM:")
}

fn status_kib(child: &Child, field: &str) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", child.id()));
    let status = status.unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with(field));
    line.and_then(|line| line.split_whitespace().nth(1)?.parse().ok())
        .unwrap_or(0)
}

#[test]
fn what_cannot_be_served_is_said_in_one_line() {
    let program = Program::with("");
    program.write("right.rs", RIGHT);
    for (arguments, says) in [
        (&["score", "right.rs"][..], "--samples"),
        (&["score", "--stdio", "none.rs"], "none.rs"),
        (
            &["score", "--stdio", "right.rs", "--weights", "1,2"],
            "--weights",
        ),
    ] {
        let printed = program.run(arguments);
        assert_eq!(printed.code, 2, "{printed:?}");
        assert!(printed.err.contains(says), "{}", printed.err);
        assert_eq!(printed.out, "");
    }
}

/// A job with two rewards whose scores differ in scale, judged strictly: an answer outside of its tags counts for nothing.
fn write_job(program: &Program) {
    let bench = Bench::default();
    let member = |name: &str, weight, code: &str| RewardMember {
        name: name.to_owned(),
        module: bench.compile(&Source::rust(code)).unwrap(),
        weight,
    };
    let judge = JudgeConfig::by_rule(ExtractionConfig::tags_only());
    let job = TrainJob {
        mix: RewardMix {
            members: vec![member("right", 1.0, RIGHT), member("length", -0.5, LENGTH)],
            aggregation: Aggregation::NormalizeThenSum,
            limits: Limits {
                fuel_per_call: 1_000_000,
                ..Limits::default()
            },
        },
        judge: judge.spec(),
        grpo: GrpoConfig::default(),
        evaluation: SamplingConfig::default(),
        examples: Vec::new(),
        eval_prompts: Vec::new(),
        seed: 1,
        from: None,
        until_step: 0,
        save_every: None,
    };
    program.write("job.json", &serde_json::to_string(&job).unwrap());
}

#[test]
fn a_job_is_scored_by_its_own_judge_limits_and_aggregation() {
    let program = Program::with("");
    write_job(&program);
    let (mut server, hello) = Server::of(program, &["--job", "job.json"]);
    let hello = &hello["hello"];
    assert_eq!(hello["aggregation"], "normalize_then_sum");
    assert_eq!(hello["rewards"][1]["name"], "length");
    assert_eq!(hello["rewards"][1]["weight"], -0.5);
    assert_eq!(hello["rewards"][1]["limits"]["fuel_per_call"], 1_000_000);
    let columns = json!({"id": 1, "group": 2, "answer": ["4", "4", "4", "4"],
        "completions": ["so 4", "<solution> 4 </solution>", "<solution> 4 </solution>", "five and more"]});
    let reply = server.ask(&columns);
    assert_eq!(reply["correct"], json!([false, true, true, false]));
    assert_eq!(reply["scores"], json!([-2.0, -11.0, -11.0, -6.5]));
    let sums: Vec<f64> = serde_json::from_value(reply["sums"].clone()).unwrap();
    // In a group of two a reward is 1/sqrt(2) deviations from its mean, whatever its scale.
    for (sum, expected) in sums.iter().zip([-0.5, 0.5, 0.5, -0.5]) {
        assert!((sum - expected * 0.5_f64.sqrt()).abs() < 1e-3, "{reply}");
    }
    let mut ungrouped = columns.clone();
    ungrouped["group"] = Value::Null;
    assert_eq!(server.ask(&ungrouped).get("sums"), None);
    ungrouped["group"] = 3.into();
    assert_eq!(server.ask(&ungrouped)["error"]["kind"], "invalid_request");
    assert_eq!(server.end(), 0);
}

#[test]
fn a_judging_model_is_asked_where_a_configuration_says_so() {
    let endpoint = Endpoint::start(vec![Answer::Says("True".to_owned())]);
    let program = Program::with("");
    program.write("right.rs", RIGHT);
    program.write(
        "judge.toml",
        &format!(
            "[verifier]\nkind = 'tinyv'\nmodel = 'm'\nbase_url = '{}'\n",
            endpoint.base_url()
        ),
    );
    let (mut server, _) = Server::of(program, &["right.rs", "--verifier", "judge.toml"]);
    let reply = server.ask(&json!({"samples": [
        {"prompt": "What colour?", "completion": "\\boxed{crimson}", "answer": "red"}]}));
    assert_eq!(reply["scores"], json!([1.0]), "{reply}");
    assert!(endpoint.requests()[0].body.contains("What colour?"));
    let asked = json!({"samples": [{"prompt": "Q: What colour is it? A:", "question": "What colour is it?",
        "completion": "\\boxed{scarlet}", "answer": "red"}]});
    server.ask(&asked);
    let body = endpoint.requests()[1].body.clone();
    assert!(
        body.contains("What colour is it?") && !body.contains("Q: "),
        "{body}"
    );
    assert_eq!(server.end(), 0);
}
