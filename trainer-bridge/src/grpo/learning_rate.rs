//! The learning rate over a run: transformers' schedules under its names, as TRL takes them.
//!
//! Steps count from 1. transformers counts the updates done before, so that its first update of a warm-up moves nothing; here warm-up begins
//! with `1 / warmup_steps` and ends one step earlier. What follows is transformers' to the digit.

use serde::{Deserialize, Serialize};

use super::config::GrpoConfig;

/// What the learning rate does after warm-up; names as in transformers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LrSchedulerType {
    /// It stays.
    #[default]
    ConstantWithWarmup,
    /// It falls in a line, to nothing after `max_steps`.
    Linear,
    /// It falls along half a cosine, to nothing after `max_steps`.
    Cosine,
}

impl LrSchedulerType {
    /// Whether it is the default one.
    pub(crate) fn is_constant(&self) -> bool {
        *self == Self::ConstantWithWarmup
    }
}

/// The last step that moves anything, where there is one.
pub fn last_step(grpo: &GrpoConfig) -> Option<u32> {
    grpo.max_steps
        .filter(|_| !grpo.lr_scheduler_type.is_constant())
}

/// The learning rate of a step.
pub fn learning_rate(grpo: &GrpoConfig, step: u32) -> f64 {
    let warmup = grpo.warmup_steps.max(1);
    let share = if step <= warmup {
        f64::from(step) / f64::from(warmup)
    } else {
        decayed(grpo, step - 1)
    };
    grpo.learning_rate * share
}

/// Share of the peak that is left after so many updates, warm-up over.
fn decayed(grpo: &GrpoConfig, done: u32) -> f64 {
    let warmup = grpo.warmup_steps;
    let last = last_step(grpo).unwrap_or(u32::MAX);
    let progress = (f64::from(done - warmup) / f64::from(last - warmup)).min(1.0);
    match grpo.lr_scheduler_type {
        LrSchedulerType::ConstantWithWarmup => 1.0,
        LrSchedulerType::Linear => 1.0 - progress,
        LrSchedulerType::Cosine => 0.5 * (1.0 + (std::f64::consts::PI * progress).cos()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rates(lr_scheduler_type: LrSchedulerType, steps: std::ops::RangeInclusive<u32>) -> Vec<f64> {
        let grpo = GrpoConfig {
            learning_rate: 2.0,
            warmup_steps: 3,
            lr_scheduler_type,
            max_steps: (!lr_scheduler_type.is_constant()).then_some(8),
            ..GrpoConfig::default()
        };
        assert!(grpo.problems().is_empty());
        steps.map(|step| learning_rate(&grpo, step)).collect()
    }

    fn near(ours: &[f64], theirs: &[f64]) {
        assert_eq!(ours.len(), theirs.len());
        let close = |(a, b): (&f64, &f64)| (a - b).abs() < 1e-12;
        assert!(ours.iter().zip(theirs).all(close), "{ours:?}");
    }

    #[test]
    fn warm_up_is_linear_and_then_nothing_changes() {
        let rates = rates(LrSchedulerType::ConstantWithWarmup, 1..=20);
        near(&rates[..4], &[2.0 / 3.0, 4.0 / 3.0, 2.0, 2.0]);
        assert!(rates[3..].iter().all(|&rate| rate == 2.0));
    }

    /// transformers 5.23.0: `get_scheduler(name, optimizer, 3, 8)` on a learning rate of 2, the rates of its 4th to 9th update.
    #[test]
    fn decay_is_that_of_transformers() {
        let linear = [2.0, 1.6, 1.2, 0.8, 0.4, 0.0];
        let cosine = [
            2.0,
            1.8090169943749475,
            1.3090169943749475,
            0.6909830056250527,
            0.19098300562505266,
            0.0,
        ];
        near(&rates(LrSchedulerType::Linear, 4..=9), &linear);
        near(&rates(LrSchedulerType::Cosine, 4..=9), &cosine);
        assert_eq!(rates(LrSchedulerType::Linear, 20..=20), [0.0]);
    }

    #[test]
    fn a_falling_rate_and_no_other_is_told_where_it_ends() {
        use LrSchedulerType::{ConstantWithWarmup, Linear};
        for (lr_scheduler_type, max_steps) in [
            (Linear, None),
            (Linear, Some(5)),
            (ConstantWithWarmup, Some(500)),
        ] {
            let grpo = GrpoConfig {
                lr_scheduler_type,
                max_steps,
                ..GrpoConfig::default()
            };
            let problems = grpo.problems();
            assert!(
                problems.len() == 1 && problems[0].starts_with("max_steps"),
                "{problems:?}"
            );
        }
    }
}
