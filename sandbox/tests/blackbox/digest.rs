//! Everything a regular expression has to say about a text, as one number. Compiled for the host against the `regex` crate
//! and for the sandbox against the SDK, so it is written as a reward may be.

use regex::{Captures, Regex, RegexBuilder};

pub fn digest(pattern: &str, text: &str) -> f64 {
    let Ok(regex) = Regex::new(pattern) else {
        return -1.0;
    };
    let mut seen = format!("{} {}", regex.as_str(), regex.is_match(text));
    seen += &format!("{:?}", regex.find(text).map(|found| found.range()));
    for found in regex.find_iter(text) {
        seen += &format!("{:?}={},", found.range(), found.as_str());
    }
    for found in regex.captures_iter(text) {
        for group in found.iter() {
            seen += &format!("{:?},", group.map(|group| (group.start(), group.end())));
        }
        seen += found.name("x").map_or("-", |group| group.as_str());
    }
    seen += &format!("{:?}", regex.split(text).collect::<Vec<_>>());
    seen += &format!("{:?}", regex.splitn(text, 3).collect::<Vec<_>>());
    seen += &regex.replace_all(text, "<$0|${1}|$x|$$>");
    seen += &regex.replace(text, "1st");
    seen += &regex.replacen(text, 2, |found: &Captures| found[0].to_uppercase());
    // A text of the guest's own instead of the sample's, and as much as several questions bring.
    let longer = text.repeat(40);
    seen += &regex
        .find_iter(&longer)
        .map(|found| found.end())
        .sum::<usize>()
        .to_string();
    seen += &regex.captures_iter(&longer).count().to_string();
    if let Some(middle) = text
        .char_indices()
        .map(|(at, _)| at)
        .nth(text.chars().count() / 2)
    {
        seen += &format!(
            "{:?}",
            regex.find_at(text, middle).map(|found| found.range())
        );
        seen += &format!(
            "{:?}",
            regex.find(&text[middle..]).map(|found| found.range())
        );
    }
    if let Ok(other) = RegexBuilder::new(pattern)
        .case_insensitive(true)
        .dot_matches_new_line(true)
        .build()
    {
        seen += &format!("{} {}", other.as_str(), other.find_iter(text).count());
    }
    seen += &regex::escape(pattern);
    let hash = seen.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    (hash >> 12) as f64
}
