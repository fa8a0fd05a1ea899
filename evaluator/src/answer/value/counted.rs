//! The words behind a number: what it counts or measures, and words that make another value of it.
//!
//! Nouns are not listed, for there is no end of them. What is listed are the few words that change what a number
//! says: a number with one of these behind it is not that number.

use crate::answer::{value::expr::Function, value::unit, value::words};

/// The most words a unit has, as in `square feet per day`.
const MOST_WORDS: usize = 4;

/// Words that negate, compare, calculate, or offer something else.
const CHANGING: [&str; 48] = [
    "or",
    "and",
    "not",
    "is",
    "isn't",
    "to",
    "but",
    "if",
    "wrong",
    "incorrect",
    "false",
    "minus",
    "plus",
    "times",
    "over",
    "than",
    "except",
    "excluding",
    "without",
    "versus",
    "vs",
    "instead",
    "otherwise",
    "else",
    "below",
    "above",
    "under",
    "less",
    "fewer",
    "more",
    "least",
    "most",
    "half",
    "twice",
    "double",
    "triple",
    "squared",
    "cubed",
    "factorial",
    "infinity",
    "infinite",
    "negative",
    "percent",
    "percentage",
    "modulo",
    "log",
    "sqrt",
    "either",
];

/// Greek letters in words, which are symbols.
const GREEK: [&str; 14] = [
    "alpha", "beta", "gamma", "delta", "epsilon", "theta", "lambda", "sigma", "omega", "phi",
    "psi", "rho", "tau", "eta",
];

/// Short words that can stand in the name of a unit, or mark a time or a rank.
const SHORT: [&str; 15] = [
    "of", "in", "at", "on", "a", "an", "am", "pm", "ad", "bc", "ce", "st", "nd", "rd", "th",
];

/// Nothing, or a few words that can be a unit.
pub(crate) fn is_unit(text: &str) -> bool {
    let words = || text.split_whitespace();
    unit::named(text).is_some() || words().count() <= MOST_WORDS && words().all(is_unit_word)
}

/// Whether letters glued to a number, as in `5kg`, are a unit: a single letter is a variable, and an unknown run of
/// letters is a product of them.
pub(crate) fn is_glued_unit(text: &str) -> bool {
    matches!(text, "st" | "nd" | "rd" | "th" | "am" | "pm" | "AM" | "PM")
        || text.chars().count() > 1 && unit::named(text).is_some()
        || !text.is_ascii()
            && (unit::named(text).is_some() || unit::is_temperature(text) || is_counter(text))
        || text
            .split_once(' ')
            .is_some_and(|(rank, noun)| matches!(rank, "st" | "nd" | "rd" | "th") && is_unit(noun))
}

/// What counts things behind a number in Chinese, Japanese and Korean; a second one may follow, as in `元钱`.
const COUNTERS: &str = "个個元天人只隻本张張岁歲米克吨度年月日号次名位棵条條件台辆輛页頁块塊角分秒里升倍种種组組颗顆支枝瓶箱袋杯碗层層株头頭匹枚冊円時间間개원명마리권일살시간分钟鐘小千公厘毫平方立斤";

/// Whether the letters glued to a number count something in one of these languages.
fn is_counter(text: &str) -> bool {
    let count = text.chars().count();
    (1..=4).contains(&count) && text.chars().all(|c| COUNTERS.contains(c))
}

/// Words that can be the name of something; negations are not.
pub(crate) fn is_name(text: &str) -> bool {
    let is_word = |word: &str| {
        let word = lower(word);
        !word.is_empty()
            && word.chars().all(is_of_word)
            && !word.split('-').any(|part| CHANGING.contains(&part))
    };
    text.split_whitespace().count() <= MOST_WORDS && text.split_whitespace().all(is_word)
}

fn is_unit_word(word: &str) -> bool {
    let plain = lower(word).replace('.', "");
    unit::named(word).is_some() || SHORT.contains(&plain.as_str()) || is_noun(&plain)
}

/// A word of a language, not a run of variables: these have no vowels or are short.
fn is_noun(word: &str) -> bool {
    let is_long = word.len() > 2 && word.contains(['a', 'e', 'i', 'o', 'u']);
    let is_greek = |c: char| ('\u{370}'..'\u{400}').contains(&c);
    let is_foreign = !word.is_ascii() && !word.contains(is_greek);
    is_name(word)
        && (is_long || is_foreign)
        && !words::is_numeric(word)
        && !GREEK.contains(&word)
        && Function::named(word).is_none()
}

fn lower(word: &str) -> String {
    word.trim_end_matches(['.', ',']).to_lowercase()
}

fn is_of_word(c: char) -> bool {
    c.is_alphabetic() || matches!(c, '-' | '\'' | '/' | '.')
}
