//! A Python reward function: its file is checked once, and run in a fresh instance for every batch.

use std::sync::Arc;

use super::bindings::{self, Batch, Failure, Loaded};
use super::instance::Instance;
use super::{Directives, PythonRoom};
use crate::host::Room;
use crate::slots::Slots;
use crate::{CompileError, Component, Fault, HostError, Rejection, Sample, Scores, abi, warm};

/// Fuel for compiling and running a file: enough for tables and compiled patterns, about a second.
const LOAD_FUEL: u64 = 2_000_000_000;
/// Fuel for learning the patterns: a fraction of a second, for a reward that needs more has no use for a head start.
const LEARN_FUEL: u64 = 200_000_000;
/// Bytes of compiled patterns that are kept; more would cost more than it saves.
const PATTERN_BYTES: usize = 1 << 20;
/// Bytes kept of a traceback or another message.
const MESSAGE_BYTES: usize = 8192;

/// A Python reward function that passed its checks.
pub(crate) struct Function {
    room: Arc<PythonRoom>,
    source: Box<str>,
    /// Its completions are lists of messages.
    conversational: bool,
    loaded: Loaded,
    /// Its regular expressions, compiled, as far as it used them on made-up completions.
    patterns: Vec<u8>,
}

impl Function {
    /// Checks the file, runs it and looks for the function.
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
        let _slot = slots.take();
        let answer = Instance::new(&room).and_then(|mut instance| {
            instance.call(LOAD_FUEL, |reward, store| {
                reward.call_load(store, source, directives.function.as_deref())
            })
        });
        let mut function = Self {
            loaded: judged(answer)?,
            source: source.into(),
            conversational: directives.conversational,
            patterns: Vec::new(),
            room,
        };
        function.patterns = function.learn().unwrap_or_default();
        Ok(function)
    }

    /// The patterns it uses on texts that never change, so that what comes of it depends on the reward alone. A reward that
    /// fails on them has no head start.
    fn learn(&self) -> Option<Vec<u8>> {
        let mut instance = Instance::new(&self.room).ok()?;
        let samples = warm::samples();
        let columns = Columns::of(&samples, &self.loaded);
        let Loaded { code, function, .. } = &self.loaded;
        let answer = instance.call(LEARN_FUEL, |reward, store| {
            let batch = columns.batch(self.conversational);
            reward.call_learn(store, code, &self.source, function, batch)
        });
        let patterns = answer.ok()?.ok()?;
        (patterns.len() <= PATTERN_BYTES).then_some(patterns)
    }

    /// Scores a batch. A fault is looked for in the samples one by one, so that it can be named.
    pub(crate) fn score(&self, room: &Room, batch: &[Sample<'_>]) -> Result<Scores, Fault> {
        if batch.is_empty() {
            return Ok(Scores::default());
        }
        let limit = (room.limits.sample_kib as usize) << 10;
        if let Some(fault) = too_large(batch, limit) {
            return Err(fault);
        }
        let fault = match self.call(&room.slots, batch).0 {
            Err(fault) if !fault.is_host_trouble() && batch.len() > 1 => fault,
            outcome => return outcome,
        };
        for (index, sample) in batch.iter().enumerate() {
            if let Err(fault) = self.call(&room.slots, std::slice::from_ref(sample)).0 {
                return Err(fault.at(index));
            }
        }
        Err(Fault::Batch {
            samples: batch.len(),
            fault: Box::new(fault),
        })
    }

    /// Scores a batch in one call. Also returns the fuel it took, without that for running the file.
    pub(crate) fn measure(
        &self,
        room: &Room,
        batch: &[Sample<'_>],
    ) -> (Result<Scores, Fault>, u64) {
        match too_large(batch, (room.limits.sample_kib as usize) << 10) {
            Some(fault) => (Err(fault), 0),
            None => self.call(&room.slots, batch),
        }
    }

    /// Scores a batch in a fresh instance. Every sample brings its fuel, and the batch may spend it as it likes.
    fn call(&self, slots: &Slots, batch: &[Sample<'_>]) -> (Result<Scores, Fault>, u64) {
        let _slot = slots.take();
        let mut instance = match self.restore(batch.len()) {
            Ok(instance) => instance,
            Err(fault) => return (Err(fault), 0),
        };
        let budget = self.room.fuel_per_call.saturating_mul(batch.len() as u64);
        let answer = instance.call(budget, |reward, store| {
            let columns = Columns::of(batch, &self.loaded);
            reward.call_score(store, columns.batch(self.conversational))
        });
        let scores = answer
            .and_then(|answer| answer.map_err(|failure| fault(failure, batch.len())))
            .and_then(|scores| checked(scores, batch.len()));
        (scores, budget - instance.fuel_left())
    }

    /// A fresh instance that has run the file.
    fn restore(&self, samples: usize) -> Result<Instance, Fault> {
        let mut instance = Instance::new(&self.room)?;
        let Loaded { code, function, .. } = &self.loaded;
        instance
            .call(LOAD_FUEL, |reward, store| {
                reward.call_restore(store, code, &self.source, function, &self.patterns)
            })?
            .map_err(|failure| fault(failure, samples))?;
        Ok(instance)
    }
}

/// The names of the reward functions in a file.
pub(crate) fn functions(
    room: &PythonRoom,
    slots: &Slots,
    source: &str,
) -> Result<Vec<String>, CompileError> {
    let _slot = slots.take();
    judged(Instance::new(room).and_then(|mut instance| {
        instance.call(LOAD_FUEL, |reward, store| {
            reward.call_functions(store, source)
        })
    }))
}

/// A batch column by column; those the function does not take stay empty.
struct Columns<'a> {
    prompts: Vec<&'a str>,
    completions: Vec<&'a str>,
    answer: Vec<&'a str>,
    correct: Vec<u8>,
    extracted: Vec<Option<&'a str>>,
}

impl<'a> Columns<'a> {
    fn of(batch: &[Sample<'a>], wanted: &Loaded) -> Self {
        Self {
            prompts: column(batch, wanted.prompts, |sample| sample.prompt),
            completions: column(batch, true, |sample| sample.completion),
            answer: column(batch, wanted.answer, |sample| sample.answer),
            correct: column(batch, wanted.correct, |sample| {
                u8::from(sample.verdict.correct)
            }),
            extracted: column(batch, wanted.extracted, |sample| sample.verdict.extracted),
        }
    }

    fn batch(&self, conversational: bool) -> Batch<'_> {
        Batch {
            conversational,
            prompts: &self.prompts,
            completions: &self.completions,
            answer: &self.answer,
            correct: &self.correct,
            extracted: &self.extracted,
        }
    }
}

fn column<'a, T>(batch: &[Sample<'a>], wanted: bool, of: impl Fn(&Sample<'a>) -> T) -> Vec<T> {
    batch.iter().filter(|_| wanted).map(of).collect()
}

