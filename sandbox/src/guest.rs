//! One call into a guest: a fresh instance, one sample, one score, and a verdict on whatever else happens.

use wasmtime::{
    Extern, ExternType, FuncType, InstancePre, Memory, Module as Code, ModuleExport,
    ResourceLimiter, Store, Trap, ValType,
};

use crate::host::{Room, one_line};
use crate::{Fault, Rejection, Sample, abi};

/// Data of a guest's store.
pub(crate) struct Guest {
    memory_limit: usize,
    /// It asked for more than that.
    denied: bool,
    /// Where the guest leaves the message of a panic.
    message: Option<(Memory, usize)>,
}

impl ResourceLimiter for Guest {
    /// A refusal ends the call, so that running out of memory is a verdict of its own and not whatever the guest makes of it.
    fn memory_growing(
        &mut self,
        _: usize,
        desired: usize,
        _: Option<usize>,
    ) -> wasmtime::Result<bool> {
        if desired > self.memory_limit {
            self.denied = true;
            return Err(wasmtime::Error::msg("memory limit"));
        }
        Ok(true)
    }

    fn memory_grow_failed(&mut self, error: wasmtime::Error) -> wasmtime::Result<()> {
        self.denied = true;
        Err(error)
    }

    /// Tables are sized by the module and inspected before; nothing that rustc makes grows one.
    fn table_growing(
        &mut self,
        current: usize,
        desired: usize,
        _: Option<usize>,
    ) -> wasmtime::Result<bool> {
        Ok(desired <= current || current == 0)
    }
}

/// Where the three exports are, looked up once a module.
#[derive(Clone, Copy)]
pub(crate) struct GuestExports {
    memory: ModuleExport,
    prepare: ModuleExport,
    score: ModuleExport,
}

impl GuestExports {
    /// Finds the exports and checks the types of the functions.
    pub(crate) fn of(code: &Code) -> Result<Self, Rejection> {
        let wrong = |name: &str| Rejection::Export {
            what: format!("the export `{name}` has the wrong type"),
        };
        let find = |name: &str| code.get_export_index(name).ok_or_else(|| wrong(name));
        let function = |name: &str, wanted: &FuncType| match code.get_export(name) {
            Some(ExternType::Func(function)) if FuncType::eq(&function, wanted) => find(name),
            _ => Err(wrong(name)),
        };
        let engine = code.engine();
        Ok(Self {
            memory: find(abi::MEMORY)?,
            prepare: function(
                abi::PREPARE,
                &FuncType::new(engine, [ValType::I32], [ValType::I64]),
            )?,
            score: function(abi::SCORE, &FuncType::new(engine, [], [ValType::F64]))?,
        })
    }
}

/// Scores one sample in a fresh instance. `index` is its place in the batch, for the fault; `buffer` is scratch space.
/// Also returns the fuel it took.
pub(crate) fn call(
    room: &Room,
    instance: &InstancePre<Guest>,
    exports: &GuestExports,
    index: usize,
    sample: &Sample<'_>,
    buffer: &mut Vec<u8>,
) -> (Result<f64, Fault>, u64) {
    let bytes = abi::text_length(sample);
    if bytes > (room.limits.sample_kib as usize) << 10 {
        return (Err(Fault::SampleTooLarge { index, bytes }), 0);
    }
    abi::encode(sample, buffer);
    let _slot = room.slots.take();
    let memory_limit = (room.limits.memory_mib as usize) << 20;
    let mut store = Store::new(
        instance.module().engine(),
        Guest {
            memory_limit,
            denied: false,
            message: None,
        },
    );
    store.limiter(|guest| guest);
    // Both limits hold from here on: instantiation could run guest code too.
    store.set_epoch_deadline(room.deadline_ticks);
    let outcome = store
        .set_fuel(room.limits.fuel_per_call)
        .and_then(|()| run(&mut store, instance, exports, buffer));
    let fuel = room.limits.fuel_per_call - store.get_fuel().unwrap_or(0);
    let score = match outcome {
        Ok(Ok(score)) if score.is_finite() => Ok(score),
        Ok(Ok(_)) => Err(Fault::NotFinite { index }),
        Ok(Err(message)) => Err(Fault::Protocol {
            index,
            message: message.to_owned(),
        }),
        Err(error) => Err(fault(index, &store, &error)),
    };
    (score, fuel)
}

/// The call itself. The inner error is a breach of the calling convention, the outer one a trap or an error of the engine.
fn run(
    store: &mut Store<Guest>,
    instance: &InstancePre<Guest>,
    exports: &GuestExports,
    input: &[u8],
) -> wasmtime::Result<Result<f64, &'static str>> {
    let instance = instance.instantiate(&mut *store)?;
    let export = |store: &mut Store<Guest>, export| instance.get_module_export(store, export);
    let (Some(Extern::Memory(memory)), Some(Extern::Func(prepare)), Some(Extern::Func(score))) = (
        export(store, &exports.memory),
        export(store, &exports.prepare),
        export(store, &exports.score),
    ) else {
        return Ok(Err("an export is missing"));
    };
    let prepared = prepare
        .typed::<u32, u64>(&*store)?
        .call(&mut *store, input.len() as u32)?;
    let (address, message) = abi::addresses(prepared);
    if memory.write(&mut *store, address, input).is_err() {
        return Ok(Err("it asks for the sample outside its memory"));
    }
    store.data_mut().message = Some((memory, message));
    score
        .typed::<(), f64>(&*store)?
        .call(&mut *store, ())
        .map(Ok)
}

/// What an error of the engine means.
fn fault(index: usize, store: &Store<Guest>, error: &wasmtime::Error) -> Fault {
    if store.data().denied {
        return Fault::OutOfMemory { index };
    }
    match error.downcast_ref::<Trap>() {
        Some(Trap::OutOfFuel) => Fault::OutOfFuel { index },
        Some(Trap::Interrupt) => Fault::Deadline { index },
        Some(Trap::StackOverflow) => Fault::StackOverflow { index },
        Some(trap) => {
            let panic = store
                .data()
                .message
                .and_then(|(memory, address)| abi::panic_message(memory.data(store), address));
            Fault::Trap {
                index,
                message: panic.unwrap_or_else(|| trap.to_string()),
            }
        }
        None => Fault::Host {
            index,
            message: one_line(error),
        },
    }
}
