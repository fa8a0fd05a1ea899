//! The model's tokenizer (`tokenizer.json` of Hugging Face), and the word-level tokenizer the tiny base model is made with.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::json;

use crate::candle::files::chat_template::ChatTemplate;

/// A tokenizer, how prompts are put to the model, and what ends a completion.
#[derive(Clone)]
pub struct Tokenizer {
    inner: tokenizers::Tokenizer,
    eos: Vec<u32>,
    stop_strings: Vec<String>,
    chat: Option<Chat>,
}

/// A conversation's form and its first message.
#[derive(Clone)]
struct Chat {
    template: ChatTemplate,
    system_prompt: Option<String>,
}

/// Where one piece of the word-level tokenizer ends: a digit or a word, each with the space before it. Because a token carries its
/// leading space, digits that touch are one number and decoding is plain concatenation.
const PIECE: &str = " ?[0-9]| ?[^ 0-9]+";

/// Padding token of the word-level tokenizer; id 0.
pub const PAD: &str = "<pad>";
/// Ends a completion of the word-level tokenizer; id 1.
pub const EOS: &str = "<eos>";

impl Tokenizer {
    /// Reads `tokenizer.json`; `eos` ends completions. Texts are neither cut nor padded, whatever the file says of it: as transformers
    /// has it unless asked.
    pub fn parse(json: &[u8], eos: Vec<u32>) -> Result<Self, String> {
        let mut inner =
            tokenizers::Tokenizer::from_bytes(json).map_err(|error| error.to_string())?;
        inner
            .with_padding(None)
            .with_truncation(None)
            .map_err(|error| error.to_string())?;
        Ok(Self {
            inner,
            eos,
            stop_strings: Vec::new(),
            chat: None,
        })
    }

    /// The same tokenizer; prompts are put to the model as questions of a conversation.
    pub fn with_chat(self, template: ChatTemplate, system_prompt: Option<String>) -> Self {
        let chat = Some(Chat {
            template,
            system_prompt,
        });
        Self { chat, ..self }
    }

    /// The same tokenizer; these tokens too end a completion.
    pub fn with_ends(mut self, ids: impl IntoIterator<Item = u32>) -> Self {
        for id in ids {
            if !self.ends(id) {
                self.eos.push(id);
            }
        }
        self
    }

    /// The same tokenizer; a completion that contains one of these texts has ended. A special token is no part of a completion's text, so
    /// one that is named here ends a completion as the model's own end tokens do.
    pub fn with_stop_strings(self, stop_strings: Vec<String>) -> Self {
        let added = self.inner.get_added_tokens_decoder();
        let is_stop = |content: &String| stop_strings.contains(content);
        let special = added.into_iter().filter(|(_, token)| token.special);
        let stops: BTreeSet<u32> = special
            .filter(|(_, token)| is_stop(&token.content))
            .map(|(id, _)| id)
            .collect();
        Self {
            stop_strings,
            ..self.with_ends(stops)
        }
    }

    /// The same tokenizer; no token ends a completion.
    pub fn endless(self) -> Self {
        let eos = Vec::new();
        Self { eos, ..self }
    }

    /// Tokens of a prompt: as a question of a conversation, where the template writes every special token there shall be (a second
    /// beginning-of-sequence token would harm); else as it is, with whatever the tokenizer puts in front of a text.
    pub fn encode_prompt(&self, text: &str) -> Result<Vec<u32>, String> {
        match &self.chat {
            Some(chat) => {
                let system = chat.system_prompt.as_deref();
                self.encode(&chat.template.render(system, text)?, false)
            }
            None => self.encode(text, true),
        }
    }

    /// Tokens of a continuation of a text.
    pub fn encode_continuation(&self, text: &str) -> Result<Vec<u32>, String> {
        self.encode(text, false)
    }

    fn encode(&self, text: &str, special: bool) -> Result<Vec<u32>, String> {
        match self.inner.encode(text, special) {
            Ok(encoding) => Ok(encoding.get_ids().to_vec()),
            Err(error) => Err(match self.unknown_word(text) {
                Some(word) => format!(
                    "the tokenizer has no token for {} in {}: it knows the words of its own task alone, as that of the model `toy` does; take a model that reads any text",
                    excerpt(word),
                    excerpt(text)
                ),
                None => format!("the tokenizer cannot encode {}: {error}", excerpt(text)),
            }),
        }
    }

