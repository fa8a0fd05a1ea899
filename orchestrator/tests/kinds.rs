//! A reward of every kind goes everywhere: `score`, `--stdio`, `probe`, a search, `train`, `export`; and several of one name have names of their own.
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stderr, missing_docs)]

mod program;

use std::fs::File;

use program::{
    Program,
    searches::{CORRECT, config, draft, folder},
};
use serde_json::{Value, json};

/// What all of them do: one for the right answer in its tags.
const RIGHT: &str = "import re\n\n\ndef right(text, answer):\n    found = re.findall(r'<solution>\\s*(.*?)\\s*</solution>', text, re.S)\n    \
                     return float(bool(found) and found[-1] == str(answer))\n\n\n";

/// A file, what stands in it, and the name of the reward.
const KINDS: [(&str, &str, &str); 11] = [
    (
        "trl.py",
        "def of_trl(prompts, completions, answer, **kwargs):\n    return [right(c, a) for c, a in zip(completions, answer)]\n",
        "of_trl",
    ),
    (
        "chat.py",
        "def of_chats(completions, answer, **kwargs):\n    return [right(c[0]['content'], a) for c, a in zip(completions, answer)]\n",
        "of_chats",
    ),
    (
        "later.py",
        "async def later(completions, solution, **kwargs):\n    return [right(c, a) for c, a in zip(completions, solution)]\n",
        "later",
    ),
    (
        "verl.py",
        "def compute_score(data_source, solution_str, ground_truth, extra_info=None):\n    return {'score': right(solution_str, ground_truth), 'acc': 0.5}\n",
        "verl",
    ),
    (
        "openrlhf.py",
        "def reward_func(queries, prompts, labels, **kwargs):\n    scores = [right(q[len(p):], a) for q, p, a in zip(queries, prompts, labels)]\n    \
         return {'rewards': scores, 'scores': scores, 'extra_logs': {}}\n",
        "openrlhf",
    ),
    (
        "swift.py",
        "from swift.plugin import ORM, orms\n\n\nclass OfSwift(ORM):\n    def __call__(self, completions, solution, **kwargs):\n        \
         return [right(c, a) for c, a in zip(completions, solution)]\n\n\norms['of_swift'] = OfSwift\n",
        "OfSwift",
    ),
    (
        "verifiers.py",
        "import verifiers.v1 as vf\n\n\n@vf.reward(weight=1.0)\nasync def of_verifiers(task, trace) -> float:\n    return right(trace.last_reply, task.answer)\n",
        "of_verifiers",
    ),
    (
        "pair.py",
        "def of_pairs(completion, reference):\n    return right(completion, reference)\n",
        "of_pairs",
    ),
    (
        "verified.py",
        "from math_verify import parse, verify\n\n\ndef verified(completions, answer, **kwargs):\n    found = [re.findall(r'<solution>(.*?)</solution>', c, re.S) for c in completions]\n    \
         return [float(bool(f) and verify(parse(a), parse(f[-1]))) for f, a in zip(found, answer)]\n",
        "verified",
    ),
    ("plain.rs", CORRECT, "plain"),
    (
        "patterns.rs",
        "use std::sync::LazyLock;\nuse regex::Regex;\nstatic PLACE: LazyLock<Regex> = LazyLock::new(|| Regex::new(r\"<solution>\\s*(.*?)\\s*</solution>\").unwrap());\n\
         pub fn reward(sample: &Sample) -> f64 {\n    let found = PLACE.captures(sample.completion()).and_then(|found| found.get(1));\n    \
         f64::from(u8::from(found.is_some_and(|found| found.as_str() == sample.answer())))\n}\n",
        "patterns",
    ),
];

const WRITTEN: &str = "{\"prompt\": \"2+2?\", \"completion\": \"so <solution> 4 </solution>\", \"answer\": \"4\"}\n{\"prompt\": \"2+3?\", \"completion\": \"so <solution> 4 </solution>\", \"answer\": \"5\"}\n";

