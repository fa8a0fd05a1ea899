//! The loop. One round, in order:
//!
//! 1. The ranked history becomes a [`Brief`]: sources, F1 with interval, learning curves, why others failed or were refused.
//! 2. The proposer answers with drafts; its exchanges with a language model are stored whole, before anything else.
//! 3. Each draft (in the first round the seed rewards first) is compiled, loaded, probed and measured on what the untouched policy
//!    writes. A bad one is stored with its reason; it never stops the search.
//! 4. Candidates and a waiting trial for each accepted one are stored in one transaction: from here a restart takes over.
//! 5. The trials run: short GRPO runs of the same base model with the same prompts and noise, judged on Dev.
//! 6. The ranking is shown, and is the history of the next round.
//!
//! Before the first round the reference rows are made (the untouched base model, the base rewards alone); after the last the finalists
//! are confirmed on Test, and audited on what their own policies write. Every finished training is audited for signs of a hacked reward. Every
//! step is idempotent: killed anywhere and run again, the search ends the same.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{
    account::Account,
    context::Context,
    error::SearchError,
    finalists::Finalists,
    ladder::{next, silent_rungs},
    pool,
    runner::TrialRunner,
};
use crate::{
    board::leaderboard::Leaderboard,
    domain::{
        candidate::CandidateId,
        draft::Draft,
        seed::derive_seed,
        trial::{Arm, NewTrial, Stage},
    },
    proposer::{ProposeError, Proposer, grammar},
    reward::{
        admit::Examiner,
        controls,
        maker::RewardMaker,
        probe::{ENOUGH_MIXED, Mixed},
        references,
    },
    store::Proposed,
    text::counted,
};

/// A search under way.
pub struct Search {
    /// What every part of it works with.
    pub context: Arc<Context>,
    /// Suggests the rewards.
    pub proposer: Arc<dyn Proposer>,
    /// Makes rewards of what is suggested.
    pub maker: RewardMaker,
    /// Runs the trials.
    pub runner: TrialRunner,
    /// What proposing may cost, and has.
    pub account: Account,
    /// Rewards that enter the first round before what is proposed.
    pub seeds: Vec<Draft>,
}

/// Why no further round follows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "reason", rename_all = "snake_case")]
pub enum StopReason {
    /// All rounds are done.
    RoundLimit,
    /// The language model's budget is spent.
    BudgetSpent,
    /// No better candidate for that many rounds.
    Stalled {
        /// Rounds without a better one.
        rounds: u32,
    },
    /// The proposer had nothing more to suggest.
    ProposerExhausted,
}

/// What a round came to.
#[derive(Debug, Clone)]
pub struct RoundReport {
    /// Its number, from 1.
    pub round: u32,
    /// The ranking after it.
    pub board: Leaderboard,
}

impl Search {
    /// Runs the search from wherever it stands to its end.
    ///
    /// # Errors
    /// See [`SearchError`]; the database stays resumable.
    pub async fn run(&self) -> Result<StopReason, SearchError> {
        let Context { store, id, .. } = &*self.context;
        store.requeue(*id).await?;
        self.runner.audit().await?;
        let done = store.last_finished_round(*id).await?.unwrap_or(0);
        if self.stop_reason(done).await?.is_none() {
            self.check_proposer(done + 1).await?;
        }
        self.runner.judge.check().await?;
        self.references().await?;
        let examiner = self.examiner().await?;
        let reason = loop {
            let done = store.last_finished_round(*id).await?.unwrap_or(0);
            if let Some(reason) = self.stop_reason(done).await? {
                break reason;
            }
            match self.round(done + 1, &examiner).await {
                Err(SearchError::Propose(ProposeError::Limit(why))) => {
                    self.context.events.line(&format!(
                        "  {why}: the search goes on from here when the limit is raised"
                    ));
                    break StopReason::BudgetSpent;
                }
                ended => {
                    let report = ended?;
                    self.context.events.ranking(&report.board, report.round);
                }
            }
        };
        let stored = serde_json::to_string(&reason).expect("a plain enum");
        store.stop_rounds(*id, &stored).await?;
        self.confirm().await?;
        self.runner.folders.keep_only(&[])?;
        store.finish(*id).await?;
        Ok(reason)
    }

    /// Proposes, admits, screens and ranks.
    async fn round(&self, round: u32, examiner: &Examiner) -> Result<RoundReport, SearchError> {
        let Context {
            config,
            store,
            id,
            events,
            ..
        } = &*self.context;
        events.round(round, config.search.rounds);
        if !store.round_is_proposed(*id, round).await? {
            let candidates = self.candidates_of(round, examiner).await?;
            events.admitted(&candidates);
            let proposed = Proposed {
                round,
                candidates: &candidates,
                first_trial: &|id| self.first_trial(id),
            };
            store.record_round(*id, proposed).await?;
        }
        self.climb().await?;
        let ladder = config.screen.ladder();
        for rung in silent_rungs(&store.outcomes().await?, &ladder, round) {
            let steps = counted(ladder.rungs[rung as usize].steps as usize, "step");
            events.line(&format!(
                "  after {steps} fewer than {ENOUGH_MIXED} questions told rewards apart: all went on"
            ));
        }
        store.finish_round(*id, round).await?;
        let board = Leaderboard::read(store).await?;
        Ok(RoundReport { round, board })
    }

