//! Simulates a search on many nodes against the real scheduler, store and judge: only the trainer is made up. Its clock is virtual: a training
//! takes as long as a real one, fails and is preempted as often, and the simulation jumps from one event to the next.
//!
//! ```text
//! cargo run --release --example thousand_nodes -- sim.db --nodes 1000 --trials 10000 --steps 500
//! ```
//!
//! It prints what the nodes did, and what the program needed for it. docs/scale.md has the figures.
#![allow(clippy::unwrap_used, clippy::print_stdout, clippy::panic)]

mod cloud;

use std::{
    fs,
    path::PathBuf,
    sync::{Arc, atomic::Ordering},
    time::Instant,
};

use clap::Parser;
use cloud::{Cloud, Nodes};
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
use sandbox::{Compiler, CompilerConfig, Source};
use trainer_bridge::StepMetrics;

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

const SEED: u64 = 1;

/// Counts the steps that the program has heard of.
struct Counts(Arc<Cloud>);

impl Events for Counts {
    fn line(&self, _text: &str) {}
    fn references(&self) {}
    fn round(&self, _round: u32, _of: u32) {}
    fn admitted(&self, _candidates: &[NewCandidate]) {}
    fn confirming(&self, _arms: usize, _seeds: u32) {}
    fn batch(&self, _steps: u32) {}
    fn batch_grows(&self, _steps: u32) {}
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
        cloud.expect(waiting.len(), context.config.search.concurrency());
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
    let (now, sums) = {
        let world = cloud.world();
        (world.now, world.sums)
    };
    let told = cloud.told.load(Ordering::Relaxed);
    let all = now * nodes as f64;
    let share = |part: f64| 100.0 * part / all;
    let (spent, wrote) = (cpu_seconds() - cpu, self::written() - written);
    println!(
        "simulated      {:.1} h on {nodes} nodes, {trials} trials of {steps} steps, {} preemptions",
        now / 3600.0,
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
        "as it happens  {:.1} steps/s and {:.2} trials/s come in; one core takes {:.0} steps/s: {:.2} % of a core",
        told as f64 / now,
        trials as f64 / now,
        told as f64 / spent,
        100.0 * spent / now
    );
    let size = fs::metadata(&arguments.database).unwrap().len();
    println!(
        "database       {:.0} MB, {:.1} KB a step; written {:.0} MB, {:.2} MB/s as it happens",
        size as f64 / 1e6,
        size as f64 / 1e3 / told as f64,
        wrote / 1e6,
        wrote / 1e6 / now,
    );
    // Last: it may take longer than all the rest.
    let (began, cpu) = (Instant::now(), cpu_seconds());
    let board = Leaderboard::read(&context.store).await.unwrap();
    println!(
        "leaderboard    {:.2} CPU s, {:.2} s wall, peak memory {} MB, {} candidates",
        cpu_seconds() - cpu,
        began.elapsed().as_secs_f64(),
        peak_memory(),
        board.candidates.len()
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
