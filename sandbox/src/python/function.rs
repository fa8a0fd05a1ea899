//! A Python reward function: its file is checked once, and run in a fresh instance for every batch.

use std::sync::Arc;
use std::time::Instant;

use super::bindings::{self, Batch, Failure, Loaded};
use super::instance::{Budget, Instance};
use super::{About, Directives, Interpreter, conversation};
use crate::abi;
use crate::error::{CompileError, HostError};
use crate::fault::Fault;
use crate::made_up::{self, MadeUp};
use crate::rejection::Rejection;
use crate::sample::Sample;
use crate::scores::{Component, Scores};
use crate::slots::Slots;
use crate::text::may_be_shown_in_lines;

/// Fuel for compiling and running a file: enough for tables and compiled patterns, about a second.
const LOAD_FUEL: u64 = 2_000_000_000;
/// What each sample but the first adds to a batch's fuel, as a part of the fuel of one. Rewards take far less of it as a
/// rule; a batch of 385 or more with an endless loop in it costs four times what one sample may.
const SHARE: u64 = 128;
/// The most a batch has, in units of the fuel of one: that of 385 samples.
const CEILING: u64 = 4;
/// Fuel for finding the sample at fault in a batch, in units of the fuel of one.
const SEARCH: u64 = 2;
/// Fuel for learning the patterns: a fraction of a second, for a reward that needs more has no use for a head start.
const LEARN_FUEL: u64 = 200_000_000;
/// Bytes of compiled patterns that are kept; more would cost more than it saves.
const PATTERN_BYTES: usize = 1 << 20;
/// Components a reward may have, and characters of a name that are kept; the guest application holds candidates to the same, but a
/// candidate can rewrite it.
const MOST_COMPONENTS: usize = 64;
const NAME_CHARACTERS: usize = 64;
/// Bytes kept of a traceback or another message.
const MESSAGE_BYTES: usize = 8192;

impl Interpreter {
    /// What running a file may use.
    const fn to_load(&self) -> Budget {
        Budget {
            fuel: LOAD_FUEL,
            ticks: self.deadline_ticks,
        }
    }
}

/// A Python reward function that passed its checks.
pub(crate) struct Function {
    interpreter: Arc<Interpreter>,
    source: Box<str>,
    /// Its completions are lists of messages.
    conversational: bool,
    loaded: Loaded,
    about: About,
    /// Its regular expressions, compiled, as far as it used them on made-up completions.
    patterns: Vec<u8>,
}

impl Function {
    /// Checks the file, runs it and looks for the function.
    pub(crate) fn load(
        interpreter: Arc<Interpreter>,
        slots: &Slots,
        source: &str,
    ) -> Result<Self, CompileError> {
        let directives = Directives::of(source).map_err(|what| Rejection::Forbidden {
            rule: "directive".to_owned(),
            what,
            line: 1,
        })?;
        let _slot = slots.take();
        let answer = Instance::new(&interpreter).and_then(|mut instance| {
            instance.call(interpreter.to_load(), |reward, store| {
                let (function, signature) = (&directives.function, &directives.signature);
                reward.call_load(store, source, function.as_deref(), signature.as_deref())
            })
        });
        let mut function = Self {
            loaded: judged(answer)?,
            about: About::default(),
            source: source.into(),
            conversational: directives.conversational.unwrap_or(false),
            patterns: Vec::new(),
            interpreter,
        };
        function.try_out(directives.conversational.is_none());
        function.about = About::of(&function.loaded, function.conversational, one_line);
        Ok(function)
    }

    /// How the file was understood.
    pub(crate) fn about(&self) -> &About {
        &self.about
    }

    /// Tries it on texts that never change, so that what comes of it depends on the reward alone: the patterns it uses, and,
    /// where it may be `either`, whether it wants completions as lists of messages. A reward that fails has no head start.
    fn try_out(&mut self, either: bool) {
        let mut learned = self.learn();
        // A file that looks into messages may fail here for want of a column before it comes to that.
        let content = self.loaded.content;
        let wanted = |failure: &Failure| content || conversation::is_wanted(&failure.message);
        if either && matches!(&learned, Ok(Err(failure)) if wanted(failure)) {
            self.conversational = true;
            let again = self.learn();
            self.conversational = match &again {
                Ok(Ok(_)) => true,
                Ok(Err(failure)) => content && !conversation::is_unwanted(&failure.message),
                Err(_) => false,
            };
            if self.conversational {
                learned = again;
            }
        }
        if let Ok(Ok(patterns)) = learned
            && patterns.len() <= PATTERN_BYTES
        {
            self.patterns = patterns;
        }
    }

