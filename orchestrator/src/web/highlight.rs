//! Source with its words marked, for a page: comments, texts, numbers, keywords and what is called. Good enough to read by, not a parser:
//! whatever it does not know stays as it is, and every character is shown once.

use sandbox::Language;

use super::escape::escaped;

const RUST: &[&str] = &[
    "as", "break", "const", "continue", "crate", "else", "enum", "false", "fn", "for", "if",
    "impl", "in", "let", "loop", "match", "mod", "move", "mut", "pub", "ref", "return", "self",
    "Self", "static", "struct", "trait", "true", "type", "use", "where", "while",
];
const PYTHON: &[&str] = &[
    "and", "as", "assert", "break", "class", "continue", "def", "del", "elif", "else", "except",
    "False", "finally", "for", "from", "global", "if", "import", "in", "is", "lambda", "None",
    "nonlocal", "not", "or", "pass", "raise", "return", "True", "try", "while", "with", "yield",
];

/// What a piece of source is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Plain,
    Comment,
    Text,
    Number,
    Keyword,
    Called,
}

impl Kind {
    fn class(self) -> Option<&'static str> {
        match self {
            Self::Plain => None,
            Self::Comment => Some("com"),
            Self::Text => Some("str"),
            Self::Number => Some("num"),
            Self::Keyword => Some("kw"),
            Self::Called => Some("fn"),
        }
    }
}

/// The source as HTML, one element a line.
pub(crate) fn highlighted(source: &str, language: Language) -> String {
    let mut html = String::with_capacity(source.len() * 3);
    html.push_str("<span class=\"l\">");
    for (kind, piece) in pieces(source.trim_end(), language) {
        for (i, line) in piece.split('\n').enumerate() {
            if i > 0 {
                html.push_str("</span>\n<span class=\"l\">");
            }
            match kind.class() {
                Some(class) if !line.is_empty() => {
                    html.push_str(&format!("<span class=\"{class}\">{}</span>", escaped(line)));
                }
                _ => html.push_str(&escaped(line)),
            }
        }
    }
    html.push_str("</span>");
    html
}

/// The source in pieces that put together are the source.
fn pieces(source: &str, language: Language) -> Vec<(Kind, &str)> {
    let mut pieces = Vec::new();
    let mut rest = source;
    while let Some(first) = rest.chars().next() {
        let (kind, length) = piece(rest, first, language);
        let (piece, after) = rest.split_at(length);
        pieces.push((kind, piece));
        rest = after;
    }
    pieces
}

/// The kind and the bytes of the piece that `rest` begins with.
fn piece(rest: &str, first: char, language: Language) -> (Kind, usize) {
    let line_end = rest.find('\n').unwrap_or(rest.len());
    let is_python = language == Language::Python;
    if is_python && first == '#' || !is_python && rest.starts_with("//") {
        return (Kind::Comment, line_end);
    }
    if !is_python && rest.starts_with("/*") {
        return (
            Kind::Comment,
            rest.find("*/").map_or(rest.len(), |at| at + 2),
        );
    }
    for quotes in ["\"\"\"", "'''"] {
        if is_python && rest.starts_with(quotes) {
            let end = rest[3..].find(quotes).map_or(rest.len(), |at| at + 6);
            return (Kind::Text, end);
        }
    }
    if first == '"' || is_python && first == '\'' {
        return (Kind::Text, text_end(rest, first));
    }
    if first == '\'' {
        // A lifetime's mark is no letter.
        return match letter_end(rest) {
            0 => (Kind::Plain, 1),
            end => (Kind::Text, end),
        };
    }
    if first.is_ascii_digit() {
        let end = rest.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_' || c == '.'));
        return (Kind::Number, end.unwrap_or(rest.len()));
    }
    if first.is_alphabetic() || first == '_' {
        let end = rest
            .find(|c: char| !(c.is_alphanumeric() || c == '_'))
            .unwrap_or(rest.len());
        let words = if is_python { PYTHON } else { RUST };
        let kind = if words.contains(&&rest[..end]) {
            Kind::Keyword
        } else if rest[end..].starts_with(['(', '!']) {
            Kind::Called
        } else {
            Kind::Plain
        };
        return (kind, end);
    }
    (Kind::Plain, first.len_utf8())
}

/// Where a text between quotes ends, on the same line or (in Rust) a later one.
fn text_end(rest: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, c) in rest.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '\n' if quote == '\'' => return at,
            c if c == quote => return at + 1,
            _ => {}
        }
    }
    rest.len()
}

/// Where a letter between quotes ends; 0 if this is none (a lifetime, say).
fn letter_end(rest: &str) -> usize {
    let mut letters = rest.char_indices().skip(1);
    let end = match letters.next() {
        Some((_, '\\')) => rest
            .get(3..)
            .and_then(|after| after.find('\''))
            .map(|at| at + 4),
        Some(_) => letters
            .next()
            .filter(|(_, c)| *c == '\'')
            .map(|(at, _)| at + 1),
        None => None,
    };
    end.filter(|&end| end <= 12).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kinds(source: &str, language: Language) -> Vec<(&'static str, &str)> {
        pieces(source, language)
            .into_iter()
            .filter_map(|(kind, piece)| Some((kind.class()?, piece)))
            .collect()
    }

    #[test]
    fn rust_and_python_are_told_apart() {
        assert_eq!(
            kinds("fn f<'a>(c: char) { c == '\\'' } // \"no\"", Language::Rust),
            [("kw", "fn"), ("str", "'\\''"), ("com", "// \"no\"")]
        );
        assert_eq!(
            kinds("def f(x): return len('#') * 1.5 # c", Language::Python),
            [
                ("kw", "def"),
                ("fn", "f"),
                ("kw", "return"),
                ("fn", "len"),
                ("str", "'#'"),
                ("num", "1.5"),
                ("com", "# c")
            ]
        );
    }

    #[test]
    fn nothing_is_lost_and_nothing_is_markup() {
        for source in [
            "\"open <b>\n x",
            "'''a\n<script>alert(1)</script>'''",
            "r\"</code>\" 'é' ü🦀",
            "",
            "'",
            "/* open",
        ] {
            for language in [Language::Rust, Language::Python] {
                let whole: String = pieces(source, language).iter().map(|p| p.1).collect();
                assert_eq!(whole, source);
                let html = highlighted(source, language);
                assert!(!html.contains("<script") && !html.contains("<b>"), "{html}");
            }
        }
    }
}