/// The first sample with more text than a guest may be given.
fn too_large(batch: &[Sample<'_>], limit: usize) -> Option<Fault> {
    let sizes = batch.iter().map(abi::text_length);
    let (index, bytes) = sizes.enumerate().find(|(_, bytes)| *bytes > limit)?;
    Some(Fault::SampleTooLarge { index, bytes })
}

/// A failure while scoring so many samples.
fn fault(failure: Failure, samples: usize) -> Fault {
    // The guest says which; it may say anything.
    let named = failure.index.map(|index| index as usize);
    let index = named.filter(|index| *index < samples).unwrap_or(0);
    match failure.kind.as_str() {
        "exception" => Fault::Exception {
            index,
            traceback: clean(&failure.message),
        },
        "length" => Fault::WrongLength {
            index,
            expected: samples,
            found: failure.found.map_or(0, |found| found as usize),
        },
        _ => Fault::WrongReturn {
            index,
            message: one_line(&failure.message),
        },
    }
}

/// A failure while loading.
fn rejection(failure: Failure) -> Rejection {
    let line = failure.line.map_or(1, |line| line as usize);
    match failure.kind.as_str() {
        "exception" => Rejection::Load {
            fault: fault(failure, 0),
        },
        "syntax" => Rejection::Syntax {
            line,
            message: one_line(&failure.message),
        },
        rule => Rejection::Forbidden {
            rule: one_line(rule),
            what: one_line(&failure.message),
            line,
        },
    }
}

/// The answer of a load, or why there is none.
fn judged<T>(answer: Result<Result<T, Failure>, Fault>) -> Result<T, CompileError> {
    match answer {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(failure)) => Err(rejection(failure).into()),
        Err(fault) if fault.is_host_trouble() => Err(HostError::Engine {
            message: fault.reason(),
        }
        .into()),
        Err(fault) => Err(Rejection::Load { fault }.into()),
    }
}

/// The guest's scores, none of which is trusted: one finite number a sample in every component.
fn checked(scores: bindings::Scores, samples: usize) -> Result<Scores, Fault> {
    let not_finite = |values: &[f64]| match values.iter().position(|value| !value.is_finite()) {
        Some(index) => Err(Fault::NotFinite { index }),
        None => Ok(()),
    };
    let mut total = vec![0.0; samples];
    for component in &scores.components {
        if component.values.len() != samples {
            return Err(Fault::Protocol {
                index: 0,
                message: format!("{} scores for {samples} samples", component.values.len()),
            });
        }
        not_finite(&component.values)?;
        for (total, value) in total.iter_mut().zip(&component.values) {
            *total += value;
        }
    }
    not_finite(&total)?;
    let components = scores.components.into_iter().map(|component| Component {
        name: one_line(&component.name),
        values: component.values,
    });
    Ok(Scores {
        total,
        components: components.collect(),
        printed: clean(&scores.printed),
    })
}

/// A text of the guest, not too long and without control characters but line ends and tabs.
fn clean(text: &str) -> String {
    let text = &text[..text.floor_char_boundary(MESSAGE_BYTES + 64)];
    text.chars()
        .filter(|c| matches!(c, '\n' | '\t') || !c.is_control())
        .collect()
}

/// The same on one line.
fn one_line(text: &str) -> String {
    clean(text).split_whitespace().collect::<Vec<_>>().join(" ")
}
