//! Spellings that depend on what stands around them: infix commands, letters for signs, and whole answers in words.

use num_traits::ToPrimitive;

use crate::answer::value::words;

/// Whole answers in words, and their sign.
const SAID: [(&str, &str); 40] = [
    ("inf", r"\infty"),
    ("-inf", r"-\infty"),
    ("+inf", r"\infty"),
    ("oo", r"\infty"),
    ("-oo", r"-\infty"),
    ("+oo", r"\infty"),
    ("-infinity", r"-\infty"),
    ("+infinity", r"\infty"),
    ("minus infinity", r"-\infty"),
    ("plus infinity", r"\infty"),
    ("a dozen", "12"),
    ("no solution", r"\emptyset"),
    ("no solutions", r"\emptyset"),
    ("no real solution", r"\emptyset"),
    ("no real solutions", r"\emptyset"),
    ("no real roots", r"\emptyset"),
    ("no solution exists", r"\emptyset"),
    ("no solutions exist", r"\emptyset"),
    ("no real solution exists", r"\emptyset"),
    ("no real solutions exist", r"\emptyset"),
    ("there is no solution", r"\emptyset"),
    ("there are no solutions", r"\emptyset"),
    ("there is no real solution", r"\emptyset"),
    ("there are no real solutions", r"\emptyset"),
    ("empty set", r"\emptyset"),
    ("the empty set", r"\emptyset"),
    ("none", r"\emptyset"),
    ("infinity", r"\infty"),
    ("infinite", r"\infty"),
    ("infinitely many", r"\infty"),
    ("infinitely many solutions", r"\infty"),
    ("infinite solutions", r"\infty"),
    ("all integers", r"\mathbb{Z}"),
    ("all real numbers", r"\mathbb{R}"),
    ("all rational numbers", r"\mathbb{Q}"),
    ("all natural numbers", r"\mathbb{N}"),
    ("all positive integers", r"\mathbb{Z}^+"),
    ("positive infinity", r"\infty"),
    ("negative infinity", r"-\infty"),
    ("half", r"\frac{1}{2}"),
];

/// Longer texts say more than that.
const LONGEST_SAID: usize = 50;

/// Commands between their arguments, and those before them.
const INFIX: [(&str, &str); 2] = [(r"\over", r"\frac"), (r"\choose", r"\binom")];

/// More of them are no answer.
const MOST_INFIX: usize = 8;

/// The sign that a whole answer in words stands for.
pub(crate) fn sign_of(text: &str) -> Option<&'static str> {
    if text.len() > LONGEST_SAID || !text.contains(|c: char| c.is_ascii_alphabetic()) {
        return None;
    }
    let lower = text.to_lowercase().replace(r"\text{", "");
    let words = lower.trim_matches(|c: char| matches!(c, '}' | ' ' | '.'));
    SAID.iter()
        .find(|(said, _)| *said == words)
        .map(|(_, sign)| *sign)
}

/// Without colours, and with `\frac{a}{b}` for `{a \over b}`, `\times` for the letter of `3 x 10^8`, `\cup` for that of `(0,1) U (2,3)`, and
/// `or` for the sign between inequalities.
pub(crate) fn with_commands(text: &str) -> String {
    let mut plain = text.to_owned();
    for command in [r"\color{", r"\textcolor{"] {
        while let Some((before, after)) = plain.split_once(command)
            && let Some((_, behind)) = after.split_once('}')
        {
            plain = format!("{before} {behind}");
        }
    }
    for (infix, command) in INFIX {
        for _ in 0..MOST_INFIX {
            let Some(prefixed) = prefixed(&plain, infix, command) else {
                break;
            };
            plain = prefixed;
        }
    }
    plain = with_times(plain);
    plain = with_modulus(plain);
    if plain.contains("union") {
        for (open, close) in [(")", "("), (")", "["), ("]", "("), ("]", "[")] {
            for joint in [" union ", "union"] {
                plain = plain.replace(
                    &format!("{open}{joint}{close}"),
                    &format!(r"{open} \cup {close}"),
                );
            }
        }
    }
    for union in [") U (", ") U [", "] U (", "] U ["] {
        if plain.contains(union) {
            plain = plain.replace(union, &union.replace('U', r"\cup"));
        }
    }
    if plain.contains(r"\vee ") && plain.contains(['<', '>', '=']) {
        plain = plain.replace(r"\vee ", r"\text{or}");
    }
    plain
}

/// `\pmod 9` for the word of `7 mod 9` and `x \equiv 7 (mod 9)`.
fn with_modulus(plain: String) -> String {
    let Some(at) = plain
        .find("mod ")
        .filter(|at| !plain[..*at].ends_with(['p', 'b', '\\']))
    else {
        return plain;
    };
    let (before, behind) = (plain[..at].trim_end(), plain[at + 4..].trim());
    match (before.strip_suffix('('), behind.strip_suffix(')')) {
        (Some(before), Some(behind)) => format!(r"{before}\pmod {behind}"),
        (None, _) if !before.ends_with(|c: char| c.is_ascii_alphabetic()) => {
            format!(r"{before}\pmod {behind}")
        }
        _ => plain,
    }
}

/// `\times` for the letter of `3 x 10^8` and `3x10^8`.
fn with_times(plain: String) -> String {
    let Some(at) = plain.find("10^") else {
        return plain;
    };
    let before = plain[..at].trim_end();
    let number = before.strip_suffix(['x', 'X']).map(str::trim_end);
    match number.filter(|number| number.ends_with(|c: char| c.is_ascii_digit())) {
        Some(number) => format!(r"{number} \times {}", &plain[at..]),
        None => plain,
    }
}

