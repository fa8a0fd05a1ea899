//! A reward function that can be called.

use std::sync::Arc;

use crate::guest::{self, GuestCode};
use crate::host::Room;
use crate::{Fault, Sample};

/// A loaded reward function. Cheap to clone; may be called from any number of threads at once.
///
/// Every batch is scored in an instance of its own, so scores depend on the module, the batch and the limits, and not on
/// earlier calls. A reward of single samples that carries nothing from one to the next, which [`probe`](crate::probe())
/// makes sure of, does not depend on the rest of the batch either. A reward of groups gets the runs of samples with the
/// same prompt, as trainers pass the completions of one prompt.
#[derive(Clone)]
pub struct RewardFn {
    loaded: Arc<Loaded>,
}

struct Loaded {
    // Before the room: code goes before the engine's clock.
    code: GuestCode,
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
    pub(crate) fn new(room: Arc<Room>, code: GuestCode) -> Self {
        Self {
            loaded: Arc::new(Loaded { code, room }),
        }
    }

    /// Whether it scores the completions of a prompt together; each on its own otherwise.
    #[must_use]
    pub fn is_of_groups(&self) -> bool {
        self.loaded.code.is_of_groups()
    }

    /// One finite score a sample, in order.
    ///
    /// # Errors
    /// The fault of the first sample at fault.
    pub fn score(&self, batch: &[Sample<'_>]) -> Result<Vec<f64>, Fault> {
        self.measure_batch(batch).0
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
    pub(crate) fn measure_batch(
        &self,
        batch: &[Sample<'_>],
    ) -> (Result<Vec<f64>, Fault>, u64) {
        guest::score(&self.loaded.room, &self.loaded.code, batch)
    }
}

impl std::fmt::Debug for RewardFn {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("RewardFn").finish_non_exhaustive()
    }
}
