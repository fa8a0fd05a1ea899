//! The last number of a text.

use super::{
    languages,
    statement::{is_denied, unit_behind},
};
use crate::answer::is_multiple;

/// The last number with the words that make another one of it: `minus` before it, `million` behind it, its unit, or a
/// number that `or` or `and` joins to it; none where the words before it deny it.
pub(super) fn stated(text: &str) -> Option<&str> {
    let Some(number) = last(text) else {
        return spelled_in_chinese(text);
    };
    let mut start = text.rfind(number)?;
    let mut end = start + number.len();
    if languages::is_taken_back(sentence_round(text, start, end)) {
        return None;
    }
    let word = text[end..]
        .split_inclusive(' ')
        .take(2)
        .map(str::len)
        .sum::<usize>();
    let multiple = text[end..end + word].trim_end_matches(|c: char| !c.is_alphabetic());
    if is_multiple(multiple) {
        end += multiple.len();
    } else if let Some(unit) = unit_behind(&text[end..]) {
        end += unit.len();
    }
    if let Some(formula) = around(text, start, end) {
        return Some(formula);
    }
    if let Some(sign) = sign_before(text, start) {
        return Some(&text[sign..end]);
    }
    let before = text[..start].trim_end();
    if is_denied(before) || is_compared(before) {
        return None;
    }
    if let Some(left) = ["minus", "negative"]
        .iter()
        .find_map(|w| before.strip_suffix(w))
        && !left.trim_end().ends_with(|c: char| c.is_ascii_digit())
    {
        start = left.len();
    }
    if let Some(whole) = mixed(before, number) {
        start = whole;
    }
    if let Some(left) = [" or", " and"]
        .iter()
        .find_map(|word| before.strip_suffix(word))
        .map(str::trim_end)
        && let Some(other) = last(left).filter(|other| left.ends_with(other))
    {
        start = left.len() - other.len();
    }
    Some(&text[start..end])
}

/// The sentence in which a number stands.
fn sentence_round(text: &str, start: usize, end: usize) -> &str {
    let ends = ['。', '।', '۔', '\n', '？', '！'];
    let from = text[..start].rfind(ends).map_or(0, |at| {
        at + text[at..].chars().next().map_or(1, char::len_utf8)
    });
    let to = text[end..].find(ends).map_or(text.len(), |at| end + at);
    &text[from..to]
}

/// The only number in Chinese characters of the last sentence of a text without figures; single ones stand in many
/// words.
fn spelled_in_chinese(text: &str) -> Option<&str> {
    let sentence = text.trim_end_matches(['。', '\n', ' ']);
    let sentence = sentence.rsplit(['。', '\n']).next()?;
    let is_figure = |c: char| "零一二两三四五六七八九十百千万亿".contains(c);
    let mut runs = sentence
        .split(|c| !is_figure(c))
        .filter(|run| run.chars().count() > 1);
    let run = runs.next()?;
    (runs.next().is_none() && !languages::is_taken_back(sentence)).then_some(run)
}

/// Where the minus sign before a number stands, of whatever kind, also before a currency: `−14`, `-$90`, `is - 40`. A
/// sign behind a number, a letter or a bracket takes away, and a dash with spaces round it is one only behind a word that
/// lets a value follow.
fn sign_before(text: &str, start: usize) -> Option<usize> {
    let before = text[..start].trim_end_matches(['$', '€', '£', '¥', '₹']);
    let is_spaced = before.ends_with(' ');
    let before = before.trim_end_matches(' ');
    let rest = before.strip_suffix(['-', '−', '–', '﹣'])?;
    let words = rest.trim_end_matches([' ', '$', '(', '*']);
    let is_apart = rest.len() > words.len() || rest.is_empty() || rest.ends_with([':', '=', '\n']);
    let lets_follow = words.is_empty()
        || words.ends_with([':', '=', ',', '\n'])
        || SAYING.iter().any(|word| {
            let stem = words.strip_suffix(word);
            stem.is_some_and(|stem| !stem.ends_with(char::is_alphanumeric))
        });
    let is_binary = words.ends_with(|c: char| c.is_ascii_digit() || matches!(c, ')' | ']' | '}'));
    let is_sign = is_apart && !is_binary && (lets_follow || !is_spaced);
    is_sign.then_some(rest.len())
}

