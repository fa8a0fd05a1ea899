//! What a search is going to do and about how long it will take, measured on this machine with this model before it starts.

use std::{
    fmt,
    ops::ControlFlow,
    time::{Duration, Instant},
};

use evaluator::{Problem, Split, smallest_detectable_difference};
use futures_util::future::try_join_all;
use sandbox::Module;
use serde_json::Value;
use trainer_bridge::{BoxFuture, RewardMember, StepMetrics, TrainError, TrainJob, Trainer};

use crate::{
    config::{Config, Ladder},
    domain::{candidate::NewCandidate, seed::derive_seed, trial::Stage},
    proposer::{ProposerConfig, RequestSize},
    reward::{maker::RewardMaker, references},
    search::{
        SearchError,
        job::Jobs,
        training::{Training, TrainingError, Watch},
    },
    text::counted,
};

/// Steps and prompts of the measurement.
const MEASURED_STEPS: u32 = 2;
const MEASURED_PROMPTS: usize = 64;

/// The size of a search.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    rounds: u32,
    candidates: usize,
    screening: Work,
    /// Optimiser steps of the screening, if no rung leaves anybody out.
    most_steps: u64,
    confirmation: Work,
    /// Questions that rank candidates, and that confirm finalists.
    questions: (usize, usize),
    concurrency: usize,
    pace: Option<Pace>,
    /// What is trained, where, on what, with which seeds: a word each and what it is.
    facts: Vec<(&'static str, String)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Work {
    trials: u64,
    steps: u64,
    completions: u64,
}

/// How fast this machine is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Pace {
    /// An optimiser step.
    pub step: Duration,
    /// An evaluated completion.
    pub completion: Duration,
}

impl Work {
    /// The same with `beside` more trials on every rung, and with `tried` mixes, each of the whole of the last rung's budget.
    fn with(self, ladder: &Ladder, beside: u64, tried: u64) -> Self {
        let questions: usize = ladder.rungs.iter().map(|rung| rung.problems).sum();
        let rungs = ladder.rungs.len() as u64;
        let steps = u64::from(ladder.steps());
        Self {
            trials: self.trials + beside * rungs + tried,
            steps: self.steps + (beside + tried) * steps,
            completions: self.completions
                + beside * questions as u64
                + tried * ladder.problems() as u64,
        }
    }
}

/// The controls that are trained beside the candidates.
fn beside(config: &Config) -> u64 {
    (config.search.controls.len() + config.search.random_candidates) as u64
}

/// What a measurement has seen.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Measured {
    /// How fast the machine is.
    pub pace: Pace,
    /// The share of the untouched model's completions that met the limit of their length.
    pub cut: f64,
}

impl Plan {
    /// Counts what a configuration asks for. Rejected drafts will make it less.
    #[must_use]
    pub fn of(config: &Config, pace: Option<Pace>) -> Self {
        let rounds = u64::from(config.search.rounds);
        let seeds = config.search.seed_rewards.len() as u64;
        let candidates = rounds * config.search.candidates_per_round as u64 + seeds;
        let gate = config.screen.gate.keep.unwrap_or(1.0);
        let trained = (candidates as f64 * gate).ceil() as u64 + 1;
        let ladder = config.screen.ladder();
        let sizes = config.ensemble_sizes();
        let sizes = sizes.iter().filter(|&&size| size as u64 <= candidates);
        let greedy = config.ensemble.greedy.as_ref();
        let mixes = sizes.count()
            + config.mix_kinds().len()
            + usize::from(greedy.is_some())
            + usize::from(config.is_papers_set() && candidates >= 5);
        let finalists = 1 + (config.confirm.candidates as u64).min(candidates) + mixes as u64;
        let seeds = u64::from(config.confirm.seeds);
        let tried = match seeds {
            0 => 0,
            _ => greedy.map_or(0, |greedy| greedy.trials as u64),
        };
        Self {
            rounds: config.search.rounds,
            candidates: config.search.candidates_per_round,
            screening: screening(&ladder, trained, rounds).with(&ladder, beside(config), tried),
            most_steps: (trained + beside(config) + tried) * u64::from(ladder.steps()),
            confirmation: Work {
                trials: (finalists + 1) * seeds,
                steps: finalists * seeds * u64::from(config.confirm.steps),
                completions: (finalists + 1) * seeds * config.confirm.problems as u64,
            },
            questions: (ladder.problems(), config.confirm.problems),
            concurrency: config.search.concurrency(),
            pace,
            facts: facts(config),
        }
    }

