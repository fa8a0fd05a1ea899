//! How often intervals cover and tests err, for each of them, at the sizes and accuracies that occur.
//!
//! Where the law of the data is a binomial one the figures are exact sums over all that can happen; elsewhere they
//! are simulated from fixed seeds. `cargo test --release -p evaluator --test simulations -- --nocapture` prints
//! the tables of `docs/statistics.md`.

#![allow(clippy::unwrap_used, clippy::print_stderr)]

use std::ops::RangeInclusive;

use evaluator::{
    Agreement, BootstrapConfig, ConfidenceInterval, Evaluation, IntervalMethod, McNemar,
    SequentialTest, bonferroni, holm, mcnemar_of, paired_difference, pooled_difference, pooled_f1,
    proportion_interval, smallest_detectable_difference,
};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

const SIZES: [u64; 3] = [100, 500, 1319];
const ACCURACIES: [f64; 3] = [0.05, 0.5, 0.95];

/// P(X = k) for all k, X from Bin(n, p), in logarithms first because .05^1319 is no floating-point number.
fn binomial(n: u64, p: f64) -> Vec<f64> {
    let mut ln_probability = n as f64 * (1.0 - p).ln();
    let mut law = Vec::new();
    for k in 0..=n {
        law.push(ln_probability.exp());
        ln_probability += ((n - k) as f64 / (k + 1) as f64 * p / (1.0 - p)).ln();
    }
    law
}

fn outcomes(right: u64, n: u64) -> Evaluation {
    let bytes = [
        b"c".repeat(right as usize),
        b"w".repeat((n - right) as usize),
    ]
    .concat();
    Evaluation::from_bytes(&bytes).unwrap()
}

fn drawn(rng: &mut ChaCha8Rng, n: u64, p: f64) -> Vec<bool> {
    (0..n).map(|_| rng.random_bool(p)).collect()
}

fn judged(right: &[bool]) -> Evaluation {
    let bytes: Vec<u8> = right
        .iter()
        .map(|right| if *right { b'c' } else { b'w' })
        .collect();
    Evaluation::from_bytes(&bytes).unwrap()
}

/// The exact coverage of an interval that depends on the number of right answers alone.
fn coverage(n: u64, p: f64, interval: impl Fn(u64) -> Option<ConfidenceInterval>) -> f64 {
    let covers = |k: u64| interval(k).is_some_and(|interval| interval.contains(p));
    std::iter::zip(0.., binomial(n, p))
        // What is rarer than this changes no printed digit.
        .filter(|(k, probability)| *probability > 1e-9 && covers(*k))
        .map(|(_, probability)| probability)
        .sum()
}

#[test]
fn intervals_for_one_accuracy() {
    eprintln!(
        "n, p: Wilson, percentile (limit), shown (10,000 resamples of the count law; Wilson where few are of a kind)"
    );
    for n in SIZES {
        for p in ACCURACIES {
            let limit = |method| coverage(n, p, |k| proportion_interval(k, n, method, 0.95));
            let config = BootstrapConfig::default();
            let drawn = coverage(n, p, |k| {
                Some(outcomes(k, n).accuracy_estimate(&config).interval)
            });
            let wilson = limit(IntervalMethod::Wilson);
            let percentile = limit(IntervalMethod::Percentile);
            eprintln!("{n:4}, {p:.2}: {wilson:.3}, {percentile:.3}, {drawn:.3}");
            // A lattice of n steps cannot meet .95 exactly; Wilson's interval stays within two points of it.
            assert!((0.93..=0.975).contains(&wilson), "{n} {p}: {wilson}");
            // With 5 of 100 expected the lattice is coarse: a step of a bound moves the coverage by points.
            // What is shown is Wilson's interval for fewer than five, which covers more.
            let bounds = if n == 100 { 0.87..=0.992 } else { 0.93..=0.97 };
            for covered in [percentile, drawn] {
                assert!(bounds.contains(&covered), "{n} {p}: {covered}");
            }
            // Ten thousand draws give the limit but for the noise of two quantiles, and for the few of a kind.
            assert!(
                (drawn - percentile).abs() < 0.035,
                "{n} {p}: {drawn} {percentile}"
            );
        }
    }
}

