//! Fenced code blocks of a Markdown text, with the heading and the prose above each.

use sandbox::Language;

/// A fenced block.
pub(super) struct Block<'a> {
    /// What stands after the opening fence, e.g. `rust`.
    pub(super) tag: &'a str,
    /// From the nearest heading above it, without its number and marks; empty if there is none.
    pub(super) name: String,
    /// What stands between that heading and the block, a line each.
    pub(super) prose: Vec<String>,
    /// Its content, without the indentation of its fence.
    pub(super) code: String,
    /// The text ends before the block does.
    pub(super) is_open: bool,
}

/// A fence that began a block.
struct Fence<'a> {
    tag: &'a str,
    mark: &'a str,
    indent: usize,
    from: usize,
}

/// All fenced blocks. A fence may stand in a list, deeper than the margin; one within a string of its block (deeper by four and more) is
/// part of the block; one with a tag begins a new block where the last was never closed.
pub(super) fn code_blocks(text: &str) -> Vec<Block<'_>> {
    let mut blocks = Vec::new();
    let (mut name, mut prose) = (String::new(), Vec::new());
    let mut open: Option<Fence<'_>> = None;
    let mut position = 0;
    for whole in text.split_inclusive('\n') {
        let start = position;
        position += whole.len();
        let line = whole.trim();
        let indent = whole.len() - whole.trim_start().len();
        let begins = fence(line);
        match (begins, &open) {
            (Some((mark, tag)), None) => {
                open = Some(Fence {
                    tag,
                    mark,
                    indent,
                    from: position,
                });
            }
            (Some((mark, tag)), Some(fence))
                if indent < fence.indent + 4
                    && mark.starts_with(fence.mark)
                    && (tag.is_empty() || is_tag(tag)) =>
            {
                let (name, prose) = (std::mem::take(&mut name), std::mem::take(&mut prose));
                blocks.push(fence.block(&text[fence.from..start], name, prose));
                open = (!tag.is_empty()).then_some(Fence {
                    tag,
                    mark,
                    indent,
                    from: position,
                });
            }
            (_, Some(_)) => {}
            (None, None) => match heading(line) {
                Some(heading) => {
                    name = heading.to_owned();
                    prose.clear();
                }
                None if line.is_empty() => {}
                None => prose.push(line.to_owned()),
            },
        }
    }
    if let Some(fence) = open {
        blocks.push(Block {
            is_open: true,
            ..fence.block(&text[fence.from..], name, prose)
        });
    }
    blocks
}

impl<'a> Fence<'a> {
    fn block(&self, content: &str, name: String, prose: Vec<String>) -> Block<'a> {
        let lines = content.split_inclusive('\n').map(|line| {
            let blanks = line.len() - line.trim_start_matches([' ', '\t']).len();
            &line[blanks.min(self.indent)..]
        });
        Block {
            tag: self.tag,
            name,
            prose,
            code: lines.collect(),
            is_open: false,
        }
    }
}

/// The mark of a fence and what stands behind it.
fn fence(line: &str) -> Option<(&str, &str)> {
    let line = line
        .strip_prefix("- ")
        .or_else(|| line.strip_prefix("* "))
        .map_or(line, str::trim_start);
    let mark = line.chars().next().filter(|c| matches!(c, '`' | '~'))?;
    let length = line.len() - line.trim_start_matches(mark).len();
    let tag = line[length..].trim();
    // A span of code in a line is no fence.
    (length >= 3 && !tag.contains('`')).then_some((&line[..length], tag))
}

/// Whether what stands behind a fence names a language, and is no text.
fn is_tag(tag: &str) -> bool {
    tag.len() <= 20 && !tag.contains(char::is_whitespace)
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
