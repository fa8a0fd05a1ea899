//! The families of answers that rule-based verifiers are known to get wrong: for each, right answers written
//! otherwise, and wrong ones written alike.
//!
//! [`LIMITS`] are pairs that no rule here decides as a person would, kept so that a change of heart is noticed.

mod pairs;

use evaluator::Answer;
use pairs::FAMILIES;

/// Pairs judged otherwise than a person would, and why.
const LIMITS: [(&str, &str, &str); 2] = [
    (
        r"\left(1,2\right",
        "(1,2)",
        "what was cut off may have been a bracket",
    ),
    (
        "3:2",
        r"3 \text{ to } 2",
        "as good as a range, which is no ratio",
    ),
];

#[test]
fn every_family_is_judged_as_a_person_would() {
    let mut missed = Vec::new();
    for family in &FAMILIES {
        let judged = |gold: &str, given: &str| Answer::new(gold).matches(given);
        let rejected = family
            .same
            .iter()
            .filter(|(gold, given)| judged(gold, given).is_none());
        missed.extend(rejected.map(|pair| (family.name, "rejected", pair)));
        let accepted = family
            .different
            .iter()
            .filter(|(gold, given)| judged(gold, given).is_some());
        missed.extend(accepted.map(|pair| (family.name, "accepted", pair)));
    }
    let is_limit = |gold: &str, given: &str| {
        LIMITS
            .iter()
            .any(|limit| (limit.0, limit.1) == (gold, given))
    };
    let (known, new): (Vec<_>, Vec<_>) = missed
        .into_iter()
        .partition(|(_, _, pair)| is_limit(pair.0, pair.1));
    assert!(new.is_empty(), "{new:#?}");
    assert_eq!(
        known.len(),
        LIMITS.len(),
        "a limit is none any more: take it out"
    );
}
