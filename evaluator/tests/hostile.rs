//! Whatever a policy writes: no panic, no verdict that takes long, and the laws a comparison must obey.

#![allow(clippy::unwrap_used, clippy::print_stderr)]

use std::time::Instant;

use evaluator::{Answer, Outcome, RuleVerifier, verify};
use proptest::prelude::*;

/// Numbers, fractions, roots, lists, intervals, functions: answers as they occur.
fn answer() -> impl Strategy<Value = String> {
    let figure = prop_oneof![
        "[1-9][0-9]{0,5}",
        "-[1-9][0-9]{0,2}",
        r"[1-9]\.[0-9]{1,3}",
        r"\\frac\{[1-9]{1,2}\}\{[1-9]{1,2}\}",
        r"[1-9]\\sqrt\{[2-9]\}",
        r"[2-9]\\pi",
        "[1-9]x\\^2 [+-] [1-9]y",
        "[a-d]",
    ];
    let figure = figure.boxed();
    let number = prop_oneof![
        8 => figure.clone(),
        1 => r"[1-9]{1,2}\\%",
        1 => "[1-9][0-9]? (cm|m|km|g|kg|hours|apples)",
        1 => "(one|two|seven) (thirds|fifths|million)",
        1 => r"\\\$[1-9]\.[0-9]{2}",
    ];
    let number = number.boxed();
    prop_oneof![
        number.clone(),
        (number.clone(), number.clone()).prop_map(|(a, b)| format!("{a}, {b}")),
        (number.clone(), number.clone()).prop_map(|(a, b)| format!("({a}, {b}]")),
        (number.clone(), number.clone()).prop_map(|(a, b)| format!(r"\{{{a}, {b}\}}")),
        (number.clone(), number).prop_map(|(a, b)| format!(r"{a} < x \le {b}")),
        (figure.clone(), figure).prop_map(|(a, b)| format!(r"\frac{{{a}}}{{{b}}}")),
    ]
}

