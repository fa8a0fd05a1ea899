//! Drafts in YAML and in XML, as models write them when nobody asked for either: blocks of text under keys, elements with a name.
//!
//! This reads the few forms that hold code, not the languages.

/// A draft as it stands in a text.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Marked {
    pub(super) name: String,
    pub(super) why: String,
    pub(super) parents: String,
    pub(super) language: String,
    pub(super) code: String,
}

/// What a key stands for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Field {
    Name,
    Why,
    Parents,
    Language,
    Code,
}

/// The field that a key, or an element, stands for.
fn field(key: &str) -> Option<Field> {
    let key = key.trim().trim_matches(['"', '\'']).to_ascii_lowercase();
    Some(match &*key {
        "name" | "title" | "id" => Field::Name,
        "description" | "rationale" | "why" | "explanation" => Field::Why,
        "parents" | "parent" => Field::Parents,
        "language" | "lang" => Field::Language,
        "code" | "source" | "function" | "implementation" => Field::Code,
        _ => return None,
    })
}

impl Marked {
    fn set(&mut self, field: Field, value: &str) {
        let place = match field {
            Field::Name => &mut self.name,
            Field::Why => &mut self.why,
            Field::Parents => &mut self.parents,
            Field::Language => &mut self.language,
            Field::Code => &mut self.code,
        };
        *place = match field {
            Field::Code => value.to_owned(),
            _ => value.split_whitespace().collect::<Vec<_>>().join(" "),
        };
    }
}

/// The drafts of a text in YAML: those whose code is a block of text (`code: |`).
pub(super) fn in_yaml(text: &str) -> Vec<Marked> {
    let lines: Vec<&str> = text.lines().collect();
    let is_block = |value: &str| value.starts_with('|') || value.starts_with('>');
    let has_code = lines.iter().any(|line| {
        key_of(line).is_some_and(|key| key.field == Field::Code && is_block(key.value))
    });
    if !has_code {
        return Vec::new();
    }
    let mut drafts: Vec<Marked> = Vec::new();
    let mut draft = Marked::default();
    let mut at = 0;
    while at < lines.len() {
        let line = lines[at];
        at += 1;
        let Some(key) = key_of(line) else {
            continue;
        };
        if key.begins && !draft.code.is_empty() {
            drafts.push(std::mem::take(&mut draft));
        }
        if is_block(key.value) {
            let from = at;
            while at < lines.len()
                && (lines[at].trim().is_empty() || indent(lines[at]) > key.indent)
            {
                at += 1;
            }
            draft.set(key.field, &dedented(&lines[from..at]));
        } else if key.field != Field::Code {
            draft.set(key.field, key.value.trim_matches(['"', '\'']));
        }
    }
    drafts.push(draft);
    drafts.retain(|draft| !draft.code.trim().is_empty());
    drafts
}

/// A line `- name: value`.
struct Key<'a> {
    field: Field,
    value: &'a str,
    indent: usize,
    /// It begins an item of a list, or is a name: a new draft.
    begins: bool,
}

fn key_of(line: &str) -> Option<Key<'_>> {
    let item = line.trim_start().strip_prefix("- ");
    let text = item.unwrap_or(line).trim_start();
    let (key, value) = text.split_once(':')?;
    let field = field(key)?;
    Some(Key {
        field,
        value: value.trim(),
        indent: line.len() - text.len(),
        begins: item.is_some() || field == Field::Name,
    })
}

fn indent(line: &str) -> usize {
    line.len() - line.trim_start().len()
}

/// Lines without the indentation that all of them have.
fn dedented(lines: &[&str]) -> String {
    let filled = lines.iter().filter(|line| !line.trim().is_empty());
    let common = filled.map(|line| indent(line)).min().unwrap_or(0);
    let lines = lines.iter().map(|line| line.get(common..).unwrap_or(""));
    let text: Vec<&str> = lines.collect();
    format!("{}\n", text.join("\n").trim_end())
}

/// The drafts of a text in XML: elements `code` with a `name` beside them, or on the element around them.
pub(super) fn in_xml(text: &str) -> Vec<Marked> {
    let mut drafts = Vec::new();
    let mut from = 0;
    while let Some(element) = next_element(text, from, |name| field(name) == Some(Field::Code)) {
        let before = &text[from..element.start];
        let mut draft = Marked::default();
        for name in [
            "name",
            "title",
            "why",
            "description",
            "rationale",
            "parents",
            "language",
        ] {
            let inner = next_element(before, 0, |own| own == name);
            let value = inner
                .map(|inner| inner.content)
                .or_else(|| attribute(before, name));
            if let (Some(value), Some(field)) = (value, field(name)) {
                draft.set(field, value);
            }
        }
        let code = element.content.trim();
        let code = code
            .strip_prefix("<![CDATA[")
            .map_or(code, |code| code.trim_end().trim_end_matches("]]>"));
        draft.set(
            Field::Code,
            &format!("{}\n", code.trim_matches('\n').trim_end()),
        );
        if !draft.name.is_empty() {
            drafts.push(draft);
        }
        from = element.end;
    }
    drafts
}

struct Element<'a> {
    content: &'a str,
    start: usize,
    end: usize,
}

/// The next element whose name passes; none after one that is never closed.
fn next_element(text: &str, from: usize, passes: impl Fn(&str) -> bool) -> Option<Element<'_>> {
    for (at, _) in text[from..].match_indices('<') {
        let start = from + at;
        let rest = &text[start + 1..];
        let length = rest.find(|c: char| !c.is_ascii_alphanumeric())?;
        let name = &rest[..length];
        if passes(name) {
            let open = start + 1 + rest.find('>')? + 1;
            let close = format!("</{name}>");
            let end = open + text[open..].find(&close)?;
            return Some(Element {
                content: &text[open..end],
                start,
                end: end + close.len(),
            });
        }
    }
    None
}

/// The value of the last attribute of that name.
fn attribute<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    let at = text.rfind(&format!(" {name}=\""))? + name.len() + 3;
    Some(&text[at..at + text[at..].find('"')?])
}
