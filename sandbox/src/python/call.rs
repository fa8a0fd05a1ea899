//! One instance of the interpreter: runs the author's file in it and scores one batch.

use std::sync::Arc;

use wasmtime::{ResourceLimiter, Store, Trap};

use super::{Directives, PythonRoom};
use crate::abi;
use crate::host::{Room, one_line};
use crate::scores::{Component, Scores};
use crate::slots::Slots;
use crate::{CompileError, Fault, HostError, Rejection, Sample};

/// The host's side of `guest-python/wit/reward.wit`.
#[allow(missing_docs, reason = "the WIT file documents them")]
mod bindings {
    wasmtime::component::bindgen!({
        path: "guest-python/wit",
        ownership: Borrowing { duplicate_if_necessary: false },
    });
}
pub(super) use bindings::RewardPre;
use bindings::{Failure, Reward};

/// Fuel for parsing and running a file: enough for tables and compiled patterns, about a second.
const LOAD_FUEL: u64 = 2_000_000_000;
/// Bytes that one answer may take on its way out of the guest.
const ANSWER_BYTES: usize = 16 << 20;
/// Bytes kept of a traceback or another message.
const MESSAGE_BYTES: usize = 8192;

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

/// A Python reward function that passed its checks.
pub(crate) struct Function {
    room: Arc<PythonRoom>,
    source: Box<str>,
    directives: Directives,
}

/// What became of a call: the outer error is an end with force, the inner one an answer.
type Answer<T> = Result<Result<T, Failure>, Fault>;

impl Function {
    /// Parses and runs the file once.
    pub(crate) fn load(
        room: Arc<PythonRoom>,
        slots: &Slots,
        source: &str,
    ) -> Result<Self, CompileError> {
        let directives = Directives::of(source).map_err(|what| Rejection::Forbidden {
            rule: "directive".to_owned(),
            what,
            line: 1,
        })?;
        let function = Self {
            room,
            source: source.into(),
            directives,
        };
        let _slot = slots.take();
        loaded(function.open().map(|(_, answer)| answer))?;
        Ok(function)
    }

    /// Scores a batch. A fault is looked for in the samples one by one, so that it can be named.
    pub(crate) fn score(&self, room: &Room, batch: &[Sample<'_>]) -> Result<Scores, Fault> {
        if batch.is_empty() {
            return Ok(Scores::default());
        }
        let fault = match self.call(room, batch).0 {
            Ok(scores) => return Ok(scores),
            Err(fault) if fault.is_host_trouble() || batch.len() == 1 => return Err(fault),
            Err(fault) => fault,
        };
        for (index, sample) in batch.iter().enumerate() {
            if let Err(fault) = self.call(room, std::slice::from_ref(sample)).0 {
                return Err(fault.at(index));
            }
        }
        Err(match fault {
            Fault::SampleTooLarge { .. } => fault,
            fault => Fault::Batch {
                samples: batch.len(),
                fault: Box::new(fault),
            },
        })
    }

    /// Scores one sample. Also returns the fuel it took.
    pub(crate) fn measure(&self, room: &Room, sample: &Sample<'_>) -> (Result<f64, Fault>, u64) {
        let (scores, fuel) = self.call(room, std::slice::from_ref(sample));
        (scores.map(|scores| scores.total[0]), fuel)
    }

    /// Scores a batch in a fresh instance.
    fn call(&self, room: &Room, batch: &[Sample<'_>]) -> (Result<Scores, Fault>, u64) {
        if let Some(fault) = too_large(batch, (room.limits.sample_kib as usize) << 10) {
            return (Err(fault), 0);
        }
        let _slot = room.slots.take();
        let (mut instance, columns) = match self.open() {
            Ok((instance, Ok(columns))) => (instance, columns),
            Ok((_, Err(failure))) => return (Err(failure.fault(batch.len())), 0),
            Err(fault) => return (Err(fault), 0),
        };
        let budget = self.room.fuel_per_call.saturating_mul(batch.len() as u64);
        let answer = instance.call(budget, |reward, store| {
            let column = |wanted: bool, text: for<'a> fn(&Sample<'a>) -> &'a str| -> Vec<&str> {
                batch.iter().filter(|_| wanted).map(text).collect()
            };
            let correct: Vec<u8> = batch
                .iter()
                .map(|sample| u8::from(sample.verdict.correct))
                .collect();
            let extracted: Vec<Option<&str>> = batch
                .iter()
                .filter(|_| columns.extracted)
                .map(|sample| sample.verdict.extracted)
                .collect();
            reward.call_score(
                store,
                self.directives.conversational,
                &column(columns.prompts, |sample| sample.prompt),
                &column(true, |sample| sample.completion),
                &column(columns.answer, |sample| sample.answer),
                &correct,
                &extracted,
            )
        });
        let fuel = instance.used(budget);
        let scores = answer.and_then(|answer| answer.map_err(|failure| failure.fault(batch.len())));
        (scores.and_then(|scores| checked(scores, batch.len())), fuel)
    }

