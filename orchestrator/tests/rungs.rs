//! Figures of different budgets are never ranked together: by the board, by the view for sqlite3, and by what decides who goes on.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

mod program;

use evaluator::{Evaluation, Split};
use orchestrator::{
    board::leaderboard::Leaderboard,
    config::{Ladder, Promotion, Rung},
    domain::{
        candidate::{CandidateId, NewCandidate, Origin, Status},
        decider::Decider,
        draft::Draft,
        figures::{Figures, bootstrap_of},
        trial::{Arm, NewTrial, Stage, TrialState},
        verdict::Evaluated,
    },
    search::ladder::{next, silent_rungs, still_needed},
    store::{Begun, Judged, Proposed, SearchId, Store},
};
use program::searches::rows;
use sandbox::Source;
use serde_json::json;
use sqlx::Row as _;

const SEED: u64 = 7;

struct Searched {
    _folder: tempfile::TempDir,
    store: Store,
    search: SearchId,
    ladder: Ladder,
}

fn two_rungs() -> Ladder {
    Ladder {
        rungs: vec![
            Rung {
                steps: 5,
                problems: 10,
                keep: 2,
            },
            Rung {
                steps: 20,
                problems: 20,
                keep: 0,
            },
        ],
        promotion: Promotion::Round,
    }
}

impl Searched {
    async fn with(ladder: Ladder, names: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (store, _lock) = Store::create_or_open(&folder.path().join("x.db"))
            .await
            .unwrap();
        let Begun::New(search) = store.begin("x", &json!({}), "", SEED).await.unwrap() else {
            panic!("the file is new")
        };
        let searched = Self {
            _folder: folder,
            store,
            search: search.id,
            ladder,
        };
        searched.propose(1, names).await;
        searched
    }

    /// Stores a round of accepted candidates.
    async fn propose(&self, round: u32, names: &[&str]) {
        let candidates: Vec<NewCandidate> = names
            .iter()
            .map(|name| NewCandidate {
                origin: Origin::Round(round),
                draft: Draft {
                    name: (*name).to_owned(),
                    source: Source::rust(*name),
                    rationale: String::new(),
                    parents: Vec::new(),
                },
                sha256: (*name).to_owned(),
                status: Status::Accepted,
                wasm: Some(vec![0]),
                probe: None,
            })
            .collect();
        let proposed = Proposed {
            round,
            candidates: &candidates,
            first_trial: &|id| self.ladder.first_trial(id, SEED),
        };
        self.store
            .record_round(self.search, proposed)
            .await
            .unwrap();
    }

    async fn next(&self) -> Vec<NewTrial> {
        next(&self.store.snapshot().await.unwrap(), &self.ladder)
    }

    async fn plan(&self) -> usize {
        let trials = self.next().await;
        self.store.plan_trials(self.search, &trials).await.unwrap();
        trials.len()
    }

    /// Ends the waiting trial of an arm with these outcomes.
    async fn complete(&self, arm: Arm, outcomes: &str) {
        let waiting = self.store.waiting_trials(self.search).await.unwrap();
        let trial = waiting.iter().find(|trial| trial.arm == arm).unwrap();
        let evaluation = Evaluation::from_bytes(outcomes.as_bytes()).unwrap();
        let figures = Figures::of(&evaluation, &bootstrap_of(SEED));
        let evaluated = Evaluated {
            deciders: vec![Decider::Rule; outcomes.len()],
            evaluation,
        };
        let judged = Judged {
            split: Split::Dev,
            evaluated: &evaluated,
            figures: &figures,
            completions: &vec![String::new(); outcomes.len()],
            seconds: 1.0,
        };
        self.store.start_trial(trial.id, 0).await.unwrap();
        self.store.complete_trial(trial.id, judged).await.unwrap();
    }

    async fn ranked(&self) -> Vec<(usize, String, u32)> {
        let board = Leaderboard::read(&self.store).await.unwrap();
        board
            .ranked()
            .map(|row| (row.rank.unwrap(), row.name.clone(), row.rung))
            .collect()
    }

    async fn view(&self) -> Vec<(usize, String, u32)> {
        let query = "SELECT rank, name, rung FROM leaderboard WHERE rank IS NOT NULL ORDER BY rank";
        let rows = rows(self.store.path(), query).await;
        rows.iter()
            .map(|row| (row.get::<i64, _>(0) as usize, row.get(1), row.get(2)))
            .collect()
    }
}

fn candidate(number: i64) -> Arm {
    Arm::Candidate(CandidateId(number))
}

