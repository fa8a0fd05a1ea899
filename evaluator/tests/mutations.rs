//! Every reference changed a little is another answer: near misses made by rule, so that no family of them depends on
//! somebody having thought of it.

mod pairs;

use evaluator::Answer;
use pairs::FAMILIES;

const REFERENCES: &str = include_str!("fixtures/references.txt");

/// A way to spoil an answer; `None` where it does not apply.
type Mutation = fn(&str) -> Option<String>;

const MUTATIONS: [(&str, Mutation); 14] = [
    ("a number of no remainder modulo 2^61 - 1 added", |text| {
        is_one_value(text).then(|| format!("{text}+2305843009213693951"))
    }),
    ("the first prime of the residues added", |text| {
        is_one_value(text).then(|| format!("{text}+2305843009213691579"))
    }),
    ("another number behind it", |text| {
        Some(format!("{text} 13"))
    }),
    ("another number in words behind it", |text| {
        Some(format!("{text} thirteen"))
    }),
    ("an alternative", |text| {
        Some(format!(r"{text} \text{{ or }} 13"))
    }),
    ("a remark with another number", |text| {
        Some(format!(r"{text} \text{{ such as }} 13"))
    }),
    ("another case", |text| {
        Some(format!(r"{text} \text{{ if }} q>0, 13 \text{{ otherwise}}"))
    }),
    ("the last digit changed", last_digit_changed),
    ("numerator and denominator swapped", fraction_inverted),
    ("the first two parts swapped", parts_swapped),
    ("the letters of a word reversed", letters_reversed),
    ("the braces of a power dropped", power_cut),
    ("the sign turned", |text| {
        text.starts_with(|c: char| ('1'..='9').contains(&c))
            .then(|| format!("-{text}"))
    }),
    ("another unit", unit_changed),
];

/// Infinity swallows what is added to it, and to a congruence or a multiple of a parameter a number is added.
fn is_one_value(text: &str) -> bool {
    !["infty", "∞", "infinite", "mathbb", "+C"]
        .iter()
        .any(|word| text.contains(word))
}

/// `12.5` as `12.6`; not in an index, which only names.
fn last_digit_changed(text: &str) -> Option<String> {
    let at = text.rfind(|c: char| c.is_ascii_digit())?;
    if text[..at].ends_with(['_', '{']) {
        return None;
    }
    let digit = (text.as_bytes()[at] - b'0' + 1) % 10;
    Some(format!("{}{digit}{}", &text[..at], &text[at + 1..]))
}

/// `\frac{a}{b}` as `\frac{b}{a}`.
fn fraction_inverted(text: &str) -> Option<String> {
    let (before, rest) = text.split_once(r"\frac{")?;
    let (a, rest) = rest.split_once('}')?;
    let (b, rest) = rest.strip_prefix('{')?.split_once('}')?;
    let is_plain = |part: &str| !part.contains('{') && !part.is_empty();
    (is_plain(a) && is_plain(b) && a != b).then(|| format!(r"{before}\frac{{{b}}}{{{a}}}{rest}"))
}

/// `(a, b)` as `(b, a)`, also in square brackets.
fn parts_swapped(text: &str) -> Option<String> {
    let inner = text.strip_prefix(['(', '['])?.strip_suffix([')', ']'])?;
    if inner.contains(['(', '[', '{', ')', ']']) {
        return None;
    }
    let mut parts: Vec<&str> = inner.split(',').map(str::trim).collect();
    if parts.len() < 2 || parts[0] == parts[1] {
        return None;
    }
    parts.swap(0, 1);
    let last = text.len() - 1;
    Some(format!(
        "{}{}{}",
        &text[..1],
        parts.join(", "),
        &text[last..]
    ))
}

/// `listen` as `netsil`.
fn letters_reversed(text: &str) -> Option<String> {
    let reversed: String = text.chars().rev().collect();
    let is_word = text.len() > 1 && text.bytes().all(|b| b.is_ascii_alphabetic());
    (is_word && reversed != text).then_some(reversed)
}

/// `2^{n+1}` as `2^n+1`; a number in braces is the same without.
fn power_cut(text: &str) -> Option<String> {
    let (before, rest) = text.split_once("^{")?;
    let (power, rest) = rest.split_once('}')?;
    let is_cut = power.len() > 1
        && power.contains(|c: char| c.is_ascii_alphabetic())
        && !power.contains(['\\', '{']);
    is_cut.then(|| format!("{before}^{power}{rest}"))
}

/// A quantity as one of another kind.
fn unit_changed(text: &str) -> Option<String> {
    const UNITS: [(&str, &str); 7] = [
        (" km", " kg"),
        (" cm", " m"),
        (" hours", " meters"),
        (" minutes", " grams"),
        (" apples", " pears"),
        (" g", " s"),
        (" m", " kg"),
    ];
    let (unit, other) = UNITS.iter().find(|(unit, _)| text.ends_with(unit))?;
    Some(format!("{}{other}", text.strip_suffix(unit)?))
}

fn references() -> Vec<&'static str> {
    let lines = REFERENCES.lines().filter(|line| !line.starts_with('#'));
    let golds = FAMILIES.iter().flat_map(|family| {
        family
            .same
            .iter()
            .chain(family.different)
            .map(|pair| pair.0)
    });
    // The letter of a choice may have the text of it behind it, whatever that is.
    let is_letter = |text: &str| text.starts_with(r"\text{(");
    let mut all: Vec<&str> = lines.chain(golds).filter(|text| !is_letter(text)).collect();
    all.sort_unstable();
    all.dedup();
    all
}

#[test]
fn a_changed_reference_is_another_answer() {
    let mut accepted = Vec::new();
    for (name, mutation) in MUTATIONS {
        let mut made = 0;
        for reference in references() {
            let Some(mutant) = mutation(reference) else {
                continue;
            };
            made += 1;
            if let Some(rule) = Answer::new(reference).matches(&mutant) {
                accepted.push((name, reference, mutant, rule));
            }
        }
        assert!(made > 0, "nothing to try: {name}");
    }
    assert!(accepted.is_empty(), "{accepted:#?}");
}
