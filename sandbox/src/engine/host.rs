//! The engine and its settings: where modules become reward functions.

use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use wasmtime::{
    Config, Enabled, Engine, InstanceAllocationStrategy, InstancePre, Linker, Module as Code,
    PoolingAllocationConfig,
};

use super::apart;
use super::guest::GuestCode;
use super::inspect::{self, Imports};
use super::reward_fn::RewardFn;
use super::store_data::StoreData;
use crate::engine_error::{engine_error, one_line};
use crate::error::{CompileError, HostError};
use crate::limits::Limits;
use crate::mutants::Mutant;
use crate::python::{self, Interpreter, Progress};
use crate::regex;
use crate::rejection::Rejection;
use crate::slots::Slots;
use crate::source::{Module, unpack};
use crate::ticker::{Ticker, pace};

/// Loads modules. Everything loaded shares one engine and one pool of instances; clones are cheap.
///
/// The engine lives until the sandbox and the last [`RewardFn`] made by it are gone.
#[derive(Clone)]
pub struct Sandbox {
    shared: Arc<Shared>,
}

/// What all reward functions of a sandbox share.
pub(crate) struct Shared {
    pub(crate) limits: Limits,
    pub(crate) slots: Slots,
    /// The epoch ticks after which a call is interrupted.
    pub(crate) deadline_ticks: u64,
    /// What guests may import.
    linker: Linker<StoreData>,
    /// The regular-expression module, once a guest needed it.
    expressions: OnceLock<InstancePre<StoreData>>,
    engine: Engine,
    /// Opened when the first Python reward is loaded.
    python: Mutex<Option<Arc<Interpreter>>>,
    progress: Progress,
    // Last: the clock stops when the engine is no longer used.
    _ticker: Ticker,
}

impl Sandbox {
    /// Starts an engine.
    ///
    /// # Errors
    /// When a limit is impossible, or the machine lacks the address space for the pool.
    pub fn new(limits: Limits) -> Result<Self, HostError> {
        Self::with_progress(limits, Arc::new(|_| {}))
    }

    /// The same; `progress` hears of it if a Python reward makes the Python guest be built.
    ///
    /// # Errors
    /// As [`Sandbox::new`].
    pub fn with_progress(limits: Limits, progress: Progress) -> Result<Self, HostError> {
        limits.validate()?;
        let engine = Engine::new(&config(&limits)).map_err(engine_error)?;
        let (period, deadline_ticks) = pace(Duration::from_millis(limits.deadline_ms));
        let ticker = Ticker::start(&engine, period)?;
        let slots = Slots::new(limits.concurrent_calls);
        let linker = regex::linker(&engine).map_err(engine_error)?;
        Ok(Self {
            shared: Arc::new(Shared {
                limits,
                slots,
                deadline_ticks,
                linker,
                expressions: OnceLock::new(),
                engine,
                python: Mutex::new(None),
                progress,
                _ticker: ticker,
            }),
        })
    }

    /// The limits it was made with.
    #[must_use]
    pub fn limits(&self) -> &Limits {
        &self.shared.limits
    }

    /// Makes a module callable. Nothing of a WebAssembly guest runs yet; a Python file is run once, in a guest. If the
    /// Python guest is not built, it is built now, which takes a minute.
    ///
    /// # Errors
    /// [`CompileError::Rejected`] for a binary that imports anything but regular expressions, has a start function, the
    /// wrong exports or too large parts, or is not valid; for a Python file with a wrong syntax, an import that is not there or no reward function, or
    /// that fails. [`CompileError::Host`] if the Python guest is not there and cannot be built.
    pub fn load(&self, module: &Module) -> Result<RewardFn, CompileError> {
        if let Some((_, source)) = unpack(module.bytes()) {
            self.check_size(source.len())?;
            let function = python::Function::load(self.python()?, &self.shared.slots, source)?;
            return Ok(RewardFn::python(Arc::clone(&self.shared), function));
        }
        let imports = inspect::inspect(module.bytes(), &self.shared.limits)?;
        let Shared { engine, limits, .. } = &*self.shared;
        let code = if module.is_ours() || !apart::is_possible() {
            Code::from_binary(engine, module.bytes()).map_err(code_error)?
        } else {
            apart::compile(engine, limits, module.bytes())?
        };
        let instance = self
            .shared
            .linker
            .instantiate_pre(&code)
            .map_err(code_error)?;
        let expressions = match imports {
            Imports::None => None,
            Imports::Expressions => Some(self.shared.expressions()?),
        };
        let code = GuestCode::new(instance, expressions)?;
        Ok(RewardFn::wasm(Arc::clone(&self.shared), code))
    }

