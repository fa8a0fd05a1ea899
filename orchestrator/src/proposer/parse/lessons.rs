//! What a model notes of the rounds before, at the head of its reply.

/// Lines kept of it.
const MOST_LINES: usize = 3;
/// Characters kept of a line.
const LONGEST_LINE: usize = 300;

/// At most three lines that stand under `Lessons:` before the first draft of a reply; `None` where there are none.
#[must_use]
pub fn lessons(reply: &str) -> Option<String> {
    let answer = super::thinking::answer_of(reply).text;
    let is_mark = |c: char| c.is_whitespace() || matches!(c, '*' | '_' | '#' | '-' | '>');
    let mut lines = answer.lines();
    let first = lines.find_map(|line| {
        let bare = line.trim_start_matches(is_mark);
        let rest = bare
            .get(.."lessons".len())
            .filter(|word| word.eq_ignore_ascii_case("lessons"))
            .map(|word| &bare[word.len()..])?;
        let rest = rest.trim_start_matches(['*', '_']);
        rest.strip_prefix(':')
            .or_else(|| rest.trim().is_empty().then_some(rest))
    })?;
    let mut kept: Vec<String> = Vec::new();
    let ends =
        |line: &str| line.starts_with('#') || line.starts_with("```") || line.starts_with('[');
    let numbered = |line: &str| -> String {
        let text = line.trim_start_matches(is_mark);
        let digits = text.len() - text.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        let text = match text[digits..].strip_prefix(['.', ')']) {
            Some(rest) if digits > 0 => rest,
            _ => text,
        };
        let clean: String = text.chars().filter(|c| sandbox::may_be_shown(*c)).collect();
        clean
            .trim_matches(is_mark)
            .chars()
            .take(LONGEST_LINE)
            .collect()
    };
    for line in std::iter::once(first).chain(lines) {
        if ends(line.trim_start()) {
            break;
        }
        let text = numbered(line);
        if !text.is_empty() && kept.len() < MOST_LINES {
            kept.push(text);
        }
    }
    (!kept.is_empty()).then(|| kept.join("\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_lines_before_the_first_draft_are_kept() {
        let reply = "<think>Lessons: none</think>\n**Lessons:**\n- Form is learnt by step 5.\n2. `~` misleads.\n\n* A third.\n- A fourth.\n\n## near\nWhy: x\n```python\n# Lessons: no\n```";
        assert_eq!(
            lessons(reply).as_deref(),
            Some("Form is learnt by step 5.\n`~` misleads.\nA third.")
        );
        assert_eq!(
            lessons("Lessons: one line.\n## a").as_deref(),
            Some("one line.")
        );
        assert_eq!(lessons("## Lessons\nA.\n\n## a\n").as_deref(), Some("A."));
        assert_eq!(lessons("## a\nWhy: lessons learnt\n"), None);
        assert_eq!(lessons(""), None);
    }
}
