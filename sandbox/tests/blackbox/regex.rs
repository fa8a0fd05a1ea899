//! The SDK's regular expressions against the `regex` crate, which their syntax and meaning follow.

use proptest::prelude::*;

/// Patterns out of the constructs that both know, over an alphabet small enough to match.
fn pattern() -> impl Strategy<Value = String> {
    let atom = prop_oneof![
        8 => "[ab1 <]",
        1 => Just(".".to_owned()),
        1 => Just(r"\d".to_owned()),
        1 => Just(r"\w".to_owned()),
        1 => Just(r"\S".to_owned()),
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
    #![proptest_config(ProptestConfig { cases: 4000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn matches_are_those_of_the_regex_crate(pattern in pattern(), text in "[abA1 <é\n]{0,24}") {
        // ASCII classes, as in the SDK; multibyte characters stay characters.
        let reference_pattern = pattern.replace(r"\d", "[0-9]").replace(r"\w", "[0-9A-Za-z_]")
            .replace(r"\S", r"[^\t-\r ]").replace(r"\b", r"(?-u:\b)");
        let reference = regex::Regex::new(&reference_pattern).unwrap();
        let ours = reward_sdk::Regex::new(&pattern).unwrap();
        let expected: Vec<_> = reference.find_iter(&text).map(|found| found.range()).collect();
        let found: Vec<_> = ours.find_iter(&text).map(|found| found.range()).collect();
        prop_assert_eq!(found, expected, "{} on {:?}", pattern, text);
        let expected: Option<Vec<_>> = reference.captures(&text).map(|all| all.iter().map(|one| one.map(|one| one.range())).collect());
        let found: Option<Vec<_>> = ours.captures(&text).map(|all| all.iter().map(|one| one.map(|one| one.range())).collect());
        prop_assert_eq!(found, expected, "{} on {:?}", pattern, text);
    }

    #[test]
    fn any_text_is_a_pattern_or_an_error(pattern in "\\PC{0,40}", text in "\\PC{0,40}") {
        if let Ok(regex) = reward_sdk::Regex::new(&pattern) {
            for found in regex.captures_iter(&text) {
                prop_assert!(found.get(0).is_some());
            }
            let _ = regex.replace_all(&text, "$0$1${name}$$");
            regex.split(&text).count();
        }
    }

    #[test]
    fn what_both_accept_they_read_alike(pattern in "[ab(|)*+?\\[\\]^$.{},0-2-]{0,12}", text in "[ab()0-2]{0,12}") {
        if let (Ok(reference), Ok(ours)) = (regex::Regex::new(&pattern), reward_sdk::Regex::new(&pattern)) {
            let expected: Vec<_> = reference.find_iter(&text).map(|found| found.range()).collect();
            let found: Vec<_> = ours.find_iter(&text).map(|found| found.range()).collect();
            prop_assert_eq!(found, expected, "{} on {:?}", pattern, text);
        }
    }
}
