//! Data sets of one's own, in whatever columns they come: searched, trained, planned, scored and evaluated by the real program.
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stderr, missing_docs)]

mod program;

use std::{fs, path::PathBuf};

use evaluator::{Split, toy};
use program::{
    Program,
    searches::{CORRECT, INVERTED, draft, rows},
};
use serde_json::{Value, json};
use sqlx::Row as _;

const TASKS: [&str; 7] = [
    "math.jsonl",
    "countdown.jsonl",
    "countdown.py",
    "dapo.jsonl",
    "verl.parquet",
    "completions.parquet",
    "zstd.parquet",
];

fn fixture(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("tests/fixtures/tasks")
        .join(name)
}

fn config(task: &str) -> String {
    format!(
        "[search]\nname = 'x'\nseed = 7\nrounds = 1\ncandidates_per_round = 2\nmax_concurrent_trials = 2\n[task]\nkind = 'jsonl'\n{task}\n\
         [proposer]\nkind = 'replay'\npath = 'drafts.jsonl'\n[trainer]\nkind = 'fake'\n\
         [screen]\nsteps = 8\nproblems = 12\ngate.refuse_flat = false\ngate.replace_twins = false\n[ensemble]\nsizes = []\n\
         [confirm]\nsteps = 10\nproblems = 12\nseeds = 1\ncandidates = 1\n"
    )
}

/// A folder with a configuration in a folder of its own, beside which its data lie.
fn folder(task: &str) -> Program {
    let program = Program::with("");
    fs::create_dir(program.path("c")).unwrap();
    for name in TASKS {
        fs::copy(fixture(name), program.path("c").join(name)).unwrap();
    }
    program.write(
        "c/drafts.jsonl",
        &(draft("right", CORRECT) + &draft("wrong", INVERTED)),
    );
    program.write("c/search.toml", &config(task));
    program
}

const MATH: &str = "file = 'math.jsonl'";
const DAPO: &str = "file = 'dapo.jsonl'\nsplit = 'split'";
const VERL: &str = "file = 'verl.parquet'";
const COUNTDOWN: &str = "file = 'countdown.jsonl'\nprompt = \"Use {{ nums | join(' and ') }} to make {target}.\"\nmetric = 'countdown.py::reaches'";

/// F1 of every ranked candidate, by name.
fn board(program: &Program) -> Value {
    serde_json::from_str(&program.succeed(&[
        "leaderboard",
        "--database",
        "x.db",
        "--format",
        "json",
    ]))
    .unwrap()
}

fn f1(board: &Value, name: &str) -> f64 {
    let rows = board["candidates"].as_array().unwrap();
    let row = rows.iter().find(|row| row["name"] == name);
    row.unwrap_or_else(|| panic!("{name} in {board:#}"))["f1"]["point"]
        .as_f64()
        .unwrap()
}