    /// The same with what asking a language model will take; `request` is its first request.
    #[must_use]
    pub fn with_requests(mut self, config: &Config, request: Option<RequestSize>) -> Self {
        let told = request.and_then(|request| requests(config, request));
        self.facts.extend(told.map(|told| ("ask", told)));
        self
    }

    /// Optimiser steps of the screening and of the confirmation.
    #[must_use]
    pub fn steps(&self) -> [u64; 2] {
        [self.screening.steps, self.confirmation.steps]
    }

    /// The estimated wall time, if the pace is known.
    #[must_use]
    pub fn estimate(&self) -> Option<Duration> {
        let pace = self.pace?;
        let steps = (self.screening.steps + self.confirmation.steps) as f64;
        let completions = (self.screening.completions + self.confirmation.completions) as f64;
        let work = pace.step.mul_f64(steps) + pace.completion.mul_f64(completions);
        Some(work.div_f64(self.concurrency as f64))
    }
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            rounds,
            candidates,
            screening,
            most_steps,
            confirmation,
            questions: (dev, test),
            concurrency,
            facts,
            ..
        } = self;
        for (what, told) in facts {
            writeln!(f, "  {what:<9} {told}")?;
        }
        writeln!(
            f,
            "  propose   {} of {}",
            counted(*rounds as usize, "round"),
            counted(*candidates, "reward function")
        )?;
        let most = match *most_steps > screening.steps {
            true => format!(" (up to {most_steps} steps where rungs tell nobody apart)"),
            false => String::new(),
        };
        writeln!(
            f,
            "  screen    {} trials, {} optimiser steps, judged on Dev{most}",
            screening.trials, screening.steps
        )?;
        if confirmation.trials > 0 {
            writeln!(
                f,
                "  confirm   {} trials, {} optimiser steps, judged on Test",
                confirmation.trials, confirmation.steps
            )?;
        }
        if let Some(seen) = detectable(*dev) {
            let on_test = match detectable(*test) {
                Some(seen) if confirmation.trials > 0 => format!(", {test} on Test {seen:.3}"),
                _ => String::new(),
            };
            writeln!(
                f,
                "  detect    {dev} questions on Dev tell rewards apart that differ by {seen:.3} in accuracy{on_test} (4 times in 5, at p < 0.05, \
                 where one question in five is answered differently)"
            )?;
        }
        match (self.estimate(), self.pace) {
            (Some(estimate), Some(pace)) => write!(
                f,
                "  time      about {}, {concurrency} trials at a time ({:.2} s a step, {:.1} ms a judged completion measured here)",
                rough(estimate),
                pace.step.as_secs_f64(),
                pace.completion.as_secs_f64() * 1e3,
            ),
            _ => write!(
                f,
                "  time      not measured; {concurrency} trials at a time"
            ),
        }
    }
}

/// The trials of the screening, at most where every rung ranks: the candidates that go on are those that are better than all before them.
fn screening(ladder: &Ladder, trained: u64, rounds: u64) -> Work {
    let first = ladder.rungs[0];
    let mut work = Work {
        trials: trained + 1,
        steps: trained * u64::from(first.steps),
        completions: (trained + 1) * first.problems as u64,
    };
    let mut below = trained;
    for pair in ladder.rungs.windows(2) {
        let on = (pair[0].keep as u64 * rounds + 1).min(below);
        work.trials += on + 1;
        work.steps += on * u64::from(pair[1].steps - pair[0].steps);
        work.completions += (on + 1) * pair[1].problems as u64;
        below = on;
    }
    work
}

