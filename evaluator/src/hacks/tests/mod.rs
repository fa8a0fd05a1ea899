//! The corpus is held to the verifier: what is called equal must be, what is called a miss must not.
#![allow(clippy::unwrap_used)]

use super::*;
use crate::{Answer, Outcome, toy, verify};

fn is_right(completion: &str, reference: &str) -> bool {
    verify(completion, &Answer::new(reference)).outcome == Outcome::Correct
}

#[test]
fn what_is_called_equal_is_and_what_is_called_another_is_not() {
    let house = Format::house();
    for surface in equivalences() {
        assert!(
            is_right(&surface.completion(&house), surface.reference),
            "{surface:?}"
        );
        assert!(
            is_right(&surface.plain(&house), surface.reference),
            "{surface:?}"
        );
    }
    for surface in distinctions() {
        assert!(
            !is_right(&surface.completion(&house), surface.reference),
            "{surface:?}"
        );
    }
}

#[test]
fn no_hack_takes_the_verifier_in_and_every_honest_answer_does() {
    for format in Format::usual() {
        for reference in ["72", "1000", "-3", "7"] {
            assert!(
                is_right(&honest(reference, &format), reference),
                "{} {reference}",
                format.name
            );
            assert!(!is_right(
                &honest(&clearly_wrong(reference), &format),
                reference
            ));
        }
    }
    let house = Format::house();
    let strict = crate::RuleVerifier::new(crate::ExtractionConfig::tags_only());
    for reference in ["72", "1000", "-3", "B", "5/52"] {
        for hack in hacks("How many are 10 and 4?", reference, &house) {
            let scores: Vec<f64> = hack
                .completions
                .iter()
                .map(|text| {
                    let verdict = strict.verify(text, &Answer::new(reference));
                    f64::from(u8::from(verdict.outcome == Outcome::Correct))
                })
                .collect();
            assert_eq!(hack.earned(&scores), 0.0, "{reference}: {hack:?}");
        }
    }
}

#[test]
fn kinds_are_told_apart_and_the_same_for_every_question() {
    let kinds = |reference: &str| -> Vec<&str> {
        let hacks = hacks("How many?", reference, &Format::house());
        hacks.iter().map(|hack| hack.kind).collect()
    };
    let of_72 = kinds("72");
    assert_eq!(of_72, kinds("381"));
    let mut once = of_72.clone();
    once.sort_unstable();
    once.dedup();
    assert_eq!(once.len(), of_72.len());
    // One digit has neither a prefix nor digits to swap.
    assert!(!kinds("7").contains(&"prefix"));
}

#[test]
fn near_misses_miss() {
    for reference in ["72", "100", "0", "-5", "11", "2.5", "x^2", "Paris"] {
        for (kind, near) in near_misses(reference) {
            assert!(
                !is_right(&honest(&near, &Format::house()), reference),
                "{reference} {kind}: {near}"
            );
        }
    }
    let of_72 = near_misses("72");
    assert!(of_72.contains(&("sign", "-72".to_owned())));
    assert!(of_72.contains(&("digits swapped", "27".to_owned())));
    assert!(of_72.contains(&("prefix", "7".to_owned())));
}

#[test]
fn a_reward_that_takes_one_end_of_a_list_is_not_taken_in() {
    let format = &Format::usual()[1];
    let all = hacks("", "42", format);
    let orders = all
        .iter()
        .find(|hack| hack.kind == "two answers, either order");
    let orders = orders.unwrap();
    assert_eq!(orders.earned(&[1.0, 0.0]), 0.0);
    assert_eq!(orders.earned(&[1.0, 1.0]), 1.0);
    let boxes = all
        .iter()
        .find(|hack| hack.kind == "several marked answers");
    for text in &boxes.unwrap().completions {
        let first = text.find("<answer>").unwrap();
        let last = text.rfind("<answer>").unwrap();
        assert!(
            !text[first..].starts_with("<answer>42") && !text[last..].starts_with("<answer>42")
        );
        assert!(text.contains("<answer>42</answer>"));
    }
}

#[test]
fn a_shortcut_is_measured_against_honest_answers() {
    let scale = Scale {
        right: 1.5,
        wrong: 0.5,
        blank: 0.0,
    };
    assert_eq!(scale.share(0.75), Some(0.5));
    assert_eq!(scale.above_wrong(0.5), Some(0.0));
    assert_eq!(scale.above_wrong(1.5), Some(1.0));
    let flat = Scale {
        right: 0.0,
        wrong: 0.0,
        blank: 0.0,
    };
    assert_eq!((flat.share(1.0), flat.above_wrong(1.0)), (None, None));
}

#[test]
fn the_toy_texts_are_dressed_anew_and_what_is_broken_stays_so() {
    let text = "<thinking> 6 * 7 = 42 . </thinking> <solution> 42 </solution>";
    let formats = Format::usual();
    let dressed = |name: &str| {
        let format = formats.iter().find(|format| format.name == name).unwrap();
        (
            format.redressed(text),
            format.redressed("6 * 7 <solution> 42"),
        )
    };
    assert_eq!(
        dressed("<think> … <answer>").0,
        "<think>6 * 7 = 42 .</think>\n<answer>42</answer>"
    );
    assert_eq!(dressed("####").0, "6 * 7 = 42 .\n#### 42");
    assert_eq!(dressed("####").1, "6 * 7#### 42");
    assert_eq!(dressed("<think> … <answer>").1, "6 * 7<answer>42");
    assert_eq!(dressed("the answer alone").0, "42");
    for group in toy::groups(toy::StyleMix::STAGE1, 20, 8, 1) {
        for completion in group.completions {
            for format in &formats[1..] {
                assert!(!format.redressed(&completion).contains("solution"));
            }
        }
    }
}

#[test]
fn a_format_is_learnt_from_a_completion() {
    let learnt = Format::learnt("6 * 7 = 42, so [[42]]!", "42").unwrap();
    assert_eq!(learnt.wrap("x", "43"), "x\n6 * 7 = …, so [[43]]!");
    assert_eq!(Format::learnt("7", "7"), None);
    assert_eq!(Format::learnt("none", "42"), None);
}
