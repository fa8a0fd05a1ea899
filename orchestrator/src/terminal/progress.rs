//! What a person sees while a search runs: bars in a terminal, plain lines elsewhere. All of it goes to standard error.
#![allow(
    clippy::print_stderr,
    reason = "this module exists to talk to the person at the terminal"
)]

use std::{
    io::IsTerminal as _,
    sync::Mutex,
    time::{Duration, Instant},
};

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use trainer_bridge::StepMetrics;

use crate::{
    board::leaderboard::Leaderboard,
    domain::{
        candidate::NewCandidate,
        draft::Exchange,
        figures::Figures,
        trial::{Stage, Trial},
    },
    proposer::Heard,
    search::events::{Events, TrialEvents},
};

/// The display of a search.
pub struct Progress {
    bars: Option<MultiProgress>,
    steps: Mutex<Option<ProgressBar>>,
    asking: Mutex<Option<Asking>>,
    quiet: bool,
}

/// A language model that is being asked.
struct Asking {
    since: Instant,
    spinner: Option<ProgressBar>,
}

/// Receives word of a build of the Python guest and prints it.
#[must_use]
pub fn guest_to_stderr() -> sandbox::Progress {
    std::sync::Arc::new(|line| eprintln!("{line}"))
}

impl Progress {
    /// Bars if standard error is a terminal, lines if not.
    #[must_use]
    pub fn to_stderr() -> Self {
        let bars = std::io::stderr().is_terminal().then(MultiProgress::new);
        Self {
            bars,
            steps: Mutex::new(None),
            asking: Mutex::new(None),
            quiet: false,
        }
    }

    /// Nothing at all, for tests and library users.
    #[must_use]
    pub fn silent() -> Self {
        Self {
            bars: None,
            steps: Mutex::new(None),
            asking: Mutex::new(None),
            quiet: true,
        }
    }
}

impl Events for Progress {
    fn line(&self, text: &str) {
        match &self.bars {
            _ if self.quiet => {}
            Some(bars) => bars.suspend(|| eprintln!("{text}")),
            None => eprintln!("{text}"),
        }
    }

    fn references(&self) {
        self.line("\nReference rows: the untouched base model, and the base rewards alone");
    }

    fn round(&self, round: u32, of: u32) {
        self.line(&format!("\nRound {round} of {of}"));
    }

    fn hears(&self, heard: &Heard<'_>) {
        let mut asking = self.asking.lock().expect("no holder panics");
        match heard {
            Heard::Asking { model, step } => {
                let spinner = self.bars.as_ref().map(|bars| {
                    let style =
                        ProgressStyle::with_template("  {spinner} {prefix}: {elapsed} {msg}");
                    let spinner = bars.add(ProgressBar::new_spinner());
                    spinner.set_style(style.unwrap_or_else(|_| ProgressStyle::default_spinner()));
                    spinner.set_prefix(format!(
                        "asking {} ({step})",
                        crate::text::one_line(model, 60)
                    ));
                    spinner.enable_steady_tick(Duration::from_millis(200));
                    spinner
                });
                let since = Instant::now();
                *asking = Some(Asking { since, spinner });
            }
            Heard::Tokens { tokens, cost_usd } => {
                if let Some(spinner) = asking.as_ref().and_then(|asking| asking.spinner.as_ref()) {
                    let cost = cost_usd.map(|cost| format!(", {cost:.4} dollars of reply"));
                    let cost = cost.unwrap_or_default();
                    spinner.set_message(format!("about {tokens} tokens{cost}"));
                }
            }
            Heard::Pause(told) => self.line(&format!("  {}", crate::text::one_line(told, 300))),
            Heard::Done(exchange) => {
                let Some(Asking { since, spinner }) = asking.take() else {
                    return;
                };
                if let Some(spinner) = spinner {
                    spinner.finish_and_clear();
                }
                if exchange.error.is_none() {
                    self.line(&format!("  {}", asked(exchange, since.elapsed())));
                }
            }
        }
    }

    fn admitted(&self, candidates: &[NewCandidate]) {
        let accepted = candidates.iter().filter(|c| c.status.is_accepted()).count();
        self.line(&format!(
            "  {} proposed, {accepted} compiled and passed the probe",
            crate::text::counted(candidates.len(), "draft")
        ));
        for candidate in candidates {
            if let Some(reason) = candidate.status.reason() {
                let reason = crate::text::one_line(&reason, 120);
                self.line(&format!(
                    "  - {} {}: {reason}",
                    candidate.draft.name, candidate.status
                ));
            }
        }
    }