/// What is trained, where, on what, with which seeds.
fn facts(config: &Config) -> Vec<(&'static str, String)> {
    let plain = |value: serde_json::Result<Value>| value.unwrap_or_default();
    let (trainer, task) = (
        plain(serde_json::to_value(&config.trainer)),
        plain(serde_json::to_value(&config.task)),
    );
    let text = |value: &Value| match value {
        Value::Null => None,
        Value::Array(items) if items.is_empty() => None,
        Value::String(text) => Some(text.clone()),
        other => Some(other.to_string()),
    };
    let kind = text(&trainer["kind"]).unwrap_or_default();
    let model = text(&trainer["model"]).unwrap_or_default();
    let device = match kind.as_str() {
        "ray" => text(&trainer["cluster"]["address"]).map_or_else(
            || "a cluster".to_owned(),
            |at| format!("the cluster at {at}"),
        ),
        _ => text(&trainer["devices"])
            .or_else(|| text(&trainer["device"]))
            .unwrap_or_else(|| "the processor".to_owned()),
    };
    let data = text(&task["kind"]).unwrap_or_default();
    let path = text(&task["path"]).map_or_else(String::new, |path| format!(" in {path}"));
    vec![
        ("model", format!("{model} (trainer {kind}) on {device}")),
        (
            "data",
            format!(
                "{data}{path}; search seed {}, seeds for each finalist: {}",
                config.search.seed, config.confirm.seeds
            ),
        ),
    ]
}

/// Tokens of a draft in a reply, and of an earlier candidate in a prompt: guesses, for a plan.
const DRAFT_TOKENS: u64 = 400;
const HISTORY_TOKENS: u64 = 350;

/// What asking a chat model will take.
fn requests(config: &Config, request: RequestSize) -> Option<String> {
    let ProposerConfig::Chat(chat) = &config.proposer else {
        return None;
    };
    let rounds = u64::from(config.search.rounds);
    let candidates = config.search.candidates_per_round as u64;
    let grown = HISTORY_TOKENS * candidates * rounds * rounds.saturating_sub(1) / 2;
    let prompt = request.prompt_tokens * rounds + grown;
    let most = request.most_completion_tokens;
    let completion = rounds * (candidates * DRAFT_TOKENS).min(most);
    let mut told = format!(
        "{} for rewards, {} or more, about {prompt} tokens in prompts and {completion} in replies (at most {})",
        chat.asked(),
        counted(rounds as usize, "request"),
        rounds * most
    );
    let prices = chat.endpoint().prices;
    let prices = (prices.prompt, prices.completion);
    told += &match prices {
        (Some(of_prompt), Some(of_completion)) => {
            let dollars = |tokens: u64| {
                (prompt as f64 * of_prompt + tokens as f64 * of_completion) / 1e6
            };
            format!(
                ": about {:.2} dollars, at most {:.2}",
                dollars(completion),
                dollars(rounds * most)
            )
        }
        _ => "; dollars are not told without proposer.price_per_million_prompt_tokens and price_per_million_completion_tokens".to_owned(),
    };
    Some(told)
}

/// The smallest difference in accuracy that McNemar's test finds on so many questions.
fn detectable(questions: usize) -> Option<f64> {
    /// Share of the questions that two trained policies answer differently: one right, one wrong. An assumption: it is not known before the search.
    const DISCORDANCE: f64 = 0.2;
    smallest_detectable_difference(questions as u64, DISCORDANCE, 0.05, 0.8)
}

/// A duration in the unit a person would use.
fn rough(time: Duration) -> String {
    let seconds = time.as_secs_f64();
    match seconds {
        s if s < 90.0 => format!("{s:.0} s"),
        s if s < 5400.0 => format!("{:.0} min", s / 60.0),
        s => format!("{:.1} h", s / 3600.0),
    }
}

/// Measures the pace: a short training run on the base rewards and a few completions, on as many trials side by side as the search
/// will run.
///
/// # Errors
/// As a trial.
pub async fn measure(
    jobs: Jobs<'_>,
    trainer: &dyn Trainer,
    maker: &RewardMaker,
) -> Result<Measured, SearchError> {
    let member = |base: NewCandidate| {
        Some(RewardMember {
            module: Module::from_bytes(base.wasm?),
            name: base.draft.name,
            weight: 1.0,
        })
    };
    let base = references::make(maker).await?.into_iter();
    let members = base.filter_map(member).collect();
    let search = &jobs.config.search;
    let seed = derive_seed(search.seed, "pace");
    let problems = jobs.task.problems(Split::Dev, MEASURED_PROMPTS, seed);
    // The pace of the trainer, not of a model that may judge its rollouts.
    let job = jobs.unjudged(members, &problems, seed, MEASURED_STEPS);
    // Each with a seed of its own: runs of one seed would wait for what one of them draws.
    let side_by_side = (0..search.concurrency() as u64).map(|run| {
        let seed = seed.wrapping_add(run);
        measure_one(
            trainer,
            TrainJob {
                seed,
                ..job.clone()
            },
        )
    });
    let measured = try_join_all(side_by_side).await?;
    let cut = measured.iter().map(|(_, cut)| cut).sum::<f64>() / measured.len().max(1) as f64;
    let paces: Vec<Pace> = measured.into_iter().map(|(pace, _)| pace).collect();
    let mean = |part: fn(&Pace) -> Duration| {
        paces
            .iter()
            .map(part)
            .sum::<Duration>()
            .div_f64(paces.len().max(1) as f64)
    };
    Ok(Measured {
        pace: Pace {
            step: mean(|p| p.step),
            completion: mean(|p| p.completion),
        },
        cut,
    })
}

