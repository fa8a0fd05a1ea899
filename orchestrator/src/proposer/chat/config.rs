//! Settings of a language model that proposes.

use std::path::PathBuf;

use sandbox::Language;

use crate::judge::endpoint::{EndpointConfig, endpoint_section};

endpoint_section! {
    /// Settings of a language model behind an HTTP endpoint.
    pub struct ChatConfig {
        /// The language rewards are to be written in.
        pub language: Language = Language::Rust,
        /// Folder with a `system.md`, a `user.md` or both, in place of the built-in prompt templates. They are written in minijinja's
        /// language; the built-in ones show the variables there are.
        pub prompt_dir: Option<PathBuf> = None,
        /// Ask for replies as a stream, so that a slow model meets no time-out while it writes. A server that cannot is asked without.
        pub stream: bool = true,
    }
    usually {
        temperature: 0.6,
        max_tokens: u32 = 8192,
        timeout_s: 300,
        max_retries: 5,
        backoff_ms: 1000,
    }
}

impl ChatConfig {
    /// How its endpoint is asked.
    #[must_use]
    pub fn endpoint(&self) -> EndpointConfig {
        EndpointConfig {
            stream: self.stream,
            ..self.endpoint_of("proposer", self.max_tokens)
        }
    }
}
