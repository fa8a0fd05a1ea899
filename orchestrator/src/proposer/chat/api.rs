//! The two dialects: where a request goes, what it holds, and what a reply means.

use reqwest::{
    Url,
    header::{AUTHORIZATION, HeaderName, HeaderValue},
};
use serde_json::{Value, json};

use super::{ChatApi, ChatConfig, Key, Prompt};

/// The version of Anthropic's interface that is spoken here.
const ANTHROPIC_VERSION: &str = "2023-06-01";

/// The address to post to.
pub(super) fn endpoint(config: &ChatConfig) -> Result<Url, String> {
    let base = config.base_url.trim().trim_end_matches('/');
    let refuse = |why: &str| format!("proposer.base_url {why}, e.g. https://api.openai.com/v1");
    if base.is_empty() {
        return Err(refuse(
            "is missing: give the endpoint up to and with its version",
        ));
    }
    let path = match config.api {
        ChatApi::Openai => "/chat/completions",
        ChatApi::Anthropic => "/messages",
    };
    let base = base.strip_suffix(path).unwrap_or(base);
    let url: Url = format!("{base}{path}")
        .parse()
        .map_err(|error| refuse(&format!("is no address ({error}); it must look like one")))?;
    if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none() {
        return Err(refuse("must begin with http:// or https://"));
    }
    if !url.username().is_empty() || url.password().is_some() || url.query().is_some() {
        return Err(refuse("must hold neither credentials nor a query"));
    }
    Ok(url)
}

/// Whether the other settings can work.
pub(super) fn check(config: &ChatConfig) -> Result<(), String> {
    let positive = |value: Option<f64>| value.is_none_or(|value| value.is_finite() && value >= 0.0);
    if config.model.trim().is_empty() {
        Err("proposer.model is missing: give the model's name as the endpoint knows it".to_owned())
    } else if config.max_tokens == 0 {
        Err("proposer.max_tokens is 0; a reply needs some thousand".to_owned())
    } else if config.timeout_s == 0 {
        Err("proposer.timeout_s is 0; a model needs a minute or more".to_owned())
    } else if !(0.0..=2.0).contains(&config.temperature) {
        Err(format!(
            "proposer.temperature is {}; it must lie between 0 and 2",
            config.temperature
        ))
    } else if !positive(config.price_per_million_prompt_tokens)
        || !positive(config.price_per_million_completion_tokens)
    {
        Err("the prices in [proposer] must be numbers of dollars, 0 or more".to_owned())
    } else {
        Ok(())
    }
}

/// Headers beyond those of every JSON request.
pub(super) fn headers(api: ChatApi, key: Option<&Key>) -> Vec<(HeaderName, HeaderValue)> {
    match api {
        ChatApi::Openai => key
            .map(|key| (AUTHORIZATION, key.header("Bearer ")))
            .into_iter()
            .collect(),
        ChatApi::Anthropic => {
            let version = (
                HeaderName::from_static("anthropic-version"),
                HeaderValue::from_static(ANTHROPIC_VERSION),
            );
            let key = key.map(|key| (HeaderName::from_static("x-api-key"), key.header("")));
            std::iter::once(version).chain(key).collect()
        }
    }
}

/// The body of a request.
pub(super) struct Request {
    body: Value,
}

impl Request {
    pub(super) fn new(config: &ChatConfig, prompt: &Prompt) -> Self {
        let user = json!({"role": "user", "content": prompt.user});
        let mut body = json!({
            "model": config.model,
            "max_tokens": config.max_tokens,
            "temperature": config.temperature,
        });
        match config.api {
            ChatApi::Openai => {
                body["messages"] = json!([{"role": "system", "content": prompt.system}, user]);
            }
            ChatApi::Anthropic => {
                body["system"] = json!(prompt.system);
                body["messages"] = json!([user]);
            }
        }
        Self { body }
    }

    pub(super) const fn body(&self) -> &Value {
        &self.body
    }

    /// Changes what the model complained about, if that is known: some take no temperature, some call the token limit
    /// differently. Whether anything was changed.
    pub(super) fn adjust(&mut self, complaint: &str) -> bool {
        let Some(fields) = self.body.as_object_mut() else {
            return false;
        };
        if complaint.contains("max_completion_tokens")
            && let Some(limit) = fields.remove("max_tokens")
        {
            fields.insert("max_completion_tokens".to_owned(), limit);
            return true;
        }
        complaint.contains("temperature") && fields.remove("temperature").is_some()
    }
}