/// Whole numbers in words between: `5 to 2` and `3 to 4 to 5` as a ratio, `3 out of 8` and `one in six` as a share.
pub(crate) fn ratio(text: &str) -> Option<String> {
    if text.len() > LONGEST_RATIO || !text.contains(' ') {
        return None;
    }
    let text = ["the ratio is ", "the ratio of ", "a ratio of ", "ratio of "]
        .iter()
        .find_map(|words| text.strip_prefix(words))
        .unwrap_or(text);
    let whole = |part: &str| -> Option<u64> {
        let words: Vec<&str> = part.split(' ').collect();
        let (value, length) = match part.parse::<u64>() {
            Ok(value) if !part.starts_with('+') => return Some(value),
            _ => words::leading_number(&words)?,
        };
        let is_all = length == words.len() && value.is_integer();
        is_all.then(|| value.to_integer().to_u64())?
    };
    let terms: Vec<&str> = text.split(" to ").collect();
    if terms.len() > 1 {
        let terms: Vec<u64> = terms.into_iter().map(whole).collect::<Option<_>>()?;
        return match terms[..] {
            [_, 0] => None,
            // `8 to 2` is no 4.
            [a, b] if a % b == 0 => Some(format!(r"\wholeratio{{{}}}", a / b)),
            _ => {
                let terms: Vec<String> = terms.iter().map(u64::to_string).collect();
                Some(terms.join(":"))
            }
        };
    }
    [" out of ", " in "].iter().find_map(|words| {
        let (a, b) = text.split_once(words)?;
        let (count, all) = (whole(a)?, whole(b)?);
        (all > 0 && count % all != 0).then(|| format!("{count}/{all}"))
    })
}

/// Longer texts are no ratio.
const LONGEST_RATIO: usize = 60;

/// `{}_6C_2`, `10C3` and `_{5}P_{2}`: how many choices and arrangements there are.
pub(crate) fn chosen(text: &str) -> Option<String> {
    if text.len() > LONGEST_CHOSEN || !text.contains(['C', 'P']) {
        return None;
    }
    let plain: String = text
        .chars()
        .filter(|c| !matches!(c, '{' | '}' | '_' | '^' | ' '))
        .collect();
    let (n, k) = plain.split_once(['C', 'P'])?;
    let is_number =
        |part: &str| (1..=4).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit());
    let (all, some): (u32, u32) = (n.parse().ok()?, k.parse().ok()?);
    if !is_number(n) || !is_number(k) || some > all {
        return None;
    }
    Some(if plain.contains('C') {
        format!(r"\binom{{{n}}}{{{k}}}")
    } else {
        format!(r"\frac{{{n}!}}{{{}!}}", all - some)
    })
}

/// Longer texts say more.
const LONGEST_CHOSEN: usize = 24;

/// `3F_{16}`: digits beyond nine are letters, in a base that is named.
pub(crate) fn in_base(text: &str) -> Option<String> {
    for (prefix, base) in [("0x", 16), ("0b", 2)] {
        if let Some(digits) = text.strip_prefix(prefix) {
            let value = u64::from_str_radix(digits, base).ok()?;
            return digits
                .starts_with(|c: char| c.is_ascii_alphanumeric())
                .then(|| value.to_string());
        }
    }
    if let Some((digits, base)) = text.split_once(" base ") {
        let is_plain =
            |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric());
        return (is_plain(digits) && is_plain(base)).then(|| format!("{digits}_{{{base}}}"));
    }
    let (digits, base) = text.split_once('_')?;
    let base: u32 = base.trim_matches(['{', '}']).parse().ok()?;
    let has_both = digits.starts_with(|c: char| c.is_ascii_digit())
        && digits.contains(|c: char| c.is_ascii_uppercase())
        && digits.len() <= LONGEST_IN_BASE;
    let value = u64::from_str_radix(digits, (11..=36).contains(&base).then_some(base)?).ok()?;
    has_both.then(|| value.to_string())
}

/// Longer numbers in another base are compared as text.
const LONGEST_IN_BASE: usize = 12;

/// The first `{a infix b}` with its command in front.
fn prefixed(text: &str, infix: &str, command: &str) -> Option<String> {
    let is_whole =
        |at: &usize| !text[at + infix.len()..].starts_with(|c: char| c.is_ascii_alphabetic());
    let at = text.match_indices(infix).map(|(at, _)| at).find(is_whole)?;
    let (before, after) = (&text[..at], &text[at + infix.len()..]);
    let (open, close) = match (
        unclosed(before.chars().rev(), '}', '{'),
        unclosed(after.chars(), '{', '}'),
    ) {
        (Some(open), Some(close)) => (before.len() - open, close - 1),
        (None, None) if !text.contains(['=', ',', '<', '>']) => {
            return Some(format!("{command}{{{before}}}{{{after}}}"));
        }
        _ => return None,
    };
    let (above, below) = (&before[open + 1..], &after[..close]);
    let (head, tail) = (&before[..open], &after[close + 1..]);
    Some(format!("{head}{{{command}{{{above}}}{{{below}}}}}{tail}"))
}

/// How many bytes it takes to reach, and pass, the `end` of the group that is open at the beginning.
fn unclosed(chars: impl Iterator<Item = char>, opens: char, end: char) -> Option<usize> {
    let (mut depth, mut length) = (0usize, 0);
    for c in chars {
        length += c.len_utf8();
        if c == opens {
            depth += 1;
        } else if c == end {
            if depth == 0 {
                return Some(length);
            }
            depth -= 1;
        }
    }
    None
}