/// What is shown where hardly anything is right: Wilson's interval below five, the percentile interval from there on.
#[test]
fn intervals_where_few_are_right() {
    eprintln!("n, p: shown, percentile (limit)");
    for n in [20, 100, 400] {
        for p in [0.005, 0.01, 0.02] {
            let config = BootstrapConfig::default();
            let shown = coverage(n, p, |k| {
                Some(outcomes(k, n).accuracy_estimate(&config).interval)
            });
            let percentile = coverage(n, p, |k| {
                proportion_interval(k, n, IntervalMethod::Percentile, 0.95)
            });
            eprintln!("{n:4}, {p:.3}: {shown:.3}, {percentile:.3}");
            // With 20 questions and .005 nine samples in ten hold no right answer: nothing between .905 and 1 can be had.
            assert!(shown > 0.9, "{n} {p}: {shown}");
            assert!(shown + 0.03 > percentile, "{n} {p}: {shown} {percentile}");
        }
    }
}

/// What is shown where hardly a question tells two apart, in favour of one of them or of none.
#[test]
fn paired_differences_where_few_questions_differ() {
    let mut rng = ChaCha8Rng::seed_from_u64(17);
    let config = BootstrapConfig {
        resamples: 400,
        ..BootstrapConfig::default()
    };
    for n in [100, 400] {
        for (only_a, only_b) in [(0.0, 0.01), (0.005, 0.005), (0.0, 0.02), (0.01, 0.01)] {
            let covered = simulated(500, only_a - only_b, || {
                let draws = drawn_pairs(&mut rng, n, only_a, only_b);
                let (a, b): (Vec<bool>, Vec<bool>) = draws.into_iter().unzip();
                paired_difference(&judged(&a), &judged(&b), &config)
                    .unwrap()
                    .accuracy
                    .interval
            });
            let name = format!("paired difference, only b {only_b}");
            check_within(&name, n, only_a, covered, 0.91..=1.0);
        }
    }
}

/// Who is right, where both mostly are.
fn drawn_pairs(rng: &mut ChaCha8Rng, n: u64, only_a: f64, only_b: f64) -> Vec<(bool, bool)> {
    let pair = |_| match rng.random::<f64>() {
        u if u < only_a => (true, false),
        u if u < only_a + only_b => (false, true),
        _ => (true, true),
    };
    (0..n).map(pair).collect()
}

/// The share of `runs` in which the interval that `run` makes covers `truth`.
fn simulated(runs: u32, truth: f64, mut run: impl FnMut() -> ConfidenceInterval) -> f64 {
    let covered = (0..runs).filter(|_| run().contains(truth)).count();
    covered as f64 / f64::from(runs)
}

/// Three standard errors of a share of .95 in 500 runs are .029; what small samples lose comes on top.
fn check(name: &str, n: u64, p: f64, covered: f64, least: f64) {
    check_within(name, n, p, covered, least..=0.985);
}

fn check_within(name: &str, n: u64, p: f64, covered: f64, bounds: RangeInclusive<f64>) {
    eprintln!("{name}, n {n}, p {p:.2}: {covered:.3}");
    assert!(bounds.contains(&covered), "{name}, n {n}, p {p}: {covered}");
}

