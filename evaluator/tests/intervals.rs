//! Intervals without resampling: equal to scipy's limits and Wilson's. How often they cover is in `simulations`.

#![allow(clippy::unwrap_used, clippy::print_stderr)]

mod data;

use evaluator::{IntervalMethod, bca_interval, proportion_interval};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde_json::Value;

fn reference() -> Option<Value> {
    let text =
        std::fs::read_to_string(data::folder()?.join("statistics/reference_stats.json")).unwrap();
    let text = text
        .replace("-Infinity", "null")
        .replace("Infinity", "null")
        .replace("NaN", "null");
    Some(serde_json::from_str(&text).unwrap())
}

#[track_caller]
fn check(k: u64, n: u64, method: IntervalMethod, expected: &Value, tolerance: f64) {
    let interval = proportion_interval(k, n, method, 0.95).unwrap();
    for (bound, expected) in [
        (interval.lower, &expected[0]),
        (interval.upper, &expected[1]),
    ] {
        let expected = expected.as_f64().unwrap();
        assert!(
            (bound - expected).abs() <= tolerance,
            "{k} of {n}, {method:?}: {bound}, {expected}"
        );
    }
}

#[test]
fn limits_of_the_bootstrap_and_wilson_equal_the_reference() {
    let Some(reference) = reference() else { return };
    for model in reference["models"].as_object().unwrap().values() {
        let k = model["correct_label"].as_u64().unwrap();
        check(
            k,
            1319,
            IntervalMethod::Percentile,
            &model["acc_ci_percentile_exact_limit"],
            1e-9,
        );
        check(
            k,
            1319,
            IntervalMethod::Bca,
            &model["acc_bca_exact_limit"]["ci"],
            1e-9,
        );
        check(
            k,
            1319,
            IntervalMethod::Wilson,
            &model["acc_ci_wilson"],
            1e-9,
        );
    }
    for case in reference["bootstrap_unit_binary"].as_array().unwrap() {
        let (k, n) = (case["k"].as_u64().unwrap(), case["n"].as_u64().unwrap());
        check(
            k,
            n,
            IntervalMethod::Percentile,
            &case["percentile_exact"],
            1e-9,
        );
        check(k, n, IntervalMethod::Wilson, &case["wilson"], 1e-9);
        match case.get("bca_exact") {
            Some(expected) => check(k, n, IntervalMethod::Bca, expected, 1e-9),
            None => assert_eq!(proportion_interval(k, n, IntervalMethod::Bca, 0.95), None),
        }
    }
}

#[test]
fn bca_of_a_skewed_mean_equals_scipy() {
    let Some(reference) = reference() else { return };
    let unit = &reference["bootstrap_unit_skewed"];
    let x: Vec<f64> = unit["x"]
        .as_array()
        .unwrap()
        .iter()
        .map(|x| x.as_f64().unwrap())
        .collect();
    let (n, sum) = (x.len(), x.iter().sum::<f64>());
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    let mut mean = || (0..n).map(|_| x[rng.random_range(0..n)]).sum::<f64>() / n as f64;
    let resampled: Vec<f64> = (0..200_000).map(|_| mean()).collect();
    let jackknife: Vec<f64> = x
        .iter()
        .map(|left_out| (sum - left_out) / (n - 1) as f64)
        .collect();
    let interval = bca_interval(sum / n as f64, &resampled, &jackknife, 0.95).unwrap();
    assert!(
        (interval.lower - unit["BCa"][0].as_f64().unwrap()).abs() < 0.02,
        "{interval:?}"
    );
    assert!(
        (interval.upper - unit["BCa"][1].as_f64().unwrap()).abs() < 0.02,
        "{interval:?}"
    );
}
