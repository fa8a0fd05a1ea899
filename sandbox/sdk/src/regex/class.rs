//! Sets of characters.

/// A set of characters: inclusive ranges, possibly all others.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Class {
    pub(crate) ranges: Vec<(char, char)>,
    pub(crate) negated: bool,
}

pub(crate) const DIGITS: &[(char, char)] = &[('0', '9')];
pub(crate) const WORD: &[(char, char)] = &[('0', '9'), ('A', 'Z'), ('_', '_'), ('a', 'z')];
pub(crate) const SPACE: &[(char, char)] = &[('\t', '\r'), (' ', ' ')];

/// The classes `[:name:]` of POSIX.
pub(crate) fn named(name: &str) -> Option<&'static [(char, char)]> {
    Some(match name {
        "alpha" => &[('a', 'z'), ('A', 'Z')],
        "digit" => DIGITS,
        "alnum" => &[('a', 'z'), ('A', 'Z'), ('0', '9')],
        "upper" => &[('A', 'Z')],
        "lower" => &[('a', 'z')],
        "space" => SPACE,
        "punct" => &[('!', '/'), (':', '@'), ('[', '`'), ('{', '~')],
        "word" => WORD,
        _ => return None,
    })
}

/// All characters outside sorted, separate ASCII ranges.
pub(crate) fn complement(ranges: &[(char, char)]) -> Vec<(char, char)> {
    let mut gaps = Vec::new();
    let mut next = 0_u32;
    for (low, high) in ranges {
        let last = (*low as u32).checked_sub(1).and_then(char::from_u32);
        gaps.extend(
            char::from_u32(next)
                .zip(last)
                .filter(|(from, to)| from <= to),
        );
        next = *high as u32 + 1;
    }
    gaps.extend(char::from_u32(next).map(|from| (from, char::MAX)));
    gaps
}

/// The ASCII letters of the ranges in the other case.
pub(crate) fn other_case(ranges: &[(char, char)]) -> Vec<(char, char)> {
    let mut others = Vec::new();
    for (low, high) in ranges {
        for (from, to) in [('a', 'z'), ('A', 'Z')] {
            let (low, high) = ((*low).max(from), (*high).min(to));
            if low <= high {
                let flip = |c: char| {
                    if c.is_ascii_lowercase() {
                        c.to_ascii_uppercase()
                    } else {
                        c.to_ascii_lowercase()
                    }
                };
                others.push((flip(low), flip(high)));
            }
        }
    }
    others
}
