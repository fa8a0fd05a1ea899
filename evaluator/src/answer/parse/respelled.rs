//! Spellings that depend on what stands around them: infix commands, letters for signs, and whole answers in words.

/// Whole answers in words, and their sign.
const SAID: [(&str, &str); 29] = [
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

/// Two whole numbers in words between: `5 to 2` as a ratio, `3 out of 8` and `1 in 6` as a share.
pub(crate) fn ratio(text: &str) -> Option<String> {
    let is_whole = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    let joints = [(" to ", ":"), (" out of ", "/"), (" in ", "/")];
    joints.iter().find_map(|(words, sign)| {
        let (a, b) = text.split_once(words)?;
        let (count, all): (u64, u64) = (a.parse().ok()?, b.parse().ok()?);
        // `8 to 2` is no 4.
        let is_share = is_whole(a) && is_whole(b) && all > 0 && count % all != 0;
        is_share.then(|| format!("{a}{sign}{b}"))
    })
}

/// `3F_{16}`: digits beyond nine are letters, in a base that is named.
pub(crate) fn in_base(text: &str) -> Option<String> {
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
