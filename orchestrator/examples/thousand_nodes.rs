//! Simulates a search on many nodes against the real scheduler, store and judge: only the trainer is made up. Its clock is virtual: a training
//! takes as long as a real one, fails and is preempted as often, and the simulation jumps from one event to the next.
//!
//! ```text
//! cargo run --release --example thousand_nodes -- sim.db --nodes 1000 --trials 10000 --steps 500
//! ```
//!
//! It prints what the nodes did, and what the program needed for it. docs/scale.md has the figures.
#![allow(clippy::unwrap_used, clippy::print_stdout, clippy::panic)]

use std::{
    cmp::Reverse,
    collections::{BinaryHeap, HashMap, VecDeque},
    fs,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, MutexGuard,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use clap::Parser;
use orchestrator::{
    board::leaderboard::Leaderboard,
    config::Config,
    domain::{
        candidate::{NewCandidate, Origin, Status},
        draft::Draft,
        figures::Figures,
        trial::Trial,
    },
    search::{
        Prepared, Search,
        events::{Events, TrialEvents},
        ladder::next,
    },
    store::Proposed,
};
use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use sandbox::{Compiler, CompilerConfig, Source};
use tokio::sync::Notify;
use trainer_bridge::{
    BoxFuture, Checkpoint, Description, Ended, Event, Reporter, Run, RunId, SampleCompletion,
    Saved, StepMetrics, TrainError, TrainJob, TrainOutput, Trainer,
};

/// What is simulated.
#[derive(Parser, Debug, Clone)]
struct Arguments {
    /// The database, which must not exist.
    database: PathBuf,
    /// Nodes, each with one trial at a time.
    #[arg(long, default_value_t = 1000)]
    nodes: usize,
    /// Trials in all.
    #[arg(long, default_value_t = 10_000)]
    trials: usize,
    /// Rounds: no round begins before the last trial of the one before has ended.
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// Optimiser steps of a trial.
    #[arg(long, default_value_t = 500)]
    steps: u32,
    /// Evaluation questions of a trial.
    #[arg(long, default_value_t = 1000)]
    problems: usize,
    /// Seconds of a trial's steps, on the average; nodes and trials differ by a quarter.
    #[arg(long, default_value_t = 2400.0)]
    trial_s: f64,
    /// Seconds from submission to the first step: image, imports, model.
    #[arg(long, default_value_t = 120.0)]
    start_s: f64,
    /// Seconds of the evaluation.
    #[arg(long, default_value_t = 180.0)]
    evaluation_s: f64,
    /// Hours after which a node fails or is taken away, on the average.
    #[arg(long, default_value_t = 24.0)]
    preempted_h: f64,
    /// Seconds until a node that is gone is replaced.
    #[arg(long, default_value_t = 600.0)]
    replaced_s: f64,
    /// Characters of an evaluation's completion.
    #[arg(long, default_value_t = 200)]
    completion: usize,
}

/// Events that the program may be behind with.
const BEHIND: u64 = 4000;
const SEED: u64 = 1;

/// The nodes and their clock.
struct Cloud {
    arguments: Arguments,
    world: Mutex<World>,
    started: Notify,
    told: AtomicU64,
    heard: AtomicU64,
}

struct World {
    now: f64,
    rng: ChaCha8Rng,
    queue: BinaryHeap<Reverse<(u64, u64)>>,
    happens: HashMap<u64, What>,
    next: u64,
    runs: HashMap<u64, Running>,
    waiting: VecDeque<u64>,
    free: usize,
    /// Starts since the simulation began, and trials that are planned and not begun.
    starts: u64,
    unbegun: usize,
    sums: Sums,
}

/// Node seconds, by what became of them.
#[derive(Debug, Default, Clone, Copy)]
struct Sums {
    useful: f64,
    starting: f64,
    lost: f64,
    gone: f64,
    preemptions: u64,
    most_waiting: usize,
}

struct Running {
    reporter: Reporter,
    done: u32,
    saved: u32,
    until: u32,
    save_every: Option<u32>,
    prompts: usize,
    step_s: f64,
    /// When it got its node, and when that will be taken away.
    since: f64,
    dies: f64,
}

#[derive(Debug, Clone, Copy)]
enum What {
    Step(u64),
    Ends(u64),
    Dies(u64),
    Comes,
}

/// Microseconds order as floats do.
fn key(at: f64) -> u64 {
    (at * 1e6) as u64
}

impl World {
    fn at(&mut self, time: f64, what: What) {
        self.next += 1;
        self.queue.push(Reverse((key(time), self.next)));
        self.happens.insert(self.next, what);
    }

    /// Gives free nodes to runs that wait.
    fn place(&mut self, arguments: &Arguments) {
        while self.free > 0
            && let Some(id) = self.waiting.pop_front()
        {
            self.free -= 1;
            let now = self.now;
            let lives = -arguments.preempted_h * 3600.0 * (1.0 - self.rng.random::<f64>()).ln();
            let speed: f64 = self.rng.random_range(0.75..1.25);
            let run = self.runs.get_mut(&id).unwrap();
            run.step_s = arguments.trial_s / f64::from(arguments.steps) * speed;
            (run.since, run.dies) = (now, now + lives);
            let first = now + arguments.start_s;
            self.sums.starting += arguments.start_s;
            self.plan(id, first);
        }
        self.sums.most_waiting = self.sums.most_waiting.max(self.waiting.len());
    }

    /// What a run does next, unless its node is taken away before.
    fn plan(&mut self, id: u64, from: f64) {
        let run = &self.runs[&id];
        let (time, what) = match run.done < run.until {
            true => (from + run.step_s, What::Step(id)),
            false => (from + run.prompts as f64 * 0.18, What::Ends(id)),
        };
        match time < run.dies {
            true => self.at(time, what),
            false => self.at(run.dies, What::Dies(id)),
        }
    }
}

impl Cloud {
    fn new(arguments: &Arguments) -> Self {
        Self {
            world: Mutex::new(World {
                now: 0.0,
                rng: ChaCha8Rng::seed_from_u64(SEED),
                queue: BinaryHeap::new(),
                happens: HashMap::new(),
                next: 0,
                runs: HashMap::new(),
                waiting: VecDeque::new(),
                free: arguments.nodes,
                starts: 0,
                unbegun: 0,
                sums: Sums::default(),
            }),
            arguments: arguments.clone(),
            started: Notify::new(),
            told: AtomicU64::new(0),
            heard: AtomicU64::new(0),
        }
    }

    fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap()
    }

    /// Lets time pass until nothing is left that happens.
    async fn pass(&self) {
        loop {
            while self.told.load(Ordering::Relaxed) > self.heard.load(Ordering::Relaxed) + BEHIND {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
            let (answered, starts) = {
                let mut world = self.world();
                world.place(&self.arguments);
                match world.queue.pop() {
                    None => (true, world.starts),
                    Some(Reverse((time, event))) => {
                        world.now = world.now.max(time as f64 / 1e6);
                        let what = world.happens.remove(&event).unwrap();
                        let answered = self.happen(&mut world, what);
                        (answered, world.starts)
                    }
                }
            };
            if answered && self.world().queue.is_empty() {
                // Nothing happens until something is started.
                self.started.notified().await;
            } else if !answered {
                // The scheduler answers this event by a start: the clock waits for it.
                let since = Instant::now();
                while self.world().starts == starts && since.elapsed() < Duration::from_secs(20) {
                    tokio::task::yield_now().await;
                }
            }
        }
    }

    /// Returns whether the program will not answer by starting a trial.
    fn happen(&self, world: &mut World, what: What) -> bool {
        match what {
            What::Comes => {
                world.free += 1;
                true
            }
            What::Step(id) => {
                let (now, run) = (world.now, world.runs.get_mut(&id).unwrap());
                run.done += 1;
                run.reporter.tell(Event::Step(Box::new(metrics(run.done))));
                self.told.fetch_add(1, Ordering::Relaxed);
                let saves = run
                    .save_every
                    .is_some_and(|every| run.done.is_multiple_of(every));
                if saves && run.done < run.until {
                    run.saved = run.done;
                    run.reporter.tell(Event::Saved(saved(run.done)));
                }
                world.plan(id, now);
                true
            }
            What::Ends(id) => {
                let run = world.runs.remove(&id).unwrap();
                world.sums.useful += world.now - run.since - self.arguments.start_s;
                world.free += 1;
                let completion = "<thinking> 3 + 4 = 7 . </thinking> <solution> 7 </solution> ";
                let text: String = completion
                    .chars()
                    .cycle()
                    .take(self.arguments.completion)
                    .collect();
                run.reporter.finish(Ok(Ended::Done(TrainOutput {
                    completions: vec![text; run.prompts],
                    saved: saved(run.until),
                })));
                world.unbegun == 0
            }
            What::Dies(id) => {
                let run = world.runs.remove(&id).unwrap();
                let had = (world.now - run.since - self.arguments.start_s).max(0.0);
                let lost = f64::from(run.done - run.saved) * run.step_s;
                world.sums.lost += lost.min(had);
                world.sums.useful += had - lost.min(had);
                world.sums.gone += self.arguments.replaced_s;
                world.sums.preemptions += 1;
                let back = world.now + self.arguments.replaced_s;
                world.at(back, What::Comes);
                run.reporter
                    .finish(Err(TrainError::Host("the node was taken away".to_owned())));
                false
            }
        }
    }
}

fn saved(step: u32) -> Saved {
    Saved {
        checkpoint: Checkpoint {
            step,
            at: trainer_bridge::Location::Address("where the nodes share it".to_owned()),
        },
        adapter: None,
    }
}

/// As much as a real step tells.
fn metrics(step: u32) -> StepMetrics {
    let sample = |reward: f64| SampleCompletion {
        prompt: "p".repeat(300),
        completion: "c".repeat(600),
        reward,
        ..SampleCompletion::default()
    };
    StepMetrics {
        step,
        reward: 0.1 * f64::from(step % 7),
        member_rewards: vec![0.25],
        member_rewards_std: vec![0.5],
        samples: vec![sample(1.0), sample(0.0)],
        ..StepMetrics::default()
    }
}

struct Nodes(Arc<Cloud>);

impl Trainer for Nodes {
    fn describe(&self) -> Description {
        Description {
            kind: "simulated".to_owned(),
            base_model: "simulated".to_owned(),
        }
    }

    fn check<'a>(&'a self, _job: &'a TrainJob) -> BoxFuture<'a, Result<(), TrainError>> {
        Box::pin(async { Ok(()) })
    }

    fn start(&self, job: TrainJob) -> BoxFuture<'_, Result<Run, TrainError>> {
        Box::pin(async move {
            let mut world = self.0.world();
            world.starts += 1;
            let id = world.starts;
            world.unbegun = world.unbegun.saturating_sub(usize::from(job.done() == 0));
            let (run, reporter) = Run::new(RunId(format!("simulated-{id}")));
            let (done, prompts) = (job.done(), job.eval_prompts.len());
            world.runs.insert(
                id,
                Running {
                    reporter,
                    done,
                    saved: done,
                    until: job.until_step,
                    save_every: job.save_every,
                    prompts,
                    step_s: 0.0,
                    since: 0.0,
                    dies: 0.0,
                },
            );
            world.waiting.push_back(id);
            self.0.started.notify_one();
            Ok(run)
        })
    }

    fn export<'a>(
        &'a self,
        _checkpoint: &'a Checkpoint,
        _folder: &'a Path,
    ) -> BoxFuture<'a, Result<bool, TrainError>> {
        Box::pin(async { Ok(false) })
    }
}

