//! The dialects: where a request goes and what it holds.

use std::sync::atomic::{AtomicBool, Ordering};

use reqwest::{
    Url,
    header::{AUTHORIZATION, HeaderName, HeaderValue},
};
use serde_json::{Value, json};

use super::{ChatApi, EndpointConfig, Key};

/// The version of Anthropic's interface that is spoken here.
const ANTHROPIC_VERSION: &str = "2023-06-01";

/// The address to post to.
pub(super) fn address(config: &EndpointConfig) -> Result<Url, String> {
    let (base, query) = match config.base_url.trim().split_once('?') {
        Some((base, query)) => (base, Some(query)),
        None => (config.base_url.trim(), None),
    };
    let base = base.trim_end_matches('/');
    let setting = config.origin.setting("base_url");
    let refuse = |why: &str| format!("{setting} {why}, e.g. https://api.openai.com/v1");
    if base.is_empty() {
        return Err(refuse(
            "is missing: give the endpoint up to and with its version",
        ));
    }
    let path = match config.api {
        ChatApi::Openai | ChatApi::Azure => "/chat/completions",
        ChatApi::Anthropic => "/messages",
    };
    let base = base.strip_suffix(path).unwrap_or(base);
    let mut url: Url = format!("{base}{path}")
        .parse()
        .map_err(|error| refuse(&format!("is no address ({error}); it must look like one")))?;
    if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none() {
        return Err(refuse("must begin with http:// or https://"));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(refuse("must hold no credentials"));
    }
    if let Some(query) = query {
        // Azure's older form; anything else may be a key.
        let is_version = |part: &str| part.starts_with("api-version=");
        if !query.split('&').all(is_version) {
            return Err(refuse(
                "must hold no query but an `api-version`, and no credentials",
            ));
        }
        url.set_query(Some(query));
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
        ChatApi::Azure => key
            .map(|key| (HeaderName::from_static("api-key"), key.header("")))
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
    takes_no_system: AtomicBool,
    takes_no_stream: AtomicBool,
    takes_no_stream_options: AtomicBool,
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
            (ChatApi::Openai | ChatApi::Azure, Some(system)) => {
                body["messages"] = json!([{"role": "system", "content": system}, user]);
            }
            (ChatApi::Anthropic, Some(system)) => {
                body["system"] = json!(system);
                body["messages"] = json!([user]);
            }
        }
        if config.stream {
            body["stream"] = json!(true);
            if config.api != ChatApi::Anthropic {
                body["stream_options"] = json!({"include_usage": true});
            }
        }
        let mut request = Self { body };
        for (_, known, change) in REMEDIES {
            if known(habits).load(Ordering::Relaxed) {
                change(&mut request);
            }
        }
        request
    }

    pub(super) const fn body(&self) -> &Value {
        &self.body
    }

    /// Changes what the model complained about, if that is known. Whether anything was changed.
    pub(super) fn adjust(&mut self, complaint: &str, habits: &Habits) -> bool {
        let complaint = complaint.to_ascii_lowercase();
        REMEDIES.iter().any(|(is_it, known, change)| {
            let changed = is_it(&complaint) && change(self);
            if changed {
                known(habits).store(true, Ordering::Relaxed);
            }
            changed
        })
    }

    /// Goes on from where the model paused.
    pub(super) fn go_on_from(&mut self, said: &str) {
        if let Some(messages) = self.body["messages"].as_array_mut() {
            messages.push(json!({"role": "assistant", "content": said.trim_end()}));
        }
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

    fn leave_out(&mut self, name: &str) -> bool {
        self.body
            .as_object_mut()
            .is_some_and(|fields| fields.remove(name).is_some())
    }

    /// Puts what the system is told before what the user asks.
    fn join_system(&mut self) -> bool {
        let Some(messages) = self.body["messages"].as_array_mut() else {
            return false;
        };
        if messages.len() != 2 || messages[0]["role"] != "system" {
            return false;
        }
        let system = messages.remove(0);
        let text = |message: &Value| message["content"].as_str().unwrap_or_default().to_owned();
        let joined = format!("{}\n\n{}", text(&system).trim_end(), text(&messages[0]));
        messages[0]["content"] = json!(joined);
        true
    }
}

/// Whether a complaint (in lower case) is of a kind, where that is remembered, and what helps. Some models take no temperature, some call
/// the token limit differently, some templates have no place for a system message, some servers cannot stream.
type Remedy = (
    fn(&str) -> bool,
    fn(&Habits) -> &AtomicBool,
    fn(&mut Request) -> bool,
);
const REMEDIES: [Remedy; 5] = [
    (
        |complaint| complaint.contains("max_completion_tokens"),
        |habits| &habits.calls_limit_differently,
        Request::call_limit_differently,
    ),
    (
        |complaint| complaint.contains("stream_options"),
        |habits| &habits.takes_no_stream_options,
        |request| request.leave_out("stream_options"),
    ),
    (
        |complaint| complaint.contains("stream"),
        |habits| &habits.takes_no_stream,
        |request| {
            request.leave_out("stream_options");
            request.leave_out("stream")
        },
    ),
    (
        |complaint| {
            complaint.contains("system")
                && ["role", "support", "instruction"]
                    .iter()
                    .any(|word| complaint.contains(word))
        },
        |habits| &habits.takes_no_system,
        Request::join_system,
    ),
    (
        |complaint| complaint.contains("temperature"),
        |habits| &habits.takes_no_temperature,
        |request| request.leave_out("temperature"),
    ),
];

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
        let azure = "https://x.openai.azure.com/openai/deployments/d";
        let version = "?api-version=2024-10-21";
        for path in ["", "/", "/chat/completions"] {
            assert_eq!(
                url(&format!("{azure}{path}{version}"), ChatApi::Azure),
                Ok(format!("{azure}/chat/completions{version}"))
            );
        }
        for base in [
            "",
            "host/v1",
            "ftp://host/v1",
            "https://me:pw@host/v1",
            "https://host/v1?key=pw",
            "https://host/v1?api-version=1&key=pw",
        ] {
            let why = url(base, ChatApi::Openai).unwrap_err();
            assert!(
                why.contains("proposer.base_url") && !why.contains("pw"),
                "{why}"
            );
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
    fn a_system_message_that_is_not_taken_is_said_by_the_user_and_a_stream_left_out() {
        let config = EndpointConfig {
            stream: true,
            ..config("http://h/v1", ChatApi::Openai)
        };
        let messages = Messages {
            system: Some("s\n".to_owned()),
            user: "u".to_owned(),
        };
        let habits = Habits::default();
        let mut request = Request::new(&config, &messages, &habits);
        assert_eq!(request.body()["stream_options"]["include_usage"], true);
        for complaint in [
            "System role not supported",
            "Unknown field: stream_options",
            "streaming is not available here",
        ] {
            assert!(request.adjust(complaint, &habits), "{complaint}");
        }
        let said = json!([{"role": "user", "content": "s\n\nu"}]);
        assert_eq!(request.body()["messages"], said);
        assert!(request.body().get("stream").is_none());
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
}
