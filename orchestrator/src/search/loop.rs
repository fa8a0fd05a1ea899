//! The loop. One round, in order:
//!
//! 1. The ranked history becomes a [`Brief`]: sources, F1 with interval, learning curves, why others failed or were refused.
//! 2. The proposer answers with drafts; its exchanges with a language model are stored whole.
//! 3. Each draft (in the first round the seed rewards first) is compiled, loaded, probed and measured on what the untouched policy
//!    writes. A bad one is stored with its reason; it never stops the search.
//! 4. Exchanges, candidates and a waiting trial for each accepted one are stored in one transaction: from here a restart takes over.
//! 5. The trials run: short GRPO runs of the same base model with the same prompts and noise, judged on Dev.
//! 6. The ranking is shown, and is the history of the next round.
//!
//! Before the first round the reference rows are made (the untouched base model, the base rewards alone); after the last the finalists
//! are confirmed on Test. Every step is idempotent: killed anywhere and run again, the search ends the same.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::{
    board::leaderboard::Leaderboard,
    domain::{
        draft::Draft,
        seed::derive_seed,
        trial::{Arm, BASE_ONLY, Stage},
    },
    proposer::{Brief, ProposeError, Proposer},
    reward::{
        admit::{Admission, Examiner, admit},
        references,
    },
    search::{SearchError, finalists::Finalists, history::history, pool, runner::Screen},
};

/// A search under way.
pub struct Search {
    /// Runs the trials.
    pub screen: Screen,
    /// Suggests the rewards.
    pub proposer: Arc<dyn Proposer>,
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

impl Search {
    /// Runs the search from wherever it stands to its end.
    ///
    /// # Errors
    /// See [`SearchError`]; the database stays resumable.
    pub async fn run(&self) -> Result<StopReason, SearchError> {
        let (store, id) = (&self.screen.store, self.screen.search);
        store.requeue(id, None).await?;
        self.reference_rows().await?;
        let examiner = Examiner {
            yardstick: pool::yardstick(&self.screen).await?,
            gate: self.screen.config.screen.gate.clone(),
        };
        let reason = loop {
            let done = store.last_finished_round(id).await?.unwrap_or(0);
            // A round that is stored is finished first: whether to stop was decided before it.
            if !store.round_is_proposed(id, done + 1).await?
                && let Some(reason) = self.stop_reason(done).await?
            {
                break reason;
            }
            self.round(done + 1, &examiner).await?;
        };
        store
            .stop_rounds(id, &serde_json::to_string(&reason).expect("a plain enum"))
            .await?;
        self.confirm().await?;
        store.finish(id).await?;
        Ok(reason)
    }

    async fn round(&self, round: u32, examiner: &Examiner) -> Result<(), SearchError> {
        let (store, id) = (&self.screen.store, self.screen.search);
        self.screen
            .progress
            .round(round, self.screen.config.search.rounds);
        if !store.round_is_proposed(id, round).await? {
            let mut proposal = self.propose(round).await?;
            if round == 1 {
                proposal.drafts.splice(..0, self.seeds.clone());
            }
            let earlier = store.candidates(id).await?;
            let with = Admission {
                workshop: &self.screen.workshop,
                examiner,
                concurrency: self.screen.config.search.concurrency(),
            };
            let admitted = admit(round, &proposal, &earlier, with).await;
            if admitted.is_err() {
                store
                    .record_exchanges(id, round, &proposal.exchanges)
                    .await?;
            }
            let candidates = admitted?;
            self.screen.progress.admitted(&candidates);
            store
                .record_round(
                    id,
                    round,
                    &proposal.exchanges,
                    &candidates,
                    self.screening(),
                )
                .await?;
        }
        self.screen.run_waiting().await?;
        store.finish_round(id, round).await?;
        self.screen
            .progress
            .ranking(&Leaderboard::read(store).await?, round);
        Ok(())
    }

