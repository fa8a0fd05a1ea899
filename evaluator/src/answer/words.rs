//! Numbers spelled out in English.

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
const LARGE: [(&str, u64); 3] = [
    ("thousand", 1000),
    ("million", 1_000_000),
    ("billion", 1_000_000_000),
];

/// The value of `two hundred and five`; `None` for anything but a number in words.
pub(super) fn number(text: &str) -> Option<u64> {
    let lower = text.to_lowercase();
    let mut words = lower
        .split([' ', '-'])
        .filter(|word| !word.is_empty())
        .peekable();
    words.peek()?;
    let (mut total, mut group) = (0u64, None::<u64>);
    for word in words.filter(|word| *word != "and") {
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
            let size = find(&LARGE)?;
            total += group.take().filter(|group| *group > 0)? * size;
        }
    }
    Some(total + group.unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_make_numbers() {
        let cases = [
            ("twelve", 12),
            ("Twenty-five", 25),
            ("two hundred and five", 205),
            ("one million two thousand", 1_002_000),
            ("ninety nine", 99),
            ("zero", 0),
        ];
        for (text, value) in cases {
            assert_eq!(number(text), Some(value), "{text}");
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
        ] {
            assert_eq!(number(text), None, "{text}");
        }
    }
}