    fn confirming(&self, arms: usize, seeds: u32) {
        self.line(&format!(
            "\nConfirming on Test: {}, seeds for each: {seeds}",
            crate::text::counted(arms, "finalist")
        ));
    }

    fn batch(&self, steps: u32) {
        let Some(bars) = &self.bars else { return };
        let style = ProgressStyle::with_template(
            "  {wide_bar:.dim} {pos}/{len} steps  {elapsed_precise} (about {eta} left)",
        );
        let bar = bars.add(
            ProgressBar::new(u64::from(steps))
                .with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar())),
        );
        bar.enable_steady_tick(Duration::from_millis(500));
        *self.steps.lock().expect("no holder panics") = Some(bar);
    }

    fn batch_grows(&self, steps: u32) {
        if let Some(bar) = &*self.steps.lock().expect("no holder panics") {
            bar.inc_length(u64::from(steps));
        }
    }

    fn batch_done(&self) {
        if let Some(bar) = self.steps.lock().expect("no holder panics").take() {
            bar.finish_and_clear();
        }
    }

    fn trial<'a>(&'a self, name: &str, trial: &Trial) -> Box<dyn TrialEvents + 'a> {
        let label = match trial.stage {
            Stage::Screen { .. } => name.to_owned(),
            Stage::Confirm { seed } => format!("{name} (seed {})", seed + 1),
        };
        let bar = self.bars.as_ref().map(|bars| {
            let style = ProgressStyle::with_template("  {prefix:36} {bar:20} {pos:>3}/{len} {msg}");
            let bar = ProgressBar::new(u64::from(trial.steps));
            bars.insert(0, bar)
                .with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
                .with_prefix(label.clone())
        });
        Box::new(TrialBar {
            progress: self,
            bar,
            label,
        })
    }

    fn ranking(&self, board: &Leaderboard, round: u32) {
        let Some(summary) = board.rounds.iter().find(|r| r.round == round) else {
            return;
        };
        if let (Some(mean), Some(best)) = (summary.mean_f1, summary.best_f1) {
            self.line(&format!(
                "  round {round}: mean F1 {mean:.3}, best {best:.3}"
            ));
        }
        if let Some((leader, figures)) = board
            .ranked()
            .next()
            .and_then(|row| Some((row, row.figures.as_ref()?)))
        {
            let bounds = &figures.f1.interval;
            self.line(&format!(
                "  leader so far: {} F1 {:.3} [{:.3}, {:.3}]",
                leader.name, figures.f1.point, bounds.lower, bounds.upper
            ));
        }
    }
}

/// What a request came to: `m (ask): 12.3 s, 5200 + 840 tokens, 0.0310 dollars`.
fn asked(exchange: &Exchange, took: Duration) -> String {
    let model = crate::text::one_line(&exchange.model, 60);
    let about = if exchange.is_estimate { "about " } else { "" };
    let tokens = match (exchange.prompt_tokens, exchange.completion_tokens) {
        (Some(prompt), Some(completion)) => format!(", {about}{prompt} + {completion} tokens"),
        _ => String::new(),
    };
    let cost = exchange.cost_usd;
    let cost = cost.map_or_else(String::new, |cost| format!(", {about}{cost:.4} dollars"));
    format!(
        "{model} ({}): {:.1} s{tokens}{cost}",
        exchange.step,
        took.as_secs_f64()
    )
}

/// The display of one trial.
struct TrialBar<'a> {
    progress: &'a Progress,
    bar: Option<ProgressBar>,
    label: String,
}

impl TrialEvents for TrialBar<'_> {
    fn step(&self, metrics: &StepMetrics) {
        if let Some(bar) = &self.bar {
            bar.set_position(u64::from(metrics.step));
            bar.set_message(format!(
                "reward {:+.2}  right {:.2}",
                metrics.reward, metrics.correct
            ));
        }
        if let Some(all) = &*self.progress.steps.lock().expect("no holder panics") {
            all.inc(1);
        }
    }

    fn complete(&self, figures: &Figures, seconds: f64) {
        let f1 = &figures.f1;
        self.end(&format!(
            "F1 {:.3} [{:.3}, {:.3}]  {seconds:.0} s",
            f1.point, f1.interval.lower, f1.interval.upper
        ));
    }

    fn failed(&self, why: &str) {
        self.end(&format!("failed: {}", crate::text::one_line(why, 120)));
    }
}

impl TrialBar<'_> {
    fn end(&self, text: &str) {
        self.progress.line(&format!("  {:36} {text}", self.label));
    }
}

impl Drop for TrialBar<'_> {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}