/// Words behind which a value follows.
const SAYING: [&str; 18] = [
    "is", "are", "was", "were", "be", "equals", "equal", "to", "of", "gives", "give", "get",
    "gets", "got", "have", "has", "at", "result",
];

/// Words that make another number of what follows them.
const COMPARING: [&str; 14] = [
    "less than",
    "more than",
    "fewer than",
    "greater than",
    "larger than",
    "smaller than",
    "other than",
    "at least",
    "at most",
    "half of",
    "twice",
    "double",
    "triple",
    "anything but",
];

fn is_compared(before: &str) -> bool {
    let from = before.len().saturating_sub(20);
    let from = (from..=before.len())
        .find(|at| before.is_char_boundary(*at))
        .unwrap_or(0);
    let tail = before[from..].to_lowercase();
    let tail = tail.trim_end_matches([' ', '$', '*']);
    COMPARING.iter().any(|words| tail.ends_with(words))
}

/// The power, ratio or time of day that a number is a part of, as the 2 of `3:2` is, with no white space in it.
fn around(text: &str, start: usize, end: usize) -> Option<&str> {
    let is_joint = |c: char| matches!(c, '^' | '_' | '{');
    let run = text[..start].rsplit(char::is_whitespace).next()?;
    let from = start - run.len();
    let follows_digit = |before: &str| before.ends_with(|c: char| c.is_ascii_digit());
    let is_tied = |c: char| {
        matches!(c, '²' | '³' | '^' | 'π' | '×' | '·' | '√' | '°' | '*' | '/')
            || c.is_ascii_alphabetic()
    };
    let is_bold = text[end..].starts_with("**") || text[end..].starts_with("*\n");
    let is_part = run.ends_with(is_joint) && run.contains(|c: char| c.is_alphanumeric())
        || run.strip_suffix(':').is_some_and(follows_digit)
        || run.ends_with(['√', '∛', '×', '·', 'π'])
        || run
            .strip_suffix(['*', '/', '+'])
            .is_some_and(|left| left.ends_with(|c: char| c.is_alphanumeric() || c == ')'))
        || text[end..].starts_with(is_tied) && !is_bold && !is_known_behind(&text[end..])
        || text[end..].starts_with("! ")
        || text[end..].starts_with("!\n")
        || &text[end..] == "!";
    if !is_part {
        return None;
    }
    let behind = &text[end..];
    let to = end + behind.find(char::is_whitespace).unwrap_or(behind.len());
    let half = [" AM", " PM", " a.m.", " p.m.", " am", " pm"]
        .iter()
        .find(|half| text[to..].starts_with(**half));
    let whole = &text[from..to + half.map_or(0, |half| half.len())];
    // What is exclaimed may be a factorial, and is left to be read as one.
    Some(whole.trim_end_matches(['.', ',', ';', '?']))
}

/// Whether a unit, an ordinal or the end of a tag follows a number directly.
fn is_known_behind(behind: &str) -> bool {
    let word = behind
        .split(|c: char| !c.is_alphanumeric() && c != '/')
        .next()
        .unwrap_or_default();
    matches!(word, "st" | "nd" | "rd" | "th" | "am" | "pm" | "AM" | "PM")
        || unit_behind(behind).is_some()
}

/// Where `1 1/2` begins, if `number` is the fraction and its whole number stands before it.
fn mixed(before: &str, number: &str) -> Option<usize> {
    let whole = last(before).filter(|whole| before.ends_with(whole))?;
    let is_whole = |digits: &str| digits.bytes().all(|b| b.is_ascii_digit());
    let (numerator, denominator) = number.split_once('/')?;
    [whole, numerator, denominator]
        .into_iter()
        .all(is_whole)
        .then(|| before.len() - whole.len())
}

