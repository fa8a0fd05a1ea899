//! The one table: everything a person or a program is shown of a search is computed here, once, from the stored outcomes.

use std::collections::HashMap;

use evaluator::Evaluation;
use serde::Serialize;

use super::{
    confirmed::{self, Confirmed},
    state::RowState,
};
use crate::{
    board::rank::{Comparison, compare_all, order},
    domain::{
        candidate::{Candidate, CandidateId},
        decider::Tally,
        figures::{Figures, bootstrap_of},
        trial::{Arm, BASE_ONLY, Stage, TrialId, TrialState, UNTOUCHED},
    },
    store::{Snapshot, Store, StoreError, StoredEvaluation, TrialRow},
};

/// The state of a search, ranked. Its JSON keys are stable and documented in the README.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Leaderboard {
    /// The search's name.
    pub search: String,
    /// The seed all draws descend from.
    pub seed: u64,
    /// `running`, `screened` or `finished`.
    pub state: &'static str,
    /// Why no further round follows, once that is so.
    pub stop_reason: Option<serde_json::Value>,
    /// Ranked candidates in all, the family of the adjusted p-values.
    #[serde(skip)]
    pub family: usize,
    /// Who decided the verdicts behind all figures; absent where the rules alone did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub verdicts: Option<Tally>,
    /// Dev questions each figure of `candidates` and `references` is computed from; 0 before the first.
    pub questions: usize,
    /// Every candidate: ranked ones first, then those under way, failed, and refused.
    pub candidates: Vec<Row>,
    /// The untouched base model and the base rewards alone, as they screened.
    pub references: Vec<Row>,
    /// One line a round.
    pub rounds: Vec<RoundSummary>,
    /// The finalists on Test, best first.
    pub confirmed: Vec<Confirmed>,
}

/// One candidate or reference.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Row {
    /// 1 is best; absent for what has no figures.
    pub rank: Option<usize>,
    /// Its name.
    pub name: String,
    /// The round that proposed it.
    pub round: u32,
    /// Where it stands.
    pub state: RowState,
    /// Figures on Dev.
    #[serde(flatten)]
    pub figures: Option<Figures>,
    /// McNemar against the base rewards alone.
    pub vs_base: Option<Comparison>,
    /// McNemar against the best candidate.
    pub vs_leader: Option<Comparison>,
    /// The better-placed candidate that got every question exactly as this one did: all trials meet the same prompts and the same
    /// noise, so the two rewards taught the same. Only the first of such twins becomes a finalist or is exported.
    pub same_as: Option<String>,
    /// Why it failed or was refused.
    pub reason: Option<String>,
    /// The key of its screening, to find its curve.
    #[serde(skip)]
    pub trial: Option<i64>,
}

/// What a round brought.
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
    /// If the database holds no search or fails.
    pub async fn read(store: &Store) -> Result<Self, StoreError> {
        let Snapshot {
            search,
            candidates,
            ensembles,
            trials,
            evaluations,
        } = store.snapshot().await?;
        let bootstrap = bootstrap_of(search.seed);

        let screened: HashMap<Arm, &TrialRow> = trials
            .iter()
            .filter(|row| matches!(row.trial.stage, Stage::Screen { .. }))
            .map(|row| (row.trial.arm, row))
            .collect();
        let figures = |evaluation: &Evaluation| Figures::of(evaluation, &bootstrap);
        let arms = ArmNames {
            candidates: &candidates,
            ensembles: &ensembles,
        };
        let references: Vec<(Row, Option<&Evaluation>)> = screened
            .values()
            .filter(|row| !matches!(row.trial.arm, Arm::Candidate(_)))
            .map(|row| {
                let evaluation = evaluations.get(&row.trial.id).map(|e| &e.evaluation);
                let name = arms.name(row.trial.arm);
                (trial_row(name, 0, row, evaluation.map(figures)), evaluation)
            })
            .collect();
        let base = references
            .iter()
            .find(|(row, _)| row.name == BASE_ONLY)
            .and_then(|(_, e)| *e);
        let questions = evaluations
            .iter()
            .find(|(id, _)| screened.values().any(|row| row.trial.id == **id))
            .map_or(0, |(_, e)| e.evaluation.outcomes().len());

        let mut rows = rank_candidates(&candidates, &screened, &evaluations, base, &figures);
        rows.sort_by_key(|row| (row.rank.is_none(), row.rank, row.state));
        let mut references: Vec<Row> = references.into_iter().map(|(row, _)| row).collect();
        references.sort_by(|a, b| b.name.cmp(&a.name));
        Ok(Self {
            state: match (search.finished, &search.stop_reason) {
                (true, _) => "finished",
                (false, Some(_)) => "screened",
                (false, None) => "running",
            },
            family: rows.iter().filter(|row| row.rank.is_some()).count(),
            stop_reason: search
                .stop_reason
                .and_then(|json| serde_json::from_str(&json).ok()),
            verdicts: verdicts(&evaluations),
            search: search.name,
            seed: search.seed,
            questions,
            rounds: summaries(&rows),
            candidates: rows,
            references,
            confirmed: confirmed::confirmed(&arms, &trials, &evaluations, &bootstrap),
        })
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
            round.is_none_or(|wanted| row.round == wanted)
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
    let deciders = evaluations
        .values()
        .flat_map(|e| e.deciders.iter().copied());
    Some(Tally::of(deciders)).filter(Tally::involves_a_model)
}

