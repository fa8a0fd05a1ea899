//! Modules damaged at random: each is refused or contained, whatever it has become.

use std::sync::OnceLock;

use proptest::prelude::*;
use sandbox::{CompileError, Limits, Module, Sandbox, Source};

use super::{compiler, sample};

/// The binary of an ordinary reward.
fn module() -> &'static [u8] {
    static MODULE: OnceLock<Module> = OnceLock::new();
    let source = "pub fn reward(sample: &Sample) -> f64 { if sample.completion().is_empty() { panic!(\"empty\") } else { 1.0 } }";
    MODULE
        .get_or_init(|| compiler().compile(&Source::rust(source)).unwrap())
        .bytes()
}

/// An engine that gives up soon.
fn engine() -> &'static Sandbox {
    static SANDBOX: OnceLock<Sandbox> = OnceLock::new();
    SANDBOX.get_or_init(|| {
        Sandbox::new(Limits {
            fuel_per_call: 1_000_000,
            memory_mib: 4,
            ..Limits::default()
        })
        .unwrap()
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn damaged_modules_do_no_harm(changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4), cut in prop::option::weighted(0.1, any::<prop::sample::Index>())) {
        let mut wasm = module().to_vec();
        for (place, byte) in changes {
            let place = place.index(wasm.len());
            wasm[place] = byte;
        }
        if let Some(cut) = cut {
            wasm.truncate(cut.index(wasm.len()));
        }
        match engine().load(&Module::from_bytes(wasm)) {
            Ok(reward) => {
                let result = reward.score(&[sample("q", "text", "4"), sample("", "", "")]);
                prop_assert!(result.is_ok() || result.is_err_and(|fault| !fault.is_host_trouble()));
            }
            Err(CompileError::Rejected(_)) => {}
            Err(CompileError::Host(error)) => prop_assert!(false, "the host's trouble: {error}"),
        }
    }
}
