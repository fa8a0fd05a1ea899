//! Mutants of real references must be refused, and their rewrites accepted.
//!
//! References of the reference data, each changed in every place by a rule: a mutant says something else, a rewrite
//! the same. What is printed stands in `docs/verification.md`.

#![allow(clippy::unwrap_used, clippy::print_stderr)]

mod data;

use std::collections::{BTreeMap, BTreeSet};

use evaluator::Answer;
use serde_json::Value;

/// All that a rule makes of a text.
type Change = fn(&str) -> Vec<String>;

const MUTATIONS: [(&str, Change); 10] = [
    ("a digit", digits),
    ("a sign", signs),
    ("a letter", letters),
    ("a bracket", brackets),
    ("a member left out", members),
    ("a function", functions),
    ("a relation turned", relations),
    ("a formula left out", formulas),
    ("a fraction turned", fractions),
    ("a minus in front", |text| {
        let is_its_own = text.contains(r"\pm") || text.trim_matches('$') == "0";
        if is_its_own {
            Vec::new()
        } else {
            vec![format!("-({text})")]
        }
    }),
];

const REWRITES: [(&str, Change); 8] = [
    ("white space", |text| {
        vec![format!("  {text} "), spaced(text)]
    }),
    (r"\dfrac", |text| replaced(text, r"\frac", r"\dfrac")),
    (r"\left and \right", |text| {
        let is_even = text.matches('(').count() == text.matches(')').count();
        let has_none = !text.contains(r"\left") && text.contains('(');
        let sized = text.replace('(', r"\left(").replace(')', r"\right)");
        if is_even && has_none {
            vec![sized]
        } else {
            Vec::new()
        }
    }),
    ("the order of a sum", sums),
    ("units spelled out", units),
    ("dollars", |text| {
        let is_bare = !text.contains(['$', '\n']);
        if is_bare {
            vec![format!("${text}$")]
        } else {
            Vec::new()
        }
    }),
    ("a minus sign of Unicode", |text| {
        replaced(text, "-", "\u{2212}")
    }),
    (r"\cdot for \times", |text| {
        replaced(text, r"\times", r"\cdot")
    }),
];

fn replaced(text: &str, from: &str, to: &str) -> Vec<String> {
    if text.contains(from) {
        vec![text.replace(from, to)]
    } else {
        Vec::new()
    }
}

/// With every byte range replaced that `find` gives.
fn with_each(text: &str, places: Vec<(usize, usize, String)>) -> Vec<String> {
    let made = places
        .into_iter()
        .map(|(start, end, new)| format!("{}{new}{}", &text[..start], &text[end..]));
    made.collect()
}

/// The ASCII characters that stand in no command, word or index, with their places.
fn characters(text: &str) -> Vec<(usize, char)> {
    let bytes = text.as_bytes();
    let is_letter = |at: usize| bytes.get(at).is_some_and(u8::is_ascii_alphabetic);
    let in_index = |at: usize| {
        text[..at]
            .trim_end_matches(|c: char| c.is_alphanumeric())
            .ends_with(['_', '{'])
            && text[..at].contains('_')
    };
    let is_plain = |&(at, c): &(usize, char)| {
        let in_word = c.is_ascii_alphabetic()
            && (at > 0 && (is_letter(at - 1) || bytes[at - 1] == b'\\') || is_letter(at + 1));
        c.is_ascii() && !in_word && !in_index(at)
    };
    text.char_indices().filter(is_plain).collect()
}

/// Each digit as the next one.
fn digits(text: &str) -> Vec<String> {
    let places = characters(text).into_iter().filter_map(|(at, c)| {
        let next = (c.to_digit(10)? + 1) % 10;
        // A digit behind a bracket may only count what follows.
        let is_mark = text[..at].ends_with('(') && text[at + 1..].starts_with(')');
        // To leave out as many as are taken makes as many choices.
        let is_mirrored = is_other_half(text, at);
        (!is_mark && !is_mirrored).then(|| (at, at + 1, next.to_string()))
    });
    with_each(text, places.collect())
}

