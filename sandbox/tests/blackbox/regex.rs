//! Regular expressions inside the sandbox against the `regex` crate outside: the same answers to everything.

use std::sync::OnceLock;

use proptest::prelude::*;
use sandbox::RewardFn;

use super::digest::digest;
use super::{reward, sample};

/// [`digest`] as a reward: the pattern is the prompt, the text is the completion.
fn guest() -> &'static RewardFn {
    static REWARD: OnceLock<RewardFn> = OnceLock::new();
    REWARD.get_or_init(|| {
        let digest = include_str!("digest.rs");
        reward(&format!("{digest}pub fn reward(sample: &Sample) -> f64 {{ digest(sample.prompt(), sample.completion()) }}"))
    })
}

fn in_guest(pattern: &str, text: &str) -> f64 {
    guest().score(&[sample(pattern, text, "")]).unwrap()[0]
}

#[test]
fn the_patterns_people_write_mean_the_same() {
    let patterns = [
        r"-?\d+(?:,\d{3})*(?:\.\d+)?",
        r"(?s)<solution>\s*(?P<x>.*?)\s*</solution>",
        r"(?i)\b(?:so|thus|therefore)\b",
        r"(?m)^\s*step\s+(\d+)[:.]",
        r"\\boxed\{([^{}]*)\}",
        r"(\d+)\s*([-+*/×])\s*(\d+)\s*=\s*(-?\d+)",
        r"\w+",
        r"[^\W\d_]+",
        r"\s+",
        "",
        r"\b",
        "$",
        r"[.!?]+(?:\s|$)",
        r"(a|b)*?c",
        r"(?x) \d+ # digits",
        r"####\s*(.+)$",
        r"^\s*(<solution>|Step)",
        r"(?i)(?:^|\W)([skt]\w+)(?:\W|$)",
        r"\B\d|[a-z]+\b",
        "(",
        r"(?=x)",
        r"(\d)\1",
        r"\d{1000000}",
        r"\ps+",
        r"[\pL--é]+|\PL",
        r"\p{Han}+",
        r"\p{Greek}|\p{Cyrillic}|\p{Latin}{3}",
        r"\p{Uppercase}|\p{Emoji_Presentation}",
        r"\p{Age:3.0}\p{wb=ALetter}",
        r"\p{Elvish}",
    ];
    let texts = [
        "",
        "Step 1: 6 * 7 = 42.\nstep 2. So thus 1,234.50 ≠ -3!\n<solution> 42\n</solution> #### 42",
        "Step 1: 6 * 7 = 42.\nstep 2. So thus 1,234.50 = -3!\n<solution> 42\n</solution> #### 42",
        r"\boxed{42} and \boxed{}",
        "naïve ３ ４５ ٣ × ½ 日本語\u{a0}x\u{2028}é̂ ÀÉ",
        "aababcbbc abc",
    ];
    for pattern in patterns {
        for text in texts {
            assert_eq!(
                in_guest(pattern, text),
                digest(pattern, text),
                "{pattern} on {text:?}"
            );
        }
    }
}

/// A match that does not come about costs the length of the text at every place where it could begin.
#[test]
fn starts_in_vain_change_nothing() {
    let text = format!("{}b a", "a".repeat(2000));
    for pattern in ["a+c|b", "(a*)(a+)c|(b)| ", r"[a-z]*\d|\s"] {
        assert_eq!(
            in_guest(pattern, &text),
            digest(pattern, &text),
            "{pattern}"
        );
    }
}

#[test]
fn patterns_outlive_a_sample_but_texts_do_not() {
    let all: Vec<_> = ["a1", "22 b", "", "a1", "3 33 333"]
        .into_iter()
        .flat_map(|text| [r"\d+", r"[ab]"].map(|pattern| sample(pattern, text, "")))
        .collect();
    let expected: Vec<f64> = all
        .iter()
        .map(|one| digest(one.prompt, one.completion))
        .collect();
    assert_eq!(guest().score(&all), Ok(expected));
}

/// Whoever has built the workspace has the sources of the regular-expression module, so that it builds without a network.
#[test]
fn the_module_is_made_of_what_the_workspace_is_made_of() {
    let packages = |path: &str| -> Vec<String> {
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
        let lock = std::fs::read_to_string(path).unwrap();
        let entries = lock.split("[[package]]").skip(1);
        let from_outside = entries.filter(|entry| entry.contains("checksum"));
        from_outside
            .map(|entry| {
                entry
                    .split("dependencies")
                    .next()
                    .unwrap()
                    .trim()
                    .to_owned()
            })
            .collect()
    };
    let workspace = packages("../Cargo.lock");
    for lock in ["regex-module/Cargo.lock", "sdk/Cargo.lock"] {
        let ours = packages(lock);
        assert!(ours.len() >= 4, "{lock}: {ours:?}");
        for package in ours {
            assert!(workspace.contains(&package), "{lock}: {package}");
        }
    }
}

#[test]
fn catastrophic_patterns_are_harmless() {
    let text = "a".repeat(5000);
    for pattern in [r"(a+)+$b", r"(a|a)*c", r"(.*)(.*)(.*)(.*)x"] {
        assert_eq!(in_guest(pattern, &text), digest(pattern, &text));
    }
}

/// Patterns out of the constructs that both know, over an alphabet small enough to match.
fn pattern() -> impl Strategy<Value = String> {
    let atom = prop_oneof![
        8 => "[ab1 <]",
        1 => Just(".".to_owned()),
        1 => Just(r"\d".to_owned()),
        1 => Just(r"\w".to_owned()),
        1 => Just(r"\S".to_owned()),
        1 => Just(r"\pL".to_owned()),
        1 => Just(r"\p{Lu}".to_owned()),
        1 => Just("[^a<]".to_owned()),
        1 => Just("[a-b1]".to_owned()),
        1 => Just(r"\b".to_owned()),
        1 => Just("^".to_owned()),
        1 => Just("$".to_owned()),
        1 => Just("é".to_owned()),
    ];
    atom.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            4 => prop::collection::vec(inner.clone(), 1..4).prop_map(|parts| parts.concat()),
            2 => prop::collection::vec(inner.clone(), 2..4).prop_map(|parts| format!("(?:{})", parts.join("|"))),
            2 => inner.clone().prop_map(|inner| format!("({inner})")),
            2 => (inner.clone(), "[*+?]|\\{0,2\\}|\\{2\\}|\\{1,\\}", any::<bool>())
                .prop_map(|(inner, times, lazy)| format!("(?:{inner}){times}{}", if lazy { "?" } else { "" })),
            1 => inner.prop_map(|inner| format!("(?i:{inner})")),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn matches_are_those_of_the_regex_crate(pattern in pattern(), text in "[abA1 <é\n]{0,24}") {
        prop_assert_eq!(in_guest(&pattern, &text), digest(&pattern, &text), "{} on {:?}", pattern, text);
    }

    #[test]
    fn any_text_is_a_pattern_or_an_error(pattern in "[ab(|)*+?\\[\\]^$.{},0-2-]{0,12}|\\PC{0,20}", text in "[ab()0-2]{0,12}|\\PC{0,30}") {
        prop_assert_eq!(in_guest(&pattern, &text), digest(&pattern, &text), "{} on {:?}", pattern, text);
    }
}
