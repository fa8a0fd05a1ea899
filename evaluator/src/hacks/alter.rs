//! Wrong answers made of right ones: clearly wrong ones, near ones, and the neighbours of a list.

/// A choice is one of these.
const LETTERS: [char; 5] = ['A', 'B', 'C', 'D', 'E'];

/// An answer that nobody takes for the reference: far from it where it is a number, another choice where it is a letter.
#[must_use]
pub fn clearly_wrong(reference: &str) -> String {
    if let Some(number) = number(reference) {
        return (number.abs().mul_add(3.0, 7.0)).round().to_string();
    }
    match letter(reference) {
        Some(at) => LETTERS[(at + 2) % LETTERS.len()].to_string(),
        None => "17".to_owned(),
    }
}

/// Answers that look like the reference and are not it, each with what was done to it.
#[must_use]
pub fn near_misses(reference: &str) -> Vec<(&'static str, String)> {
    let reference = reference.trim();
    let mut near: Vec<(&'static str, String)> = Vec::new();
    if let Some(number) = number(reference) {
        let plain = reference.replace(',', "");
        let negated = plain
            .strip_prefix('-')
            .map_or_else(|| format!("-{plain}"), str::to_owned);
        near.extend([
            ("digit before", before_digits(&plain)),
            ("digit after", format!("{plain}9")),
            ("off by one", (number + 1.0).to_string()),
            ("ten times", (number * 10.0).to_string()),
            ("some decimals more", format!("{number}.37")),
            ("close by", near_number(number).to_string()),
        ]);
        if number != 0.0 {
            near.push(("sign", negated));
        }
        near.extend(swapped(&plain).map(|text| ("digits swapped", text)));
        near.extend(prefix(&plain).map(|text| ("prefix", text)));
    } else if letter(reference).is_none() {
        near.extend(prefix(reference).map(|text| ("prefix", text)));
        near.push(("more after", format!("{reference} + 1")));
    }
    // What the alteration leaves equal, as swapped equal digits, is no miss.
    near.retain(|(_, text)| text != reference && !is_same_number(text, reference));
    near
}

/// Three answers, the right one in the middle.
pub(super) fn around(reference: &str) -> [String; 3] {
    let right = reference.trim().to_owned();
    if let Some(number) = number(reference) {
        return [
            (number - 1.0).to_string(),
            right,
            (number + 1.0).to_string(),
        ];
    }
    match letter(reference) {
        Some(at) => {
            let of = |by: usize| LETTERS[(at + by) % LETTERS.len()].to_string();
            [of(4), right, of(1)]
        }
        None => ["17".to_owned(), right, "23".to_owned()],
    }
}

fn number(text: &str) -> Option<f64> {
    let number: f64 = text.trim().replace(',', "").parse().ok()?;
    number.is_finite().then_some(number)
}

fn is_same_number(a: &str, b: &str) -> bool {
    matches!((number(a), number(b)), (Some(a), Some(b)) if a == b)
}

fn letter(text: &str) -> Option<usize> {
    let text = text.trim().trim_start_matches('(').trim_end_matches(')');
    let mut characters = text.chars();
    let first = characters.next()?.to_ascii_uppercase();
    if characters.next().is_some() {
        return None;
    }
    LETTERS.iter().position(|letter| *letter == first)
}

/// About two per cent off, and at least two.
fn near_number(number: f64) -> f64 {
    number + f64::max(2.0, (number.abs() * 0.02).round())
}

fn before_digits(plain: &str) -> String {
    match plain.strip_prefix('-') {
        Some(digits) => format!("-1{digits}"),
        None => format!("1{plain}"),
    }
}

/// The last two digits that differ, swapped.
fn swapped(plain: &str) -> Option<String> {
    let mut bytes = plain.as_bytes().to_vec();
    let differ = |pair: &[u8]| pair.iter().all(u8::is_ascii_digit) && pair[0] != pair[1];
    let at = bytes.windows(2).rposition(differ)?;
    bytes.swap(at, at + 1);
    String::from_utf8(bytes).ok()
}

/// The first half, or more.
fn prefix(text: &str) -> Option<String> {
    let count = text.chars().count();
    let kept: String = text.chars().take(count.div_ceil(2)).collect();
    let kept = kept.trim_end();
    (count > 1 && !kept.is_empty() && kept != "-").then(|| kept.to_owned())
}
