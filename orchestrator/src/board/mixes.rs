//! The mixes that were tried on Dev to find one that is worth confirming.

use evaluator::{BootstrapConfig, Estimate};
use serde::Serialize;

use super::arm_names::ArmNames;
use crate::{
    domain::{
        candidate::GREEDY,
        trial::{Arm, EnsembleId, Stage},
    },
    store::Snapshot,
};

/// A mix that was screened.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct MixTried {
    /// Its name.
    pub name: String,
    /// What it is made of.
    pub members: Vec<String>,
    /// The rung whose budget it had.
    pub rung: u32,
    /// F1 on Dev: the best of those tried looks better than it is.
    pub f1: Estimate,
    /// Whether it is what the search settled on.
    pub is_chosen: bool,
}

/// All of them, best first.
pub(super) fn tried(
    arms: &ArmNames<'_>,
    snapshot: &Snapshot,
    bootstrap: &BootstrapConfig,
) -> Vec<MixTried> {
    let members = |id: EnsembleId| {
        let mix = snapshot.ensembles.iter().find(|mix| mix.id == id);
        mix.map(|mix| &mix.members)
    };
    let greedy = snapshot.ensembles.iter().find(|mix| mix.name == GREEDY);
    let mut tried: Vec<MixTried> = snapshot
        .trials
        .iter()
        .filter_map(|trial| {
            let (Arm::Ensemble(id), Stage::Screen { rung }) = (trial.arm, trial.stage) else {
                return None;
            };
            let judged = snapshot.evaluations.get(&trial.id)?;
            Some(MixTried {
                name: arms.name(trial.arm),
                members: arms.members(trial.arm),
                rung,
                f1: judged.figures(bootstrap).f1,
                is_chosen: greedy.is_some_and(|greedy| members(id) == Some(&greedy.members)),
            })
        })
        .collect();
    tried.sort_by(|a, b| b.f1.point.total_cmp(&a.f1.point));
    tried
}
