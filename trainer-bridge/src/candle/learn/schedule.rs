//! Which step samples, which part of a batch of rollouts it learns from, and when the sampling policy takes over the trained weights:
//! arithmetic alone.
//!
//! A batch of rollouts holds `steps_per_generation` parts of `prompts_per_step` prompts. It is sampled before the first of the
//! `steps_per_generation x num_iterations` steps that it serves, and gone through `num_iterations` times, part after part, as in TRL
//! (whose `steps_per_generation` counts micro-batches; here it counts optimiser steps).

use crate::GrpoConfig;

/// The rhythm of a run. Steps count from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Schedule {
    parts: u32,
    batch: u32,
    sync: u32,
}

impl Schedule {
    /// Of checked settings.
    pub fn new(grpo: &GrpoConfig) -> Self {
        let batch = grpo.steps_per_batch();
        Self {
            parts: grpo.steps_per_generation,
            batch,
            sync: grpo.sync_every.max(batch),
        }
    }

    /// The first step of those that share a step's batch of rollouts.
    pub fn batch_start(self, step: u32) -> u32 {
        (step - 1) / self.batch * self.batch + 1
    }

    /// The part of the batch that a step learns from.
    pub fn part(self, step: u32) -> usize {
        ((step - 1) % self.batch % self.parts) as usize
    }

    /// Parts of all earlier batches: as many times `prompts_per_step` training prompts were used before.
    pub fn parts_before(self, step: u32) -> usize {
        ((step - 1) / self.batch) as usize * self.parts as usize
    }

    /// Parts of a batch.
    pub fn parts(self) -> usize {
        self.parts as usize
    }

    /// Whether the sampling policy takes over the trained weights before this step.
    pub fn syncs(self, step: u32) -> bool {
        (step - 1).is_multiple_of(self.sync)
    }

    /// Whether the policy that samples for this step is the one that the run began with, nothing trained yet.
    pub fn samples_untrained(self, step: u32) -> bool {
        step <= self.sync
    }

    /// Whether some steps learn from rollouts of older weights.
    pub fn off_policy(self) -> bool {
        self.sync > 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn schedule(steps_per_generation: u32, num_iterations: u32, sync_every: u32) -> Schedule {
        Schedule::new(&GrpoConfig {
            steps_per_generation,
            num_iterations,
            sync_every,
            ..GrpoConfig::default()
        })
    }

    #[test]
    fn online_every_step_has_a_batch_and_a_policy_of_its_own() {
        let online = schedule(1, 1, 1);
        for step in 1..5 {
            let facts = (
                online.batch_start(step),
                online.part(step),
                online.parts_before(step),
            );
            assert_eq!(facts, (step, 0, step as usize - 1));
            assert!(online.syncs(step) && !online.off_policy());
            assert_eq!(online.samples_untrained(step), step == 1);
        }
    }

    #[test]
    fn a_batch_is_gone_through_part_by_part_and_again() {
        let schedule = schedule(2, 3, 1);
        let steps = 1..=8;
        let facts: Vec<_> = steps
            .map(|s| (schedule.batch_start(s), schedule.part(s), schedule.syncs(s)))
            .collect();
        let first = [0, 1, 0, 1, 0, 1].map(|part| (1, part, false));
        assert_eq!(facts[0], (1, 0, true));
        assert_eq!(facts[1..6], first[1..]);
        assert_eq!(facts[6..], [(7, 0, true), (7, 1, false)]);
        assert_eq!((schedule.parts_before(6), schedule.parts_before(7)), (0, 2));
    }

    #[test]
    fn the_sampling_policy_waits_for_its_turn() {
        let semi_online = schedule(1, 1, 5);
        let syncs: Vec<u32> = (1..=12).filter(|&step| semi_online.syncs(step)).collect();
        assert_eq!(syncs, [1, 6, 11]);
        assert!(semi_online.samples_untrained(5) && !semi_online.samples_untrained(6));
        assert!(semi_online.off_policy());
        assert_eq!((semi_online.batch_start(7), semi_online.part(7)), (7, 0));
    }
}
