//! The audit of what a search has trained: every finished training when its batch is done, and every confirmed mix on what its own policies
//! write. What is audited stays so; a search that was cut off, or begun by an earlier version, is audited when it goes on.

use std::collections::BTreeMap;

use sandbox::{CompileError, Module, Rejection};

use super::{SearchError, context::Context, pool, runner::TrialRunner};
use crate::{
    board::audit::measured,
    domain::{
        candidate::CandidateId,
        pool::{Group, Pool},
        trial::{Arm, Stage, Trial, TrialId, TrialState},
    },
    judge::by_rule,
    reward::{audit::attack, maker::blocking, probe::ProbeSet},
    store::Snapshot,
};

/// Questions of Test on which confirmed rewards are attacked: their policies' completions to them, and hacks made up for them.
const ATTACKED: usize = 128;

impl TrialRunner {
    /// Measures what every finished training leaves behind.
    pub(super) async fn audit(&self) -> Result<(), SearchError> {
        let Context { store, id, .. } = &*self.context;
        let unaudited = store.unaudited_trials(*id).await?;
        if unaudited.is_empty() {
            return Ok(());
        }
        let ids: Vec<TrialId> = unaudited.iter().map(|trial| trial.id).collect();
        let snapshot = store.snapshot_of(&ids).await?;
        for trial in &unaudited {
            if let Some(traces) = measured(store, &snapshot, trial).await? {
                store.keep_traces(trial.id, &traces).await?;
            }
        }
        Ok(())
    }

    /// Tries the members of every confirmed candidate and mix on what its own policies write, and on hacks of the same questions.
    pub(super) async fn attack_confirmed(&self) -> Result<(), SearchError> {
        let Context { config, store, .. } = &*self.context;
        let snapshot = store.outcomes().await?;
        for (first, arm, trials) in confirmed(&snapshot) {
            if snapshot.attacks.contains_key(&first) {
                continue;
            }
            let mut written = Vec::new();
            for trial in trials {
                written.push(store.completions(trial).await?.unwrap_or_default());
            }
            let problems = self.context.problems(Stage::Confirm { seed: 0 });
            let groups = problems.iter().take(ATTACKED).enumerate();
            let groups = groups.map(|(question, problem)| Group {
                prompt: self.context.task.render(problem),
                answer: problem.answer.as_str().to_owned(),
                row: problem.row.clone(),
                completions: written
                    .iter()
                    .filter_map(|of_seed| of_seed.get(question).cloned())
                    .collect(),
                counted: Vec::new(),
            });
            let pool = Pool {
                groups: groups.collect(),
            };
            let base = pool::base_rewards(self).await?;
            let judge = by_rule(config.task.extraction());
            let set = tokio::task::spawn_blocking(move || {
                ProbeSet::new(pool, Vec::new(), judge, base).map(std::sync::Arc::new)
            });
            // The base rewards scored the untouched policy's completions; where they cannot score these, there is nothing to tell.
            let Ok(set) = set.await.expect("measuring base rewards does not panic") else {
                continue;
            };
            let mut attacks = Vec::new();
            for (member, id) in self.members(arm, &snapshot) {
                let module = store.wasm(id).await?.map(Module::from_bytes);
                let module = module.expect("only accepted candidates get trials");
                let (limits, with, of) = (config.limits.clone(), set.clone(), member.clone());
                let tried = blocking(&self.bench, move |bench| {
                    let reward = bench.load(&module, &limits)?;
                    Ok(attack(of, Ok::<_, Rejection>(&reward), &with))
                });
                attacks.push(match tried.await {
                    Ok(tried) => tried,
                    Err(CompileError::Rejected(why)) => attack(member, Err(why), &set),
                    Err(CompileError::Host(error)) => return Err(error.into()),
                });
            }
            store.keep_attacks(first, &attacks).await?;
        }
        Ok(())
    }

    /// The candidates that an arm is made of, base rewards that are added to all of them left out.
    fn members(&self, arm: Arm, snapshot: &Snapshot) -> Vec<(String, CandidateId)> {
        let ids = match arm {
            Arm::Untouched | Arm::BaseOnly => Vec::new(),
            Arm::Candidate(id) => vec![id],
            Arm::Ensemble(id) => {
                let mix = snapshot.ensembles.iter().find(|mix| mix.id == id);
                mix.map(|mix| mix.members.iter().map(|member| member.0).collect())
                    .unwrap_or_default()
            }
        };
        let of = |id| snapshot.candidates.iter().find(|c| c.id == id);
        ids.into_iter()
            .filter_map(|id| Some((of(id)?.name.clone(), id)))
            .collect()
    }
}

/// The candidates and mixes whose confirmation is done for all seeds, each with the trial of its first seed and those of all.
fn confirmed(snapshot: &Snapshot) -> Vec<(TrialId, Arm, Vec<TrialId>)> {
    let mut arms: BTreeMap<(Arm, u32), Vec<&Trial>> = BTreeMap::new();
    for trial in &snapshot.trials {
        let is_own = matches!(trial.arm, Arm::Candidate(_) | Arm::Ensemble(_));
        if is_own && matches!(trial.stage, Stage::Confirm { .. }) {
            arms.entry((trial.arm, trial.steps))
                .or_default()
                .push(trial);
        }
    }
    arms.retain(|_, trials| trials.iter().all(|t| t.state == TrialState::Complete));
    arms.into_iter()
        .filter_map(|((arm, _), mut trials)| {
            trials.sort_by_key(|trial| trial.stage);
            let ids: Vec<TrialId> = trials.iter().map(|trial| trial.id).collect();
            Some((*ids.first()?, arm, ids))
        })
        .collect()
}
