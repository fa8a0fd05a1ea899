//! Compiler messages made fit to be stored and sent to a language model: rustc's own words and the candidate's own lines, and
//! nothing else. No text of another file, no paths of the host, no endless text.
//!
//! A message can quote whatever a macro has read (`compile_error!(include_str!("…"))`). The source check refuses that; this is
//! what stands behind it.

use std::path::Path;

use crate::text::may_be_shown_in_lines;

/// Bytes of diagnostics that are kept.
const LIMIT: usize = 4000;
/// Beginnings of errors without a number. What begins otherwise may be a text of the candidate's choice.
const UNNUMBERED: [&str; 45] = [
    "`",
    "a ",
    "an ",
    "any use of ",
    "argument never used",
    "attempted to repeat an expression containing no syntax variables",
    "attribute value must be a literal",
    "cannot ",
    "captured variable cannot escape",
    "comparison operators cannot be chained",
    "concrete type differs",
    "constant evaluation is taking a long time",
    "could not ",
    "cycle ",
    "denote ",
    "expected ",
    "format argument must be a string literal",
    "higher-ranked ",
    "implementation of `",
    "integer literal is too large",
    "internal compiler error",
    "invalid ",
    "lifetime may not live long enough",
    "linking with `",
    "literal out of range",
    "local ambiguity when calling macro",
    "macro expansion ",
    "mismatched ",
    "missing ",
    "multiple unused formatting arguments",
    "named argument never used",
    "no rules expected",
    "overflow ",
    "positional ",
    "queries overflow the depth limit",
    "reached the recursion limit",
    "repetition matches empty token tree",
    "reached the type-length limit",
    "recursion limit reached",
    "requires at least a format string argument",
    "the ",
    "this ",
    "unexpected end of macro invocation",
    "unknown macro variable",
    "values of the type `",
];
/// Instead of another text.
const WITHHELD: &str = "error: rustc refuses this";

/// The file that rustc was given.
pub(crate) struct Given<'a> {
    /// Its name, as rustc says it.
    pub(crate) name: &'a str,
    /// Its text.
    pub(crate) text: &'a str,
}

/// Keeps what rustc itself says of the given file, with its lines; replaces the given paths by their stand-ins, drops what cannot be
/// shown and cuts the end.
pub(crate) fn clean(stderr: &str, given: &Given<'_>, paths: &[(&Path, &str)]) -> String {
    let mut text: String = stderr
        .chars()
        .filter(|c| may_be_shown_in_lines(*c))
        .collect();
    for (path, stand_in) in paths {
        if let Some(path) = path.to_str().filter(|path| path.len() > 1) {
            text = text.replace(path, stand_in);
        }
    }
    let own: Vec<String> = given
        .text
        .lines()
        .map(|line| spaced(line).trim_end().to_owned())
        .collect();
    let mut reader = Reader {
        name: given.name,
        own: &own,
        part: Part::Header,
    };
    let mut lines: Vec<&str> = text
        .trim_end()
        .lines()
        .filter(|line| !is_noise(line))
        .filter_map(|line| reader.kept(line))
        .collect();
    lines.dedup_by(|next, previous| next.is_empty() && previous.is_empty());
    let text = lines.join("\n");
    match text
        .char_indices()
        .map(|(at, c)| at + c.len_utf8())
        .take_while(|end| *end <= LIMIT)
        .last()
    {
        Some(end) if end < text.len() => format!("{}\n… (shortened)", &text[..end]),
        _ => text,
    }
}

/// Goes through the lines of rustc's output.
struct Reader<'a> {
    name: &'a str,
    own: &'a [String],
    part: Part,
}

/// What the last line belonged to.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    /// The first line of a message; the next ones may go on with it where it is rustc's own.
    Header,
    /// The first line of a message that is withheld.
    Withheld,
    /// Lines of the given file.
    Own,
    /// Lines of another file.
    Foreign,
    /// A note of rustc's.
    Note,
    /// A change that rustc suggests: lines of the given file as they would be.
    Suggestion,
}

