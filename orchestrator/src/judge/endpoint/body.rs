//! The bytes of a response as one JSON value, however they were sent: plain, compressed unasked, behind a byte order mark, or as a stream of
//! events. A stream is put together to what the same server would have sent whole, so that replies are read in one place.

use std::{borrow::Cow, io::Read as _};

use flate2::read::MultiGzDecoder;
use serde_json::{Map, Value, json};

/// The first bytes of what gzip wrote.
const GZIP: &[u8] = &[0x1f, 0x8b];

/// The text of a response's bytes. No more than `most` bytes are unpacked; what cannot be unpacked is taken as it is.
pub(super) fn text_of(bytes: &[u8], most: usize) -> String {
    let mut unpacked = Vec::new();
    let bytes = if bytes.starts_with(GZIP) {
        let read = MultiGzDecoder::new(bytes)
            .take(most as u64)
            .read_to_end(&mut unpacked);
        // What came before a cut is worth having: it says what was paid for.
        if read.is_err() && unpacked.is_empty() {
            bytes
        } else {
            &unpacked
        }
    } else {
        bytes
    };
    let text = String::from_utf8_lossy(bytes);
    match text.strip_prefix('\u{feff}') {
        Some(rest) => rest.to_owned(),
        None => text.into_owned(),
    }
}

/// A response's text as one value.
///
/// # Errors
/// What is wrong with it, in a few words.
pub(super) fn value_of(text: &str) -> Result<Value, &'static str> {
    if let Ok(value) = serde_json::from_str(text) {
        return Ok(value);
    }
    let pieces = pieces(text).ok_or("answered with something that is not JSON")?;
    let mut whole = Whole::default();
    for piece in &pieces {
        if let Some(error) = error_of(piece) {
            return Ok(json!({ "error": error }));
        }
        whole.add(piece);
    }
    if whole.ended || text.lines().any(|line| line.trim() == "data: [DONE]") {
        Ok(whole.value())
    } else {
        Err("broke its stream off before the reply was complete")
    }
}

/// What of a reply has come when its stream broke off; for what it may have cost.
pub(super) fn text_so_far(text: &str) -> String {
    let mut whole = Whole::default();
    for piece in pieces(text).unwrap_or_default() {
        whole.add(&piece);
    }
    whole.text + &whole.reasoning
}

/// The values of a stream: of `data:` lines, or of bare lines of JSON as Ollama sends them. `None` if it is no stream.
fn pieces(text: &str) -> Option<Vec<Value>> {
    let is_events = text
        .trim_start()
        .starts_with(|c: char| c == ':' || c.is_ascii_lowercase())
        && text.contains("data:");
    let mut pieces = Vec::new();
    for line in text.lines().map(str::trim) {
        let data: Cow<'_, str> = match line.strip_prefix("data:") {
            Some(data) => data.trim().into(),
            None if is_events => continue,
            None => line.into(),
        };
        match serde_json::from_str(&data) {
            Ok(piece @ Value::Object(_)) => pieces.push(piece),
            // The end mark, an empty line, or a line that was cut.
            _ if is_events || data.is_empty() => {}
            _ => return (!pieces.is_empty()).then_some(pieces),
        }
    }
    (!pieces.is_empty()).then_some(pieces)
}

/// About how many tokens a piece of a stream brings: most servers send an event a token.
pub(super) fn pieces_in(chunk: &[u8]) -> u64 {
    const EVENT: &[u8] = b"data:";
    chunk.windows(EVENT.len()).filter(|at| *at == EVENT).count() as u64
}

fn error_of(piece: &Value) -> Option<&Value> {
    piece.get("error").filter(|error| !error.is_null())
}

/// A reply as far as its pieces have come.
#[derive(Default)]
struct Whole {
    text: String,
    reasoning: String,
    refusal: String,
    /// Name and arguments of each call.
    calls: Vec<(String, String)>,
    stopped: Option<Value>,
    error: Option<Value>,
    model: Option<Value>,
    usage: Map<String, Value>,
    ended: bool,
}

