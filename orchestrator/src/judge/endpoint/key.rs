//! The key of an endpoint, kept out of every text.

use std::{env, fmt};

use reqwest::header::HeaderValue;

/// Characters of the shortest key that is a secret.
const SHORTEST_SECRET: usize = 8;

/// A secret. Shows itself to nothing but a request header.
#[derive(Clone)]
pub struct Key(String);

impl Key {
    /// A key given directly.
    ///
    /// # Errors
    /// If it is empty or cannot stand in a header.
    pub fn new(secret: &str) -> Result<Self, String> {
        let secret = secret.trim();
        if secret.is_empty() {
            return Err("the key is empty".to_owned());
        }
        if !secret.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err("the key holds characters that no key has".to_owned());
        }
        Ok(Self(secret.to_owned()))
    }

    /// The key that the variable holds, which `setting` names.
    pub(super) fn from_environment(variable: &str, setting: &str) -> Result<Self, String> {
        let secret = env::var(variable).map_err(|_| {
            format!(
                "the environment variable {variable} is not set; it must hold the key of the model endpoint \
                 ({setting} names it)"
            )
        })?;
        Self::new(&secret).map_err(|why| format!("environment variable {variable}: {why}"))
    }

    /// A header value of `prefix` and the key, marked as secret.
    pub(super) fn header(&self, prefix: &str) -> HeaderValue {
        let mut value = HeaderValue::from_str(&format!("{prefix}{}", self.0))
            .expect("a key is made of graphic ASCII characters");
        value.set_sensitive(true);
        value
    }

    /// `text` with the key replaced wherever it stands. A key as short as a word (`none`, `local`: what servers without
    /// keys are given) is no secret, and replacing it would mangle replies.
    pub(super) fn blot_out(&self, text: &str) -> String {
        if self.0.len() < SHORTEST_SECRET {
            text.to_owned()
        } else {
            text.replace(&self.0, "[key]")
        }
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key([hidden])")
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn a_key_does_not_show_itself() {
        let key = Key::new(" sk-secret\n").unwrap();
        assert_eq!(key.blot_out("bad key sk-secret!"), "bad key [key]!");
        assert_eq!(Key::new("let").unwrap().blot_out("let x"), "let x");
        let header = key.header("Bearer ");
        assert_eq!(header.as_bytes(), b"Bearer sk-secret");
        for shown in [format!("{key:?}"), format!("{header:?}")] {
            assert!(!shown.contains("secret"), "{shown}");
        }
    }

    #[test]
    fn impossible_keys_are_refused_without_being_quoted() {
        for secret in ["", "  ", "two words", "schlüssel", "a\nb"] {
            let why = Key::new(secret).unwrap_err();
            assert!(secret.trim().is_empty() || !why.contains(secret), "{why}");
        }
        let why = Key::from_environment("REWARD_SEARCH_NO_SUCH_KEY", "--api-key-env").unwrap_err();
        assert!(
            why.contains("REWARD_SEARCH_NO_SUCH_KEY is not set"),
            "{why}"
        );
    }
}