    fn learn(&self) -> Result<Result<Vec<u8>, Failure>, Fault> {
        let typical = made_up::typical();
        let samples = typical.each_ref().map(MadeUp::sample);
        let columns = Columns::of(&samples, &self.loaded);
        let Loaded {
            code,
            function,
            signature,
            ..
        } = &self.loaded;
        let budget = Budget {
            fuel: LEARN_FUEL,
            ..self.interpreter.to_load()
        };
        Instance::new(&self.interpreter)?.call(budget, |reward, store| {
            let batch = columns.batch(self.conversational);
            reward.call_learn(store, code, &self.source, function, signature, batch)
        })
    }

    /// Scores a batch. A fault is looked for in the samples one by one, so that it can be named.
    pub(crate) fn score(&self, slots: &Slots, batch: &[Sample<'_>]) -> Result<Scores, Fault> {
        if batch.is_empty() {
            return Ok(Scores::default());
        }
        let limit = self.interpreter.sample_bytes;
        if let Some(fault) = too_large(batch, limit) {
            return Err(fault);
        }
        match self.call(slots, batch, self.budget(batch)).scores {
            Err(fault) if !fault.is_host_trouble() && batch.len() > 1 => {
                let is_late = matches!(fault, Fault::Deadline { .. });
                let named = (!is_late).then(|| self.blamed(slots, batch)).flatten();
                Err(named.unwrap_or_else(|| Fault::Batch {
                    samples: batch.len(),
                    fault: Box::new(fault),
                }))
            }
            outcome => outcome,
        }
    }

    /// The first sample that fails alone, as far as fuel and time for the search go.
    fn blamed(&self, slots: &Slots, batch: &[Sample<'_>]) -> Option<Fault> {
        let one = self.interpreter.fuel_per_call;
        let mut left = one.saturating_mul(SEARCH);
        let started = Instant::now();
        for (index, sample) in batch.iter().enumerate() {
            if started.elapsed() > self.interpreter.deadline {
                return None;
            }
            let budget = one.min(left);
            let Call { scores, used, ran } = self.call(slots, std::slice::from_ref(sample), budget);
            match scores {
                Err(Fault::OutOfFuel { .. }) if budget < one => return None,
                Err(fault) => return Some(fault.at(index)),
                Ok(_) => left = left.checked_sub(used + ran).filter(|left| *left > 0)?,
            }
        }
        None
    }

    /// What a batch may use up. It grows with the batch up to a ceiling, so that no batch takes longer than some seconds.
    fn budget(&self, batch: &[Sample<'_>]) -> u64 {
        budget(self.interpreter.fuel_per_call, batch.len())
    }

    /// Scores a batch in one call. Also returns the fuel it took, without that for running the file.
    pub(crate) fn measure(
        &self,
        slots: &Slots,
        batch: &[Sample<'_>],
    ) -> (Result<Scores, Fault>, u64) {
        match too_large(batch, self.interpreter.sample_bytes) {
            Some(fault) => (Err(fault), 0),
            None => {
                let Call { scores, used, .. } = self.call(slots, batch, self.budget(batch));
                (scores, used)
            }
        }
    }

    /// Scores a batch in a fresh instance, with so much fuel for all of it.
    fn call(&self, slots: &Slots, batch: &[Sample<'_>], budget: u64) -> Call {
        let _slot = slots.take();
        let mut instance = match self.restore(batch.len()) {
            Ok(instance) => instance,
            Err(fault) => {
                return Call {
                    scores: Err(fault),
                    used: 0,
                    ran: LOAD_FUEL,
                };
            }
        };
        let ran = LOAD_FUEL - instance.fuel_left();
        let one = self.interpreter.fuel_per_call.max(1);
        let allowed = Budget {
            fuel: budget,
            // As many times the deadline as it is times the fuel.
            ticks: self.interpreter.deadline_ticks * budget.div_ceil(one).max(1),
        };
        let answer = instance.call(allowed, |reward, store| {
            let columns = Columns::of(batch, &self.loaded);
            reward.call_score(store, columns.batch(self.conversational))
        });
        let scores = answer
            .and_then(|answer| answer.map_err(|failure| self.fault(failure, batch.len())))
            .and_then(|scores| checked(scores, batch.len()));
        Call {
            scores,
            used: budget - instance.fuel_left(),
            ran,
        }
    }

    /// A fresh instance that has run the file.
    fn restore(&self, samples: usize) -> Result<Instance, Fault> {
        let mut instance = Instance::new(&self.interpreter)?;
        let Loaded {
            code,
            function,
            signature,
            ..
        } = &self.loaded;
        let patterns = &self.patterns;
        instance
            .call(self.interpreter.to_load(), |reward, store| {
                reward.call_restore(store, code, &self.source, function, signature, patterns)
            })?
            .map_err(|failure| fault(failure, samples))?;
        Ok(instance)
    }

    /// A failure while scoring, with a hint where the completions were not what the reward takes them for.
    fn fault(&self, mut failure: Failure, samples: usize) -> Fault {
        if !self.conversational && conversation::is_wanted(&failure.message) {
            failure.message.push_str(conversation::HINT);
        }
        fault(failure, samples)
    }
}

/// The fuel of a batch of so many samples, where a batch of one has `one`.
fn budget(one: u64, samples: usize) -> u64 {
    let further = samples.saturating_sub(1) as u64;
    one.saturating_add((one / SHARE).saturating_mul(further))
        .min(one.saturating_mul(CEILING))
}

/// What came of a call.
struct Call {
    scores: Result<Scores, Fault>,
    /// Fuel for scoring.
    used: u64,
    /// Fuel for running the file before.
    ran: u64,
}

/// The names of the reward functions in a file.
pub(crate) fn functions(
    interpreter: &Interpreter,
    slots: &Slots,
    source: &str,
) -> Result<Vec<String>, CompileError> {
    let _slot = slots.take();
    judged(Instance::new(interpreter).and_then(|mut instance| {
        instance.call(interpreter.to_load(), |reward, store| {
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
    rows: Vec<&'a str>,
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
            extracted: column(batch, wanted.extracted, |sample| {
                sample.verdict.extracted.as_deref()
            }),
            rows: rows(batch),
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
            rows: &self.rows,
        }
    }
}

fn column<'a, T>(batch: &[Sample<'a>], wanted: bool, of: impl Fn(&Sample<'a>) -> T) -> Vec<T> {
    batch.iter().filter(|_| wanted).map(of).collect()
}

/// The data set's columns: nothing, or an object a sample.
fn rows<'a>(batch: &[Sample<'a>]) -> Vec<&'a str> {
    if batch.iter().all(|sample| sample.row.is_empty()) {
        return Vec::new();
    }
    let row = |sample: &Sample<'a>| {
        if sample.row.is_empty() {
            "{}"
        } else {
            sample.row
        }
    };
    batch.iter().map(row).collect()
}

/// The first sample with more text than a guest may be given.
fn too_large(batch: &[Sample<'_>], limit: usize) -> Option<Fault> {
    let sizes = batch
        .iter()
        .map(|sample| abi::text_length(sample) + sample.row.len());
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
        "column" | "absent" => Fault::NotThere {
            index,
            message: one_line(&failure.message),
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

/// The guest's scores, none of which is trusted: one finite number a sample in every component, and not too many of those.
fn checked(scores: bindings::Scores, samples: usize) -> Result<Scores, Fault> {
    if scores.components.len() > MOST_COMPONENTS {
        return Err(Fault::WrongReturn {
            index: 0,
            message: format!(
                "{} components; there may be {MOST_COMPONENTS}",
                scores.components.len()
            ),
        });
    }
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
        name: name(&component.name),
        values: component.values,
    });
    Ok(Scores {
        total,
        components: components.collect(),
        printed: clean(&scores.printed),
    })
}

/// The name of a component, cut.
fn name(text: &str) -> String {
    one_line(text).chars().take(NAME_CHARACTERS).collect()
}

/// A text of the guest, not too long and without control characters but line ends and tabs.
fn clean(text: &str) -> String {
    let text = &text[..text.floor_char_boundary(MESSAGE_BYTES + 64)];
    text.chars().filter(|c| may_be_shown_in_lines(*c)).collect()
}

/// The same on one line.
fn one_line(text: &str) -> String {
    clean(text).split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_batch_has_more_fuel_than_a_sample_but_not_without_end() {
        assert_eq!(budget(128, 1), 128);
        assert_eq!(budget(128, 256), 128 + 255);
        assert_eq!(budget(128, 385), 4 * 128);
        assert_eq!(budget(128, 1_000_000), 4 * 128);
        assert_eq!(budget(128, 0), 128);
    }
}
