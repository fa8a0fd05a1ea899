//! The ten styles in which the corpus solves a problem, and the mixes of them.

use rand::{
    Rng, RngExt,
    seq::{IndexedRandom, SliceRandom},
};
use serde::{Deserialize, Serialize};

use super::{
    template::Instance,
    working::{Op, Step, Working},
};

/// The words a completion can contain besides numbers and the words of the question.
pub(super) const WORDS: [&str; 15] = [
    "<thinking>",
    "</thinking>",
    "<solution>",
    "</solution>",
    "+",
    "-",
    "*",
    "=",
    "~",
    ".",
    "the",
    "answer",
    "is",
    "or",
    "check",
];

/// How far a slip can be off.
const SLIPS: [u32; 5] = [1, 2, 10, 20, 100];

/// The most steps, checks included, a rambling working has.
const RAMBLE_ITEMS: usize = 5;

/// A way of answering; only [`Style::Careful`] is always right.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Style {
    /// Exact working, exact answer.
    Careful,
    /// Every result rounded to the nearest ten (below 20 kept), `~` in place of `=`.
    Rounded,
    /// The last step is missing: the answer is an intermediate result.
    Skip,
    /// Another operation in one step, carried on.
    WrongOperation,
    /// The second operand of one step replaced by another number of the question, carried on.
    WrongNumber,
    /// One result off by a little, carried on.
    Slip,
    /// Right working, one digit of the solution miscopied.
    Miscopy,
    /// Right working, a tag or the whole solution missing.
    Broken,
    /// Right or slipped working, followed by needless checks.
    Ramble,
    /// Right working, two answers joined by `or`: not an answer.
    Hedge,
}

/// The relative frequency of each style.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StyleMix {
    /// [`Style::Careful`]
    pub careful: f64,
    /// [`Style::Rounded`]
    pub rounded: f64,
    /// [`Style::Skip`]
    pub skip: f64,
    /// [`Style::WrongOperation`]
    pub wrong_operation: f64,
    /// [`Style::WrongNumber`]
    pub wrong_number: f64,
    /// [`Style::Slip`]
    pub slip: f64,
    /// [`Style::Miscopy`]
    pub miscopy: f64,
    /// [`Style::Broken`]
    pub broken: f64,
    /// [`Style::Ramble`]
    pub ramble: f64,
    /// [`Style::Hedge`]
    pub hedge: f64,
}

impl StyleMix {
    /// The mix of the first four fifths of pretraining: half careful, so that the model learns the
    /// arithmetic.
    pub const STAGE1: Self = Self {
        careful: 0.50,
        rounded: 0.20,
        skip: 0.05,
        wrong_operation: 0.05,
        wrong_number: 0.04,
        slip: 0.03,
        miscopy: 0.04,
        broken: 0.04,
        ramble: 0.03,
        hedge: 0.02,
    };

    /// The mix of the last fifth, which gives the base policy its habits: it mostly rounds, and its
    /// exact-looking workings mostly go wrong.
    pub const STAGE2: Self = Self {
        careful: 0.05,
        rounded: 0.66,
        skip: 0.08,
        wrong_operation: 0.07,
        wrong_number: 0.04,
        slip: 0.0,
        miscopy: 0.05,
        broken: 0.02,
        ramble: 0.015,
        hedge: 0.015,
    };

    fn weights(&self) -> [(Style, f64); 10] {
        [
            (Style::Careful, self.careful),
            (Style::Rounded, self.rounded),
            (Style::Skip, self.skip),
            (Style::WrongOperation, self.wrong_operation),
            (Style::WrongNumber, self.wrong_number),
            (Style::Slip, self.slip),
            (Style::Miscopy, self.miscopy),
            (Style::Broken, self.broken),
            (Style::Ramble, self.ramble),
            (Style::Hedge, self.hedge),
        ]
    }

    pub(super) fn draw(&self, rng: &mut impl Rng) -> Style {
        self.weights()
            .choose_weighted(rng, |&(_, weight)| weight)
            .map_or(Style::Careful, |&(style, _)| style)
    }
}