    async fn propose(&self, round: u32) -> Result<crate::proposer::Proposal, SearchError> {
        let Screen {
            store,
            search,
            config,
            task,
            ..
        } = &self.screen;
        let seed = derive_seed(config.search.seed, &format!("propose/{round}"));
        let history = history(store, *search).await?;
        let brief = Brief {
            round,
            count: config.search.candidates_per_round,
            seed,
            history: &history,
            problems: &task.problems(evaluator::Split::Train, 20, seed),
            format_hint: task.format_hint(),
        };
        let proposed = self.proposer.propose(brief).await;
        if let Err(ProposeError::Unavailable { exchanges, .. }) = &proposed {
            store.record_exchanges(*search, round, exchanges).await?;
        }
        Ok(proposed?)
    }

    /// The untouched base model and the base rewards alone: what every candidate is compared with.
    async fn reference_rows(&self) -> Result<(), SearchError> {
        let (store, id) = (&self.screen.store, self.screen.search);
        if store.last_finished_round(id).await?.is_some() {
            return Ok(());
        }
        let (stage, seed, steps) = self.screening();
        if !store.round_is_proposed(id, 0).await? {
            let base = references::make(&self.screen.workshop).await?;
            store
                .record_round(id, 0, &[], &base, self.screening())
                .await?;
        }
        let members = references::members(&store.candidates(id).await?);
        let base_only = store
            .ensure_ensemble(id, BASE_ONLY, Default::default(), &members)
            .await?;
        store
            .ensure_trial(id, Arm::Untouched, 0, stage, seed, 0)
            .await?;
        store
            .ensure_trial(id, Arm::Ensemble(base_only.id), 0, stage, seed, steps)
            .await?;
        self.screen.progress.references();
        self.screen.run_waiting().await?;
        Ok(store.finish_round(id, 0).await?)
    }

    /// Trains the finalists for longer, with several seeds, and reads Test: the only place that does.
    async fn confirm(&self) -> Result<(), SearchError> {
        let Screen {
            store,
            search,
            config,
            ..
        } = &self.screen;
        if config.confirm.seeds == 0 {
            return Ok(());
        }
        let board = Leaderboard::read(store).await?;
        let finalists = Finalists::choose(store, *search, config, &board).await?;
        let round = config.search.rounds + 1;
        for number in 0..config.confirm.seeds {
            let stage = Stage::Confirm { seed: number };
            let seed = stage.seed(config.search.seed);
            store
                .ensure_trial(*search, Arm::Untouched, round, stage, seed, 0)
                .await?;
            for &arm in &finalists.arms {
                store
                    .ensure_trial(*search, arm, round, stage, seed, config.confirm.steps)
                    .await?;
            }
        }
        self.screen
            .progress
            .confirming(finalists.arms.len(), config.confirm.seeds);
        self.screen.run_waiting().await
    }

    fn screening(&self) -> (Stage, u64, u32) {
        let config = &self.screen.config;
        let stage = Stage::Screen { rung: 0 };
        (stage, stage.seed(config.search.seed), config.screen.steps)
    }

    async fn stop_reason(&self, done: u32) -> Result<Option<StopReason>, SearchError> {
        let Screen {
            store,
            search,
            config,
            ..
        } = &self.screen;
        if done >= config.search.rounds {
            return Ok(Some(StopReason::RoundLimit));
        }
        if let Some(limit) = config.search.max_cost_usd
            && store.spent_usd(*search).await? >= limit
        {
            return Ok(Some(StopReason::BudgetSpent));
        }
        if done == 0 {
            return Ok(None);
        }
        let candidates = store.candidates(*search).await?;
        if !candidates.iter().any(|c| c.round == done) {
            return Ok(Some(StopReason::ProposerExhausted));
        }
        let stalled = Leaderboard::read(store).await?.rounds_without_gain();
        let limit = config.search.stall_rounds;
        Ok((limit > 0 && stalled >= limit).then_some(StopReason::Stalled { rounds: stalled }))
    }
}
