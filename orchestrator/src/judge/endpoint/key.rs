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
        let secret = env::var(variable).map_err(|_| match is_plainly_a_name(variable) {
            true => format!(
                "the environment variable {variable} is not set; it must hold the key of the model endpoint \
                 ({setting} names it)"
            ),
            false => format!(
                "{setting} is no name of an environment variable that is set (it is not shown here, for it may be the key itself): \
                 put the key into a variable, `export LLM_API_KEY=…`, and the variable's name into {setting}"
            ),
        })?;
        Self::new(&secret).map_err(|why| format!("the environment variable of {setting}: {why}"))
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

/// The longest part of a name between two underscores, in characters.
const LONGEST_WORD: usize = 16;
/// Digits that a part of a name may have.
const DIGITS: usize = 2;

/// Whether a text can be shown, because it is the name of a variable and no key: words and few digits between underscores.
fn is_plainly_a_name(text: &str) -> bool {
    text.split('_').all(|word| {
        let digits = word.bytes().filter(u8::is_ascii_digit).count();
        word.len() <= LONGEST_WORD
            && digits <= DIGITS
            && word.bytes().all(|byte| byte.is_ascii_alphanumeric())
    }) && text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
}

/// The name of a key's variable as it may be shown and stored: a text that may be the key itself is not.
#[must_use]
pub fn key_name(variable: &str) -> String {
    match is_plainly_a_name(variable) {
        true => variable.to_owned(),
        false => "[not shown: it may be a key]".to_owned(),
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
    fn a_key_in_place_of_its_variables_name_is_not_quoted() {
        for name in ["OPENAI_API_KEY", "LLM_KEY2", "my_key", "_K"] {
            assert_eq!(key_name(name), name);
        }
        for key in [
            "sk-proj-abcdefgh",
            "gsk_AbCdEfGhIjKlMnOpQrStUv",
            "hf_abcdefghijklmnopqrstuvwxyzABCDEFGH",
            "a1b2c3d4e5f6",
            "9f",
        ] {
            assert!(!key_name(key).contains(key), "{key}");
            let why = Key::from_environment(key, "proposer.api_key_env").unwrap_err();
            assert!(!why.contains(key), "{why}");
            assert!(
                why.contains("the variable's name into proposer.api_key_env"),
                "{why}"
            );
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
