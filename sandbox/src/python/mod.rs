//! Rewards in Python: CPython as a WebAssembly component without imports, which runs the author's file as it is.
//!
//! The interpreter is made on the user's machine from our guest application (`guest-python/`) with a pinned componentize-py,
//! once, and kept in the user's cache ([`build_guest`]). A Python [`Module`](crate::Module) is the source itself; loading it
//! parses and runs it in the interpreter, under the limits, and so does every batch, in an instance of its own.
//!
//! | module | what it does |
//! |---|---|
//! | `files` | the interpreter's files: is it there, whose is it, build it |
//! | `recipe` | the build itself: a private environment, componentize-py, our application |
//! | `interpreter` | engine and limits |
//! | `instance` | one instance: fuel, memory, verdicts |
//! | `conversation` | does a reward take completions for lists of messages? |
//! | `function` | a reward function: load its file, score a batch |
//! | `answer` | what the guest answers, checked |
//! | `columns` | a batch as the guest is given it |
//! | `verdicts` | what a reward asks `math_verify` |
//! | `about` | what there is to say of a function that was loaded |

mod about;
mod answer;
mod columns;
mod conversation;
mod files;
mod function;
mod instance;
mod interpreter;
mod meter;
mod recipe;
mod verdicts;

pub use about::About;
pub use files::{GuestStatus, build_guest, guest_status};
pub(crate) use function::{Function, functions, mutants};
pub(crate) use interpreter::Interpreter;
pub use recipe::calling_package;
pub use verdicts::VERDICT_MODULE;

use crate::source::{DIRECTIVE, Module, PYTHON_HEADER, unpack};

/// The host's side of `guest-python/wit/reward.wit`, which documents it.
#[allow(
    missing_docs,
    clippy::too_many_arguments,
    reason = "a macro makes it: no documentation, one argument a column"
)]
mod bindings {
    wasmtime::component::bindgen!({
        path: "guest-python/wit",
        ownership: Borrowing { duplicate_if_necessary: false },
    });
}

/// Receives a line for people now and then while the interpreter is built.
pub type Progress = std::sync::Arc<dyn Fn(&str) + Send + Sync>;

impl Module {
    /// A Python file made ready; needs neither compiler nor interpreter. What is wrong with it is found when it is loaded.
    #[must_use]
    pub fn python(code: &str) -> Self {
        Self::from_bytes(pack(code).into_bytes())
    }
}

/// The module of a source; of a file that is a module already, with today's guest in the first line.
fn pack(code: &str) -> String {
    let code = unpack(code.as_bytes()).map_or(code, |(_, source)| source);
    format!("{PYTHON_HEADER}{}\n{code}", recipe::id())
}

/// What a source's directives ask for.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Directives {
    /// The reward function's name.
    pub(crate) function: Option<String>,
    /// Whether completions are passed as lists of messages; what the reward can work with, where it is not said.
    pub(crate) conversational: Option<bool>,
    /// The shape of the function's signature, by its name; what its parameters are called tells, where it is not said.
    pub(crate) signature: Option<String>,
}

/// The shapes a signature may have, as `guest-python/calling/shapes.py` knows them.
const SIGNATURES: [&str; 8] = [
    "trl",
    "verl",
    "verl_batch",
    "easyr1",
    "openrlhf",
    "verifiers",
    "pair",
    "pairs",
];

impl Directives {
    /// Reads the directives at the end of a source, the last one first, and then the comment lines on top. Later ones do not
    /// override those read earlier.
    pub(crate) fn of(code: &str) -> Result<Self, String> {
        let mut found = Self::default();
        let below = code
            .lines()
            .rev()
            .take_while(|line| line.starts_with(DIRECTIVE));
        let above = code.lines().take_while(|line| line.starts_with('#'));
        for line in below.chain(above) {
            let Some(directive) = line.strip_prefix(DIRECTIVE) else {
                continue;
            };
            match directive.trim().split_once('=') {
                Some(("function", name)) => {
                    found.function.get_or_insert_with(|| name.to_owned());
                }
                Some(("completions", "conversational")) => {
                    found.conversational.get_or_insert(true);
                }
                Some(("completions", "plain")) => {
                    found.conversational.get_or_insert(false);
                }
                Some(("signature", name)) if SIGNATURES.contains(&name) => {
                    found.signature.get_or_insert_with(|| name.to_owned());
                }
                _ => {
                    return Err(format!(
                        "`{}` is no directive; there are `function=NAME`, `completions=conversational`, `completions=plain` and `signature=` with one of {}",
                        line.chars().take(80).collect::<String>(),
                        SIGNATURES.join(", "),
                    ));
                }
            }
        }
        Ok(found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_module_is_its_source_under_a_header() {
        let code = "# reward-search: function=a\ndef a(completions): ...\n";
        let module = pack(code);
        assert_eq!(
            unpack(module.as_bytes()),
            Some((recipe::id().as_str(), code))
        );
        assert_eq!(pack(&module), module);
        assert_eq!(unpack(code.as_bytes()), None);
        assert_eq!(unpack(b"\0asm"), None);
    }

    #[test]
    fn directives_are_read_from_the_end_and_the_top_only() {
        let code = "#!/usr/bin/env python3\n# reward-search: function=a\n# x\n# reward-search: completions=conversational\n\n# reward-search: function=b\nx = 1\n";
        let expected = Directives {
            function: Some("a".to_owned()),
            conversational: Some(true),
            signature: None,
        };
        assert_eq!(Directives::of(code), Ok(expected));
        let named = format!("{code}x = 1\n# reward-search: function=c\n");
        assert_eq!(
            Directives::of(&named).map(|found| found.function),
            Ok(Some("c".to_owned()))
        );
        assert_eq!(
            Directives::of("def reward(): ..."),
            Ok(Directives::default())
        );
        let error = Directives::of("# reward-search: fuction=a");
        assert!(
            error
                .is_err_and(|error| error.contains("fuction=a") && error.contains("function=NAME"))
        );
    }
}
