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
    cpython_again: Times,
    regex: Form,
    scan: Form,
    guest: Form,
}

/// Times of one form of a reward.
#[derive(Default)]
struct Form {
    /// From draft to callable.
    draft: Times,
    /// A batch, its fresh instance included.
    batch: Times,
    /// The same again and again, without the others' turns in between: with warm caches.
    again: Times,
    /// As many completions more in the same batch: what is left without instance, first use of patterns, running of the file.
    more: Times,
}

impl Form {
    fn text(&self, cpython: &Times) -> String {
        format!(
            "{:14} {:5.2}x, more {:5.2}x",
            self.batch.text(),
            cpython.least() / self.batch.least(),
            cpython.least() / self.more.least()
        )
    }
}

impl Bench<'_> {
    fn row(&mut self, name: &str, scan_agrees: bool) -> Row {
        let (regex, regex_draft) = self.guests.rust(&source(name, "regex"));
        let (scan, scan_draft) = self.guests.rust(&source(name, "scan"));
        let (guest, guest_draft) = self.guests.python(name);
        let form = |draft| Form {
            draft,
            ..Form::default()
        };
        let mut row = Row {
            cpython: Times::default(),
            cpython_again: Times::default(),
            regex: form(regex_draft),
            scan: form(scan_draft),
            guest: form(guest_draft),
        };
        let tripled = self.batch.repeat(3);
        for _ in 0..ROUNDS {
            let (seconds, theirs) = self.python.score(name);
            row.cpython.0.push(seconds * 1e3);
            for (reward, form, agrees) in [
                (Some(&regex), &mut row.regex, true),
                (Some(&scan), &mut row.scan, scan_agrees),
                (guest.as_ref(), &mut row.guest, true),
            ] {
                let Some(reward) = reward else { continue };
                let ours = form.batch.take(|| reward.score(&self.batch).unwrap());
                assert!(
                    !agrees || difference(&ours, &theirs).is_none(),
                    "{name}: scores differ from CPython's"
                );
                form.more.take(|| reward.score(&tripled).unwrap());
            }
        }
        for _ in 0..ROUNDS {
            row.cpython_again.0.push(self.python.score(name).0 * 1e3);
        }
        for (reward, form) in [
            (Some(&regex), &mut row.regex),
            (Some(&scan), &mut row.scan),
            (guest.as_ref(), &mut row.guest),
        ] {
            let Some(reward) = reward else { continue };
            for _ in 0..ROUNDS {
                form.again.take(|| reward.score(&self.batch).unwrap());
            }
        }
        for form in [&mut row.regex, &mut row.scan, &mut row.guest] {
            let single = form.again.least();
            for time in &mut form.more.0 {
                *time = (*time - single) / 2.0;
            }
        }
        println!(
            "{name:16} CPython {:14}  regex {}  scanners {}  guest {}",
            row.cpython.text(),
            row.regex.text(&row.cpython),
            row.scan.text(&row.cpython),
            row.guest.text(&row.cpython),
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

/// Sums over the rewards, beside the targets.
fn summary(rows: &[Row], with_python: bool) {
    let sum = |of: &dyn Fn(&Row) -> f64| rows.iter().map(of).sum::<f64>();
    let cpython = sum(&|row| row.cpython.least());
    let cpython_again = sum(&|row| row.cpython_again.least());
    println!(
        "\nsum of {} rewards, CPython: {cpython:.2} ({:.2}), without turns {cpython_again:.2}",
        rows.len(),
        sum(&|row| row.cpython.median())
    );
    type Of = fn(&Row) -> &Form;
    let forms: [(&str, Of, &str, u32); 3] = [
        (
            "Rust with regular expressions",
            |row| &row.regex,
            "2.2x",
            500,
        ),
        ("Rust with the SDK's scanners", |row| &row.scan, "5x", 500),
        ("Python guest", |row| &row.guest, "0.43x when warm", 15),
    ];
    for (what, form, target, draft_target) in
        forms.into_iter().take(if with_python { 3 } else { 2 })
    {
        let batch = sum(&|row| form(row).batch.least());
        let again = sum(&|row| form(row).again.least());
        let more = sum(&|row| form(row).more.least());
        println!(
            "{what}: {batch:.2} ({:.2}), {:.2}x CPython's speed; without turns {again:.2}, {:.2}x; as many completions more {more:.2}, {:.2}x; target {target}",
            sum(&|row| form(row).batch.median()),
            cpython / batch,
            cpython_again / again,
            cpython / more,
        );
        let drafts = || rows.iter().map(|row| form(row).draft.least());
        println!(
            "  from draft to callable: {:.1} on average, {:.1} at most; target {draft_target}",
            drafts().sum::<f64>() / rows.len() as f64,
            drafts().fold(0.0, f64::max)
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
