//! Numbers spelled out in English: cardinals, ordinals and fractions.

use num_rational::BigRational;
use num_traits::One;

/// The words below a hundred.
const SMALL: [(&str, u64); 28] = [
    ("zero", 0),
    ("one", 1),
    ("two", 2),
    ("three", 3),
    ("four", 4),
    ("five", 5),
    ("six", 6),
    ("seven", 7),
    ("eight", 8),
    ("nine", 9),
    ("ten", 10),
    ("eleven", 11),
    ("twelve", 12),
    ("thirteen", 13),
    ("fourteen", 14),
    ("fifteen", 15),
    ("sixteen", 16),
    ("seventeen", 17),
    ("eighteen", 18),
    ("nineteen", 19),
    ("twenty", 20),
    ("thirty", 30),
    ("forty", 40),
    ("fifty", 50),
    ("sixty", 60),
    ("seventy", 70),
    ("eighty", 80),
    ("ninety", 90),
];

/// The words that multiply what stands before them.
const LARGE: [(&str, u64); 4] = [
    ("thousand", 1000),
    ("million", 1_000_000),
    ("billion", 1_000_000_000),
    ("trillion", 1_000_000_000_000),
];

/// Other words that multiply what stands before them, in digits or in words.
const SCALES: [(&str, u64); 4] = [
    ("hundred", 100),
    ("dozen", 12),
    ("lakh", 100_000),
    ("crore", 10_000_000),
];

/// Ordinals that are not their number with `th` behind it.
const ORDINALS: [(&str, &str); 9] = [
    ("first", "one"),
    ("second", "two"),
    ("third", "three"),
    ("fourth", "four"),
    ("fifth", "five"),
    ("eighth", "eight"),
    ("ninth", "nine"),
    ("twelfth", "twelve"),
    ("quarter", "four"),
];

/// The value of `two hundred and five`, `negative three`, `two thirds`, `one and a half` or `fifth`, and how many
/// words it takes; the most that make a number count. `None` where the first word begins none.
pub(crate) fn leading_number(words: &[&str]) -> Option<(BigRational, usize)> {
    let lower: Vec<String> = words.iter().map(|word| word.to_lowercase()).collect();
    let lower: Vec<&str> = lower.iter().map(String::as_str).collect();
    let is_sign = |word: &&str| matches!(*word, "negative" | "minus");
    let sign = usize::from(lower.first().is_some_and(is_sign));
    (sign + 1..=lower.len()).rev().find_map(|end| {
        let parts: Vec<&str> = lower[sign..end]
            .iter()
            .flat_map(|word| word.split('-'))
            .collect();
        let value = number(&parts)?;
        Some((if sign == 1 { -value } else { value }, end))
    })
}

/// The number that all of `words`, in lower case, spell.
fn number(words: &[&str]) -> Option<BigRational> {
    let whole =
        |words: &[&str]| cardinal(words).map(|value| BigRational::from_integer(value.into()));
    whole(words)
        .or_else(|| fraction(words))
        .or_else(|| {
            let joint = words.iter().rposition(|word| *word == "and")?;
            Some(whole(&words[..joint])? + fraction(&words[joint + 1..])?)
        })
        .or_else(|| {
            let (last, before) = words.split_last()?;
            let named = ordinal(last)?;
            whole(&[before, &[named.as_str()]].concat())
        })
}

/// `two thirds`, `a half`, `one fifth`.
fn fraction(words: &[&str]) -> Option<BigRational> {
    let (last, count) = words.split_last()?;
    let count = match count {
        ["a" | "an" | "one"] => 1,
        _ => cardinal(count)?,
    };
    Some(BigRational::new(
        count.into(),
        parts(last, count == 1)?.into(),
    ))
}

/// How many of what `word` names make a whole: 3 for `thirds`. `three fifth` is no fraction, and `one second` is a
/// time.
fn parts(word: &str, is_one: bool) -> Option<u64> {
    let parts = match word.strip_suffix('s').or(is_one.then_some(word))? {
        "half" | "halve" => 2,
        "second" | "first" => return None,
        singular => cardinal(&[ordinal(singular)?.as_str()])?,
    };
    (parts > 0).then_some(parts)
}