#[tokio::test]
async fn one_rung_is_one_flat_screening() {
    let searched = Searched::with(Ladder::flat(25, 500), &["a", "b"]).await;
    let references = searched.next().await;
    let arms: Vec<(Arm, u32)> = references.iter().map(|t| (t.arm, t.steps)).collect();
    assert_eq!(
        arms,
        [(Arm::Untouched, 0), (Arm::BaseOnly, 25)],
        "the candidates' trials are planned with their round"
    );
    searched.plan().await;
    for arm in [candidate(1), candidate(2), Arm::Untouched, Arm::BaseOnly] {
        searched.complete(arm, "ccww").await;
        assert!(searched.next().await.is_empty(), "there is no further rung");
    }
    let trials = searched.store.trials(searched.search).await.unwrap();
    let steps: Vec<u32> = trials.iter().map(|trial| trial.steps).collect();
    assert_eq!(steps, [25, 25, 0, 25], "only the untouched model gets none");
    assert!(
        trials
            .iter()
            .all(|t| t.stage == Stage::Screen { rung: 0 } && t.state == TrialState::Complete)
    );
}

#[tokio::test]
async fn stored_figures_are_those_of_the_stored_outcomes() {
    let searched = Searched::with(Ladder::flat(25, 500), &["a"]).await;
    searched.complete(candidate(1), "ccwnwwcwcwwcnc").await;
    let trial = searched.store.trials(searched.search).await.unwrap()[0].id;
    let stored = searched.store.evaluation(trial).await.unwrap().unwrap();
    let computed = Figures::of(&stored.evaluation, &bootstrap_of(SEED));
    assert_eq!(stored.figures, Some(computed));
    let completions = searched.store.completions(trial).await.unwrap().unwrap();
    assert_eq!(completions.len(), stored.evaluation.outcomes().len());
    assert_eq!(searched.store.curve(trial).await.unwrap(), []);
}

#[tokio::test]
async fn the_best_of_a_rung_go_on_once_all_of_it_has_ended() {
    let searched = Searched::with(two_rungs(), &["best", "second", "third", "worst"]).await;
    searched.plan().await;
    for (number, outcomes) in [
        (1, "cccccccccc"),
        (2, "ccccccccww"),
        (3, "ccccccwwww"),
        (4, "wwwwwwwwww"),
    ] {
        assert!(searched.next().await.is_empty());
        searched.complete(candidate(number), outcomes).await;
    }
    searched.complete(Arm::Untouched, "cwwwwwwwww").await;
    assert!(searched.next().await.is_empty(), "one is still under way");
    searched.complete(Arm::BaseOnly, "ccwwwwwwww").await;

    let trials = searched.store.trials(searched.search).await.unwrap();
    let below = |arm| trials.iter().find(|t| t.arm == arm).map(|t| t.id);
    let next = searched.next().await;
    let planned: Vec<_> = next.iter().map(|t| (t.arm, t.steps, t.from)).collect();
    assert_eq!(
        planned,
        [Arm::Untouched, Arm::BaseOnly, candidate(1), candidate(2)].map(|arm| (
            arm,
            if arm == Arm::Untouched { 0 } else { 20 },
            below(arm)
        ))
    );
    assert_eq!(searched.plan().await, 4);
    assert!(searched.next().await.is_empty(), "they are planned once");

    // At the second rung the first rung's best does badly: worse than what was left behind did with less training.
    let many = |right: usize| "c".repeat(right) + &"w".repeat(20 - right);
    searched.complete(candidate(1), &many(5)).await;
    let half_way = searched.ranked().await;
    assert_eq!(half_way[0], (1, "best".to_owned(), 1));
    assert_eq!(half_way[1], (2, "second".to_owned(), 0));
    searched.complete(candidate(2), &many(9)).await;
    searched.complete(Arm::Untouched, &many(1)).await;
    searched.complete(Arm::BaseOnly, &many(7)).await;

    let ranked = searched.ranked().await;
    let named = |rank, name: &str, rung| (rank, name.to_owned(), rung);
    assert_eq!(
        ranked,
        [
            named(1, "second", 1),
            named(2, "best", 1),
            named(3, "third", 0),
            named(4, "worst", 0)
        ]
    );
    assert_eq!(searched.view().await, ranked, "sqlite3 shows the same");

    let board = Leaderboard::read(&searched.store).await.unwrap();
    let row = |name: &str| {
        board
            .candidates
            .iter()
            .find(|row| row.name == name)
            .unwrap()
    };
    let vs_base = |name: &str| {
        let comparison = row(name).vs_base.unwrap();
        (comparison.only_this, comparison.only_reference)
    };
    assert_eq!(vs_base("second"), (2, 0), "9 of 20 against 7 of 20");
    assert_eq!(vs_base("best"), (0, 2));
    assert_eq!(vs_base("third"), (4, 0), "6 of 10 against 2 of 10");
    assert_eq!(row("second").vs_leader, None);
    assert_eq!(row("third").vs_leader, None, "each rung has its leader");
    assert_eq!(row("worst").vs_leader.unwrap().only_reference, 6);
    assert_eq!(board.questions, 20);
    assert_eq!(board.references.iter().map(|row| row.rung).max(), Some(1));
    let round = &board.rounds[0];
    assert_eq!(
        round.best_f1,
        Some(1.0),
        "a round is summed up at the rung that all of it met"
    );
    let json = serde_json::to_value(&board).unwrap();
    assert_eq!(json["candidates"][0]["rung"], 1);
    assert_eq!(json["candidates"][2].get("rung"), None);
    assert_eq!(searched.next().await, []);
}

