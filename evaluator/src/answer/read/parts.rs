//! Answers in numbered parts: `(1) 5; (2) 7`, `(a) 5, (b) 7`, `(i) 3 (ii) 4`.

/// The ways in which parts are counted.
const MARKS: [[&str; 5]; 7] = [
    ["(1)", "(2)", "(3)", "(4)", "(5)"],
    ["(a)", "(b)", "(c)", "(d)", "(e)"],
    ["(i)", "(ii)", "(iii)", "(iv)", "(v)"],
    ["(I)", "(II)", "(III)", "(IV)", "(V)"],
    ["1)", "2)", "3)", "4)", "5)"],
    ["a)", "b)", "c)", "d)", "e)"],
    ["1. ", "2. ", "3. ", "4. ", "5. "],
];

/// The parts of a text that begins with the first mark and has the following ones, in order; `None` for any
/// other text, and where a part is empty.
pub(crate) fn numbered(text: &str) -> Option<Vec<String>> {
    let plain = undressed(text);
    let marks = MARKS.iter().find(|marks| plain.starts_with(marks[0]))?;
    let mut rest = &plain[marks[0].len()..];
    let mut parts = Vec::new();
    for mark in &marks[1..] {
        // A mark without a bracket before it stands apart.
        let is_mark =
            |at: &usize| mark.starts_with('(') || rest[..*at].ends_with([' ', ',', ';', '\u{2}']);
        let Some(at) = rest.match_indices(mark).map(|(at, _)| at).find(is_mark) else {
            break;
        };
        parts.push(&rest[..at]);
        rest = &rest[at + mark.len()..];
    }
    parts.push(rest);
    let trimmed = parts
        .into_iter()
        .map(|part| part.trim_matches([' ', ',', ';', '.', '\u{2}']).to_owned());
    let parts: Vec<String> = trimmed.collect();
    (parts.len() > 1 && parts.iter().all(|part| !part.is_empty())).then_some(parts)
}

/// `\text{(a) }` without the command and braces round the mark.
fn undressed(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once(r"\text{") {
        plain.push_str(before);
        let (inner, behind) = after.split_once('}').unwrap_or((after, ""));
        let is_mark = MARKS.iter().flatten().any(|mark| *mark == inner.trim());
        if is_mark {
            plain.push_str(inner.trim());
            rest = behind;
        } else {
            plain.push_str(r"\text{");
            rest = after;
        }
    }
    plain + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_found_by_their_marks() {
        let parts = |text| numbered(text).map(|parts| parts.join("|"));
        assert_eq!(parts("(1) 5; (2) 7").as_deref(), Some("5|7"));
        assert_eq!(parts("(i) 3 (ii) 4").as_deref(), Some("3|4"));
        assert_eq!(parts("1) 5 2) (3-2)").as_deref(), Some("5|(3-2)"));
        assert_eq!(parts("1. 5, 2. 7").as_deref(), Some("5|7"));
        assert_eq!(
            parts(r"\text{(a) } 5, \text{ (b) } 7").as_deref(),
            Some("5|7")
        );
        for text in [
            "(1)",
            "(1)^2",
            "(1) (2)",
            "(2) 5 (1) 3",
            "5",
            r"\text{(a) } 5",
        ] {
            assert_eq!(parts(text), None, "{text}");
        }
    }
}
