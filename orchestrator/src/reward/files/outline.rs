//! Which reward functions a Python file defines, found without running it: a scanner that knows strings, comments and brackets.
//!
//! It is no parser. What it finds decides only which functions are asked for; the guest, which runs the file, has the last word.

/// The functions defined at the left margin that can be passed `completions` by name, without a leading underscore, in order.
pub(super) fn reward_functions(code: &str) -> Vec<&str> {
    let bare = without_texts(code);
    let mut found: Vec<&str> = Vec::new();
    let mut depth = 0_usize;
    let mut start = 0;
    for line in bare.split_inclusive('\n') {
        if depth == 0
            && let Some(name) = reward_at(&bare[start..])
        {
            // It has the same place in the code.
            let at = start + name.start;
            let name = &code[at..at + name.length];
            if !found.contains(&name) {
                found.push(name);
            }
        }
        for byte in line.bytes() {
            match byte {
                b'(' | b'[' | b'{' => depth += 1,
                b')' | b']' | b'}' => depth = depth.saturating_sub(1),
                _ => {}
            }
        }
        start += line.len();
    }
    found
}

/// Whether the code speaks of that name somewhere outside of strings and comments.
pub(super) fn names(code: &str, name: &str) -> bool {
    without_texts(code)
        .split(|c: char| !is_name(c))
        .any(|word| word == name && !name.is_empty())
}

/// A name's place.
struct Name {
    start: usize,
    length: usize,
}

/// The reward function whose definition `text` begins with.
fn reward_at(text: &str) -> Option<Name> {
    // The guest refuses an asynchronous one, and says why.
    let bare = text.strip_prefix("async").map_or(text, str::trim_start);
    let after = bare
        .strip_prefix("def")
        .filter(|rest| rest.starts_with([' ', '\t']))?;
    let rest = after.trim_start_matches([' ', '\t']);
    let length = rest.find(|c: char| !is_name(c))?;
    let start = text.len() - rest.len();
    let mut behind = rest[length..].trim_start();
    if behind.starts_with('[') {
        behind = behind[inside(behind)?.len() + 2..].trim_start();
    }
    let takes = behind.starts_with('(') && takes_completions(inside(behind)?);
    (takes && !rest.starts_with('_')).then_some(Name { start, length })
}

/// Whether one of the parameters that can be passed by name is called `completions`.
fn takes_completions(parameters: &str) -> bool {
    let mut names: Vec<&str> = Vec::new();
    for parameter in at_commas(parameters) {
        match parameter.trim() {
            // Those before it go by place.
            "/" => names.clear(),
            other => names.push(
                other
                    .split(|c: char| !is_name(c))
                    .next()
                    .unwrap_or_default(),
            ),
        }
    }
    names.contains(&"completions")
}

/// What stands between the bracket that `text` begins with and the one that closes it.
fn inside(text: &str) -> Option<&str> {
    let mut depth = 0_usize;
    for (at, c) in text.char_indices() {
        match c {
            '(' | '[' | '{' => depth += 1,
            ')' | ']' | '}' => {
                depth = depth.checked_sub(1)?;
                if depth == 0 {
                    return text.get(1..at);
                }
            }
            _ => {}
        }
    }
    None
}

/// The parts between commas that stand in no bracket.
fn at_commas(text: &str) -> impl Iterator<Item = &str> {
    let mut depth = 0_usize;
    text.split(move |c: char| {
        match c {
            '(' | '[' | '{' => depth += 1,
            ')' | ']' | '}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        c == ',' && depth == 0
    })
}

fn is_name(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// The code with every string and comment blanked; all else keeps its place.
fn without_texts(code: &str) -> String {
    let mut bare = String::with_capacity(code.len());
    let mut rest = code;
    while let Some(first) = rest.chars().next() {
        let text = match first {
            '#' => rest.find('\n').unwrap_or(rest.len()),
            '"' | '\'' => string_length(rest),
            _ => 0,
        };
        if text == 0 {
            bare.push(first);
            rest = &rest[first.len_utf8()..];
            continue;
        }
        let blank = |byte| if byte == b'\n' { '\n' } else { ' ' };
        bare.extend(rest[..text].bytes().map(blank));
        rest = &rest[text..];
    }
    bare
}

/// Length of the string that `text` begins with, quotes included. One that is not closed ends with its line, or with the file
/// where it may have several lines.
fn string_length(text: &str) -> usize {
    let quote = &text[..1];
    let long = quote.repeat(3);
    let (quote, is_long) = if text.starts_with(&long) {
        (long.as_str(), true)
    } else {
        (quote, false)
    };
    let mut at = quote.len();
    while let Some(next) = text[at..].chars().next() {
        if text[at..].starts_with(quote) {
            return at + quote.len();
        }
        if next == '\n' && !is_long {
            return at;
        }
        at += next.len_utf8();
        // A quote behind a backslash closes nothing, in raw strings neither.
        if next == '\\' {
            at += text[at..].chars().next().map_or(0, char::len_utf8);
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn functions_in_strings_and_comments_are_none() {
        let code = "\"\"\"Rewards, written as\n\ndef sketch(completions):\n    ...\n\"\"\"\n\
                    TEXT = 'it\\'s' + r\"\\\" # no comment\"\n\
                    # def noted(completions): ...\n\
                    def real(completions):  # def other(completions)\n    '''\ndef inner(completions): pass\n'''\n\
                    LONG = '''ü\ndef umlaut(completions): ...\n'''\n\
                    def last(prompts, completions): ...\n";
        assert_eq!(reward_functions(code), ["real", "last"]);
    }

    #[test]
    fn parameters_end_with_their_own_bracket() {
        for code in [
            "def f(prompts=tuple(), pattern=(1, (2)), *, completions, **kwargs): ...",
            "def f(\n    prompts: dict[str, list[int]] = {')': 1},  # a )\n    completions=(),\n): ...",
            "def f[T: (int, str)](completions: list[T]): ...",
            "def\tf (completions): ...",
            "async  def f(completions): ...",
        ] {
            assert_eq!(reward_functions(code), ["f"], "{code}");
        }
        for code in [
            "def f(texts=g(completions), other: completions = 1): ...",
            "def f(completions, /, prompts): ...",
            "def f(prompts, *completions): ...",
            "def f(completions_of_mine): ...",
            "def _f(completions): ...",
            "    def f(completions): ...",
            "define(completions)",
            "x = (\ndef f(completions): ...",
            "def f(completions",
            "def",
            "'''def f(completions): ...",
        ] {
            assert_eq!(reward_functions(code), [""; 0], "{code}");
        }
    }

    #[test]
    fn a_name_counts_where_it_stands_in_code() {
        let code = "judge = Judge()  # length\nTEXT = 'brevity'\n";
        assert!(names(code, "judge") && names(code, "Judge"));
        assert!(
            !names(code, "length")
                && !names(code, "brevity")
                && !names(code, "jud")
                && !names(code, "")
        );
    }

    #[test]
    fn a_function_that_is_replaced_counts_once() {
        let code = "def f(completions): ...\ndef g(completions): ...\ndef f(completions): ...\n";
        assert_eq!(reward_functions(code), ["f", "g"]);
    }
}
