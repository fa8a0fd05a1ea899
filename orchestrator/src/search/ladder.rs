//! Which trial follows from what is known. It is a pure function: a search asks after every finished trial, and a restarted one gets the
//! same answer.

use std::collections::{BTreeMap, HashMap};

use evaluator::Evaluation;

use crate::{
    board::rank::{Contender, order},
    config::Ladder,
    domain::{
        candidate::{CandidateId, Origin},
        trial::{Arm, NewTrial, Stage, Trial},
    },
    store::Snapshot,
};

impl Ladder {
    /// The trial of a candidate on the first rung.
    #[must_use]
    pub fn first_trial(&self, candidate: CandidateId, search_seed: u64) -> NewTrial {
        self.trial(Arm::Candidate(candidate), 0, search_seed)
    }

    fn trial(&self, arm: Arm, rung: u32, search_seed: u64) -> NewTrial {
        let stage = Stage::Screen { rung };
        NewTrial {
            arm,
            stage,
            seed: stage.seed(search_seed),
            steps: match arm {
                Arm::Untouched => 0,
                _ => self.rungs[rung as usize].steps,
            },
            from: None,
        }
    }
}

/// The trials to be planned next, in order; empty while there is nothing to do but wait, and when all is done.
///
/// On the first rung stand the reference rows (the untouched model, the base rewards alone) and every accepted candidate. Once all of a
/// rung has ended, the best `keep` of its candidates go on to the next rung, each from the training it has had, beside the reference rows
/// of that rung.
#[must_use]
pub fn next(snapshot: &Snapshot, ladder: &Ladder) -> Vec<NewTrial> {
    let seed = snapshot.search.seed;
    let screened: HashMap<(Arm, u32), &Trial> = snapshot
        .trials
        .iter()
        .filter_map(|trial| match trial.stage {
            Stage::Screen { rung } => Some(((trial.arm, rung), trial)),
            Stage::Confirm { .. } => None,
        })
        .collect();
    let references = [Arm::Untouched, Arm::BaseOnly];
    let candidates = snapshot
        .candidates
        .iter()
        .filter(|c| c.origin != Origin::Base && c.status.is_accepted())
        .map(|c| Arm::Candidate(c.id));
    let mut wanted: Vec<NewTrial> = references
        .into_iter()
        .chain(candidates)
        .map(|arm| ladder.trial(arm, 0, seed))
        .collect();
    for (below, rung) in (0..).zip(1..ladder.rungs.len() as u32) {
        let promoted = promoted(snapshot, ladder, below);
        if promoted.is_empty() {
            break;
        }
        wanted.extend(references.into_iter().chain(promoted).map(|arm| NewTrial {
            from: screened.get(&(arm, below)).map(|trial| trial.id),
            ..ladder.trial(arm, rung, seed)
        }));
    }
    wanted.retain(|trial| match trial.stage {
        Stage::Screen { rung } => !screened.contains_key(&(trial.arm, rung)),
        Stage::Confirm { .. } => true,
    });
    wanted
}

/// The best candidates of a rung, once all of its trials have ended.
fn promoted(snapshot: &Snapshot, ladder: &Ladder, rung: u32) -> Vec<Arm> {
    let here = |trial: &&Trial| trial.stage == Stage::Screen { rung };
    let trials: BTreeMap<Arm, &Trial> = snapshot
        .trials
        .iter()
        .filter(here)
        .filter(|trial| matches!(trial.arm, Arm::Candidate(_)))
        .map(|trial| (trial.arm, trial))
        .collect();
    if !snapshot
        .trials
        .iter()
        .filter(here)
        .all(|trial| trial.state.has_ended())
    {
        return Vec::new();
    }
    let judged: Vec<(Arm, &Evaluation)> = trials
        .into_iter()
        .filter_map(|(arm, trial)| {
            let stored = snapshot.evaluations.get(&trial.id)?;
            Some((arm, &stored.evaluation))
        })
        .collect();
    let contenders: Vec<Contender<'_>> = judged
        .iter()
        .map(|&(_, evaluation)| Contender { rung, evaluation })
        .collect();
    order(&contenders)
        .into_iter()
        .take(ladder.rungs[rung as usize].keep)
        .map(|at| judged[at].0)
        .collect()
}
