//! The two dialects: where a request goes, what it holds, and what a reply means.

use std::sync::atomic::{AtomicBool, Ordering};

use reqwest::{
    Url,
    header::{AUTHORIZATION, HeaderName, HeaderValue},
};
use serde_json::{Value, json};

use super::{ChatApi, EndpointConfig, Key, Prices};

/// The version of Anthropic's interface that is spoken here.
const ANTHROPIC_VERSION: &str = "2023-06-01";

/// The address to post to.
pub(super) fn address(config: &EndpointConfig) -> Result<Url, String> {
    let base = config.base_url.trim().trim_end_matches('/');
    let setting = config.origin.setting("base_url");
    let refuse = |why: &str| format!("{setting} {why}, e.g. https://api.openai.com/v1");
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

/// What a model is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Messages {
    /// What it is to be, if that is said apart.
    pub system: Option<String>,
    /// What is asked.
    pub user: String,
}

/// What a model turned out not to take, so that later requests are right at once.
#[derive(Debug, Default)]
pub(super) struct Habits {
    takes_no_temperature: AtomicBool,
    calls_limit_differently: AtomicBool,
}

/// The body of a request.
pub(super) struct Request {
    body: Value,
}

impl Request {
    pub(super) fn new(config: &EndpointConfig, messages: &Messages, habits: &Habits) -> Self {
        let user = json!({"role": "user", "content": messages.user});
        let mut body = json!({
            "model": config.model,
            "max_tokens": config.max_tokens,
            "temperature": config.temperature,
        });
        match (config.api, &messages.system) {
            (_, None) => body["messages"] = json!([user]),
            (ChatApi::Openai, Some(system)) => {
                body["messages"] = json!([{"role": "system", "content": system}, user]);
            }
            (ChatApi::Anthropic, Some(system)) => {
                body["system"] = json!(system);
                body["messages"] = json!([user]);
            }
        }
        let mut request = Self { body };
        if habits.calls_limit_differently.load(Ordering::Relaxed) {
            request.call_limit_differently();
        }
        if habits.takes_no_temperature.load(Ordering::Relaxed) {
            request.leave_temperature_out();
        }
        request
    }

    pub(super) const fn body(&self) -> &Value {
        &self.body
    }

    /// Changes what the model complained about, if that is known: some take no temperature, some call the token limit
    /// differently. Whether anything was changed.
    pub(super) fn adjust(&mut self, complaint: &str, habits: &Habits) -> bool {
        if complaint.contains("max_completion_tokens") && self.call_limit_differently() {
            habits
                .calls_limit_differently
                .store(true, Ordering::Relaxed);
            return true;
        }
        if complaint.contains("temperature") && self.leave_temperature_out() {
            habits.takes_no_temperature.store(true, Ordering::Relaxed);
            return true;
        }
        false
    }

    fn call_limit_differently(&mut self) -> bool {
        let Some(fields) = self.body.as_object_mut() else {
            return false;
        };
        let limit = fields.remove("max_tokens");
        limit.is_some_and(|limit| {
            fields.insert("max_completion_tokens".to_owned(), limit);
            true
        })
    }

    fn leave_temperature_out(&mut self) -> bool {
        self.body
            .as_object_mut()
            .is_some_and(|fields| fields.remove("temperature").is_some())
    }
}

/// What a model answered.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Reply {
    /// The text.
    pub text: String,
    /// Why it ended, in the endpoint's words.
    pub stopped_because: Option<String>,
    /// Prompt tokens as reported.
    pub prompt_tokens: Option<u64>,
    /// Completion tokens as reported.
    pub completion_tokens: Option<u64>,
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
pub(super) fn cost(prices: Prices, reply: &Reply) -> Option<f64> {
    let part = |tokens: Option<u64>, price: Option<f64>| Some(tokens? as f64 * price? / 1e6);
    let prompt = part(reply.prompt_tokens, prices.prompt);
    let completion = part(reply.completion_tokens, prices.completion);
    match (prompt, completion) {
        (None, None) => None,
        (prompt, completion) => Some(prompt.unwrap_or(0.0) + completion.unwrap_or(0.0)),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn config(base_url: &str, api: ChatApi) -> EndpointConfig {
        EndpointConfig {
            api,
            ..crate::judge::endpoint::tests::config(base_url)
        }
    }

    #[test]
    fn addresses() {
        let url = |base: &str, api| address(&config(base, api)).map(|url| url.to_string());
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
    fn requests_adjust_to_known_complaints_once_and_for_all() {
        let config = config("http://h/v1", ChatApi::Openai);
        let messages = Messages {
            system: Some("s".to_owned()),
            user: "u".to_owned(),
        };
        let habits = Habits::default();
        let mut request = Request::new(&config, &messages, &habits);
        assert!(request.adjust(
            "Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens' instead.",
            &habits
        ));
        assert_eq!(request.body()["max_completion_tokens"], 8192);
        assert!(request.body().get("max_tokens").is_none());
        assert!(request.adjust("'temperature' does not support 0.6", &habits));
        assert!(!request.adjust("'temperature' does not support 0.6", &habits));
        assert!(!request.adjust("context length exceeded", &habits));
        assert_eq!(request.body()["messages"][1]["content"], "u");
        let next = Request::new(&config, &messages, &habits);
        assert_eq!(next.body(), request.body());
    }

    #[test]
    fn without_a_system_message_there_is_none() {
        for api in [ChatApi::Openai, ChatApi::Anthropic] {
            let messages = Messages {
                system: None,
                user: "u".to_owned(),
            };
            let config = config("http://h/v1", api);
            let request = Request::new(&config, &messages, &Habits::default());
            let expected = json!([{"role": "user", "content": "u"}]);
            assert_eq!(request.body()["messages"], expected);
            assert!(request.body().get("system").is_none());
        }
    }

    #[test]
    fn cost_needs_prices_and_tokens() {
        let reply = Reply {
            prompt_tokens: Some(1_000_000),
            completion_tokens: Some(500_000),
            ..Reply::default()
        };
        assert_eq!(cost(Prices::default(), &reply), None);
        let prices = Prices {
            prompt: Some(0.5),
            completion: Some(3.0),
        };
        assert_eq!(cost(prices, &reply), Some(2.0));
        assert_eq!(cost(prices, &Reply::default()), None);
    }
}
