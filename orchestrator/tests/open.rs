//! A search run by the library, without the command: as any other face of the program would.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

mod program;

use std::{
    ops::Deref,
    sync::{Arc, Mutex},
};

use orchestrator::{
    board::leaderboard::Leaderboard,
    config::Config,
    domain::{candidate::NewCandidate, figures::Figures, trial::Trial},
    search::{
        Search, StopReason,
        events::{Events, TrialEvents},
    },
};
use program::searches::{config, folder};
use trainer_bridge::StepMetrics;

/// Writes down what it is told.
#[derive(Default)]
struct Log(Mutex<Vec<String>>);

impl Log {
    fn note(&self, what: impl Into<String>) {
        self.0.lock().unwrap().push(what.into());
    }
}

impl Events for Log {
    fn line(&self, _text: &str) {}
    fn references(&self) {
        self.note("references");
    }
    fn round(&self, round: u32, of: u32) {
        self.note(format!("round {round} of {of}"));
    }
    fn admitted(&self, candidates: &[NewCandidate]) {
        self.note(format!("{} drafts", candidates.len()));
    }
    fn confirming(&self, _arms: usize, seeds: u32) {
        self.note(format!("confirming with {seeds} seeds"));
    }
    fn batch(&self, _steps: u32) {}
    fn batch_grows(&self, _steps: u32) {}
    fn batch_done(&self) {}
    fn trial<'a>(&'a self, name: &str, _trial: &Trial) -> Box<dyn TrialEvents + 'a> {
        Box::new(Steps(name == "untouched"))
    }
    fn ranking(&self, board: &Leaderboard, round: u32) {
        self.note(format!("ranked {round}: {}", board.rounds.len()));
    }
}

struct Steps(bool);

impl TrialEvents for Steps {
    fn step(&self, metrics: &StepMetrics) {
        assert!(
            !self.0,
            "the untouched model makes no step {}",
            metrics.step
        );
    }
    fn complete(&self, _figures: &Figures, _seconds: f64) {}
    fn failed(&self, why: &str) {
        panic!("{why}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_search_opens_runs_and_is_continued_without_the_command() {
    let program = folder(&config("kind = 'grammar'", "", 1));
    let text = std::fs::read_to_string(program.path("search.toml")).unwrap();
    let sums = program.path("sums").display().to_string();
    program.write("search.toml", &text.replace("'sums'", &format!("'{sums}'")));
    let config = Config::load(&program.path("search.toml")).unwrap();
    let database = program.path("x.db");
    let log = Arc::new(Log::default());
    let opened = Search::open(config.clone(), &database, log.clone())
        .await
        .unwrap();
    assert!(opened.is_new && !opened.record.finished);
    let other = Search::open(config.clone(), &database, log.clone()).await;
    let refused = other.map(drop).unwrap_err().to_string();
    assert!(refused.contains("in use"), "{refused}");
    assert_eq!(opened.run().await.unwrap(), StopReason::RoundLimit);
    drop(opened);
    let told = [
        "references",
        "round 1 of 1",
        "4 drafts",
        "ranked 1: 1",
        "confirming with 2 seeds",
    ];
    assert_eq!(log.0.lock().unwrap().deref(), &told);
    let again = Search::open(config, &database, log).await.unwrap();
    assert!(!again.is_new && again.record.finished);
}