/// Pieces of LaTeX in any order.
fn soup() -> impl Strategy<Value = String> {
    let pieces = [
        r"\frac",
        r"\sqrt",
        r"\boxed",
        r"\left",
        r"\text",
        "{",
        "}",
        "(",
        ")",
        "[",
        "]",
        "^",
        "_",
        "|",
        ",",
        "x",
        "12",
        ".5",
        "-",
        "=",
        "<",
        r"\le",
        r"\pm",
        r"\{",
        r"\}",
        r"\begin{pmatrix}",
        r"\end{pmatrix}",
        r"\\",
        "&",
        "$",
        "%",
        "!",
        "°",
        "π",
        "or",
        "and",
        "\t",
        "\n",
        ":",
        "'",
        r"\cup",
        r"\in",
        "f(",
        "e",
        r"\sin",
        "²",
        "①",
        "answer is",
        "A:",
        "####",
        "<solution>",
        "</solution>",
    ];
    prop::collection::vec(prop::sample::select(pieces.to_vec()), 0..40)
        .prop_map(|parts| parts.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn an_answer_equals_itself_in_any_wrapping(text in answer()) {
        let gold = Answer::new(&text);
        for wrapped in [text.clone(), format!("${text}$"), format!(r"\left( {text} \right)"), format!(" {text}. ")] {
            // Parentheses round a pair make it another thing.
            if wrapped.starts_with(r"\left") && text.contains(',') {
                continue;
            }
            prop_assert!(gold.matches(&wrapped).is_some(), "{wrapped}");
        }
        let completion = format!(r"First 7, then so \boxed{{{text}}}.");
        prop_assert_eq!(verify(&completion, &gold).outcome, Outcome::Correct);
    }

    #[test]
    fn exact_comparison_is_symmetric(a in answer(), b in answer()) {
        let one = Answer::new(&a).matches_within(&b, 0.0).is_some();
        let other = Answer::new(&b).matches_within(&a, 0.0).is_some();
        prop_assert_eq!(one, other, "{} | {}", a, b);
    }

    #[test]
    fn nothing_panics(gold in soup(), completion in soup(), any in any::<String>()) {
        for gold in [&gold, &any] {
            let gold = Answer::new(gold);
            for completion in [&completion, &any] {
                let verdict = verify(completion, &gold);
                prop_assert_eq!(verdict, RuleVerifier::default().explain(completion, &gold).verdict);
                let _ = gold.matches(completion);
            }
        }
    }
}

#[test]
fn hostile_input_is_judged_quickly() {
    let long = 1_000_000;
    let inputs = [
        ("digits", "9".repeat(long)),
        ("parentheses", "(".repeat(long)),
        ("short parentheses", "(".repeat(900) + &")".repeat(900)),
        ("boxes", r"\boxed{".repeat(long / 7)),
        ("fractions", r"\frac".repeat(390)),
        ("roots", r"\sqrt{".repeat(300)),
        ("tower", "9^9^9^9^9^9^9^9^9^9^9".to_owned()),
        ("factorials", "9!!!!!!!!!!!!".to_owned()),
        (
            "factorials in a list",
            (401..=500).map(|n| format!("{n}!x,")).collect(),
        ),
        (
            "small factorials in a list",
            (201..=300).map(|n| format!("{n}!x,")).collect(),
        ),
        (
            "binomials in a list",
            (300..=380)
                .map(|n| format!(r"\binom{{{n}}}{{150}}x,"))
                .collect(),
        ),
        ("factorials behind it", "x".to_owned() + &"!".repeat(1990)),
        ("divisions", "x".to_owned() + &"/x".repeat(990)),
        ("powers", "((((x+1)^{99})^{99})^{99})^{99}".to_owned()),
        ("many powers", "9^{999}+".repeat(200) + "1"),
        ("big fractions", r"\frac{1}{7^{99}}+".repeat(110) + "1"),
        ("list", "x+1,".repeat(480) + "1"),
        ("short list", "y^{3}z+1,".repeat(99) + "1"),
        ("signs", r"\pm 1".repeat(390)),
        ("points", r"(\pm 1, \pm 2, \pm 3, \pm 4),".repeat(60) + "1"),
        ("dollars", "$".repeat(long)),
        ("backslashes", "\\".repeat(long)),
        ("answers", "answer is ".repeat(long / 10)),
        ("solutions", "<solution>1".repeat(long / 11)),
        ("commas", "1,".repeat(long / 2)),
        ("bars", "|".repeat(1900)),
        ("sines", r"\sin ".repeat(390) + "x"),
        ("words", "the ".repeat(long / 4)),
        ("numbers in words", "one and ".repeat(long / 8)),
        ("a long decimal", "0.".to_owned() + &"7".repeat(long)),
        ("choices", "(B) ".repeat(long / 4)),
        ("numbered parts", "(1) 5; (2) 7; ".repeat(140)),
        ("bare fractions", "frac{".repeat(long / 5)),
        ("powers in small type", "x²".repeat(long / 4)),
        ("texts in texts", r"\text{\text{".repeat(150)),
        ("unions", r"[0,1] \cup ".repeat(150) + "[1,2]"),
        ("conditions", r"x \ne 1 \text{ and } ".repeat(80) + "x > 0"),
        ("ratios", "1:2:".repeat(400) + "3"),
        ("sums of sums", r"\sum_{k=1}^{200} ".repeat(100) + "k"),
        ("small sums of sums", r"\sum_{k=1}^{2} ".repeat(100) + "k"),
        ("deep sums", r"\prod_{k=1}^{2} ".repeat(long / 16)),
        (
            "divisors of divisors",
            r"\gcd(".repeat(100) + "x" + &")".repeat(100),
        ),
        (
            "some divisors of divisors",
            r"\max(".repeat(30) + "x" + &")".repeat(30),
        ),
        (
            "quotients of factorials",
            r"\frac{999999!}{999800!}+".repeat(80) + "1",
        ),
        ("boxes of a letter", r"\boxed{i}".repeat(80_000)),
        ("Chinese numerals", "二".repeat(long / 3)),
        ("marks of other languages", "答案是1和".repeat(long / 15)),
        ("Spanish marks", "la respuesta es ".repeat(long / 16)),
        ("names and values", "x is 5 and ".repeat(150)),
        ("workings", "1+1=".repeat(400) + "2"),
        (
            "dollars and units",
            "$1.5 million dollars per hour ".repeat(long / 30),
        ),
        (
            "matrices",
            r"\begin{pmatrix}1&2\\3&4\end{pmatrix}".repeat(50),
        ),
    ];
    let golds = [
        r"x^{2}+1, 5, (1, 2), y^3z",
        "193",
        r"(1,2) \cup [3, \infty)",
        r"\pm 1, \pm 2",
    ];
    let mut worst = (0.0, "", "");
    for (name, input) in &inputs {
        for text in golds {
            let gold = Answer::new(text);
            for completion in [input.clone(), format!(r"\boxed{{{input}}}")] {
                let start = Instant::now();
                let _ = verify(&completion, &gold);
                let _ = Answer::new(input).matches(&format!("0+{input}"));
                let _ = Answer::new(input).matches(&format!("{input},0"));
                let seconds = start.elapsed().as_secs_f64();
                if seconds > worst.0 {
                    worst = (seconds, name, text);
                }
            }
        }
    }
    eprintln!("worst hostile input: {worst:?}");
    // A generous bound for a loaded machine; what matters is that nothing grows without one.
    assert!(worst.0 < 2.0, "{worst:?}");
}