/// What a model answered.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Reply {
    pub(super) text: String,
    pub(super) stopped_because: Option<String>,
    pub(super) prompt_tokens: Option<u64>,
    pub(super) completion_tokens: Option<u64>,
}

impl Reply {
    /// Reads the body of a successful response; what is wrong with it, if it is none.
    pub(super) fn read(api: ChatApi, body: &str) -> Result<Self, String> {
        let body: Value = serde_json::from_str(body)
            .map_err(|_| "answered with something that is not JSON".to_owned())?;
        // Some gateways report their own trouble with status 200.
        if body.get("error").is_some_and(|error| !error.is_null()) {
            return Err(format!(
                "answered with an error ({})",
                error_message(&body.to_string())
            ));
        }
        let (content, stopped, names) = match api {
            ChatApi::Openai => (
                body.pointer("/choices/0/message/content"),
                body.pointer("/choices/0/finish_reason"),
                ["prompt_tokens", "completion_tokens"],
            ),
            ChatApi::Anthropic => (
                body.get("content"),
                body.get("stop_reason"),
                ["input_tokens", "output_tokens"],
            ),
        };
        let is_reply = content.is_some() || body.pointer("/choices/0/message").is_some();
        if !is_reply {
            return Err("answered with JSON that holds no message".to_owned());
        }
        let tokens = |name: &str| body.get("usage")?.get(name)?.as_u64();
        Ok(Self {
            text: content.map(text_of).unwrap_or_default(),
            stopped_because: stopped.and_then(Value::as_str).map(str::to_owned),
            prompt_tokens: tokens(names[0]),
            completion_tokens: tokens(names[1]),
        })
    }
}

/// A message's content: a text, or parts of which some are.
fn text_of(content: &Value) -> String {
    match content {
        Value::String(text) => text.clone(),
        Value::Array(parts) => parts
            .iter()
            .filter_map(|part| part.get("text")?.as_str())
            .collect(),
        _ => String::new(),
    }
}

/// The message of an error body, wherever servers put it; the body itself if it is not JSON.
pub(super) fn error_message(body: &str) -> String {
    let Ok(parsed) = serde_json::from_str::<Value>(body) else {
        return body.split_whitespace().collect::<Vec<_>>().join(" ");
    };
    ["/error/message", "/message", "/detail", "/error"]
        .iter()
        .find_map(|path| parsed.pointer(path)?.as_str())
        .map_or_else(|| parsed.to_string(), str::to_owned)
}