/// Whether the digit, made one larger, is what its binomial leaves out: the 4 of `\binom{9}{4}`.
fn is_other_half(text: &str, at: usize) -> bool {
    let digit = |text: &str| text.chars().next().and_then(|c| c.to_digit(10));
    let n = text[..at]
        .strip_suffix("}{")
        .and_then(|before| before.rsplit_once(r"\binom{"))
        .and_then(|(_, n)| n.parse::<u32>().ok());
    match (n, digit(&text[at..])) {
        (Some(n), Some(k)) => text[at + 1..].starts_with('}') && k + 1 == n - k,
        _ => false,
    }
}

/// Each plus as a minus, and the other way round.
fn signs(text: &str) -> Vec<String> {
    let places = characters(text).into_iter().filter_map(|(at, c)| {
        let is_word = text[..at].ends_with(char::is_alphabetic)
            && text[at + 1..].starts_with(char::is_alphabetic)
            && !text.contains(['\\', '=', '^']);
        let is_power_of_ring = text[..at].ends_with(['^', '{']) && text.contains("mathbb");
        match c {
            _ if is_word || is_power_of_ring => None,
            '+' => Some((at, at + 1, "-".to_owned())),
            '-' => Some((at, at + 1, "+".to_owned())),
            _ => None,
        }
    });
    with_each(text, places.collect())
}

/// A lonely letter as another one, where the same letter stands elsewhere too.
fn letters(text: &str) -> Vec<String> {
    let all = characters(text);
    let places = all.iter().filter_map(|&(at, c)| {
        let is_letter = c.is_ascii_lowercase() && !matches!(c, 'e' | 'i' | 'd');
        let is_elsewhere = all.iter().any(|&(other, d)| other != at && d == c);
        let is_formula = text.contains(['=', '^', '\\', '+', '<', '>']);
        let other = if c == 'w' { "v" } else { "w" };
        (is_letter && is_elsewhere && is_formula).then(|| (at, at + 1, other.to_owned()))
    });
    with_each(text, places.collect())
}

/// An end of an interval or of a pair opened or closed.
fn brackets(text: &str) -> Vec<String> {
    let is_interval = text.contains(',')
        && (text.contains("infty") || text.contains(r"\cup") || text.starts_with('['));
    if !is_interval {
        return Vec::new();
    }
    let places = characters(text).into_iter().filter_map(|(at, c)| {
        let is_infinite = |rest: &str| {
            rest.trim_start_matches(['-', '+', ' ', '\\'])
                .starts_with("infty")
        };
        if is_infinite(&text[at + 1..]) || text[..at].ends_with("infty") {
            return None;
        }
        let other = match c {
            '(' => "[",
            '[' => "(",
            ')' => "]",
            ']' => ")",
            _ => return None,
        };
        Some((at, at + 1, other.to_owned()))
    });
    with_each(text, places.collect())
}

/// A list or tuple without one of its members.
fn members(text: &str) -> Vec<String> {
    let (open, inner, close) = match text.strip_prefix('(').and_then(|t| t.strip_suffix(')')) {
        Some(inner) => ("(", inner, ")"),
        None => ("", text, ""),
    };
    let is_flat = !inner.contains(['(', '[', '{', '\\', '$']);
    let parts: Vec<&str> = inner.split(", ").collect();
    let is_list = parts.len() > 1 && parts.iter().all(|part| part.len() < 20);
    if !is_flat || !is_list {
        return Vec::new();
    }
    let without = |left_out: usize| {
        let kept = parts.iter().enumerate().filter(|(at, _)| *at != left_out);
        let kept: Vec<&str> = kept.map(|(_, part)| *part).collect();
        format!("{open}{}{close}", kept.join(", "))
    };
    (0..parts.len())
        .filter(|at| parts.iter().filter(|part| **part == parts[*at]).count() == 1)
        .map(without)
        .collect()
}

