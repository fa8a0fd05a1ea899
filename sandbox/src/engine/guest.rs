//! Calls into a guest: one instance for a batch, fuel and deadline for each call on its own, and a verdict on whatever
//! goes wrong.
//!
//! A fault counts only if a fresh instance shows it as well: an instance that has scored other samples may be short of
//! memory for their sake. So a verdict depends on nothing but the module, the batch and the limits: fuel spent once an
//! instance (tables, patterns) is the first sample's. A guest that carries scores from one sample to the next is what
//! [`probe`](crate::probe()) finds out.

use std::ops::Range;
use std::sync::{Arc, OnceLock};

use wasmtime::{
    Extern, ExternType, FuncType, InstancePre, Memory, Module as Code, ModuleExport,
    ResourceLimiter, Store, Trap, TypedFunc, ValType,
};

use super::host::{Room, one_line};
use crate::fault::Fault;
use crate::made_up::{self, MadeUp};
use crate::regex::Expressions;
use crate::regex::warm::Warm;
use crate::rejection::Rejection;
use crate::sample::Sample;
use crate::{abi, regex};

/// Data of a guest's store.
pub(crate) struct Guest {
    pub(crate) expressions: Expressions,
    memory_limit: usize,
    /// Bytes of all its memories together.
    memory_used: usize,
    /// It asked for more than it may have.
    pub(super) denied: bool,
    memory: Option<Memory>,
    /// Where the guest leaves the message of a panic.
    message: usize,
    /// The samples under judgement as they were written, and where in the guest's memory.
    input: Vec<u8>,
    room: usize,
    /// Where in `input` the texts begin.
    texts: usize,
}

impl Guest {
    pub(super) fn new(memory_limit: usize, expressions: Expressions) -> Self {
        Self {
            expressions,
            memory_limit,
            memory_used: 0,
            denied: false,
            memory: None,
            message: 0,
            input: Vec::new(),
            room: 0,
            texts: 0,
        }
    }

    /// The guest's memory.
    pub(crate) fn memory(&self) -> Result<Memory, Breach> {
        self.memory.ok_or(Breach("it has no memory yet"))
    }

    /// The texts of the samples under judgement, one after the other.
    pub(crate) fn texts(&self) -> &[u8] {
        &self.input[self.texts..]
    }

    /// Where in [`texts`](Self::texts) the given part of the guest's memory lies, if it does.
    pub(crate) fn place_in_sample(&self, address: usize, length: usize) -> Option<Range<usize>> {
        let start = address.checked_sub(self.room + self.texts)?;
        (start + length <= self.texts().len()).then_some(start..start + length)
    }
}

/// A breach of the calling convention.
#[derive(Debug, Clone, Copy, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Breach(pub(crate) &'static str);

impl ResourceLimiter for Guest {
    /// A refusal ends the call, so that running out of memory is a verdict of its own and not whatever the guest makes of it.
    fn memory_growing(
        &mut self,
        current: usize,
        desired: usize,
        _: Option<usize>,
    ) -> wasmtime::Result<bool> {
        let used = self.memory_used.saturating_add(desired - current);
        if used > self.memory_limit {
            self.denied = true;
            return Err(wasmtime::Error::msg("memory limit"));
        }
        self.memory_used = used;
        Ok(true)
    }

