//! The one table: everything a person or a program is shown of a search is computed here, once, from the stored outcomes.

use std::collections::HashMap;

use evaluator::{BootstrapConfig, Estimate, Evaluation};
use serde::{Serialize, Serializer};

use super::{
    arm_names::ArmNames,
    comparison::Pair,
    confirmed::{self, Confirmed},
    mixes::{self, MixTried},
    rank::Comparison,
    screened::{Screenings, control_rows, rank_candidates, summaries},
    selection::corrected_for_choice,
    state::RowState,
};
use crate::{
    domain::{
        candidate::{CandidateId, Origin},
        change::Change,
        decider::Tally,
        figures::{Figures, bootstrap_of},
        protocol::Protocol,
        traces::{Flag, Traces},
        trial::{Arm, BASE_ONLY, TrialId, UNTOUCHED},
    },
    store::{Snapshot, Store, StoreError, StoredEvaluation},
};

/// The state of a search, ranked. Its JSON keys are stable and documented in docs/output.md.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Leaderboard {
    /// The search's name.
    pub search: String,
    /// The seed all draws descend from.
    pub seed: u64,
    /// `running`, `screened` (the finalists are being confirmed), `stopped` (it is not at its end, and nobody works on it) or `finished`.
    pub state: &'static str,
    /// Why no further round follows, once that is so.
    pub stop_reason: Option<serde_json::Value>,
    /// How it selected and reported; absent where that is the usual way.
    #[serde(skip_serializing_if = "Protocol::is_usual")]
    pub protocol: Protocol,
    /// What to keep in mind at every figure of it; absent where there is nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub warning: Option<&'static str>,
    /// Ranked candidates in all, the family of the adjusted p-values.
    #[serde(skip)]
    pub family: usize,
    /// Who decided the verdicts behind all figures; absent where the rules alone did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub verdicts: Option<Tally>,
    /// Dev questions each figure of `candidates` and `references` is computed from, at the highest rung; 0 before the first.
    pub questions: usize,
    /// Every candidate: ranked ones first, then those under way, failed, and refused.
    pub candidates: Vec<Row>,
    /// The untouched base model and the base rewards alone, as they screened.
    pub references: Vec<Row>,
    /// One line a round.
    pub rounds: Vec<RoundSummary>,
    /// F1 of choosing the best of the ranked candidates of the leader's rung, corrected for the choice: see [`evaluator::select_best`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub best_f1_corrected_for_choice: Option<Estimate>,
    /// The mixes that were tried on Dev to find one that is worth confirming, best first; absent where none was.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub mixes: Vec<MixTried>,
    /// The finalists on Test, best first; where some were confirmed with more steps than others, these come first.
    pub confirmed: Vec<Confirmed>,
    /// All pairs of the ensembles, where the reference paper is reproduced.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub pairs: Vec<Pair>,
    /// Settings that were changed between two sittings; absent where none was.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub changes: Vec<Change>,
}

/// What is counted from outcomes alone.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Points {
    /// F1.
    pub f1: f64,
    /// Share of right answers.
    pub accuracy: f64,
    /// Share of questions with an extracted answer.
    pub answer_rate: f64,
}

impl Points {
    pub(super) fn of(evaluation: &Evaluation) -> Self {
        Self {
            f1: evaluation.f1(),
            accuracy: evaluation.accuracy(),
            answer_rate: evaluation.answer_rate(),
        }
    }
}

/// One candidate or reference, at the highest rung it has figures of.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Row {
    /// 1 is best; absent for what has no figures.
    pub rank: Option<usize>,
    /// Its name.
    pub name: String,
    /// Where it comes from; `None` for references. JSON has the round, and 0 for a reference.
    #[serde(rename = "round", serialize_with = "round_of")]
    pub origin: Option<Origin>,
    /// The rung of its figures; JSON leaves the first out.
    #[serde(skip_serializing_if = "is_first")]
    pub rung: u32,
    /// Where it stands.
    pub state: RowState,
    /// Figures on Dev, with their intervals.
    #[serde(flatten)]
    pub figures: Option<Figures>,
    /// The same without intervals, which every judged row has, also where nobody has read its figures.
    #[serde(skip)]
    pub points: Option<Points>,
    /// McNemar against the base rewards alone, at the same rung.
    pub vs_base: Option<Comparison>,
    /// McNemar against the best candidate of the same rung.
    pub vs_leader: Option<Comparison>,
    /// The better-placed candidate that got every question exactly as this one did: all trials meet the same prompts and the same
    /// noise, so the two rewards taught the same. Only the first of such twins becomes a finalist or is exported.
    pub same_as: Option<String>,
    /// Why it failed or was refused.
    pub reason: Option<String>,
    /// Signs in its training that the reward was hacked; absent where there are none.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub flags: Vec<Flag>,
    /// The candidate; `None` for references.
    #[serde(skip)]
    pub candidate: Option<CandidateId>,
    /// The trial of its figures, to find its curve.
    #[serde(skip)]
    pub trial: Option<TrialId>,
}

