//! Fenced code blocks of a Markdown text, with the heading and the prose above each.

use sandbox::Language;

/// A fenced block.
pub(super) struct Block<'a> {
    /// What stands after the opening fence, e.g. `rust`.
    pub(super) tag: &'a str,
    /// From the nearest heading above it, without its number and marks; empty if there is none.
    pub(super) name: String,
    /// What stands between that heading and the block.
    pub(super) prose: String,
    /// Its content.
    pub(super) code: &'a str,
}

/// All fenced blocks that are closed.
pub(super) fn code_blocks(text: &str) -> Vec<Block<'_>> {
    let mut blocks = Vec::new();
    let (mut name, mut prose) = (String::new(), Vec::new());
    let mut open: Option<(&str, usize)> = None;
    let mut position = 0;
    for line in text.split_inclusive('\n') {
        let start = position;
        position += line.len();
        let line = line.trim();
        match (line.strip_prefix("```"), open) {
            (Some(tag), None) => open = Some((tag.trim(), position)),
            (Some(_), Some((tag, from))) => {
                open = None;
                blocks.push(Block {
                    tag,
                    name: std::mem::take(&mut name),
                    prose: std::mem::take(&mut prose).join(" "),
                    code: &text[from..start],
                });
            }
            (None, Some(_)) => {}
            (None, None) => match heading(line) {
                Some(heading) => {
                    name = heading.to_owned();
                    prose.clear();
                }
                None if line.is_empty() => {}
                None => prose.push(line),
            },
        }
    }
    blocks
}

/// The text of `## 2. Name`, `**Name**`, `3) **Name**:` or `Name: x`.
fn heading(line: &str) -> Option<&str> {
    let numbered = line.trim_start_matches(|c: char| c.is_ascii_digit());
    let after_number = match numbered.strip_prefix(['.', ')']) {
        Some(rest) if numbered.len() < line.len() => rest.trim_start(),
        _ => line,
    };
    let text = if let Some(rest) = line.strip_prefix('#') {
        rest.trim_start_matches('#')
    } else if after_number.starts_with("**") && after_number.trim_end_matches(':').ends_with("**") {
        after_number
    } else {
        after_number
            .strip_prefix("Name:")
            .or_else(|| after_number.strip_prefix("name:"))?
    };
    let text = text.trim().trim_start_matches(|c: char| c.is_ascii_digit());
    let text = text.trim_matches(|c: char| {
        c.is_whitespace() || matches!(c, '*' | '`' | '"' | ':' | '.' | ')' | '#')
    });
    (!text.is_empty()).then_some(text)
}

/// Code without the fence that some models put around it inside JSON.
pub(super) fn unwrapped(code: &str) -> &str {
    let inner = code.trim().strip_prefix("```").and_then(|rest| {
        let (_, body) = rest.split_once('\n')?;
        Some(body.trim_end().strip_suffix("```").unwrap_or(body))
    });
    inner.unwrap_or(code)
}

/// A language by the names that models use for it.
pub(super) fn language_of(name: &str) -> Option<Language> {
    match name.trim().to_ascii_lowercase().as_str() {
        "rust" | "rs" => Some(Language::Rust),
        "python" | "py" | "python3" => Some(Language::Python),
        _ => None,
    }
}