    /// More than a memory of its type can hold is the guest's fault; what the system refuses is the host's.
    fn memory_grow_failed(&mut self, error: wasmtime::Error) -> wasmtime::Result<()> {
        self.denied = error.downcast_ref::<std::io::Error>().is_none();
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

/// A module made ready, and where its exports are.
pub(crate) struct GuestCode {
    instance: InstancePre<Guest>,
    /// For a module that imports them.
    expressions: Option<InstancePre<Guest>>,
    /// Their head start, once it was worked out.
    warm: OnceLock<Option<Arc<Warm>>>,
    memory: ModuleExport,
    prepare: ModuleExport,
    score: ModuleExport,
    /// It scores groups, not samples.
    of_groups: bool,
}

impl GuestCode {
    /// Finds the exports and checks the types of the functions.
    pub(crate) fn new(
        instance: InstancePre<Guest>,
        expressions: Option<InstancePre<Guest>>,
    ) -> Result<Self, Rejection> {
        let code: &Code = instance.module();
        let engine = code.engine();
        let of_groups = code.get_export_index(abi::SCORE_GROUP).is_some();
        let wrong = |name: &str| Rejection::Export {
            what: format!("the export `{name}` has the wrong type"),
        };
        let find = |name: &str| code.get_export_index(name).ok_or_else(|| wrong(name));
        let function = |name: &str, wanted: &FuncType| match code.get_export(name) {
            Some(ExternType::Func(function)) if FuncType::eq(&function, wanted) => find(name),
            _ => Err(wrong(name)),
        };
        let (score, result) = if of_groups {
            (abi::SCORE_GROUP, ValType::I64)
        } else {
            (abi::SCORE, ValType::F64)
        };
        Ok(Self {
            memory: find(abi::MEMORY)?,
            prepare: function(
                abi::PREPARE,
                &FuncType::new(engine, [ValType::I32], [ValType::I64]),
            )?,
            score: function(score, &FuncType::new(engine, [], [result]))?,
            of_groups,
            instance,
            expressions,
            warm: OnceLock::new(),
        })
    }

    /// Whether it scores groups, not samples.
    pub(crate) const fn is_of_groups(&self) -> bool {
        self.of_groups
    }

    /// Starts an instance and finds the functions to call.
    fn instantiate(
        &self,
        store: &mut Store<Guest>,
    ) -> wasmtime::Result<(TypedFunc<u32, u64>, Score)> {
        let instance = self.instance.instantiate(&mut *store)?;
        let mut export = |export| instance.get_module_export(&mut *store, export);
        let (Some(Extern::Memory(memory)), Some(Extern::Func(prepare)), Some(Extern::Func(score))) = (
            export(&self.memory),
            export(&self.prepare),
            export(&self.score),
        ) else {
            return Err(Breach("an export is missing").into());
        };
        let score = if self.of_groups {
            Score::OfGroup(score.typed(&*store)?)
        } else {
            Score::OfSample(score.typed(&*store)?)
        };
        let prepare = prepare.typed(&*store)?;
        store.data_mut().memory = Some(memory);
        Ok((prepare, score))
    }
}

/// Scores a batch: each sample on its own, or each run of samples with the same prompt. Also returns the fuel it took.
pub(crate) fn score(
    room: &Room,
    code: &GuestCode,
    batch: &[Sample<'_>],
) -> (Result<Vec<f64>, Fault>, u64) {
    // Given back last, when the instances are gone.
    let _slot = room.slots.take();
    let warm = match code.warm.get() {
        Some(warm) => warm.clone(),
        None => match warm_up(room, code) {
            Ok(warm) => code.warm.get_or_init(|| warm.map(Arc::new)).clone(),
            Err(fault) => return (Err(fault), 0),
        },
    };
    let mut session = Session::new(room, code, batch, warm);
    let result = session.run();
    let scores = std::mem::take(&mut session.scores);
    (result.map(|()| scores), session.fuel)
}

/// Tries a reward that uses regular expressions on made-up samples, for the sake of what its patterns leave in memory. There is nothing
/// to keep of one that fails there.
///
/// # Errors
/// Where the machine or the clock ended it: what is kept must not depend on them.
fn warm_up(room: &Room, code: &GuestCode) -> Result<Option<Warm>, Fault> {
    let Some(expressions) = &code.expressions else {
        return Ok(None);
    };
    let typical = made_up::typical();
    let samples = typical.each_ref().map(MadeUp::sample);
    let mut session = Session::new(room, code, &samples, None);
    match session.run() {
        Ok(()) => {}
        Err(fault @ (Fault::Host { .. } | Fault::Deadline { .. })) => return Err(fault.at(0)),
        Err(_) => return Ok(None),
    }
    let Some(store) = session.live.take().map(|live| live.store) else {
        return Ok(None);
    };
    let Some(memory) = store.data().expressions.memory() else {
        return Ok(None);
    };
    let used = memory.data(&store).to_vec();
    drop(store);
    let host = |error: wasmtime::Error| Fault::Host {
        index: 0,
        message: one_line(&error),
    };
    let budget = session.budget(1);
    let mut store = Store::new(expressions.module().engine(), session.guest());
    store.limiter(|guest| guest);
    budget.grant(&mut store).map_err(host)?;
    let fresh = expressions.instantiate(&mut store).map_err(host)?;
    let memory = fresh.get_memory(&mut store, regex::MEMORY);
    Ok(memory.and_then(|memory| Warm::difference(memory.data(&store), &used)))
}

/// A batch on its way.
struct Session<'a> {
    room: &'a Room,
    code: &'a GuestCode,
    batch: &'a [Sample<'a>],
    scores: Vec<f64>,
    fuel: u64,
    warm: Option<Arc<Warm>>,
    /// The instance, as long as nothing has gone wrong in it.
    live: Option<Live>,
}

/// A guest ready to be called.
struct Live {
    store: Store<Guest>,
    prepare: TypedFunc<u32, u64>,
    score: Score,
    /// Size of the room that the guest has made.
    room: usize,
}

enum Score {
    OfSample(TypedFunc<(), f64>),
    OfGroup(TypedFunc<(), u64>),
}

impl<'a> Session<'a> {
    fn new(
        room: &'a Room,
        code: &'a GuestCode,
        batch: &'a [Sample<'a>],
        warm: Option<Arc<Warm>>,
    ) -> Self {
        Self {
            room,
            code,
            batch,
            scores: Vec::with_capacity(batch.len()),
            fuel: 0,
            warm,
            live: None,
        }
    }

