//! From a round's history to its candidates: the proposer is asked, its drafts are judged, and others are asked for in place of those that
//! teach nothing new.

use std::collections::HashSet;

use evaluator::Split;

use super::{
    account::RoundLedger,
    background::{background, setbacks},
    context::Context,
    error::SearchError,
    history::history,
    r#loop::Search,
};
use crate::{
    domain::{
        candidate::{Candidate, CandidateId, NewCandidate, Origin, Status},
        draft::Draft,
        seed::derive_seed,
        trial::{Arm, Trial, TrialState},
    },
    proposer::{Aftermath, Brief, Fate, PastCandidate, Proposal, ProposeError, Setback, Study},
    reward::{
        admit::{Admission, Drafts, Examiner, admit},
        winnow::keep_the_better,
    },
};

/// Problems that a proposer is shown.
const PROBLEMS: usize = 20;
/// How often a round is asked for drafts in place of twins.
const AGAIN: u32 = 2;

/// One request for drafts.
#[derive(Clone, Copy)]
struct Wanted<'a> {
    round: u32,
    /// The number of a request for further drafts; 0 for the first.
    again: u32,
    count: usize,
    /// What the round has brought before.
    before: &'a [NewCandidate],
    /// What of it is to be made good; a request for new drafts where there is none.
    aftermath: Option<Aftermath<'a>>,
}

impl Search {
    /// The candidates of a round, judged: in the first round the seeds, then what was proposed, then what was proposed in place of twins.
    pub(super) async fn candidates_of(
        &self,
        round: u32,
        examiner: &Examiner,
    ) -> Result<Vec<NewCandidate>, SearchError> {
        let Context {
            config,
            store,
            id,
            events,
            ..
        } = &*self.context;
        let mut earlier = store.candidates(*id).await?;
        // What failed in training teaches nothing, and what teaches the same may not fail.
        let failed = failed(&store.trials(*id).await?);
        for candidate in earlier.iter_mut().filter(|c| failed.contains(&c.id)) {
            candidate.probe = None;
        }
        let wanted = Wanted {
            round,
            again: 0,
            count: config.search.candidates_per_round,
            before: &[],
            aftermath: None,
        };
        let proposal = self.propose(wanted).await?;
        let seeds = if round == 1 { &self.seeds[..] } else { &[] };
        let mut all = self
            .admit(round, seeds, (&proposal, &earlier), examiner)
            .await?;
        let setbacks: Vec<Setback> = setbacks(&all);
        let aftermath = Aftermath {
            setbacks: &setbacks,
            missing: wanted.count.saturating_sub(proposal.drafts.len()),
        };
        let mending = Wanted {
            before: &all,
            aftermath: Some(aftermath),
            ..wanted
        };
        let mended = match self.propose(mending).await {
            Err(SearchError::Propose(ProposeError::Limit(_))) => Proposal::default(),
            mended => mended?,
        };
        let known: Vec<Candidate> = earlier
            .iter()
            .cloned()
            .chain(all.iter().map(stored))
            .collect();
        all.extend(self.admit(round, &[], (&mended, &known), examiner).await?);
        let mut newest = all.clone();
        for again in 1..=AGAIN {
            let twins = newest.iter().filter(|c| is_proposed_twin(c)).count();
            if twins == 0 || !self.proposer.can_replace() {
                break;
            }
            events.line(&format!(
                "  {twins} would teach what a known one teaches: as many others are asked for"
            ));
            earlier.extend(newest.iter().map(stored));
            let further = Wanted {
                again,
                count: twins,
                before: &all,
                ..wanted
            };
            let proposal = match self.propose(further).await {
                Err(SearchError::Propose(ProposeError::Limit(_))) => break,
                proposal => proposal?,
            };
            newest = self
                .admit(round, &[], (&proposal, &earlier), examiner)
                .await?;
            all.extend(newest.iter().cloned());
        }
        if let Some(why) = keep_the_better(&mut all, &config.screen.gate) {
            tracing::warn!(round, "{why}");
        }
        Ok(all)
    }

