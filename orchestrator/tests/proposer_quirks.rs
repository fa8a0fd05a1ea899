//! The chat proposer against endpoints with a quirk each: every row of the table is a server that misbehaves so.

#![allow(clippy::unwrap_used, clippy::panic)]

mod endpoint;

use std::io::Write as _;

use endpoint::{
    Endpoint, Reply,
    chat::{ask, config, names},
    replies,
};
use orchestrator::{
    judge::endpoint::ChatApi,
    proposer::{ProposeError, chat::ChatConfig},
};
use serde_json::{Value, json};

fn drafts() -> String {
    let Reply::Says(text) = replies::good(&[("a", replies::EXACT)]) else {
        unreachable!("a good reply says something")
    };
    text
}

fn ok(body: impl ToString) -> Reply {
    Reply::Status(200, Vec::new(), body.to_string())
}

/// `data:` lines of these values, and what stands between and behind them.
fn events(values: &[Value], end: &str) -> String {
    let lines = values.iter().map(|value| format!("data: {value}\n\n"));
    format!(": hello\n\n{}{end}", lines.collect::<String>())
}

fn deltas(text: &str) -> Vec<Value> {
    let middle = text.floor_char_boundary(text.len() / 2);
    [&text[..middle], &text[middle..]]
        .iter()
        .map(|piece| json!({"choices": [{"index": 0, "delta": {"content": piece}, "finish_reason": null}]}))
        .collect()
}

fn streamed(end: &str) -> String {
    let mut values = vec![
        json!({"choices": [{"delta": {"role": "assistant", "reasoning_content": "hm"}}], "model": "m-1"}),
    ];
    values.extend(deltas(&drafts()));
    values.push(json!({"choices": [{"delta": {}, "finish_reason": "stop"}]}));
    values.push(json!({"choices": [], "usage": {"prompt_tokens": 7, "completion_tokens": 9}}));
    events(&values, end)
}

