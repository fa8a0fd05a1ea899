//! The nodes and their clock, and the trainer that stands for them.

use std::{
    cmp::Reverse,
    collections::{BinaryHeap, HashMap, HashSet, VecDeque},
    path::Path,
    sync::{
        Arc, Mutex, MutexGuard,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use tokio::sync::Notify;
use trainer_bridge::{
    BoxFuture, Checkpoint, Description, Ended, Event, Location, Reporter, Run, RunId,
    SampleCompletion, Saved, StepMetrics, TrainError, TrainJob, TrainOutput, Trainer,
};

use crate::{Arguments, SEED};

/// Events that the program may be behind with.
const BEHIND: u64 = 500;
/// How long the scheduler may take to begin a trial.
const PATIENCE: Duration = Duration::from_secs(300);

/// The nodes and their clock.
pub struct Cloud {
    arguments: Arguments,
    world: Mutex<World>,
    started: Notify,
    pub told: AtomicU64,
    pub heard: AtomicU64,
}

pub struct World {
    pub now: f64,
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
    /// Trials that the scheduler begins before more time passes.
    owed: usize,
    begun: HashSet<String>,
    pub sums: Sums,
}

/// Node seconds, by what became of them.
#[derive(Debug, Default, Clone, Copy)]
pub struct Sums {
    pub useful: f64,
    pub starting: f64,
    pub lost: f64,
    pub gone: f64,
    pub preemptions: u64,
    pub most_waiting: usize,
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
    pub fn new(arguments: &Arguments) -> Self {
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
                owed: 0,
                begun: HashSet::new(),
                sums: Sums::default(),
            }),
            arguments: arguments.clone(),
            started: Notify::new(),
            told: AtomicU64::new(0),
            heard: AtomicU64::new(0),
        }
    }

    pub fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap()
    }

    /// Lets time pass until nothing is left that happens.
    pub async fn pass(&self) {
        loop {
            while self.told.load(Ordering::Relaxed) > self.heard.load(Ordering::Relaxed) + BEHIND {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
            let since = Instant::now();
            // What the scheduler answers an end by happens at once: the clock waits for it.
            while self.world().owed > 0 {
                assert!(since.elapsed() < PATIENCE, "the scheduler begins nothing");
                tokio::time::sleep(Duration::from_micros(200)).await;
            }
            let is_over = {
                let mut world = self.world();
                world.place(&self.arguments);
                let event = world.queue.pop();
                if let Some(Reverse((time, event))) = event {
                    world.now = world.now.max(time as f64 / 1e6);
                    let what = world.happens.remove(&event).unwrap();
                    self.happen(&mut world, what);
                }
                event.is_none()
            };
            if is_over {
                // Nothing happens until something is started.
                self.started.notified().await;
            }
        }
    }

    /// So many trials wait to be begun, as many at once as the scheduler begins.
    pub fn expect(&self, waiting: usize, at_once: usize) {
        let mut world = self.world();
        world.owed = waiting.min(at_once);
        world.unbegun = waiting;
    }

    fn happen(&self, world: &mut World, what: What) {
        match what {
            What::Comes => {
                world.free += 1;
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
                if world.unbegun > world.owed {
                    world.owed += 1;
                }
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
                world.owed += 1;
            }
        }
    }
}

fn saved(step: u32) -> Saved {
    Saved {
        checkpoint: Checkpoint {
            step,
            at: Location::Address("where the nodes share it".to_owned()),
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

pub struct Nodes(pub Arc<Cloud>);

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
            world.owed = world.owed.saturating_sub(1);
            let name = job
                .mix
                .members
                .first()
                .map_or("", |member| member.name.as_str());
            if world.begun.insert(name.to_owned()) {
                world.unbegun = world.unbegun.saturating_sub(1);
            }
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
