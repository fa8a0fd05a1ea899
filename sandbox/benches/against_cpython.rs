//! What a reward costs: from draft to callable, a fresh instance, a batch of 64 completions; and the same rewards in CPython,
//! alternated in one run.
//!
//! `cargo bench -p sandbox --bench against_cpython` prints minima and medians of the thread's CPU time, and ratios beside
//! their targets. Every reward of `benches/rewards` is there three times: as people write it in Python, the same in Rust with
//! regular expressions, and with the SDK's scanners; where the forms mean the same they must agree on every score. Where the
//! Python guest is built, the Python file runs in it, too. Without a `python3` on the path there is nothing to compare with.
#![allow(clippy::print_stdout, clippy::unwrap_used, missing_docs)]

#[allow(
    dead_code,
    reason = "shared with the test of equality, which uses more of it"
)]
mod cpython;

use cpu_time::ThreadTime;
use sandbox::{
    Compiler, CompilerConfig, Limits, Module, RewardFn, Sample, Sandbox, Source, guest_status,
};

use cpython::{Python, REWARDS, difference, python_function, samples, source, tagged};

/// Calls of each reward; Python and sandbox take turns.
const ROUNDS: usize = 60;
/// Compilations of each reward.
const COMPILATIONS: usize = 3;
const COMPLETIONS: usize = 64;

fn main() {
    let texts = tagged(COMPLETIONS);
    let length: usize = texts.iter().map(|one| one.completion.len()).sum();
    println!(
        "{COMPLETIONS} completions of {} characters on average; milliseconds of CPU, minimum (median)\n",
        length / COMPLETIONS
    );
    let compiler = Compiler::new(CompilerConfig::default()).unwrap();
    let sandbox = Sandbox::new(Limits::default()).unwrap();
    let mut bench = Bench {
        guests: Guests {
            with_python: guest_status().is_ok_and(|status| status.ready),
            compiler,
            sandbox,
        },
        python: Python::start(&texts).expect("python3 is on the path"),
        batch: samples(&texts),
    };
    let rows: Vec<Row> = REWARDS
        .into_iter()
        .map(|(name, scan_agrees)| bench.row(name, scan_agrees))
        .collect();
    summary(&rows, bench.guests.with_python);
    bench.guests.instance();
}

struct Bench<'a> {
    guests: Guests,
    python: Python,
    batch: Vec<Sample<'a>>,
}

/// Times of a reward, in milliseconds.
struct Row {
    cpython: Times,
    regex: Times,
    scan: Times,
    guest: Times,
    /// What 64 completions more cost the guest: the call without the instance and the running of the file.
    guest_more: Times,
    load_guest: Times,
    compile_regex: Times,
    compile_scan: Times,
}

impl Bench<'_> {
    fn row(&mut self, name: &str, scan_agrees: bool) -> Row {
        let (regex, compile_regex) = self.guests.rust(&source(name, "regex"));
        let (scan, compile_scan) = self.guests.rust(&source(name, "scan"));
        let (guest, load_guest) = self.guests.python(name);
        let tripled = self.batch.repeat(3);
        let mut row = Row {
            cpython: Times::default(),
            regex: Times::default(),
            scan: Times::default(),
            guest: Times::default(),
            guest_more: Times::default(),
            load_guest,
            compile_regex,
            compile_scan,
        };
        for _ in 0..ROUNDS {
            let (seconds, theirs) = self.python.score(name);
            row.cpython.0.push(seconds * 1e3);
            for (reward, times, agrees) in [
                (Some(&regex), &mut row.regex, true),
                (Some(&scan), &mut row.scan, scan_agrees),
                (guest.as_ref(), &mut row.guest, true),
            ] {
                let Some(reward) = reward else { continue };
                let ours = times.take(|| reward.score(&self.batch).unwrap());
                assert!(
                    !agrees || difference(&ours, &theirs).is_none(),
                    "{name}: scores differ from CPython's"
                );
            }
            if let Some(reward) = &guest {
                row.guest_more.take(|| reward.score(&tripled).unwrap());
            }
        }
        let single = row.guest.least();
        for time in &mut row.guest_more.0 {
            *time = (*time - single) / 2.0;
        }
        println!(
            "{name:16} CPython {:14} regex {:14} {:5.2}x   scanners {:14} {:5.2}x   guest {:14} {:5.2}x, more {:14} {:5.2}x   callable in {:4.0}, {:4.0}, {:4.1}",
            row.cpython.text(),
            row.regex.text(),
            row.cpython.least() / row.regex.least(),
            row.scan.text(),
            row.cpython.least() / row.scan.least(),
            row.guest.text(),
            row.cpython.least() / row.guest.least(),
            row.guest_more.text(),
            row.cpython.least() / row.guest_more.least(),
            row.compile_regex.least(),
            row.compile_scan.least(),
            row.load_guest.least(),
        );
        row
    }
}

/// Makes rewards callable.
struct Guests {
    compiler: Compiler,
    sandbox: Sandbox,
    with_python: bool,
}

impl Guests {
    /// A reward in Rust, and how long it took from draft to callable, the compiler's processes included.
    fn rust(&self, code: &str) -> (RewardFn, Times) {
        let mut times = Times::default();
        let mut reward = None;
        for _ in 0..COMPILATIONS {
            let children = children_seconds();
            let mut here = Times::default();
            let loaded = here.take(|| self.load(code));
            times
                .0
                .push(here.least() + (children_seconds() - children) * 1e3);
            reward = Some(loaded);
        }
        (reward.unwrap(), times)
    }

