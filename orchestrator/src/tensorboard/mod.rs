//! `[log] tensorboard = "DIR"`: every trial of a search as a run that TensorBoard shows, a folder each, written as the search goes.
//!
//! It is one more who is told what happens, in front of another. What cannot be written stops no search: it is said once.

mod record;

use std::{
    fs::{self, File},
    io::Write as _,
    path::PathBuf,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use trainer_bridge::StepMetrics;

use crate::{
    board::leaderboard::Leaderboard,
    domain::{
        candidate::NewCandidate,
        figures::Figures,
        trial::{Stage, Trial},
    },
    proposer::Heard,
    search::events::{Events, TrialEvents},
};
use record::{Told, record};

/// Writes what trials do, and passes everything on.
pub struct Tensorboard {
    folder: PathBuf,
    next: Arc<dyn Events>,
    has_complained: AtomicBool,
}

impl Tensorboard {
    /// Writes below `folder`, which need not be there, and tells `next` everything.
    #[must_use]
    pub fn new(folder: PathBuf, next: Arc<dyn Events>) -> Self {
        Self {
            folder,
            next,
            has_complained: AtomicBool::new(false),
        }
    }

    fn open(&self, name: &str, trial: &Trial) -> std::io::Result<Run> {
        let folder = self.folder.join(folder_of(name, trial));
        fs::create_dir_all(&folder)?;
        let now = now();
        // TensorBoard reads the files of a run in the order of their names: one a sitting, by its time.
        let name = format!(
            "events.out.tfevents.{:010}.{:09}.{}",
            now.as_secs(),
            now.subsec_nanos(),
            std::process::id()
        );
        let file = File::options()
            .create_new(true)
            .append(true)
            .open(folder.join(name))?;
        let run = Run { file, last: None };
        run.write(0, &Told::Begins)?;
        Ok(run)
    }

    fn complain(&self, error: &std::io::Error) {
        if !self.has_complained.swap(true, Ordering::Relaxed) {
            let folder = self.folder.display();
            self.next.line(&format!(
                "warning: curves for TensorBoard cannot be written to {folder}: {error}; the search goes on without"
            ));
        }
    }
}

fn now() -> Duration {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default()
}

/// `screen/NAME`, or `confirm/NAME/seed-1`; a trial of a higher rung beside that of the first.
fn folder_of(name: &str, trial: &Trial) -> PathBuf {
    let kept = |c: char| match c {
        c if c.is_ascii_alphanumeric() || "-_.".contains(c) => c,
        _ => '_',
    };
    let plain: String = name.chars().take(80).map(kept).collect();
    // Names that differ in what a file's name cannot have are told apart by the trial.
    let plain = match plain == name && !plain.starts_with('.') {
        true => plain,
        false => format!("{plain}-{}", trial.id.0)
            .trim_start_matches('.')
            .to_owned(),
    };
    match trial.stage {
        Stage::Screen { rung: 0 } => ["screen", &plain].iter().collect(),
        Stage::Screen { rung } => ["screen", &plain, &format!("rung-{}", rung + 1)]
            .iter()
            .collect(),
        Stage::Confirm { seed } => ["confirm", &plain, &format!("seed-{}", seed + 1)]
            .iter()
            .collect(),
    }
}

/// A run's file.
struct Run {
    file: File,
    /// The last step that is in it.
    last: Option<u32>,
}

impl Run {
    fn write(&self, step: u32, told: &Told<'_>) -> std::io::Result<()> {
        (&self.file).write_all(&record(now().as_secs_f64(), step, told))
    }

    fn step(&mut self, metrics: &StepMetrics) -> std::io::Result<()> {
        if self.last.is_none() {
            self.write(metrics.step, &Told::GoesOn)?;
        }
        self.last = Some(metrics.step);
        self.write(metrics.step, &Told::Figures(&figures(metrics)))
    }

    fn judged(&self, judged: &Figures) -> std::io::Result<()> {
        let told = [
            ("eval/f1", judged.f1.point),
            ("eval/accuracy", judged.accuracy.point),
            ("eval/answer_rate", judged.answer_rate),
        ];
        let told = told.map(|(name, value)| (name.to_owned(), value));
        self.write(self.last.unwrap_or(0), &Told::Figures(&told))
    }
}

/// The figures of a step, under the names that TRL logs.
fn figures(metrics: &StepMetrics) -> Vec<(String, f64)> {
    let named = metrics.under_trls_names(&[]).into_iter();
    let figure = |(name, value): (String, serde_json::Value)| {
        let name = match name.starts_with("rewards/") {
            true => name,
            false => format!("train/{name}"),
        };
        Some((name, value.as_f64()?))
    };
    named
        .filter(|(name, _)| name != "step")
        .filter_map(figure)
        .collect()
}

impl Events for Tensorboard {
    fn line(&self, text: &str) {
        self.next.line(text);
    }

    fn references(&self) {
        self.next.references();
    }

    fn round(&self, round: u32, of: u32) {
        self.next.round(round, of);
    }

    fn hears(&self, heard: &Heard<'_>) {
        self.next.hears(heard);
    }

    fn admitted(&self, candidates: &[NewCandidate]) {
        self.next.admitted(candidates);
    }

    fn confirming(&self, arms: usize, seeds: u32) {
        self.next.confirming(arms, seeds);
    }

    fn batch(&self, steps: u32) {
        self.next.batch(steps);
    }

    fn batch_grows(&self, steps: u32) {
        self.next.batch_grows(steps);
    }

    fn batch_done(&self) {
        self.next.batch_done();
    }

    fn trial<'a>(&'a self, name: &str, trial: &Trial) -> Box<dyn TrialEvents + 'a> {
        let run = match self.open(name, trial) {
            Ok(run) => Some(run),
            Err(error) => {
                self.complain(&error);
                None
            }
        };
        Box::new(Watched {
            board: self,
            run: Mutex::new(run),
            next: self.next.trial(name, trial),
        })
    }

    fn ranking(&self, board: &Leaderboard, round: u32) {
        self.next.ranking(board, round);
    }
}

/// A trial that is written down.
struct Watched<'a> {
    board: &'a Tensorboard,
    run: Mutex<Option<Run>>,
    next: Box<dyn TrialEvents + 'a>,
}

impl Watched<'_> {
    fn write(&self, what: impl FnOnce(&mut Run) -> std::io::Result<()>) {
        let mut run = self.run.lock().expect("no holder panics");
        if let Some(Err(error)) = run.as_mut().map(what) {
            self.board.complain(&error);
            *run = None;
        }
    }
}

impl TrialEvents for Watched<'_> {
    fn step(&self, metrics: &StepMetrics) {
        self.write(|run| run.step(metrics));
        self.next.step(metrics);
    }

    fn complete(&self, figures: &Figures, seconds: f64) {
        self.write(|run| run.judged(figures));
        self.next.complete(figures, seconds);
    }

    fn failed(&self, why: &str) {
        self.next.failed(why);
    }
}