#[test]
fn intervals_for_a_paired_difference() {
    let mut rng = ChaCha8Rng::seed_from_u64(11);
    for n in SIZES {
        for p in ACCURACIES {
            // Both are right with probability p, and differ on a share p (1 - p) of the questions.
            let both = p - p * (1.0 - p) / 2.0;
            let config = BootstrapConfig {
                resamples: 400,
                ..BootstrapConfig::default()
            };
            let covered = simulated(500, 0.0, || {
                let a = drawn(&mut rng, n, p);
                let b: Vec<bool> = a
                    .iter()
                    .map(|right| {
                        rng.random_bool(if *right {
                            both / p
                        } else {
                            (p - both) / (1.0 - p)
                        })
                    })
                    .collect();
                paired_difference(&judged(&a), &judged(&b), &config)
                    .unwrap()
                    .accuracy
                    .interval
            });
            check(
                "paired difference",
                n,
                p,
                covered,
                if n == 100 { 0.88 } else { 0.915 },
            );
        }
    }
}

/// Five seeds whose accuracies lie .03 to either side of `p`, on questions that are hard for all of them or none:
/// in four cases of five a question's own luck decides.
fn five_seeds(rng: &mut ChaCha8Rng, n: u64, p: f64) -> Vec<Evaluation> {
    let luck: Vec<f64> = (0..n).map(|_| rng.random()).collect();
    let seed = |_| {
        let own = p + if rng.random_bool(0.5) { 0.03 } else { -0.03 };
        let right = luck.iter().map(|luck| {
            let is_shared = rng.random_bool(0.8);
            let fresh = rng.random::<f64>();
            (if is_shared { *luck } else { fresh }) < own
        });
        judged(&right.collect::<Vec<_>>())
    };
    (0..5).map(seed).collect()
}

#[test]
fn intervals_over_training_seeds() {
    let mut rng = ChaCha8Rng::seed_from_u64(13);
    let config = BootstrapConfig {
        resamples: 200,
        ..BootstrapConfig::default()
    };
    for n in SIZES {
        for p in [0.2, 0.5, 0.9] {
            let f1 = |a: f64| 2.0 * a / (1.0 + a);
            let truth = f64::midpoint(f1(p - 0.03), f1(p + 0.03));
            let one = simulated(200, truth, || {
                let seeds = five_seeds(&mut rng, n, p);
                pooled_f1(&seeds, &config).unwrap().interval
            });
            // Seeds enter with a factor (S - 1) / S, which makes the interval too narrow; what each seed's own
            // luck adds is counted with the seeds and with the questions, which makes it too wide.
            check_within("mean F1 of five seeds", n, p, one, 0.83..=1.0);
            let two = simulated(200, 0.0, || {
                let (a, b) = (five_seeds(&mut rng, n, p), five_seeds(&mut rng, n, p));
                pooled_difference(&a, &b, &config).unwrap().interval
            });
            check_within("difference of two such means", n, p, two, 0.83..=1.0);
        }
    }
}

/// The exact rate at which a test rejects at .05 when two policies that differ on a share of the questions are
/// equally good.
fn error_rate(n: u64, discordance: f64, p: impl Fn(&McNemar) -> Option<f64>) -> f64 {
    let mut rate = 0.0;
    for (discordant, weight) in std::iter::zip(0.., binomial(n, discordance)) {
        if weight < 1e-7 {
            continue;
        }
        for (only_a, probability) in std::iter::zip(0.., binomial(discordant, 0.5)) {
            let table = Agreement {
                only_a,
                only_b: discordant - only_a,
                ..Agreement::default()
            };
            if p(&mcnemar_of(table)).is_some_and(|p| p <= 0.05) {
                rate += weight * probability;
            }
        }
    }
    rate
}

#[test]
fn error_rates_of_mcnemars_tests() {
    eprintln!("n, discordance: exact, mid-p, chi-square, chi-square with correction");
    for n in SIZES {
        for discordance in [0.05, 0.2, 0.5] {
            let exact = error_rate(n, discordance, |test| Some(test.exact_p));
            let mid = error_rate(n, discordance, |test| Some(test.mid_p));
            let plain = error_rate(n, discordance, |test| Some(test.chi_square?.p));
            let corrected = error_rate(n, discordance, |test| Some(test.chi_square_corrected?.p));
            eprintln!("{n:4}, {discordance:.2}: {exact:.4}, {mid:.4}, {plain:.4}, {corrected:.4}");
            assert!(exact <= 0.05 && corrected <= 0.05);
            // Fagerland and others (2013): mid-p seldom and barely exceeds its level, the plain chi-square a little.
            assert!(mid <= 0.052, "{mid}");
            assert!(plain <= 0.06, "{plain}");
        }
    }
}

