//! Finds the final answer in a completion.
//!
//! Each strategy knows one way in which models mark their answer. They are tried in the configured
//! order and the first one whose mark is present decides, even if what it finds is no answer: a
//! completion that says `The answer is one of 3, 4, 5.` must not be saved by a later strategy that
//! takes its last number. Nothing is judged here; see [`crate::verify`].

use std::fmt;

use serde::{Deserialize, Serialize};

mod boxed;
mod choice;
mod config;
mod formula;
mod languages;
mod number;
mod phrase;
mod statement;

use crate::answer::{Answer, is_quantity, with_plain_digits};

pub use config::ExtractionConfig;

/// A way of marking the final answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Strategy {
    /// The content of `<solution>…</solution>` or `<answer>…</answer>`. Several different solutions are no answer.
    SolutionTags,
    /// The content of the last `\boxed{…}` with balanced braces; boxes joined by nothing but a comma,
    /// `and` or `or` are read together, as the list they form.
    Boxed,
    /// What follows the last `####` on its line, as in GSM8K.
    Hashes,
    /// A last line of the form `A: …`, `Answer: …` or `Final answer: …`.
    AnswerLine,
    /// What follows the last `answer is` or `answer:`, in other languages, too, up to the end of its sentence; or the
    /// choice that the last line names.
    AnswerIs,
    /// The last line, if it is one formula without prose.
    FinalLine,
    /// The last formula between dollar signs, `\(…\)` or `\[…\]`.
    LastFormula,
    /// The last number anywhere.
    LastNumber,
}

/// A final answer as it stands in the completion.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Extracted {
    /// The answer, without its mark and surrounding white space; never empty.
    pub text: String,
    /// How it was found.
    pub strategy: Strategy,
}

/// The final answer of `completion` by the default strategies.
pub fn extract(completion: &str) -> Option<Extracted> {
    extract_with(completion, &ExtractionConfig::default())
}

/// The final answer of `completion` by the configured strategies.
pub fn extract_with(completion: &str, config: &ExtractionConfig) -> Option<Extracted> {
    let completion = &*with_plain_digits(completion);
    for &strategy in &config.strategies {
        match strategy.find(completion) {
            Found::Nothing => {}
            Found::Contradiction => return None,
            Found::Answer(text) if is_taken_back(strategy, &text, completion) => return None,
            Found::Answer(text) => return Some(Extracted { text, strategy }),
        }
    }
    None
}

/// Whether another answer is stated behind the mark, in numbers that are not those of `text`.
fn is_taken_back(strategy: Strategy, text: &str, completion: &str) -> bool {
    let completion = without_thoughts(completion);
    let Some(rest) = strategy.behind(completion) else {
        return false;
    };
    let has_digits = |text: &str| text.contains(|c: char| c.is_ascii_digit());
    match phrase::answer_is(rest) {
        Found::Answer(other) if has_digits(&other) && has_digits(text) => {
            let is_bare = is_quantity(&other) || !formula::has_prose(&other);
            is_bare && Answer::new(&other).matches(text).is_none()
        }
        _ => false,
    }
}

/// What follows the closed thoughts of a completion, if anything does.
fn without_thoughts(completion: &str) -> &str {
    let completion = without_end(completion);
    match completion.rsplit_once("</think>") {
        Some((_, rest)) if !rest.trim().is_empty() => rest,
        _ => completion,
    }
}

/// Tokens with which chat templates end a turn.
const ENDS: [&str; 8] = [
    "</s>",
    "<|im_end|>",
    "<|endoftext|>",
    "<|eot_id|>",
    "<|end|>",
    "<eos>",
    "<end_of_turn>",
    "<|return|>",
];

/// Without the tokens that end a turn.
fn without_end(mut completion: &str) -> &str {
    while let Some(rest) = ENDS
        .iter()
        .find_map(|end| completion.trim_end().strip_suffix(end))
    {
        completion = rest;
    }
    completion
}

/// What a strategy found.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Found {
    /// Its mark is absent, or marks nothing.
    Nothing,
    /// It marks several answers that differ.
    Contradiction,
    Answer(String),
}

impl fmt::Display for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nothing => f.write_str("nothing"),
            Self::Contradiction => f.write_str("several answers that differ, which is none"),
            Self::Answer(text) => write!(f, "`{text}`"),
        }
    }
}

impl Found {
    fn text(text: &str) -> Self {
        match text.trim() {
            "" => Self::Nothing,
            text => Self::Answer(text.to_owned()),
        }
    }
}

impl Strategy {
    /// All strategies, from the most explicit mark to the least.
    pub const ALL: [Self; 8] = [
        Self::SolutionTags,
        Self::Boxed,
        Self::Hashes,
        Self::AnswerLine,
        Self::AnswerIs,
        Self::FinalLine,
        Self::LastFormula,
        Self::LastNumber,
    ];

