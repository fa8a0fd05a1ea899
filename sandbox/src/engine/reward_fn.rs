//! A reward function that can be called.

use std::sync::Arc;

use super::guest::GuestCode;
use super::host::Shared;
use super::session;
use crate::error::CompileError;
use crate::fault::Fault;
use crate::python::{About, Function};
use crate::sample::Sample;
use crate::scores::Scores;

/// A loaded reward function. Cheap to clone; may be called from any number of threads at once.
///
/// Every batch is scored in an instance of its own, so scores depend on the module, the batch and the limits, and not on
/// earlier calls. A Rust reward gets one sample at a time, or the runs of samples with the same prompt, as trainers pass the
/// completions of one prompt; that it carries nothing from one to the next is for [`probe`](crate::probe()) to make sure. A
/// Python function is given the batch, as TRL gives it.
#[derive(Clone)]
pub struct RewardFn {
    loaded: Arc<Loaded>,
}

struct Loaded {
    // Before what is shared: code goes before the engine's clock.
    code: Code,
    shared: Arc<Shared>,
}

enum Code {
    Wasm(GuestCode),
    Python(Function),
}

/// One call and what it took.
#[derive(Debug, Clone, PartialEq)]
pub struct Measurement {
    /// The score, or why there is none; the fault's index is 0.
    pub score: Result<f64, Fault>,
    /// Fuel used, in the units of [`Limits::fuel_per_call`](crate::Limits::fuel_per_call). Comparable between runs of one engine version.
    pub fuel: u64,
}

impl RewardFn {
    pub(crate) fn wasm(shared: Arc<Shared>, code: GuestCode) -> Self {
        let code = Code::Wasm(code);
        Self {
            loaded: Arc::new(Loaded { code, shared }),
        }
    }

    pub(crate) fn python(shared: Arc<Shared>, function: Function) -> Self {
        let code = Code::Python(function);
        Self {
            loaded: Arc::new(Loaded { code, shared }),
        }
    }

    /// Whether it scores the completions of a prompt together; each on its own otherwise.
    #[must_use]
    pub fn is_of_groups(&self) -> bool {
        matches!(&self.loaded.code, Code::Wasm(guest) if guest.is_of_groups())
    }

    /// How a Python file was understood; `None` for Rust.
    #[must_use]
    pub fn about(&self) -> Option<&About> {
        match &self.loaded.code {
            Code::Wasm(_) => None,
            Code::Python(function) => Some(function.about()),
        }
    }

    /// Whether this is the same loaded function, not just an equal one.
    #[cfg(test)]
    pub(crate) fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.loaded, &other.loaded)
    }

    /// Whether it is in Rust: samples are scored one after the other in one instance.
    pub(crate) fn is_wasm(&self) -> bool {
        matches!(self.loaded.code, Code::Wasm(_))
    }

    /// One finite score a sample, in order.
    ///
    /// # Errors
    /// The fault of the first sample at fault.
    pub fn score(&self, batch: &[Sample<'_>]) -> Result<Vec<f64>, Fault> {
        self.score_parts(batch).map(|scores| scores.total)
    }

    /// The same, with the parts the scores are the sums of and what the reward printed.
    ///
    /// # Errors
    /// The fault of the first sample at fault; [`Fault::Batch`] where a Python function fails on the batch alone.
    pub fn score_parts(&self, batch: &[Sample<'_>]) -> Result<Scores, Fault> {
        let Loaded { code, shared } = &*self.loaded;
        match code {
            Code::Wasm(guest) => session::score(shared, guest, batch).0.map(|total| Scores {
                total,
                ..Scores::default()
            }),
            Code::Python(function) => function.score(&shared.slots, batch),
        }
    }

    /// Refuses a Python reward where these samples show that a score depends on chance, or on earlier calls, with the line to blame. It was tried
    /// on samples made up when it was loaded; its own samples may show more. A Rust reward is held to it by [`probe`](crate::probe()).
    ///
    /// # Errors
    /// [`Rejection::Forbidden`](crate::Rejection::Forbidden) with the rule `random` or `state`; the host's trouble.
    pub fn check_steady(&self, batch: &[Sample<'_>]) -> Result<(), CompileError> {
        let Loaded { code, shared } = &*self.loaded;
        match code {
            Code::Wasm(_) => Ok(()),
            Code::Python(function) => function.check_steady(&shared.slots, batch),
        }
    }

    /// One sample, with the fuel it took.
    #[must_use]
    pub fn measure(&self, sample: &Sample<'_>) -> Measurement {
        let (scores, fuel) = self.measure_batch(std::slice::from_ref(sample));
        Measurement {
            score: scores.map(|scores| scores[0]),
            fuel,
        }
    }

    /// A batch, with the fuel it took.
    pub(crate) fn measure_batch(&self, batch: &[Sample<'_>]) -> (Result<Vec<f64>, Fault>, u64) {
        let Loaded { code, shared } = &*self.loaded;
        match code {
            Code::Wasm(guest) => session::score(shared, guest, batch),
            Code::Python(function) => {
                let (scores, fuel) = function.measure(&shared.slots, batch);
                (scores.map(|scores| scores.total), fuel)
            }
        }
    }
}

impl std::fmt::Debug for RewardFn {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("RewardFn").finish_non_exhaustive()
    }
}