    /// The names of the reward functions in a Python file: those with a parameter `completions`, in order. The file is run
    /// for it, in a guest.
    ///
    /// # Errors
    /// As [`Sandbox::load`]; that there is none is no error.
    pub fn functions(&self, code: &str) -> Result<Vec<String>, CompileError> {
        self.check_size(code.len())?;
        python::functions(&*self.python()?, &self.shared.slots, code)
    }

    /// Small changes to what a Python reward reaches of its file, at most so many; each in one place, spread over the file.
    ///
    /// # Errors
    /// As [`Sandbox::load`].
    pub(crate) fn mutants(&self, code: &str, most: u32) -> Result<Vec<Mutant>, CompileError> {
        self.check_size(code.len())?;
        python::mutants(&*self.python()?, &self.shared.slots, (code, most))
    }

    fn check_size(&self, bytes: usize) -> Result<(), Rejection> {
        let (size, limit) = (bytes as u64, u64::from(self.shared.limits.module_kib) << 10);
        if size <= limit {
            return Ok(());
        }
        Err(Rejection::TooLarge {
            what: "the source".to_owned(),
            size,
            limit,
            unit: "bytes".to_owned(),
        })
    }

    fn python(&self) -> Result<Arc<Interpreter>, HostError> {
        let mut python = self
            .shared
            .python
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        match &*python {
            Some(interpreter) => Ok(Arc::clone(interpreter)),
            None => {
                let interpreter = Interpreter::open(&self.shared.limits, &self.shared.progress)?;
                Ok(Arc::clone(python.insert(interpreter)))
            }
        }
    }
}

impl Shared {
    /// The regular-expression module, opened when the first guest needs it.
    fn expressions(&self) -> Result<InstancePre<StoreData>, HostError> {
        if let Some(code) = self.expressions.get() {
            return Ok(code.clone());
        }
        let code = regex::open(&self.engine)?;
        Ok(self.expressions.get_or_init(|| code).clone())
    }
}

impl std::fmt::Debug for Sandbox {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Sandbox")
            .field("limits", &self.shared.limits)
            .finish_non_exhaustive()
    }
}

/// Engine settings that decide the machine code: equal verdicts everywhere (fuel, canonical NaNs, no feature whose result the
/// standard leaves open).
pub(super) fn code_config(limits: &Limits) -> Config {
    let mut config = Config::new();
    config
        .consume_fuel(true)
        .epoch_interruption(true)
        .cranelift_nan_canonicalization(true)
        .wasm_relaxed_simd(false)
        .wasm_simd(false)
        .wasm_tail_call(false)
        .wasm_multi_memory(false)
        .wasm_memory64(false)
        .max_wasm_stack((limits.stack_kib as usize) << 10)
        .wasm_backtrace_max_frames(None)
        .native_unwind_info(false)
        .generate_address_map(false)
        // Several candidates are loaded at once while others train: one thread each is enough.
        .parallel_compilation(false);
    config
}

/// The same with instances that cost microseconds (a pool, copy-on-write memory images).
fn config(limits: &Limits) -> Config {
    let memory_bytes = (limits.memory_mib as usize) << 20;
    let mut pool = PoolingAllocationConfig::new();
    // A guest, and the regular-expression module that may work for it.
    let instances = 2 * limits.concurrent_calls;
    pool.total_core_instances(instances)
        .total_memories(instances)
        .total_tables(instances)
        .max_memories_per_module(1)
        .max_tables_per_module(1)
        .table_elements(20_000)
        .max_memory_size(memory_bytes)
        // A call dirties some tens of KiB. Where the kernel can name the pages (Linux 6.7 and later), those are reset by
        // hand; elsewhere everything up to the mark is, which is why the guest's stack is small and lies in front.
        .linear_memory_keep_resident(KEEP_RESIDENT)
        .table_keep_resident(KEEP_RESIDENT)
        .pagemap_scan(Enabled::Auto);
    let mut config = code_config(limits);
    config.allocation_strategy(InstanceAllocationStrategy::Pooling(pool));
    config
}

/// Bytes of a guest's memory and tables that stay mapped between calls.
/// Measured for a call of 30,000 units of fuel: 15 microseconds with page scan, 22 without, 31 with nothing resident.
const KEEP_RESIDENT: usize = 512 * 1024;

/// A module the engine does not accept is the candidate's fault, unless the system refused something underneath.
fn code_error(error: wasmtime::Error) -> CompileError {
    if error.downcast_ref::<std::io::Error>().is_some() {
        CompileError::Host(engine_error(error))
    } else {
        CompileError::Rejected(Rejection::Malformed {
            message: one_line(&error),
        })
    }
}
