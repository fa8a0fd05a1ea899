//! What a response means: a reply, in whichever of the forms that servers send, or what went wrong and what it may have cost.

use serde_json::Value;

use super::{
    Prices,
    body::{text_so_far, value_of},
};

/// Bytes a token is taken for where a server does not count: rather too few, so that a limit holds.
const BYTES_PER_TOKEN: usize = 3;

/// What a model answered.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Reply {
    /// The text.
    pub text: String,
    /// What the server says the model thought before it; never part of the text.
    pub reasoning: Option<String>,
    /// What came in place of a text: a refusal, or calls of tools that nobody offered.
    pub instead: Option<String>,
    /// Why it ended, in the endpoint's words.
    pub stopped_because: Option<String>,
    /// The model that answered, by the server's name for it.
    pub model: Option<String>,
    /// Prompt tokens as reported.
    pub prompt_tokens: Option<u64>,
    /// Completion tokens as reported.
    pub completion_tokens: Option<u64>,
}

/// Why the body of a successful response is no reply.
#[derive(Debug, PartialEq)]
pub(super) enum NoReply {
    /// The server reports trouble of its own, which may pass.
    Trouble(String),
    /// It speaks another dialect, or sent something else: asking again hardly helps.
    Foreign(String),
}

impl Reply {
    /// Whether the model only paused (Anthropic's `pause_turn`) and can be asked to go on.
    pub(super) fn is_paused(&self) -> bool {
        self.stopped_because.as_deref() == Some("pause_turn") && !self.text.trim().is_empty()
    }

    /// Reads the body of a successful response; what is wrong with it, if it is none.
    pub(super) fn read(body: &str) -> Result<Self, NoReply> {
        let body = value_of(body).map_err(|why| match why.contains("broke") {
            true => NoReply::Trouble(why.to_owned()),
            false => NoReply::Foreign(why.to_owned()),
        })?;
        // Some gateways report their own trouble with status 200, or in place of a choice.
        for error in [body.get("error"), body.pointer("/choices/0/error")] {
            if let Some(error) = error.filter(|error| !error.is_null()) {
                let told = error_message(&serde_json::json!({ "error": error }).to_string());
                return Err(NoReply::Trouble(format!("answered with an error ({told})")));
            }
        }
        let at = |path: &str| body.pointer(path).filter(|value| !value.is_null());
        let message = at("/choices/0/message").or_else(|| at("/message"));
        let content = [
            message.and_then(|message| message.get("content")),
            at("/choices/0/text"),
            at("/content"),
            at("/output"),
            at("/response"),
        ]
        .into_iter()
        .flatten()
        .find(|content| !content.is_null());
        if content.is_none() && message.is_none() {
            return Err(match at("/choices").and_then(Value::as_array) {
                Some(none) if none.is_empty() => {
                    NoReply::Trouble("answered with no choice at all".to_owned())
                }
                _ => NoReply::Foreign("answered with JSON that holds no message".to_owned()),
            });
        }
        let text = content
            .map(|content| parts(content, &TEXTS))
            .unwrap_or_default();
        let apart = ["reasoning_content", "reasoning", "thinking"];
        let reasoning = apart
            .into_iter()
            .find_map(|name| Some(message?.get(name)?.as_str()?.to_owned()))
            .unwrap_or_else(|| {
                content
                    .map(|content| parts(content, &THOUGHTS))
                    .unwrap_or_default()
            });
        let stopped = [
            "/choices/0/finish_reason",
            "/stop_reason",
            "/done_reason",
            "/status",
        ];
        Ok(Self {
            text,
            reasoning: (!reasoning.trim().is_empty()).then_some(reasoning),
            instead: instead_of_text(message, content),
            stopped_because: stopped
                .into_iter()
                .find_map(|path| Some(at(path)?.as_str()?.to_owned())),
            model: at("/model").and_then(Value::as_str).map(str::to_owned),
            prompt_tokens: tokens(
                &body,
                ["prompt_tokens", "input_tokens", "prompt_eval_count"],
            ),
            completion_tokens: tokens(&body, ["completion_tokens", "output_tokens", "eval_count"]),
        })
    }
}

/// Kinds of parts that hold text for the reader, and those that hold what the model thought.
const TEXTS: [&str; 3] = ["text", "output_text", "message"];
const THOUGHTS: [&str; 3] = ["thinking", "reasoning", "summary_text"];

/// The text of those parts of a content that are of one of these kinds; a content that is a text is for the reader.
fn parts(content: &Value, kinds: &[&str; 3]) -> String {
    let wanted = |kind: &str| kinds.contains(&kind);
    match content {
        Value::String(text) if wanted("text") => text.clone(),
        Value::Array(items) => items
            .iter()
            .map(|part| match part.get("type").and_then(Value::as_str) {
                Some(kind) if !wanted(kind) => String::new(),
                _ => ["text", "thinking", "content", "summary"]
                    .into_iter()
                    .filter_map(|name| match part.get(name)? {
                        Value::String(text) => Some(text.clone()),
                        nested => Some(parts(nested, kinds)),
                    })
                    .find(|text| !text.is_empty())
                    .unwrap_or_default(),
            })
            .collect(),
        _ => String::new(),
    }
}

