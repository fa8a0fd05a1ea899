//! Who is confirmed on Test: the base rewards, the best candidates, and mixes of the best.

pub mod greedy;
mod mixes;
mod spread;

use std::collections::HashMap;

use self::{
    greedy::{Next, Shortlist},
    mixes::{Known, Mix},
};
use super::{SearchError, context::Context, runner::TrialRunner};
use crate::{
    board::leaderboard::Leaderboard,
    config::{Config, Weights},
    domain::{
        candidate::{CandidateId, GREEDY},
        trial::{Arm, EnsembleId, Stage, TrialState},
    },
    reward::probe::Probed,
    store::{Snapshot, StoreError},
};

/// The arms of the confirmation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finalists {
    /// In the order they are run, each with its optimiser steps: reference first.
    pub arms: Vec<(Arm, u32)>,
}

impl Finalists {
    /// Chooses by the ranking alone, and stores the mixes. Those with fewer than two members are left out. `greedy` are the members that
    /// adding one by one came to, where that was asked for.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn choose(
        runner: &TrialRunner,
        board: &Leaderboard,
        greedy: Option<Vec<CandidateId>>,
    ) -> Result<Self, SearchError> {
        let Context {
            config, store, id, ..
        } = &*runner.context;
        let steps = config.confirm.steps;
        let best: Vec<CandidateId> = board.distinct().filter_map(|row| row.candidate).collect();
        let mut arms = vec![(Arm::BaseOnly, steps)];
        let singles = best.iter().take(config.confirm.candidates);
        arms.extend(singles.map(|&id| (Arm::Candidate(id), steps)));
        let known = Known {
            best: &best,
            rounds: &rounds(board),
            auc: &auc_within(runner).await?,
            seed: config.search.seed,
        };
        let mut mixes = mixes::of(config, &known);
        mixes.extend(greedy.map(|members| Mix {
            name: GREEDY.to_owned(),
            members,
            steps,
        }));
        for mix in mixes.into_iter().filter(|mix| mix.members.len() > 1) {
            let members = weighted(runner, &mix.members).await?;
            let aggregation = config.ensemble.aggregation;
            let ensemble = store
                .ensure_ensemble(*id, &mix.name, aggregation, &members)
                .await?;
            arms.push((Arm::Ensemble(ensemble.id), mix.steps));
        }
        Ok(Self { arms })
    }
}

/// The round of each candidate.
fn rounds(board: &Leaderboard) -> HashMap<CandidateId, u32> {
    let rows = board.candidates.iter();
    rows.filter_map(|row| Some((row.candidate?, row.round()?)))
        .collect()
}

/// AUC within groups of each candidate whose probe had enough to tell it by.
async fn auc_within(runner: &TrialRunner) -> Result<HashMap<CandidateId, f64>, StoreError> {
    let Context { store, id, .. } = &*runner.context;
    let candidates = store.candidates(*id).await?.into_iter();
    let known = candidates.filter_map(|candidate| {
        let probed: Probed = serde_json::from_str(candidate.probe.as_deref()?).ok()?;
        Some((candidate.id, probed.worth?.telling_auc()?))
    });
    Ok(known.collect())
}

/// Members with their weights.
async fn weighted(
    runner: &TrialRunner,
    members: &[CandidateId],
) -> Result<Vec<(CandidateId, f64)>, SearchError> {
    let config = &runner.context.config;
    let weights = match config.ensemble.weights {
        Weights::Equal => vec![1.0; members.len()],
        Weights::ZScore => spread::weights(runner, members).await?,
    };
    Ok(members.iter().copied().zip(weights).collect())
}

impl TrialRunner {
    /// Adds candidates to the best one by one, as long as the mix becomes better on the questions of the screening, by trials of the ladder's
    /// highest rung that was reached; the members it comes to, the best alone if none helps. What was tried is stored and is not tried again.
    pub(super) async fn grow_greedily(&self) -> Result<Option<Vec<CandidateId>>, SearchError> {
        let Context {
            config,
            store,
            id,
            events,
            ..
        } = &*self.context;
        let Some(settings) = &config.ensemble.greedy else {
            return Ok(None);
        };
        let board = Leaderboard::read(store).await?;
        let Some(rung) = board.distinct().next().map(|row| row.rung) else {
            return Ok(None);
        };
        let of_rung = board.distinct().take_while(|row| row.rung == rung);
        let candidates = of_rung.filter_map(|row| row.candidate);
        let shortlist: Vec<CandidateId> = candidates.take(settings.shortlist).collect();
        loop {
            let snapshot = store.outcomes().await?;
            let tried = tried(config, &snapshot, rung);
            let next = greedy::next(
                &Shortlist {
                    candidates: &shortlist,
                    settings,
                },
                &|members| tried.get(members).copied(),
            );
            let wanted = match next {
                Next::Done(members) => {
                    let told = match members.len() {
                        1 => "  greedy: no mix with the best reward is better than it is alone"
                            .to_owned(),
                        n => format!("  greedy: a mix of {n} is the best of those tried"),
                    };
                    events.line(&told);
                    return Ok(Some(members));
                }
                Next::Train(wanted) => wanted,
            };
            let mut trials = Vec::new();
            for members in wanted {
                let weighted = weighted(self, &members).await?;
                let aggregation = config.ensemble.aggregation;
                let all = store.ensembles(*id).await?;
                let of_tries = |name: &str| name.starts_with(TRIED);
                let known = all.iter().find(|mix| {
                    of_tries(&mix.name) && mix.aggregation == aggregation && mix.members == weighted
                });
                let mix: EnsembleId = match known {
                    Some(known) => known.id,
                    None => {
                        let number = all.iter().filter(|mix| of_tries(&mix.name)).count() + 1;
                        let name = format!("{TRIED}{number}");
                        let made = store.ensure_ensemble(*id, &name, aggregation, &weighted);
                        made.await?.id
                    }
                };
                let ladder = config.screen.ladder();
                trials.push(ladder.trial(Arm::Ensemble(mix), rung, config.search.seed));
            }
            store.plan_trials(*id, &trials).await?;
            self.run_waiting().await?;
        }
    }
}

/// What the names of mixes begin with that are tried.
const TRIED: &str = "tried-";

/// What was tried on a rung: members in the order of the mix, and F1, or nothing where the training failed. Candidates alone are among them.
fn tried(
    config: &Config,
    snapshot: &Snapshot,
    rung: u32,
) -> HashMap<Vec<CandidateId>, Option<f64>> {
    let mut tried = HashMap::new();
    for trial in &snapshot.trials {
        if trial.stage != (Stage::Screen { rung }) || !trial.state.has_ended() {
            continue;
        }
        let members = match trial.arm {
            Arm::Candidate(id) => vec![id],
            Arm::Ensemble(id) => {
                let mix = snapshot.ensembles.iter().find(|mix| mix.id == id);
                // A mix that was put together in another way is another mix.
                let same = mix.filter(|mix| mix.aggregation == config.ensemble.aggregation);
                match same {
                    Some(mix) => mix.members.iter().map(|member| member.0).collect(),
                    None => continue,
                }
            }
            Arm::Untouched | Arm::BaseOnly => continue,
        };
        let judged = snapshot.evaluations.get(&trial.id);
        let f1 = judged
            .filter(|_| trial.state == TrialState::Complete)
            .map(|judged| judged.evaluation.f1());
        tried.insert(members, f1);
    }
    tried
}
