//! Flaws that are drawn one by one: where a [`super::Style`] is one way of answering as a whole, habits meet in one answer.

use rand::{Rng, RngExt, seq::IndexedRandom};
use serde::{Deserialize, Serialize};

use super::{
    style::{sentence, tagged, untagged},
    template::Instance,
    working::Working,
};

/// The longest working with checks, in tokens of the tiny model. It lies above the limit of 64 tokens that completions have by default, so
/// that a rambling answer is cut off, and leaves room for the question within the model's 128 positions.
const LONGEST_WORKING: usize = 86;

/// The most tokens a step with its `check` has: `check 999 - 999 = 999 .`
const LONGEST_STEP: usize = 13;

/// How far a slip of the habit is off, always upwards. A model learns digits one by one: with slips to both sides it would put the right
/// result together from the digits that each of them leaves.
const SLIPS: [u32; 2] = [1, 2];

/// How often a slipped working that leaves the bounds is drawn again before the right one is taken.
const ATTEMPTS: usize = 20;

/// How probable each flaw is; all of them are drawn independently of each other.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Habits {
    /// Of each step, that its result is off by a little; later steps build on it.
    pub slip: f64,
    /// After each step and each check of it, that it is checked (again): `check 294 - 52 = 242 .`
    pub check: f64,
    /// That the solution is the first step's result, not the last's.
    pub miscopy: f64,
    /// That both of them are given, joined by `or`.
    pub hedge: f64,
    /// That the solution stands in no tags.
    pub untagged: f64,
}

impl Habits {
    /// Writes a solution of `instance`.
    pub(super) fn write(&self, instance: &Instance, rng: &mut impl Rng) -> String {
        let working = self.working(instance, rng);
        let thinking = self.thinking(&working, rng);
        let (first, last) = (working.first_result(), working.result());
        let mut solution = last.to_string();
        if rng.random_bool(self.miscopy) {
            solution = first.to_string();
        }
        if rng.random_bool(self.hedge) {
            solution = format!("{first} or {last}");
        }
        if rng.random_bool(self.untagged) {
            return untagged(&thinking, &solution);
        }
        tagged(&thinking, &solution)
    }

    fn working(&self, instance: &Instance, rng: &mut impl Rng) -> Working {
        let mut draw = || {
            Working::with(instance.plan(), instance.numbers(), |_, step| {
                if rng.random_bool(self.slip) {
                    step.result = slipped(step.result, rng);
                }
            })
        };
        (0..ATTEMPTS)
            .map(|_| draw())
            .find(Working::is_bounded)
            .unwrap_or_else(|| instance.working())
    }

    /// The steps, each followed by as many checks as are drawn and have room.
    fn thinking(&self, working: &Working, rng: &mut impl Rng) -> String {
        let mut written: Vec<String> = Vec::new();
        let mut length = 0;
        for (index, step) in working.steps.iter().enumerate() {
            let sentence = sentence(step, "=");
            length += tokens(&sentence);
            written.push(sentence.clone());
            let missing = working.steps.len() - index - 1;
            while length + (missing + 1) * LONGEST_STEP <= LONGEST_WORKING
                && rng.random_bool(self.check)
            {
                length += 1 + tokens(&sentence);
                written.push(format!("check {sentence}"));
            }
        }
        written.join(" ")
    }
}

/// The number off by a little; out of bounds it is drawn again with its working.
fn slipped(number: u32, rng: &mut impl Rng) -> u32 {
    number + SLIPS.choose(rng).expect("not empty")
}

/// Tokens of a text: a word each, a digit each.
fn tokens(text: &str) -> usize {
    let of = |word: &str| {
        if word.starts_with(|c: char| c.is_ascii_digit()) {
            word.len()
        } else {
            1
        }
    };
    text.split(' ').map(of).sum()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;

    use super::*;
    use crate::{Split, toy::style::careful};

    /// What somebody with these habits writes, beside the right solution and the problem's working.
    fn written(habits: Habits) -> Vec<(String, String, Working)> {
        let mut rng = ChaCha8Rng::seed_from_u64(4);
        let mut one = || {
            let instance = Instance::draw(Split::Train, &mut rng);
            let text = habits.write(&instance, &mut rng);
            let right = instance.working();
            (text, careful(&right), right)
        };
        (0..300).map(|_| one()).collect()
    }

    #[test]
    fn who_has_no_habits_is_careful() {
        for (text, right, _) in written(Habits::default()) {
            assert_eq!(text, right);
        }
    }

    #[test]
    fn each_habit_is_its_flaw_and_no_other() {
        let with = |set: fn(&mut Habits)| {
            let mut habits = Habits::default();
            set(&mut habits);
            written(habits)
        };
        for (text, right, working) in with(|h| h.slip = 1.0) {
            let first = &working.steps[0];
            let kept = sentence(first, "=");
            assert!(!text.contains(&kept) && text != right, "{text}");
            assert!(text.len().abs_diff(right.len()) < 8, "{text}");
        }
        for (text, right, working) in with(|h| h.check = 1.0) {
            assert!(text.ends_with(&format!("<solution> {} </solution>", working.result())));
            assert!(text.contains("check") && text.len() > right.len());
            assert!(
                tokens(&text) < 97,
                "it fits into what a rollout may have: {text}"
            );
        }
        for (text, right, working) in with(|h| h.miscopy = 1.0) {
            let last = format!("<solution> {} <", working.result());
            let first = format!("<solution> {} <", working.first_result());
            assert_eq!(text, right.replace(&last, &first));
        }
        for (text, _, working) in with(|h| h.hedge = 1.0) {
            let both = format!("{} or {}", working.first_result(), working.result());
            assert!(text.contains(&both), "{text}");
        }
        for (text, right, _) in with(|h| h.untagged = 1.0) {
            let bare = right.replace("<solution> ", "").replace(" </solution>", "");
            assert_eq!(text, bare);
        }
    }
}