/// Finds the name of an arm.
pub(crate) struct ArmNames<'a> {
    pub(crate) candidates: &'a [Candidate],
    pub(crate) ensembles: &'a [crate::store::Ensemble],
}

impl ArmNames<'_> {
    pub(crate) fn name(&self, arm: Arm) -> String {
        match arm {
            Arm::Untouched => UNTOUCHED.to_owned(),
            Arm::Candidate(id) => self.candidate(id),
            Arm::Ensemble(id) => self
                .ensembles
                .iter()
                .find(|e| e.id == id)
                .map(|e| e.name.clone())
                .unwrap_or_default(),
        }
    }

    pub(crate) fn candidate(&self, id: CandidateId) -> String {
        self.candidates
            .iter()
            .find(|c| c.id == id)
            .map(|c| c.name.clone())
            .unwrap_or_default()
    }

    pub(crate) fn members(&self, arm: Arm) -> Vec<String> {
        match arm {
            Arm::Untouched => Vec::new(),
            Arm::Candidate(id) => vec![self.candidate(id)],
            Arm::Ensemble(id) => {
                let found = self.ensembles.iter().find(|e| e.id == id);
                found
                    .map(|e| e.members.iter().map(|m| self.candidate(m.0)).collect())
                    .unwrap_or_default()
            }
        }
    }
}

fn rank_candidates(
    candidates: &[Candidate],
    screened: &HashMap<Arm, &TrialRow>,
    evaluations: &HashMap<TrialId, StoredEvaluation>,
    base: Option<&Evaluation>,
    figures: &dyn Fn(&Evaluation) -> Figures,
) -> Vec<Row> {
    let proposed: Vec<&Candidate> = candidates.iter().filter(|c| c.round > 0).collect();
    let trial = |c: &Candidate| screened.get(&Arm::Candidate(c.id)).copied();
    let evaluation = |c: &Candidate| evaluations.get(&trial(c)?.trial.id).map(|e| &e.evaluation);

    let judged: Vec<(usize, &Evaluation)> = proposed
        .iter()
        .enumerate()
        .filter_map(|(i, c)| Some((i, evaluation(c)?)))
        .collect();
    let ranking: Vec<usize> = order(&judged.iter().map(|(_, e)| *e).collect::<Vec<_>>())
        .into_iter()
        .map(|at| judged[at].0)
        .collect();
    let leader = ranking.first().copied();

    let all: Vec<Option<&Evaluation>> = proposed.iter().map(|c| evaluation(c)).collect();
    let against = |reference: Option<&Evaluation>, skip: Option<usize>| {
        let family: Vec<_> = all
            .iter()
            .enumerate()
            .map(|(i, e)| e.filter(|_| Some(i) != skip))
            .collect();
        reference.map_or_else(
            || vec![None; all.len()],
            |reference| compare_all(&family, reference),
        )
    };
    let vs_base = against(base, None);
    let vs_leader = against(leader.and_then(|i| all[i]), leader);

    proposed
        .iter()
        .enumerate()
        .map(|(i, candidate)| {
            let mut row = match trial(candidate) {
                Some(trial) => trial_row(
                    candidate.name.clone(),
                    candidate.round,
                    trial,
                    all[i].map(figures),
                ),
                None => untried_row(candidate),
            };
            let place = ranking.iter().position(|&at| at == i);
            row.rank = place.map(|at| at + 1);
            row.same_as = place.and_then(|place| {
                let twin = ranking[..place].iter().find(|&&at| all[at] == all[i])?;
                Some(proposed[*twin].name.clone())
            });
            (row.vs_base, row.vs_leader) = (vs_base[i], vs_leader[i]);
            row
        })
        .collect()
}

fn trial_row(name: String, round: u32, row: &TrialRow, figures: Option<Figures>) -> Row {
    let reason = match &row.trial.state {
        TrialState::Pruned { why, .. } | TrialState::Failed { why } => Some(why.clone()),
        _ => None,
    };
    Row {
        rank: None,
        name,
        round,
        state: (&row.trial.state).into(),
        figures,
        vs_base: None,
        vs_leader: None,
        same_as: None,
        reason,
        trial: Some(row.trial.id.0),
    }
}

fn untried_row(candidate: &Candidate) -> Row {
    Row {
        rank: None,
        name: candidate.name.clone(),
        round: candidate.round,
        state: (&candidate.status).into(),
        figures: None,
        vs_base: None,
        vs_leader: None,
        same_as: None,
        reason: candidate.status.reason().map(str::to_owned),
        trial: None,
    }
}

fn summaries(rows: &[Row]) -> Vec<RoundSummary> {
    let last = rows.iter().map(|row| row.round).max().unwrap_or(0);
    (1..=last)
        .map(|round| {
            let of_round: Vec<&Row> = rows.iter().filter(|row| row.round == round).collect();
            let f1: Vec<f64> = of_round
                .iter()
                .filter_map(|row| Some(row.figures.as_ref()?.f1.point))
                .collect();
            RoundSummary {
                round,
                proposed: of_round.len(),
                accepted: of_round
                    .iter()
                    .filter(|row| !row.state.is_refused())
                    .count(),
                complete: f1.len(),
                mean_f1: (!f1.is_empty()).then(|| f1.iter().sum::<f64>() / f1.len() as f64),
                best_f1: f1.iter().copied().max_by(f64::total_cmp),
            }
        })
        .collect()
}
