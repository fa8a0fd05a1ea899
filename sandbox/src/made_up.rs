//! Samples of our own, with which every reward is tried: typical ones for a head start, odd ones for the probe.

use std::borrow::Cow;

use serde::Serialize;
use serde_json::{Map, Value};

use crate::sample::{Sample, Verdict};

/// A sample that owns its texts.
pub(crate) struct MadeUp {
    /// What is special about it, in words.
    pub(crate) name: &'static str,
    prompt: &'static str,
    completion: Cow<'static, str>,
    pub(crate) answer: &'static str,
    verdict: Verdict,
    /// Columns of a data set, as those of real samples.
    row: String,
}

impl MadeUp {
    /// The same with the columns of a real sample; a reference answer among them becomes its own.
    pub(crate) fn with_columns_of(self, row: &str) -> Self {
        let columns: Option<Map<String, Value>> = serde_json::from_str(row).ok();
        let row = columns.map_or_else(String::new, |mut columns| {
            if let Some(answer) = columns.get_mut("answer") {
                let number = self.answer.parse().ok().filter(|_| answer.is_number());
                *answer = number.map_or_else(|| self.answer.into(), Value::Number);
            }
            Value::Object(columns).to_string()
        });
        Self { row, ..self }
    }

    /// The sample as a reward function is given it.
    pub(crate) fn sample(&self) -> Sample<'_> {
        Sample {
            prompt: self.prompt,
            completion: &self.completion,
            answer: self.answer,
            verdict: &self.verdict,
            row: &self.row,
        }
    }
}

/// One of the samples that every reward is tried on when it is loaded, for whoever runs rewards elsewhere in the same way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TypicalSample {
    /// The question.
    pub prompt: String,
    /// What a policy might write.
    pub completion: String,
    /// The reference.
    pub answer: String,
    /// Whether the completion counts as right.
    pub correct: bool,
    /// The answer in it.
    pub extracted: Option<String>,
}

/// The samples that every reward is tried on when it is loaded: what its patterns leave in memory then is where every batch starts, and a
/// Python reward that takes messages for completions shows it there.
#[must_use]
pub fn typical_samples() -> Vec<TypicalSample> {
    let owned = |made_up: MadeUp| TypicalSample {
        prompt: made_up.prompt.to_owned(),
        completion: made_up.completion.into_owned(),
        answer: made_up.answer.to_owned(),
        correct: made_up.verdict.correct,
        extracted: made_up.verdict.extracted,
    };
    typical().into_iter().map(owned).collect()
}

fn sample(
    prompt: &'static str,
    completion: impl Into<Cow<'static, str>>,
    answer: &'static str,
    verdict: (bool, Option<&str>),
) -> MadeUp {
    MadeUp {
        name: "a typical completion",
        prompt,
        completion: completion.into(),
        answer,
        verdict: Verdict {
            correct: verdict.0,
            extracted: verdict.1.map(str::to_owned),
        },
        row: String::new(),
    }
}

/// A wrong answer, or none, to the question below.
fn wrong(completion: impl Into<Cow<'static, str>>) -> MadeUp {
    sample(QUESTION, completion, "42", (false, None))
}

const QUESTION: &str = "tom has 12 apples . tom gets 30 more . how many apples ?";
const GOOD: &str = "<thinking> 12 + 30 = 42 . </thinking> <solution> 42 </solution>";

/// Completions of the kinds that rewards look at.
pub(crate) fn typical() -> [MadeUp; 4] {
    [
        sample(
            "Janet has 16 eggs and eats 3. She sells the rest for $2.50 each. How much does she make?",
            "Janet has 16 - 3 = <<16-3=13>>13 eggs left.\nSo she makes 13 * $2.50 = $<<13*2.5=32.5>>32.50 every day.\nThe answer is $1,032.50!\n#### 32.5",
            "32.5",
            (false, Some("1032.50")),
        ),
        sample(
            "tom has 12 boxes of 4 and takes 7 out ?",
            "<thinking>\nStep 1: First, we have 12 * 4 = 48 . \nStep 2: Then 48 - 7 = 41 , because 7 are taken . \n</thinking>\n<solution> 41 </solution>",
            "41",
            (true, Some("41")),
        ),
        sample(
            "What is 2/3 of 90%?",
            "**Therefore**, we can't say: \\(x = \\frac{2}{3}\\) → \\boxed{0.6}. Is it −60? Yes; it's 60 %...\n\n1. Wait, 2 + 2 == 4\n- so (a) \"done\"\tA: 0.6",
            "0.6",
            (true, Some("0.6")),
        ),
        sample("?", "", "0", (false, None)),
    ]
}

/// Samples that training meets sooner or later and that break careless code.
pub(crate) fn odd() -> Vec<MadeUp> {
    let long = "tom has 12 apples and gets 30 more , so 12 + 30 = 42 . ".repeat(150);
    let looping = "<thinking> 12 + 30 = 42 . ".to_owned() + &"42 ".repeat(2000);
    let digits = format!("<solution> {} </solution>", "9".repeat(1000));
    let tags = "<thinking><solution></thinking></solution>".repeat(100);
    let all = vec![
        ("nothing but empty texts", sample("", "", "", (false, None))),
        ("an empty completion", wrong("")),
        ("a completion of white space", wrong(" \n\t\r\n ")),
        ("a completion of one character", wrong("<")),
        (
            "a right answer",
            sample(QUESTION, GOOD, "42", (true, Some("42"))),
        ),
        (
            "a right answer to an answer that is no number",
            sample(QUESTION, "x + 1", "x+1", (true, Some("x + 1"))),
        ),
        (
            "a reference answer of 0",
            sample(QUESTION, GOOD, "0", (false, Some("42"))),
        ),
        (
            "an extracted answer of 0",
            sample(
                QUESTION,
                "<solution> 0 </solution>",
                "42",
                (false, Some("0")),
            ),
        ),
        (
            "negative and decimal numbers",
            sample(
                "-1.5 + 0.25 ?",
                "-1.5 + .25 = -1.25",
                "-1.25",
                (true, Some("-1.25")),
            ),
        ),
        (
            "division by zero",
            wrong("<thinking> 5 / 0 = 0 . 0 / 0 = 1 </thinking> <solution> 5 / 0 </solution>"),
        ),
        (
            "an unclosed tag",
            wrong("<thinking> 12 + 30 = 42 . <solution> 42"),
        ),
        (
            "tags out of order",
            wrong("</solution> 42 <solution> </thinking> <thinking>"),
        ),
        ("tags a hundred times over", wrong(tags)),
        (
            "letters and signs beyond ASCII",
            wrong("½ ≈ ٣ × ７ — naïve 日本語 👩‍👩‍👧 \u{202e}\u{0}\u{feff} − é̂"),
        ),
        (
            "a number of 1000 digits",
            sample(QUESTION, digits, "42", (false, Some("1e999"))),
        ),
        ("a completion of 8,000 characters", wrong(long)),
        ("a completion stuck in a loop", wrong(looping)),
    ];
    all.into_iter()
        .map(|(name, odd)| MadeUp { name, ..odd })
        .collect()
}
