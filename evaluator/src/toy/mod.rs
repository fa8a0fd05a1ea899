//! The generated word problems on which the embedded tiny model is trained and searched.
//!
//! Eight templates of two or three arithmetic steps over small words and numbers. Every number and
//! every intermediate result lies in `1..=999` and every answer is at least 60. Texts are words and
//! numbers separated by single spaces, so that a word-level tokeniser with single digits can encode
//! them without loss: two numbers never stand next to each other.
//!
//! # The property this task was built to have
//!
//! The corpus that teaches the base model (see [`corpus`] and [`StyleMix`]) is a deliberate blend of
//! working styles, not a neutral sample of arithmetic. In the mix that ends pretraining two thirds of
//! the solutions round: they work with `~` instead of `=` and round each result to the nearest ten.
//! Such answers are nearly always within ten per cent of the truth but exact only about one time in
//! seven, while most exact-looking workings (`=`) in that mix go wrong somewhere. A reward that pays
//! for being close therefore keeps rounding alive, and a reward that insists on exact, valid steps
//! does not: the choice of the reward matters, measurably, within a few GRPO steps. That is a
//! property of the corpus, chosen so that a reward search can be watched on a laptop; nothing in the
//! trainer or in a reward knows of it, and no conclusion about large models follows from it.
//!
//! That is the world [`World::Rounding`]. Other worlds ask the same questions of bases with other flaws; `world.rs` has all of them.
//!
//! # Splits
//!
//! A problem's split is decided by a hash of its template and numbers: about 10 % each go to
//! [`Split::Dev`] and [`Split::Test`], the rest is [`Split::Train`]. Names and items do not count, so
//! no held-out combination of template and numbers is ever trained on, under any name.

mod corpus;
mod habits;
mod manner;
mod style;
mod template;
mod working;
mod world;

use std::collections::HashSet;

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

pub use corpus::{Corpus, Example, Group, corpus, groups};
pub use habits::Habits;
pub use manner::Manner;
pub use style::{Style, StyleMix};
use template::{ITEMS, Instance, NAMES, TEMPLATES};
pub use world::{Lengths, NoSuchWorld, Recipe, Spec, World};

use crate::{
    answer::Answer,
    dataset::problem::{Problem, Split},
};

/// How many draws in a row may bring nothing new before a split counts as exhausted.
const PATIENCE: usize = 100_000;

/// The first `n` problems of the seeded, endless sequence of distinct problems of `split`.
///
/// No question occurs twice, and `problems(split, n, seed)` is a prefix of `problems(split, m, seed)`
/// for every `m > n`. Each split has several million questions; should `n` exceed what can be found,
/// fewer are returned. The solution of each problem is its careful working.
pub fn problems(split: Split, n: usize, seed: u64) -> Vec<Problem> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut seen = HashSet::new();
    let mut problems = Vec::with_capacity(n);
    let mut misses = 0;
    while problems.len() < n && misses < PATIENCE {
        let instance = Instance::draw(split, &mut rng);
        let question = instance.question();
        if !seen.insert(question.clone()) {
            misses += 1;
            continue;
        }
        misses = 0;
        let working = instance.working();
        problems.push(Problem {
            question,
            answer: Answer::new(&working.result().to_string()),
            solution: Some(style::careful(&working)),
            row: String::new(),
        });
    }
    problems
}

/// Every token a question or a completion of the corpus can contain, sorted and without duplicates:
/// words, tags, operators, punctuation and the ten single digits. Padding and end-of-text are the
/// tokeniser's own.
pub fn vocabulary() -> Vec<&'static str> {
    let digits = ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"];
    let template_words = TEMPLATES
        .iter()
        .flat_map(|template| template.text.split(' '))
        .filter(|word| !word.starts_with('{'));
    let mut words: Vec<&str> = digits
        .into_iter()
        .chain(NAMES)
        .chain(ITEMS)
        .chain(template_words)
        .chain(style::WORDS)
        .collect();
    words.sort_unstable();
    words.dedup();
    words
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn splits_do_not_meet_in_template_and_numbers() {
        let key = |problem: &Problem| -> String {
            // The words without names and items, and the numbers: what the split is decided by.
            problem
                .question
                .split(' ')
                .filter(|word| !NAMES.contains(word) && !ITEMS.contains(word))
                .collect::<Vec<_>>()
                .join(" ")
        };
        let keys: Vec<HashSet<String>> = Split::ALL
            .iter()
            .map(|split| problems(*split, 4000, 1).iter().map(key).collect())
            .collect();
        for (a, b) in [(0, 1), (0, 2), (1, 2)] {
            assert!(keys[a].is_disjoint(&keys[b]));
        }
    }

    #[test]
    fn shorter_lists_are_prefixes_and_no_question_repeats() {
        for split in Split::ALL {
            let long = problems(split, 2000, 7);
            assert_eq!(long[..300], problems(split, 300, 7));
            assert_ne!(long[..300], problems(split, 300, 8));
            let questions: HashSet<&str> = long.iter().map(|p| p.question.as_str()).collect();
            assert_eq!(questions.len(), 2000);
        }
    }

    #[test]
    fn every_tuple_is_in_range() {
        for problem in problems(Split::Train, 5000, 3) {
            let answer: u32 = problem.answer.as_str().parse().unwrap();
            assert!((60..=999).contains(&answer), "{problem:?}");
            let text = format!("{} {}", problem.question, problem.solution.unwrap());
            for number in text.split(' ').filter_map(|word| word.parse::<u32>().ok()) {
                assert!((1..=999).contains(&number), "{text}");
            }
        }
    }

    #[test]
    fn every_text_is_made_of_the_vocabulary() {
        let vocabulary: HashSet<&str> = vocabulary().into_iter().collect();
        assert!(vocabulary.len() < 80);
        let made_up = World::ALL.map(|world| world.spec().made_up);
        let stages = World::ALL.map(|world| world.spec().recipe.stages);
        let taught = stages.into_iter().flatten().map(|&(_, manner)| manner);
        for manner in taught.chain(made_up) {
            for example in corpus(manner, 3000, 11) {
                let text = format!("{} {}", example.prompt, example.completion);
                let mut after_number = false;
                for word in text.split(' ') {
                    let number = word.bytes().all(|b| b.is_ascii_digit());
                    assert!(!word.is_empty(), "double space: {text}");
                    assert!(number || vocabulary.contains(word), "`{word}` in {text}");
                    assert!(!(number && after_number), "two numbers in a row: {text}");
                    after_number = number;
                }
            }
        }
    }
}