fn functions(text: &str) -> Vec<String> {
    const OTHERS: [(&str, &str); 8] = [
        (r"\sin", r"\cos"),
        (r"\cos", r"\sin"),
        (r"\tan", r"\cot"),
        (r"\ln", r"\log"),
        (r"\log", r"\ln"),
        (r"\sqrt{", "{"),
        (r"\pi", r"\tau"),
        (r"\pm", "+"),
    ];
    let changed = OTHERS.iter().flat_map(|(from, to)| {
        let places = text.match_indices(from).filter(|(at, _)| {
            let behind = &text[at + from.len()..];
            let goes_on = behind.starts_with(|c: char| c.is_ascii_alphabetic());
            let has_base = *from == r"\log" && behind.starts_with('_');
            !goes_on && !has_base
        });
        places.map(|(at, _)| (at, at + from.len(), (*to).to_owned()))
    });
    let places: Vec<_> = changed.collect();
    // The root of one is one.
    let is_changed = |mutant: &String| !text.contains(r"\sqrt{1}") || mutant.contains("sqrt");
    with_each(text, places)
        .into_iter()
        .filter(is_changed)
        .collect()
}

fn relations(text: &str) -> Vec<String> {
    const OTHERS: [(&str, &str); 8] = [
        (r"\leq", "<"),
        (r"\geq", ">"),
        (r"\le ", r"\ge "),
        (r"\ge ", r"\le "),
        ("<", ">"),
        (">", r"\ge "),
        (r"\neq", "="),
        (r"\ne ", "="),
    ];
    let changed = OTHERS.iter().flat_map(|(from, to)| {
        let places = text.match_indices(from);
        places.map(|(at, _)| (at, at + from.len(), (*to).to_owned()))
    });
    with_each(text, changed.collect())
}

/// One of several formulas between dollars, or of several lines.
fn formulas(text: &str) -> Vec<String> {
    let is_row = text.contains("begin");
    [r"\quad", r"\\", "\n", " and ", ";"]
        .iter()
        .filter(|joint| text.contains(**joint) && !is_row)
        .flat_map(|joint| {
            let parts: Vec<&str> = text.split(joint).collect();
            let first = parts.first().map(|part| (*part).trim().to_owned());
            let last = parts.last().map(|part| (*part).trim().to_owned());
            first.into_iter().chain(last)
        })
        .filter(|part| part.len() > 1 && part.len() + 2 < text.len())
        .collect()
}

/// `\frac{a}{b}` as `\frac{b}{a}`.
fn fractions(text: &str) -> Vec<String> {
    let turned = text.match_indices(r"\frac{").filter_map(|(at, command)| {
        let rest = &text[at + command.len()..];
        let (a, rest) = rest.split_once('}')?;
        let (b, rest) = rest.strip_prefix('{')?.split_once('}')?;
        let is_plain = !a.contains('{') && !b.contains('{') && a != b && b != "1";
        is_plain.then(|| (at, text.len() - rest.len(), format!(r"\frac{{{b}}}{{{a}}}")))
    });
    with_each(text, turned.collect())
}

/// With spaces round signs.
fn spaced(text: &str) -> String {
    text.replace('=', " = ").replace('+', " + ")
}

/// `a + b` as `b + a`, where both are plain.
fn sums(text: &str) -> Vec<String> {
    let Some((a, b)) = text.split_once('+') else {
        return Vec::new();
    };
    let (a, b) = (a.trim(), b.trim());
    let is_plain = |part: &str| {
        !part.is_empty()
            && !part.contains([
                '+', '-', '=', ',', '<', '>', '(', '[', ' ', '$', '&', '/', '|',
            ])
            && !part.contains(r"\text")
            && !part.contains(r"\pm")
            && part.matches('{').count() == part.matches('}').count()
            && !part.ends_with(['^', '_', '{'])
    };
    if is_plain(a) && is_plain(b) {
        vec![format!("{b} + {a}")]
    } else {
        Vec::new()
    }
}