#[tokio::test]
async fn a_later_round_is_held_against_the_best_of_earlier_ones() {
    let searched = Searched::with(two_rungs(), &["a", "b", "c"]).await;
    searched.plan().await;
    for (number, outcomes) in [(1, "cccccccccw"), (2, "cccccccwww"), (3, "cwwwwwwwww")] {
        searched.complete(candidate(number), outcomes).await;
    }
    searched.complete(Arm::Untouched, "cwwwwwwwww").await;
    searched.complete(Arm::BaseOnly, "ccwwwwwwww").await;
    assert_eq!(searched.plan().await, 4);
    let many = |right: usize| "c".repeat(right) + &"w".repeat(20 - right);
    for arm in [candidate(1), candidate(2), Arm::Untouched, Arm::BaseOnly] {
        searched.complete(arm, &many(9)).await;
    }
    assert_eq!(searched.next().await, []);

    // Of the second round one beats what was second so far, and one does not.
    searched.propose(2, &["d", "e"]).await;
    searched.complete(candidate(4), "ccccccccww").await;
    assert_eq!(searched.next().await, [], "not all of the round has ended");
    searched.complete(candidate(5), "ccccccwwww").await;
    let next = searched.next().await;
    let arms: Vec<Arm> = next.iter().map(|trial| trial.arm).collect();
    assert_eq!(
        arms,
        [candidate(4)],
        "and nothing of the first round changes"
    );
    let snapshot = searched.store.snapshot().await.unwrap();
    let open = still_needed(&snapshot, &searched.ladder, Some(1));
    let of = |arm| {
        let mut trials = snapshot.trials.iter();
        trials.find(|t| t.arm == arm).map(|t| t.id).unwrap()
    };
    assert_eq!(open, [of(candidate(4)), of(candidate(5))]);
    assert_eq!(searched.plan().await, 1);
    searched.complete(candidate(4), &many(11)).await;
    assert_eq!(searched.next().await, []);
    let snapshot = searched.store.snapshot().await.unwrap();
    assert_eq!(still_needed(&snapshot, &searched.ladder, Some(2)), []);
}

#[tokio::test]
async fn a_rung_on_which_hardly_a_question_tells_rewards_apart_leaves_nobody_out() {
    let few = [
        (1, "ccccccccww"),
        (2, "cwwwwwwwww"),
        (3, "cwwwwwwwww"),
        (4, "wwwwwwwwww"),
    ];
    for (promotion, best, expected) in [
        (Promotion::Round, "ccccccccww", vec![1, 2]),
        (Promotion::Async, "ccccccccww", vec![1, 2]),
        (Promotion::Round, "cccccccwww", vec![1, 2, 3, 4]),
        (Promotion::Async, "cccccccwww", vec![1, 2, 3, 4]),
    ] {
        let ladder = Ladder {
            promotion,
            ..two_rungs()
        };
        let searched = Searched::with(ladder, &["a", "b", "c", "d"]).await;
        searched.plan().await;
        searched.complete(Arm::Untouched, "wwwwwwwwww").await;
        searched.complete(Arm::BaseOnly, "wwwwwwwwww").await;
        for (number, outcomes) in few {
            let outcomes = if number == 1 { best } else { outcomes };
            searched.complete(candidate(number), outcomes).await;
        }
        let mut above: Vec<i64> = searched
            .next()
            .await
            .iter()
            .filter_map(|t| match t.arm {
                Arm::Candidate(CandidateId(number)) => Some(number),
                _ => None,
            })
            .collect();
        above.sort_unstable();
        assert_eq!(above, expected, "{promotion:?} {best}");
        searched.plan().await;
        let snapshot = searched.store.snapshot().await.unwrap();
        let silent = silent_rungs(&snapshot, &searched.ladder, 1);
        let is_silent = expected.len() > 2;
        assert_eq!(silent, if is_silent { vec![0] } else { vec![] });
        assert_eq!(searched.next().await, [], "and nothing more follows");
    }
}

