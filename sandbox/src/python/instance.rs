//! One instance of the interpreter: calls with a budget of fuel each, a bound on memory, and a verdict on whatever ends them.

use wasmtime::{ResourceLimiter, Store, Trap};

use super::PythonRoom;
use super::bindings::{Failure, Reward};
use crate::Fault;
use crate::host::one_line;

/// Bytes that one answer may take on its way out of the guest.
const ANSWER_BYTES: usize = 16 << 20;

/// Data of an instance's store.
pub(crate) struct Guest {
    memory_limit: usize,
    memory: usize,
    /// It asked for more than that.
    denied: bool,
}

impl ResourceLimiter for Guest {
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
    store: Store<Guest>,
    reward: Reward,
}

impl Instance {
    pub(super) fn new(room: &PythonRoom) -> Result<Self, Fault> {
        let mut store = Store::new(
            &room.engine,
            Guest {
                memory_limit: room.memory_bytes,
                memory: 0,
                denied: false,
            },
        );
        store.limiter(|guest| guest);
        store.set_hostcall_fuel(ANSWER_BYTES);
        let made = store
            .set_fuel(room.fuel_per_call)
            .and_then(|()| room.interpreter.instantiate(&mut store));
        match made {
            Ok(reward) => Ok(Self { store, reward }),
            // Nothing of the candidate has run yet.
            Err(error) => Err(Fault::Host {
                index: 0,
                message: one_line(&error),
            }),
        }
    }

    /// Calls an export with so much fuel. The outer error is an end with force, the inner one an answer.
    pub(super) fn call<T>(
        &mut self,
        fuel: u64,
        export: impl FnOnce(&Reward, &mut Store<Guest>) -> wasmtime::Result<Result<T, Failure>>,
    ) -> Result<Result<T, Failure>, Fault> {
        self.store
            .set_fuel(fuel)
            .and_then(|()| export(&self.reward, &mut self.store))
            .map_err(|error| self.fault(&error))
    }

    /// What is left of the fuel of the last call.
    pub(super) fn fuel_left(&self) -> u64 {
        self.store.get_fuel().unwrap_or(0)
    }

    /// What an error of the engine means. The candidate runs by now, so what is no trap is a breach of the convention.
    fn fault(&self, error: &wasmtime::Error) -> Fault {
        let index = 0;
        if self.store.data().denied {
            return Fault::OutOfMemory { index };
        }
        match error.downcast_ref::<Trap>() {
            Some(Trap::OutOfFuel) => Fault::OutOfFuel { index },
            Some(Trap::StackOverflow) => Fault::StackOverflow { index },
            Some(Trap::UnreachableCodeReached) => Fault::Trap {
                index,
                message: "the interpreter gave up; it has no clock, entropy, processes or threads"
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
