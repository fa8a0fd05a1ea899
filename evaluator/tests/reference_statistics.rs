//! The statistics equal those of scipy 1.17.1 and statsmodels 0.15.0 on the same outcomes.
//!
//! Bootstrap bounds may differ by one step of the lattice on which accuracies of 1,319 questions lie.

#![allow(clippy::unwrap_used, clippy::print_stderr)]

mod data;

use evaluator::{
    Agreement, BootstrapConfig, Estimate, Evaluation, bonferroni, holm, mcnemar, mcnemar_of,
    paired_difference,
};
use serde_json::Value;

const STEP: f64 = 1.0 / 1319.0 + 1e-9;

fn reference() -> Value {
    let text = data::text("statistics/reference_stats.json");
    // JSON has no infinities; the only ones belong to cases that are not tested for them.
    let text = text
        .replace("-Infinity", "null")
        .replace("Infinity", "null")
        .replace("NaN", "null");
    serde_json::from_str(&text).unwrap()
}

fn numbers(value: &Value) -> Vec<f64> {
    value
        .as_array()
        .unwrap()
        .iter()
        .map(|x| x.as_f64().unwrap())
        .collect()
}

fn evaluation(model: &Value) -> Evaluation {
    Evaluation::from_bytes(model["categories"].as_str().unwrap().as_bytes()).unwrap()
}

#[track_caller]
fn assert_close(value: f64, expected: &Value, relative: f64) {
    let expected = expected.as_f64().unwrap();
    let error = (value - expected).abs();
    assert!(
        error <= relative * expected.abs(),
        "{value} is not {expected}"
    );
}

#[track_caller]
fn assert_interval(estimate: &Estimate, expected: &Value, step: f64) {
    let bounds = numbers(expected);
    let interval = estimate.interval;
    assert!(
        (interval.lower - bounds[0]).abs() <= step,
        "{interval:?} {bounds:?}"
    );
    assert!(
        (interval.upper - bounds[1]).abs() <= step,
        "{interval:?} {bounds:?}"
    );
}

#[test]
fn figures_and_intervals_of_four_models() {
    let reference = reference();
    for (name, model) in reference["models"].as_object().unwrap() {
        let e = evaluation(model);
        assert_eq!(
            e.counts().correct,
            model["correct_label"].as_u64().unwrap(),
            "{name}"
        );
        assert_close(e.accuracy(), &model["accuracy"], 1e-12);
        assert_close(e.f1(), &model["f1"], 1e-12);
        assert_close(e.precision().unwrap(), &model["precision"], 1e-12);
        assert_close(e.recall().unwrap(), &model["recall"], 1e-12);

        let config = BootstrapConfig {
            seed: 3407,
            ..BootstrapConfig::default()
        };
        let accuracy = e.accuracy_estimate(&config);
        assert_interval(&accuracy, &model["acc_ci_percentile_scipy10k"], STEP);
        assert_close(accuracy.standard_error, &model["acc_se_percentile"], 0.03);
        // The slope of 2a / (1 + a) is at most 2, so that is how far a step can grow.
        assert_interval(
            &e.f1_estimate(&config),
            &model["f1_ci_percentile_scipy10k"],
            2.0 * STEP,
        );
    }
}

#[test]
fn pairwise_tests_of_four_models() {
    let reference = reference();
    let (mut exact, mut expected_holm, mut expected_bonferroni) = (vec![], vec![], vec![]);
    for (pair, expected) in reference["mcnemar"].as_object().unwrap() {
        let (first, second) = pair.split_once(" vs ").unwrap();
        let models = &reference["models"];
        let (a, b) = (evaluation(&models[first]), evaluation(&models[second]));
        let test = mcnemar(&a, &b).unwrap();
        assert_eq!(test.both, expected["n11"].as_u64().unwrap());
        assert_eq!(test.only_a, expected["n10_first_only"].as_u64().unwrap());
        assert_eq!(test.only_b, expected["n01_second_only"].as_u64().unwrap());
        assert_eq!(test.neither, expected["n00"].as_u64().unwrap());
        assert_close(test.exact_p, &expected["exact_p"], 1e-9);
        assert_close(test.mid_p, &expected["exact_midp"], 1e-9);
        let plain = test.chi_square.unwrap();
        assert_close(plain.statistic, &expected["chi2_nocc"], 1e-12);
        assert_close(plain.p, &expected["chi2_nocc_p"], 1e-9);
        let corrected = test.chi_square_corrected.unwrap();
        assert_close(corrected.statistic, &expected["chi2_cc"], 1e-12);
        assert_close(corrected.p, &expected["chi2_cc_p"], 1e-9);

        let difference = paired_difference(&b, &a, &BootstrapConfig::default()).unwrap();
        assert_close(difference.accuracy.point, &expected["acc_diff"], 1e-12);
        assert_interval(
            &difference.accuracy,
            &expected["acc_diff_ci_percentile"],
            2.0 * STEP,
        );
        assert!((difference.f1.point - (b.f1() - a.f1())).abs() < 1e-12);

        exact.push(test.exact_p);
        expected_holm.push(expected["exact_p_holm"].clone());
        expected_bonferroni.push(expected["exact_p_bonf"].clone());
    }
    for (value, expected) in holm(&exact).into_iter().zip(&expected_holm) {
        assert_close(value, expected, 1e-9);
    }
    for (value, expected) in bonferroni(&exact).into_iter().zip(&expected_bonferroni) {
        assert_close(value, expected, 1e-9);
    }
}

#[test]
fn unit_tables() {
    let reference = reference();
    for case in reference["mcnemar_unit"].as_array().unwrap() {
        let cell = |i: usize, j: usize| case["table"][i][j].as_u64().unwrap();
        let table = Agreement {
            both: cell(0, 0),
            only_a: cell(0, 1),
            only_b: cell(1, 0),
            neither: cell(1, 1),
        };
        let test = mcnemar_of(table);
        assert_close(test.exact_p, &case["exact_p"], 1e-9);
        if let Some(chi_square) = test.chi_square {
            assert_close(chi_square.statistic, &case["chi2"], 1e-12);
            assert_close(chi_square.p, &case["chi2_p"], 1e-9);
            assert_close(
                test.chi_square_corrected.unwrap().p,
                &case["chi2_cc_p"],
                1e-9,
            );
        }
    }
    let unit = &reference["holm_unit"];
    let p = numbers(&unit["p"]);
    for (adjusted, name) in [(bonferroni(&p), "bonferroni"), (holm(&p), "holm")] {
        for (value, expected) in adjusted.into_iter().zip(unit[name].as_array().unwrap()) {
            assert_close(value, expected, 1e-12);
        }
    }
}