    fn load(&self, code: &str) -> RewardFn {
        let module: Module = self.compiler.compile(&Source::rust(code)).unwrap();
        self.sandbox.load(&module).unwrap()
    }

    /// The reward in Python, in the guest, as a file of its own; and how long it took from draft to callable.
    fn python(&self, name: &str) -> (Option<RewardFn>, Times) {
        let (mut reward, mut times) = (None, Times::default());
        if self.with_python {
            let source = Source::python(python_function(name));
            for _ in 0..COMPILATIONS {
                reward = Some(times.take(|| {
                    let module = self.compiler.compile(&source).unwrap();
                    self.sandbox.load(&module).unwrap()
                }));
            }
        }
        (reward, times)
    }

    /// A call that does nothing: the instance is all of it.
    fn instance(&self) {
        let plain = "pub fn reward(sample: &Sample) -> f64 { sample.answer().len() as f64 }";
        let pattern = "pub fn reward(s: &Sample) -> f64 { f64::from(Regex::new(\"a\").unwrap().is_match(s.answer())) }";
        let texts = tagged(1);
        let one = samples(&texts);
        for (what, code) in [("", plain), (" with a regular expression", pattern)] {
            let reward = self.load(code);
            let mut times = Times::default();
            for _ in 0..5000 {
                times.take(|| reward.score(&one).unwrap());
            }
            let micros = |milliseconds: f64| milliseconds * 1e3;
            println!(
                "fresh instance and one call{what}: {:.1} ({:.1}) microseconds",
                micros(times.least()),
                micros(times.median())
            );
        }
    }
}

/// Times of one kind.
type Column = fn(&Row) -> &Times;

/// Sums over the rewards, beside the targets.
fn summary(rows: &[Row], with_python: bool) {
    let sum = |of: fn(&Row) -> f64| rows.iter().map(of).sum::<f64>();
    let (least, median) = (
        sum(|row| row.cpython.least()),
        sum(|row| row.cpython.median()),
    );
    println!(
        "\nsum of {} rewards, CPython: {least:.2} ({median:.2})",
        rows.len()
    );
    let ours: [(&str, Column, &str); 4] = [
        (
            "Rust with regular expressions",
            |row| &row.regex,
            "at least 2.2x",
        ),
        (
            "Rust with the SDK's scanners",
            |row| &row.scan,
            "at least 5x",
        ),
        (
            "Python guest, 64 completions more",
            |row| &row.guest_more,
            "at least 0.43x",
        ),
        (
            "Python guest, fresh instance and running the file included",
            |row| &row.guest,
            "none",
        ),
    ];
    for (what, times, target) in ours.into_iter().take(if with_python { 4 } else { 2 }) {
        let all = |of: fn(&Times) -> f64| rows.iter().map(|row| of(times(row))).sum::<f64>();
        println!(
            "{what}: {:.2} ({:.2}), {:.2}x ({:.2}x) CPython's speed; target {target}",
            all(Times::least),
            all(Times::median),
            least / all(Times::least),
            median / all(Times::median)
        );
    }
    let drafts: [(&str, Column, u32); 3] = [
        (
            "in Rust with regular expressions",
            |row| &row.compile_regex,
            500,
        ),
        ("in Rust with scanners", |row| &row.compile_scan, 500),
        ("in Python", |row| &row.load_guest, 15),
    ];
    for (what, times, target) in drafts.into_iter().take(if with_python { 3 } else { 2 }) {
        let most = rows
            .iter()
            .map(|row| times(row).least())
            .fold(0.0, f64::max);
        let mean = rows.iter().map(|row| times(row).least()).sum::<f64>() / rows.len() as f64;
        println!(
            "draft to callable {what}: {mean:.1} on average, {most:.1} at most; target at most {target}"
        );
    }
    println!("target of a fresh instance: at most 20 microseconds");
}

/// Milliseconds of CPU time.
#[derive(Default)]
struct Times(Vec<f64>);

impl Times {
    fn take<T>(&mut self, work: impl FnOnce() -> T) -> T {
        let started = ThreadTime::now();
        let result = work();
        self.0.push(started.elapsed().as_secs_f64() * 1e3);
        result
    }

    fn least(&self) -> f64 {
        self.0.iter().copied().fold(f64::NAN, f64::min)
    }

    fn median(&self) -> f64 {
        let mut sorted = self.0.clone();
        sorted.sort_by(f64::total_cmp);
        sorted.get(sorted.len() / 2).copied().unwrap_or(f64::NAN)
    }

    fn text(&self) -> String {
        format!("{:.3} ({:.3})", self.least(), self.median())
    }
}

/// CPU seconds of all processes this one started and waited for, where the system tells.
fn children_seconds() -> f64 {
    /// Clock ticks a second in `/proc`, the same on every Linux.
    const TICKS: f64 = 100.0;
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields = stat.rsplit(") ").next().unwrap_or_default();
    // The 16th and 17th field of all; the state is the 3rd.
    let ticks = fields.split(' ').skip(13).take(2);
    ticks
        .filter_map(|field| field.parse::<f64>().ok())
        .sum::<f64>()
        / TICKS
}
