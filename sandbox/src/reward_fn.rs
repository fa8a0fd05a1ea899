//! A reward function that can be called.

use std::sync::Arc;

use wasmtime::InstancePre;

use crate::guest::{self, Guest, GuestExports};
use crate::host::Room;
use crate::{Fault, Sample};

/// A loaded reward function. Cheap to clone; may be called from any number of threads at once.
///
/// Every sample is scored in an instance of its own, so a score depends on the module, the sample and the limits, and on
/// nothing else: not on the rest of the batch, its order, or earlier calls.
#[derive(Clone)]
pub struct RewardFn {
    loaded: Arc<Loaded>,
}

struct Loaded {
    // Before the room: code goes before the engine's clock.
    instance: InstancePre<Guest>,
    exports: GuestExports,
    room: Arc<Room>,
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
    pub(crate) fn new(
        room: Arc<Room>,
        instance: InstancePre<Guest>,
        exports: GuestExports,
    ) -> Self {
        Self {
            loaded: Arc::new(Loaded {
                instance,
                exports,
                room,
            }),
        }
    }

    /// One finite score a sample, in order.
    ///
    /// # Errors
    /// The fault of the first sample at fault.
    pub fn score(&self, batch: &[Sample<'_>]) -> Result<Vec<f64>, Fault> {
        let mut buffer = Vec::new();
        batch
            .iter()
            .enumerate()
            .map(|(index, sample)| self.call(index, sample, &mut buffer).0)
            .collect()
    }

    /// One sample, with the fuel it took.
    #[must_use]
    pub fn measure(&self, sample: &Sample<'_>) -> Measurement {
        let (score, fuel) = self.call(0, sample, &mut Vec::new());
        Measurement { score, fuel }
    }

    fn call(
        &self,
        index: usize,
        sample: &Sample<'_>,
        buffer: &mut Vec<u8>,
    ) -> (Result<f64, Fault>, u64) {
        let Loaded {
            instance,
            exports,
            room,
        } = &*self.loaded;
        guest::call(room, instance, exports, index, sample, buffer)
    }
}

impl std::fmt::Debug for RewardFn {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("RewardFn").finish_non_exhaustive()
    }
}