impl Row {
    /// The round it entered.
    #[must_use]
    pub fn round(&self) -> Option<u32> {
        self.origin.and_then(Origin::round)
    }

    /// F1, where it was judged.
    #[must_use]
    pub fn f1(&self) -> Option<f64> {
        Some(self.points?.f1)
    }

    /// Reads the figures and flags of rows that have been judged.
    ///
    /// # Errors
    /// As [`Store::snapshot`].
    pub async fn fill(store: &Store, seed: u64, rows: Vec<&mut Self>) -> Result<(), StoreError> {
        let bootstrap = bootstrap_of(seed);
        let trials: Vec<TrialId> = rows.iter().filter_map(|row| row.trial).collect();
        let judged = store.evaluations(&trials).await?;
        let traces = store.traces(&trials).await?;
        for row in rows {
            let Some(trial) = row.trial else {
                continue;
            };
            if let Some(judged) = judged.get(&trial) {
                row.figures = Some(judged.figures(&bootstrap));
            }
            if let Some(traces) = traces.get(&trial) {
                row.flags = traces.flags();
            }
        }
        Ok(())
    }
}

fn round_of<S: Serializer>(origin: &Option<Origin>, serializer: S) -> Result<S::Ok, S::Error> {
    let round = origin.and_then(Origin::round);
    serializer.serialize_u32(round.unwrap_or_default())
}

fn is_first(rung: &u32) -> bool {
    *rung == 0
}

/// What a round brought. Its figures are those of the first rung, which all its candidates meet.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RoundSummary {
    /// The round, from 1.
    pub round: u32,
    /// Drafts it proposed.
    pub proposed: usize,
    /// Of these, accepted by compiler and probe.
    pub accepted: usize,
    /// Of these, trained and judged.
    pub complete: usize,
    /// Mean F1 of the complete ones.
    pub mean_f1: Option<f64>,
    /// Best F1 of the complete ones.
    pub best_f1: Option<f64>,
}

impl Leaderboard {
    /// Reads it from a database, of a finished search or one that runs in another process.
    ///
    /// # Errors
    /// As [`Store::snapshot`].
    pub async fn read(store: &Store) -> Result<Self, StoreError> {
        Ok(Self::of(&store.snapshot().await?).told(store.is_held()))
    }

    /// The same without figures and flags of candidates, which [`Leaderboard::fill`] reads of those that are shown.
    ///
    /// # Errors
    /// As [`Store::snapshot`].
    pub async fn read_bare(store: &Store) -> Result<Self, StoreError> {
        Ok(Self::of_outcomes(&store.outcomes().await?).told(store.is_held()))
    }

    /// Reads the figures and flags of the first `rows` ranked candidates.
    ///
    /// # Errors
    /// As [`Store::snapshot`].
    pub async fn fill(&mut self, store: &Store, rows: usize) -> Result<(), StoreError> {
        let ranked = self.candidates.iter_mut().filter(|row| row.rank.is_some());
        Row::fill(store, self.seed, ranked.take(rows).collect()).await
    }

    /// What a dead process left marked as running does not run: it is told whether a live one holds the database.
    #[must_use]
    pub fn told(mut self, is_held: bool) -> Self {
        if is_held || self.state == "finished" {
            return self;
        }
        self.state = "stopped";
        for row in self.candidates.iter_mut().chain(&mut self.references) {
            if row.state == RowState::Running {
                row.state = RowState::Waiting;
            }
        }
        self
    }

