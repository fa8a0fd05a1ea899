//! A Python reward function: its file is checked once, and run in a fresh instance for every batch.

use std::sync::Arc;
use std::time::Instant;

use super::answer::{checked, fault, judged, one_line, rejection};
use super::bindings::{Failure, Loaded};
use super::columns::{Columns, too_large};
use super::instance::{Budget, Instance};
use super::{About, Directives, Interpreter, conversation};
use crate::error::CompileError;
use crate::fault::Fault;
use crate::made_up::{self, MadeUp};
use crate::mutants::Mutant;
use crate::rejection::Rejection;
use crate::sample::Sample;
use crate::scores::Scores;
use crate::slots::Slots;
use crate::source::Source;

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
/// How often a batch is scored again with answers to what it asked `math_verify`: finding both sides of a comparison takes one turn,
/// comparing them another.
const MOST_TURNS: usize = 8;
/// Fuel for telling what was asked.
const ASKED_FUEL: u64 = 200_000_000;
/// Fuel for finding out whether scores depend on the samples alone, in units of that for scoring them.
const TIMES_STEADY: u64 = 4;
/// Bytes of compiled patterns that are kept; more would cost more than it saves.
const PATTERN_BYTES: usize = 1 << 20;

/// How it is tried whether scores depend on the samples alone.
struct Trial {
    budget: Budget,
    /// Columns that the samples lack are made up.
    guess: bool,
}

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
    /// It was tried with those, and fails all the same.
    fails_on_messages: bool,
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
            fails_on_messages: false,
            patterns: Vec::new(),
            interpreter,
        };
        function.try_out(directives.conversational.is_none());
        function.about = About::of(&function.loaded, function.conversational, one_line);
        let typical = made_up::typical();
        let made_up = Trial {
            budget: Budget {
                fuel: LEARN_FUEL,
                ..function.interpreter.to_load()
            },
            guess: true,
        };
        function.is_steady(&typical.each_ref().map(MadeUp::sample), made_up)?;
        Ok(function)
    }

    /// Refuses it where these samples show that a score depends on chance, or on earlier calls. What fails on them, or takes too long, shows nothing.
    pub(crate) fn check_steady(
        &self,
        slots: &Slots,
        batch: &[Sample<'_>],
    ) -> Result<(), CompileError> {
        if batch.is_empty() || too_large(batch, self.interpreter.sample_bytes).is_some() {
            return Ok(());
        }
        let _slot = slots.take();
        let given = Trial {
            budget: self.allowed(TIMES_STEADY * self.budget(batch)),
            guess: false,
        };
        self.is_steady(batch, given)
    }

    fn is_steady(&self, batch: &[Sample<'_>], trial: Trial) -> Result<(), CompileError> {
        let Loaded {
            code,
            function,
            signature,
            ..
        } = &self.loaded;
        let columns = Columns::of(batch, &self.loaded);
        let (patterns, guess) = (&self.patterns, trial.guess);
        let answer = Instance::new(&self.interpreter).and_then(|mut instance| {
            instance.call(trial.budget, |reward, store| {
                let batch = columns.batch(self.conversational);
                reward.call_steady(
                    store,
                    code,
                    &self.source,
                    function,
                    signature,
                    patterns,
                    batch,
                    guess,
                )
            })
        });
        match answer {
            Ok(Err(failure)) if matches!(&*failure.kind, "random" | "state") => {
                Err(rejection(failure).into())
            }
            Err(fault) if fault.is_host_trouble() => judged(Err(fault)),
            _ => Ok(()),
        }
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
            self.fails_on_messages = !self.conversational;
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

    /// So much fuel, and as many times the deadline as it is times the fuel of one sample.
    fn allowed(&self, fuel: u64) -> Budget {
        let one = self.interpreter.fuel_per_call.max(1);
        Budget {
            fuel,
            ticks: self.interpreter.deadline_ticks * fuel.div_ceil(one).max(1),
        }
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

    /// Scores a batch in a fresh instance, with so much fuel for all of it. What it asks `math_verify` is answered, and the batch scored
    /// again, until nothing new is asked.
    fn call(&self, slots: &Slots, batch: &[Sample<'_>], budget: u64) -> Call {
        let _slot = slots.take();
        let mut known = Known::default();
        for _ in 0..MOST_TURNS {
            let (call, asked) = self.turn(batch, budget, &known);
            if asked.is_empty() {
                return call;
            }
            let answers = self
                .interpreter
                .rules()
                .and_then(|rules| rules.answers(&asked));
            match answers {
                Ok(answers) => {
                    known.questions.extend(asked);
                    known.answers.extend(answers);
                }
                Err(error) => {
                    return Call {
                        scores: Err(Fault::Host {
                            index: 0,
                            message: one_line(&error.to_string()),
                        }),
                        ..call
                    };
                }
            }
        }
        Call {
            scores: Err(Fault::NotThere {
                index: 0,
                message: format!(
                    "asks `math_verify` ever new questions, each after the answer to the one before; {MOST_TURNS} such steps are answered"
                ),
            }),
            used: budget,
            ran: LOAD_FUEL,
        }
    }

    /// Scores a batch with what is known; what was asked beyond it comes along.
    fn turn(&self, batch: &[Sample<'_>], budget: u64, known: &Known) -> (Call, Vec<String>) {
        let mut instance = match self.restore(batch.len(), known) {
            Ok(instance) => instance,
            Err(fault) => {
                let call = Call {
                    scores: Err(fault),
                    used: 0,
                    ran: LOAD_FUEL,
                };
                return (call, Vec::new());
            }
        };
        let ran = LOAD_FUEL - instance.fuel_left();
        let answer = instance.call(self.allowed(budget), |reward, store| {
            let columns = Columns::of(batch, &self.loaded);
            reward.call_score(store, columns.batch(self.conversational))
        });
        let scores = answer
            .and_then(|answer| answer.map_err(|failure| self.fault(failure, batch.len())))
            .and_then(|scores| checked(scores, batch.len()));
        let used = budget - instance.fuel_left();
        let to_ask = Budget {
            fuel: ASKED_FUEL,
            ..self.interpreter.to_load()
        };
        // An instance that ended with force says nothing any more.
        let asked = instance.call(to_ask, |reward, store| reward.call_asked(store).map(Ok));
        let asked = asked.ok().and_then(Result::ok).unwrap_or_default();
        (Call { scores, used, ran }, asked)
    }

    /// A fresh instance that has run the file.
    fn restore(&self, samples: usize, known: &Known) -> Result<Instance, Fault> {
        let mut instance = Instance::new(&self.interpreter)?;
        if !known.questions.is_empty() {
            let told = instance.call(self.interpreter.to_load(), |reward, store| {
                let questions: Vec<&str> = known.questions.iter().map(String::as_str).collect();
                let answers: Vec<&str> = known.answers.iter().map(String::as_str).collect();
                reward.call_known(store, &questions, &answers).map(Ok)
            })?;
            told.map_err(|failure| fault(failure, samples))?;
        }
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
        let may_help = !self.conversational && !self.fails_on_messages;
        if may_help && conversation::is_wanted(&failure.message) {
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

/// What `math_verify` was asked, with the answers.
#[derive(Default)]
struct Known {
    questions: Vec<String>,
    answers: Vec<String>,
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

/// Small changes to what a reward reaches of its file, at most so many.
pub(crate) fn mutants(
    interpreter: &Interpreter,
    slots: &Slots,
    (code, most): (&str, u32),
) -> Result<Vec<Mutant>, CompileError> {
    let directives = Directives::of(code).unwrap_or_default();
    let _slot = slots.take();
    let made = judged(Instance::new(interpreter).and_then(|mut instance| {
        instance.call(interpreter.to_load(), |reward, store| {
            reward.call_mutants(store, code, directives.function.as_deref(), most)
        })
    }))?;
    let mutant = |one: super::bindings::Mutant| Mutant {
        line: one.line as usize,
        change: one_line(&one.change),
        source: Source::python(one.source),
    };
    Ok(made.into_iter().map(mutant).collect())
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
