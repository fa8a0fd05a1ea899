//! A reward function before and after compilation.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::python;

/// The language a reward function is written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Language {
    /// Rust against the guest SDK.
    Rust,
    /// Python in TRL's signature.
    Python,
}

impl std::fmt::Display for Language {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(match self {
            Self::Rust => "Rust",
            Self::Python => "Python",
        })
    }
}

/// A reward function as its author wrote it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// The language of `code`.
    pub language: Language,
    /// The text.
    pub code: String,
}

impl Source {
    /// Source in Rust.
    #[must_use]
    pub fn rust(code: impl Into<String>) -> Self {
        Self {
            language: Language::Rust,
            code: without_mark(code.into()),
        }
    }

    /// Source in Python: a file with one reward function, or one called `reward`, in TRL's signature.
    #[must_use]
    pub fn python(code: impl Into<String>) -> Self {
        Self {
            language: Language::Python,
            code: without_mark(code.into()),
        }
    }

    /// A Python file of which the named function is meant. The name becomes part of the text, as the last line
    /// `# reward-search: function=NAME`, so that it travels wherever the source does and the other lines keep their numbers.
    #[must_use]
    pub fn with_function(self, name: &str) -> Self {
        self.with_directive("function", name)
    }

    /// A Python file whose function expects completions as lists of messages, as TRL passes them for conversational data
    /// sets. It becomes part of the text too, as `# reward-search: completions=conversational`.
    #[must_use]
    pub fn conversational(self) -> Self {
        self.with_directive("completions", "conversational")
    }

    fn with_directive(mut self, key: &str, value: &str) -> Self {
        if !self.code.is_empty() && !self.code.ends_with('\n') {
            self.code.push('\n');
        }
        self.code += &format!("{}{key}={value}\n", python::DIRECTIVE);
        self
    }
}

/// A text without the mark of byte order that some editors begin it with.
fn without_mark(mut code: String) -> String {
    if code.starts_with('\u{feff}') {
        code.remove(0);
    }
    code
}

/// A compiled guest: the bytes that are screened, stored and exported. They say themselves what they are: a WebAssembly
/// binary, or a Python file that begins with a line naming the interpreter it was made for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Module {
    bytes: Arc<[u8]>,
}

impl Module {
    /// Bytes that came out of [`Module::bytes`], or from elsewhere: [`Sandbox::load`](crate::Sandbox::load) trusts none of them.
    #[must_use]
    pub fn from_bytes(bytes: impl Into<Arc<[u8]>>) -> Self {
        Self {
            bytes: bytes.into(),
        }
    }

    /// A Python file made ready; needs neither compiler nor interpreter. What is wrong with it is found when it is loaded.
    #[must_use]
    pub fn python(code: &str) -> Self {
        Self::from_bytes(python::pack(code).into_bytes())
    }

    /// The bytes.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The language it was made from.
    #[must_use]
    pub fn language(&self) -> Language {
        match python::unpack(&self.bytes) {
            Some(_) => Language::Python,
            None => Language::Rust,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_module_says_what_it_is() {
        let code = "def reward(completions, **kwargs):\n    return []\n";
        let module = Module::python(code);
        assert_eq!(module.language(), Language::Python);
        assert!(module.bytes().ends_with(code.as_bytes()));
        assert_eq!(Module::from_bytes(*b"\0asm").language(), Language::Rust);
    }

    #[test]
    fn directives_stand_at_the_end() {
        let source = Source::python("\u{feff}x = 1")
            .with_function("close")
            .conversational();
        assert_eq!(
            source.code,
            "x = 1\n# reward-search: function=close\n# reward-search: completions=conversational\n"
        );
    }
}
