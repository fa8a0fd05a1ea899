//! A reward function before and after compilation.

use std::sync::Arc;

use base64::{Engine as _, prelude::BASE64_STANDARD};
use serde::{Deserialize, Serialize};

use crate::digest;

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
        self.code += &format!("{DIRECTIVE}{key}={value}\n");
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

/// Beginning of a line of a Python source that is meant for us: on top where an author writes it, at the end where it was
/// added.
pub(crate) const DIRECTIVE: &str = "# reward-search: ";
/// Beginning of the first line of a Python module.
pub(crate) const PYTHON_HEADER: &str = "# reward-search module for the Python guest ";

/// The guest a module was made for and its source, if it is a Python module.
pub(crate) fn unpack(bytes: &[u8]) -> Option<(&str, &str)> {
    let text = std::str::from_utf8(bytes).ok()?;
    text.strip_prefix(PYTHON_HEADER)?.split_once('\n')
}

/// A compiled guest: the bytes that are screened, stored and exported. They say themselves what they are: a WebAssembly
/// binary, or a Python file that begins with a line naming the interpreter it was made for.
///
/// In JSON it is an object of three texts: `language`, `sha256` (hexadecimal) and `wasm` (the bytes in base64). Reading it back
/// fails where they do not agree.
#[derive(Clone, Serialize, Deserialize)]
#[serde(into = "ModuleText", try_from = "ModuleText")]
pub struct Module {
    sha256: [u8; 32],
    bytes: Arc<[u8]>,
    /// It was compiled in this process. Only such a module is known to be no bomb for whoever makes machine code of it.
    is_ours: bool,
}

impl PartialEq for Module {
    fn eq(&self, other: &Self) -> bool {
        self.bytes == other.bytes
    }
}

impl Eq for Module {}

impl Module {
    /// Bytes that came out of [`Module::bytes`], or from elsewhere: [`Sandbox::load`](crate::Sandbox::load) trusts none of them.
    #[must_use]
    pub fn from_bytes(bytes: impl Into<Arc<[u8]>>) -> Self {
        let bytes = bytes.into();
        Self {
            sha256: digest::sha256(&bytes),
            bytes,
            is_ours: false,
        }
    }

    /// What this process's own compiler made.
    pub(crate) fn compiled(bytes: Vec<u8>) -> Self {
        Self {
            is_ours: true,
            ..Self::from_bytes(bytes)
        }
    }

    /// Whether this process's own compiler made it.
    pub(crate) const fn is_ours(&self) -> bool {
        self.is_ours
    }

    /// The bytes.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The SHA-256 digest of the bytes in hexadecimal digits.
    #[must_use]
    pub fn sha256(&self) -> String {
        digest::hex(&self.sha256)
    }

    /// The language it was made from.
    #[must_use]
    pub fn language(&self) -> Language {
        match unpack(&self.bytes) {
            Some(_) => Language::Python,
            None => Language::Rust,
        }
    }
}

impl std::fmt::Debug for Module {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Module")
            .field("language", &self.language())
            .field("sha256", &self.sha256())
            .field("bytes", &self.bytes.len())
            .finish()
    }
}

/// A module in a file.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ModuleText {
    language: Language,
    sha256: String,
    wasm: String,
}

impl From<Module> for ModuleText {
    fn from(module: Module) -> Self {
        Self {
            language: module.language(),
            sha256: module.sha256(),
            wasm: BASE64_STANDARD.encode(module.bytes()),
        }
    }
}

/// Why a text is no module.
#[derive(Debug, thiserror::Error)]
enum BadModule {
    #[error("the bytes of a module are not in base64: {0}")]
    Base64(#[from] base64::DecodeError),
    #[error("a module is damaged: its SHA-256 digest is {found}, not {expected}")]
    Digest { found: String, expected: String },
    #[error("a module in {found} claims to be in {expected}")]
    Language { found: Language, expected: Language },
}

impl TryFrom<ModuleText> for Module {
    type Error = BadModule;

    fn try_from(text: ModuleText) -> Result<Self, BadModule> {
        let module = Self::from_bytes(BASE64_STANDARD.decode(text.wasm)?);
        let (found, expected) = (module.sha256(), text.sha256);
        if found != expected {
            return Err(BadModule::Digest { found, expected });
        }
        let (found, expected) = (module.language(), text.language);
        if found != expected {
            return Err(BadModule::Language { found, expected });
        }
        Ok(module)
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
    fn a_module_is_plain_data() {
        for module in [Module::from_bytes(*b"\0asm"), Module::python("x = 1\n")] {
            let text = serde_json::to_string(&module).unwrap_or_default();
            assert!(text.contains(&module.sha256()), "{text}");
            assert_eq!(serde_json::from_str::<Module>(&text).ok(), Some(module));
        }
    }

    #[test]
    fn a_module_that_does_not_agree_with_itself_is_refused() {
        let good = serde_json::to_value(Module::from_bytes(*b"\0asm")).unwrap_or_default();
        for (key, value, complaint) in [
            ("wasm", "AGFzbQ", "base64"),
            ("wasm", "AGFzbg==", "damaged"),
            ("sha256", "00", "damaged"),
            ("language", "python", "in Rust claims to be in Python"),
            ("more", "", "unknown field"),
        ] {
            let mut bad = good.clone();
            bad[key] = value.into();
            let error = serde_json::from_value::<Module>(bad).map_err(|error| error.to_string());
            assert!(error.is_err_and(|error| error.contains(complaint)), "{key}");
        }
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