    fn run(&mut self) -> Result<(), Fault> {
        let batch = self.batch;
        if !self.code.of_groups {
            return (0..batch.len()).try_for_each(|index| self.call(index..index + 1));
        }
        let mut start = 0;
        for group in batch.chunk_by(|a, b| a.prompt == b.prompt) {
            self.call(start..start + group.len())?;
            start += group.len();
        }
        Ok(())
    }

    /// Scores some samples of the batch in one call, a second time in a fresh instance if it went wrong in a used one.
    fn call(&mut self, samples: Range<usize>) -> Result<(), Fault> {
        let most = (self.room.limits.sample_kib as usize) << 10;
        for index in samples.clone() {
            let bytes = abi::text_length(&self.batch[index]);
            if bytes > most {
                return Err(Fault::SampleTooLarge { index, bytes });
            }
        }
        let bytes = abi::encoded_length(&self.batch[samples.clone()]);
        if bytes > self.memory_limit() {
            return Err(Fault::GroupTooLarge {
                index: samples.start,
                samples: samples.len(),
                bytes,
            });
        }
        let is_used = self.live.is_some();
        match self.attempt(samples.clone()) {
            Err(_) if is_used => self.attempt(samples),
            outcome => outcome,
        }
    }

    fn attempt(&mut self, samples: Range<usize>) -> Result<(), Fault> {
        let budget = self.budget(samples.len());
        let mut live = match self.live.take() {
            Some(live) => live,
            None => self.start(&samples, &budget)?,
        };
        let done = self.scores.len();
        let outcome = budget
            .grant(&mut live.store)
            .and_then(|()| live.score(&self.batch[samples.clone()], &mut self.scores));
        self.fuel += budget.fuel - live.store.get_fuel().unwrap_or(0);
        let verdict = match outcome {
            Ok(()) => check(&self.scores[done..], &samples),
            Err(error) => Err(fault(samples.start, &live.store, &error)),
        };
        match verdict {
            Ok(()) => self.live = Some(live),
            Err(_) => self.scores.truncate(done),
        }
        verdict
    }

    /// What a call for some samples may use.
    const fn budget(&self, samples: usize) -> Budget {
        let times = samples as u64;
        Budget {
            fuel: self.room.limits.fuel_per_call.saturating_mul(times),
            ticks: self.room.deadline_ticks.saturating_mul(times),
        }
    }

    /// Data for a fresh store.
    fn guest(&self) -> Guest {
        let expressions = Expressions::new(self.code.expressions.clone(), self.warm.clone());
        Guest::new(self.memory_limit(), expressions)
    }

