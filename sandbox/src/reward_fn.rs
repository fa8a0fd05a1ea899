//! A reward function that can be called.

use std::sync::Arc;

use wasmtime::InstancePre;

use crate::guest::{self, Guest, GuestExports};
use crate::host::Room;
use crate::python::Function;
use crate::{Fault, Sample, Scores};

/// A loaded reward function. Cheap to clone; may be called from any number of threads at once.
///
/// A WebAssembly guest scores every sample in an instance of its own, so a score depends on the module, the sample and the
/// limits, and on nothing else. A Python function is given the batch, as TRL gives it, in an instance of its own: its scores
/// may depend on the rest of the batch, but not on earlier calls.
#[derive(Clone)]
pub struct RewardFn {
    loaded: Arc<Loaded>,
}

struct Loaded {
    // Before the room: code goes before the engine's clock.
    code: Code,
    room: Arc<Room>,
}

enum Code {
    Wasm {
        instance: InstancePre<Guest>,
        exports: GuestExports,
    },
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
    pub(crate) fn wasm(
        room: Arc<Room>,
        instance: InstancePre<Guest>,
        exports: GuestExports,
    ) -> Self {
        let code = Code::Wasm { instance, exports };
        Self {
            loaded: Arc::new(Loaded { code, room }),
        }
    }

    pub(crate) fn python(room: Arc<Room>, function: Function) -> Self {
        let code = Code::Python(function);
        Self {
            loaded: Arc::new(Loaded { code, room }),
        }
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
        let Loaded { code, room } = &*self.loaded;
        match code {
            Code::Wasm { instance, exports } => {
                let mut buffer = Vec::new();
                let total: Result<Vec<f64>, Fault> = batch
                    .iter()
                    .enumerate()
                    .map(|(index, sample)| {
                        guest::call(room, instance, exports, index, sample, &mut buffer).0
                    })
                    .collect();
                total.map(|total| Scores {
                    total,
                    ..Scores::default()
                })
            }
            Code::Python(function) => function.score(room, batch),
        }
    }

    /// One sample, with the fuel it took.
    #[must_use]
    pub fn measure(&self, sample: &Sample<'_>) -> Measurement {
        let Loaded { code, room } = &*self.loaded;
        let (score, fuel) = match code {
            Code::Wasm { instance, exports } => {
                guest::call(room, instance, exports, 0, sample, &mut Vec::new())
            }
            Code::Python(function) => function.measure(room, sample),
        };
        Measurement { score, fuel }
    }
}

impl std::fmt::Debug for RewardFn {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("RewardFn").finish_non_exhaustive()
    }
}
