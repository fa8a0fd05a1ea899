//! The model's tokenizer (`tokenizer.json` of Hugging Face), and the word-level tokenizer the tiny base model is made with.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::json;

/// A tokenizer and the tokens that end a completion.
#[derive(Clone)]
pub struct Tokenizer {
    inner: tokenizers::Tokenizer,
    eos: Vec<u32>,
}

/// Where one piece of the word-level tokenizer ends: a digit or a word, each with the space before it. Because a token carries its
/// leading space, digits that touch are one number and decoding is plain concatenation.
const PIECE: &str = " ?[0-9]| ?[^ 0-9]+";

/// Padding token of the word-level tokenizer; id 0.
pub const PAD: &str = "<pad>";
/// Ends a completion of the word-level tokenizer; id 1.
pub const EOS: &str = "<eos>";

impl Tokenizer {
    /// Reads `tokenizer.json`; `eos` ends completions, as `config.json` says.
    pub fn parse(json: &[u8], eos: Vec<u32>) -> Result<Self, String> {
        let inner = tokenizers::Tokenizer::from_bytes(json).map_err(|error| error.to_string())?;
        Ok(Self { inner, eos })
    }

    /// Tokens of a prompt, with whatever the tokenizer puts in front of a text.
    pub fn encode_prompt(&self, text: &str) -> Result<Vec<u32>, String> {
        self.encode(text, true)
    }

    /// Tokens of a continuation of a text.
    pub fn encode_continuation(&self, text: &str) -> Result<Vec<u32>, String> {
        self.encode(text, false)
    }

    fn encode(&self, text: &str, special: bool) -> Result<Vec<u32>, String> {
        match self.inner.encode(text, special) {
            Ok(encoding) => Ok(encoding.get_ids().to_vec()),
            Err(error) => Err(format!(
                "the tokenizer cannot encode {}: {error}",
                excerpt(text)
            )),
        }
    }

    /// Text of tokens, special tokens left out.
    pub fn decode(&self, ids: &[u32]) -> Result<String, String> {
        self.inner
            .decode(ids, true)
            .map_err(|error| format!("the tokenizer cannot decode {ids:?}: {error}"))
    }

    /// Whether a token ends a completion.
    pub fn ends(&self, id: u32) -> bool {
        self.eos.contains(&id)
    }

    /// The first of the tokens that end a completion.
    pub fn eos(&self) -> Option<u32> {
        self.eos.first().copied()
    }

    /// One more than the largest token id.
    pub fn size(&self) -> usize {
        self.inner
            .get_vocab(true)
            .values()
            .max()
            .map_or(0, |&id| id as usize + 1)
    }
}

/// The beginning of a text in quotes, for error messages.
pub fn excerpt(text: &str) -> String {
    const LONGEST: usize = 60;
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{:?}…", &text[..end]),
        None => format!("{text:?}"),
    }
}

/// `tokenizer.json` of a word-level tokenizer for exactly these texts: single digits, words of any other characters, each with and
/// without the space before it as the texts need. An unknown word is an error, never a silent `<unk>`.
pub fn word_level<'a>(texts: impl Iterator<Item = &'a str>) -> String {
    let mut pieces: BTreeSet<String> = (0..10)
        .flat_map(|digit| [format!("{digit}"), format!(" {digit}")])
        .collect();
    let mut rest_of = |mut text: &str| {
        while !text.is_empty() {
            let end = piece_end(text);
            if !pieces.contains(&text[..end]) {
                pieces.insert(text[..end].to_owned());
            }
            text = &text[end..];
        }
    };
    texts.for_each(&mut rest_of);
    let vocabulary: BTreeMap<String, usize> = [PAD.to_owned(), EOS.to_owned()]
        .into_iter()
        .chain(pieces)
        .enumerate()
        .map(|(id, piece)| (piece, id))
        .collect();
    let special = |id: usize, content: &str| {
        json!({"id": id, "content": content, "single_word": false, "lstrip": false, "rstrip": false,
               "normalized": false, "special": true})
    };
    let tokenizer = json!({
        "version": "1.0",
        "truncation": null,
        "padding": null,
        "added_tokens": [special(0, PAD), special(1, EOS)],
        "normalizer": null,
        "pre_tokenizer": {"type": "Split", "pattern": {"Regex": PIECE}, "behavior": "Isolated", "invert": false},
        "post_processor": null,
        "decoder": {"type": "Fuse"},
        "model": {"type": "WordLevel", "vocab": vocabulary, "unk_token": "<unk>"},
    });
    format!("{tokenizer:#}\n")
}

/// Length in bytes of the first piece of a non-empty text, as [`PIECE`] finds it.
fn piece_end(text: &str) -> usize {
    let space = usize::from(text.starts_with(' '));
    let body = &text[space..];
    if body.starts_with(|c: char| c.is_ascii_digit()) {
        return space + 1;
    }
    let end = body
        .find(|c: char| c == ' ' || c.is_ascii_digit())
        .unwrap_or(body.len());
    (space + end).max(1)
}

#[cfg(test)]
#[expect(clippy::unwrap_used)]
mod tests {
    use super::*;

    const TEXTS: [&str; 3] = [
        "tom has 49 apples . how many apples are left ?",
        " <thinking> 6 * 49 = 294 . </thinking> <solution> 294 </solution>",
        " <thinking> 60 * 4 ~ 240 . </thinking> the answer is 240 or 7 .",
    ];

    #[test]
    fn texts_come_back_exactly() {
        let tokenizer =
            Tokenizer::parse(word_level(TEXTS.into_iter()).as_bytes(), vec![1]).unwrap();
        for text in TEXTS {
            let mut ids = tokenizer.encode_prompt(text).unwrap();
            ids.push(1);
            assert_eq!(tokenizer.decode(&ids).unwrap(), text);
        }
        let joined = [
            tokenizer.encode_prompt(TEXTS[0]).unwrap(),
            tokenizer.encode_continuation(TEXTS[1]).unwrap(),
        ];
        assert_eq!(
            tokenizer.decode(&joined.concat()).unwrap(),
            format!("{}{}", TEXTS[0], TEXTS[1])
        );
        assert!(tokenizer.ends(1) && !tokenizer.ends(0));
    }

    #[test]
    fn numbers_are_split_into_digits() {
        let tokenizer =
            Tokenizer::parse(word_level(TEXTS.into_iter()).as_bytes(), vec![1]).unwrap();
        assert_eq!(tokenizer.encode_continuation(" 294").unwrap().len(), 3);
        assert_ne!(
            tokenizer.encode_continuation(" 9").unwrap(),
            tokenizer.encode_continuation("9").unwrap()
        );
    }

    #[test]
    fn an_unknown_word_is_an_error_that_names_the_text() {
        let tokenizer =
            Tokenizer::parse(word_level(TEXTS.into_iter()).as_bytes(), vec![1]).unwrap();
        assert!(
            tokenizer
                .encode_prompt("tom has zebras")
                .unwrap_err()
                .contains("zebras")
        );
    }
}
