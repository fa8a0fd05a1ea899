//! The base rewards that come compiled are what the compiler makes of their sources.
#![allow(clippy::unwrap_used, missing_docs)]

use orchestrator::reward::base::{base_rewards, compiled};
use sandbox::Bench;

#[test]
fn what_ships_is_what_is_compiled() {
    let bench = Bench::default();
    for base in base_rewards() {
        let module = bench.compile(&base.source).unwrap();
        let name = base.name.strip_prefix("base/").unwrap();
        let file = format!("{}/rewards/{name}.wasm", env!("CARGO_MANIFEST_DIR"));
        if std::env::var_os("UPDATE_BASE_REWARDS").is_some() {
            std::fs::write(&file, module.bytes()).unwrap();
        } else {
            let shipped = compiled(&base.source).unwrap();
            assert!(
                shipped == module,
                "{file} is not what this compiler makes of {name}.rs: run this test with UPDATE_BASE_REWARDS=1, and say in the commit what changed"
            );
        }
    }
}
