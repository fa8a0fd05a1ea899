//! Criterion benchmarks of the sandbox: a fresh instance, batches of 64 completions, loading a module.
//!
//! `against_cpython` is the comparison; this one is for seeing a change.
#![allow(clippy::unwrap_used, missing_docs)]

#[allow(dead_code, reason = "shared with the comparison, which uses all of it")]
mod cpython;

use criterion::{Criterion, criterion_group, criterion_main};
use sandbox::{Compiler, CompilerConfig, Limits, Sandbox, Source};

use cpython::{samples, source, tagged};

fn benchmarks(criterion: &mut Criterion) {
    let compiler = Compiler::new(CompilerConfig::default()).unwrap();
    let sandbox = Sandbox::new(Limits::default()).unwrap();
    let compile = |code: &str| compiler.compile(&Source::rust(code)).unwrap();

    let texts = tagged(64);
    let batch = samples(&texts);
    let plain = compile("pub fn reward(sample: &Sample) -> f64 { sample.answer().len() as f64 }");
    let reward = sandbox.load(&plain).unwrap();
    criterion.bench_function("fresh instance", |bencher| {
        bencher.iter(|| reward.score(&batch[..1]).unwrap());
    });
    for (name, form) in [
        ("closeness", "regex"),
        ("closeness", "scan"),
        ("valid_steps", "regex"),
        ("valid_steps", "scan"),
        ("repetition", "regex"),
        ("repetition", "scan"),
    ] {
        let module = compile(&source(name, form));
        let reward = sandbox.load(&module).unwrap();
        criterion.bench_function(&format!("{name}, {form}, 64 completions"), |bencher| {
            bencher.iter(|| reward.score(&batch).unwrap());
        });
        criterion.bench_function(&format!("{name}, {form}, load"), |bencher| {
            bencher.iter(|| sandbox.load(&module).unwrap());
        });
    }
}

criterion_group! {
    name = all;
    config = Criterion::default().sample_size(20);
    targets = benchmarks
}
criterion_main!(all);
