//! Foreign text made fit for a page: nothing in it is markup, nothing in it steers or turns the text around it.

use minijinja::HtmlEscape;

use crate::text::printable;

/// The text for HTML and SVG, within elements and within quoted attributes.
pub(crate) fn escaped(text: &str) -> String {
    HtmlEscape(&printable(text)).to_string()
}

/// A name for a page, which breaks after the marks that join its words rather than within a word.
pub(crate) fn breakable(name: &str) -> String {
    let mut text = String::with_capacity(name.len());
    for piece in name.split_inclusive(['_', '-', '/', '.']) {
        if !text.is_empty() {
            text.push_str("<wbr>");
        }
        text.push_str(&escaped(piece));
    }
    text
}

/// A text as a value of a query of an address.
pub(crate) fn in_query(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
                safe.push(char::from(byte));
            }
            other => safe.push_str(&format!("%{other:02X}")),
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markup_and_marks_of_direction_are_taken_out_of_texts() {
        assert_eq!(
            escaped("<b a=\"x\">&'\u{202e}\u{1b}[2J"),
            "&lt;b a=&quot;x&quot;&gt;&amp;&#x27;[2J"
        );
        assert_eq!(in_query("a b/ü&=\"<"), "a%20b%2F%C3%BC%26%3D%22%3C");
    }

    #[test]
    fn names_break_between_words_and_are_escaped_all_the_same() {
        assert_eq!(breakable("right_and-short"), "right_<wbr>and-<wbr>short");
        assert_eq!(breakable("plain"), "plain");
        assert_eq!(
            breakable("<wbr>_&lt;/script>"),
            "&lt;wbr&gt;_<wbr>&amp;lt;&#x2f;<wbr>script&gt;"
        );
    }
}