    /// A fresh instance that has run the file.
    fn open(&self) -> Result<(Instance, Result<bindings::Columns, Failure>), Fault> {
        let mut instance = Instance::new(&self.room)?;
        let answer = instance.call(LOAD_FUEL, |reward, store| {
            reward.call_load(store, &self.source, self.directives.function.as_deref())
        })?;
        Ok((instance, answer))
    }
}

/// The names of the reward functions in a file.
pub(crate) fn functions(
    room: &PythonRoom,
    slots: &Slots,
    source: &str,
) -> Result<Vec<String>, CompileError> {
    let _slot = slots.take();
    let names = Instance::new(room).and_then(|mut instance| {
        instance.call(LOAD_FUEL, |reward, store| {
            reward.call_functions(store, source)
        })
    });
    loaded(names)
}

/// An interpreter of its own.
struct Instance {
    store: Store<Guest>,
    reward: Reward,
}

impl Instance {
    fn new(room: &PythonRoom) -> Result<Self, Fault> {
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
            .set_fuel(LOAD_FUEL)
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

    /// Calls an export with a budget of its own.
    fn call<T>(
        &mut self,
        fuel: u64,
        export: impl FnOnce(&Reward, &mut Store<Guest>) -> wasmtime::Result<Result<T, Failure>>,
    ) -> Answer<T> {
        self.store
            .set_fuel(fuel)
            .and_then(|()| export(&self.reward, &mut self.store))
            .map_err(|error| self.fault(&error))
    }

    fn used(&self, budget: u64) -> u64 {
        budget - self.store.get_fuel().unwrap_or(0)
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
                message: "the interpreter gave up: no files, clock, entropy or processes in here"
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

impl Failure {
    /// A failure while scoring so many samples.
    fn fault(self, samples: usize) -> Fault {
        let index = self.index.map_or(0, |index| index as usize);
        match self.kind.as_str() {
            "exception" => Fault::Exception {
                index,
                traceback: clean(&self.message),
            },
            "length" => Fault::WrongLength {
                index,
                expected: samples,
                found: self.found.map_or(0, |found| found as usize),
            },
            _ => Fault::WrongReturn {
                index,
                message: one_paragraph(&self.message),
            },
        }
    }

    /// A failure while loading.
    fn rejection(self) -> Rejection {
        let line = self.line.map_or(1, |line| line as usize);
        match self.kind.as_str() {
            "exception" => Rejection::Load {
                fault: self.fault(0),
            },
            "syntax" => Rejection::Syntax {
                line,
                message: one_paragraph(&self.message),
            },
            rule => Rejection::Forbidden {
                rule: one_paragraph(rule),
                what: one_paragraph(&self.message),
                line,
            },
        }
    }
}

/// The answer of a load, or why there is none.
fn loaded<T>(answer: Answer<T>) -> Result<T, CompileError> {
    match answer {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(failure)) => Err(failure.rejection().into()),
        Err(fault) if fault.is_host_trouble() => Err(HostError::Engine {
            message: fault.to_string(),
        }
        .into()),
        Err(fault) => Err(Rejection::Load { fault }.into()),
    }
}

/// The first sample with more text than a guest may be given.
fn too_large(batch: &[Sample<'_>], limit: usize) -> Option<Fault> {
    let sizes = batch.iter().map(abi::text_length);
    let (index, bytes) = sizes.enumerate().find(|(_, bytes)| *bytes > limit)?;
    Some(Fault::SampleTooLarge { index, bytes })
}

/// The guest's scores, none of which is trusted: one finite number a sample in every component.
fn checked(scores: bindings::Scores, count: usize) -> Result<Scores, Fault> {
    let mut total = vec![0.0; count];
    let mut components = Vec::with_capacity(scores.components.len());
    for component in scores.components {
        if component.values.len() != count {
            return Err(Fault::Protocol {
                index: 0,
                message: format!("{} scores for {count} samples", component.values.len()),
            });
        }
        if let Some(index) = component.values.iter().position(|value| !value.is_finite()) {
            return Err(Fault::NotFinite { index });
        }
        total
            .iter_mut()
            .zip(&component.values)
            .for_each(|(total, value)| *total += value);
        components.push(Component {
            name: one_paragraph(&component.name),
            values: component.values,
        });
    }
    if let Some(index) = total.iter().position(|value| !value.is_finite()) {
        return Err(Fault::NotFinite { index });
    }
    Ok(Scores {
        total,
        components,
        printed: clean(&scores.printed),
    })
}

/// A text of the guest without control characters but line ends and tabs, and not too long.
fn clean(text: &str) -> String {
    let text = &text[..text.floor_char_boundary(MESSAGE_BYTES)];
    text.chars()
        .filter(|c| matches!(c, '\n' | '\t') || !c.is_control())
        .collect()
}

/// The same on one line.
fn one_paragraph(text: &str) -> String {
    clean(text).split_whitespace().collect::<Vec<_>>().join(" ")
}
