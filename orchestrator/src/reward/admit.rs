//! From a proposal to candidates: unique names, duplicates told apart, each draft compiled and probed; nothing is dropped without a reason.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use sandbox::{HostError, Language, RewardFn, Source};

use crate::{
    config::GateConfig,
    domain::{
        candidate::{Candidate, NewCandidate, Status, source_hash, unique_name},
        draft::Draft,
    },
    proposer::{Proposal, Unreadable},
    reward::{
        maker::RewardMaker,
        probe::{Probed, Worth, Yardstick},
    },
};

/// What accepted drafts are measured against before they are trained on.
#[derive(Clone)]
pub struct Examiner {
    /// The pool and the base rewards.
    pub yardstick: Arc<Yardstick>,
    /// Whom it refuses.
    pub gate: GateConfig,
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

/// Judges every draft of a round's proposal, in order. `earlier` are the candidates there are already.
///
/// # Errors
/// Only for trouble of the host.
pub async fn admit(
    round: u32,
    proposal: &Proposal,
    earlier: &[Candidate],
    with: Admission<'_>,
) -> Result<Vec<NewCandidate>, HostError> {
    let mut names: HashSet<String> = earlier.iter().map(|c| c.name.clone()).collect();
    let mut sources: HashMap<String, String> = earlier
        .iter()
        .map(|c| (source_hash(&c.source), c.name.clone()))
        .collect();

    let mut drafts = Vec::new();
    for draft in &proposal.drafts {
        let mut draft = draft.clone();
        draft.name = unique_name(&draft.name, &|name| names.contains(name));
        names.insert(draft.name.clone());
        let sha256 = source_hash(&Source {
            language: draft.language,
            code: draft.code.clone(),
        });
        let twin = sources.get(&sha256).cloned();
        sources
            .entry(sha256.clone())
            .or_insert_with(|| draft.name.clone());
        drafts.push((draft, sha256, twin));
    }

    let Admission {
        maker,
        examiner,
        concurrency,
    } = with;
    let mut candidates: Vec<NewCandidate> = stream::iter(drafts)
        .map(|(draft, sha256, twin)| judge(maker, draft, sha256, twin, Some(examiner)))
        .buffered(concurrency)
        .try_collect()
        .await?;
    for (number, piece) in proposal.unreadable.iter().enumerate() {
        let wish = format!("unreadable-r{round}-{}", number + 1);
        let name = unique_name(&wish, &|name| names.contains(name));
        names.insert(name.clone());
        candidates.push(unreadable(name, piece));
    }
    Ok(candidates)
}

/// Compiles, loads and probes one draft; then measures its worth, where there is an examiner.
///
/// # Errors
/// Only for trouble of the host.
pub async fn judge(
    maker: &RewardMaker,
    draft: Draft,
    sha256: String,
    twin: Option<String>,
    examiner: Option<&Examiner>,
) -> Result<NewCandidate, HostError> {
    if let Some(twin) = twin {
        let reason = format!("the same source as `{twin}`");
        return Ok(NewCandidate {
            draft,
            sha256,
            status: Status::Duplicate { reason },
            probe: None,
        });
    }
    let source = Source {
        language: draft.language,
        code: draft.code.clone(),
    };
    let made = match maker.make(source).await? {
        Ok(made) => made,
        Err(rejection) => {
            let reason = rejection.to_string();
            return Ok(NewCandidate {
                draft,
                sha256,
                status: Status::Rejected { reason },
                probe: None,
            });
        }
    };
    let examined = match examiner {
        None => Ok(None),
        Some(examiner) => examiner.examine(made.reward).await?.map(Some),
    };
    let (worth, refusal) = match examined {
        Ok(worth) => {
            let refusal = examiner.zip(worth.as_ref());
            let refusal = refusal.and_then(|(examiner, worth)| examiner.gate.refusal(worth));
            (worth, refusal)
        }
        Err(fault) => (None, Some(fault)),
    };
    let probed = Probed {
        report: made.report,
        worth,
    };
    Ok(NewCandidate {
        draft,
        sha256,
        status: match refusal {
            Some(reason) => Status::Rejected { reason },
            None => Status::Accepted {
                wasm: made.module.bytes().to_vec(),
            },
        },
        probe: serde_json::to_string(&probed).ok(),
    })
}

impl Examiner {
    /// Measures on a blocking thread. The inner error says what went wrong in the reward.
    async fn examine(&self, reward: RewardFn) -> Result<Result<Worth, String>, HostError> {
        let yardstick = Arc::clone(&self.yardstick);
        let measured = tokio::task::spawn_blocking(move || yardstick.measure(&reward)).await;
        let Ok(measured) = measured else {
            tracing::error!("a candidate broke the probe, please report it");
            return Ok(Err("broke down while it was measured".to_owned()));
        };
        match measured {
            Ok(worth) => Ok(Ok(worth)),
            Err(fault) if fault.is_host_trouble() => Err(HostError::Engine {
                message: fault.to_string(),
            }),
            Err(fault) => Ok(Err(format!(
                "went wrong on a completion of the untouched policy, or on a hack: {fault}"
            ))),
        }
    }
}

fn unreadable(name: String, piece: &Unreadable) -> NewCandidate {
    let source = Source {
        language: Language::Rust,
        code: piece.text.clone(),
    };
    NewCandidate {
        sha256: source_hash(&source),
        draft: Draft {
            name,
            language: source.language,
            code: source.code,
            rationale: String::new(),
            parents: Vec::new(),
        },
        status: Status::Unreadable {
            reason: piece.reason.clone(),
        },
        probe: None,
    }
}