/// Writes a solution of `instance` in `style`.
pub(super) fn write(style: Style, instance: &Instance, rng: &mut impl Rng) -> String {
    let right = instance.working();
    match style {
        Style::Careful => careful(&right),
        Style::Rounded => rounded(instance),
        Style::Skip => skip(&right),
        Style::WrongOperation => plain(&wrong_operation(instance, rng)),
        Style::WrongNumber => plain(&wrong_number(instance, rng)),
        Style::Slip => plain(&slip(instance, rng)),
        Style::Miscopy => tagged(&steps(&right, "="), &miscopied(right.result(), rng)),
        Style::Broken => broken(&steps(&right, "="), &right.result().to_string(), rng),
        Style::Ramble => ramble(instance, rng),
        Style::Hedge => tagged(&steps(&right, "="), &alternatives(right.result(), rng)),
    }
}

/// The exact working in full.
pub(super) fn careful(right: &Working) -> String {
    plain(right)
}

fn plain(working: &Working) -> String {
    tagged(&steps(working, "="), &working.result().to_string())
}

pub(super) fn tagged(thinking: &str, solution: &str) -> String {
    format!("<thinking> {thinking} </thinking> <solution> {solution} </solution>")
}

/// `6 * 49 = 294 . 294 - 52 = 242 .`
fn steps(working: &Working, equals: &str) -> String {
    let written: Vec<String> = working.steps.iter().map(|s| sentence(s, equals)).collect();
    written.join(" ")
}

pub(super) fn sentence(step: &Step, equals: &str) -> String {
    let Step { a, op, b, result } = step;
    format!("{a} {} {b} {equals} {result} .", op.symbol())
}

/// To the nearest ten; numbers below 20 stay.
fn round(number: u32) -> u32 {
    if number < 20 {
        number
    } else {
        (number + 5) / 10 * 10
    }
}

fn rounded(instance: &Instance) -> String {
    let working = Working::with(instance.plan(), instance.numbers(), |_, step| {
        step.result = round(step.result);
    });
    // Only 995 to 999 round to four digits: too rare to matter for the mix.
    if working.is_bounded() {
        tagged(&steps(&working, "~"), &working.result().to_string())
    } else {
        careful(&instance.working())
    }
}

fn skip(right: &Working) -> String {
    plain(&shortened(right))
}

fn shortened(right: &Working) -> Working {
    let kept = right.steps.len() - 1;
    Working {
        steps: right.steps[..kept].to_vec(),
    }
}

/// The first of the altered workings, in random order, that stays in bounds and differs from the
/// right one; else the shortened one.
fn first_bounded(mut altered: Vec<Working>, instance: &Instance, rng: &mut impl Rng) -> Working {
    let right = instance.working();
    altered.shuffle(rng);
    altered
        .into_iter()
        .find(|working| working.is_bounded() && *working != right)
        .unwrap_or_else(|| shortened(&right))
}

/// The working in which step `at` is changed.
fn changed_at(instance: &Instance, at: usize, change: impl Fn(&mut Step)) -> Working {
    Working::with(instance.plan(), instance.numbers(), |index, step| {
        if index == at {
            change(step);
        }
    })
}

fn wrong_operation(instance: &Instance, rng: &mut impl Rng) -> Working {
    let at = rng.random_range(0..instance.plan().len());
    let altered = Op::ALL
        .into_iter()
        .map(|op| {
            changed_at(instance, at, |step| {
                step.op = op;
                step.result = op.apply(step.a, step.b);
            })
        })
        .collect();
    first_bounded(altered, instance, rng)
}

fn wrong_number(instance: &Instance, rng: &mut impl Rng) -> Working {
    let at = rng.random_range(0..instance.plan().len());
    let altered = instance
        .numbers()
        .iter()
        .map(|&number| {
            changed_at(instance, at, |step| {
                step.b = number;
                step.result = step.op.apply(step.a, number);
            })
        })
        .collect();
    first_bounded(altered, instance, rng)
}

fn slip(instance: &Instance, rng: &mut impl Rng) -> Working {
    let at = rng.random_range(0..instance.plan().len());
    let altered = SLIPS
        .iter()
        .flat_map(|&off| {
            // A downward slip below one lands on zero, which is out of bounds and never chosen.
            [
                changed_at(instance, at, |step| step.result += off),
                changed_at(instance, at, |step| {
                    step.result = step.result.saturating_sub(off);
                }),
            ]
        })
        .collect();
    first_bounded(altered, instance, rng)
}

