//! What a search's database holds as plain records, one object each, for whoever wants to look at it in another program.
//!
//! A record of a training run begins with `trial`, `arm`, `stage` (`screen` or `confirm`) and `number`, its rung or its seed, from 0.

use serde_json::{Map, Value, json};

use super::arm_names::ArmNames;
use crate::{
    domain::{
        candidate::Origin,
        trial::{Stage, Trial, TrialState},
    },
    store::{Snapshot, Store, StoreError},
};

/// The records of a search, of everything or of one name.
pub struct Records<'a> {
    store: &'a Store,
    snapshot: Snapshot,
    only: Option<&'a str>,
}

impl<'a> Records<'a> {
    /// Reads what there is now. `only` names a candidate, a mix or a reference.
    ///
    /// # Errors
    /// As [`Store::snapshot`].
    pub async fn read(store: &'a Store, only: Option<&'a str>) -> Result<Self, StoreError> {
        Ok(Self {
            snapshot: store.snapshot().await?,
            store,
            only,
        })
    }

    fn is_meant(&self, name: &str) -> bool {
        self.only.is_none_or(|only| only == name)
    }

    /// Every candidate there ever was: `name`, `origin` (`base`, `seed`, `round`), `round`, `language`, `status`, `reason`, `parents`,
    /// `sha256` of the module, `rationale`, `source`, `probe`.
    ///
    /// # Errors
    /// If the database cannot be read.
    pub async fn candidates(&self) -> Result<Vec<Value>, StoreError> {
        let mut records = Vec::new();
        for candidate in self.store.candidates(self.snapshot.search.id).await? {
            if !self.is_meant(&candidate.draft.name) {
                continue;
            }
            let wasm = self.store.wasm(candidate.id).await?;
            let probe = candidate.probe.as_deref();
            let probe: Option<Value> = probe.and_then(|text| serde_json::from_str(text).ok());
            records.push(json!({
                "name": candidate.draft.name,
                "origin": match candidate.origin {
                    Origin::Base => "base",
                    Origin::Control => "control",
                    Origin::Seed => "seed",
                    Origin::Round(_) => "round",
                },
                "round": candidate.origin.round(),
                "language": candidate.draft.source.language,
                "status": candidate.status.to_string(),
                "reason": candidate.status.reason(),
                "parents": candidate.draft.parents,
                "sha256": wasm.map(|wasm| sandbox::Module::from_bytes(wasm).sha256()),
                "rationale": candidate.draft.rationale,
                "source": candidate.draft.source.code,
                "probe": probe,
            }));
        }
        Ok(records)
    }

    /// The training runs that are meant, each with the head of its records.
    fn of_trials(&self) -> Vec<(&Trial, Map<String, Value>)> {
        let names = ArmNames::of(&self.snapshot);
        let trials = self.snapshot.trials.iter();
        let named = trials.map(|trial| (trial, names.name(trial.arm)));
        named
            .filter(|(_, arm)| self.is_meant(arm))
            .map(|(trial, arm)| (trial, head(trial, arm)))
            .collect()
    }

    /// Every training run: the head, `seed`, `steps`, `state`, `step` (the last one done), `attempts`, `reason`.
    #[must_use]
    pub fn trials(&self) -> Vec<Value> {
        let records = self.of_trials().into_iter().map(|(trial, mut record)| {
            let (state, step) = match &trial.state {
                TrialState::Waiting => ("waiting", Some(0)),
                TrialState::Running { step } => ("running", Some(*step)),
                TrialState::Complete => ("complete", Some(trial.steps)),
                TrialState::Pruned { step, .. } => ("pruned", Some(*step)),
                TrialState::Failed(_) => ("failed", None),
            };
            record.extend(fields(json!({
                "seed": trial.seed,
                "steps": trial.steps,
                "state": state,
                "step": step,
                "attempts": trial.attempts,
                "reason": trial.state.reason(),
            })));
            record.into()
        });
        records.collect()
    }

    /// The metrics of every optimiser step: the head, then the step's own keys.
    ///
    /// # Errors
    /// If the database cannot be read.
    pub async fn curves(&self) -> Result<Vec<Value>, StoreError> {
        let curves = self.store.curves(self.snapshot.search.id).await?;
        let mut records = Vec::new();
        for (trial, head) in self.of_trials() {
            for metrics in curves.get(&trial.id).into_iter().flatten() {
                let metrics = serde_json::to_value(metrics).expect("metrics are plain data");
                let mut record = head.clone();
                record.extend(fields(metrics));
                records.push(record.into());
            }
        }
        Ok(records)
    }

    /// The outcome of every question: the head, `split`, `question` (its place, from 0), `outcome` (`correct`, `wrong`, `no_answer`).
    #[must_use]
    pub fn outcomes(&self) -> Vec<Value> {
        let mut records = Vec::new();
        for (trial, head) in self.of_trials() {
            let Some(stored) = self.snapshot.evaluations.get(&trial.id) else {
                continue;
            };
            for (question, outcome) in stored.evaluation.outcomes().iter().enumerate() {
                let mut record = head.clone();
                record.extend(fields(json!({
                    "split": stored.split,
                    "question": question,
                    "outcome": outcome,
                })));
                records.push(record.into());
            }
        }
        records
    }

    /// What the trained policies wrote: the keys of [`Records::outcomes`], and `completion`.
    ///
    /// # Errors
    /// If the database cannot be read.
    pub async fn completions(&self) -> Result<Vec<Value>, StoreError> {
        let mut records = self.outcomes();
        let mut completions = Vec::new();
        for (trial, _) in self.of_trials() {
            if self.snapshot.evaluations.contains_key(&trial.id) {
                completions.extend(self.store.completions(trial.id).await?.unwrap_or_default());
            }
        }
        for (record, completion) in records.iter_mut().zip(completions) {
            record["completion"] = completion.into();
        }
        Ok(records)
    }
}

fn head(trial: &Trial, arm: String) -> Map<String, Value> {
    let (stage, number) = match trial.stage {
        Stage::Screen { rung } => ("screen", rung),
        Stage::Confirm { seed } => ("confirm", seed),
    };
    fields(json!({"trial": trial.id.0, "arm": arm, "stage": stage, "number": number}))
}

fn fields(object: Value) -> Map<String, Value> {
    match object {
        Value::Object(fields) => fields,
        _ => Map::new(),
    }
}
