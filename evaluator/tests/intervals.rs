//! Intervals without resampling: equal to scipy's limits and Wilson's. How often they cover is in `simulations`.

#![allow(clippy::unwrap_used, clippy::print_stderr)]

mod data;

use evaluator::{IntervalMethod, proportion_interval};
use serde_json::Value;

fn reference() -> Value {
    let text = data::text("statistics/reference_stats.json");
    let text = text
        .replace("-Infinity", "null")
        .replace("Infinity", "null")
        .replace("NaN", "null");
    serde_json::from_str(&text).unwrap()
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
    let reference = reference();
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
    }
}
