//! A search of many candidates: what is shown of it is read of those that are shown alone, and comes to the same.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

use evaluator::{Evaluation, Split};
use orchestrator::{
    board::leaderboard::{Leaderboard, Row},
    config::Ladder,
    domain::{
        candidate::{NewCandidate, Origin, Refusal, Status},
        decider::Decider,
        draft::{Draft, Exchange},
        figures::{Figures, bootstrap_of},
        traces::{Move, Traces},
        trial::{Arm, TrialId},
        verdict::Evaluated,
    },
    search::ladder::next,
    store::{Begun, Judged, Proposed, SearchId, Store},
    terminal::{leaderboard::SHOWN, screen::Screen},
};
use sandbox::Source;
use tempfile::TempDir;

const SEED: u64 = 3;
const CANDIDATES: usize = 130;
const QUESTIONS: usize = 40;

fn draft(number: usize) -> NewCandidate {
    let is_refused = number.is_multiple_of(2);
    NewCandidate {
        origin: Origin::Round(1),
        draft: Draft {
            name: format!("reward-{number}"),
            source: Source::rust(format!("// {number}")),
            rationale: String::new(),
            parents: Vec::new(),
        },
        sha256: format!("{number:064x}"),
        status: match is_refused {
            true => Status::Rejected(Refusal::Told {
                message: "no".to_owned(),
            }),
            false => Status::Accepted,
        },
        wasm: (!is_refused).then(|| vec![7; 8]),
        probe: None,
    }
}

/// Outcomes of which many are the same, and many others have the same figures.
fn outcomes(trial: TrialId) -> Evaluation {
    let kind = usize::try_from(trial.0).unwrap() % 5;
    let right = 10 + kind / 2;
    let mut letters = vec![b'w'; QUESTIONS];
    letters
        .iter_mut()
        .take(right)
        .for_each(|letter| *letter = b'c');
    letters.rotate_right(kind);
    Evaluation::from_bytes(&letters).unwrap()
}

/// A reward that rises while the answers become no better, which is a flag.
fn hacked() -> Traces {
    let mut traces = Traces {
        steps: 50,
        ..Traces::default()
    };
    traces.length = Move {
        from: 10.0,
        to: 100.0,
        z: 50.0,
    };
    traces
}

async fn judge(store: &Store, trial: TrialId) {
    let evaluation = outcomes(trial);
    let figures = Figures::of(&evaluation, &bootstrap_of(SEED));
    let evaluated = Evaluated {
        evaluation,
        deciders: vec![Decider::Rule; QUESTIONS],
    };
    let judged = Judged {
        split: Split::Dev,
        evaluated: &evaluated,
        figures: &figures,
        completions: &[],
        seconds: 1.0,
    };
    store.start_trial(trial, 0).await.unwrap();
    store.complete_trial(trial, judged).await.unwrap();
}

async fn searched(folder: &TempDir) -> (Store, SearchId) {
    let path = folder.path().join("x.db");
    let (store, _lock) = Store::create_or_open(&path).await.unwrap();
    let begun = store.begin("x", &serde_json::json!({}), "", SEED).await;
    let Begun::New(search) = begun.unwrap() else {
        panic!("the file is new")
    };
    let ladder = Ladder::flat(1, QUESTIONS);
    let drafts: Vec<NewCandidate> = (1..=CANDIDATES).map(draft).collect();
    let proposed = Proposed {
        round: 1,
        candidates: &drafts,
        first_trial: &|id| ladder.first_trial(id, SEED),
    };
    store.record_round(search.id, proposed).await.unwrap();
    let references = next(&store.snapshot().await.unwrap(), &ladder);
    store.plan_trials(search.id, &references).await.unwrap();
    for trial in store.waiting_trials(search.id).await.unwrap() {
        judge(&store, trial.id).await;
    }
    (store, search.id)
}

/// A board with what only [`Leaderboard::fill`] reads taken out of its candidates.
fn bare(mut board: Leaderboard) -> Leaderboard {
    for row in &mut board.candidates {
        (row.figures, row.flags) = (None, Vec::new());
    }
    board
}