    /// Asks for drafts, or for what makes good earlier ones; what was answered before is not asked for again.
    async fn propose(&self, wanted: Wanted<'_>) -> Result<Proposal, SearchError> {
        let Context {
            config,
            store,
            id,
            task,
            events,
        } = &*self.context;
        let Wanted {
            round,
            again,
            count,
            before,
            aftermath,
        } = wanted;
        let purpose = match again {
            0 => format!("propose/{round}"),
            n => format!("propose/{round}/again/{n}"),
        };
        let seed = derive_seed(config.search.seed, &purpose);
        let mut history = match config.search.feedback {
            true => history(store, *id).await?,
            false => Vec::new(),
        };
        history.extend(before.iter().map(past));
        let background = background(&self.context, round, &self.seeds).await?;
        let brief = Brief {
            round,
            count,
            seed,
            history: &history,
            problems: &task.problems(Split::Train, PROBLEMS, seed),
            format_hint: task.format_hint(),
            background: &background,
        };
        let ledger = RoundLedger {
            account: &self.account,
            events: &**events,
            round,
            again,
        };
        let proposer = &self.proposer;
        Ok(match aftermath {
            None => proposer.propose(brief, &ledger).await?,
            Some(aftermath) => proposer.follow_up(brief, aftermath, &ledger).await?,
        })
    }

    /// Sees whether drafts can be asked for: the prompts, the address, the key, the model.
    pub(super) async fn check_proposer(&self, round: u32) -> Result<(), SearchError> {
        let Context {
            config,
            store,
            id,
            task,
            ..
        } = &*self.context;
        let seed = derive_seed(config.search.seed, "check");
        let background = background(&self.context, round, &self.seeds).await?;
        let brief = Brief {
            round,
            count: config.search.candidates_per_round,
            seed,
            history: &history(store, *id).await?,
            problems: &task.problems(Split::Train, PROBLEMS, seed),
            format_hint: task.format_hint(),
            background: &background,
        };
        let ledger = RoundLedger {
            account: &self.account,
            events: &*self.context.events,
            round: 0,
            again: 0,
        };
        Ok(self.proposer.check(brief, &ledger).await?)
    }

    /// Compiles, probes and measures every draft.
    async fn admit(
        &self,
        round: u32,
        seeds: &[Draft],
        (proposal, earlier): (&Proposal, &[Candidate]),
        examiner: &Examiner,
    ) -> Result<Vec<NewCandidate>, SearchError> {
        let with = Admission {
            maker: &self.maker,
            examiner,
            concurrency: self.context.config.search.concurrency(),
        };
        let drafts = Drafts {
            round,
            seeds,
            proposal,
        };
        Ok(admit(drafts, earlier, with).await?)
    }
}

/// The candidates whose training failed.
fn failed(trials: &[Trial]) -> HashSet<CandidateId> {
    let failed = trials
        .iter()
        .filter(|trial| matches!(trial.state, TrialState::Failed(_)));
    failed
        .filter_map(|trial| match trial.arm {
            Arm::Candidate(id) => Some(id),
            Arm::Untouched | Arm::BaseOnly | Arm::Ensemble(_) => None,
        })
        .collect()
}

fn is_proposed_twin(candidate: &NewCandidate) -> bool {
    candidate.origin != Origin::Seed && matches!(candidate.status, Status::Twin { .. })
}

/// A candidate of this round as the later ones of it are compared with it.
fn stored(new: &NewCandidate) -> Candidate {
    Candidate {
        id: CandidateId(0),
        origin: new.origin,
        draft: new.draft.clone(),
        status: new.status.clone(),
        probe: new.probe.clone(),
    }
}

/// A candidate of this round as the proposer is told of it.
fn past(new: &NewCandidate) -> PastCandidate {
    let waiting = || {
        "nothing is wrong with it: it was proposed just now and waits for its training".to_owned()
    };
    PastCandidate {
        origin: new.origin,
        draft: new.draft.clone(),
        fate: Fate::Rejected {
            reason: new.status.reason().unwrap_or_else(waiting),
        },
        study: Study::default(),
    }
}