    /// Bytes that a guest's memories may have together.
    const fn memory_limit(&self) -> usize {
        (self.room.limits.memory_mib as usize) << 20
    }

    /// A fresh instance.
    fn start(&self, samples: &Range<usize>, budget: &Budget) -> Result<Live, Fault> {
        let mut store = Store::new(self.code.instance.module().engine(), self.guest());
        store.limiter(|guest| guest);
        // Both limits hold from here on: instantiation could run guest code too.
        let exports = budget
            .grant(&mut store)
            .and_then(|()| self.code.instantiate(&mut store));
        match exports {
            Ok((prepare, score)) => Ok(Live {
                store,
                prepare,
                score,
                room: 0,
            }),
            Err(error) => Err(fault(samples.start, &store, &error)),
        }
    }
}

/// What one call may use.
struct Budget {
    fuel: u64,
    ticks: u64,
}

impl Budget {
    fn grant(&self, store: &mut Store<Guest>) -> wasmtime::Result<()> {
        store.set_epoch_deadline(self.ticks);
        store.set_fuel(self.fuel)
    }
}

impl Live {
    /// Writes the samples and appends their scores.
    fn score(&mut self, samples: &[Sample<'_>], scores: &mut Vec<f64>) -> wasmtime::Result<()> {
        let memory = self.write(samples)?;
        match &self.score {
            Score::OfSample(score) => scores.push(score.call(&mut self.store, ())?),
            Score::OfGroup(score) => {
                let (address, count) = abi::halves(score.call(&mut self.store, ())?);
                let all = abi::scores(memory.data(&self.store), address, count)
                    .ok_or(Breach("its scores are outside its memory"))?;
                scores.extend(all);
            }
        }
        Ok(())
    }

    /// Writes the samples to the room, which is made first where there is none or too small a one.
    fn write(&mut self, samples: &[Sample<'_>]) -> wasmtime::Result<Memory> {
        let store = &mut self.store;
        let length = abi::encoded_length(samples);
        if length > self.room {
            self.room = 0;
            let room = length.next_multiple_of(ROOM_GRAIN);
            let prepared = self.prepare.call(&mut *store, room as u32)?;
            let guest = store.data_mut();
            (guest.room, guest.message) = abi::halves(prepared);
            self.room = room;
        }
        let memory = store.data().memory()?;
        let (bytes, guest) = memory.data_and_store_mut(store);
        abi::encode(samples, &mut guest.input);
        guest.texts = abi::header_length(samples.len());
        guest.expressions.forget_sample();
        bytes
            .get_mut(guest.room..guest.room + guest.input.len())
            .ok_or(Breach("it asks for the sample outside its memory"))?
            .copy_from_slice(&guest.input);
        Ok(memory)
    }
}

/// Rooms are made in multiples of this, so that the samples of a batch mostly share the first.
const ROOM_GRAIN: usize = 4096;

/// There must be a finite score for each sample.
fn check(scores: &[f64], samples: &Range<usize>) -> Result<(), Fault> {
    if scores.len() != samples.len() {
        return Err(Fault::WrongLength {
            index: samples.start,
            expected: samples.len(),
            found: scores.len(),
        });
    }
    match scores.iter().position(|score| !score.is_finite()) {
        Some(place) => Err(Fault::NotFinite {
            index: samples.start + place,
        }),
        None => Ok(()),
    }
}

/// What an error of the engine means.
fn fault(index: usize, store: &Store<Guest>, error: &wasmtime::Error) -> Fault {
    let guest = store.data();
    if guest.denied {
        return Fault::out_of_memory(index, crate::source::Language::Rust);
    }
    if let Some(Breach(message)) = error.downcast_ref() {
        return Fault::Protocol {
            index,
            message: (*message).to_owned(),
        };
    }
    match error.downcast_ref::<Trap>() {
        Some(Trap::OutOfFuel) => Fault::out_of_fuel(index, crate::source::Language::Rust),
        Some(Trap::Interrupt) => Fault::Deadline { index },
        Some(Trap::StackOverflow) => Fault::StackOverflow { index },
        Some(trap) => {
            let panic = guest
                .memory
                .and_then(|memory| abi::panic_message(memory.data(store), guest.message));
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
