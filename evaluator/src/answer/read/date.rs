//! Dates: `July 4, 2025`, `4 July`, `2025-07-04`.

/// Longer texts are no date.
const LONGEST: usize = 40;

const MONTHS: [&str; 12] = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
];

/// A day, of a year where one is named.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Date {
    day: u8,
    month: u8,
    year: Option<u16>,
}

impl Date {
    /// Reads a text that is a date and nothing else. Of figures alone only `2025-07-04` is one: the order of others
    /// depends on the country.
    pub fn read(text: &str) -> Option<Self> {
        if text.len() > LONGEST || !text.contains(|c: char| c.is_ascii_digit()) {
            return None;
        }
        let plain = text.replace(['$', '{', '}'], " ").replace(r"\text", " ");
        if let [year, month, day] = plain.trim().split('-').collect::<Vec<_>>()[..] {
            let is_padded = year.len() == 4 && month.len() == 2 && day.len() == 2;
            return Self::valid(day.parse().ok()?, month.parse().ok()?, year.parse().ok())
                .filter(|_| is_padded);
        }
        let words: Vec<String> = plain
            .split([' ', ',', '.'])
            .filter(|word| !word.is_empty() && *word != "of" && *word != "the")
            .map(str::to_lowercase)
            .collect();
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let (day, month, year) = match words[..] {
            [a, b] => (a, b, None),
            [a, b, year] if year.len() == 4 => (a, b, Some(year.parse().ok()?)),
            _ => return None,
        };
        let (day, month) = match (month_of(day), month_of(month)) {
            (Some(month), None) => (words[1], month),
            (None, Some(month)) => (day, month),
            _ => return None,
        };
        let day = ["st", "nd", "rd", "th"]
            .iter()
            .find_map(|end| day.strip_suffix(end))
            .unwrap_or(day);
        Self::valid(day.parse().ok()?, month, year)
    }

    fn valid(day: u8, month: u8, year: Option<u16>) -> Option<Self> {
        let is_day = (1..=31).contains(&day) && (1..=12).contains(&month);
        is_day.then_some(Self { day, month, year })
    }
}

/// The month that a word or its first three letters name.
fn month_of(word: &str) -> Option<u8> {
    let is_name = |month: &&str| **month == *word || word.len() == 3 && month.starts_with(word);
    let at = MONTHS.iter().position(is_name)?;
    u8::try_from(at + 1).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_is_a_day_in_any_order() {
        let same = |a, b| Date::read(a).is_some() && Date::read(a) == Date::read(b);
        assert!(same("July 4, 2025", "4 July 2025"));
        assert!(same("July 4, 2025", "2025-07-04"));
        assert!(same("14 March", "March 14th"));
        assert!(!same("July 4, 2025", "7 April 2025"));
        for text in ["5", "May", "5-3", "July", "40 July", "x = 5"] {
            assert_eq!(Date::read(text), None, "{text}");
        }
    }
}