    /// The first word that cannot be encoded by itself.
    fn unknown_word<'a>(&self, text: &'a str) -> Option<&'a str> {
        let mut words = text.split_whitespace();
        words.find(|word| self.inner.encode(*word, false).is_err())
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

    /// Whether a completion has just come to a stop string.
    pub fn stops(&self, completion: &[u32]) -> bool {
        let Some(longest) = self.stop_strings.iter().map(String::len).max() else {
            return false;
        };
        // A token is a byte at least, special ones aside: this many hold the stop string and the end of a character before it.
        let tail = &completion[completion.len().saturating_sub(longest + 4)..];
        // What cannot be decoded now will be complained about when the whole completion is.
        let text = self.decode(tail).unwrap_or_default();
        self.stop_strings.iter().any(|stop| text.contains(stop))
    }

    /// Whether anything but its length ends a completion.
    pub fn has_ends(&self) -> bool {
        !self.eos.is_empty() || !self.stop_strings.is_empty()
    }

    /// The token with this text.
    pub fn id_of(&self, token: &str) -> Option<u32> {
        self.inner.token_to_id(token)
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
    fn a_stop_string_is_found_across_tokens() {
        let tokenizer =
            Tokenizer::parse(word_level(TEXTS.into_iter()).as_bytes(), vec![1]).unwrap();
        let ids = tokenizer.encode_continuation(" 294 or 7 .").unwrap();
        assert!(!tokenizer.stops(&ids), "nothing stops unless asked for");
        let tokenizer = tokenizer.with_stop_strings(vec!["zebra".into(), "94 or".into()]);
        let stops: Vec<bool> = (0..=ids.len())
            .map(|n| tokenizer.stops(&ids[..n]))
            .collect();
        assert_eq!(stops.iter().position(|&stop| stop), Some(4));
    }

    #[test]
    fn a_special_token_among_the_stop_strings_is_an_end_token() {
        let json = word_level(TEXTS.into_iter());
        let tokenizer = Tokenizer::parse(json.as_bytes(), Vec::new()).unwrap();
        assert!(!tokenizer.has_ends());
        let tokenizer = tokenizer.with_stop_strings(vec![EOS.into(), " apples".into()]);
        assert!(tokenizer.ends(1) && tokenizer.has_ends());
        let word = tokenizer.id_of(" apples").unwrap();
        assert!(!tokenizer.ends(word) && tokenizer.stops(&[word]));
    }

    #[test]
    fn texts_are_neither_cut_nor_padded_whatever_the_file_says() {
        let json = word_level(TEXTS.into_iter());
        let plain = Tokenizer::parse(json.as_bytes(), vec![1]).unwrap();
        let mut file: serde_json::Value = serde_json::from_str(&json).unwrap();
        file["truncation"] =
            json!({"direction": "Right", "max_length": 5, "strategy": "LongestFirst", "stride": 0});
        file["padding"] = json!({"strategy": {"Fixed": 60}, "direction": "Left", "pad_to_multiple_of": null, "pad_id": 0,
            "pad_type_id": 0, "pad_token": PAD});
        let told = Tokenizer::parse(file.to_string().as_bytes(), vec![1]).unwrap();
        for text in TEXTS {
            assert_eq!(told.encode_prompt(text), plain.encode_prompt(text));
        }
    }

    #[test]
    fn a_conversation_has_only_the_special_tokens_of_its_template() {
        let json = word_level(TEXTS.into_iter());
        let plain = Tokenizer::parse(json.as_bytes(), vec![1]).unwrap();
        let template = "{{ bos_token }}{% for m in messages %}{{ m.content }}{% endfor %}";
        let tokens = [("bos_token".to_owned(), PAD.to_owned())];
        let template = ChatTemplate::new(template, tokens.into()).unwrap();
        let chat = plain.clone().with_chat(template, Some("tom has".into()));
        let ids = chat.encode_prompt(" 49 apples").unwrap();
        assert_eq!(ids[0], 0);
        let rest = plain.encode_continuation("tom has 49 apples").unwrap();
        assert_eq!(ids[1..], rest);
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
