//! The one table: everything a person or a program is shown of a search is computed here, once, from the stored outcomes.

use std::collections::HashMap;

use evaluator::{BootstrapConfig, Evaluation};
use serde::{Serialize, Serializer};

use super::{
    confirmed::{self, Confirmed},
    rank::{Comparison, Contender, compare_all, order},
    state::RowState,
};
use crate::{
    domain::{
        candidate::{CandidateEntry, CandidateId, Origin},
        decider::Tally,
        figures::{Figures, bootstrap_of},
        trial::{Arm, BASE_ONLY, EnsembleId, Stage, Trial, TrialId, UNTOUCHED},
    },
    store::{Ensemble, Snapshot, Store, StoreError, StoredEvaluation},
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
    /// Dev questions each figure of `candidates` and `references` is computed from, at the highest rung; 0 before the first.
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
    /// Figures on Dev.
    #[serde(flatten)]
    pub figures: Option<Figures>,
    /// McNemar against the base rewards alone, at the same rung.
    pub vs_base: Option<Comparison>,
    /// McNemar against the best candidate of the same rung.
    pub vs_leader: Option<Comparison>,
    /// The better-placed candidate that got every question exactly as this one did: all trials meet the same prompts and the same
    /// noise, so the two rewards taught the same. Only the first of such twins becomes a finalist or is exported.
    pub same_as: Option<String>,
    /// Why it failed or was refused.
    pub reason: Option<String>,
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
        Ok(Self::of(&store.snapshot().await?))
    }

    /// Ranks what a search has come to.
    #[must_use]
    pub fn of(snapshot: &Snapshot) -> Self {
        let search = &snapshot.search;
        let bootstrap = bootstrap_of(search.seed);
        let screenings = Screenings::of(snapshot, &bootstrap);
        let arms = ArmNames::of(snapshot);
        let references = [(Arm::Untouched, UNTOUCHED), (Arm::BaseOnly, BASE_ONLY)];
        let references = references.into_iter().filter_map(|(arm, name)| {
            let screening = screenings.highest.get(&arm)?;
            Some(screening.row(name.to_owned(), None, &bootstrap))
        });
        let rows = rank_candidates(&snapshot.candidates, &screenings, &bootstrap);
        Self {
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
            references: references.collect(),
            confirmed: confirmed::confirmed(&arms, snapshot, &bootstrap),
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
    let deciders = evaluations
        .values()
        .flat_map(|e| e.deciders.iter().copied());
    Some(Tally::of(deciders)).filter(Tally::involves_a_model)
}

/// Finds the names of arms and of what they are made of.
pub(crate) struct ArmNames<'a> {
    candidates: HashMap<CandidateId, &'a str>,
    base: Vec<CandidateId>,
    ensembles: HashMap<EnsembleId, &'a Ensemble>,
}

impl<'a> ArmNames<'a> {
    pub(crate) fn of(snapshot: &'a Snapshot) -> Self {
        let all = &snapshot.candidates;
        let base = all.iter().filter(|c| c.origin == Origin::Base);
        Self {
            candidates: all.iter().map(|c| (c.id, c.name.as_str())).collect(),
            base: base.map(|c| c.id).collect(),
            ensembles: snapshot.ensembles.iter().map(|e| (e.id, e)).collect(),
        }
    }

    /// The name of an arm; foreign keys see to it that its candidate or ensemble is there.
    pub(crate) fn name(&self, arm: Arm) -> String {
        match arm {
            Arm::Untouched => UNTOUCHED.to_owned(),
            Arm::BaseOnly => BASE_ONLY.to_owned(),
            Arm::Candidate(id) => self.candidates[&id].to_owned(),
            Arm::Ensemble(id) => self.ensembles[&id].name.clone(),
        }
    }

    /// The names of what an arm is trained on.
    pub(crate) fn members(&self, arm: Arm) -> Vec<String> {
        let name = |id: &CandidateId| self.candidates[id].to_owned();
        match arm {
            Arm::Untouched => Vec::new(),
            Arm::BaseOnly => self.base.iter().map(name).collect(),
            Arm::Candidate(id) => vec![name(&id)],
            Arm::Ensemble(id) => self.ensembles[&id]
                .members
                .iter()
                .map(|m| name(&m.0))
                .collect(),
        }
    }
}

/// One arm's screening at one rung.
struct Screening<'a> {
    rung: u32,
    trial: &'a Trial,
    judged: Option<&'a StoredEvaluation>,
}

impl Screening<'_> {
    fn row(
        &self,
        name: String,
        candidate: Option<&CandidateEntry>,
        bootstrap: &BootstrapConfig,
    ) -> Row {
        Row {
            rank: None,
            name,
            origin: candidate.map(|c| c.origin),
            rung: self.rung,
            state: (&self.trial.state).into(),
            figures: self.judged.map(|judged| judged.figures(bootstrap)),
            vs_base: None,
            vs_leader: None,
            same_as: None,
            reason: self.trial.state.reason(),
            candidate: candidate.map(|c| c.id),
            trial: Some(self.trial.id),
        }
    }
}

/// What was screened: each arm at the highest rung that it has figures of (or has begun, where it has none), and at the first.
struct Screenings<'a> {
    highest: HashMap<Arm, Screening<'a>>,
    /// F1 at the first rung.
    first: HashMap<Arm, f64>,
    /// The base rewards alone, by rung.
    base: HashMap<u32, &'a Evaluation>,
}