fn write(program: &Program) -> (Vec<&'static str>, Vec<&'static str>) {
    for (file, code, _) in KINDS {
        let is_python = file.ends_with(".py");
        program.write(
            file,
            &format!("{}{code}", if is_python { RIGHT } else { "" }),
        );
    }
    program.write("samples.jsonl", WRITTEN);
    KINDS.iter().map(|(file, _, name)| (*file, *name)).unzip()
}

#[test]
fn a_reward_of_every_kind_is_scored_served_and_probed() {
    if !program::has_python_guest() {
        return;
    }
    let program = Program::with("");
    let (files, names) = write(&program);
    let scored = program.succeed(&[&["score", "--samples", "samples.jsonl"], &files[..]].concat());
    let lines: Vec<Value> = scored
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    program.write(
        "requests.jsonl",
        "{\"id\": 1, \"prompts\": [\"2+2?\", \"2+3?\"], \"completions\": [\"so <solution> 4 </solution>\", \"so <solution> 4 </solution>\"], \"answer\": [\"4\", \"5\"]}\n",
    );
    let served = program
        .command(&[&["score", "--stdio"], &files[..]].concat())
        .stdin(File::open(program.path("requests.jsonl")).unwrap())
        .output()
        .unwrap();
    let served = String::from_utf8(served.stdout).unwrap();
    let reply: Value = serde_json::from_str(served.lines().nth(1).unwrap()).unwrap();
    for name in &names {
        let of = |line: usize| lines[line]["components"][name].as_f64();
        assert_eq!((of(0), of(1)), (Some(1.0), Some(0.0)), "{name}: {lines:#?}");
        assert_eq!(
            reply["components"][name],
            json!([1.0, 0.0]),
            "{name}: {reply:#}"
        );
    }
    let probed = [&["probe", "--format", "json"], &files[..]].concat();
    let probed: Value = serde_json::from_str(&program.succeed(&probed)).unwrap();
    assert_eq!(program::names_of(&probed, "reward"), names);
    for one in probed.as_array().unwrap() {
        assert_eq!(
            one["exam"]["calibration"]["standing"], "calibrated",
            "{}: {:#}",
            one["reward"], one["findings"]
        );
        let auc = one["worth"]["auc_within"]["point"].as_f64().unwrap();
        assert!(auc > 0.95, "{}: {auc}", one["reward"]);
    }
}

#[test]
fn a_reward_of_every_kind_is_searched_with_trained_on_and_exported() {
    if !program::has_python_guest() {
        return;
    }
    let program = folder(&config("kind = 'replay'\npath = 'drafts.jsonl'", "", 1));
    let (files, names) = write(&program);
    let quoted: Vec<String> = files.iter().map(|file| format!("'{file}'")).collect();
    let text = config("kind = 'replay'\npath = 'drafts.jsonl'", "", 1).replace(
        "rounds = 1",
        &format!("rounds = 1\nseed_rewards = [{}]", quoted.join(", ")),
    );
    program.write("search.toml", &text);
    program.write(
        "drafts.jsonl",
        &draft("another", program::searches::INVERTED),
    );
    program.succeed(&["run", "search.toml"]);
    let board = program.leaderboard();
    for name in &names {
        // Names of candidates are written small.
        let row = program::row(&board["candidates"], &name.to_lowercase());
        assert!(row["f1"]["point"].is_number(), "{row:#}");
    }

    let toy = "[search]\nname = 'single'\nseed = 3\n[task]\nkind = 'toy'\n[grpo]\nprompts_per_step = 2\n[screen]\nsteps = 1\nproblems = 12\n";
    program.write("train.toml", toy);
    let mut arguments = vec![
        "train",
        "train.toml",
        "--format",
        "json",
        "--out",
        "trained",
    ];
    for file in &files {
        arguments.extend(["--reward", file]);
    }
    let trained: Value = serde_json::from_str(&program.succeed(&arguments)).unwrap();
    assert_eq!(trained["steps"], 1);
    let metrics = std::fs::read_to_string(program.path("trained/metrics.jsonl")).unwrap();
    for name in &names {
        assert!(
            metrics.contains(&format!("\"rewards/{name}/mean\"")),
            "{name}: {metrics}"
        );
    }

    program.succeed(
        &[
            &["export", "--to", "trl,verl,verifiers"],
            &files[..],
            &["exported"],
        ]
        .concat(),
    );
    let manifest = std::fs::read_to_string(program.path("exported/manifest.json")).unwrap();
    let manifest: Value = serde_json::from_str(&manifest).unwrap();
    assert_eq!(program::names(&manifest["members"]), names);
    let again = program.succeed(&["score", "exported", "--samples", "samples.jsonl"]);
    let first: Value = serde_json::from_str(again.lines().next().unwrap()).unwrap();
    assert_eq!(first["score"], names.len() as f64);
}