impl Reader<'_> {
    /// The line, if it may be passed on, or what stands for it.
    fn kept<'a>(&mut self, line: &'a str) -> Option<&'a str> {
        if line.trim().is_empty() {
            return (self.part != Part::Withheld).then_some("");
        }
        if let Some((level, message)) = header(line) {
            let is_own = level.ends_with(']') || level != "error" || is_unnumbered(message);
            self.part = match (is_own, level) {
                (true, "help") => Part::Suggestion,
                (true, _) => Part::Header,
                (false, _) => Part::Withheld,
            };
            return Some(if is_own { line } else { WITHHELD });
        }
        let bare = line.trim_start();
        if let Some(place) = ["--> ", "::: "]
            .iter()
            .find_map(|mark| bare.strip_prefix(mark))
        {
            let is_own = place
                .strip_prefix(self.name)
                .is_some_and(|rest| rest.starts_with(':'));
            self.part = if is_own { Part::Own } else { Part::Foreign };
            return is_own.then_some(line);
        }
        if bare.starts_with("= ") {
            self.part = Part::Note;
            return Some(line);
        }
        let may_stay = match (self.part, quoted(line)) {
            (Part::Withheld | Part::Foreign, _) => false,
            (Part::Suggestion, Some(_)) => true,
            (_, Some(quoted)) => {
                self.part = Part::Own;
                self.is_own(&quoted)
            }
            (Part::Own | Part::Suggestion, None) => bare.starts_with(['|', '.']),
            (Part::Header, None) => bare.starts_with('|') || line.starts_with("  "),
            (Part::Note, None) => line.starts_with("  "),
        };
        may_stay.then_some(line)
    }

    /// Whether a quoted line stands in the given file, or is a change to one that rustc suggests.
    fn is_own(&self, quoted: &Quoted<'_>) -> bool {
        if quoted.is_suggestion {
            return true;
        }
        let Some(own) = quoted.number.checked_sub(1).and_then(|at| self.own.get(at)) else {
            return false;
        };
        // A long line is cut on both sides.
        let text = spaced(quoted.text);
        let text = text.trim_end();
        let text = text.strip_suffix("...").unwrap_or(text);
        let start = text.trim_start();
        let text = start.strip_prefix("...").unwrap_or(text);
        own.contains(text.trim_end())
            // A mark of a place that spans lines stands before the text.
            || own.trim_start() == text.trim_start_matches([' ', '|', '/', '_'])
    }
}

/// A line of source in rustc's output: `12 | text`, or `12 + text` where it suggests a change.
struct Quoted<'a> {
    number: usize,
    text: &'a str,
    is_suggestion: bool,
}

fn quoted(line: &str) -> Option<Quoted<'_>> {
    let bare = line.trim_start();
    let digits = bare.len() - bare.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let number = bare[..digits].parse().ok()?;
    let rest = bare[digits..].trim_start();
    let mark = rest.chars().next().filter(|c| "|+-~".contains(*c))?;
    Some(Quoted {
        number,
        text: rest[1..].strip_prefix(' ').unwrap_or(&rest[1..]),
        is_suggestion: mark != '|',
    })
}

/// Level and text of the first line of a message: `error[E0308]: mismatched types`.
fn header(line: &str) -> Option<(&str, &str)> {
    let (level, message) = line.split_once(": ").unwrap_or((line, ""));
    let name = level.split('[').next().unwrap_or(level);
    ["error", "warning", "note", "help"]
        .contains(&name)
        .then_some((level, message))
}

fn is_unnumbered(message: &str) -> bool {
    let message = message.trim_start_matches(|c: char| c.is_ascii_digit() || c == ' ');
    UNNUMBERED.iter().any(|start| message.starts_with(start))
}

