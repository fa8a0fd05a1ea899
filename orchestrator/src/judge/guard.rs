//! What a model is not asked, because models that judge answers are known to be talked into accepting it.
//!
//! RL-Verifier-Pitfalls (Huang et al., 2025) found that asking only about answers that are not empty, and not where both sides are
//! numeric, closes the hacks with empty symbols and with numbers. Ours are wider: an answer is empty, too, if it has no letter or digit,
//! and if the completion gave no answer by its own contradictions; and where a plain number is asked for, nothing else is worth a
//! question, as the rule knows numbers in every usual form and hacks come in all others.

use evaluator::{Answer, Outcome, Verdict};

use super::config::ModelConfig;
use crate::domain::decider::Decider;

/// Symbols that are an answer by themselves.
const MEANINGFUL: [char; 2] = ['∞', '∅'];

/// The guard that holds for this verdict of the rule, if one does.
pub(super) fn holds(
    config: &ModelConfig,
    verdict: &Verdict,
    reference: &Answer,
) -> Option<Decider> {
    if config.guard_empty && is_empty(verdict) {
        return Some(Decider::GuardEmpty);
    }
    let is_number = |text: &str| Answer::new(text).is_plain_number();
    if !reference.is_plain_number() {
        return None;
    }
    let (on, guard) = if verdict.extracted.as_deref().is_some_and(is_number) {
        (config.guard_numbers, Decider::GuardNumbers)
    } else {
        (config.guard_number_reference, Decider::GuardNumberReference)
    };
    on.then_some(guard)
}

fn is_empty(verdict: &Verdict) -> bool {
    let answer = verdict.extracted.as_deref().unwrap_or_default();
    verdict.outcome == Outcome::NoAnswer || !says_something(answer)
}

/// Whether there is a letter, digit or meaningful symbol besides the names of LaTeX commands that only wrap something, as in
/// `\boxed{\frac{}{}}`.
fn says_something(answer: &str) -> bool {
    let mut rest = answer;
    while let Some(c) = rest.chars().next() {
        let after = &rest[c.len_utf8()..];
        let unnamed = after.trim_start_matches(|c: char| c.is_ascii_alphabetic());
        if c == '\\' && unnamed.starts_with('{') {
            rest = unnamed;
        } else if c.is_alphanumeric() || MEANINGFUL.contains(&c) {
            return true;
        } else {
            rest = after;
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;
    use evaluator::verify;

    fn guard(completion: &str, reference: &str) -> Option<Decider> {
        let reference = Answer::new(reference);
        holds(
            &ModelConfig::default(),
            &verify(completion, &reference),
            &reference,
        )
    }

    #[test]
    fn nothing_and_numbers_are_not_asked_about() {
        for nothing in [
            "",
            "\\boxed{}",
            "\\boxed{\\{}",
            "\\boxed{...}",
            "\\boxed{\\frac{}{}}",
            "\\boxed{\\text{}}",
            "\\boxed{3} or \\boxed{4}",
        ] {
            assert_eq!(guard(nothing, "7"), Some(Decider::GuardEmpty), "{nothing}");
        }
        assert_eq!(guard("\\boxed{8}", "7"), Some(Decider::GuardNumbers));
        assert_eq!(guard("so 1,008.5", "7"), Some(Decider::GuardNumbers));
        for other in ["\\boxed{x = 8}", "\\boxed{correct}", "\\boxed{∞}"] {
            assert_eq!(guard(other, "7"), Some(Decider::GuardNumberReference));
            assert_eq!(guard(other, "x + 1"), None, "{other}");
        }
        assert_eq!(guard("\\boxed{8}", "x + 1"), None);
        let off = ModelConfig {
            guard_empty: false,
            guard_numbers: false,
            guard_number_reference: false,
            ..ModelConfig::default()
        };
        let seven = Answer::new("7");
        for completion in ["", "\\boxed{8}", "\\boxed{x}"] {
            assert_eq!(holds(&off, &verify(completion, &seven), &seven), None);
        }
    }
}