    /// The name in configuration files.
    pub const fn name(self) -> &'static str {
        match self {
            Self::SolutionTags => "solution_tags",
            Self::Boxed => "boxed",
            Self::Hashes => "hashes",
            Self::AnswerLine => "answer_line",
            Self::AnswerIs => "answer_is",
            Self::FinalLine => "final_line",
            Self::LastFormula => "last_formula",
            Self::LastNumber => "last_number",
        }
    }

    /// The strategy with this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|strategy| strategy.name() == name)
    }

    /// What stands behind the mark that decided, where it is one that nobody writes by accident.
    fn behind(self, completion: &str) -> Option<&str> {
        match self {
            Self::SolutionTags => {
                let ends = TAGS.iter().filter_map(|(_, close)| completion.rfind(close));
                ends.max().map(|end| &completion[end..])
            }
            Self::Boxed => boxed::behind(completion),
            Self::Hashes => completion
                .rsplit_once("####")
                .and_then(|(_, rest)| rest.split_once('\n'))
                .map(|(_, rest)| rest),
            _ => None,
        }
    }

    pub(crate) fn find(self, completion: &str) -> Found {
        let completion = without_thoughts(completion);
        match self {
            Self::SolutionTags => solution_tags(completion),
            Self::Boxed => boxed::find(completion),
            Self::Hashes => hashes(completion),
            Self::AnswerLine => phrase::answer_line(completion),
            Self::AnswerIs => phrase::answer_is(completion),
            Self::FinalLine => formula::final_line(completion),
            Self::LastFormula => formula::last(completion),
            Self::LastNumber => number::stated(completion).map_or(Found::Nothing, Found::text),
        }
    }
}

/// How a solution begins and ends.
const TAGS: [(&str, &str); 2] = [("<solution>", "</solution>"), ("<answer>", "</answer>")];

fn solution_tags(completion: &str) -> Found {
    let tagged = |(open, close): (&'static str, &'static str)| {
        let opened = completion.split(open).skip(1);
        opened.filter_map(move |rest| rest.split_once(close))
    };
    let mut solutions = TAGS
        .into_iter()
        .flat_map(tagged)
        .map(|(solution, _)| solution.trim())
        .filter(|solution| !solution.is_empty());
    match solutions.next() {
        None => Found::Nothing,
        Some(first) if solutions.all(|other| other == first) => {
            // A sentence inside the tag, which marks its answer once more.
            match phrase::answer_is(first) {
                Found::Nothing => Found::text(first),
                found => found,
            }
        }
        Some(_) => Found::Contradiction,
    }
}

fn hashes(completion: &str) -> Found {
    completion
        .rsplit_once("####")
        .map_or(Found::Nothing, |(_, rest)| {
            Found::text(rest.lines().next().unwrap_or_default())
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(completion: &str) -> Option<String> {
        extract(completion).map(|found| found.text)
    }

    #[test]
    fn each_strategy_finds_its_mark() {
        let cases = [
            (
                "so <solution> -18 </solution>",
                "-18",
                Strategy::SolutionTags,
            ),
            (r"so \boxed{\frac{1}{2}}.", r"\frac{1}{2}", Strategy::Boxed),
            ("12 * 3\n#### 36\n", "36", Strategy::Hashes),
            ("3 apples\nA: 36", "36", Strategy::AnswerLine),
            (
                "Therefore the answer is $20. Done.",
                "$20",
                Strategy::AnswerIs,
            ),
            ("x = 5, so 18", "18", Strategy::LastNumber),
        ];
        for (completion, expected, strategy) in cases {
            let found = extract(completion);
            let expected = Extracted {
                text: expected.to_owned(),
                strategy,
            };
            assert_eq!(found, Some(expected), "{completion}");
        }
    }

    #[test]
    fn solutions_that_differ_are_no_answer() {
        let twice = "<solution> 1 </solution> <solution> 2 </solution> the answer is 2";
        assert_eq!(text(twice), None);
        let same = "<solution> 1 </solution> <solution> 1 </solution>";
        assert_eq!(text(same).as_deref(), Some("1"));
    }

    #[test]
    fn an_answer_that_is_taken_back_is_none() {
        for completion in [
            r"We get \boxed{42}. Hmm, that is wrong. The answer is 43.",
            "#### 42\n\nWait, actually the answer is 43",
            r"The answer is $\boxed{3}$ or maybe 4.",
            "<answer>41</answer><answer>42</answer>",
            "<answer>41</answer><solution>42</solution>",
        ] {
            assert_eq!(text(completion), None, "{completion}");
        }
        for (completion, expected) in [
            ("#### 42\nThe answer is: 42", "42"),
            (r"\boxed{42}. So the answer is 42 apples.", "42"),
            (r"\boxed{42}. So the answer is B.", "42"),
            ("<answer> 42 </answer>", "42"),
            (r"<think>\boxed{41}</think> It is 42.", "42"),
        ] {
            assert_eq!(text(completion).as_deref(), Some(expected), "{completion}");
        }
    }

    #[test]
    fn tags_only_finds_nothing_in_broken_completions() {
        for completion in [
            "<thinking> 6 * 4 = 24 . </thinking> 24",
            "<thinking> 6 * 4 = 24 . the answer is 24 .",
            "<thinking> 6 * 4 = 24 . </thinking> <solution> 24",
            "<thinking> 6 * 4 = 24 . </thinking> <solution> </solution>",
        ] {
            assert_eq!(
                extract_with(completion, &ExtractionConfig::tags_only()),
                None
            );
        }
    }

    #[test]
    fn the_last_hashes_count() {
        assert_eq!(
            text("#### 193\nWait, wrong.\n#### 196").as_deref(),
            Some("196")
        );
    }
}
