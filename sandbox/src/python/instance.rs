//! One instance of the interpreter: calls with a budget of fuel each, a bound on memory, and a verdict on whatever ends them.

use wasmtime::component::{Instance as Component, TypedFunc};
use wasmtime::{ResourceLimiter, Store, Trap};

use super::bindings::{Failure, Reward};
use super::{Interpreter, meter};
use crate::engine_error::one_line;
use crate::fault::Fault;
use crate::source::Language;

/// Bytes that one answer may take on its way out of the guest.
const ANSWER_BYTES: usize = 16 << 20;

/// Advances of the epoch within which a number is read.
const TICKS_TO_READ: u64 = 1000;

/// What a call may use.
#[derive(Clone, Copy)]
pub(super) struct Budget {
    pub(super) fuel: u64,
    /// Advances of the engine's epoch.
    pub(super) ticks: u64,
}

/// Data of an instance's store.
pub(crate) struct StoreData {
    memory_limit: usize,
    memory: usize,
    /// It asked for more than that.
    denied: bool,
}

impl ResourceLimiter for StoreData {
    /// A refusal ends the call: running out of memory is a verdict of its own, not whatever the candidate makes of it.
    fn memory_growing(
        &mut self,
        current: usize,
        desired: usize,
        _: Option<usize>,
    ) -> wasmtime::Result<bool> {
        self.memory += desired.saturating_sub(current);
        if self.memory > self.memory_limit {
            self.denied = true;
            return Err(wasmtime::Error::msg("memory limit"));
        }
        Ok(true)
    }

    fn memory_grow_failed(&mut self, error: wasmtime::Error) -> wasmtime::Result<()> {
        self.denied = true;
        Err(error)
    }

    /// Tables are part of the interpreter, and nothing in it grows one once it is built.
    fn table_growing(
        &mut self,
        current: usize,
        _: usize,
        _: Option<usize>,
    ) -> wasmtime::Result<bool> {
        Ok(current == 0)
    }
}

/// An interpreter of its own, as it was when its image was made.
pub(super) struct Instance {
    store: Store<StoreData>,
    reward: Reward,
    fuel: Fuel,
}

/// The guest's own counter, which `meter` gave it.
struct Fuel {
    fill: TypedFunc<(u64,), ()>,
    left: TypedFunc<(), (u64,)>,
}

impl Fuel {
    fn of(
        interpreter: &Interpreter,
        store: &mut Store<StoreData>,
        guest: &Component,
    ) -> wasmtime::Result<Self> {
        Ok(Self {
            fill: guest.get_typed_func(&mut *store, interpreter.fill)?,
            left: guest.get_typed_func(store, interpreter.left)?,
        })
    }
}

impl Instance {
    pub(super) fn new(interpreter: &Interpreter) -> Result<Self, Fault> {
        let mut store = Store::new(
            &interpreter.engine,
            StoreData {
                memory_limit: interpreter.memory_bytes,
                memory: 0,
                denied: false,
            },
        );
        store.limiter(|guest| guest);
        store.set_hostcall_fuel(ANSWER_BYTES);
        store.set_epoch_deadline(interpreter.deadline_ticks);
        match Self::make(interpreter, &mut store) {
            Ok((reward, fuel)) => Ok(Self {
                store,
                reward,
                fuel,
            }),
            // Nothing of the candidate has run yet.
            Err(error) => Err(Fault::Host {
                index: 0,
                message: one_line(&error),
            }),
        }
    }

    fn make(
        interpreter: &Interpreter,
        store: &mut Store<StoreData>,
    ) -> wasmtime::Result<(Reward, Fuel)> {
        let guest = interpreter.guest.instantiate(&mut *store)?;
        let reward = interpreter.exports.load(&mut *store, &guest)?;
        Ok((reward, Fuel::of(interpreter, store, &guest)?))
    }

    /// Calls an export with such a budget. The outer error is an end with force, the inner one an answer.
    pub(super) fn call<T>(
        &mut self,
        budget: Budget,
        export: impl FnOnce(&Reward, &mut Store<StoreData>) -> wasmtime::Result<Result<T, Failure>>,
    ) -> Result<Result<T, Failure>, Fault> {
        self.store.set_epoch_deadline(budget.ticks);
        self.fuel
            .fill
            .call(&mut self.store, (budget.fuel,))
            .and_then(|()| export(&self.reward, &mut self.store))
            .map_err(|error| self.fault(&error))
    }

    /// What is left of the fuel of the last call; nothing if that ended with force.
    pub(super) fn fuel_left(&mut self) -> u64 {
        self.store.set_epoch_deadline(TICKS_TO_READ);
        self.fuel
            .left
            .call(&mut self.store, ())
            .map_or(0, |(left,)| left)
    }

    /// What an error of the engine means. The candidate runs by now, so what is no trap is a breach of the convention.
    fn fault(&self, error: &wasmtime::Error) -> Fault {
        let index = 0;
        if self.store.data().denied {
            return Fault::out_of_memory(index, Language::Python);
        }
        match error.downcast_ref::<Trap>() {
            Some(&meter::OUT_OF_FUEL) => Fault::out_of_fuel(index, Language::Python),
            Some(Trap::Interrupt) => Fault::Deadline { index },
            Some(Trap::StackOverflow) => Fault::StackOverflow { index },
            Some(Trap::UnreachableCodeReached) => Fault::Trap {
                index,
                message: "the interpreter gave up: something reached past `os` and `time` for files, a clock, entropy, processes or threads, none of which is there"
                    .to_owned(),
            },
            Some(trap) => Fault::Trap {
                index,
                message: trap.to_string(),
            },
            None => Fault::Protocol {
                index,
                message: one_line(error),
            },
        }
    }
}
