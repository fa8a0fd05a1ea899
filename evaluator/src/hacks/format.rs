//! The formats in which policies are taught to answer, each as the strings around reasoning and answer.

use std::borrow::Cow;

type Text = Cow<'static, str>;

/// A format: what stands around the reasoning, and what around the answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Format {
    /// How it looks, for people: `<think> … <answer>`.
    pub name: Text,
    /// What stands around the reasoning; absent where there is none, and the answer alone is the completion.
    pub reasoning: Option<[Text; 2]>,
    /// What stands around the answer.
    pub answer: [Text; 2],
}

/// Name, what stands around the reasoning, what around the answer. The house's own first: where a reward pays in several formats alike,
/// the first is taken.
type Row = (&'static str, Option<[&'static str; 2]>, [&'static str; 2]);

const USUAL: [Row; 20] = [
    (
        "<thinking> … <solution>",
        Some(["<thinking> ", " </thinking> "]),
        ["<solution> ", " </solution>"],
    ),
    (
        "<think> … <answer>",
        Some(["<think>", "</think>\n"]),
        ["<answer>", "</answer>"],
    ),
    (
        "<think> … <answer>, a line each",
        Some(["<think>\n", "\n</think>\n"]),
        ["<answer>\n", "\n</answer>"],
    ),
    (
        "<reasoning> … <answer>, a line each",
        Some(["<reasoning>\n", "\n</reasoning>\n"]),
        ["<answer>\n", "\n</answer>\n"],
    ),
    (
        "<reasoning> … <answer>",
        Some(["<reasoning>", "</reasoning>\n"]),
        ["<answer>", "</answer>"],
    ),
    ("<answer>", Some(["", "\n"]), ["<answer>", "</answer>"]),
    ("####", Some(["", "\n"]), ["#### ", ""]),
    (
        "\\boxed{}",
        Some(["", "\n"]),
        ["The final answer is \\boxed{", "}."],
    ),
    (
        "$\\boxed{}$",
        Some(["", "\n"]),
        ["The final answer is $\\boxed{", "}$"],
    ),
    (
        "<think> … \\boxed{}",
        Some(["<think>", "</think>\n"]),
        ["The final answer is \\boxed{", "}"],
    ),
    (
        "<think> … ####",
        Some(["<think>\n", "\n</think>\n"]),
        ["#### ", ""],
    ),
    (
        "<think> … <answer> \\boxed{}",
        Some(["<think>\n", "\n</think>\n"]),
        ["<answer>\n\\boxed{", "}\n</answer>"],
    ),
    (
        "<start_working_out> … <SOLUTION>",
        Some(["<start_working_out>", "<end_working_out>"]),
        ["<SOLUTION>", "</SOLUTION>"],
    ),
    ("The answer is", Some(["", "\n"]), ["The answer is ", "."]),
    (
        "The final answer is $…$",
        Some(["", "\n"]),
        [
            "Final Answer: The final answer is $",
            "$. I hope it is correct.",
        ],
    ),
    ("Answer:", Some(["", "\n"]), ["Answer: ", ""]),
    (
        "**Final answer:**",
        Some(["", "\n\n"]),
        ["**Final answer:** ", ""],
    ),
    ("JSON", Some(["", "\n"]), ["{\"answer\": \"", "\"}"]),
    ("last line", Some(["", "\n"]), ["", ""]),
    ("the answer alone", None, ["", ""]),
];

/// Fewest characters of a reference that a format is learnt from: shorter ones stand everywhere.
const LEARNT: usize = 2;

impl Format {
    /// The formats in use, the house's own first.
    #[must_use]
    pub fn usual() -> Vec<Self> {
        let text = |[open, close]: [&'static str; 2]| [open.into(), close.into()];
        let made = |(name, reasoning, answer): Row| Self {
            name: name.into(),
            reasoning: reasoning.map(text),
            answer: text(answer),
        };
        USUAL.map(made).into()
    }

    /// The format of the embedded base model and of its training texts.
    #[must_use]
    pub fn house() -> Self {
        let mut usual = Self::usual();
        usual.swap_remove(0)
    }

    /// A completion in this format.
    #[must_use]
    pub fn wrap(&self, reasoning: &str, answer: &str) -> String {
        match &self.reasoning {
            Some([open, close]) => format!("{open}{reasoning}{close}{}", self.answer(answer)),
            None => self.answer(answer),
        }
    }

    /// The part of a completion that gives the answer.
    #[must_use]
    pub fn answer(&self, answer: &str) -> String {
        let [open, close] = &self.answer;
        format!("{open}{answer}{close}")
    }

    /// A completion of the house's format in this one. What is broken stays broken: every tag is replaced where it stands. Without a place
    /// for reasoning the answer alone is left, or the text as it is where it has none.
    #[must_use]
    pub fn redressed(&self, completion: &str) -> String {
        let Some([open, close]) = &self.reasoning else {
            let answer = completion.split_once("<solution>").map_or("", |(_, rest)| {
                rest.split("</solution>").next().unwrap_or_default()
            });
            return self.answer(answer.trim());
        };
        let [before, after] = &self.answer;
        [
            ("<thinking>", open),
            ("</thinking>", close),
            ("<solution>", before),
            ("</solution>", after),
        ]
        .iter()
        .fold(completion.to_owned(), |text, (tag, with)| {
            let spaced = [format!(" {tag} "), format!("{tag} "), format!(" {tag}")];
            let mut text = text;
            for tag in spaced.iter().map(String::as_str).chain([*tag]) {
                text = text.replace(tag, with);
            }
            text
        })
    }

    /// The format of a recorded completion with its answer taken out: what stands before and after the last place where the reference
    /// answer stands. `None` where it does not, or is too short to be told from chance.
    #[must_use]
    pub fn learnt(completion: &str, reference: &str) -> Option<Self> {
        let reference = reference.trim();
        if reference.len() < LEARNT {
            return None;
        }
        let at = completion.rfind(reference)?;
        let (before, rest) = completion.split_at(at);
        // Where the reference stands in the working, too, the working would give it away.
        let before = before.replace(reference, "…");
        let after = rest[reference.len()..].to_owned();
        Some(Self {
            name: "as in the pool".into(),
            reasoning: Some(["".into(), "\n".into()]),
            answer: [before.into(), after.into()],
        })
    }
}