/// The last number, with its sign, thousands separators, decimals and the parts of a plain fraction.
///
/// A minus sign belongs to the number unless something stands directly before it that it could be
/// subtracted from, as in `7-3`.
pub(super) fn last(text: &str) -> Option<&str> {
    let bytes = text.as_bytes();
    let last_digit = bytes.iter().rposition(u8::is_ascii_digit)?;
    let end = last_digit + 1;
    let mut start = number_start(bytes, end);
    // `3/4` is one number; `km/4` is not.
    if start > 1 && bytes[start - 1] == b'/' && bytes[start - 2].is_ascii_digit() {
        start = number_start(bytes, start - 1);
    }
    if let Some(comma) = decimal_comma(text, start, end) {
        start = number_start(bytes, comma);
    }
    if start > 0 && matches!(bytes[start - 1], b'-' | b'+') {
        let before = bytes[..start - 1].last();
        let binary = before.is_some_and(|b| b.is_ascii_alphanumeric() || matches!(b, b')' | b'}'));
        if !binary {
            start -= 1;
        }
    }
    let percent = bytes.get(end) == Some(&b'%');
    Some(&text[start..end + usize::from(percent)])
}

/// The comma before two decimals of a price: `2,74 €`.
fn decimal_comma(text: &str, start: usize, end: usize) -> Option<usize> {
    let is_price = text[end..].trim_start().starts_with(['$', '€', '£']);
    let comma = start.checked_sub(1)?;
    let bytes = text.as_bytes();
    let follows_digit = comma > 0 && bytes[comma - 1].is_ascii_digit();
    (is_price && end - start == 2 && bytes[comma] == b',' && follows_digit).then_some(comma)
}

/// Where the digits, points and separators that end at `end` begin.
fn number_start(bytes: &[u8], end: usize) -> usize {
    let mut start = end;
    while start > 0 {
        let belongs = match bytes[start - 1] {
            b'0'..=b'9' => true,
            // A point belongs to the digit after it, and only one can stand in a number.
            b'.' => bytes[start].is_ascii_digit() && !bytes[start..end].contains(&b'.'),
            b',' => separates_thousands(bytes, start - 1, end),
            _ => false,
        };
        if !belongs {
            break;
        }
        start -= 1;
    }
    start
}

/// A comma between a digit and exactly three digits before the next separator, point or end.
fn separates_thousands(bytes: &[u8], comma: usize, end: usize) -> bool {
    let after = &bytes[comma + 1..end];
    let group = after.iter().take_while(|b| b.is_ascii_digit()).count();
    let before = comma.checked_sub(1).map(|i| bytes[i]);
    group == 3
        && matches!(after.get(3), None | Some(b',' | b'.'))
        && before.is_some_and(|b| b.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_number_is_whole() {
        let cases = [
            ("x = 5, so 18", "18"),
            ("it is -18.", "-18"),
            ("that leaves 7-3", "3"),
            ("costs $1,234.50 now", "1,234.50"),
            ("1,2,3", "3"),
            ("12,345", "12,345"),
            ("1.2.34", "2.34"),
            ("about 3/4 of it", "3/4"),
            ("20% off", "20%"),
            (".5", ".5"),
            ("it costs 2,74 € now", "2,74"),
            ("points 2,74", "74"),
        ];
        for (text, expected) in cases {
            assert_eq!(last(text), Some(expected), "{text}");
        }
        assert_eq!(last("none"), None);
    }

    #[test]
    fn a_part_of_a_formula_is_not_cut_out() {
        for (text, expected) in [
            ("It takes 1 1/2 cups.", "1 1/2"),
            ("The ratio is 3:2.", "3:2"),
            ("It is 2^{10}.", "2^{10}"),
            ("They meet at 2:30 PM.", "2:30 PM"),
            ("The length is 12 m.", "12 m"),
            ("The solutions are 3 and 4.", "3 and 4"),
            ("Total:5", "5"),
            ("so: 5", "5"),
        ] {
            assert_eq!(stated(text), Some(expected), "{text}");
        }
    }

    #[test]
    fn long_digits_are_read_in_linear_time() {
        let text = "1,".repeat(300_000) + "5";
        assert_eq!(last(&text), Some("5"));
        let text = "9".repeat(1_000_000);
        assert_eq!(last(&text), Some(text.as_str()));
    }
}