#[tokio::test]
async fn what_is_read_of_the_shown_rows_alone_is_what_the_whole_has() {
    let folder = tempfile::tempdir().unwrap();
    let (store, search) = searched(&folder).await;
    for trial in store.unaudited_trials(search).await.unwrap() {
        store.keep_traces(trial.id, &hacked()).await.unwrap();
    }
    let whole = Leaderboard::read(&store).await.unwrap();
    assert!(whole.candidates[0].figures.is_some() && !whole.candidates[0].flags.is_empty());
    assert!(!whole.references[1].flags.is_empty());

    let mut lean = Leaderboard::read_bare(&store).await.unwrap();
    assert_eq!(lean, bare(whole.clone()));
    assert_eq!(lean.candidates[3].f1(), whole.candidates[3].f1());
    lean.fill(&store, 5).await.unwrap();
    assert_eq!(lean.candidates[..5], whole.candidates[..5]);
    assert!(lean.candidates[5].figures.is_none());
    let shown = whole.to_text(&Screen::FILE, 5);
    assert_eq!(lean.to_text(&Screen::FILE, 5), shown);
}

#[tokio::test]
async fn a_table_says_how_much_it_leaves_out() {
    let folder = tempfile::tempdir().unwrap();
    let (store, _) = searched(&folder).await;
    let board = Leaderboard::read(&store).await.unwrap();
    let text = board.to_text(&Screen::FILE, SHOWN);
    let more = CANDIDATES / 2 - SHOWN;
    for line in [
        format!(
            "… {more} more are ranked below these: `reward-search leaderboard --all` shows them"
        ),
        format!("… and {more} rejected more: `reward-search leaderboard --all` shows them"),
    ] {
        assert!(text.contains(&line), "{line} is not in\n{text}");
    }
    assert!(!board.to_text(&Screen::FILE, CANDIDATES).contains('…'));
    assert!(!board.to_markdown().contains('…'));
}

#[tokio::test]
async fn each_twin_repeats_the_first_of_its_kind_whoever_stands_between() {
    let folder = tempfile::tempdir().unwrap();
    let (store, _) = searched(&folder).await;
    let snapshot = store.snapshot().await.unwrap();
    let board = Leaderboard::of(&snapshot);
    let ranked: Vec<&Row> = board.ranked().collect();
    let outcomes = |row: &Row| &snapshot.evaluations[&row.trial.unwrap()].evaluation;
    for (place, row) in ranked.iter().enumerate() {
        let first = ranked[..place]
            .iter()
            .find(|other| outcomes(other) == outcomes(row));
        assert_eq!(
            row.same_as.as_ref(),
            first.map(|first| &first.name),
            "{}",
            row.name
        );
    }
    assert_eq!(board.distinct().count(), 5);
}

#[tokio::test]
async fn what_is_not_audited_yet_is_asked_for_alone() {
    let folder = tempfile::tempdir().unwrap();
    let (store, search) = searched(&folder).await;
    let trials = store.unaudited_trials(search).await.unwrap();
    assert_eq!(
        trials.len(),
        CANDIDATES / 2 + 1,
        "the base rewards alone, too"
    );
    assert!(trials.iter().all(|trial| trial.arm != Arm::Untouched));
    let (last, others) = trials.split_last().unwrap();
    for trial in others {
        store.keep_traces(trial.id, &hacked()).await.unwrap();
    }
    let left = store.unaudited_trials(search).await.unwrap();
    assert_eq!(left, std::slice::from_ref(last));
    let snapshot = store.snapshot_of(&[last.id]).await.unwrap();
    assert!(snapshot.traces.is_empty());
    let untouched = snapshot.trials.iter().find(|t| t.arm == Arm::Untouched);
    let mut read: Vec<TrialId> = snapshot.evaluations.keys().copied().collect();
    read.sort_by_key(|trial| trial.0);
    let mut wanted = [last.id, untouched.unwrap().id];
    wanted.sort_by_key(|trial| trial.0);
    assert_eq!(read, wanted);
    assert_eq!(snapshot.trials.len(), CANDIDATES / 2 + 2);
}

#[tokio::test]
async fn requests_are_read_a_page_at_a_time() {
    let folder = tempfile::tempdir().unwrap();
    let (store, search) = searched(&folder).await;
    let exchange = |n: usize| Exchange {
        step: format!("ask/{n}"),
        ..Exchange::default()
    };
    let exchanges: Vec<Exchange> = (0..7).map(exchange).collect();
    store.record_exchanges(search, 1, &exchanges).await.unwrap();
    assert_eq!(store.count_requests(search).await.unwrap(), 7);
    let page = store.requests(search, 5..10).await.unwrap();
    let steps: Vec<&str> = page.iter().map(|request| &*request.step).collect();
    assert_eq!(steps, ["ask/5", "ask/6"]);
}