/// Counts the steps that the program has heard of.
struct Counts(Arc<Cloud>);

impl Events for Counts {
    fn line(&self, _text: &str) {}
    fn references(&self) {}
    fn round(&self, _round: u32, _of: u32) {}
    fn admitted(&self, _candidates: &[NewCandidate]) {}
    fn confirming(&self, _arms: usize, _seeds: u32) {}
    fn batch(&self, _steps: u32) {}
    fn batch_done(&self) {}
    fn trial<'a>(&'a self, _name: &str, _trial: &Trial) -> Box<dyn TrialEvents + 'a> {
        Box::new(Counts(Arc::clone(&self.0)))
    }
    fn ranking(&self, _board: &Leaderboard, _round: u32) {}
}

impl TrialEvents for Counts {
    fn step(&self, _metrics: &StepMetrics) {
        self.0.heard.fetch_add(1, Ordering::Relaxed);
    }
    fn complete(&self, _figures: &Figures, _seconds: f64) {}
    fn failed(&self, why: &str) {
        panic!("{why}");
    }
}

fn candidate(number: usize, origin: Origin, wasm: &[u8]) -> NewCandidate {
    NewCandidate {
        origin,
        draft: Draft {
            name: format!("reward-{number}"),
            source: Source::rust(format!(
                "// {number}\npub fn reward(s: &Sample) -> f64 {{ 1.0 }}"
            )),
            rationale: String::new(),
            parents: Vec::new(),
        },
        sha256: format!("{number:064x}"),
        status: Status::Accepted,
        wasm: Some(wasm.to_vec()),
        probe: None,
    }
}

