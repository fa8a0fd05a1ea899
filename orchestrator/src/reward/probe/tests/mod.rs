//! The gate and the pool's formats; the probe set itself is tested with real rewards in `tests/probe.rs`.
#![allow(clippy::unwrap_used)]

use evaluator::toy::World;

use super::*;
use crate::config::GateConfig;

fn worth(flat_groups: f64, mixed_groups: usize, auc: f64, error: Option<f64>) -> Worth {
    Worth {
        completions: 16,
        right: 4,
        groups: 2,
        mixed_groups,
        deterministic: true,
        order_independent: true,
        lowest: 0.0,
        highest: 1.0,
        mean: 0.5,
        flat_groups,
        auc: Some(auc),
        auc_within: Some(PairShare {
            point: auc,
            standard_error: error,
            pairs: 20,
        }),
        agreement: Vec::new(),
        hacks: Vec::new(),
        mean_fuel: 1,
        most_fuel: 1,
    }
}

#[test]
fn the_gate_refuses_what_teaches_nothing_and_what_it_was_told_to() {
    let flat = worth(1.0, 2, 0.5, Some(0.0));
    let inverted = worth(0.0, 2, 0.2, Some(0.05));
    let usual = GateConfig::default();
    assert!(usual.is_usual());
    assert!(usual.refusal(&flat).is_some());
    assert_eq!(usual.refusal(&inverted), None);
    let off = GateConfig {
        refuse_flat: false,
        ..usual
    };
    assert_eq!(off.refusal(&flat), None);

    let gate = GateConfig {
        refuse_flat: true,
        min_auc: Some(0.5),
        ..GateConfig::default()
    };
    assert!(
        gate.refusal(&flat)
            .unwrap()
            .contains("no variance within any of 2 groups")
    );
    assert!(gate.refusal(&inverted).unwrap().contains("AUC 0.200"));
    assert_eq!(gate.refusal(&worth(0.9, 2, 0.6, Some(0.05))), None);
}

#[test]
fn the_gate_refuses_nobody_for_what_chance_or_the_pool_explains() {
    let gate = GateConfig {
        refuse_flat: true,
        min_auc: Some(0.5),
        ..GateConfig::default()
    };
    assert_eq!(gate.refusal(&worth(0.0, 2, 0.45, Some(0.03))), None);
    assert_eq!(gate.refusal(&worth(0.0, 2, 0.45, None)), None);
    assert_eq!(gate.refusal(&worth(1.0, 0, 0.0, Some(0.0))), None);
}

#[test]
fn an_auc_tells_where_enough_questions_were_answered_both_right_and_wrong() {
    assert_eq!(worth(0.0, 8, 0.9, None).telling_auc(), Some(0.9));
    assert_eq!(worth(0.0, 7, 0.9, None).telling_auc(), None);
}

#[test]
fn pools_are_read_in_both_formats_and_bad_lines_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("pool.jsonl");
    let read = |text: &str| {
        std::fs::write(&path, text).unwrap();
        Pool::read(&path)
    };
    let ours = r#"{"prompt": "2+2?", "answer": 4, "completions": ["4", "5"]}"#;
    let gsm8k = r#"{"question": "2+2?", "ground_truth": "2+2=<<2+2=4>>4\nA: 4", "m": {"is_correct": true, "solution": "4"}, "n": {"solution": "5"}}"#;
    assert_eq!(read(ours).unwrap(), read(gsm8k).unwrap());
    for (text, says) in [
        ("{}", ":1: needs `prompt`"),
        (
            "\n{\"prompt\": \"x\", \"answer\": \"1\", \"completions\": [\"1\"]}",
            ":2: needs `completions`",
        ),
        (
            "{\"prompt\": \"x\", \"answer\": \"1\", \"completions\": [\"1\", 2]}",
            "list of strings",
        ),
        ("[", "no JSON"),
        (
            r#"{"prompt":[{"role":"user","content":"q"}],"answer":"1","completions":["1","2"]}"#,
            "not a conversation",
        ),
        ("\n", "holds no completions"),
    ] {
        let error = read(text).unwrap_err().to_string();
        assert!(error.contains(says), "{error}");
    }
}

#[test]
fn the_made_up_pool_of_every_world_has_something_to_tell_apart() {
    let judge = crate::judge::by_rule(evaluator::ExtractionConfig::tags_only());
    for world in World::ALL {
        let pool = Pool::made_up(world);
        assert_eq!(pool, Pool::made_up(world));
        let verdicts = judge.judge(&pool.rollouts()).unwrap();
        let right = verdicts.iter().filter(|v| v.correct).count();
        assert!(
            (100..400).contains(&right),
            "{world}: {right} of {}",
            verdicts.len()
        );
    }
}