    /// Trains the finalists for longer, with several seeds, and reads Test: the only place that does, unless the reference paper's protocol is
    /// asked for.
    async fn confirm(&self) -> Result<(), SearchError> {
        let Context {
            config,
            store,
            id,
            events,
            ..
        } = &*self.context;
        let seeds = config.confirm.seeds;
        if seeds == 0 {
            return Ok(());
        }
        let greedy = self.runner.grow_greedily().await?;
        let board = Leaderboard::read(store).await?;
        let finalists = Finalists::choose(&self.runner, &board, greedy).await?;
        let mut trials = Vec::new();
        for number in 0..seeds {
            let stage = Stage::Confirm { seed: number };
            let trial = |arm, steps| NewTrial {
                arm,
                stage,
                seed: stage.seed(config.search.seed),
                steps,
                from: None,
            };
            trials.push(trial(Arm::Untouched, 0));
            let arms = finalists.arms.iter();
            trials.extend(arms.map(|&(arm, steps)| trial(arm, steps)));
        }
        store.plan_trials(*id, &trials).await?;
        events.confirming(finalists.arms.len(), seeds);
        self.runner.run_waiting().await?;
        self.runner.attack_confirmed().await
    }

    /// The untouched base model and the base rewards alone: what every candidate is compared with.
    async fn references(&self) -> Result<(), SearchError> {
        let Context {
            config,
            store,
            id,
            events,
            ..
        } = &*self.context;
        if store.last_finished_round(*id).await?.is_some() {
            return Ok(());
        }
        if !store.round_is_proposed(*id, 0).await? {
            let mut made = references::make(&self.maker).await?;
            let random = match config.search.random_candidates {
                0 => Vec::new(),
                n => grammar::random(n, derive_seed(config.search.seed, "controls")),
            };
            made.extend(controls::make(&self.maker, &config.search.controls, random).await?);
            let proposed = Proposed {
                round: 0,
                candidates: &made,
                first_trial: &|id| self.first_trial(id),
            };
            store.record_round(*id, proposed).await?;
        }
        let trials = next(&store.outcomes().await?, &config.screen.ladder());
        store.plan_trials(*id, &trials).await?;
        events.references();
        self.runner.run_waiting().await?;
        Ok(store.finish_round(*id, 0).await?)
    }

    /// Runs what waits, and what follows from it, until nothing follows any more: a rung after the other.
    async fn climb(&self) -> Result<(), SearchError> {
        let Context {
            config, store, id, ..
        } = &*self.context;
        let ladder = config.screen.ladder();
        loop {
            self.runner.run_waiting().await?;
            let trials = next(&store.outcomes().await?, &ladder);
            if trials.is_empty() {
                return Ok(());
            }
            store.plan_trials(*id, &trials).await?;
        }
    }

    /// What accepted drafts are measured against.
    async fn examiner(&self) -> Result<Examiner, SearchError> {
        let config = &self.context.config;
        Ok(Examiner {
            probe_set: pool::probe_set(&self.runner).await?,
            gate: config.screen.gate.clone(),
            twins: config.replaces_twins().then_some(Mixed {
                scale: config.grpo.scale_rewards,
                with_base_rewards: config.search.with_base_rewards,
            }),
        })
    }

    /// The first trial of a candidate.
    fn first_trial(&self, candidate: CandidateId) -> NewTrial {
        let config = &self.context.config;
        let ladder = config.screen.ladder();
        ladder.first_trial(candidate, config.search.seed)
    }

    /// Whether the rounds are over after so many. A round that is stored is finished first: it was decided before that it follows.
    async fn stop_reason(&self, done: u32) -> Result<Option<StopReason>, SearchError> {
        let Context {
            config, store, id, ..
        } = &*self.context;
        if store.round_is_proposed(*id, done + 1).await? {
            return Ok(None);
        }
        if done >= config.search.rounds {
            return Ok(Some(StopReason::RoundLimit));
        }
        if self.account.closed().is_some() {
            return Ok(Some(StopReason::BudgetSpent));
        }
        if done == 0 {
            return Ok(None);
        }
        let candidates = store.candidate_entries(*id).await?;
        if !candidates.iter().any(|c| c.origin.round() == Some(done)) {
            return Ok(Some(StopReason::ProposerExhausted));
        }
        let limit = config.search.stall_rounds;
        if limit == 0 {
            return Ok(None);
        }
        let stalled = Leaderboard::read_bare(store).await?.rounds_without_gain();
        Ok((stalled >= limit).then_some(StopReason::Stalled { rounds: stalled }))
    }
}