#[test]
fn well_known_data_sets_are_searched_with_as_they_are() {
    for task in [MATH, DAPO, VERL] {
        let program = folder(task);
        let planned = program.succeed(&["run", "c/search.toml", "--plan"]);
        assert!(planned.contains("jsonl"), "{planned}");
        let doctor = program.succeed(&["doctor", "c/search.toml"]);
        assert!(doctor.contains("to rank on"), "{doctor}");
        program.succeed(&["run", "c/search.toml"]);
        let board = board(&program);
        assert!(f1(&board, "right") > f1(&board, "wrong"), "{board:#}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_search_is_continued_with_the_same_rows_only() {
    let program = folder(MATH);
    program.succeed(&["run", "c/search.toml"]);
    let stored = rows(&program.path("x.db"), "SELECT config FROM searches").await;
    let stored: Value = serde_json::from_str(stored[0].get(0)).unwrap();
    assert_eq!(stored["task"]["data_sha256"].as_str().unwrap().len(), 64);
    // Where the file lies does not matter.
    fs::rename(program.path("c/math.jsonl"), program.path("c/moved.jsonl")).unwrap();
    program.write(
        "c/search.toml",
        &config("file = 'moved.jsonl'").replace("rounds = 1", "rounds = 2"),
    );
    program.succeed(&["run", "c/search.toml"]);
    let mut rows = fs::read_to_string(program.path("c/moved.jsonl")).unwrap();
    rows +=
        "{\"problem\": \"Compute 1 + 1 .\", \"solution\": \"This is then just \\\\boxed{2}.\"}\n";
    program.write("c/moved.jsonl", &rows);
    program.write(
        "c/search.toml",
        &config("file = 'moved.jsonl'").replace("rounds = 1", "rounds = 3"),
    );
    let refused = program.run(&["run", "c/search.toml"]);
    assert_eq!(refused.code, 2, "{refused:?}");
    assert!(refused.err.contains("data_sha256"), "{}", refused.err);
}

#[test]
fn a_metric_of_ones_own_decides_and_rewards_get_the_columns() {
    if !program::has_python_guest() {
        return;
    }
    let program = folder(COUNTDOWN);
    let seeds = "seed_rewards = ['countdown.py::uses_numbers']\nrounds = 1";
    program.write(
        "c/search.toml",
        &config(COUNTDOWN).replace("rounds = 1", seeds),
    );
    program.succeed(&["run", "c/search.toml"]);
    let found = board(&program);
    assert!(f1(&found, "right") > f1(&found, "wrong"), "{found:#}");
    assert!(f1(&found, "uses_numbers") > 0.0, "{found:#}");
    // Whether it can be loaded is told before a search is begun.
    let metric = |c: &str| {
        program.write("c/other.toml", c);
        let doctor = program.run(&["doctor", "c/other.toml", "--format", "json"]);
        let found: Value = serde_json::from_str(&doctor.out).unwrap();
        let checks = found["checks"].as_array().unwrap();
        checks.iter().find(|c| c["name"] == "metric").cloned()
    };
    assert_eq!(metric(&config(COUNTDOWN)).unwrap()["state"], "ready");
    let absent = metric(&config(&COUNTDOWN.replace("reaches", "arrives"))).unwrap();
    assert_eq!(absent["state"], "missing", "{absent:#}");
    assert!(
        absent["found"].to_string().contains("arrives"),
        "{absent:#}"
    );
    assert!(metric(&config(MATH)).is_none());
    // A metric that fails is told of before anything is trained.
    program.write("c/countdown.py", "def reaches(completions, target, nums, **kwargs):\n    return [1 / len(c) for c in completions]\n");
    let refused = program.run(&["run", "c/search.toml", "--database", "y.db"]);
    assert_eq!(refused.code, 2, "{refused:?}");
    for word in ["task.metric", "countdown.py::reaches", "ZeroDivisionError"] {
        assert!(refused.err.contains(word), "{word}: {}", refused.err);
    }
    assert!(!program.path("y.db").exists());
}

#[test]
fn tables_are_scored_as_json_lines_are() {
    let program = folder(MATH);
    program.write("right.rs", CORRECT);
    let scores = |samples: &str| {
        let scored = program.succeed(&["score", "right.rs", "--samples", samples]);
        let lines = scored.lines();
        lines
            .map(|line| serde_json::from_str::<Value>(line).unwrap()["score"].clone())
            .collect::<Vec<_>>()
    };
    let half = [1.0, 0.0, 1.0, 0.0, 1.0, 0.0, 1.0, 0.0];
    assert_eq!(scores("c/completions.parquet"), half);
    program.write(
        "two.csv",
        "completion,answer\nit is 4,4\n\"it is 1,000\",4\n",
    );
    assert_eq!(scores("two.csv"), [1.0, 0.0]);
    program.write("broken.parquet", "PAR1 and no more");
    for (file, says) in [
        ("c/zstd.parquet", "compression='snappy'"),
        ("broken.parquet", "is no parquet that can be read"),
    ] {
        let refused = program.run(&["score", "right.rs", "--samples", file]);
        assert_ne!(refused.code, 0);
        assert!(refused.err.contains(says), "{}", refused.err);
    }
    if !program::has_python_guest() {
        return;
    }
    // Structures and lists of a parquet file reach a reward as dicts and lists.
    program.write(
        "terms.py",
        "def terms(completions, extra_info, weight, reward_model, prompt=None, **kwargs):\n    \
         return [float(str(sum(e['terms'])) == m['ground_truth']) + (w or 0) for e, w, m in zip(extra_info, weight, reward_model)]\n",
    );
    program.write(
        "c/search.toml",
        &config(VERL).replace("rounds = 1", "seed_rewards = ['../terms.py']\nrounds = 1"),
    );
    program.succeed(&["run", "c/search.toml"]);
    let found = board(&program);
    assert!(f1(&found, "terms") >= 0.0, "{found:#}");
}

#[test]
fn samples_are_scored_by_the_metric_of_a_configuration() {
    if !program::has_python_guest() {
        return;
    }
    let program = folder(&COUNTDOWN.replace("reaches", "decide"));
    let row = |completion: &str| {
        json!({"prompt": "?", "completion": completion, "answer": "17", "target": 17, "nums": [12, 5]}).to_string()
    };
    let samples = [
        row("<answer> 12 + 5 </answer>"),
        row("<answer> 17 </answer>"),
        row("no idea"),
    ]
    .join("\n");
    program.write("samples.jsonl", &samples);
    program.write("right.rs", CORRECT);
    let run = |arguments: &[&str]| {
        let scored = program.succeed(
            &[
                &["score", "right.rs", "--samples", "samples.jsonl"][..],
                arguments,
            ]
            .concat(),
        );
        scored
            .lines()
            .map(|line| {
                serde_json::from_str::<Value>(line).unwrap()["score"]
                    .as_f64()
                    .unwrap()
            })
            .collect::<Vec<_>>()
    };
    assert_eq!(
        run(&[]),
        [1.0, 1.0, 0.0],
        "by the rules, which see sums and numbers"
    );
    assert_eq!(run(&["--verifier", "c/search.toml"]), [1.0, 0.0, 0.0]);
}

#[test]
fn a_table_trains_the_embedded_model() {
    let problems = toy::problems(Split::Train, 120, 4);
    let lines = problems.iter().map(|problem| {
        format!(
            "{},{},easy",
            problem.question.replace(',', " "),
            problem.answer.as_str()
        )
    });
    let table = "question,answer,level\n".to_owned() + &lines.collect::<Vec<_>>().join("\n");
    let program = folder("file = 'sums.csv'\nextraction = 'tags_only'");
    program.write("c/sums.csv", &table);
    let config = config("file = 'sums.csv'\nextraction = 'tags_only'")
        .replace("kind = 'fake'", "kind = 'candle'\nthreads_per_trial = 1");
    program.write("c/search.toml", &config);
    program.write("right.rs", CORRECT);
    let trained = program.succeed(&[
        "train",
        "c/search.toml",
        "--reward",
        "right.rs",
        "--steps",
        "1",
        "--format",
        "json",
    ]);
    let trained: Value = serde_json::from_str(&trained).unwrap();
    assert_eq!(trained["questions"], 12);
}

#[test]
fn what_is_wrong_with_the_data_is_said_before_anything_is_made() {
    for (task, says) in [
        ("file = 'none.jsonl'", "none.jsonl"),
        (
            "file = 'math.jsonl'\nanswer = 'gold'",
            "no column `gold`, which `answer` in [task] names: there are level, problem, solution, type",
        ),
        (
            "file = 'math.jsonl'\nprompt = 'Solve.'",
            "task.prompt: it must contain {question}",
        ),
        (
            "file = 'math.jsonl'\nprompt = '{question} {{ levle }}'",
            "task.prompt: ",
        ),
        (
            "file = 'math.jsonl'\nsplit = 'type'",
            "the split `type` is \"Algebra\"",
        ),
        (
            "file = 'math.jsonl'\ntest_size = 5",
            "set confirm.problems = 5",
        ),
        ("file = 'math.jsonl'\ndev_size = 50", "leave at least one"),
        (
            "file = 'math.jsonl'\ndev_file = 'dapo.jsonl'\ndev_size = 12",
            "task.dev_size has no effect",
        ),
        (
            "file = 'countdown.jsonl'\nmetric = 'none.py'",
            "task.metric: ",
        ),
        (
            "file = 'countdown.jsonl'",
            "no column of questions: there are nums, target",
        ),
        (
            "file = 'math.jsonl'\nquestoin = 'q'",
            "Did you mean `question`?",
        ),
    ] {
        let program = folder(task);
        let refused = program.run(&["run", "c/search.toml"]);
        assert_eq!(refused.code, 2, "{task}: {refused:?}");
        assert!(refused.err.contains(says), "{task}: {}", refused.err);
        assert!(!program.path("x.db").exists(), "{task}");
    }
}

#[test]
fn questions_that_stand_in_two_splits_are_held_out() {
    let program = folder("file = ['math.jsonl', 'math.jsonl']\ndev_size = 13");
    let doctor = program.succeed(&["doctor", "c/search.toml"]);
    assert!(doctor.contains("held out as well"), "{doctor}");
    let prose = format!(
        "{{\"problem\": \"Why?\", \"solution\": \"{}\"}}\n",
        "because so it is ".repeat(30)
    );
    let rows = fs::read_to_string(fixture("math.jsonl")).unwrap() + &prose;
    program.write("c/math.jsonl", &rows);
    let planned = program.run(&["run", "c/search.toml", "--plan"]);
    assert!(
        planned
            .err
            .contains("so long that no answer will be the same"),
        "{}",
        planned.err
    );
    assert!(planned.err.contains("math.jsonl:61"), "{}", planned.err);
}

#[test]
fn what_lm_evaluation_harness_has_sampled_is_evaluated() {
    let program = Program::with("");
    let line = |id: u64, filter: &str, reply: &str| {
        json!({"doc_id": id, "doc": {"question": format!("Number {id}?"), "answer": format!("so\n#### {id}")}, "target": format!("so\n#### {id}"),
               "arguments": {"gen_args_0": {"arg_0": "Question"}}, "resps": [[reply]], "filtered_resps": ["[invalid]"], "filter": filter, "exact_match": 0.0})
        .to_string()
    };
    let replies = ["it is 0", "#### 7", "The answer is 2."];
    let lines: Vec<String> = ["strict-match", "flexible-extract"]
        .iter()
        .flat_map(|filter| {
            replies
                .iter()
                .enumerate()
                .map(move |(id, reply)| line(id as u64, filter, reply))
        })
        .collect();
    program.write("samples_gsm8k.jsonl", &lines.join("\n"));
    let evaluated = program.succeed(&[
        "evaluate",
        "--predictions",
        "samples_gsm8k.jsonl",
        "--format",
        "json",
    ]);
    let evaluated: Value = serde_json::from_str(&evaluated).unwrap();
    let text = evaluated.to_string();
    assert!(text.contains("\"questions\":3"), "{text}");
    assert!(text.contains("\"correct\":2"), "{text}");
    let choice = json!({"doc_id": 0, "doc": {}, "target": "1", "resps": [[["-1.5", "False"]], [["-0.5", "True"]]]}).to_string();
    program.write("choices.jsonl", &choice);
    let refused = program.run(&["evaluate", "--predictions", "choices.jsonl"]);
    assert!(
        refused.err.contains("choices.jsonl:1") && refused.err.contains("likelihoods"),
        "{refused:?}"
    );
}

#[test]
fn math_verify_is_answered_by_our_own_verifier() {
    if !program::has_python_guest() {
        return;
    }
    let program = Program::with("");
    program.write(
        "m.py",
        "from math_verify import LatexExtractionConfig, parse, verify\n\n\ndef plain(completions, answer, **kwargs):\n    \
         return [float(verify(parse(a), parse(c))) for c, a in zip(completions, answer)]\n\n\ndef latex(completions, answer, **kwargs):\n    \
         return [float(verify(parse(a), parse(c, extraction_config=[LatexExtractionConfig()]))) for c, a in zip(completions, answer)]\n\n\n\
         def chained(completions, answer, **kwargs):\n    depth = 0\n    for _ in range(50):\n        depth += verify('1/2', '0.5' + '0' * depth)\n    return [0.0 for _ in completions]\n",
    );
    let row = |completion: &str, answer: &str| {
        json!({"prompt": "?", "completion": completion, "answer": answer}).to_string()
    };
    let samples = [
        row("so the half is \\boxed{0.5}", "\\frac{1}{2}"),
        row("the answer is 0.5", "$\\frac{1}{2}$"),
        row("it may be 0.6", "1/2"),
        row("这是 72", "48 and 24 are 72\n#### 72"),
        // What is called the answer counts, and not the last formula there is.
        row(
            "The final answer is $14 {, }916$. I hope it is correct. $N$ was a number.",
            "\\boxed{14{,}916}",
        ),
    ]
    .join("\n");
    program.write("samples.jsonl", &samples);
    let run = |name: &str| {
        let scored = program.succeed(&[
            "score",
            &format!("m.py::{name}"),
            "--samples",
            "samples.jsonl",
        ]);
        scored
            .lines()
            .map(|line| {
                serde_json::from_str::<Value>(line).unwrap()["score"]
                    .as_f64()
                    .unwrap()
            })
            .collect::<Vec<_>>()
    };
    assert_eq!(run("plain"), [1.0, 1.0, 0.0, 1.0, 1.0]);
    assert_eq!(run("latex"), [1.0, 0.0, 0.0, 0.0, 1.0]);
    let refused = program.run(&["score", "m.py::chained", "--samples", "samples.jsonl"]);
    assert_ne!(refused.code, 0);
    assert!(
        refused.err.contains("ever new questions"),
        "{}",
        refused.err
    );
}
