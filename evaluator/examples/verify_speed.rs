//! Judges a set of pairs many times over, for `scripts/compare.sh`: `verify_speed DATA SET REPEATS`.
//!
//! DATA is the folder of reference data, SET one of `hardverify-bare`, `hardverify-boxed`, `gsm8k`, `hostile`.
//! Prints one line of JSON: verdicts made, pairs accepted, and of the fastest run of each pair the 99th percentile
//! and the largest, in microseconds; the slowest pairs on standard error. CPU time is for the caller to take.

#![allow(clippy::print_stdout, clippy::print_stderr)]

use std::{env, error::Error, hint::black_box, path::Path, time::Instant};

use evaluator::{Answer, verify};

mod data;

/// How many of the slowest pairs are named on standard error.
const SHOWN: usize = 8;

/// Characters that are shown of a completion.
const LONGEST_SHOWN: usize = 160;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [folder, set, repeats] = &arguments[..] else {
        return Err("usage: verify_speed DATA SET REPEATS".into());
    };
    let pairs = match set.as_str() {
        "hostile" => hostile(),
        name => {
            data::pairs(Path::new(folder))?
                .into_iter()
                .find(|set| set.name == name)
                .ok_or("SET is hardverify-bare, hardverify-boxed, gsm8k or hostile")?
                .pairs
        }
    };
    let repeats: u32 = repeats.parse()?;
    let mut fastest = vec![f64::INFINITY; pairs.len()];
    let mut accepted = 0;
    for _ in 0..repeats {
        accepted = 0;
        for ((gold, completion), fastest) in std::iter::zip(&pairs, &mut fastest) {
            let start = Instant::now();
            let verdict = black_box(verify(completion, &Answer::new(gold)));
            *fastest = fastest.min(start.elapsed().as_secs_f64() * 1e6);
            accepted += u32::from(verdict.rule.is_some());
        }
    }
    let mut slowest: Vec<usize> = (0..pairs.len()).collect();
    slowest.sort_unstable_by(|a, b| fastest[*b].total_cmp(&fastest[*a]));
    for at in slowest.into_iter().take(SHOWN) {
        let (gold, completion) = &pairs[at];
        let start: String = completion.chars().take(LONGEST_SHOWN).collect();
        eprintln!("{:.0} us: {gold:?} ~ {start:?}", fastest[at]);
    }
    fastest.sort_unstable_by(f64::total_cmp);
    let p99 = fastest
        .get(fastest.len() * 99 / 100)
        .copied()
        .unwrap_or_default();
    let largest = fastest.last().copied().unwrap_or_default();
    let verdicts = pairs.len() as u64 * u64::from(repeats);
    println!(
        "{{\"pairs\": {}, \"verdicts\": {verdicts}, \"accepted\": {accepted}, \"p99_us\": {p99:.1}, \"max_us\": {largest:.1}}}",
        pairs.len()
    );
    Ok(())
}

/// Completions written to keep a verifier busy, each judged against several golds.
fn hostile() -> Vec<(String, String)> {
    let million = 1_000_000;
    let completions = [
        "9".repeat(million),
        "(".repeat(million),
        r"\boxed{".repeat(million / 7),
        format!(r"\boxed{{{}}}", "9^".repeat(300) + "9"),
        r"\boxed{9^9^9^9}".to_owned(),
        format!(r"\boxed{{{}1}}", r"\frac{1}{7^{99}}+".repeat(110)),
        format!(r"\boxed{{{}1}}", "y^{3}z+1,".repeat(99)),
        format!(
            r"\boxed{{{}1}}",
            r"(\pm 1, \pm 2, \pm 3, \pm 4),".repeat(60)
        ),
        format!(
            r"\boxed{{{}}}",
            r"\begin{pmatrix}1&2\\3&4\end{pmatrix}".repeat(50)
        ),
        format!(r"\boxed{{{}5}}", r"[0,1] \cup ".repeat(150)),
        "answer is ".repeat(million / 10),
        "the ".repeat(million / 4),
        "$".repeat(million),
        r"\boxed{i}".repeat(80_000),
        r"\boxed{i} and ".repeat(80_000),
        "twenty ".repeat(150_000),
        "\u{1f600}".repeat(million / 4),
        "二".repeat(million / 3),
        "答案是1和".repeat(million / 15),
        "la respuesta es ".repeat(million / 16),
        "B is ".repeat(million / 5),
        format!(r"\boxed{{{}}}", r"\sum_{k=1}^{200} ".repeat(100) + "k"),
        format!(
            r"\boxed{{{}}}",
            r"\frac{999999!}{999800!}+".repeat(80) + "1"
        ),
        format!(r"\boxed{{{}}}", "x is 5 and ".repeat(150)),
    ];
    let golds = [
        "193",
        r"x^{2}+1, 5, (1, 2), y^3z",
        r"(1,2) \cup [3, \infty)",
        r"\pm 1, \pm 2",
    ];
    let pairs = completions.iter().flat_map(|completion| {
        golds
            .iter()
            .map(|gold| ((*gold).to_owned(), completion.clone()))
    });
    pairs.collect()
}
