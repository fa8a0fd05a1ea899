//! Calls into a guest: one instance for a batch, fuel and deadline for each call on its own, and a verdict on whatever
//! goes wrong.
//!
//! A fault counts only if a fresh instance shows it as well: an instance that has scored other samples may be short of
//! memory for their sake. So a verdict depends on nothing but the module, the batch and the limits: fuel spent once an
//! instance (tables, patterns) is the first sample's. A guest that carries scores from one sample to the next is what
//! [`probe`](crate::probe()) finds out.

use std::ops::Range;
use std::sync::Arc;

use wasmtime::{Memory, Store, Trap, TypedFunc};

use super::guest::{GuestCode, Score};
use super::host::Shared;
use super::store_data::StoreData;
use crate::abi::{self, Breach};
use crate::engine_error::one_line;
use crate::fault::Fault;
use crate::made_up::{self, MadeUp};
use crate::regex::head_start::HeadStart;
use crate::regex::{self, Expressions, Searcher as _};
use crate::sample::Sample;

/// Scores a batch: each sample on its own, or each run of samples with the same prompt. Also returns the fuel it took.
pub(crate) fn score(
    shared: &Shared,
    code: &GuestCode,
    batch: &[Sample<'_>],
) -> (Result<Vec<f64>, Fault>, u64) {
    // Given back last, when the instances are gone.
    let _slot = shared.slots.take();
    let head_start = match code.head_start.get() {
        Some(head_start) => head_start.clone(),
        None => match work_out_head_start(shared, code) {
            Ok(head_start) => code
                .head_start
                .get_or_init(|| head_start.map(Arc::new))
                .clone(),
            Err(fault) => return (Err(fault), 0),
        },
    };
    let mut session = Session::new(shared, code, batch, head_start);
    let result = session.run();
    let scores = std::mem::take(&mut session.scores);
    (result.map(|()| scores), session.fuel)
}

/// Tries a reward that uses regular expressions on made-up samples, for the sake of what its patterns leave in memory. There is nothing
/// to keep of one that fails there.
///
/// # Errors
/// Where the machine or the clock ended it: what is kept must not depend on them.
fn work_out_head_start(shared: &Shared, code: &GuestCode) -> Result<Option<HeadStart>, Fault> {
    let Some(expressions) = &code.expressions else {
        return Ok(None);
    };
    let typical = made_up::typical();
    let samples = typical.each_ref().map(MadeUp::sample);
    let mut session = Session::new(shared, code, &samples, None);
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
    Ok(memory.and_then(|memory| HeadStart::difference(memory.data(&store), &used)))
}

/// A batch on its way.
struct Session<'a> {
    shared: &'a Shared,
    code: &'a GuestCode,
    batch: &'a [Sample<'a>],
    scores: Vec<f64>,
    fuel: u64,
    head_start: Option<Arc<HeadStart>>,
    /// The instance, as long as nothing has gone wrong in it.
    live: Option<Live>,
}

/// A guest ready to be called.
struct Live {
    store: Store<StoreData>,
    prepare: TypedFunc<u32, u64>,
    score: Score,
    /// Bytes that the guest has made room for.
    capacity: usize,
}

impl<'a> Session<'a> {
    fn new(
        shared: &'a Shared,
        code: &'a GuestCode,
        batch: &'a [Sample<'a>],
        head_start: Option<Arc<HeadStart>>,
    ) -> Self {
        Self {
            shared,
            code,
            batch,
            scores: Vec::with_capacity(batch.len()),
            fuel: 0,
            head_start,
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
        let most = (self.shared.limits.sample_kib as usize) << 10;
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

    /// What a call for some samples may use. It grows with a group up to a ceiling, so that no call takes longer than some seconds.
    fn budget(&self, samples: usize) -> Budget {
        let times = |ceiling: u64| (samples as u64).min(ceiling);
        let Shared {
            limits,
            deadline_ticks,
            ..
        } = self.shared;
        Budget {
            fuel: limits.fuel_per_call.saturating_mul(times(FUEL_CEILING)),
            ticks: deadline_ticks.saturating_mul(times(TIME_CEILING)),
        }
    }

    /// Data for a fresh store.
    fn guest(&self) -> StoreData {
        let expressions = Expressions::new(self.code.expressions.clone(), self.head_start.clone());
        StoreData::new(self.memory_limit(), expressions)
    }

    /// Bytes that a guest's memories may have together.
    const fn memory_limit(&self) -> usize {
        (self.shared.limits.memory_mib as usize) << 20
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
                capacity: 0,
            }),
            Err(error) => Err(fault(samples.start, &store, &error)),
        }
    }
}

/// The most fuel a group has, in units of the fuel of one sample: three seconds of it.
const FUEL_CEILING: u64 = 64;
/// The same for the deadline.
const TIME_CEILING: u64 = 6;

/// What one call may use.
struct Budget {
    fuel: u64,
    ticks: u64,
}

impl Budget {
    fn grant(&self, store: &mut Store<StoreData>) -> wasmtime::Result<()> {
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

    /// Writes the samples to where the guest has made room for them; it is asked to do so first if there is none or too little.
    fn write(&mut self, samples: &[Sample<'_>]) -> wasmtime::Result<Memory> {
        let store = &mut self.store;
        let length = abi::encoded_length(samples);
        if length > self.capacity {
            self.capacity = 0;
            let capacity = length.next_multiple_of(CAPACITY_GRAIN);
            let prepared = self.prepare.call(&mut *store, capacity as u32)?;
            let guest = store.data_mut();
            (guest.input_address, guest.message) = abi::halves(prepared);
            self.capacity = capacity;
        }
        let memory = store.data().memory()?;
        let (bytes, guest) = memory.data_and_store_mut(store);
        abi::encode(samples, &mut guest.input);
        guest.texts = abi::header_length(samples.len());
        guest.expressions.forget_sample();
        bytes
            .get_mut(guest.input_address..guest.input_address + guest.input.len())
            .ok_or(Breach("it asks for the sample outside its memory"))?
            .copy_from_slice(&guest.input);
        Ok(memory)
    }
}

/// Room is asked for in multiples of this, so that most samples of a batch fit into what the first one needed.
const CAPACITY_GRAIN: usize = 4096;

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
fn fault(index: usize, store: &Store<StoreData>, error: &wasmtime::Error) -> Fault {
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
