//! Means over training seeds.

#![allow(clippy::unwrap_used)]

use evaluator::{BootstrapConfig, Evaluation, PoolError, pooled_difference, pooled_f1};

/// `right` of `n` questions right, beginning at question `from`.
fn evaluation(n: usize, from: usize, right: usize) -> Evaluation {
    let mut bytes = vec![b'w'; n];
    for i in 0..right {
        bytes[(from + i) % n] = b'c';
    }
    Evaluation::from_bytes(&bytes).unwrap()
}

#[test]
fn the_point_is_the_mean_and_one_seed_is_the_plain_bootstrap() {
    let config = BootstrapConfig {
        resamples: 4000,
        ..BootstrapConfig::default()
    };
    let seeds = [evaluation(400, 0, 200), evaluation(400, 50, 240)];
    let pooled = pooled_f1(&seeds, &config).unwrap();
    assert!((pooled.point - (seeds[0].f1() + seeds[1].f1()) / 2.0).abs() < 1e-12);

    let single = pooled_f1(&seeds[..1], &config).unwrap();
    let plain = seeds[0].f1_estimate(&config);
    assert!((single.standard_error / plain.standard_error - 1.0).abs() < 0.05);
    assert!((single.interval.lower - plain.interval.lower).abs() < 0.01);
}

#[test]
fn spread_between_seeds_widens_the_interval() {
    let config = BootstrapConfig {
        resamples: 2000,
        ..BootstrapConfig::default()
    };
    let alike = pooled_f1(&[evaluation(400, 0, 200), evaluation(400, 0, 200)], &config).unwrap();
    let apart = pooled_f1(&[evaluation(400, 0, 140), evaluation(400, 0, 260)], &config).unwrap();
    assert!(apart.standard_error > 2.0 * alike.standard_error);
}

#[test]
fn shared_questions_cancel_in_a_difference() {
    let config = BootstrapConfig {
        resamples: 2000,
        ..BootstrapConfig::default()
    };
    let seeds = [evaluation(400, 0, 200), evaluation(400, 0, 200)];
    let same = pooled_difference(&seeds, &seeds, &config).unwrap();
    assert_eq!((same.point, same.standard_error), (0.0, 0.0));
}

#[test]
fn shared_seeds_cancel_in_a_difference() {
    let config = BootstrapConfig {
        resamples: 2000,
        ..BootstrapConfig::default()
    };
    // Seeds differ widely, and each is as good on both sides.
    let seeds = [evaluation(400, 0, 140), evaluation(400, 0, 260)];
    let same = pooled_difference(&seeds, &seeds, &config).unwrap();
    assert_eq!((same.point, same.standard_error), (0.0, 0.0));
    assert!(matches!(
        pooled_difference(&seeds, &seeds[..1], &config),
        Err(PoolError::UnpairedSeeds { left: 2, right: 1 })
    ));
}

#[test]
fn what_cannot_be_pooled_is_refused() {
    let config = BootstrapConfig::default();
    assert_eq!(pooled_f1(&[], &config), Err(PoolError::Empty));
    let odd = [evaluation(4, 0, 1), evaluation(5, 0, 1)];
    assert!(matches!(
        pooled_f1(&odd, &config),
        Err(PoolError::Unpaired(_))
    ));
}
