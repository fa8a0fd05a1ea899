//! Dates: `July 4, 2025`, `4 July`, `2025-07-04`, `3/14`, `Jan 2020`.

/// Longer texts are no date.
const LONGEST: usize = 40;

const WEEKDAYS: [&str; 7] = [
    "monday",
    "tuesday",
    "wednesday",
    "thursday",
    "friday",
    "saturday",
    "sunday",
];

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
    /// None for a month of a year.
    day: Option<u8>,
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
        if let [year, month, day] = plain.trim().split(['-', '/']).collect::<Vec<_>>()[..]
            && year.len() == 4
        {
            let is_padded = month.len() == 2 && day.len() == 2;
            return Self::valid(day.parse().ok()?, month.parse().ok()?, year.parse().ok())
                .filter(|_| is_padded);
        }
        let words: Vec<String> = plain
            .split([' ', ',', '.'])
            .filter(|word| !word.is_empty() && *word != "of" && *word != "the")
            .map(str::to_lowercase)
            .collect();
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        // A month and its year.
        if let [month, year] = words[..]
            && year.len() == 4
            && year.bytes().all(|b| b.is_ascii_digit())
        {
            return Some(Self {
                day: None,
                month: month_of(month)?,
                year: Some(year.parse().ok()?),
            });
        }
        let (weekday, words) = match &words[..] {
            [first, rest @ ..] if WEEKDAYS.contains(first) => (true, rest.to_vec()),
            _ => (false, words),
        };
        // Without its year a day of the week says more than the date.
        if weekday && words.len() < 3 {
            return None;
        }
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
        is_day.then_some(Self {
            day: Some(day),
            month,
            year,
        })
    }

    /// `3/14`: a day in figures, of which one can be no month, so that their order is known.
    pub fn of_figures(text: &str) -> Option<Self> {
        let figures: Vec<u16> = text
            .split('/')
            .map(|figure| figure.parse().ok())
            .collect::<Option<_>>()?;
        let (a, b, year) = match figures[..] {
            [a, b] => (a, b, None),
            [a, b, year] if year > 999 => (a, b, Some(year)),
            _ => return None,
        };
        let (day, month) = match (a > 12, b > 12) {
            (true, false) => (a, b),
            (false, true) => (b, a),
            _ => return None,
        };
        Self::valid(u8::try_from(day).ok()?, u8::try_from(month).ok()?, year)
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
        assert!(same("January 2020", "Jan 2020"));
        assert!(same("Friday, July 4, 2025", "July 4, 2025"));
        assert_eq!(Date::of_figures("3/14"), Date::read("March 14"));
        for text in ["5", "May", "5-3", "July", "40 July", "x = 5"] {
            assert_eq!(Date::read(text), None, "{text}");
        }
    }
}
