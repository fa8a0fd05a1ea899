//! Times of day and dates: `2:30 p.m.`, `14:30`, `7 AM`.
//!
//! A colon stands in ratios, too. What can be a time is compared with other texts of this form as it is written, and
//! not as a fraction, by which `2:30` would be `1:15`.

use crate::answer::read::date::Date;

/// Longer texts are no time, however they are dressed.
const LONGEST: usize = 40;

/// What may stand round the figures.
const DRESS: [&str; 10] = [
    r"\text", r"\mathrm", r"\ ", r"\,", "{", "}", "$", "~", " ", "\u{a0}",
];

/// A text as a time of day, and as what a time can be mistaken for.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Time {
    date: Option<Date>,
    /// Figures with strokes that may be a date, where the other side is one.
    figures: Option<Date>,
    clock: Option<Clock>,
    is_ratio: bool,
}

#[derive(Debug, Clone, PartialEq)]
struct Clock {
    hour: u8,
    minute: u8,
    /// Whether it is after noon, where that is said.
    afternoon: Option<bool>,
    /// How the minutes were written; `None` for a full hour such as `7 AM`.
    minutes: Option<[u8; 2]>,
}

impl Time {
    pub fn read(text: &str) -> Self {
        Self {
            date: Date::read(text),
            figures: Date::of_figures(text),
            clock: Clock::read(text),
            is_ratio: is_ratio(text),
        }
    }

    /// Whether both are the same time; `None` where that is no question because one of them may be something else.
    pub fn is(&self, other: &Self) -> Option<bool> {
        if let (Some(mine), Some(theirs)) = (&self.date, &other.date) {
            return Some(mine == theirs);
        }
        if let (Some(date), None) = (&self.date, &other.date)
            && let Some(figures) = &other.figures
        {
            return Some(date == figures);
        }
        match (&self.clock, &other.clock) {
            (Some(mine), Some(theirs)) => Some(mine.is(theirs)),
            (Some(clock), None) => clock.is_other_than(other).then_some(false),
            (None, Some(clock)) => clock.is_other_than(self).then_some(false),
            (None, None) => None,
        }
    }
}

impl Clock {
    fn read(text: &str) -> Option<Self> {
        match text {
            "noon" | "Noon" => return Self::read("12 pm"),
            "midnight" | "Midnight" => return Self::read("12 am"),
            _ => {}
        }
        let may_be_time = text.len() <= LONGEST && text.contains([':', 'm', 'M']);
        let mut plain = may_be_time.then(|| text.to_ascii_lowercase())?;
        for dress in DRESS {
            plain = plain.replace(dress, "");
        }
        let plain = plain.trim_end_matches('.');
        let half = |names: [&str; 2]| names.iter().find_map(|name| plain.strip_suffix(name));
        let (figures, afternoon) = match (half(["am", "a.m"]), half(["pm", "p.m"])) {
            (Some(figures), _) => (figures, Some(false)),
            (_, Some(figures)) => (figures, Some(true)),
            _ => (plain, None),
        };
        let (hour, minutes) = match figures.split_once(':') {
            Some((hour, minutes)) => (hour, Some(<[u8; 2]>::try_from(minutes.as_bytes()).ok()?)),
            None => (figures, None),
        };
        let digits = hour.bytes().chain(minutes.into_iter().flatten());
        if hour.len() > 2 || !digits.into_iter().all(|b| b.is_ascii_digit()) {
            return None;
        }
        let hour = hour.parse().ok().filter(|hour| *hour <= 24)?;
        let minute = minutes.map_or(0, |[tens, ones]| (tens - b'0') * 10 + ones - b'0');
        let is_time = minute < 60 && (minutes.is_some() || afternoon.is_some());
        is_time.then_some(Self {
            hour,
            minute,
            afternoon,
            minutes,
        })
    }

    /// A missing half of the day is forgiven.
    fn is(&self, other: &Self) -> bool {
        let hours = match (self.hour_of_day(), other.hour_of_day()) {
            (Some(mine), Some(theirs)) => mine == theirs,
            _ => self.hour == other.hour,
        };
        hours && self.minute == other.minute
    }

    /// From 0 to 24, where it is known which half of the day is meant.
    fn hour_of_day(&self) -> Option<u8> {
        match self.afternoon {
            Some(afternoon) => Some(self.hour % 12 + if afternoon { 12 } else { 0 }),
            None => (self.hour > 12 || self.hour == 0).then_some(self.hour),
        }
    }

    /// Whether it cannot be the same as a text that is no time: it is surely one itself, or that is another ratio.
    fn is_other_than(&self, other: &Time) -> bool {
        let Some([tens, _]) = self.minutes else {
            return false;
        };
        tens == b'0' || self.afternoon.is_some() || other.is_ratio
    }
}

/// `1:3`
fn is_ratio(text: &str) -> bool {
    let is_whole = |term: &str| !term.is_empty() && term.bytes().all(|b| b.is_ascii_digit());
    if !text.contains(':') {
        return false;
    }
    let plain = text.replace([' ', '$'], "");
    plain
        .split_once(':')
        .is_some_and(|(a, b)| is_whole(a) && is_whole(b))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn same(gold: &str, given: &str) -> Option<bool> {
        Time::read(gold).is(&Time::read(given))
    }

    #[test]
    fn times_are_compared_as_they_are_written() {
        for (a, b) in [
            ("2:30 p.m.", r"2:30 \text{ PM}"),
            ("14:30", "2:30 PM"),
            ("7:00 a.m.", "7 AM"),
            ("7:05", "7:05 am"),
            ("1:30", "01:30"),
        ] {
            assert_eq!(same(a, b), Some(true), "{a} {b}");
        }
        for (a, b) in [
            ("2:30", "1:15"),
            ("2:30 PM", "2:30 AM"),
            ("3 am", "3 pm"),
            ("14:30", "2:30"),
            ("10:20", "1:2"),
            ("7:05", "7/5"),
        ] {
            assert_eq!(same(a, b), Some(false), "{a} {b}");
        }
        for (a, b) in [
            ("3:2", "6:4"),
            ("1:36", r"\frac{1}{36}"),
            ("V_1:V_2 = 7:32", "7:32"),
            ("3 am", "3"),
            ("5 m", "5"),
        ] {
            assert_eq!(same(a, b), None, "{a} {b}");
        }
    }
}
