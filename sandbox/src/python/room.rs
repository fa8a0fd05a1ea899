//! The engine that runs Python guests, and what all Python rewards of a sandbox share.

use std::sync::Arc;

use wasmtime::component::{Component, InstancePre, Linker};
use wasmtime::{Config, Engine};

use super::bindings::RewardPre;
use super::instance::Guest;
use super::{Progress, guest, recipe};
use crate::host::one_line;
use crate::{HostError, Limits};

/// An interpreter ready to be instantiated.
pub(crate) struct PythonRoom {
    pub(crate) engine: Engine,
    pub(crate) interpreter: RewardPre<Guest>,
    pub(crate) memory_bytes: usize,
    pub(crate) fuel_per_call: u64,
}

impl PythonRoom {
    /// Opens the interpreter; builds it first if the cache does not hold it.
    pub(crate) fn open(limits: &Limits, progress: &Progress) -> Result<Arc<Self>, HostError> {
        let engine = engine()?;
        let files = guest::Files::locate()?;
        let component = files.open(&engine, progress)?;
        let interpreter = prepare(&engine, &component).map_err(|error| HostError::Engine {
            message: format!(
                "the Python guest {} does not fit: {}",
                recipe::id(),
                one_line(&error)
            ),
        })?;
        Ok(Arc::new(Self {
            engine,
            interpreter,
            memory_bytes: (limits.python_memory_mib as usize) << 20,
            fuel_per_call: limits.python_fuel_per_call,
        }))
    }
}

/// Nothing is linked: an interpreter with an import does not get past here.
fn prepare(engine: &Engine, component: &Component) -> wasmtime::Result<RewardPre<Guest>> {
    let linker: Linker<Guest> = Linker::new(engine);
    let instance: InstancePre<Guest> = linker.instantiate_pre(component)?;
    RewardPre::new(instance)
}

/// Native stack of a guest. Threads have 2 MiB as a rule, and the host needs some of it.
const STACK_BYTES: usize = 1 << 20;

/// Fuel decides, as for Rust guests. There is no epoch check beside it: fuel alone bounds every call, and the second check
/// would cost an interpreter some hundredths more. Memory comes from copy-on-write images, without a pool: measured, a pool
/// makes an instance no cheaper.
pub(super) fn engine() -> Result<Engine, HostError> {
    let mut config = Config::new();
    config
        .consume_fuel(true)
        .cranelift_nan_canonicalization(true)
        .wasm_relaxed_simd(false)
        .max_wasm_stack(STACK_BYTES)
        .wasm_backtrace_max_frames(None)
        .native_unwind_info(false)
        .generate_address_map(false);
    Engine::new(&config).map_err(|error| HostError::Engine {
        message: one_line(&error),
    })
}
