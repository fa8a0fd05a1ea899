//! What arms are called, and what they are made of.

use std::collections::HashMap;

use crate::{
    domain::{
        candidate::{CandidateId, Origin},
        trial::{Arm, BASE_ONLY, EnsembleId, UNTOUCHED},
    },
    store::{Ensemble, Snapshot},
};

/// Finds the names of arms and of what they are made of.
pub(super) struct ArmNames<'a> {
    candidates: HashMap<CandidateId, &'a str>,
    base: Vec<CandidateId>,
    ensembles: HashMap<EnsembleId, &'a Ensemble>,
}

impl<'a> ArmNames<'a> {
    pub(super) fn of(snapshot: &'a Snapshot) -> Self {
        let all = &snapshot.candidates;
        let base = all.iter().filter(|c| c.origin == Origin::Base);
        Self {
            candidates: all.iter().map(|c| (c.id, c.name.as_str())).collect(),
            base: base.map(|c| c.id).collect(),
            ensembles: snapshot.ensembles.iter().map(|e| (e.id, e)).collect(),
        }
    }

    /// The name of an arm; foreign keys see to it that its candidate or ensemble is there.
    pub(super) fn name(&self, arm: Arm) -> String {
        match arm {
            Arm::Untouched => UNTOUCHED.to_owned(),
            Arm::BaseOnly => BASE_ONLY.to_owned(),
            Arm::Candidate(id) => self.candidates[&id].to_owned(),
            Arm::Ensemble(id) => self.ensembles[&id].name.clone(),
        }
    }

    /// The names of what an arm is trained on.
    pub(super) fn members(&self, arm: Arm) -> Vec<String> {
        let name = |id: &CandidateId| self.candidates[id].to_owned();
        match arm {
            Arm::Untouched => Vec::new(),
            Arm::BaseOnly => self.base.iter().map(name).collect(),
            Arm::Candidate(id) => vec![name(&id)],
            Arm::Ensemble(id) => self.ensembles[&id]
                .members
                .iter()
                .map(|m| name(&m.0))
                .collect(),
        }
    }
}