/// What `word` multiplies the `count` before it by: `million`, `dozen`, `halves`.
pub(crate) fn scale(word: &str, count: &BigRational) -> Option<BigRational> {
    let word = word.to_lowercase();
    let scale = SCALES.iter().find(|(name, _)| *name == word).map(|e| e.1);
    match large(&word).or(scale) {
        Some(size) => Some(BigRational::from_integer(size.into())),
        None => Some(BigRational::new(
            1.into(),
            parts(&word, count.is_one())?.into(),
        )),
    }
}

/// Whether a word is a number, an ordinal, or a part or multiple of one, in the plural, too.
pub(crate) fn is_numeric(word: &str) -> bool {
    let word = word.to_lowercase();
    word.split('-').any(|word| {
        let singular = word.strip_suffix('s').unwrap_or(word);
        let named = ordinal(singular).unwrap_or_else(|| singular.to_owned());
        let is = |table: &[(&str, u64)]| {
            table
                .iter()
                .any(|(name, _)| *name == named || *name == word)
        };
        is(&SMALL) || is(&LARGE) || is(&SCALES) || matches!(singular, "half" | "halve")
    })
}

/// The cardinal of an ordinal, in words.
fn ordinal(word: &str) -> Option<String> {
    if let Some((_, cardinal)) = ORDINALS.iter().find(|(name, _)| *name == word) {
        return Some((*cardinal).to_owned());
    }
    match word.strip_suffix("ieth") {
        Some(tens) => Some(format!("{tens}y")),
        None => word.strip_suffix("th").map(str::to_owned),
    }
}

/// `two hundred and five`
fn cardinal(words: &[&str]) -> Option<u64> {
    let mut words = words
        .iter()
        .copied()
        .filter(|word| !word.is_empty() && *word != "and")
        .peekable();
    words.peek()?;
    let (mut total, mut group) = (0u64, None::<u64>);
    for word in words {
        let find =
            |table: &[(&str, u64)]| table.iter().find(|(name, _)| *name == word).map(|e| e.1);
        if let Some(value) = find(&SMALL) {
            // `twenty five` adds up, `five twenty` and `five six` are no numbers.
            let fits = match group {
                None => true,
                Some(before) if value < 10 && value > 0 => before % 10 == 0 && before % 100 != 10,
                Some(before) => before % 100 == 0 && before > 0,
            };
            group = Some(group.unwrap_or(0) + fits.then_some(value)?);
        } else if word == "hundred" {
            group = Some(group.filter(|hundreds| (1..10).contains(hundreds))? * 100);
        } else {
            let size = large(word)?;
            total += group.take().filter(|group| *group > 0)? * size;
        }
    }
    Some(total + group.unwrap_or(0))
}

/// The size of `thousand`, `million` and so on.
fn large(word: &str) -> Option<u64> {
    LARGE.iter().find(|(name, _)| *name == word).map(|e| e.1)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The value of a text that is a number and nothing else, as a fraction.
    fn number(text: &str) -> Option<String> {
        let words: Vec<&str> = text.split(' ').collect();
        let (value, length) = leading_number(&words)?;
        (length == words.len()).then(|| value.to_string())
    }

    #[test]
    fn words_make_numbers() {
        let cases = [
            ("twelve", "12"),
            ("Twenty-five", "25"),
            ("two hundred and five", "205"),
            ("one million two thousand", "1002000"),
            ("ninety nine", "99"),
            ("zero", "0"),
            ("negative seven", "-7"),
            ("two thirds", "2/3"),
            ("a half", "1/2"),
            ("three quarters", "3/4"),
            ("one and a half", "3/2"),
            ("third", "3"),
            ("twenty-first", "21"),
            ("fortieth", "40"),
        ];
        for (text, value) in cases {
            assert_eq!(number(text).as_deref(), Some(value), "{text}");
        }
        for text in [
            "",
            "apple",
            "five six",
            "hundred",
            "ten five",
            "five twenty",
            "one of two",
            "thousand",
            "negative",
            "one second",
            "th",
        ] {
            assert_eq!(number(text), None, "{text}");
        }
    }
}