#[tokio::test]
async fn asynchronously_the_best_so_far_go_on_while_others_still_train() {
    let mut ladder = two_rungs();
    ladder.promotion = Promotion::Async;
    let searched = Searched::with(ladder, &["slow", "b", "c", "best", "e", "f"]).await;
    searched.plan().await;
    searched.complete(Arm::Untouched, "cwwwwwwwww").await;
    searched.complete(Arm::BaseOnly, "ccwwwwwwww").await;
    let arms = |planned: Vec<NewTrial>| -> Vec<Arm> {
        let own = planned.into_iter().map(|trial| trial.arm);
        own.filter(|arm| matches!(arm, Arm::Candidate(_))).collect()
    };
    // Two of six go on: one when three have ended, one when all have.
    searched.complete(candidate(2), "ccccwwwwww").await;
    searched.complete(candidate(3), "cccccwwwww").await;
    assert_eq!(searched.next().await, []);
    searched.complete(candidate(5), "ccwwwwwwww").await;
    let first = searched.next().await;
    assert_eq!(arms(first.clone()), [candidate(3)]);
    assert_eq!(first.len(), 3, "the reference rows climb beside it");
    assert!(first.iter().all(|trial| trial.from.is_some()));
    searched.plan().await;
    searched.complete(candidate(4), "cccccccccw").await;
    assert_eq!(
        arms(searched.next().await),
        [candidate(4)],
        "it would have been the first, had it ended before"
    );
    searched.plan().await;
    searched.complete(candidate(6), "wwwwwwwwww").await;
    assert_eq!(searched.next().await, []);
    searched.complete(candidate(1), "cccccccccc").await;
    assert_eq!(arms(searched.next().await), [candidate(1)]);
    searched.plan().await;
    let trials = searched.store.trials(searched.search).await.unwrap();
    let above = trials
        .iter()
        .filter(|t| t.stage == Stage::Screen { rung: 1 });
    assert_eq!(above.count(), 2 + 3, "one more than the two that are kept");

    // Who goes on follows from the figures and the order alone: without what was planned the same is found again.
    let mut snapshot = searched.store.snapshot().await.unwrap();
    snapshot
        .trials
        .retain(|t| t.stage == Stage::Screen { rung: 0 });
    let again = arms(next(&snapshot, &searched.ladder));
    assert_eq!(again, [candidate(3), candidate(4), candidate(1)]);
    // In another order others go on.
    for trial in &mut snapshot.trials {
        if trial.arm == candidate(1) {
            trial.ended = Some(0);
        }
    }
    let otherwise = arms(next(&snapshot, &searched.ladder));
    assert_eq!(otherwise, [candidate(1), candidate(4)]);
}

#[tokio::test]
async fn asynchronously_a_round_of_which_few_climb_is_not_held_to_many() {
    let mut ladder = two_rungs();
    ladder.promotion = Promotion::Async;
    let last = ladder.rungs[1];
    ladder.rungs[1].keep = 1;
    ladder.rungs.push(Rung { steps: 40, ..last });
    let searched = Searched::with(ladder, &["a", "b"]).await;
    searched.plan().await;
    searched.complete(Arm::Untouched, "cwwwwwwwww").await;
    searched.complete(Arm::BaseOnly, "ccwwwwwwww").await;
    searched.complete(candidate(1), "cccccccccc").await;
    searched.complete(candidate(2), "cccccwwwww").await;
    searched.plan().await;
    let many = |right: usize| "c".repeat(right) + &"w".repeat(20 - right);
    searched.complete(candidate(1), &many(5)).await;
    searched.complete(candidate(2), &many(4)).await;
    searched.plan().await;
    // Of the second round one is among the best two of both rounds: of it alone the best goes on.
    searched.propose(2, &["c", "d"]).await;
    searched.complete(candidate(3), "cccccccccw").await;
    searched.complete(candidate(4), "wwwwwwwwww").await;
    searched.plan().await;
    searched.complete(candidate(3), &many(9)).await;
    let next = searched.next().await;
    let climbs = next.iter().filter(|trial| trial.arm == candidate(3));
    let stages: Vec<Stage> = climbs.map(|trial| trial.stage).collect();
    assert_eq!(stages, [Stage::Screen { rung: 2 }]);
}
