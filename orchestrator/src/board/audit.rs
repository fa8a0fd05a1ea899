//! The audit of one name's trainings: what was measured of each, with its flags; measured now where it was not when the training ended.

use serde::Serialize;
use trainer_bridge::Aggregation;

use super::arm_names::ArmNames;
use crate::{
    domain::{
        candidate::Origin,
        traces::{Attack, Flag, Traces},
        trial::{Arm, Stage, Trial, TrialId, TrialState},
    },
    judge::audit::{Judged, traces},
    store::{Snapshot, Store, StoreError},
};

/// The audit of one name.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Audited {
    /// Its name.
    pub name: String,
    /// What to keep in mind at every figure; absent where there is nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub warning: Option<&'static str>,
    /// Its finished trainings, in order.
    pub trials: Vec<AuditedTrial>,
    /// How its members pay what its own policies write, where it was confirmed.
    pub attacks: Vec<Attack>,
    /// The signs in these.
    pub attack_flags: Vec<Flag>,
}

/// The audit of one training.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct AuditedTrial {
    /// Which questions it was judged on, and what for.
    pub on: String,
    /// F1 there.
    pub f1: f64,
    /// The signs that the reward was hacked.
    pub flags: Vec<Flag>,
    /// What they are seen in.
    pub traces: Traces,
}

impl Audited {
    /// Audits what is called `name`; `None` if nothing of that name was trained to its end.
    ///
    /// # Errors
    /// If the database cannot be read.
    pub async fn read(
        store: &Store,
        snapshot: &Snapshot,
        name: &str,
    ) -> Result<Option<Self>, StoreError> {
        let names = ArmNames::of(snapshot);
        let protocol = snapshot.search.protocol();
        let mut audited = Self {
            name: name.to_owned(),
            warning: protocol.warning(),
            trials: Vec::new(),
            attacks: Vec::new(),
            attack_flags: Vec::new(),
        };
        for trial in &snapshot.trials {
            if names.name(trial.arm) != name {
                continue;
            }
            audited.attacks.extend(
                snapshot
                    .attacks
                    .get(&trial.id)
                    .into_iter()
                    .flatten()
                    .cloned(),
            );
            let traces = match snapshot.traces.get(&trial.id) {
                Some(known) => Some(known.clone()),
                None => measured(store, snapshot, trial).await?,
            };
            let judged = snapshot.evaluations.get(&trial.id);
            if let Some((traces, judged)) = traces.zip(judged) {
                audited.trials.push(AuditedTrial {
                    on: protocol.heading(trial.stage),
                    f1: judged.evaluation.f1(),
                    flags: traces.flags(),
                    traces,
                });
            }
        }
        audited.attack_flags = audited.attacks.iter().flat_map(Attack::flags).collect();
        Ok((!audited.trials.is_empty()).then_some(audited))
    }
}

/// What a finished training leaves behind; `None` where it has not ended well, trained nothing, or the untouched model has not answered the
/// same questions yet.
///
/// # Errors
/// If the database cannot be read.
pub async fn measured(
    store: &Store,
    snapshot: &Snapshot,
    trial: &Trial,
) -> Result<Option<Traces>, StoreError> {
    let untouched = untouched(snapshot, trial.stage);
    let (Some(untouched), true) = (untouched, is_trained(trial)) else {
        return Ok(None);
    };
    let evaluations = [trial.id, untouched].map(|id| snapshot.evaluations.get(&id));
    let [Some(own), Some(reference)] = evaluations else {
        return Ok(None);
    };
    let wrote = store.completions(trial.id).await?.unwrap_or_default();
    let wrote_untouched = store.completions(untouched).await?.unwrap_or_default();
    let curve = store.curve(trial.id).await?;
    let judged =
        [(own, &wrote), (reference, &wrote_untouched)].map(|(stored, completions)| Judged {
            evaluation: &stored.evaluation,
            completions,
        });
    Ok(Some(traces(&curve, &weights(snapshot, trial.arm), judged)))
}

/// Whether a training has ended well.
fn is_trained(trial: &Trial) -> bool {
    trial.state == TrialState::Complete && trial.arm != Arm::Untouched
}

/// The untouched model's answers in a stage.
fn untouched(snapshot: &Snapshot, stage: Stage) -> Option<TrialId> {
    let mut trials = snapshot.trials.iter();
    let of_stage = |trial: &&Trial| {
        trial.arm == Arm::Untouched && trial.stage == stage && trial.state == TrialState::Complete
    };
    Some(trials.find(of_stage)?.id)
}

/// The weights of a mix whose members are summed as they are; none where each is normalised first, for then none can drown another.
fn weights(snapshot: &Snapshot, arm: Arm) -> Vec<f64> {
    let base = snapshot
        .candidates
        .iter()
        .filter(|candidate| candidate.origin == Origin::Base)
        .count();
    let added = match snapshot.search.adds_base_rewards() {
        true => base,
        false => 0,
    };
    let own = match arm {
        Arm::Untouched => return Vec::new(),
        Arm::BaseOnly => return vec![1.0; base],
        Arm::Candidate(_) => vec![1.0],
        Arm::Ensemble(id) => {
            let mix = snapshot.ensembles.iter().find(|mix| mix.id == id);
            match mix {
                Some(mix) if mix.aggregation == Aggregation::SumThenNormalize => {
                    mix.members.iter().map(|(_, weight)| *weight).collect()
                }
                _ => return Vec::new(),
            }
        }
    };
    [vec![1.0; added], own].concat()
}