/// Runs what waits and what follows from it, as a round of a search does.
async fn climb(search: &Search, cloud: &Cloud) {
    let context = &search.context;
    let ladder = context.config.screen.ladder();
    loop {
        let waiting = context.store.waiting_trials(context.id).await.unwrap();
        cloud.world().unbegun = waiting.len();
        search.runner.run_waiting().await.unwrap();
        let trials = next(&context.store.snapshot().await.unwrap(), &ladder);
        if trials.is_empty() {
            return;
        }
        context
            .store
            .plan_trials(context.id, &trials)
            .await
            .unwrap();
    }
}

#[tokio::main]
async fn main() {
    let arguments = Arguments::parse();
    let Arguments {
        nodes,
        trials,
        rounds,
        steps,
        problems,
        ..
    } = arguments;
    let a_round = trials / rounds;
    let config: Config = toml::from_str(&format!(
        "[search]\nname = \"sim\"\nseed = {SEED}\nrounds = {rounds}\ncandidates_per_round = 1000\nmax_concurrent_trials = {}\nsave_every = {}\n\
         [task]\nkind = \"toy\"\n[trainer]\nkind = \"fake\"\n[grpo]\nprompts_per_step = 4\nnum_generations = 4\n\
         [screen]\nsteps = {steps}\nproblems = {problems}\n[confirm]\nseeds = 0\n",
        nodes + nodes / 50,
        (steps / 10).max(1),
    ))
    .unwrap();
    let cloud = Arc::new(Cloud::new(&arguments));
    let events: Arc<dyn Events> = Arc::new(Counts(Arc::clone(&cloud)));
    let prepared = Prepared::of(config, &events).await.unwrap();
    let opened = prepared
        .open(&arguments.database, None, events)
        .await
        .unwrap();
    let mut search = opened.search;
    search.runner.trainer = Arc::new(Nodes(Arc::clone(&cloud)));
    let compiler = Compiler::new(CompilerConfig::default()).unwrap();
    let module = compiler.compile(&Source::rust(
        "pub fn reward(s: &Sample) -> f64 { if s.correct() { 1.0 } else { 0.0 } }",
    ));
    let wasm = module.unwrap().bytes().to_vec();
    let clock = Arc::clone(&cloud);
    tokio::spawn(async move { clock.pass().await });
    let context = Arc::clone(&search.context);
    let ladder = context.config.screen.ladder();
    let (wall, cpu, written) = (Instant::now(), cpu_seconds(), written());
    for round in 0..=rounds {
        let (origin, count) = match round {
            0 => (Origin::Base, 1),
            round => (Origin::Round(u32::try_from(round).unwrap()), a_round),
        };
        let candidates: Vec<NewCandidate> = (0..count)
            .map(|place| candidate(round * 1_000_000 + place, origin, &wasm))
            .collect();
        let proposed = Proposed {
            round: u32::try_from(round).unwrap(),
            candidates: &candidates,
            first_trial: &|id| ladder.first_trial(id, SEED),
        };
        context
            .store
            .record_round(context.id, proposed)
            .await
            .unwrap();
        climb(&search, &cloud).await;
        context
            .store
            .finish_round(context.id, u32::try_from(round).unwrap())
            .await
            .unwrap();
        let world = cloud.world();
        println!(
            "round {round}: day {:.2}, {:.0} s here, {} preemptions",
            world.now / 86_400.0,
            wall.elapsed().as_secs_f64(),
            world.sums.preemptions
        );
    }
    let began = Instant::now();
    let board = Leaderboard::read(&context.store).await.unwrap();
    let ranked = began.elapsed();
    drop(board);
    let world = cloud.world();
    let (sums, told) = (world.sums, cloud.told.load(Ordering::Relaxed));
    let all = world.now * nodes as f64;
    let share = |part: f64| 100.0 * part / all;
    let (spent, wrote) = (cpu_seconds() - cpu, self::written() - written);
    println!(
        "simulated      {:.1} h on {nodes} nodes, {trials} trials of {steps} steps, {} preemptions",
        world.now / 3600.0,
        sums.preemptions
    );
    println!(
        "node time      useful {:.1} %, starting {:.1} %, lost work {:.1} %, replaced {:.1} %, idle {:.1} %",
        share(sums.useful),
        share(sums.starting),
        share(sums.lost),
        share(sums.gone),
        100.0 - share(sums.useful + sums.starting + sums.lost + sums.gone)
    );
    println!(
        "program        {spent:.0} CPU s, {:.0} s wall, {:.2} ms of CPU a step with its share of all else, peak memory {} MB",
        wall.elapsed().as_secs_f64(),
        1e3 * spent / told as f64,
        peak_memory()
    );
    println!(
        "as it happens  {:.0} steps/s and {:.2} trials/s come in; one core takes {:.0} steps/s: {:.1} % of a core",
        told as f64 / world.now,
        trials as f64 / world.now,
        told as f64 / spent,
        100.0 * spent / world.now
    );
    let size = fs::metadata(&arguments.database).unwrap().len();
    println!(
        "database       {:.0} MB, {:.1} KB a step; written {:.0} MB, {:.2} MB/s as it happens; the leaderboard takes {:.2} s",
        size as f64 / 1e6,
        size as f64 / 1e3 / told as f64,
        wrote / 1e6,
        wrote / 1e6 / world.now,
        ranked.as_secs_f64()
    );
}

/// Processor seconds of this process, the system's included.
fn cpu_seconds() -> f64 {
    let stat = fs::read_to_string("/proc/self/stat").unwrap();
    let fields: Vec<&str> = stat
        .rsplit(')')
        .next()
        .unwrap()
        .split_whitespace()
        .collect();
    let ticks: f64 = [fields[11], fields[12]]
        .iter()
        .map(|t| t.parse::<f64>().unwrap())
        .sum();
    ticks / 100.0
}

/// Bytes that this process has written.
fn written() -> f64 {
    let io = fs::read_to_string("/proc/self/io").unwrap_or_default();
    let line = io.lines().find_map(|line| line.strip_prefix("wchar: "));
    line.map_or(0.0, |bytes| bytes.parse().unwrap())
}

/// The most memory that this process ever had, MB.
fn peak_memory() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.unwrap()
        .trim()
        .trim_end_matches(" kB")
        .trim()
        .parse::<u64>()
        .unwrap()
        / 1024
}
