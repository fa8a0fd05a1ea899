//! The engine that runs Python guests, and what all Python rewards of a sandbox share.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use wasmtime::component::{Component, ComponentExportIndex, InstancePre, Linker};
use wasmtime::{Config, Enabled, Engine, InstanceAllocationStrategy, PoolingAllocationConfig};

use super::bindings::RewardIndices;
use super::instance::StoreData;
use super::verdicts::Rules;
use super::{Progress, files, meter, recipe};
use crate::engine_error::{engine_error, one_line};
use crate::error::HostError;
use crate::limits::Limits;
use crate::ticker::{Ticker, pace};

/// An interpreter ready to be instantiated.
pub(crate) struct Interpreter {
    pub(crate) engine: Engine,
    pub(super) guest: InstancePre<StoreData>,
    pub(super) exports: RewardIndices,
    /// The counter's exports.
    pub(super) fill: ComponentExportIndex,
    pub(super) left: ComponentExportIndex,
    pub(crate) memory_bytes: usize,
    pub(crate) fuel_per_call: u64,
    /// Bytes that the texts of one sample may have.
    pub(crate) sample_bytes: usize,
    /// Who answers what rewards ask `math_verify`, once one has.
    rules: OnceLock<Arc<Rules>>,
    /// Wall time that a call with the fuel of one sample may take.
    pub(super) deadline: Duration,
    /// The same in advances of the engine's epoch.
    pub(super) deadline_ticks: u64,
    _ticker: Ticker,
}

/// Wall time of a call, in units of the deadline of a sample in Rust: what takes that one a tenth of a second takes an interpreter seconds,
/// and the backstop must be as far off.
const TIMES_THE_DEADLINE: u64 = 6;

impl Interpreter {
    /// Opens the interpreter; builds it first if the cache does not hold it.
    pub(crate) fn open(limits: &Limits, progress: &Progress) -> Result<Arc<Self>, HostError> {
        let engine = engine(limits)?;
        let files = files::Files::locate()?;
        let component = files.open(&engine, progress)?;
        let misfit = |why: &str| HostError::Engine {
            message: format!("the Python guest {} does not fit: {why}", recipe::id()),
        };
        let guest = link(&engine, &component).map_err(|error| misfit(&one_line(&error)))?;
        let exports = RewardIndices::new(&guest).map_err(|error| misfit(&one_line(&error)))?;
        let export = |name| {
            component
                .get_export_index(None, name)
                .ok_or_else(|| misfit(&format!("it has no export `{name}`")))
        };
        let deadline = Duration::from_millis(limits.deadline_ms * TIMES_THE_DEADLINE);
        let (period, deadline_ticks) = pace(deadline);
        Ok(Arc::new(Self {
            deadline,
            deadline_ticks,
            _ticker: Ticker::start(&engine, period)?,
            fill: export(meter::FILL)?,
            left: export(meter::LEFT)?,
            engine,
            guest,
            exports,
            memory_bytes: (limits.python_memory_mib as usize) << 20,
            fuel_per_call: limits.python_fuel_per_call,
            sample_bytes: (limits.sample_kib as usize) << 10,
            rules: OnceLock::new(),
        }))
    }

    /// Who answers what rewards ask `math_verify`.
    pub(super) fn rules(&self) -> Result<Arc<Rules>, HostError> {
        if let Some(rules) = self.rules.get() {
            return Ok(Arc::clone(rules));
        }
        let rules = Rules::open()?;
        Ok(Arc::clone(self.rules.get_or_init(|| rules)))
    }
}

/// Nothing is linked: an interpreter with an import does not get past here.
fn link(engine: &Engine, component: &Component) -> wasmtime::Result<InstancePre<StoreData>> {
    Linker::new(engine).instantiate_pre(component)
}

/// Native stack of a guest. Threads have 2 MiB as a rule, and the host needs some of it.
const STACK_BYTES: usize = 1 << 20;
/// Modules and tables of the interpreter, more than it has; a guest with more is refused when it is opened.
const MODULES: u32 = 100;
const TABLES: u32 = 4;
const TABLE_ELEMENTS: usize = 20_000;
/// Bytes of an interpreter's memory that stay mapped when it is gone, and are put back by copying: its image, and what a
/// batch takes beyond it. Faulting these pages in anew for every batch costs more (`docs/reward-speed.md`).
const KEEP_RESIDENT: usize = 24 << 20;

/// What decides the machine code. Fuel bounds every call, but it is the guest's own ([`meter`]): the engine counts nothing. It looks at the
/// clock behind deadlines, for what fuel does not foresee.
fn config() -> Config {
    let mut config = Config::new();
    config
        .cranelift_nan_canonicalization(true)
        .wasm_relaxed_simd(false)
        .max_wasm_stack(STACK_BYTES)
        .wasm_backtrace_max_frames(None)
        .native_unwind_info(false)
        .generate_address_map(false)
        .epoch_interruption(true);
    config
}

/// An engine to compile the interpreter with.
pub(super) fn compiler() -> Result<Engine, HostError> {
    start(&config())
}

/// An engine to run it: as many places as there may be calls at once, and memory from copy-on-write images.
fn engine(limits: &Limits) -> Result<Engine, HostError> {
    let places = limits.concurrent_calls;
    let mut pool = PoolingAllocationConfig::new();
    pool.total_component_instances(places)
        .total_core_instances(places * MODULES)
        .max_core_instances_per_component(MODULES)
        .total_memories(places)
        .max_memories_per_component(1)
        .total_tables(places * TABLES)
        .max_tables_per_component(TABLES)
        .table_elements(TABLE_ELEMENTS)
        .max_memory_size((limits.python_memory_mib as usize) << 20)
        .linear_memory_keep_resident(KEEP_RESIDENT)
        .table_keep_resident(KEEP_RESIDENT)
        // Measured: the pages it names are faulted in all the same.
        .pagemap_scan(Enabled::No);
    let mut config = config();
    config.allocation_strategy(InstanceAllocationStrategy::Pooling(pool));
    start(&config)
}

fn start(config: &Config) -> Result<Engine, HostError> {
    Engine::new(config).map_err(engine_error)
}