impl Whole {
    fn add(&mut self, piece: &Value) {
        if let Some(model) = piece
            .get("model")
            .or_else(|| piece.pointer("/message/model"))
        {
            self.model = Some(model.clone());
        }
        for usage in [piece.get("usage"), piece.pointer("/message/usage")] {
            let counts = usage.and_then(Value::as_object).into_iter().flatten();
            let known = counts.filter(|(_, count)| !count.is_null());
            self.usage
                .extend(known.map(|(name, count)| (name.clone(), count.clone())));
        }
        if let Some(choice) = piece.pointer("/choices/0") {
            self.add_choice(choice);
        } else if piece.get("type").is_some() {
            self.add_event(piece);
        } else {
            self.add_line(piece);
        }
    }

    /// A chunk of the OpenAI dialect.
    fn add_choice(&mut self, choice: &Value) {
        if let Some(error) = error_of(choice) {
            self.error = Some(error.clone());
            self.ended = true;
        }
        let delta = choice.get("delta").or_else(|| choice.get("message"));
        let text = |name: &str| delta?.get(name)?.as_str();
        self.text.push_str(text("content").unwrap_or_default());
        let thought = text("reasoning_content").or_else(|| text("reasoning"));
        self.reasoning.push_str(thought.unwrap_or_default());
        self.refusal.push_str(text("refusal").unwrap_or_default());
        if delta.is_none() {
            let text = choice.get("text").and_then(Value::as_str);
            self.text.push_str(text.unwrap_or_default());
        }
        let calls = delta.and_then(|delta| delta.get("tool_calls")?.as_array());
        for call in calls.into_iter().flatten() {
            let part = |name: &str| call.get("function")?.get(name)?.as_str();
            self.call(part("name"), part("arguments").unwrap_or_default());
        }
        if let Some(reason) = choice.get("finish_reason").filter(|why| !why.is_null()) {
            self.stopped = Some(reason.clone());
            self.ended = true;
        }
    }

    /// An event of Anthropic's dialect.
    fn add_event(&mut self, event: &Value) {
        let text = |path: &str| event.pointer(path).and_then(Value::as_str);
        self.text
            .push_str(text("/content_block/text").unwrap_or_default());
        self.text.push_str(text("/delta/text").unwrap_or_default());
        self.reasoning
            .push_str(text("/delta/thinking").unwrap_or_default());
        if text("/content_block/type") == Some("tool_use") {
            self.call(text("/content_block/name"), "");
        }
        if let Some(arguments) = text("/delta/partial_json") {
            self.call(None, arguments);
        }
        if let Some(reason) = text("/delta/stop_reason") {
            self.stopped = Some(json!(reason));
        }
        self.ended |= text("/type") == Some("message_stop");
    }

    /// A line of Ollama's own dialect.
    fn add_line(&mut self, line: &Value) {
        let text = |path: &str| line.pointer(path).and_then(Value::as_str);
        self.text
            .push_str(text("/message/content").unwrap_or_default());
        self.reasoning
            .push_str(text("/message/thinking").unwrap_or_default());
        if line.get("done").and_then(Value::as_bool) == Some(true) {
            self.stopped = line.get("done_reason").cloned();
            self.ended = true;
            for (theirs, ours) in [
                ("prompt_eval_count", "prompt_tokens"),
                ("eval_count", "completion_tokens"),
            ] {
                if let Some(count) = line.get(theirs) {
                    self.usage.insert(ours.to_owned(), count.clone());
                }
            }
        }
    }

    /// A call's name begins it; arguments without one belong to the last.
    fn call(&mut self, name: Option<&str>, arguments: &str) {
        if let Some(name) = name {
            self.calls.push((name.to_owned(), String::new()));
        }
        if let Some((_, so_far)) = self.calls.last_mut() {
            so_far.push_str(arguments);
        }
    }

    /// What a server would have sent whole, in the OpenAI dialect.
    fn value(self) -> Value {
        let calls: Vec<Value> = self
            .calls
            .into_iter()
            .map(|(name, arguments)| json!({"function": {"name": name, "arguments": arguments}}))
            .collect();
        let text = |text: String| (!text.is_empty()).then_some(text);
        json!({
            "model": self.model,
            "choices": [{
                "message": {
                    "content": self.text,
                    "reasoning_content": text(self.reasoning),
                    "refusal": text(self.refusal),
                    "tool_calls": calls,
                },
                "finish_reason": self.stopped,
                "error": self.error,
            }],
            "usage": self.usage,
        })
    }
}