#[test]
fn error_rates_over_many_tests() {
    let mut rng = ChaCha8Rng::seed_from_u64(14);
    let (runs, tests) = (4000, 10);
    let (mut by_bonferroni, mut by_holm) = (0, 0);
    for _ in 0..runs {
        let nulls: Vec<f64> = (0..tests).map(|_| rng.random::<f64>()).collect();
        by_bonferroni += u32::from(bonferroni(&nulls).iter().any(|p| *p <= 0.05));
        by_holm += u32::from(holm(&nulls).iter().any(|p| *p <= 0.05));
    }
    let share = |count: u32| f64::from(count) / f64::from(runs);
    let rates = [share(by_bonferroni), share(by_holm)];
    eprintln!(
        "ten tests: family-wise error of Bonferroni {:.3}, of Holm {:.3}",
        rates[0], rates[1]
    );
    // Three standard errors of .05 in 4,000 runs are .010.
    assert!(rates.iter().all(|rate| *rate <= 0.06), "{rates:?}");
}

#[test]
fn peeking_after_every_question() {
    let mut rng = ChaCha8Rng::seed_from_u64(15);
    let runs = 1000;
    let (mut sequential, mut one_sided, mut repeated) = (0, 0, 0);
    for _ in 0..runs {
        let mut test = SequentialTest::default();
        let mut table = Agreement::default();
        let mut rejected = false;
        for _ in 0..1319 {
            // A fifth of the questions tells the two apart, and favours neither.
            let (a, b) = if rng.random_bool(0.2) {
                (rng.random_bool(0.5), None)
            } else {
                (true, Some(true))
            };
            let b = b.unwrap_or(!a);
            test.observe(a, b);
            table.only_a += u64::from(a && !b);
            table.only_b += u64::from(b && !a);
            rejected |= a != b && mcnemar_of(table).exact_p <= 0.05;
        }
        sequential += u32::from(test.p_equal() <= 0.05);
        one_sided += u32::from(test.p_a_no_worse() <= 0.05);
        repeated += u32::from(rejected);
    }
    let [sequential, one_sided, repeated] =
        [sequential, one_sided, repeated].map(|count| f64::from(count) / f64::from(runs));
    eprintln!(
        "a look after each of 1,319 questions: sequential test {sequential:.3}, one-sided {one_sided:.3}, McNemar's test repeated {repeated:.3}"
    );
    // Three standard errors of .05 in 1,000 runs are .021.
    assert!(sequential <= 0.071 && one_sided <= 0.071);
    // Why there is a sequential test at all.
    assert!(repeated > 0.15);
}

#[test]
fn the_smallest_detectable_difference_is_detected_as_often_as_it_says() {
    let mut rng = ChaCha8Rng::seed_from_u64(16);
    for n in SIZES {
        let d = smallest_detectable_difference(n, 0.2, 0.05, 0.8).unwrap();
        let runs = 2000;
        let found = (0..runs).filter(|_| {
            let mut table = Agreement::default();
            for _ in 0..n {
                let u = rng.random::<f64>();
                table.only_a += u64::from(u < 0.1 + d / 2.0);
                table.only_b += u64::from(u >= 0.1 + d / 2.0 && u < 0.2);
            }
            mcnemar_of(table).mid_p <= 0.05
        });
        let power = found.count() as f64 / f64::from(runs);
        eprintln!(
            "n {n}: a difference of {d:.3} is found with probability {power:.3} (nominal .8)"
        );
        assert!((0.75..0.86).contains(&power), "{power}");
    }
}
