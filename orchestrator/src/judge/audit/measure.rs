//! What a training's steps, outcomes and completions come to.

use evaluator::{Agreement, Evaluation, Outcome};
use trainer_bridge::StepMetrics;

use crate::domain::traces::{HeldOut, Move, Traces};

/// Steps whose mean is taken at either end: enough to smooth a step's luck, few enough to see where it began.
const WINDOW: usize = 5;

/// What a policy wrote to held-out questions, judged.
#[derive(Debug, Clone, Copy)]
pub struct Judged<'a> {
    /// The outcomes.
    pub evaluation: &'a Evaluation,
    /// What it wrote, in the same order.
    pub completions: &'a [String],
}

/// What a training leaves behind: its steps, what its policy wrote, and what the untouched model wrote to the same questions. `weights` are
/// those of the mix's members.
#[must_use]
pub fn traces(
    curve: &[StepMetrics],
    weights: &[f64],
    [trained, untouched]: [Judged<'_>; 2],
) -> Traces {
    let of = |value: fn(&StepMetrics) -> f64| moved(curve.iter().map(value).collect());
    let usual = usual_numbers(untouched);
    let loudest = loudest(curve, weights);
    // Of other questions there are no pairs.
    let table = Agreement::between(trained.evaluation, untouched.evaluation).ok();
    Traces {
        steps: curve.len(),
        reward: of(|step| step.reward),
        spread: of(|step| step.reward_std),
        flat: of(|step| step.frac_reward_zero_std),
        correct: of(|step| step.correct),
        length: of(|step| step.completion_length),
        entropy: of(|step| step.entropy),
        loudest: loudest.map(|(_, share)| share),
        loudest_member: loudest.map(|(member, _)| member),
        held_out: held_out(trained, usual),
        untouched: held_out(untouched, usual),
        won: table.map_or(0, |table| table.only_a),
        lost: table.map_or(0, |table| table.only_b),
    }
}

/// How a figure moved.
fn moved(values: Vec<f64>) -> Move {
    let n = values.len();
    if n < 2 {
        let only = values.first().copied().unwrap_or(0.0);
        return Move {
            from: only,
            to: only,
            z: 0.0,
        };
    }
    let window = WINDOW.min(n / 2);
    let mean = |part: &[f64]| part.iter().sum::<f64>() / part.len() as f64;
    let (from, to) = (mean(&values[..window]), mean(&values[n - window..]));
    // Differences of neighbours: a slow rise hardly enters, a step's luck enters twice.
    let jumps = values.windows(2).map(|pair| (pair[1] - pair[0]).powi(2));
    let of_a_step = jumps.sum::<f64>() / (2 * (n - 1)) as f64;
    let error = (2.0 * of_a_step / window as f64).sqrt();
    let z = if error > 0.0 {
        (to - from) / error
    } else {
        0.0
    };
    Move { from, to, z }
}

/// The member with the largest share of the weighted standard deviations over the last steps.
fn loudest(curve: &[StepMetrics], weights: &[f64]) -> Option<(usize, f64)> {
    if weights.len() < 2 {
        return None;
    }
    let last = &curve[curve.len().saturating_sub(WINDOW)..];
    let spread = |member: usize| -> f64 {
        let of_step = |step: &StepMetrics| step.member_rewards_std.get(member).copied();
        last.iter().filter_map(of_step).sum::<f64>() * weights[member].abs()
    };
    let spreads: Vec<f64> = (0..weights.len()).map(spread).collect();
    let all: f64 = spreads.iter().sum();
    let (member, most) = spreads
        .iter()
        .copied()
        .enumerate()
        .max_by(|a, b| a.1.total_cmp(&b.1))?;
    (all > 0.0).then(|| (member, most / all))
}

fn held_out(judged: Judged<'_>, usual: usize) -> HeldOut {
    let counts = judged.evaluation.counts();
    let pairs = judged.evaluation.outcomes().iter().zip(judged.completions);
    let (mut empty_forms, mut without_working) = (0, 0);
    for (outcome, completion) in pairs {
        match outcome {
            Outcome::NoAnswer => empty_forms += u64::from(has_a_form(completion)),
            Outcome::Correct | Outcome::Wrong => {
                without_working += u64::from(2 * numbers(completion) < usual);
            }
        }
    }
    HeldOut {
        questions: counts.total(),
        right: counts.correct,
        answered: counts.correct + counts.wrong,
        empty_forms,
        without_working,
    }
}

/// Whether a text has some form of an answer.
fn has_a_form(text: &str) -> bool {
    ["</", "\\boxed", "####"]
        .iter()
        .any(|mark| text.contains(mark))
}

/// The median of the numbers in the answers that were given.
fn usual_numbers(judged: Judged<'_>) -> usize {
    let pairs = judged.evaluation.outcomes().iter().zip(judged.completions);
    let answered = pairs.filter(|(outcome, _)| **outcome != Outcome::NoAnswer);
    let mut counts: Vec<usize> = answered.map(|(_, text)| numbers(text)).collect();
    counts.sort_unstable();
    counts.get(counts.len() / 2).copied().unwrap_or(0)
}

/// Runs of digits.
fn numbers(text: &str) -> usize {
    let is_digit = |c: char| c.is_ascii_digit();
    text.split(|c| !is_digit(c))
        .filter(|run| !run.is_empty())
        .count()
}