/// Refuses held-out prompts that cannot be put to the model: before the search, not when the first of them is due.
///
/// # Errors
/// What is wrong with the settings or the first such prompt.
pub async fn check_prompts(jobs: Jobs<'_>, trainer: &dyn Trainer) -> Result<(), TrainError> {
    let Jobs { config, task } = jobs;
    let held_out = [
        (
            config.search.protocol.split(Stage::Screen { rung: 0 }),
            config.screen.ladder().problems(),
        ),
        (Split::Test, config.confirm.problems),
    ];
    let seed = config.search.seed;
    let problems: Vec<Problem> = held_out
        .into_iter()
        .flat_map(|(split, n)| task.held_out(split, n, seed))
        .collect();
    let job = jobs.unjudged(Vec::new(), &problems, seed, 0);
    trainer.check(&job).await
}

/// The pace of a run, and the share of its first completions, which the untouched model wrote, that were cut.
async fn measure_one(trainer: &dyn Trainer, job: TrainJob) -> Result<(Pace, f64), SearchError> {
    let prompts = job.eval_prompts.len();
    let mut clock = Clock::default();
    let training = Training {
        trainer,
        job,
        folder: None,
        earlier: None,
    };
    training.to_completion(&mut clock).await?;
    let judged = clock.last.map_or(Duration::ZERO, |last| last.elapsed());
    let pace = Pace {
        step: Duration::from_secs_f64(clock.seconds / f64::from(MEASURED_STEPS)),
        completion: judged.div_f64(prompts.max(1) as f64),
    };
    Ok((pace, clock.cut.unwrap_or(0.0)))
}

/// Takes the time of steps.
#[derive(Default)]
struct Clock {
    seconds: f64,
    last: Option<Instant>,
    /// Of the first step.
    cut: Option<f64>,
}

impl Watch for Clock {
    fn step<'a>(
        &'a mut self,
        metrics: &'a StepMetrics,
    ) -> BoxFuture<'a, Result<ControlFlow<()>, TrainingError>> {
        self.seconds += metrics.step_time;
        self.cut.get_or_insert(metrics.clipped_ratio);
        self.last = Some(Instant::now());
        Box::pin(async { Ok(ControlFlow::Continue(())) })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn the_plan_counts_every_trial_and_step() {
        let config: Config = toml::from_str(
            "search = {name = 'x', rounds = 2, candidates_per_round = 4, max_concurrent_trials = 2}\n\
             task = {kind = 'toy'}\nscreen = {steps = 10, problems = 100}\n\
             ensemble = {sizes = [3, 9]}\nconfirm = {steps = 20, problems = 50, seeds = 3, candidates = 1}",
        )
        .unwrap();
        let pace = Pace {
            step: Duration::from_secs(1),
            completion: Duration::from_millis(10),
        };
        let plan = Plan::of(&config, Some(pace));
        // 8 candidates and base-only train 10 steps each; those and the untouched model are judged.
        assert_eq!(
            plan.screening,
            Work {
                trials: 10,
                steps: 90,
                completions: 1000
            }
        );
        // base-only, 1 candidate and top-3 (top-9 cannot be) train; those and the untouched model are judged.
        assert_eq!(
            plan.confirmation,
            Work {
                trials: 12,
                steps: 180,
                completions: 600
            }
        );
        assert_eq!(plan.estimate().unwrap(), Duration::from_secs(143));
        let told = plan.to_string();
        let detect = "100 questions on Dev tell rewards apart that differ by 0.124 in accuracy, 50 on Test 0.173";
        assert!(told.contains(detect), "{told}");
    }
}