#[test]
fn several_rewards_of_one_name_are_told_apart_everywhere() {
    if !program::has_python_guest() {
        return;
    }
    let program = folder(&config("kind = 'replay'\npath = 'drafts.jsonl'", "", 1));
    for side in ["left", "right"] {
        std::fs::create_dir(program.path(side)).unwrap();
    }
    let weighted = "def make(weight):\n    def made(completions, answer, **kwargs):\n        return [weight * right(c, a) for c, a in zip(completions, answer)]\n    return made\n\n\n\
                    def reward(completions, answer, **kwargs):\n    return [right(c, a) for c, a in zip(completions, answer)]\n\n\n\
                    def also(completions, answer, **kwargs):\n    return [3 * right(c, a) for c, a in zip(completions, answer)]\n";
    let code = format!("{RIGHT}{weighted}");
    program.write("left/mine.py", &code);
    program.write("right/mine.py", &code.replace("3 *", "4 *"));
    program.write("samples.jsonl", WRITTEN);
    let specs = [
        "left/mine.py",
        "right/mine.py",
        "left/mine.py::make(weight=5)",
        "left/mine.py::make(weight=6)",
    ];
    let names = ["mine", "also", "mine-2", "also-2", "make", "make-2"];
    let pays = [1.0, 3.0, 1.0, 4.0, 5.0, 6.0];
    let scored = program.succeed(&[&["score", "--samples", "samples.jsonl"], &specs[..]].concat());
    let first: Value = serde_json::from_str(scored.lines().next().unwrap()).unwrap();
    for (name, pays) in names.iter().zip(pays) {
        assert_eq!(first["components"][name], pays, "{first:#}");
    }
    let probed = [&["probe", "--format", "json"], &specs[..]].concat();
    let probed: Value = serde_json::from_str(&program.succeed(&probed)).unwrap();
    assert_eq!(program::names_of(&probed, "reward"), names);
    program.succeed(&[&["export", "--to", "trl"], &specs[..], &["exported"]].concat());
    let manifest = std::fs::read_to_string(program.path("exported/manifest.json")).unwrap();
    let manifest: Value = serde_json::from_str(&manifest).unwrap();
    assert_eq!(program::names(&manifest["members"]), names);
    let quoted: Vec<String> = specs.iter().map(|spec| format!("'{spec}'")).collect();
    let text = config("kind = 'replay'\npath = 'drafts.jsonl'", "", 1).replace(
        "rounds = 1",
        &format!("rounds = 1\nseed_rewards = [{}]", quoted.join(", ")),
    );
    program.write("search.toml", &text);
    program.write(
        "drafts.jsonl",
        &draft("another", program::searches::INVERTED),
    );
    program.succeed(&["run", "search.toml"]);
    let board = program.leaderboard();
    for name in names {
        program::row(&board["candidates"], name);
    }
    // Which file was which, the row of each says.
    let shown = program.succeed(&["show", "mine-2"]);
    assert!(shown.contains("right/mine.py"), "{shown}");
}
