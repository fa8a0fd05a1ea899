//! The figures against scipy's (`scripts/probe_golden.py`), and against what can be counted by hand.
#![allow(clippy::unwrap_used)]

use serde_json::Value;

use super::*;

const GOLDEN: &str = include_str!("golden.json");

fn near(ours: f64, theirs: &Value) {
    assert!(
        (ours - theirs.as_f64().unwrap()).abs() < 1e-12,
        "{ours} and {theirs}"
    );
}

#[test]
fn the_figures_are_those_of_scipy() {
    let golden: Value = serde_json::from_str(GOLDEN).unwrap();
    let cases = golden["cases"].as_array().unwrap();
    assert_eq!(cases.len(), 4);
    for case in cases {
        let list = |key: &str| -> Vec<f64> { serde_json::from_value(case[key].clone()).unwrap() };
        let (a, b) = (list("a"), list("b"));
        let right: Vec<bool> = serde_json::from_value(case["right"].clone()).unwrap();
        let sizes: Vec<usize> = serde_json::from_value(case["sizes"].clone()).unwrap();
        near(auc(&a, &right).unwrap(), &case["auc"]);
        near(spearman(&a, &b).unwrap(), &case["spearman"]);
        let within = auc_within(&a, &right, &sizes).unwrap();
        near(within.point, &case["auc_within"]);
        assert_eq!(within.pairs, case["pairs"].as_u64().unwrap());
        match within.standard_error {
            Some(error) => near(error, &case["auc_within_error"]),
            None => assert_eq!(case["auc_within_error"], Value::Null),
        }
        if sizes.len() == 1 {
            near(kendall_within(&a, &b, &sizes).unwrap(), &case["kendall"]);
        }
    }
}

#[test]
fn pairs_across_groups_do_not_count() {
    // Within each group the order is reversed; over all it mostly agrees.
    let (a, b) = ([1.0, 2.0, 11.0, 12.0], [2.0, 1.0, 12.0, 11.0]);
    assert_eq!(kendall_within(&a, &b, &[2, 2]), Some(-1.0));
    assert!(kendall_within(&a, &b, &[4]).unwrap() > 0.0);
    let right = [true, false, true, false];
    assert_eq!(auc_within(&a, &right, &[2, 2]).unwrap().point, 0.0);
    assert_eq!(auc(&a, &right), Some(0.25));
}

#[test]
fn what_cannot_be_told_is_absent() {
    assert_eq!(auc(&[1.0, 2.0], &[true, true]), None);
    assert_eq!(auc_within(&[1.0, 2.0], &[true, true], &[1, 1]), None);
    assert_eq!(spearman(&[1.0, 1.0], &[1.0, 2.0]), None);
    assert_eq!(kendall_within(&[1.0, 2.0], &[1.0, 1.0], &[2]), None);
    assert_eq!(
        auc_within(&[1.0, 2.0], &[true, false], &[2])
            .unwrap()
            .standard_error,
        None
    );
    assert_eq!(flat_groups(&[1.0, 1.0, 1.0, 2.0], &[2, 2]), 1);
}
