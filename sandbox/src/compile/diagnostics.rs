//! Compiler messages made fit to be stored and sent to a language model: no paths of the host, no endless text.

use std::path::Path;

/// Bytes of diagnostics that are kept.
const LIMIT: usize = 4000;

/// Replaces the given paths by their stand-ins, drops what cannot be shown and cuts the end.
pub(crate) fn clean(stderr: &str, paths: &[(&Path, &str)]) -> String {
    let mut text: String = stderr
        .chars()
        .filter(|c| !c.is_control() || matches!(c, '\n' | '\t'))
        .collect();
    for (path, stand_in) in paths {
        if let Some(path) = path.to_str().filter(|path| path.len() > 1) {
            text = text.replace(path, stand_in);
        }
    }
    let mut lines: Vec<&str> = text
        .trim_end()
        .lines()
        .filter(|line| !is_noise(line))
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

/// The closing lines say nothing that the errors do not.
fn is_noise(line: &str) -> bool {
    line.starts_with("error: aborting due to")
        || line.starts_with("For more information about this error")
        || line.starts_with("Some errors have detailed explanations")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_noise_and_control_sequences_go() {
        let stderr = "error: bad\u{1b}[0m\n --> /home/me/sys/lib/x.rs:1:1\n\n\nerror: aborting due to 1 previous error\n\n";
        let cleaned = clean(
            stderr,
            &[(Path::new("/home/me/sys"), "<rust>"), (Path::new("/"), "?")],
        );
        assert_eq!(cleaned, "error: bad[0m\n --> <rust>/lib/x.rs:1:1\n");
    }

    #[test]
    fn long_output_is_cut_at_a_character() {
        let cleaned = clean(&"é".repeat(LIMIT), &[]);
        assert!(cleaned.len() < LIMIT + 40 && cleaned.ends_with("(shortened)"));
    }
}
