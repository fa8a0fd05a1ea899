//! Which trial follows from what is known. It is a pure function: a search asks after every finished trial, and a restarted one gets the
//! same answer.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use evaluator::{Evaluation, Outcome};

use crate::{
    board::rank::{Contender, order},
    config::{Ladder, Promotion},
    domain::{
        candidate::{CandidateId, Origin},
        trial::{Arm, NewTrial, Stage, Trial, TrialId, TrialState},
    },
    reward::probe::ENOUGH_MIXED,
    store::Snapshot,
};

impl Ladder {
    /// The trial of a candidate on the first rung.
    #[must_use]
    pub fn first_trial(&self, candidate: CandidateId, search_seed: u64) -> NewTrial {
        self.trial(Arm::Candidate(candidate), 0, search_seed)
    }

    pub(super) fn trial(&self, arm: Arm, rung: u32, search_seed: u64) -> NewTrial {
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
/// On the first rung stand the reference rows (the untouched model, the base rewards alone, the controls) and every accepted candidate. Once all of a
/// round has ended on a rung, those of its candidates go on to the next that are among the best `keep` there, its own and those of earlier
/// rounds; each from the training it has had, beside the reference rows of that rung. What a later round brings changes nothing of it. Where
/// hardly a question tells them apart, all go on; see [`Here::ranks_nobody`]. Where promotion is asynchronous, a candidate goes on as soon as it
/// is among the best of those that have ended; see [`Here::promoted_so_far`].
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
    let references = references(snapshot);
    let rounds = rounds(snapshot);
    let mut wanted: Vec<NewTrial> = references
        .iter()
        .copied()
        .chain(rounds.keys().copied())
        .map(|arm| ladder.trial(arm, 0, seed))
        .collect();
    let numbers: BTreeSet<u32> = rounds.values().copied().collect();
    let mut coming: BTreeMap<u32, Coming> = BTreeMap::new();
    for (below, rung) in (0..).zip(1..ladder.rungs.len() as u32) {
        let here = Here {
            snapshot,
            rounds: &rounds,
            rung: below,
        };
        let keep = ladder.rungs[below as usize].keep;
        let of_round = |round| match ladder.promotion {
            Promotion::Round => here.promoted(round, keep),
            Promotion::Async => {
                let all = rounds.values().filter(|&&of| of == round).count();
                let coming = coming.entry(round).or_insert(Coming::all(all));
                let promoted = here.promoted_so_far(round, keep, *coming);
                *coming = coming.above(keep, here.ended(round), promoted.len());
                promoted
            }
        };
        let promoted: Vec<Arm> = numbers.iter().copied().flat_map(of_round).collect();
        if promoted.is_empty() {
            break;
        }
        let beside = references.iter().copied().filter(|arm| {
            let trial = screened.get(&(*arm, below));
            let has_failed = |trial: &Trial| matches!(trial.state, TrialState::Failed(_));
            trial.is_some_and(|trial| trial.state.has_ended() && !has_failed(trial))
        });
        wanted.extend(beside.chain(promoted).map(|arm| NewTrial {
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

/// The rungs that left nobody of a round out, having nothing to rank by, though more of it came than go on otherwise.
#[must_use]
pub fn silent_rungs(snapshot: &Snapshot, ladder: &Ladder, round: u32) -> Vec<u32> {
    let rounds = rounds(snapshot);
    let above = |rung: &u32| {
        let here = Here {
            snapshot,
            rounds: &rounds,
            rung: *rung,
        };
        let keep = ladder.rungs[*rung as usize].keep;
        let trials: Vec<&Trial> = here.until(round).collect();
        here.ended(round) > keep && here.ranks_nobody(&trials)
    };
    (0..ladder.rungs.len() as u32 - 1).filter(above).collect()
}

/// The trials whose checkpoints may still be gone on from: those under way, those they go on from, and those of a rung that is not the last
/// as long as it is open who goes on. `finished` is the last round that is ranked.
#[must_use]
pub fn still_needed(snapshot: &Snapshot, ladder: &Ladder, finished: Option<u32>) -> Vec<TrialId> {
    let rounds = rounds(snapshot);
    let ended = snapshot.trials.iter().filter(|t| t.state.has_ended());
    let ended: HashSet<(Arm, Stage)> = ended.map(|t| (t.arm, t.stage)).collect();
    let above =
        |trial: &Trial, rung: u32| ended.contains(&(trial.arm, Stage::Screen { rung: rung + 1 }));
    let to_go_on = snapshot.trials.iter().filter(|t| !t.state.has_ended());
    let gone_on_from: HashSet<TrialId> = to_go_on.filter_map(|t| t.from).collect();
    let needed = snapshot.trials.iter().filter(|trial| {
        let Stage::Screen { rung } = trial.stage else {
            return !trial.state.has_ended();
        };
        if !trial.state.has_ended() {
            return true;
        }
        let is_open = match rounds.get(&trial.arm) {
            Some(round) => finished.is_none_or(|finished| finished < *round),
            None => true,
        };
        gone_on_from.contains(&trial.id)
            || (is_open && ladder.goes_on_after(rung) && !above(trial, rung))
    });
    needed.map(|trial| trial.id).collect()
}

/// What candidates are compared with on every rung: the untouched model, the base rewards alone, the controls.
fn references(snapshot: &Snapshot) -> Vec<Arm> {
    let controls = snapshot
        .candidates
        .iter()
        .filter(|c| c.origin == Origin::Control && c.status.is_accepted());
    [Arm::Untouched, Arm::BaseOnly]
        .into_iter()
        .chain(controls.map(|c| Arm::Candidate(c.id)))
        .collect()
}

/// The accepted candidates in the order they were proposed, each with its round.
fn rounds(snapshot: &Snapshot) -> BTreeMap<Arm, u32> {
    let accepted = snapshot
        .candidates
        .iter()
        .filter(|c| c.status.is_accepted());
    accepted
        .filter_map(|c| Some((Arm::Candidate(c.id), c.origin.round()?)))
        .collect()
}

/// How many candidates of a round come to a rung.
#[derive(Clone, Copy)]
struct Coming {
    at_most: usize,
    /// Known once all of the round has ended on the rung below.
    exactly: Option<usize>,
}

impl Coming {
    fn all(candidates: usize) -> Self {
        Self {
            at_most: candidates,
            exactly: Some(candidates),
        }
    }

    /// Of how many the best go on. It never grows, so that who went on before would do so again.
    fn expected(self) -> usize {
        self.exactly.unwrap_or(self.at_most).min(self.at_most)
    }

    /// The same of the rung above.
    fn above(self, keep: usize, ended: usize, promoted: usize) -> Self {
        Self {
            at_most: self.at_most.min(keep),
            exactly: (self.exactly == Some(ended)).then_some(promoted),
        }
    }
}

/// One rung of a search.
struct Here<'a> {
    snapshot: &'a Snapshot,
    rounds: &'a BTreeMap<Arm, u32>,
    rung: u32,
}

impl<'a> Here<'a> {
    /// The candidates of a round that go on, once all of the round has ended here.
    fn promoted(&self, round: u32, keep: usize) -> Vec<Arm> {
        let here: Vec<&Trial> = self.until(round).collect();
        if here.iter().any(|trial| !trial.state.has_ended()) {
            return Vec::new();
        }
        let keep = match self.ranks_nobody(&here) {
            true => here.len(),
            false => keep,
        };
        self.best_of_round(&here, round, keep)
    }

    /// The candidates of a round that go on as they end here, in the order in which they are found to: after each ending in turn, those that
    /// are among the best of all that have ended, earlier rounds included. Of those that are expected `keep` go on in the end; while only some
    /// have ended, that share of them. One that went on early may be overtaken, so that a few more than `keep` go on; and when the last has
    /// ended, all do where nobody is ranked. It follows from the figures and the order of the endings alone.
    fn promoted_so_far(&self, round: u32, keep: usize, coming: Coming) -> Vec<Arm> {
        let (mut own, earlier): (Vec<&Trial>, Vec<&Trial>) = self
            .until(round)
            .filter(|trial| trial.state.has_ended())
            .partition(|trial| self.rounds.get(&trial.arm) == Some(&round));
        own.sort_by_key(|trial| (trial.ended, trial.id));
        let mut promoted = Vec::new();
        for ended in 1..=own.len() {
            let all = [&earlier[..], &own[..ended]].concat();
            let is_last = coming.exactly == Some(ended);
            let allowed = match is_last && self.ranks_nobody(&all) {
                true => all.len(),
                false => keep.min(ended * keep / coming.expected().max(1)),
            };
            for arm in self.best_of_round(&all, round, allowed) {
                if !promoted.contains(&arm) {
                    promoted.push(arm);
                }
            }
        }
        promoted
    }

    /// How many candidates of a round have ended here.
    fn ended(&self, round: u32) -> usize {
        let own = self.until(round);
        own.filter(|t| t.state.has_ended() && self.rounds.get(&t.arm) == Some(&round))
            .count()
    }

    /// The trials on this rung of the reference rows, and of the candidates of the rounds up to this one.
    fn until(&self, round: u32) -> impl Iterator<Item = &'a Trial> {
        let Self {
            snapshot,
            rounds,
            rung,
        } = *self;
        snapshot.trials.iter().filter(move |trial| {
            let is_here = trial.stage == Stage::Screen { rung };
            is_here && rounds.get(&trial.arm).is_none_or(|of| *of <= round)
        })
    }

    /// What the candidates among these trials got right.
    fn judged(&self, trials: &[&Trial]) -> Vec<(Arm, &'a Evaluation)> {
        let candidates: BTreeMap<Arm, &Trial> = trials
            .iter()
            .filter(|trial| self.rounds.contains_key(&trial.arm))
            .map(|trial| (trial.arm, *trial))
            .collect();
        candidates
            .into_iter()
            .filter_map(|(arm, trial)| {
                let stored = self.snapshot.evaluations.get(&trial.id)?;
                Some((arm, &stored.evaluation))
            })
            .collect()
    }

    /// Whether these trials say nothing of who is better: of hardly a question some candidates know the answer and others do not. Who is best
    /// then is chance.
    fn ranks_nobody(&self, trials: &[&Trial]) -> bool {
        let judged = self.judged(trials);
        let Some((_, first)) = judged.first() else {
            return false;
        };
        let differs = |question: &usize| {
            let right = |evaluation: &Evaluation| {
                evaluation.outcomes().get(*question) == Some(&Outcome::Correct)
            };
            let mut others = judged.iter();
            others.any(|(_, evaluation)| right(evaluation) != right(first))
        };
        (0..first.outcomes().len()).filter(differs).count() < ENOUGH_MIXED
    }

    /// The candidates of a round among the best `keep` of these trials.
    fn best_of_round(&self, trials: &[&Trial], round: u32, keep: usize) -> Vec<Arm> {
        let judged = self.judged(trials);
        let rung = self.rung;
        let contenders: Vec<Contender<'_>> = judged
            .iter()
            .map(|&(_, evaluation)| Contender { rung, evaluation })
            .collect();
        order(&contenders)
            .into_iter()
            .take(keep)
            .map(|at| judged[at].0)
            .filter(|arm| self.rounds.get(arm) == Some(&round))
            .collect()
    }
}
