//! Tagged sections, `<name>…</name>`, and literal text: counts, and what stands after it or between.

use crate::bytes::find;

/// Content of the first `<name>…</name>`, without surrounding white space. `None` where the pair is not complete.
///
/// ```
/// use reward_sdk::prelude::*;
/// assert_eq!(tag("so <solution> 42 </solution>", "solution"), Some("42"));
/// assert_eq!(tag("<solution> 42", "solution"), None);
/// ```
#[must_use]
pub fn tag<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    section(text, name).map(|(content, _)| content.trim())
}

/// Contents of all `<name>…</name>` from left to right, trimmed.
///
/// ```
/// use reward_sdk::prelude::*;
/// let all: Vec<&str> = tags("<step>a</step> <step>b</step>", "step").collect();
/// assert_eq!(all, ["a", "b"]);
/// ```
#[must_use]
pub fn tags<'a, 'n>(text: &'a str, name: &'n str) -> Tags<'a, 'n> {
    Tags { rest: text, name }
}

/// Iterator of [`tags`].
#[derive(Debug, Clone)]
pub struct Tags<'a, 'n> {
    rest: &'a str,
    name: &'n str,
}

impl<'a> Iterator for Tags<'a, '_> {
    type Item = &'a str;

    fn next(&mut self) -> Option<&'a str> {
        let (content, rest) = section(self.rest, self.name)?;
        self.rest = rest;
        Some(content.trim())
    }
}

/// How often `needle` stands in `text`, without overlaps. An empty needle counts 0.
///
/// ```
/// use reward_sdk::prelude::*;
/// assert_eq!(count("<a> <a> </a>", "<a>"), 2);
/// ```
#[must_use]
pub fn count(text: &str, needle: &str) -> usize {
    let (mut from, mut found) = (0, 0);
    while let Some(start) = find(text.as_bytes(), needle.as_bytes(), from) {
        found += 1;
        from = start + needle.len();
    }
    found
}

/// What stands after the first `literal`.
///
/// ```
/// use reward_sdk::prelude::*;
/// assert_eq!(after("so #### 42", "####"), Some(" 42"));
/// assert_eq!(after("so 42", "####"), None);
/// ```
#[must_use]
pub fn after<'a>(text: &'a str, literal: &str) -> Option<&'a str> {
    let start = find(text.as_bytes(), literal.as_bytes(), 0)?;
    Some(&text[start + literal.len()..])
}

/// What stands after the last `literal`.
///
/// ```
/// use reward_sdk::prelude::*;
/// assert_eq!(after_last("A: 1\nA: 2", "A:"), Some(" 2"));
/// ```
#[must_use]
pub fn after_last<'a>(text: &'a str, literal: &str) -> Option<&'a str> {
    let mut last = after(text, literal)?;
    while let Some(rest) = after(last, literal) {
        last = rest;
    }
    Some(last)
}

/// What stands between an `open` and the next `close`, from left to right, as written.
///
/// ```
/// use reward_sdk::prelude::*;
/// let all: Vec<&str> = between("<<2*3=6>>6 and <<6+1=7>>7", "<<", ">>").collect();
/// assert_eq!(all, ["2*3=6", "6+1=7"]);
/// ```
#[must_use]
pub const fn between<'a, 'n>(text: &'a str, open: &'n str, close: &'n str) -> Between<'a, 'n> {
    Between {
        rest: text,
        open,
        close,
    }
}

/// Iterator of [`between`].
#[derive(Debug, Clone)]
pub struct Between<'a, 'n> {
    rest: &'a str,
    open: &'n str,
    close: &'n str,
}

impl<'a> Iterator for Between<'a, '_> {
    type Item = &'a str;

    fn next(&mut self) -> Option<&'a str> {
        let inside = after(self.rest, self.open)?;
        let end = find(inside.as_bytes(), self.close.as_bytes(), 0)?;
        self.rest = &inside[end + self.close.len()..];
        Some(&inside[..end])
    }
}

