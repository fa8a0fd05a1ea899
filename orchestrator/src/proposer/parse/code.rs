//! Code as models hand it over, made into the source it was meant as: entities of web pages, escapes within escapes, several functions in one
//! block. What was lost on the way cannot be made good, and is said.

use sandbox::{Language, Source};

/// What web pages write in place of a mark.
const ENTITIES: [(&str, &str); 6] = [
    ("&lt;", "<"),
    ("&gt;", ">"),
    ("&quot;", "\""),
    ("&#39;", "'"),
    ("&#x27;", "'"),
    ("&amp;", "&"),
];

/// The sources in a piece of code, each with the name it carries in itself, if it has one.
///
/// # Errors
/// What was lost, and how to write it so that it is not.
pub(super) fn sources(
    code: &str,
    language: Language,
) -> Result<Vec<(Option<String>, Source)>, String> {
    let mut code = code.to_owned();
    let is_one_line = !code.trim().contains('\n');
    if is_one_line && [":\\n", "{\\n"].iter().any(|end| code.contains(end)) {
        code = unescaped(&code);
    }
    if ["&lt;", "&gt;"].iter().any(|entity| code.contains(entity)) {
        for (entity, mark) in ENTITIES {
            code = code.replace(entity, mark);
        }
    }
    if let Some((line, letter)) = lost_backslash(&code) {
        return Err(format!(
            "line {line}: a backslash was lost on the way, `\\{letter}` has become a control character; in JSON it is written `\\\\{letter}`, in a code block as it is"
        ));
    }
    let source = |code: &str| Source {
        language,
        code: code.to_owned(),
    };
    if language == Language::Rust {
        let named = |(name, code): (Option<String>, String)| (name, source(&code));
        return Ok(rust_rewards(&code).into_iter().map(named).collect());
    }
    let functions = python_rewards(&code);
    if functions.len() < 2 {
        return Ok(vec![(functions.into_iter().next(), source(&code))]);
    }
    let one = |name: String| (Some(name.clone()), source(&code).with_function(&name));
    Ok(functions.into_iter().map(one).collect())
}

/// The line (from 1) and the letter of an escape that was read where a backslash was meant: no source has such a character by intention.
fn lost_backslash(code: &str) -> Option<(usize, char)> {
    code.lines().enumerate().find_map(|(index, line)| {
        let letter = line.chars().find_map(|c| match c {
            '\u{8}' => Some('b'),
            '\u{c}' => Some('f'),
            '\u{7}' => Some('a'),
            '\u{b}' => Some('v'),
            _ => None,
        })?;
        Some((index + 1, letter))
    })
}

/// Code that was escaped twice, once unescaped.
fn unescaped(code: &str) -> String {
    let mut text = String::new();
    let mut rest = code.chars();
    while let Some(c) = rest.next() {
        if c != '\\' {
            text.push(c);
            continue;
        }
        match rest.next() {
            Some('n') => text.push('\n'),
            Some('t') => text.push('\t'),
            Some(mark @ ('"' | '\'' | '\\')) => text.push(mark),
            Some(other) => text.extend(['\\', other]),
            None => text.push('\\'),
        }
    }
    text
}

/// What begins a reward in Rust, before its name.
const RUST_FUNCTION: &str = "pub fn ";

/// The rewards of a Rust block: as it is where there is one, else each by itself, with what stands before the first and between.
///
/// Several functions `reward` are as many files behind each other; functions of other names that take a sample are each called by a
/// `reward` of their own.
fn rust_rewards(code: &str) -> Vec<(Option<String>, String)> {
    let starts: Vec<(usize, &str)> = code
        .match_indices(RUST_FUNCTION)
        .filter(|(at, _)| code[..*at].is_empty() || code[..*at].ends_with('\n'))
        .filter_map(|(at, _)| {
            let (name, rest) = code[at + RUST_FUNCTION.len()..].split_once('(')?;
            let takes_a_sample = rest.split(')').next()?.contains(": &Sample");
            takes_a_sample.then_some((at, name.trim()))
        })
        .collect();
    let called_reward = starts.iter().filter(|(_, name)| *name == "reward").count();
    if called_reward > 1 {
        let begins: Vec<usize> = starts
            .iter()
            .filter(|(_, name)| *name == "reward")
            .map(|(at, _)| above(code, *at))
            .collect();
        let head = &code[..begins[0]];
        let ends = begins.iter().skip(1).copied().chain([code.len()]);
        return begins
            .iter()
            .zip(ends)
            .map(|(from, to)| (None, format!("{head}{}", &code[*from..to])))
            .collect();
    }
    if called_reward == 1 || starts.is_empty() {
        return vec![(None, code.to_owned())];
    }
    let calling = |(_, name): &(usize, &str)| {
        let call = format!(
            "{}\n\npub fn reward(sample: &Sample) -> f64 {{\n    {name}(sample)\n}}\n",
            code.trim_end()
        );
        (Some((*name).to_owned()), call)
    };
    starts.iter().map(calling).collect()
}

/// Where the comments right above a function begin.
fn above(code: &str, mut at: usize) -> usize {
    while let Some(before) = code[..at].strip_suffix('\n') {
        let line = before.rsplit('\n').next().unwrap_or_default();
        if !line.trim_start().starts_with("//") {
            break;
        }
        at -= line.len() + 1;
    }
    at
}

/// Names of the functions at the margin of a Python file that take completions: its rewards.
fn python_rewards(code: &str) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for (at, _) in code.match_indices("def ") {
        let margin = code[..at].rsplit('\n').next().unwrap_or_default();
        if !(margin.is_empty() || margin == "async ") {
            continue;
        }
        let Some((name, rest)) = code[at + 4..].split_once('(') else {
            continue;
        };
        let parameters = rest.split(')').next().unwrap_or_default();
        let name = name.trim();
        if !name.starts_with('_') && takes_completions(parameters) {
            names.retain(|known| known != name);
            names.push(name.to_owned());
        }
    }
    names
}

fn takes_completions(parameters: &str) -> bool {
    parameters
        .split(',')
        .any(|parameter| parameter.trim().starts_with("completions"))
}