impl<'a> Screenings<'a> {
    fn of(snapshot: &'a Snapshot, bootstrap: &BootstrapConfig) -> Self {
        let mut all = Self {
            highest: HashMap::new(),
            first: HashMap::new(),
            base: HashMap::new(),
        };
        for trial in &snapshot.trials {
            let Stage::Screen { rung } = trial.stage else {
                continue;
            };
            let judged = snapshot.evaluations.get(&trial.id);
            if let Some(judged) = judged {
                if rung == 0 {
                    all.first
                        .insert(trial.arm, judged.figures(bootstrap).f1.point);
                }
                if trial.arm == Arm::BaseOnly {
                    all.base.insert(rung, &judged.evaluation);
                }
            }
            let place = |screening: &Screening<'_>| (screening.judged.is_some(), screening.rung);
            let screening = Screening {
                rung,
                trial,
                judged,
            };
            match all.highest.get(&trial.arm) {
                Some(known) if place(known) > place(&screening) => {}
                _ => {
                    all.highest.insert(trial.arm, screening);
                }
            }
        }
        all
    }

    /// Questions at the highest rung.
    fn questions(&self) -> usize {
        let judged = self
            .highest
            .values()
            .filter_map(|s| Some((s.rung, s.judged?)));
        let highest = judged.max_by_key(|(rung, _)| *rung);
        highest.map_or(0, |(_, judged)| judged.evaluation.outcomes().len())
    }
}

/// The rows of all candidates but the base rewards: ranked ones first, then those under way, failed, and refused.
fn rank_candidates(
    candidates: &[CandidateEntry],
    screenings: &Screenings<'_>,
    bootstrap: &BootstrapConfig,
) -> Vec<Row> {
    let proposed: Vec<&CandidateEntry> = candidates
        .iter()
        .filter(|c| c.origin != Origin::Base)
        .collect();
    let mut rows: Vec<Row> = proposed
        .iter()
        .map(|c| match screenings.highest.get(&Arm::Candidate(c.id)) {
            Some(screening) => screening.row(c.name.clone(), Some(c), bootstrap),
            None => untried_row(c),
        })
        .collect();
    let evaluations: Vec<Option<&Evaluation>> = proposed
        .iter()
        .map(|c| {
            Some(
                &screenings
                    .highest
                    .get(&Arm::Candidate(c.id))?
                    .judged?
                    .evaluation,
            )
        })
        .collect();
    let judged: Vec<usize> = (0..rows.len())
        .filter(|&i| evaluations[i].is_some())
        .collect();
    let contenders: Vec<Contender<'_>> = judged
        .iter()
        .filter_map(|&i| {
            Some(Contender {
                rung: rows[i].rung,
                evaluation: evaluations[i]?,
            })
        })
        .collect();
    let ranking: Vec<usize> = order(&contenders)
        .into_iter()
        .map(|at| judged[at])
        .collect();
    let mut same: HashMap<(u32, Vec<u8>), usize> = HashMap::new();
    for (place, &i) in ranking.iter().enumerate() {
        rows[i].rank = Some(place + 1);
        let outcomes = evaluations[i].map(Evaluation::to_bytes).unwrap_or_default();
        let first = *same.entry((rows[i].rung, outcomes)).or_insert(i);
        rows[i].same_as = (first != i).then(|| rows[first].name.clone());
    }
    for within in ranking
        .chunk_by(|&a, &b| rows[a].rung == rows[b].rung)
        .map(<[usize]>::to_vec)
        .collect::<Vec<_>>()
    {
        compare_within(&mut rows, &evaluations, &within, screenings);
    }
    rows.sort_by_key(|row| (row.rank.is_none(), row.rank, row.state));
    rows
}

/// Compares the candidates of one rung, best first, with the base rewards and with the leader of that rung.
fn compare_within(
    rows: &mut [Row],
    evaluations: &[Option<&Evaluation>],
    within: &[usize],
    screenings: &Screenings<'_>,
) {
    let Some((&leader, _)) = within.split_first() else {
        return;
    };
    // In the order of proposal, in which Holm's adjustment meets ties.
    let mut family = within.to_vec();
    family.sort_unstable();
    if let Some(base) = screenings.base.get(&rows[leader].rung) {
        let all: Vec<_> = family.iter().map(|&i| evaluations[i]).collect();
        for (&i, comparison) in family.iter().zip(compare_all(&all, base)) {
            rows[i].vs_base = comparison;
        }
    }
    if let Some(best) = evaluations[leader] {
        let others: Vec<_> = family
            .iter()
            .map(|&i| evaluations[i].filter(|_| i != leader))
            .collect();
        for (&i, comparison) in family.iter().zip(compare_all(&others, best)) {
            rows[i].vs_leader = comparison;
        }
    }
}

fn untried_row(candidate: &CandidateEntry) -> Row {
    Row {
        rank: None,
        name: candidate.name.clone(),
        origin: Some(candidate.origin),
        rung: 0,
        state: (&candidate.status).into(),
        figures: None,
        vs_base: None,
        vs_leader: None,
        same_as: None,
        reason: candidate.status.reason(),
        candidate: Some(candidate.id),
        trial: None,
    }
}

fn summaries(rows: &[Row], screenings: &Screenings<'_>) -> Vec<RoundSummary> {
    let last = rows.iter().filter_map(Row::round).max().unwrap_or(0);
    let mut by_round: Vec<Vec<&Row>> = vec![Vec::new(); last as usize];
    for row in rows {
        if let Some(round) = row.round() {
            by_round[round as usize - 1].push(row);
        }
    }
    (1..)
        .zip(by_round)
        .map(|(round, of_round)| {
            let f1: Vec<f64> = of_round
                .iter()
                .filter_map(|row| {
                    screenings
                        .first
                        .get(&Arm::Candidate(row.candidate?))
                        .copied()
                })
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