/// Whether the whole text is the named sections in this order: each opening and closing tag exactly once, no section
/// empty, nothing but white space before the first and after the last. Text between sections is allowed.
///
/// ```
/// use reward_sdk::prelude::*;
/// let names = ["thinking", "solution"];
/// assert!(in_format("<thinking> 1 + 1 = 2 </thinking>\n<solution> 2 </solution>", &names));
/// assert!(!in_format("Well, <thinking> x </thinking> <solution> 2 </solution>", &names));
/// assert!(!in_format("<thinking> x </thinking> <solution> </solution>", &names));
/// ```
#[must_use]
pub fn in_format(text: &str, names: &[&str]) -> bool {
    let text = text.trim();
    let mut rest = text;
    for (index, name) in names.iter().enumerate() {
        if tag_count(text, name, "<") != 1 || tag_count(text, name, "</") != 1 {
            return false;
        }
        let Some(start) = find_tag(rest, name, "<") else {
            return false;
        };
        if index == 0 && start != 0 {
            return false;
        }
        match section(rest, name) {
            Some((content, after)) if !content.trim().is_empty() => rest = after,
            _ => return false,
        }
    }
    !names.is_empty() && rest.is_empty()
}

/// Raw content of the first complete section and the text after it.
fn section<'a>(text: &'a str, name: &str) -> Option<(&'a str, &'a str)> {
    let open = find_tag(text, name, "<")?;
    let content = &text[open + name.len() + 2..];
    let close = find_tag(content, name, "</")?;
    Some((&content[..close], &content[close + name.len() + 3..]))
}

/// Byte position of the first `<name>` (bracket `"<"`) or `</name>` (bracket `"</"`).
fn find_tag(text: &str, name: &str, bracket: &str) -> Option<usize> {
    let mut from = 0;
    while let Some(start) = find(text.as_bytes(), bracket.as_bytes(), from) {
        let inside = &text[start + bracket.len()..];
        if inside
            .strip_prefix(name)
            .is_some_and(|after| after.starts_with('>'))
        {
            return Some(start);
        }
        from = start + bracket.len();
    }
    None
}

/// How often the opening (`"<"`) or closing (`"</"`) tag stands in the text.
fn tag_count(text: &str, name: &str, bracket: &str) -> usize {
    let (mut rest, mut found) = (text, 0);
    while let Some(start) = find_tag(rest, name, bracket) {
        found += 1;
        rest = &rest[start + bracket.len()..];
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_incomplete_section_is_none() {
        assert_eq!(tag("</solution> 1 <solution>", "solution"), None);
        assert_eq!(tag("<solution>1</solution", "solution"), None);
        assert_eq!(tag("", "solution"), None);
        assert_eq!(tag("<solution>", ""), None);
    }

    #[test]
    fn a_longer_name_is_another_tag() {
        assert_eq!(
            tag("<solutions>1</solutions><solution>2</solution>", "solution"),
            Some("2")
        );
    }

    #[test]
    fn multibyte_text_around_and_inside() {
        assert_eq!(tag("é<q>→ 7 ←</q>ü", "q"), Some("→ 7 ←"));
        assert_eq!(tags("<é>1</é><é>2</é>", "é").count(), 2);
    }

    #[test]
    fn format_wants_every_tag_once_in_order_and_nothing_outside() {
        let names = ["thinking", "solution"];
        let good = " <thinking>a</thinking> so <solution>1</solution> \n";
        assert!(in_format(good, &names));
        for bad in [
            "",
            "<thinking>a</thinking>",
            "<solution>1</solution><thinking>a</thinking>",
            "<thinking>a</thinking><solution>1</solution> done",
            "<thinking>a</thinking><solution>1</solution><solution>2</solution>",
            "<thinking>a<solution>1</solution></thinking>",
            "<thinking></thinking><solution>1</solution>",
        ] {
            assert!(!in_format(bad, &names), "{bad}");
        }
        assert!(!in_format("anything", &[]));
    }

    #[test]
    fn counts_do_not_overlap() {
        assert_eq!(count("aaaa", "aa"), 2);
        assert_eq!(count("aaaa", ""), 0);
    }
}