/// Tabs as rustc shows them.
fn spaced(line: &str) -> String {
    line.chars()
        .filter(|c| may_be_shown_in_lines(*c))
        .collect::<String>()
        .replace('\t', "    ")
}

/// The closing lines say nothing that the errors do not.
fn is_noise(line: &str) -> bool {
    line.starts_with("error: aborting due to")
        || line.starts_with("For more information about this error")
        || line.starts_with("For more information about an error")
        || line.starts_with("Some errors have detailed explanations")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cleaned(stderr: &str, text: &str) -> String {
        let given = Given {
            name: "candidate.rs",
            text,
        };
        clean(
            stderr,
            &given,
            &[(Path::new("/home/me/sys"), "<rust>"), (Path::new("/"), "?")],
        )
    }

    #[test]
    fn paths_noise_and_control_sequences_go() {
        let stderr = "error[E0001]: bad\u{1b}[0m \u{202e}in /home/me/sys/lib/x.rs\n\n\nerror: aborting due to 1 previous error\n\n";
        assert_eq!(
            cleaned(stderr, ""),
            "error[E0001]: bad[0m in <rust>/lib/x.rs\n"
        );
    }

    #[test]
    fn long_output_is_cut_at_a_character() {
        let cleaned = cleaned(&format!("error[E0001]: {}", "é".repeat(LIMIT)), "");
        assert!(cleaned.len() < LIMIT + 40 && cleaned.ends_with("(shortened)"));
    }

    #[test]
    fn what_rustc_says_of_the_candidate_stays_as_it_is() {
        let text = "fn g(x: &str) -> String {\n\tx\n}\nfn h() {\n    long(1, 2, 3);\n}";
        let stderr = "error[E0308]: mismatched types
 --> candidate.rs:2:5
  |
1 | fn g(x: &str) -> String {
  |                  ------ expected `String` because of return type
2 |     x
  |     ^ expected `String`, found `&str`
  |
  = note: expected type `String`
             found type `&str`
help: try using a conversion method
  |
2 |     x.to_string()
  |      ++++++++++++

error: 2 positional arguments in format string, but there is 1 argument
 --> candidate.rs:5:5
  |
5 | ...long(1, 2...
  |    ^^^^
...
4 + use std::collections::HashMap;
  |";
        assert_eq!(cleaned(stderr, text), stderr);
    }

    #[test]
    fn no_text_of_another_file_is_passed_on() {
        let stderr = "error: root:x:0:0:sesame
       bin:x:1:1:sesame

       error[E0308]: sesame
 --> candidate.rs:1:14
  |
1 | #[must_use = compile_error!(include_str!(\"/etc/passwd\"))] fn f() {}
  |              ^^^^^^^^^^^^^^

error: expected one of `!` or `::`, found `:`
 --> /etc/passwd:1:5
  |
1 | root:x:0:0:sesame
  |     ^ expected one of `!` or `::`

 ::: /etc/shadow:1:1
  |
1 | root:sesame
  | ----- sesame
";
        let text = "#[must_use = compile_error!(include_str!(\"/etc/passwd\"))] fn f() {}";
        let cleaned = cleaned(stderr, text);
        assert!(!cleaned.contains("sesame"), "{cleaned}");
        assert!(cleaned.starts_with(WITHHELD), "{cleaned}");
        assert!(cleaned.contains(" --> candidate.rs:1:14"), "{cleaned}");
        assert!(cleaned.contains("error: expected one of"), "{cleaned}");
    }

    #[test]
    fn a_line_that_the_file_does_not_have_is_not_passed_on() {
        let stderr =
            "error[E0308]: bad\n --> candidate.rs:1:1\n1 | let a = sesame;\n9 | x\n1 | let a = 1;";
        assert_eq!(
            cleaned(stderr, "let a = 1;"),
            "error[E0308]: bad\n --> candidate.rs:1:1\n1 | let a = 1;"
        );
    }
}