    /// Ranks what a search has come to.
    #[must_use]
    pub fn of(snapshot: &Snapshot) -> Self {
        Self::with(snapshot, Some(&bootstrap_of(snapshot.search.seed)))
    }

    /// The same with candidates that have no figures, of a snapshot that has none of them.
    #[must_use]
    pub fn of_outcomes(snapshot: &Snapshot) -> Self {
        Self::with(snapshot, None)
    }

    fn with(snapshot: &Snapshot, bootstrap: Option<&BootstrapConfig>) -> Self {
        let search = &snapshot.search;
        // References and mixes are few: they have their figures always.
        let all = bootstrap_of(search.seed);
        let screenings = Screenings::of(snapshot);
        let arms = ArmNames::of(snapshot);
        let references = [(Arm::Untouched, UNTOUCHED), (Arm::BaseOnly, BASE_ONLY)];
        let references = references.into_iter().filter_map(|(arm, name)| {
            let screening = screenings.highest.get(&arm)?;
            Some(screening.row(name.to_owned(), None, Some(&all)))
        });
        let mut references: Vec<Row> = references
            .chain(control_rows(&snapshot.candidates, &screenings, &all))
            .collect();
        let mut rows = rank_candidates(&snapshot.candidates, &screenings, bootstrap);
        for row in rows.iter_mut().chain(&mut references) {
            let traces = row.trial.and_then(|trial| snapshot.traces.get(&trial));
            row.flags = traces.map(Traces::flags).unwrap_or_default();
        }
        let protocol = search.protocol();
        Self {
            protocol,
            warning: protocol.warning(),
            best_f1_corrected_for_choice: corrected_for_choice(&rows, snapshot),
            mixes: mixes::tried(&arms, snapshot, &all),
            pairs: match protocol {
                Protocol::HeldOut => Vec::new(),
                Protocol::Paper => confirmed::all_pairs(&arms, snapshot),
            },
            state: match (search.finished, &search.stop_reason) {
                (true, _) => "finished",
                (false, Some(_)) => "screened",
                (false, None) => "running",
            },
            family: rows.iter().filter(|row| row.rank.is_some()).count(),
            stop_reason: search
                .stop_reason
                .as_deref()
                .and_then(|json| serde_json::from_str(json).ok()),
            verdicts: verdicts(&snapshot.evaluations),
            search: search.name.clone(),
            seed: search.seed,
            questions: screenings.questions(),
            rounds: summaries(&rows, &screenings),
            candidates: rows,
            references,
            confirmed: confirmed::confirmed(&arms, snapshot, &all),
            changes: snapshot.changes.clone(),
        }
    }

    /// The ranked candidates, best first.
    pub fn ranked(&self) -> impl Iterator<Item = &Row> {
        self.candidates.iter().filter(|row| row.rank.is_some())
    }

    /// The ranked candidates without those that only repeat a better one.
    pub fn distinct(&self) -> impl Iterator<Item = &Row> {
        self.ranked().filter(|row| row.same_as.is_none())
    }

    /// Keeps one round, or the first `top` ranked rows; references and confirmed figures stay.
    #[must_use]
    pub fn narrowed(mut self, round: Option<u32>, top: Option<usize>) -> Self {
        self.candidates.retain(|row| {
            round.is_none_or(|wanted| row.round() == Some(wanted))
                && top.is_none_or(|top| row.rank.is_some_and(|rank| round.is_some() || rank <= top))
        });
        if let Some(top) = top {
            self.candidates.truncate(top);
        }
        self
    }

    /// How many of the last rounds brought no better F1 than the rounds before them.
    #[must_use]
    pub fn rounds_without_gain(&self) -> u32 {
        let mut best = f64::NEG_INFINITY;
        self.rounds
            .iter()
            .fold(0, |stalled, round| match round.best_f1 {
                Some(f1) if f1 > best => {
                    best = f1;
                    0
                }
                _ => stalled + 1,
            })
    }
}

/// Who decided everything that was judged, if a model had a part in it.
fn verdicts(evaluations: &HashMap<TrialId, StoredEvaluation>) -> Option<Tally> {
    let mut all = Tally::default();
    for evaluation in evaluations.values() {
        all.add(evaluation.verdicts);
    }
    Some(all).filter(Tally::involves_a_model)
}