fn units(text: &str) -> Vec<String> {
    const LONG: [(&str, &str); 6] = [
        (" cm", " centimeters"),
        (" km", " kilometers"),
        (" kg", " kilograms"),
        (" km/h", " kilometers per hour"),
        (" min", " minutes"),
        (" h", " hours"),
    ];
    let spelled = LONG
        .iter()
        .filter_map(|(short, long)| Some(format!("{}{long}", text.strip_suffix(short)?)));
    spelled.collect()
}

/// References as they stand in the data: no completions, none that is long, each once.
fn references() -> Vec<String> {
    let mut all = BTreeSet::new();
    for file in [
        "verification/hardverify.dev.jsonl",
        "verification/mathverify_tests.jsonl",
    ] {
        for row in data::rows::<Value>(file) {
            all.insert(row["reference"].as_str().unwrap().trim().to_owned());
        }
    }
    for row in data::rows::<Value>("gsm8k/test.jsonl") {
        let answer = row["answer"].as_str().unwrap();
        all.insert(answer.rsplit_once("####").unwrap().1.trim().to_owned());
    }
    let is_answer = |text: &String| text.len() < 200 && !text.contains("boxed");
    all.into_iter().filter(is_answer).collect()
}

/// What of the references is changed, how often that was tried, and which of it is judged so.
fn tried(
    references: Vec<String>,
    changes: &[(&'static str, Change)],
    accepted: bool,
) -> (usize, Vec<(String, String, String)>) {
    let mut rates: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
    let (mut count, mut found) = (0, Vec::new());
    for reference in references {
        let gold = Answer::new(&reference);
        for (name, change) in changes {
            for changed in change(&reference) {
                if changed.trim() == reference.trim() && accepted {
                    continue;
                }
                count += 1;
                let rate = rates.entry(name).or_default();
                rate.0 += 1;
                if gold.matches(&changed).is_some() == accepted {
                    rate.1 += 1;
                    found.push(((*name).to_owned(), reference.clone(), changed));
                }
            }
        }
    }
    for (name, (made, found)) in rates {
        eprintln!("{name}: {found} of {made}");
    }
    eprintln!("together {} of {count}", found.len());
    (count, found)
}

#[test]
fn a_mutant_of_a_real_reference_is_refused() {
    let (count, accepted) = tried(references(), &MUTATIONS, true);
    for (name, reference, mutant) in &accepted {
        eprintln!("accepted, {name}: {reference:?} ~ {mutant:?}");
    }
    assert!(count > 1000, "{count}");
    assert!(
        accepted.len() * 1000 <= count,
        "{} of {count}",
        accepted.len()
    );
}

/// References of the kinds in which near misses got in, and in the style of MATH.
fn own_references() -> Vec<String> {
    let files = [
        include_str!("fixtures/formulas.txt"),
        include_str!("fixtures/references.txt"),
    ];
    let lines = files.iter().flat_map(|file| {
        let mathematics = file.split("# words").next().unwrap_or_default();
        mathematics.lines().filter(|line| !line.starts_with('#'))
    });
    lines.map(with_lines).collect()
}

/// With `\n` as a new line, where it begins no command.
fn with_lines(text: &str) -> String {
    text.replace(r"$\n$", "$\n$")
        .replace(r"x=1\ny=6", "x=1\ny=6")
}

#[test]
fn a_mutant_of_a_reference_of_ours_is_refused() {
    let (count, accepted) = tried(own_references(), &MUTATIONS, true);
    for (name, reference, mutant) in &accepted {
        eprintln!("accepted, {name}: {reference:?} ~ {mutant:?}");
    }
    assert!(count > 400, "{count}");
    assert!(
        accepted.len() * 1000 <= count,
        "{} of {count}",
        accepted.len()
    );
}

#[test]
fn a_rewrite_of_a_real_reference_is_accepted() {
    let (count, refused) = tried(references(), &REWRITES, false);
    for (name, reference, rewrite) in &refused {
        eprintln!("refused, {name}: {reference:?} ~ {rewrite:?}");
    }
    assert!(count > 300, "{count}");
    assert!(refused.len() * 100 <= count, "{} of {count}", refused.len());
}