/// A refusal or the calls of tools, if that is what came.
fn instead_of_text(message: Option<&Value>, content: Option<&Value>) -> Option<String> {
    let refusal = message.and_then(|message| message.get("refusal")?.as_str());
    if let Some(refusal) = refusal.filter(|text| !text.is_empty()) {
        return Some(format!("the model refused: {refusal}"));
    }
    let calls = message.and_then(|message| message.get("tool_calls")?.as_array());
    let calls = calls.into_iter().flatten().filter_map(|call| {
        let function = call.get("function")?;
        let part = |name: &str| {
            function
                .get(name)
                .and_then(Value::as_str)
                .unwrap_or_default()
        };
        Some(format!("{}({})", part("name"), part("arguments")))
    });
    let parts = content.and_then(Value::as_array).into_iter().flatten();
    let uses = parts
        .filter(|part| part.get("type").is_some_and(|kind| kind == "tool_use"))
        .map(|part| {
            let name = part.get("name").and_then(Value::as_str).unwrap_or_default();
            let input = part.get("input").map(Value::to_string).unwrap_or_default();
            format!("{name}({input})")
        });
    let calls: Vec<String> = calls.chain(uses).collect();
    (!calls.is_empty()).then(|| format!("the model called tools: {}", calls.join(", ")))
}

/// A count under one of these names, as a number or, as proxies send it, as a text or a fraction.
fn tokens(body: &Value, names: [&str; 3]) -> Option<u64> {
    let read = |count: &Value| {
        let count = match count {
            Value::Number(count) => count.as_f64()?,
            Value::String(count) => count.trim().parse().ok()?,
            _ => return None,
        };
        (count.is_finite() && (0.0..1e15).contains(&count)).then_some(count.round() as u64)
    };
    let usage = body.get("usage").unwrap_or(body);
    names.into_iter().find_map(|name| read(usage.get(name)?))
}

/// The message of an error body, wherever servers put it; of a page its title; the body itself if it is neither.
pub(super) fn error_message(body: &str) -> String {
    let Ok(parsed) = serde_json::from_str::<Value>(body) else {
        return page_title(body).unwrap_or_else(|| plain(body));
    };
    let told = ["/error/message", "/message", "/detail", "/error"]
        .iter()
        .find_map(|path| parsed.pointer(path)?.as_str())
        .map_or_else(|| parsed.to_string(), str::to_owned);
    // What the provider behind a gateway said is what helps.
    match parsed.pointer("/error/metadata/raw") {
        Some(Value::String(raw)) if !raw.is_empty() => format!("{told}: {}", plain(raw)),
        Some(raw @ Value::Object(_)) => format!("{told}: {raw}"),
        _ => told,
    }
}

fn plain(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The title of a page, or its text without marks.
fn page_title(body: &str) -> Option<String> {
    if !body.trim_start().starts_with('<') {
        return None;
    }
    let between = |open: &str, close: &str| {
        let from = body.find(open)? + open.len();
        let to = from + body[from..].find(close)?;
        let title = plain(&body[from..to]);
        (!title.is_empty()).then_some(title)
    };
    between("<title>", "</title>")
        .or_else(|| between("<h1>", "</h1>"))
        .or_else(|| {
            let mut text = String::new();
            let mut inside = false;
            for c in body.chars() {
                match c {
                    '<' => inside = true,
                    '>' => {
                        inside = false;
                        text.push(' ');
                    }
                    c if !inside => text.push(c),
                    _ => {}
                }
            }
            Some(plain(&text))
        })
}

/// Tokens of a reply or a piece of one, and dollars for them.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Bill {
    pub(super) prompt_tokens: Option<u64>,
    pub(super) completion_tokens: Option<u64>,
    pub(super) cost_usd: Option<f64>,
    /// Some of it is guessed from the length of the texts.
    pub(super) is_estimate: bool,
}

impl Bill {
    /// Of a reply to a prompt of so many bytes. What the server does not count is guessed.
    pub(super) fn of(reply: &Reply, prompt_bytes: usize, prices: Prices) -> Self {
        let written = [
            Some(&reply.text),
            reply.reasoning.as_ref(),
            reply.instead.as_ref(),
        ];
        let written = written.into_iter().flatten().map(String::len).sum();
        Self {
            is_estimate: reply.prompt_tokens.is_none() || reply.completion_tokens.is_none(),
            prompt_tokens: reply.prompt_tokens.or(Some(guess(prompt_bytes))),
            completion_tokens: reply.completion_tokens.or(Some(guess(written))),
            cost_usd: None,
        }
        .priced(prices)
    }

    /// Of a response that could not be read or broke off: it was written all the same.
    pub(super) fn of_broken(body: &str, prompt_bytes: usize, prices: Prices) -> Self {
        let written = match text_so_far(body) {
            nothing if nothing.is_empty() => body.len(),
            text => text.len(),
        };
        Self {
            prompt_tokens: Some(guess(prompt_bytes)),
            completion_tokens: Some(guess(written)),
            cost_usd: None,
            is_estimate: true,
        }
        .priced(prices)
    }

    fn priced(mut self, prices: Prices) -> Self {
        let part = |tokens: Option<u64>, price: Option<f64>| Some(tokens? as f64 * price? / 1e6);
        let prompt = part(self.prompt_tokens, prices.prompt);
        let completion = part(self.completion_tokens, prices.completion);
        self.cost_usd = match (prompt, completion) {
            (None, None) => None,
            (prompt, completion) => Some(prompt.unwrap_or(0.0) + completion.unwrap_or(0.0)),
        };
        self
    }
}

fn guess(bytes: usize) -> u64 {
    bytes.div_ceil(BYTES_PER_TOKEN) as u64
}
