//! Verdicts a second on the reference data: `cargo bench -p evaluator --bench verification`.

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use evaluator::{Answer, RuleVerifier};

#[path = "../examples/data/mod.rs"]
mod data;

fn verdicts(c: &mut Criterion) {
    let Some(sets) = data::pairs_beside() else {
        return;
    };
    let verifier = RuleVerifier::default();
    for set in sets {
        let mut group = c.benchmark_group(set.name);
        group.throughput(Throughput::Elements(set.pairs.len() as u64));
        group.bench_function("reading and judging", |b| {
            b.iter(|| {
                let right = set.pairs.iter().filter(|(gold, completion)| {
                    verifier
                        .verify(completion, &Answer::new(gold))
                        .rule
                        .is_some()
                });
                right.count()
            });
        });
        let read: Vec<_> = set
            .pairs
            .iter()
            .map(|(gold, text)| (Answer::new(gold), text))
            .collect();
        group.bench_function("judging", |b| {
            b.iter(|| {
                let right = read
                    .iter()
                    .filter(|(gold, text)| verifier.verify(text, gold).rule.is_some());
                right.count()
            });
        });
        group.finish();
    }
}

criterion_group!(benches, verdicts);
criterion_main!(benches);
