//! `tokenizer_config.json` and, in older folders, `special_tokens_map.json`: the special tokens' texts and the chat template.

use std::collections::BTreeMap;

use serde_json::{Map, Value as Json};

use crate::candle::json;

/// Special tokens, and in older folders the chat template.
pub const TOKENIZER_CONFIG: &str = "tokenizer_config.json";
/// Special tokens of folders made before `tokenizer_config.json` had them all.
pub const SPECIAL_TOKENS_MAP: &str = "special_tokens_map.json";

/// What the two files say; where there is none, nothing.
#[derive(Default)]
pub struct TokenizerConfig {
    config: Map<String, Json>,
    special_tokens: BTreeMap<String, String>,
}

impl TokenizerConfig {
    /// Reads `tokenizer_config.json`.
    pub fn parse(bytes: &[u8]) -> Result<Self, String> {
        let config: Map<String, Json> = json::parse(bytes)?;
        let special_tokens = special_tokens(&config).collect();
        Ok(Self {
            config,
            special_tokens,
        })
    }

    /// Adds `special_tokens_map.json`, whose word counts unless the other file lists its added tokens: so transformers has it.
    pub fn with_map(mut self, bytes: &[u8]) -> Result<Self, String> {
        let map: Map<String, Json> = json::parse(bytes)?;
        if !self.config.contains_key("added_tokens_decoder") {
            self.special_tokens.extend(special_tokens(&map));
        }
        Ok(self)
    }

    /// Texts of the special tokens by their names, `bos_token` and the like.
    pub fn special_tokens(&self) -> &BTreeMap<String, String> {
        &self.special_tokens
    }

    /// The chat template: a text, or the one called `default` of a list.
    pub fn chat_template(&self) -> Result<Option<&str>, String> {
        let templates = match self.config.get("chat_template") {
            None | Some(Json::Null) => return Ok(None),
            Some(Json::String(source)) => return Ok(Some(source)),
            Some(Json::Array(templates)) => templates.as_slice(),
            Some(_) => &[],
        };
        let default = templates
            .iter()
            .find(|template| template["name"] == "default");
        match default.and_then(|template| template["template"].as_str()) {
            Some(source) => Ok(Some(source)),
            None => Err(
                "`chat_template` is neither a text nor a list with one that is called \"default\": write the one you want to \
                 chat_template.jinja, or set `chat_template = \"none\"`"
                    .into(),
            ),
        }
    }
}

/// `bos_token`, `eos_token` and the like: texts, or objects with a text.
fn special_tokens(fields: &Map<String, Json>) -> impl Iterator<Item = (String, String)> {
    fields
        .iter()
        .filter(|(key, _)| key.ends_with("_token"))
        .filter_map(|(key, value)| {
            let text = value.as_str().or_else(|| value["content"].as_str())?;
            Some((key.clone(), text.to_owned()))
        })
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn tokens_are_texts_or_objects_and_the_map_is_for_older_folders() {
        let map = br#"{"bos_token": "<b>", "eos_token": {"content": "<e>"}, "additional_special_tokens": ["x"]}"#;
        let tokens = |config: &str| {
            let config = TokenizerConfig::parse(config.as_bytes()).unwrap();
            let config = config.with_map(map).unwrap();
            let tokens = config.special_tokens();
            (
                tokens.get("bos_token").cloned(),
                tokens["eos_token"].clone(),
            )
        };
        assert_eq!(
            tokens(r#"{"eos_token": "</s>"}"#),
            (Some("<b>".into()), "<e>".into())
        );
        let new = r#"{"eos_token": {"content": "</s>"}, "add_bos_token": true, "added_tokens_decoder": {}}"#;
        assert_eq!(tokens(new), (None, "</s>".into()));
        assert!(TokenizerConfig::parse(b"[]").is_err());
    }

    #[test]
    fn a_chat_template_is_a_text_or_the_default_of_a_list() {
        let template = |json: &str| {
            let config = TokenizerConfig::parse(json.as_bytes()).unwrap();
            config
                .chat_template()
                .map(|source| source.map(str::to_owned))
        };
        assert_eq!(template("{}").unwrap(), None);
        assert_eq!(template(r#"{"chat_template": null}"#).unwrap(), None);
        assert_eq!(
            template(r#"{"chat_template": "t"}"#).unwrap(),
            Some("t".into())
        );
        let list = r#"{"chat_template": [{"name": "rag", "template": "r"}, {"name": "default", "template": "d"}]}"#;
        assert_eq!(template(list).unwrap(), Some("d".into()));
        for unclear in [
            r#"[{"name": "rag", "template": "r"}]"#,
            r#"{"default": "d"}"#,
            "3",
        ] {
            let problem = template(&format!(r#"{{"chat_template": {unclear}}}"#)).unwrap_err();
            assert!(
                problem.contains("default") && problem.contains("chat_template.jinja"),
                "{problem}"
            );
        }
    }
}
