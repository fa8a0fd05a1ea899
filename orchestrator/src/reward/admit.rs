//! From a proposal to candidates: unique names, duplicates told apart, each draft compiled and probed; nothing is dropped without a reason.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use sandbox::{Fault, HostError, Language, RewardFn, Source};

use crate::{
    config::GateConfig,
    domain::{
        candidate::{Candidate, NewCandidate, Origin, Refusal, Status, source_hash, unique_name},
        draft::Draft,
    },
    proposer::{Proposal, Unreadable},
    reward::{
        maker::RewardMaker,
        probe::{Mixed, ProbeSet, Probed, Worth},
        winnow::{known, leave_out_twins},
    },
};

/// What accepted drafts are measured against before they are trained on.
#[derive(Clone)]
pub struct Examiner {
    /// The pool and the base rewards.
    pub probe_set: Arc<ProbeSet>,
    /// Whom it refuses.
    pub gate: GateConfig,
    /// How a reward becomes an advantage, where twins are told by it; absent where they are not.
    pub twins: Option<Mixed>,
}

/// What drafts are admitted with.
#[derive(Clone, Copy)]
pub struct Admission<'a> {
    /// Compiles, loads and probes.
    pub maker: &'a RewardMaker,
    /// Measures what passed.
    pub examiner: &'a Examiner,
    /// How many drafts are judged side by side.
    pub concurrency: usize,
}

/// What a round begins with.
#[derive(Clone, Copy)]
pub struct Drafts<'a> {
    /// The round, from 1.
    pub round: u32,
    /// Rewards of a person, which come before what is proposed.
    pub seeds: &'a [Draft],
    /// What the proposer suggested.
    pub proposal: &'a Proposal,
}

/// A draft under its unique name, with what is known before it is compiled.
pub struct Submitted {
    /// Where it comes from.
    pub origin: Origin,
    /// The draft.
    pub draft: Draft,
    /// Of the normalised source.
    pub sha256: String,
    /// The earlier candidate of the same source.
    pub twin: Option<String>,
}

/// Judges every draft of a round, in order. `earlier` are the candidates there are already.
///
/// # Errors
/// Only for trouble of the host.
pub async fn admit(
    drafts: Drafts<'_>,
    earlier: &[Candidate],
    with: Admission<'_>,
) -> Result<Vec<NewCandidate>, HostError> {
    let Drafts {
        round,
        seeds,
        proposal,
    } = drafts;
    let mut names: HashSet<String> = earlier.iter().map(|c| c.draft.name.clone()).collect();
    // Who proposes knows nothing of the controls.
    let mut sources: HashMap<String, String> = earlier
        .iter()
        .filter(|c| c.origin != Origin::Control)
        .map(|c| (source_hash(&c.draft.source), c.draft.name.clone()))
        .collect();

    let mut submitted = Vec::new();
    let drafts = proposal
        .drafts
        .iter()
        .map(|draft| (Origin::Round(round), draft));
    for (origin, draft) in seeds
        .iter()
        .map(|draft| (Origin::Seed, draft))
        .chain(drafts)
    {
        let mut draft = draft.clone();
        draft.name = unique_name(&draft.name, &|name| names.contains(name));
        names.insert(draft.name.clone());
        let sha256 = source_hash(&draft.source);
        let twin = sources.get(&sha256).cloned();
        sources
            .entry(sha256.clone())
            .or_insert_with(|| draft.name.clone());
        submitted.push(Submitted {
            origin,
            draft,
            sha256,
            twin,
        });
    }

    let Admission {
        maker,
        examiner,
        concurrency,
    } = with;
    let mut candidates: Vec<NewCandidate> = stream::iter(submitted)
        .map(|draft| judge(maker, draft, Some(examiner)))
        .buffered(concurrency)
        .try_collect()
        .await?;
    if examiner.twins.is_some() {
        leave_out_twins(&mut candidates, known(earlier));
    }
    for (number, piece) in proposal.unreadable.iter().enumerate() {
        let wish = format!("unreadable-r{round}-{}", number + 1);
        let name = unique_name(&wish, &|name| names.contains(name));
        names.insert(name.clone());
        candidates.push(unreadable(Origin::Round(round), name, piece));
    }
    Ok(candidates)
}