/// The number with one digit replaced by another; never a leading zero.
fn miscopied(number: u32, rng: &mut impl Rng) -> String {
    let mut digits = number.to_string().into_bytes();
    let at = rng.random_range(0..digits.len());
    let lowest = if at == 0 { b'1' } else { b'0' };
    let others: Vec<u8> = (lowest..=b'9').filter(|&d| d != digits[at]).collect();
    digits[at] = *others.choose(rng).expect("eight digits remain");
    digits.into_iter().map(char::from).collect()
}

/// An answer in which a tag or the whole solution is missing.
fn broken(thinking: &str, result: &str, rng: &mut impl Rng) -> String {
    match rng.random_range(0..4) {
        0 => untagged(thinking, result),
        1 => format!("<thinking> {thinking} the answer is {result} ."),
        2 => format!("<thinking> {thinking} <solution> {result} </solution>"),
        _ => format!("<thinking> {thinking} </thinking> <solution> {result}"),
    }
}

/// An answer whose solution stands in no tags.
pub(super) fn untagged(thinking: &str, result: &str) -> String {
    format!("<thinking> {thinking} </thinking> {result}")
}

fn ramble(instance: &Instance, rng: &mut impl Rng) -> String {
    let working = if rng.random_bool(0.5) {
        instance.working()
    } else {
        slip(instance, rng)
    };
    let mut thinking = steps(&working, "=");
    for _ in 0..rng.random_range(1..=RAMBLE_ITEMS - working.steps.len()) {
        let step = working.steps.choose(rng).expect("a plan has steps");
        thinking.push_str(" check ");
        thinking.push_str(&sentence(step, "="));
    }
    tagged(&thinking, &working.result().to_string())
}

/// The answer and another one, joined by `or`, in either order.
fn alternatives(answer: u32, rng: &mut impl Rng) -> String {
    let other = match round(answer) {
        same if same == answer => answer - SLIPS.choose(rng).expect("not empty").min(&20),
        near => near,
    };
    let (first, second) = if rng.random_bool(0.5) {
        (answer, other)
    } else {
        (other, answer)
    };
    format!("{first} or {second}")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;

    use super::*;
    use crate::Split;

    #[test]
    fn the_mixes_sum_to_one() {
        for mix in [StyleMix::STAGE1, StyleMix::STAGE2] {
            let total: f64 = mix.weights().iter().map(|(_, weight)| weight).sum();
            assert!((total - 1.0).abs() < 1e-12);
        }
    }

    #[test]
    fn rounding_keeps_small_numbers() {
        let cases = [(7, 7), (19, 19), (20, 20), (24, 20), (25, 30), (294, 290)];
        for (number, expected) in cases {
            assert_eq!(round(number), expected);
        }
    }

    #[test]
    fn careful_alone_is_always_right_and_faulty_styles_never_are() {
        let mut rng = ChaCha8Rng::seed_from_u64(5);
        for _ in 0..2000 {
            let instance = Instance::draw(Split::Train, &mut rng);
            let right = format!("<solution> {} </solution>", instance.working().result());
            assert!(write(Style::Careful, &instance, &mut rng).ends_with(&right));
            for style in [Style::Miscopy, Style::Hedge] {
                assert!(!write(style, &instance, &mut rng).ends_with(&right));
            }
            for style in [Style::WrongOperation, Style::WrongNumber, Style::Slip] {
                let text = write(style, &instance, &mut rng);
                assert_ne!(text, careful(&instance.working()), "{style:?}");
            }
        }
    }

    #[test]
    fn rounded_answers_are_close_but_seldom_exact() {
        let mut rng = ChaCha8Rng::seed_from_u64(6);
        let n = 5000;
        let (mut exact, mut close) = (0, 0);
        for _ in 0..n {
            let instance = Instance::draw(Split::Train, &mut rng);
            let truth = instance.working().result();
            let text = write(Style::Rounded, &instance, &mut rng);
            let answer: u32 = text.split(' ').rev().nth(1).unwrap().parse().unwrap();
            exact += u32::from(answer == truth);
            close += u32::from(answer.abs_diff(truth) * 10 <= truth);
        }
        assert!((0.10..0.18).contains(&(f64::from(exact) / f64::from(n))));
        assert!(f64::from(close) / f64::from(n) > 0.95);
    }
}
