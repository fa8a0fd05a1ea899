//! Whether a score depends on what else is in the batch: the pool is scored in halves, and the bits are compared.

use sandbox::{Fault, RewardFn, Sample};

use super::ProbeSet;

impl ProbeSet {
    /// Whether scores change where every other group is scored without the rest. Nothing else is known of a batch that a trainer would
    /// keep the same from one step to the next.
    pub(super) fn depends_on_batch(&self, reward: &RewardFn) -> Result<bool, Fault> {
        let mut group = Vec::new();
        for (at, size) in self.sizes.iter().enumerate() {
            group.extend(std::iter::repeat_n(at, *size));
        }
        self.differs_in_halves(reward, &|place| group[place] % 2 == 0)
    }

    /// Whether scores change where every other completion of each group is scored without the rest. What says of itself that it scores
    /// groups may.
    pub(super) fn depends_on_group(&self, reward: &RewardFn) -> Result<bool, Fault> {
        if reward.is_of_groups() {
            return Ok(true);
        }
        let mut within = Vec::new();
        for size in &self.sizes {
            within.extend(0..*size);
        }
        self.differs_in_halves(reward, &|place| within[place] % 2 == 0)
    }

    fn differs_in_halves(
        &self,
        reward: &RewardFn,
        is_first: &dyn Fn(usize) -> bool,
    ) -> Result<bool, Fault> {
        let samples = self.samples();
        let whole = reward.score(&samples)?;
        for first in [true, false] {
            let places: Vec<usize> = (0..samples.len())
                .filter(|place| is_first(*place) == first)
                .collect();
            let half: Vec<Sample<'_>> = places.iter().map(|place| samples[*place]).collect();
            let scores = reward.score(&half)?;
            let differs =
                |(place, score): (&usize, &f64)| whole[*place].to_bits() != score.to_bits();
            if places.iter().zip(&scores).any(differs) {
                return Ok(true);
            }
        }
        Ok(false)
    }
}
