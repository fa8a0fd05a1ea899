//! What letters in a row mean: a product of symbols, names, functions, or a word.
//!
//! Products commute and words do not: `listen` is not `silent`. So a row of letters is a product only where nobody
//! would read a word.

use crate::answer::parse::token::Token;

/// Names that mean a function or constant although no backslash stands before them.
const BARE_NAMES: [&str; 17] = [
    "arcsin", "arccos", "arctan", "sin", "cos", "tan", "cot", "sec", "csc", "log", "ln", "exp",
    "sqrt", "infty", "cup", "pm", "cdot",
];

/// Greek letters and symbols written as words, which stand for their commands.
const SPELLED: [&str; 22] = [
    "alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta", "theta", "kappa", "lambda", "mu",
    "nu", "xi", "rho", "sigma", "tau", "phi", "chi", "psi", "omega", "hbar", "Delta",
];

/// Other names of functions.
const OTHER_NAMES: [(&str, &str); 3] = [("asin", "arcsin"), ("acos", "arccos"), ("atan", "arctan")];

/// The command that a word in plain text stands for.
pub(crate) fn command(run: &str) -> Option<&'static str> {
    let spelled = SPELLED.iter().find(|name| **name == run).copied();
    spelled.or_else(|| {
        let other = OTHER_NAMES.iter().find(|(name, _)| *name == run);
        other.map(|(_, command)| *command)
    })
}

/// Whether a word is the name of a function or constant.
pub(crate) fn is_function(word: &str) -> bool {
    BARE_NAMES.contains(&word)
}

/// The symbols and functions that a row of ASCII letters stands for; `None` where it is a word.
pub(crate) fn symbols(run: &str) -> Option<Vec<Token>> {
    let mut tokens = Vec::new();
    let mut rest = run;
    while !rest.is_empty() {
        let longest_at = |at: usize| {
            let names = BARE_NAMES.iter().copied();
            names
                .filter(|name| rest[at..].starts_with(name))
                .max_by_key(|name| name.len())
        };
        let next = (0..rest.len()).find_map(|at| Some((at, longest_at(at)?)));
        let (before, name) = match next {
            Some((at, name)) => (&rest[..at], name),
            None => (rest, ""),
        };
        push_symbols(before, &mut tokens)?;
        if !name.is_empty() {
            tokens.push(Token::Command(name.to_owned()));
        }
        rest = &rest[before.len() + name.len()..];
    }
    Some(tokens)
}

/// The letters, those in front of or behind `pi` apart; `None` where they are a word.
fn push_symbols(letters: &str, tokens: &mut Vec<Token>) -> Option<()> {
    let pi = || Token::Command("pi".to_owned());
    if let Some(behind) = letters.strip_prefix("pi") {
        tokens.push(pi());
        return push_product(behind, tokens);
    }
    let Some(before) = letters.strip_suffix("pi") else {
        return push_product(letters, tokens);
    };
    push_product(before, tokens)?;
    tokens.push(pi());
    Some(())
}

fn push_product(letters: &str, tokens: &mut Vec<Token>) -> Option<()> {
    if !is_product(letters) {
        return None;
    }
    for part in letters.split_inclusive(|c: char| c.is_ascii_lowercase()) {
        // A lower-case letter, and the capitals before it.
        let (capitals, letter) = part
            .split_at(part.len() - usize::from(part.ends_with(|c: char| c.is_ascii_lowercase())));
        match capitals.len() {
            0 => {}
            1 => tokens.extend(capitals.chars().map(Token::Letter)),
            _ => tokens.push(Token::Name(capitals.to_owned())),
        }
        tokens.extend(letter.chars().map(Token::Letter));
    }
    Some(())
}

/// Whether letters in a row are factors: capitals, a pair, letters without a vowel, or in the order of the alphabet,
/// as in `abc`, which no other arrangement of the same letters is in. There is no symbol o, for it would look like a
/// zero.
fn is_product(letters: &str) -> bool {
    if letters.bytes().all(|b| b.is_ascii_uppercase()) {
        return true;
    }
    let lower = letters.to_ascii_lowercase();
    let is_rising = lower.as_bytes().is_sorted();
    !lower.contains('o') && (lower.len() <= 2 || is_rising || !lower.contains(['a', 'e', 'i', 'u']))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(run: &str) -> String {
        let Some(tokens) = symbols(run) else {
            return "word".to_owned();
        };
        let shown = tokens.iter().map(|token| match token {
            Token::Letter(letter) => letter.to_string(),
            Token::Name(text) | Token::Command(text) => text.clone(),
            _ => String::new(),
        });
        shown.collect::<Vec<_>>().join("*")
    }

    #[test]
    fn words_are_told_from_products() {
        let cases = [
            ("x", "x"),
            ("ab", "a*b"),
            ("xyz", "x*y*z"),
            ("abc", "a*b*c"),
            ("cab", "word"),
            ("AB", "AB"),
            ("nRT", "n*RT"),
            ("NaCl", "word"),
            ("no", "word"),
            ("east", "word"),
            ("sinx", "sin*x"),
            ("xsinx", "x*sin*x"),
            ("arctan", "arctan"),
            ("since", "sin*c*e"),
            ("second", "word"),
            ("kpi", "k*pi"),
            ("pir", "pi*r"),
            ("spin", "word"),
            ("meters", "word"),
        ];
        for (run, expected) in cases {
            assert_eq!(shown(run), expected, "{run}");
        }
    }
}
