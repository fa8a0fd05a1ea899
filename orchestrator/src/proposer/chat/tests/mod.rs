//! The prompts a proposing model gets, whole: the texts beside this file were written by the program before its templates became minijinja's.
#![allow(clippy::unwrap_used)]

use evaluator::{Answer, Problem};
use sandbox::{Language, Source};

use super::prompt::Templates;
use crate::{
    domain::{candidate::Origin, draft::Draft},
    proposer::{Brief, Fate, PastCandidate},
};

/// The prompt with the references of the sandbox, which change on their own, left out.
fn rendered(round: u32, language: Language, history: &[PastCandidate]) -> String {
    let problem = |question: &str, answer: &str| Problem {
        question: question.to_owned(),
        answer: Answer::new(answer),
        solution: None,
    };
    let problems = [
        problem("Tom has 3 apples\nand buys {{count}} more.", "5"),
        problem("What is <b>2 & 3</b> \"together\"?", "1/2"),
    ];
    let brief = Brief {
        round,
        count: 8,
        seed: 0,
        history,
        problems: &problems,
        format_hint: " <thinking> the working </thinking> <solution> the number </solution>\n",
    };
    let templates = Templates::load(None).unwrap();
    let prompt = templates.render(&brief, language).unwrap().to_string();
    [sandbox::SDK_REFERENCE, sandbox::PYTHON_REFERENCE]
        .iter()
        .fold(prompt, |prompt, reference| {
            prompt.replace(reference.trim(), "(reference)")
        })
}

fn past(name: &str, language: Language, fate: Fate) -> PastCandidate {
    let code = format!("// {name}: {{{{count}}}} {{% if %}} {{# no comment #}} <&>\n");
    PastCandidate {
        origin: Origin::Round(1),
        draft: Draft {
            name: name.to_owned(),
            source: Source { language, code },
            rationale: "pays | for\n{{round}} 'quoted' <tags>".to_owned(),
            parents: Vec::new(),
        },
        fate,
    }
}

fn ranked(rank: usize) -> Fate {
    Fate::Ranked {
        rank,
        f1: 0.9 - rank as f64 * 0.0125,
        interval: [0.7, 0.8],
        accuracy: 0.6,
        answer_rate: 0.99,
        reward_curve: vec![0.0, 0.5, 1.0],
        correct_curve: Vec::new(),
    }
}

fn history() -> Vec<PastCandidate> {
    let mut history: Vec<_> = (1..=42)
        .map(|rank| past(&format!("reward_{rank}"), Language::Rust, ranked(rank)))
        .collect();
    history[1].draft.source.language = Language::Python;
    let reason = "error[E0425]:\n cannot find `x` <here>".to_owned();
    history.push(past("broken", Language::Rust, Fate::Rejected { reason }));
    let reason = "out of fuel".repeat(50);
    history.push(past("slow", Language::Rust, Fate::Failed { reason }));
    history
}

#[test]
fn the_prompt_of_the_first_round_is_told_word_for_word() {
    let told = rendered(1, Language::Rust, &[]);
    assert_eq!(told, include_str!("round_1.md"));
}

#[test]
fn the_prompt_of_a_later_round_is_told_word_for_word() {
    let told = rendered(3, Language::Rust, &history());
    assert_eq!(told, include_str!("round_3.md"));
}

#[test]
fn the_prompt_for_python_is_told_word_for_word() {
    let told = rendered(1, Language::Python, &[]);
    assert_eq!(told, include_str!("round_1_python.md"));
}
