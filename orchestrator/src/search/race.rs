//! Racing in judging: questions are judged in the order that all candidates share, and a candidate that loses against the best of the earlier
//! rounds, by a test that may be looked at after every question, is judged no further.
//!
//! The rival is chosen among rounds that are done, so that it does not depend on which trial ends first, and among trials of the same rung.

use std::collections::HashMap;

use evaluator::{Evaluation, Outcome, Problem, SequentialTest};

use super::{SearchError, context::Context, runner::TrialRunner};
use crate::{
    board::rank::{Contender, order},
    domain::{
        candidate::{CandidateEntry, CandidateId},
        trial::{Arm, Stage, Trial},
        verdict::Evaluated,
    },
    store::Snapshot,
};

/// Whom a candidate is raced against.
struct Rival {
    name: String,
    outcomes: Vec<Outcome>,
}

impl TrialRunner {
    /// The verdicts on a trial's completions, or why it was judged no further.
    pub(super) async fn judged(
        &self,
        trial: &Trial,
        problems: &[Problem],
        completions: &[String],
    ) -> Result<Result<Evaluated, String>, SearchError> {
        let Context {
            config, store, id, ..
        } = &*self.context;
        let race = match (&config.screen.race, trial.arm, trial.stage) {
            (Some(race), Arm::Candidate(candidate), Stage::Screen { rung }) => {
                let done = store.last_finished_round(*id).await?.unwrap_or(0);
                let snapshot = store.outcomes().await?;
                rival(&snapshot, candidate, rung, done).map(|rival| (race, rival))
            }
            _ => None,
        };
        let Some((race, rival)) = race.filter(|(_, rival)| {
            rival.outcomes.len() == problems.len() && completions.len() == problems.len()
        }) else {
            return Ok(Ok(self.judge.evaluate(problems, completions).await?));
        };
        let mut test = SequentialTest::default();
        let (mut outcomes, mut deciders) = (Vec::new(), Vec::new());
        let batches = problems
            .chunks(race.batch)
            .zip(completions.chunks(race.batch));
        for (problems, completions) in batches {
            let evaluated = self.judge.evaluate(problems, completions).await?;
            for outcome in evaluated.evaluation.outcomes() {
                let of_rival = rival.outcomes[outcomes.len()];
                test.observe(*outcome == Outcome::Correct, of_rival == Outcome::Correct);
                outcomes.push(*outcome);
            }
            deciders.extend(evaluated.deciders);
            if test.p_a_no_worse() <= race.level && outcomes.len() < rival.outcomes.len() {
                return Ok(Err(lost(&outcomes, &rival, &test)));
            }
        }
        let evaluation = Evaluation::new(outcomes).expect("there are questions");
        Ok(Ok(Evaluated {
            evaluation,
            deciders,
        }))
    }
}

/// The best of the rounds that are done, on a rung; none for what is not ranked.
fn rival(snapshot: &Snapshot, of: CandidateId, rung: u32, done: u32) -> Option<Rival> {
    let entries: HashMap<CandidateId, &CandidateEntry> =
        snapshot.candidates.iter().map(|c| (c.id, c)).collect();
    entries.get(&of)?.origin.round()?;
    let earlier: Vec<(&str, &Evaluation)> = snapshot
        .trials
        .iter()
        .filter(|trial| trial.stage == Stage::Screen { rung })
        .filter_map(|trial| {
            let Arm::Candidate(id) = trial.arm else {
                return None;
            };
            let candidate = entries.get(&id)?;
            let is_done = candidate.origin.round().is_some_and(|round| round <= done);
            let stored = snapshot.evaluations.get(&trial.id).filter(|_| is_done)?;
            Some((&*candidate.name, &stored.evaluation))
        })
        .collect();
    let contenders: Vec<Contender<'_>> = earlier
        .iter()
        .map(|&(_, evaluation)| Contender { rung, evaluation })
        .collect();
    let &first = order(&contenders).first()?;
    let (name, evaluation) = earlier[first];
    Some(Rival {
        name: name.to_owned(),
        outcomes: evaluation.outcomes().to_vec(),
    })
}

/// Why a candidate is judged no further.
fn lost(outcomes: &[Outcome], rival: &Rival, test: &SequentialTest) -> String {
    let right = |outcomes: &[Outcome]| {
        let right = outcomes.iter().filter(|o| **o == Outcome::Correct);
        right.count()
    };
    let n = outcomes.len();
    format!(
        "lost against {} of the rounds before: {} right against {} of the first {n} of {} questions (p {:.1e}, valid at any time); judged no further",
        rival.name,
        right(outcomes),
        right(&rival.outcomes[..n]),
        rival.outcomes.len(),
        test.p_a_no_worse()
    )
}
