//! What `probe` finds in rewards with known faults, what it fails for, and what it reads of trainers.
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stderr, missing_docs)]

mod program;

use std::{fs, path::Path};

use program::probing::{probed, rewards};
use serde_json::{Value, json};

/// Rules of severity error or warning that a reward breaks, each with what of it.
fn broken(reward: &Value) -> Vec<String> {
    let findings = reward["findings"].as_array().unwrap();
    let worse = findings.iter().filter(|f| f["severity"] != "note");
    worse
        .map(|finding| match finding["about"].as_str() {
            Some(about) => format!("{}:{about}", finding["rule"].as_str().unwrap()),
            None => finding["rule"].as_str().unwrap().to_owned(),
        })
        .collect()
}

#[test]
fn known_faults_are_named_and_healthy_rewards_are_left_alone() {
    if !program::has_python_guest() {
        return;
    }
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/audited");
    let expected = fs::read_to_string(folder.join("expected.json")).unwrap();
    let expected: Value = serde_json::from_str(&expected).unwrap();
    let program = rewards();
    let mut all = Vec::new();
    for file in ["nineteen.py", "published.py"] {
        all.extend(probed(
            &program,
            &[&folder.join(file).display().to_string()],
        ));
    }
    let mut wrong = Vec::new();
    for (name, wanted) in expected["rewards"].as_object().unwrap() {
        let Some(reward) = all.iter().find(|reward| reward["reward"] == **name) else {
            wrong.push(format!("{name} was not found"));
            continue;
        };
        let found = broken(reward);
        let is_right = match wanted["healthy"] == true {
            true => found.is_empty(),
            false => wanted["reward-search"]["named"]
                .as_array()
                .unwrap()
                .iter()
                .any(|start| found.iter().any(|f| f.starts_with(start.as_str().unwrap()))),
        };
        if !is_right {
            wrong.push(format!(
                "{name}: {found:?} {}",
                reward["exam"]["calibration"]
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(expected["rewards"].as_object().unwrap().len() >= 30);
}

/// The second of three answers pays as well as the first, and so does a long completion.
const LENIENT: &str = "pub fn reward(sample: &Sample) -> f64 { \
     f64::from(u8::from(sample.completion().contains(&format!(\"#### {}\", sample.answer())))) }";

#[test]
fn a_format_is_found_and_shortcuts_are_a_share_of_a_right_answer() {
    let program = rewards();
    program.write("lenient.rs", LENIENT);
    let all = probed(&program, &["lenient.rs", "flat.rs", "right.rs"]);
    let honest = &all[0]["exam"]["calibration"];
    assert_eq!(
        (
            &honest["standing"],
            &honest["format"],
            &honest["right"],
            &honest["wrong"]
        ),
        (
            &json!("calibrated"),
            &json!("####"),
            &json!(1.0),
            &json!(0.0)
        )
    );
    assert!(
        broken(&all[0]).contains(&"shortcut:several marked answers".to_owned()),
        "{:?}",
        broken(&all[0])
    );
    let shortcuts = all[0]["exam"]["shortcuts"].as_array().unwrap();
    let of = |kind: &str| shortcuts.iter().find(|s| s["kind"] == kind).unwrap();
    assert_eq!(of("several marked answers")["share"], 1.0);
    assert_eq!(of("empty")["share"], 0.0);
    // It is a prefix that it looks for.
    assert_eq!(of("digit after")["as_good"], 1.0);
    // The pool was dressed in its format: it orders what it could not read before.
    assert!(
        all[0]["worth"]["auc_within"]["point"].as_f64().unwrap() > 0.9,
        "{:#}",
        all[0]["worth"]
    );

    assert_eq!(all[1]["exam"]["calibration"]["standing"], "uncalibrated");
    assert_eq!(broken(&all[1]), ["uncalibrated"]);
    assert_eq!(broken(&all[2]), [""; 0]);
    let text = program.succeed(&["probe", "lenient.rs", "flat.rs"]);
    assert!(
        text.contains("uncalibrated: no right answer earns anything")
            && text.contains("100 % of a right answer"),
        "{text}"
    );
    let mut command = program.command(&["probe", "lenient.rs", "flat.rs"]);
    let narrow = command.env("COLUMNS", "80").output().unwrap();
    let narrow = String::from_utf8(narrow.stdout).unwrap();
    let widest = narrow.lines().map(|line| line.chars().count()).max();
    assert!(widest <= Some(80), "{narrow}");
}

#[test]
fn hacks_of_the_user_are_found_too() {
    let program = rewards();
    let hack = |text: &str, pattern: &str| {
        json!({"question": "2+2?", "reference": "4", "response": text, "pattern": pattern})
            .to_string()
    };
    let hacks = [
        hack("#### 45", "a digit too many"),
        hack("#### 9", "honestly wrong"),
    ];
    program.write("lenient.rs", LENIENT);
    program.write("hacks.jsonl", &hacks.join("\n"));
    let all = probed(&program, &["lenient.rs", "--hacks", "hacks.jsonl"]);
    let found = broken(&all[0]);
    assert!(
        found.contains(&"shortcut:a digit too many".to_owned())
            && !found.contains(&"shortcut:honestly wrong".to_owned()),
        "{found:?}"
    );
}

#[test]
fn a_probe_fails_where_it_was_told_to_and_not_for_what_is_known() {
    let program = rewards();
    program.write("lenient.rs", LENIENT);
    let run = |more: &[&str]| program.run(&[&["probe", "lenient.rs"], more].concat());
    assert_eq!(run(&[]).code, 0);
    for fail_on in ["error", "note", "shortcut", "flat,wrong-accepted"] {
        let printed = run(&["--fail-on", fail_on]);
        assert_eq!(
            (printed.code, printed.err.contains("--fail-on")),
            (4, true),
            "{fail_on}: {printed:?}"
        );
        assert!(printed.out.contains("shortcut"), "{printed:?}");
    }
    assert_eq!(run(&["--fail-on", "inverted,never"]).code, 0);
    let printed = run(&["--fail-on", "shortcutt"]);
    assert_eq!(
        (
            printed.code,
            printed.err.contains("Did you mean `shortcut`?")
        ),
        (2, true),
        "{printed:?}"
    );
    assert_eq!(run(&["--write-baseline", "known.json"]).code, 0);
    let printed = run(&["--fail-on", "note", "--baseline", "known.json"]);
    assert_eq!(
        (printed.code, printed.out.contains("known")),
        (0, true),
        "{printed:?}"
    );
    program.write("known.json", "{}");
    assert_eq!(run(&["--baseline", "known.json"]).code, 2);

    let sarif: Value =
        serde_json::from_str(&program.succeed(&["probe", "lenient.rs", "--format", "sarif"]))
            .unwrap();
    let results = sarif["runs"][0]["results"].as_array().unwrap();
    assert_eq!(results[0]["level"], "error");
    assert_eq!(
        results[0]["locations"][0]["physicalLocation"]["artifactLocation"]["uri"],
        "lenient.rs"
    );
    let rules = sarif["runs"][0]["tool"]["driver"]["rules"]
        .as_array()
        .unwrap();
    for result in results {
        assert!(
            rules.iter().any(|rule| rule["id"] == result["ruleId"]),
            "{result}"
        );
    }
    fs::rename(program.path("lenient.rs"), program.path("a reward, ü.rs")).unwrap();
    let text = program.succeed(&["probe", "a reward, ü.rs", "--format", "sarif"]);
    is_sarif(&serde_json::from_str(&text).unwrap());
    assert!(
        text.contains("\"uri\": \"a%20reward%2C%20%C3%BC.rs\""),
        "{text}"
    );
    fs::rename(program.path("a reward, ü.rs"), program.path("lenient.rs")).unwrap();
    let page = program.succeed(&["probe", "lenient.rs", "--format", "markdown"]);
    assert!(
        page.starts_with("| reward | severity |")
            && page.contains("| lenient | error | `shortcut` |"),
        "{page}"
    );
}

/// What the standard (SARIF 2.1.0, the parts that are used) demands; `scripts/sarif_check.py` holds a log to the whole of its schema.
fn is_sarif(log: &Value) {
    assert_eq!(log["version"], "2.1.0");
    let run = &log["runs"][0];
    let driver = run["tool"]["driver"].as_object().unwrap();
    assert!(driver["name"].as_str().is_some_and(|name| !name.is_empty()));
    for rule in driver["rules"].as_array().unwrap() {
        assert!(
            rule["id"].is_string() && rule["shortDescription"]["text"].is_string(),
            "{rule}"
        );
    }
    let results = run["results"].as_array().unwrap();
    assert!(!results.is_empty());
    for result in results {
        assert!(
            result["message"]["text"]
                .as_str()
                .is_some_and(|text| !text.is_empty())
        );
        let one_of = |key: &str, words: &[&str]| words.contains(&result[key].as_str().unwrap());
        assert!(
            one_of("level", &["none", "note", "warning", "error"]),
            "{result}"
        );
        assert!(
            one_of("baselineState", &["new", "unchanged", "updated", "absent"]),
            "{result}"
        );
        let place = &result["locations"][0]["physicalLocation"];
        let uri = place["artifactLocation"]["uri"].as_str().unwrap();
        assert!(
            uri.bytes()
                .all(|b| b.is_ascii_alphanumeric() || b"-._~/%".contains(&b)),
            "{uri}"
        );
        assert!(place["region"]["startLine"].as_u64() >= Some(1), "{result}");
        assert!(
            result["partialFingerprints"]
                .as_object()
                .unwrap()
                .values()
                .all(Value::is_string)
        );
    }
}

/// Line 7 is never reached by a pool of short completions.
const HALF_SEEN: &str = "def half(completions, answer, **kwargs):
    scores = []
    for c, a in zip(completions, answer):
        found = c.rsplit('<solution>', 1)[-1].split('</solution>')[0].strip()
        score = 1.0 if found == a else 0.0
        if len(c) > 100000:
            score = score - 0.25
        scores.append(score)
    return scores
";

#[test]
fn changes_to_the_source_that_the_pool_does_not_show_are_told() {
    let program = rewards();
    program.write(
        "half.rs",
        "pub fn reward(sample: &Sample) -> f64 {\n    let right = f64::from(u8::from(sample.correct()));\n    if sample.completion().len() > 100_000 {\n        \
         return right - 0.25;\n    }\n    right + 1.0\n}\n",
    );
    let all = probed(&program, &["half.rs", "--mutants"]);
    let lines = |reward: &Value| -> Vec<u64> {
        let unseen = reward["source_mutants"]["unseen"].as_array().unwrap();
        unseen
            .iter()
            .map(|one| one["line"].as_u64().unwrap())
            .collect()
    };
    // A constant that is left out of the sum moves every score; what is never reached moves none.
    assert!(
        lines(&all[0]).contains(&4) && !lines(&all[0]).contains(&6),
        "{:#}",
        all[0]["source_mutants"]
    );
    let findings = all[0]["findings"].as_array().unwrap();
    let found = findings
        .iter()
        .find(|finding| finding["rule"] == "unexercised")
        .unwrap();
    assert!(
        found["severity"] == "note"
            && found["message"]
                .as_str()
                .unwrap()
                .contains("line 4, `right - 0.25` becomes `(right)`"),
        "{found:#}"
    );
    assert_eq!(
        probed(&program, &["half.rs"])[0]["source_mutants"],
        Value::Null
    );
    if !program::has_python_guest() {
        return;
    }
    program.write("half.py", HALF_SEEN);
    let all = probed(&program, &["half.py", "--mutants"]);
    let mutants = &all[0]["source_mutants"];
    assert!(
        lines(&all[0]).contains(&7) && !lines(&all[0]).contains(&5),
        "{mutants:#}"
    );
    assert!(mutants["told_apart"].as_u64() >= Some(3), "{mutants:#}");
    let text = program.succeed(&["probe", "half.py", "--mutants", "--full"]);
    assert!(
        text.contains("changes to the source") && text.contains("unexercised"),
        "{text}"
    );
}

#[test]
fn rollouts_of_trainers_are_scored_again_and_compared() {
    let program = rewards();
    let line = |step: u32, n: u32, output: &str, score: f64| {
        json!({"input": format!("{n}+{n}?"), "output": output, "gts": (2 * n).to_string(), "score": score, "step": step}).to_string()
    };
    // verl's dump: the recorded reward paid the second completion, which is wrong.
    let dump = [
        line(1, 2, "<solution> 4 </solution>", 0.0),
        line(1, 2, "<solution> 5 </solution>", 1.0),
        line(1, 3, "<solution> 6 </solution>", 1.0),
        line(1, 3, "<solution> 7 </solution>", 0.0),
        line(2, 2, "alone at its step", 0.0),
    ];
    program.write("1.jsonl", &dump.join("\n"));
    // TRL's table with a logged column, as CSV.
    program.write(
        "completions.csv",
        "step,prompt,completion,reward,answer\n1,2+2?,<solution> 4 </solution>,0,4\n1,2+2?,<solution> 5 </solution>,1,4\n\
         1,3+3?,<solution> 6 </solution>,1,6\n1,3+3?,<solution> 7 </solution>,0,6\n",
    );
    // An episode of verifiers: a trace with its task's data, its nodes, and named rewards with weights.
    let trace = |n: u32, reply: &str, reward: f64| {
        let task = json!({"type": "Sums", "data": {"prompt": format!("{n}+{n}?"), "answer": (2 * n).to_string()}});
        json!({"task": task, "traces": [{"task": task, "rewards": {"right": {"score": 2.0 * reward, "weight": 0.5}}, "nodes": [
            {"message": {"role": "user", "content": format!("{n}+{n}?")}},
            {"message": {"role": "assistant", "content": reply}, "sampled": true}
        ]}]})
        .to_string()
    };
    let traces = [
        trace(2, "<solution> 4 </solution>", 0.0),
        trace(2, "<solution> 5 </solution>", 1.0),
        trace(3, "<solution> 6 </solution>", 1.0),
        trace(3, "<solution> 7 </solution>", 0.0),
    ];
    program.write("traces.jsonl", &traces.join("\n"));
    // What pandas writes: four groups of two.
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/tasks");
    let table = folder.join("completions.parquet").display().to_string();
    let all = probed(&program, &["right.rs", "--pool", &table]);
    assert_eq!(all[0]["worth"]["groups"], 4);
    assert_eq!(all[0]["against"][0]["other_score"], 0);
    let table = folder.join("zstd.parquet").display().to_string();
    for file in ["1.jsonl", "completions.csv", "traces.jsonl"] {
        let all = probed(&program, &["right.rs", "inverted.rs", "--pool", file]);
        assert_eq!(all[0]["worth"]["completions"], 4, "{file}");
        assert_eq!(all[0]["worth"]["auc_within"]["point"], 1.0, "{file}");
        let recorded = &all[0]["against"][0];
        assert_eq!(
            (
                &recorded["with"],
                &recorded["other_score"],
                &recorded["other_order"],
                &recorded["groups"]
            ),
            (&json!("recorded"), &json!(2), &json!(1), &json!(2)),
            "{file}"
        );
        assert_eq!(
            (
                &all[1]["against"][1]["with"],
                &all[1]["against"][1]["kendall"]
            ),
            (&json!("right"), &json!(-1.0))
        );
    }
    program.write(
        "no_answer.jsonl",
        "{\"prompt\": \"x\", \"completion\": \"y\"}",
    );
    for (file, says) in [
        ("no_answer.jsonl", "log_extra"),
        (&table, "compression='snappy'"),
    ] {
        let printed = program.run(&["probe", "right.rs", "--pool", file]);
        assert_eq!(
            (printed.code, printed.err.contains(says)),
            (2, true),
            "{printed:?}"
        );
    }
}

#[test]
fn what_carries_the_variance_of_a_sum_is_said() {
    let program = rewards();
    let all = probed(&program, &["right.rs", "length.rs", "--weights", "1,0.5"]);
    let share = |at: usize| all[at]["in_sum"]["variance_share"].as_f64().unwrap();
    assert!(
        (share(0) + share(1) - 1.0).abs() < 1e-9 && share(1) > 0.9,
        "{} {}",
        share(0),
        share(1)
    );
    assert!(
        broken(&all[1]).contains(&"part-dominates:length".to_owned()),
        "{:?}",
        broken(&all[1])
    );
}