/// Dollars for a reply, as far as tokens and prices are known; `None` if no price is configured or no tokens are reported.
pub(super) fn cost(config: &ChatConfig, reply: &Reply) -> Option<f64> {
    let part = |tokens: Option<u64>, price: Option<f64>| Some(tokens? as f64 * price? / 1e6);
    let prompt = part(reply.prompt_tokens, config.price_per_million_prompt_tokens);
    let completion = part(
        reply.completion_tokens,
        config.price_per_million_completion_tokens,
    );
    match (prompt, completion) {
        (None, None) => None,
        (prompt, completion) => Some(prompt.unwrap_or(0.0) + completion.unwrap_or(0.0)),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn config(base_url: &str, api: ChatApi) -> ChatConfig {
        ChatConfig {
            base_url: base_url.to_owned(),
            model: "m".to_owned(),
            api,
            ..ChatConfig::default()
        }
    }

    #[test]
    fn addresses() {
        let url = |base: &str, api| endpoint(&config(base, api)).map(|url| url.to_string());
        let openai = Ok("https://host/v1/chat/completions".to_owned());
        for base in [
            "https://host/v1",
            " https://host/v1/ ",
            "https://host/v1/chat/completions",
        ] {
            assert_eq!(url(base, ChatApi::Openai), openai);
        }
        assert_eq!(
            url("http://localhost:8000/v1", ChatApi::Anthropic),
            Ok("http://localhost:8000/v1/messages".to_owned())
        );
        for base in [
            "",
            "host/v1",
            "ftp://host/v1",
            "https://me:pw@host/v1",
            "https://host/v1?key=k",
        ] {
            let why = url(base, ChatApi::Openai).unwrap_err();
            assert!(
                why.contains("proposer.base_url") && !why.contains("pw"),
                "{why}"
            );
        }
    }

    #[test]
    fn impossible_settings_are_named() {
        let good = config("http://h/v1", ChatApi::Openai);
        assert_eq!(check(&good), Ok(()));
        for (bad, named) in [
            (
                ChatConfig {
                    model: " ".into(),
                    ..good.clone()
                },
                "proposer.model",
            ),
            (
                ChatConfig {
                    max_tokens: 0,
                    ..good.clone()
                },
                "max_tokens",
            ),
            (
                ChatConfig {
                    timeout_s: 0,
                    ..good.clone()
                },
                "timeout_s",
            ),
            (
                ChatConfig {
                    temperature: f64::NAN,
                    ..good.clone()
                },
                "temperature",
            ),
            (
                ChatConfig {
                    price_per_million_prompt_tokens: Some(-1.0),
                    ..good.clone()
                },
                "prices",
            ),
        ] {
            let why = check(&bad).unwrap_err();
            assert!(why.contains(named), "{why}");
        }
    }

    #[test]
    fn replies_of_both_dialects() {
        let openai = r#"{"choices": [{"message": {"role": "assistant", "content": "[]"}, "finish_reason": "stop"}],
                         "usage": {"prompt_tokens": 10, "completion_tokens": 2}}"#;
        let anthropic = r#"{"content": [{"type": "thinking", "thinking": "hm"}, {"type": "text", "text": "["}, {"type": "text", "text": "]"}],
                            "stop_reason": "stop", "usage": {"input_tokens": 10, "output_tokens": 2}}"#;
        let expected = Reply {
            text: "[]".to_owned(),
            stopped_because: Some("stop".to_owned()),
            prompt_tokens: Some(10),
            completion_tokens: Some(2),
        };
        assert_eq!(Reply::read(ChatApi::Openai, openai), Ok(expected));
        assert_eq!(
            Reply::read(ChatApi::Anthropic, anthropic).unwrap().text,
            "[]"
        );
        let silent = r#"{"choices": [{"message": {"content": null}, "finish_reason": "length"}]}"#;
        let silent = Reply::read(ChatApi::Openai, silent).unwrap();
        assert_eq!(
            (silent.text.as_str(), silent.stopped_because.as_deref()),
            ("", Some("length"))
        );
        for (body, why) in [
            ("<html>", "not JSON"),
            ("{}", "no message"),
            (
                r#"{"error": {"message": "upstream is down", "code": 502}}"#,
                "upstream is down",
            ),
        ] {
            let told = Reply::read(ChatApi::Openai, body).unwrap_err();
            assert!(told.contains(why), "{told}");
        }
    }

    #[test]
    fn requests_adjust_to_known_complaints_once() {
        let prompt = Prompt {
            system: "s".to_owned(),
            user: "u".to_owned(),
        };
        let mut request = Request::new(&config("http://h/v1", ChatApi::Openai), &prompt);
        assert!(
            request.adjust(
                "Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens' instead."
            )
        );
        assert_eq!(request.body()["max_completion_tokens"], 8192);
        assert!(request.body().get("max_tokens").is_none());
        assert!(request.adjust("'temperature' does not support 0.6"));
        assert!(!request.adjust("'temperature' does not support 0.6"));
        assert!(!request.adjust("context length exceeded"));
        assert_eq!(request.body()["messages"][1]["content"], "u");
    }

    #[test]
    fn cost_needs_prices_and_tokens() {
        let reply = Reply {
            prompt_tokens: Some(1_000_000),
            completion_tokens: Some(500_000),
            ..Reply::default()
        };
        let mut config = config("http://h/v1", ChatApi::Openai);
        assert_eq!(cost(&config, &reply), None);
        config.price_per_million_prompt_tokens = Some(0.5);
        config.price_per_million_completion_tokens = Some(3.0);
        assert_eq!(cost(&config, &reply), Some(2.0));
        assert_eq!(cost(&config, &Reply::default()), None);
    }
}
