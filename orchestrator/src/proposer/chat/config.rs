//! `kind = "chat"`: where the model is and how it is asked.

use std::path::PathBuf;

use sandbox::{FileGuard, Language};

use crate::judge::endpoint::{EndpointConfig, endpoint_section};

endpoint_section! {
    /// Settings of a language model behind an HTTP endpoint.
    pub struct ChatConfig {
        /// The language rewards are to be written in. Absent: Rust; Python where the system has nothing (landlock) to keep rustc from
        /// the user's files.
        pub language: Language = usual_language(FileGuard::here()),
        /// Lets a model's Rust be compiled where the system has nothing to keep rustc from the user's files, and the source check
        /// stands alone.
        pub accept_unguarded_rustc: bool = false,
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

/// Python never meets rustc.
const fn usual_language(guard: FileGuard) -> Language {
    if guard.holds() {
        Language::Rust
    } else {
        Language::Python
    }
}

impl ChatConfig {
    /// Why a model's rewards may not be compiled on a system with such a guard of files, if that is so.
    pub(super) fn refusal(&self, guard: FileGuard) -> Option<String> {
        let is_asked = self.language == Language::Rust && !self.accept_unguarded_rustc;
        (is_asked && !guard.holds()).then(|| {
            "proposer: this system has no landlock to keep rustc from your files while it compiles what a language model wrote. Have rewards written in Python, which rustc never sees (`language = \"python\"`), or accept that the source check alone stands between them and your files (`accept_unguarded_rustc = true`)".to_owned()
        })
    }

    /// How its endpoint is asked.
    #[must_use]
    pub fn endpoint(&self) -> EndpointConfig {
        EndpointConfig {
            stream: self.stream,
            ..self.endpoint_of("proposer", self.max_tokens)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_models_rust_is_compiled_behind_a_guard_or_by_an_explicit_setting() {
        let config = |language, accept_unguarded_rustc| ChatConfig {
            language,
            accept_unguarded_rustc,
            ..ChatConfig::default()
        };
        let rust = config(Language::Rust, false);
        assert_eq!(rust.refusal(FileGuard::Landlock), None);
        assert_eq!(rust.refusal(FileGuard::OlderLandlock), None);
        let why = rust.refusal(FileGuard::Nothing).unwrap_or_default();
        assert!(
            why.contains("accept_unguarded_rustc") && why.contains("python"),
            "{why}"
        );
        assert_eq!(
            config(Language::Rust, true).refusal(FileGuard::Nothing),
            None
        );
        assert_eq!(
            config(Language::Python, false).refusal(FileGuard::Nothing),
            None
        );
        assert_eq!(usual_language(FileGuard::Nothing), Language::Python);
        assert_eq!(usual_language(FileGuard::Landlock), Language::Rust);
    }
}
