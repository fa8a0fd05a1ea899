//! Intervals of 10,000 resamples over 1,319 questions: `cargo bench -p evaluator --bench statistics`.

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use evaluator::{BootstrapConfig, Evaluation, mcnemar, paired_difference, pooled_f1};

/// `right` of 1,319 questions right.
fn evaluation(right: usize) -> Evaluation {
    let bytes = [b"c".repeat(right), b"w".repeat(1319 - right)].concat();
    Evaluation::from_bytes(&bytes).expect("every byte is an outcome")
}

fn intervals(c: &mut Criterion) {
    let (a, b) = (evaluation(742), evaluation(515));
    let config = BootstrapConfig::default();
    c.bench_function("percentile, 10,000 resamples", |bencher| {
        bencher.iter(|| black_box(&a).f1_estimate(&config));
    });
    c.bench_function("paired difference, 10,000 resamples", |bencher| {
        bencher.iter(|| paired_difference(black_box(&a), &b, &config));
    });
    let seeds = [a.clone(), b.clone(), a.clone()];
    c.bench_function(
        "three seeds, 10,000 resamples of questions and seeds",
        |bencher| {
            bencher.iter(|| pooled_f1(black_box(&seeds), &config));
        },
    );
    c.bench_function("McNemar's tests", |bencher| {
        bencher.iter(|| mcnemar(black_box(&a), &b));
    });
}

criterion_group! {
    name = benches;
    config = Criterion::default().sample_size(20);
    targets = intervals
}
criterion_main!(benches);