fn anthropic_stream() -> String {
    let events_ = [
        json!({"type": "message_start", "message": {"model": "c", "usage": {"input_tokens": 7, "output_tokens": 1}}}),
        json!({"type": "content_block_start", "content_block": {"type": "thinking", "thinking": ""}}),
        json!({"type": "content_block_delta", "delta": {"type": "thinking_delta", "thinking": "hm"}}),
        json!({"type": "content_block_delta", "delta": {"type": "text_delta", "text": drafts()}}),
        json!({"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 9}}),
        json!({"type": "message_stop"}),
    ];
    let lines = events_.iter();
    lines
        .map(|event| {
            format!(
                "event: {}\ndata: {event}\n\n",
                event["type"].as_str().unwrap()
            )
        })
        .collect()
}

fn gzip(text: &str) -> Vec<u8> {
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packed.write_all(text.as_bytes()).unwrap();
    packed.finish().unwrap()
}

fn whole() -> Value {
    json!({"choices": [{"message": {"content": drafts()}, "finish_reason": "stop"}],
           "usage": {"prompt_tokens": 7, "completion_tokens": 9}})
}

#[tokio::test]
async fn whatever_the_form_one_request_brings_the_draft_and_its_tokens() {
    let counted = |usage: Value| {
        let mut body = whole();
        body["usage"] = usage;
        ok(body)
    };
    let table = [
        ("a stream", ok(streamed("data: [DONE]\n\n"))),
        ("a stream without its end mark", ok(streamed(""))),
        (
            "a stream with carriage returns",
            ok(streamed("data: [DONE]\n\n").replace('\n', "\r\n")),
        ),
        ("Anthropic's stream", ok(anthropic_stream())),
        ("a byte order mark", ok(format!("\u{feff}{}", whole()))),
        (
            "gzip unasked",
            Reply::Bytes(
                vec![("content-encoding", "gzip".to_owned())],
                gzip(&whole().to_string()),
            ),
        ),
        (
            "a stream in gzip",
            Reply::Bytes(Vec::new(), gzip(&streamed(""))),
        ),
        (
            "text of a choice",
            ok(
                json!({"choices": [{"text": drafts(), "finish_reason": "stop"}], "usage": {"prompt_tokens": 7, "completion_tokens": 9}}),
            ),
        ),
        (
            "Ollama's own form",
            ok(
                json!({"message": {"role": "assistant", "content": drafts()}, "done": true, "prompt_eval_count": 7, "eval_count": 9}),
            ),
        ),
        (
            "Ollama's own stream",
            ok(format!(
                "{}\n{}\n",
                json!({"message": {"content": drafts()}, "done": false}),
                json!({"message": {"content": ""}, "done": true, "done_reason": "stop", "prompt_eval_count": 7, "eval_count": 9})
            )),
        ),
        (
            "the form of Responses",
            ok(
                json!({"output": [{"type": "reasoning", "summary": [{"type": "summary_text", "text": "hm"}]},
                                 {"type": "message", "content": [{"type": "output_text", "text": drafts()}]}],
                      "usage": {"input_tokens": 7, "output_tokens": 9}}),
            ),
        ),
        (
            "counts as texts",
            counted(json!({"prompt_tokens": "7", "completion_tokens": " 9 "})),
        ),
        (
            "counts as fractions",
            counted(json!({"prompt_tokens": 7.0, "completion_tokens": 9.0})),
        ),
    ];
    for (quirk, reply) in table {
        let endpoint = Endpoint::start(vec![reply]);
        let proposal = ask(config(&endpoint))
            .await
            .unwrap_or_else(|e| panic!("{quirk}: {e}"));
        assert_eq!(names(&proposal), ["a"], "{quirk}");
        assert_eq!(endpoint.requests().len(), 1, "{quirk}");
        let exchange = &proposal.exchanges[0];
        let tokens = (exchange.prompt_tokens, exchange.completion_tokens);
        assert_eq!(tokens, (Some(7), Some(9)), "{quirk}");
        assert!(!exchange.is_estimate, "{quirk}");
    }
}

#[tokio::test]
async fn what_is_not_counted_is_estimated_and_marked() {
    for usage in [json!(null), json!({}), json!({"prompt_tokens": 7})] {
        let mut body = whole();
        body["usage"] = usage.clone();
        let endpoint = Endpoint::start(vec![ok(body)]);
        let proposal = ask(config(&endpoint)).await.unwrap();
        let exchange = &proposal.exchanges[0];
        assert!(exchange.is_estimate, "{usage}");
        assert!(
            exchange.completion_tokens.unwrap() >= drafts().len() as u64 / 3,
            "{usage}"
        );
        assert!(exchange.cost_usd.unwrap() > 0.0, "{usage}");
    }
}

#[tokio::test]
async fn trouble_that_hides_in_a_good_status_is_asked_through_and_paid_for() {
    let trouble = [
        (
            ok(
                json!({"choices": [{"error": {"message": "Provider returned error", "code": 502, "metadata": {"raw": "upstream is tired"}},
                                   "message": {"content": ""}, "finish_reason": "error"}]}),
            ),
            "upstream is tired",
        ),
        (
            ok(
                json!({"error": {"message": "Provider returned error", "metadata": {"raw": {"why": "no room"}}}}),
            ),
            "no room",
        ),
        (
            ok(events(
                &[json!({"error": {"message": "stream fell over"}})],
                "",
            )),
            "stream fell over",
        ),
        (
            ok(events(&deltas("[{\"name\": \"half"), "")),
            "broke its stream off",
        ),
        (ok(json!({"choices": []})), "no choice at all"),
        (
            Reply::Status(
                503,
                Vec::new(),
                "<html><head><title>503 Service\n Unavailable</title></head></html>".to_owned(),
            ),
            "(503 Service Unavailable)",
        ),
        (Reply::error(529, "Overloaded"), "answered 529 (Overloaded)"),
    ];
    for (reply, told) in trouble {
        let endpoint = Endpoint::start(vec![reply, replies::good(&[("a", replies::EXACT)])]);
        let proposal = ask(config(&endpoint))
            .await
            .unwrap_or_else(|e| panic!("{told}: {e}"));
        assert_eq!(names(&proposal), ["a"], "{told}");
        let error = proposal.exchanges[0].error.as_deref().unwrap();
        assert!(error.contains(told), "{error}");
    }
}

#[tokio::test]
async fn what_will_not_change_is_paid_for_twice_at_most_and_its_cause_named() {
    for (body, told) in [
        ("<html>hello</html>".to_owned(), "not JSON"),
        (json!({"result": 1}).to_string(), "holds no message"),
    ] {
        let endpoint = Endpoint::start(vec![ok(body)]);
        let error = ask(config(&endpoint)).await.unwrap_err();
        let ProposeError::Unavailable { message, exchanges } = error else {
            panic!("{error}")
        };
        assert_eq!(
            (endpoint.requests().len(), exchanges.len()),
            (2, 2),
            "{message}"
        );
        assert!(
            message.contains(told) && message.contains("proposer.api"),
            "{message}"
        );
        assert!(
            exchanges
                .iter()
                .all(|e| e.cost_usd.is_some_and(|cost| cost > 0.0) && e.is_estimate)
        );
    }
}

#[tokio::test]
async fn a_server_that_refuses_says_which_setting_mends_it() {
    for (status, body, named) in [
        (
            400,
            "This model's maximum context length is 4096 tokens",
            "lower proposer.max_tokens (it is 8192)",
        ),
        (
            400,
            "max_tokens is too large: 8192",
            "lower proposer.max_tokens",
        ),
        (
            429,
            "You exceeded your current quota (insufficient_quota)",
            "no credit left",
        ),
    ] {
        let endpoint = Endpoint::start(vec![Reply::error(status, body)]);
        let error = ask(config(&endpoint)).await.unwrap_err();
        assert!(matches!(error, ProposeError::Setup(_)), "{error}");
        assert!(error.to_string().contains(named), "{error}");
        assert_eq!(endpoint.requests().len(), 1, "{error}");
    }
    let endpoint = Endpoint::start(vec![Reply::Status(
        429,
        vec![("retry-after", "86400".to_owned())],
        "{}".to_owned(),
    )]);
    let error = ask(config(&endpoint)).await.unwrap_err();
    assert!(matches!(error, ProposeError::Unavailable { .. }), "{error}");
    assert!(error.to_string().contains("a pause of 24.0 h"), "{error}");
    assert_eq!(endpoint.requests().len(), 1, "nobody waits a day");
}

#[tokio::test]
async fn what_a_server_cannot_take_is_left_out_for_good() {
    let (proposal, endpoint) = {
        let endpoint = Endpoint::start(vec![
            Reply::error(422, "Unknown field: stream_options"),
            Reply::error(400, "System role not supported"),
            Reply::error(400, "streaming is off here"),
            replies::good(&[("a", replies::EXACT)]),
        ]);
        (ask(config(&endpoint)).await.unwrap(), endpoint)
    };
    assert_eq!(names(&proposal), ["a"]);
    let requests = endpoint.requests();
    assert_eq!(requests[0].json()["stream"], true, "a stream is asked for");
    let last = requests[3].json();
    assert!(last.get("stream").is_none() && last.get("stream_options").is_none());
    assert_eq!(last["messages"].as_array().unwrap().len(), 1);
    assert!(
        last["messages"][0]["content"]
            .as_str()
            .unwrap()
            .contains("reward functions")
    );
}

#[tokio::test]
async fn azure_gets_its_address_and_its_header() {
    let endpoint = Endpoint::start(vec![replies::good(&[("a", replies::EXACT)])]);
    let host = endpoint.base_url().replace("/v1", "");
    let proposal = ask(ChatConfig {
        api: ChatApi::Azure,
        base_url: format!("{host}/openai/deployments/d?api-version=2024-10-21"),
        ..config(&endpoint)
    })
    .await
    .unwrap();
    assert_eq!(names(&proposal), ["a"]);
    let request = &endpoint.requests()[0];
    assert_eq!(
        request.path,
        "/openai/deployments/d/chat/completions?api-version=2024-10-21"
    );
    assert_eq!(request.header("api-key"), Some("sk-test-0123456789"));
    assert_eq!(request.header("authorization"), None);
}

#[tokio::test]
async fn a_slow_stream_meets_no_time_out_while_it_writes() {
    let body = streamed("data: [DONE]\n\n");
    let endpoint = Endpoint::start(vec![Reply::Drips(
        body,
        std::time::Duration::from_millis(400),
    )]);
    let proposal = ask(ChatConfig {
        timeout_s: 1,
        ..config(&endpoint)
    })
    .await
    .unwrap();
    assert_eq!(names(&proposal), ["a"]);
    assert_eq!(endpoint.requests().len(), 1);
}

/// A message of Anthropic's that ends so.
fn message(text: &str, stop_reason: &str) -> Reply {
    ok(json!({
        "content": [{"type": "text", "text": text}],
        "stop_reason": stop_reason,
        "usage": {"input_tokens": 10, "output_tokens": 5},
    }))
}

#[tokio::test]
async fn a_model_that_pauses_its_turn_is_asked_to_go_on_and_read_as_a_whole() {
    let text = drafts();
    let (first, rest) = text.split_at(text.len() / 2);
    let endpoint = Endpoint::start(vec![
        message(first, "pause_turn"),
        message(rest, "end_turn"),
    ]);
    let anthropic = ChatConfig {
        api: ChatApi::Anthropic,
        ..config(&endpoint)
    };
    let proposal = ask(anthropic.clone()).await.unwrap();
    assert_eq!(names(&proposal), ["a"]);
    let asked = endpoint.requests();
    assert_eq!(asked.len(), 2);
    let said = &asked[1].json()["messages"][1];
    assert_eq!(
        said,
        &json!({"role": "assistant", "content": first.trim_end()})
    );
    // Both are paid for; the second holds all that was said, which is what a search that is begun again finds.
    let [paused, whole] = &proposal.exchanges[..] else {
        panic!("{:?}", proposal.exchanges)
    };
    assert!(
        paused
            .error
            .as_ref()
            .is_some_and(|why| why.contains("pause_turn"))
    );
    assert_eq!(
        (whole.error.as_deref(), whole.reply.as_str()),
        (None, &*text)
    );
    assert_eq!(paused.completion_tokens, Some(5));

    // One that pauses for ever is followed so far and no further.
    let endless = Endpoint::start(vec![message("and so on ", "pause_turn")]);
    let config = ChatConfig {
        base_url: endless.base_url(),
        ..anthropic
    };
    let proposal = ask(config).await.unwrap();
    assert!(proposal.drafts.is_empty());
    let requests = endless.requests().len();
    assert_eq!(requests, 10, "five, and five for the second question");
}
