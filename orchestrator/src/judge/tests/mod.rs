//! The prompts a judging model gets, whole: the texts beside this file were written by the program before its templates became minijinja's.
#![allow(clippy::unwrap_used)]

use super::prompt::{Case, Prompt};
use crate::domain::verdict::ModelKind;

fn rendered(kind: ModelKind) -> String {
    let case = Case {
        question: "What is {answer} & <b>{{ reference }}</b>?\n",
        reference: "\\frac{1}{2} \"half\"",
        answer: "{% raw %} {reference}",
        completion: "So it is {# one #} 'half'.\n\n",
    };
    Prompt::load(kind, None)
        .unwrap()
        .render(&case)
        .unwrap()
        .user
}

#[test]
fn the_prompts_of_every_kind_are_told_word_for_word() {
    assert_eq!(rendered(ModelKind::Tinyv), include_str!("tinyv.md"));
    assert_eq!(rendered(ModelKind::Xverify), include_str!("xverify.md"));
    assert_eq!(rendered(ModelKind::Llm), include_str!("llm.md"));
}