/// Compiles, loads and probes one draft; then measures its worth, where there is an examiner.
///
/// # Errors
/// Only for trouble of the host.
pub async fn judge(
    maker: &RewardMaker,
    submitted: Submitted,
    examiner: Option<&Examiner>,
) -> Result<NewCandidate, HostError> {
    let Submitted {
        origin,
        draft,
        sha256,
        twin,
    } = submitted;
    let refused = |draft, sha256, status| NewCandidate {
        origin,
        draft,
        sha256,
        status,
        wasm: None,
        probe: None,
    };
    if let Some(of) = twin {
        return Ok(refused(draft, sha256, Status::Duplicate { of }));
    }
    let made = match maker.make(draft.source.clone()).await? {
        Ok(made) => made,
        Err(rejection) => {
            let status = Status::Rejected(Refusal::Rejection { rejection });
            return Ok(refused(draft, sha256, status));
        }
    };
    let examined = match examiner {
        None => Ok(None),
        Some(examiner) => examiner.examine(made.reward).await?.map(Some),
    };
    let (worth, advantages, refusal) = match examined {
        Ok(examined) => {
            let (worth, advantages) = examined.unzip();
            let refusal = examiner.zip(worth.as_ref());
            let refusal = refusal.and_then(|(examiner, worth)| examiner.gate.refusal(worth));
            let refusal = refusal.map(|message| Refusal::Gate { message });
            (worth, advantages, refusal)
        }
        Err(refusal) => (None, None, Some(refusal)),
    };
    let probed = Probed {
        report: made.report,
        worth,
        advantages: advantages.flatten(),
    };
    Ok(NewCandidate {
        origin,
        draft,
        sha256,
        wasm: refusal.is_none().then(|| made.module.bytes().to_vec()),
        status: refusal.map_or(Status::Accepted, Status::Rejected),
        probe: serde_json::to_string(&probed).ok(),
    })
}

/// What a reward is worth, and what it teaches.
type Examined = (Worth, Option<String>);

impl Examiner {
    /// Measures on a blocking thread. The inner error says what went wrong in the reward.
    async fn examine(&self, reward: RewardFn) -> Result<Result<Examined, Refusal>, HostError> {
        let (probe_set, twins) = (Arc::clone(&self.probe_set), self.twins);
        let measured = tokio::task::spawn_blocking(move || {
            let (worth, scores) = probe_set.measured(&reward)?;
            let advantages = twins.and_then(|mixed| probe_set.advantages(&scores, mixed));
            Ok((worth, advantages))
        });
        let measured: Result<Result<Examined, Fault>, _> = measured.await;
        let Ok(measured) = measured else {
            tracing::error!("a candidate broke the probe, please report it");
            let message = "broke down while it was measured".to_owned();
            return Ok(Err(Refusal::Told { message }));
        };
        match measured {
            Ok(worth) => Ok(Ok(worth)),
            Err(fault) if fault.is_host_trouble() => Err(HostError::Engine {
                message: fault.to_string(),
            }),
            Err(fault) => Ok(Err(Refusal::Fault { fault })),
        }
    }
}

fn unreadable(origin: Origin, name: String, piece: &Unreadable) -> NewCandidate {
    let source = Source {
        language: Language::Rust,
        code: piece.text.clone(),
    };
    NewCandidate {
        origin,
        sha256: source_hash(&source),
        draft: Draft {
            name,
            source,
            rationale: String::new(),
            parents: Vec::new(),
        },
        status: Status::Unreadable {
            reason: piece.reason.clone(),
        },
        wasm: None,
        probe: None,
    }
}
