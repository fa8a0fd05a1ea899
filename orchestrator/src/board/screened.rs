//! How candidates screened: each at the highest rung it reached, ranked among those that reached the same.

use std::collections::HashMap;

use evaluator::{BootstrapConfig, Evaluation};

use super::{
    leaderboard::{Points, RoundSummary, Row},
    rank::{Contender, compare_all, order},
};
use crate::{
    domain::{
        candidate::{CandidateEntry, Origin, RANDOM_CANDIDATE, Status},
        trial::{Arm, Stage, Trial},
    },
    store::{Snapshot, StoredEvaluation},
};

/// One arm's screening at one rung.
pub(super) struct Screening<'a> {
    rung: u32,
    trial: &'a Trial,
    judged: Option<&'a StoredEvaluation>,
}

impl Screening<'_> {
    /// The row; its figures are left out where there is nothing to resample them with.
    pub(super) fn row(
        &self,
        name: String,
        candidate: Option<&CandidateEntry>,
        bootstrap: Option<&BootstrapConfig>,
    ) -> Row {
        Row {
            rank: None,
            name,
            origin: candidate.map(|c| c.origin),
            rung: self.rung,
            state: (&self.trial.state).into(),
            figures: self
                .judged
                .zip(bootstrap)
                .map(|(judged, bootstrap)| judged.figures(bootstrap)),
            points: self.judged.map(|judged| Points::of(&judged.evaluation)),
            vs_base: None,
            vs_leader: None,
            same_as: None,
            reason: self.trial.state.reason(),
            flags: Vec::new(),
            candidate: candidate.map(|c| c.id),
            trial: Some(self.trial.id),
        }
    }
}

/// What was screened: each arm at the highest rung that it has figures of (or has begun, where it has none), and at the first.
pub(super) struct Screenings<'a> {
    pub(super) highest: HashMap<Arm, Screening<'a>>,
    /// F1 at the first rung.
    first: HashMap<Arm, f64>,
    /// The base rewards alone, by rung.
    base: HashMap<u32, &'a Evaluation>,
}

impl<'a> Screenings<'a> {
    pub(super) fn of(snapshot: &'a Snapshot) -> Self {
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
                    all.first.insert(trial.arm, judged.evaluation.f1());
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
    pub(super) fn questions(&self) -> usize {
        let judged = self
            .highest
            .values()
            .filter_map(|s| Some((s.rung, s.judged?)));
        let highest = judged.max_by_key(|(rung, _)| *rung);
        highest.map_or(0, |(_, judged)| judged.evaluation.outcomes().len())
    }
}

/// The rows of all candidates but the base rewards: ranked ones first, then those under way, failed, and refused.
pub(super) fn rank_candidates(
    candidates: &[CandidateEntry],
    screenings: &Screenings<'_>,
    bootstrap: Option<&BootstrapConfig>,
) -> Vec<Row> {
    let proposed: Vec<&CandidateEntry> = candidates
        .iter()
        .filter(|c| !matches!(c.origin, Origin::Base | Origin::Control))
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
    // Twins share their figures, so they stand side by side; each repeats the first of them.
    let standing = |row: &Row, i: usize| {
        let figures = evaluations[i].map(|e: &Evaluation| (e.f1(), e.answer_rate()));
        (row.rung, figures)
    };
    let mut distinct: Vec<usize> = Vec::new();
    for (place, &i) in ranking.iter().enumerate() {
        rows[i].rank = Some(place + 1);
        let is_of_others = |&other: &usize| standing(&rows[other], other) != standing(&rows[i], i);
        if distinct.last().is_some_and(is_of_others) {
            distinct.clear();
        }
        let twin = distinct
            .iter()
            .find(|&&other| evaluations[other] == evaluations[i]);
        match twin {
            Some(&twin) => rows[i].same_as = Some(rows[twin].name.clone()),
            None => distinct.push(i),
        }
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

/// The rows of the controls, in order; of the random candidates the best alone, with how many it is the best of.
pub(super) fn control_rows(
    candidates: &[CandidateEntry],
    screenings: &Screenings<'_>,
    bootstrap: &BootstrapConfig,
) -> Vec<Row> {
    let controls = candidates.iter().filter(|c| c.origin == Origin::Control);
    let (random, named): (Vec<_>, Vec<_>) =
        controls.partition(|c| c.name.starts_with(RANDOM_CANDIDATE));
    let row = |c: &CandidateEntry| match screenings.highest.get(&Arm::Candidate(c.id)) {
        Some(screening) => Row {
            origin: None,
            candidate: None,
            ..screening.row(c.name.clone(), None, Some(bootstrap))
        },
        None => Row {
            origin: None,
            candidate: None,
            ..untried_row(c)
        },
    };
    let judged = random.iter().filter_map(|c| {
        let screening = screenings.highest.get(&Arm::Candidate(c.id))?;
        let evaluation = &screening.judged?.evaluation;
        Some((screening.rung, evaluation, *c))
    });
    let judged: Vec<_> = judged.collect();
    let contenders: Vec<Contender<'_>> = judged
        .iter()
        .map(|&(rung, evaluation, _)| Contender { rung, evaluation })
        .collect();
    let best = order(&contenders).first().map(|&at| {
        let mut row = row(judged[at].2);
        row.reason = Some(format!(
            "the best of {} random candidates: chosen as the leader is",
            judged.len()
        ));
        row
    });
    named.into_iter().map(row).chain(best).collect()
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
        points: None,
        vs_base: None,
        vs_leader: None,
        same_as: match &candidate.status {
            Status::Twin { of } => Some(of.clone()),
            _ => None,
        },
        reason: candidate.status.reason(),
        flags: Vec::new(),
        candidate: Some(candidate.id),
        trial: None,
    }
}

pub(super) fn summaries(rows: &[Row], screenings: &Screenings<'_>) -> Vec<RoundSummary> {
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
