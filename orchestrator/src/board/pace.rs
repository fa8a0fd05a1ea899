//! How far a search is: trials by state, what runs now, and what language models have cost.

use std::fmt;

use serde::Serialize;

use super::arm_names::ArmNames;
use crate::{
    domain::{
        spending::Spending,
        trial::{Arm, TrialState},
    },
    store::{Snapshot, Store, StoreError, TrialTimes},
    text::counted,
};

/// How far a search is.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Pace {
    /// Trials planned so far.
    pub trials: usize,
    /// Of these, over: complete, pruned or failed.
    pub ended: usize,
    /// Of these, failed.
    pub failed: usize,
    /// Optimiser steps done.
    pub steps_done: u64,
    /// Optimiser steps still to do of the trials planned so far.
    pub steps_left: u64,
    /// What runs now.
    pub running: Vec<UnderWay>,
    /// Mean seconds of a step of a complete trial, its judging included; absent before the first.
    pub seconds_per_step: Option<f64>,
    /// What language models have cost.
    pub spend: Spending,
}

/// A trial under way.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct UnderWay {
    /// The database's key of the trial.
    pub trial: i64,
    /// What it trains on.
    pub name: String,
    /// Whether that is a single candidate.
    pub is_candidate: bool,
    /// Which questions it will be judged on.
    pub stage: String,
    /// The last step done.
    pub step: u32,
    /// Steps in all.
    pub steps: u32,
}

impl fmt::Display for Pace {
    /// What is done and what is left, in one line.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let left = self.trials - self.ended;
        write!(
            f,
            "  done: {} of {} planned so far",
            self.ended,
            counted(self.trials, "trial")
        )?;
        match left {
            0 => f.write_str("; what follows is planned now"),
            _ => write!(
                f,
                "; left of these: {}, {} optimiser steps",
                counted(left, "trial"),
                self.steps_left
            ),
        }
    }
}

impl Pace {
    /// Reads what the snapshot does not have, and counts. Nothing runs where nobody `is_held`.
    ///
    /// # Errors
    /// If SQLite fails.
    pub async fn read(
        store: &Store,
        snapshot: &Snapshot,
        is_held: bool,
    ) -> Result<Self, StoreError> {
        let id = snapshot.search.id;
        let TrialTimes { steps, seconds } = store.trial_times(id).await?;
        let spend = store.spending(id).await?;
        let names = ArmNames::of(snapshot);
        let mut pace = Self {
            trials: snapshot.trials.len(),
            ended: 0,
            failed: 0,
            steps_done: 0,
            steps_left: 0,
            running: Vec::new(),
            seconds_per_step: (steps > 0).then(|| seconds / steps as f64),
            spend,
        };
        for trial in &snapshot.trials {
            let steps = u64::from(trial.steps);
            match trial.state {
                TrialState::Waiting => pace.steps_left += steps,
                TrialState::Running { step } => {
                    let done = u64::from(step).min(steps);
                    pace.steps_done += done;
                    pace.steps_left += steps - done;
                    if is_held {
                        pace.running.push(UnderWay {
                            trial: trial.id.0,
                            name: names.name(trial.arm),
                            is_candidate: matches!(trial.arm, Arm::Candidate(_)),
                            stage: snapshot.search.protocol().heading(trial.stage),
                            step,
                            steps: trial.steps,
                        });
                    }
                }
                TrialState::Complete => {
                    pace.ended += 1;
                    pace.steps_done += steps;
                }
                TrialState::Pruned { step, .. } => {
                    pace.ended += 1;
                    pace.steps_done += u64::from(step);
                }
                TrialState::Failed(_) => {
                    pace.ended += 1;
                    pace.failed += 1;
                }
            }
        }
        Ok(pace)
    }
}
