//! Numbers in Chinese characters, `一百零五`, `百分之五十`, `三分之一`, and in Roman capitals, `XIV`.

/// The figures in Chinese characters; 两 and 兩 stand before multiples.
const FIGURES: [(char, u64); 13] = [
    ('零', 0),
    ('〇', 0),
    ('一', 1),
    ('二', 2),
    ('两', 2),
    ('兩', 2),
    ('三', 3),
    ('四', 4),
    ('五', 5),
    ('六', 6),
    ('七', 7),
    ('八', 8),
    ('九', 9),
];

/// What multiplies the figure before it.
const SMALL: [(char, u64); 3] = [('十', 10), ('百', 100), ('千', 1000)];

/// What multiplies all that stands before it, in the writing of several countries.
const LARGE: [(char, u64); 6] = [
    ('万', 10_000),
    ('萬', 10_000),
    ('만', 10_000),
    ('亿', 100_000_000),
    ('億', 100_000_000),
    ('억', 100_000_000),
];

/// Longer numbers are not spelled out.
const MOST_CHARACTERS: usize = 16;

fn find(table: &[(char, u64)], c: char) -> Option<u64> {
    table.iter().find(|(name, _)| *name == c).map(|e| e.1)
}

/// The multiple at the start of `text`, as in `2万`, and what follows it.
pub(crate) fn leading_multiple(text: &str) -> Option<(u64, &str)> {
    let first = text.chars().next()?;
    let size = find(&LARGE, first)?;
    Some((size, &text[first.len_utf8()..]))
}

/// The text with the number in Chinese characters at its start in figures: `百分之五十` as `50%`, `三分之一` as `1/3`,
/// `负五个` as `-5个`; `None` where it begins otherwise.
pub(crate) fn with_figures(text: &str) -> Option<String> {
    let (sign, rest) = match text.strip_prefix('负').or_else(|| text.strip_prefix('負')) {
        Some(rest) => ("-", rest),
        None => ("", text),
    };
    if let Some(share) = rest.strip_prefix("百分之") {
        let (value, behind) = leading(share)?;
        return Some(format!("{sign}{value}%{behind}"));
    }
    let (value, behind) = leading(rest)?;
    match behind.strip_prefix("分之").and_then(leading) {
        Some((share, behind)) => Some(format!("{sign}{share}/{value}{behind}")),
        None => Some(format!("{sign}{value}{behind}")),
    }
}

/// The number at the start of `text`, and what follows it.
fn leading(text: &str) -> Option<(u64, &str)> {
    let is_figure = |c: char| {
        find(&FIGURES, c).is_some() || find(&SMALL, c).is_some() || find(&LARGE, c).is_some()
    };
    let end = text.find(|c| !is_figure(c)).unwrap_or(text.len());
    let (digits, rest) = text.split_at(end);
    (!digits.is_empty()).then_some(())?;
    Some((value(digits)?, rest))
}

fn value(digits: &str) -> Option<u64> {
    if digits.chars().count() > MOST_CHARACTERS {
        return None;
    }
    let (mut total, mut section) = (0u64, 0u64);
    // The figure that waits for what multiplies it; a gap may follow 零.
    let mut figure: Option<u64> = None;
    let mut smallest = u64::MAX;
    let mut is_after_zero = false;
    let mut last_large = u64::MAX;
    for c in digits.chars() {
        if let Some(value) = find(&FIGURES, c) {
            // Two figures in a row are no number, but for the zero that keeps a place.
            if figure.is_some_and(|before| before != 0) {
                return None;
            }
            is_after_zero |= value == 0;
            figure = Some(value);
        } else if let Some(size) = find(&SMALL, c) {
            // `十二` is twelve.
            let count = figure.take().filter(|f| *f > 0).unwrap_or(1);
            if size >= smallest {
                return None;
            }
            smallest = size;
            is_after_zero = false;
            section += count * size;
        } else {
            let size = find(&LARGE, c)?;
            section += figure.take().unwrap_or(0);
            // `三亿五千万` adds up, `一万亿` multiplies.
            total = if size < last_large && last_large < u64::MAX {
                total + section * size
            } else {
                (total + section).checked_mul(size)?
            };
            total = Some(total).filter(|total| *total > 0)?;
            last_large = size;
            section = 0;
            smallest = u64::MAX;
            is_after_zero = false;
        }
    }
    let last = figure.unwrap_or(0);
    // `一百五` is a hundred and fifty to some, and no number here.
    let is_short = last > 0 && !is_after_zero && smallest > 10 && (section > 0 || total > 0);
    (!is_short).then_some(total + section + last)
}

/// The value of Roman capitals written by the rules, of which there are at least two: a single one is a letter.
pub(crate) fn roman(text: &str) -> Option<u64> {
    const VALUES: [(&str, u64); 13] = [
        ("M", 1000),
        ("CM", 900),
        ("D", 500),
        ("CD", 400),
        ("C", 100),
        ("XC", 90),
        ("L", 50),
        ("XL", 40),
        ("X", 10),
        ("IX", 9),
        ("V", 5),
        ("IV", 4),
        ("I", 1),
    ];
    if !(2..=MOST_CHARACTERS).contains(&text.len()) {
        return None;
    }
    let (mut rest, mut value) = (text, 0);
    for (numeral, size) in VALUES {
        let mut times = 0;
        while let Some(behind) = rest.strip_prefix(numeral) {
            (rest, value, times) = (behind, value + size, times + 1);
        }
        let most = if matches!(numeral, "M" | "C" | "X" | "I") {
            3
        } else {
            1
        };
        if times > most {
            return None;
        }
    }
    rest.is_empty().then_some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_in_chinese_characters_are_read() {
        for (text, expected) in [
            ("十二", Some("12")),
            ("二十五", Some("25")),
            ("一百零五", Some("105")),
            ("一千二百", Some("1200")),
            ("两万", Some("20000")),
            ("三亿五千万", Some("350000000")),
            ("十", Some("10")),
            ("百分之五十", Some("50%")),
            ("三分之一", Some("1/3")),
            ("负五", Some("-5")),
            ("十二个", Some("12个")),
            ("四十%", Some("40%")),
            ("一百五", None),
            ("五十二三", None),
            ("五百千", None),
            ("个", None),
            ("5", None),
        ] {
            assert_eq!(with_figures(text).as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn roman_numerals_keep_their_rules() {
        for (text, expected) in [
            ("XIV", Some(14)),
            ("IV", Some(4)),
            ("MCMXCIX", Some(1999)),
            ("IIII", None),
            ("VX", None),
            ("I", None),
            ("AB", None),
        ] {
            assert_eq!(roman(text), expected, "{text}");
        }
    }
}
