//! A reward function before and after compilation.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

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
            code: code.into(),
        }
    }
}

/// A compiled guest: the bytes that are screened, stored and exported.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Module {
    /// The WebAssembly binary.
    pub wasm: Arc<[u8]>,
}
