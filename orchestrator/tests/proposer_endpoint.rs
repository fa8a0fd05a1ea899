//! The chat proposer against an endpoint that answers well, badly, late, or not at all.

#![allow(clippy::unwrap_used, clippy::panic)]

mod endpoint;

use std::time::{Duration, Instant};

use endpoint::{
    Endpoint, Reply,
    chat::{SECRET, ask, config, names},
    replies,
};
use orchestrator::{
    judge::endpoint::ChatApi,
    proposer::{
        Background, Brief, Proposal, ProposeError, Proposer as _, Unkept,
        chat::{Chat, ChatConfig},
    },
};

/// A proposal got through `script`, with its endpoint.
async fn through(script: Vec<Reply>) -> (Proposal, Endpoint) {
    let endpoint = Endpoint::start(script);
    let proposal = ask(config(&endpoint)).await.unwrap();
    (proposal, endpoint)
}

#[tokio::test]
async fn a_good_reply_is_read_and_accounted_for() {
    let (proposal, endpoint) = through(vec![replies::good(&[
        ("a", replies::EXACT),
        ("b", replies::VALID),
    ])])
    .await;
    assert_eq!(names(&proposal), ["a", "b"]);
    assert_eq!(proposal.drafts[0].source.code, replies::EXACT);
    assert_eq!(proposal.drafts[0].rationale, "tries a");
    let [exchange] = &proposal.exchanges[..] else {
        panic!("one request")
    };
    assert_eq!(
        (exchange.prompt_tokens, exchange.completion_tokens),
        (Some(1000), Some(200))
    );
    assert!((exchange.cost_usd.unwrap() - 0.002).abs() < 1e-12);
    assert_eq!(exchange.error, None);
    assert!(exchange.prompt.contains("4 reward functions are wanted"));
    assert!(exchange.reply.starts_with('['));

    let [request] = &endpoint.requests()[..] else {
        panic!("one request")
    };
    assert_eq!(request.path, "/v1/chat/completions");
    let body = request.json();
    assert_eq!(body["model"], "test-model");
    assert_eq!(body["messages"][0]["role"], "system");
    assert!(
        body["messages"][1]["content"]
            .as_str()
            .unwrap()
            .contains("Answers stand in <solution> tags.")
    );
}

#[tokio::test]
async fn the_key_stands_in_its_header_alone() {
    for (api, name, value) in [
        (ChatApi::Openai, "authorization", format!("Bearer {SECRET}")),
        (ChatApi::Anthropic, "x-api-key", SECRET.to_owned()),
    ] {
        let script = vec![
            Reply::error(500, &format!("cannot take {SECRET}")),
            replies::good(&[("a", &format!("// {SECRET}\n{}", replies::EXACT))]),
        ];
        let endpoint = Endpoint::start(script);
        let proposal = ask(ChatConfig {
            api,
            ..config(&endpoint)
        })
        .await
        .unwrap();
        assert_eq!(names(&proposal), ["a"]);
        assert!(!format!("{proposal:?}").contains(SECRET), "{proposal:?}");
        for request in endpoint.requests() {
            assert_eq!(request.header(name), Some(value.as_str()));
            let elsewhere = request.headers.iter().filter(|(n, _)| n != name);
            assert!(elsewhere.clone().all(|(_, v)| !v.contains(SECRET)));
            assert!(!request.body.contains(SECRET) && !request.path.contains(SECRET));
        }
    }
    // Without a key there is no header.
    let endpoint = Endpoint::start(vec![replies::good(&[("a", replies::EXACT)])]);
    let chat = Chat::new(config(&endpoint), None).unwrap();
    let brief = Brief {
        round: 1,
        count: 1,
        seed: 1,
        history: &[],
        problems: &[],
        format_hint: "",
        background: Background::NONE,
    };
    chat.propose(brief, &Unkept).await.unwrap();
    assert_eq!(endpoint.requests()[0].header("authorization"), None);
}

#[tokio::test]
async fn anthropic_takes_the_system_prompt_apart() {
    let endpoint = Endpoint::start(vec![replies::good(&[("a", replies::EXACT)])]);
    let proposal = ask(ChatConfig {
        api: ChatApi::Anthropic,
        ..config(&endpoint)
    })
    .await
    .unwrap();
    assert_eq!(proposal.exchanges[0].completion_tokens, Some(200));
    let request = &endpoint.requests()[0];
    assert_eq!(request.path, "/v1/messages");
    assert_eq!(request.header("anthropic-version"), Some("2023-06-01"));
    let body = request.json();
    assert!(
        body["system"]
            .as_str()
            .unwrap()
            .contains("reward functions")
    );
    assert_eq!(body["messages"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn fenced_broken_and_refused_replies() {
    let (proposal, _endpoint) = through(vec![replies::fenced(&[("a", replies::EXACT)])]).await;
    assert_eq!(
        (names(&proposal), proposal.unreadable.len()),
        (vec!["a"], 0)
    );

    let (proposal, _endpoint) = through(vec![replies::broken("a", replies::EXACT)]).await;
    assert_eq!(names(&proposal), ["a"]);
    assert!(proposal.unreadable[0].text.contains("lost"));
    assert!(proposal.unreadable[0].reason.contains("breaks off"));

    let (proposal, _endpoint) = through(vec![replies::refusal()]).await;
    assert!(proposal.drafts.is_empty());
    assert!(proposal.unreadable[0].text.contains("sorry"));

    let (proposal, _endpoint) = through(vec![Reply::Says(String::new())]).await;
    assert!(
        proposal.unreadable[0].reason.contains("stop"),
        "{proposal:?}"
    );
}

#[tokio::test]
async fn more_drafts_than_asked_for_are_left_out() {
    let drafts: Vec<(&str, &str)> = ["a", "b", "c", "d", "e"]
        .map(|name| (name, replies::EXACT))
        .into();
    let (proposal, _endpoint) = through(vec![replies::good(&drafts)]).await;
    assert_eq!(names(&proposal), ["a", "b", "c", "d"]);
}

#[tokio::test]
async fn passing_trouble_is_retried_and_every_request_recorded() {
    let (proposal, endpoint) = through(vec![
        Reply::error(500, "out of memory"),
        Reply::Closes,
        Reply::BreaksOff,
        replies::good(&[("a", replies::EXACT)]),
    ])
    .await;
    assert_eq!(names(&proposal), ["a"]);
    assert_eq!(endpoint.requests().len(), 4);
    let errors: Vec<Option<&str>> = proposal
        .exchanges
        .iter()
        .map(|e| e.error.as_deref())
        .collect();
    assert_eq!(errors.len(), 4);
    assert!(
        errors[0].unwrap().contains("500") && errors[0].unwrap().contains("out of memory"),
        "{errors:?}"
    );
    assert!(errors[1].is_some() && errors[2].is_some());
    assert_eq!(errors[3], None);
    let bodies: Vec<String> = endpoint.requests().into_iter().map(|r| r.body).collect();
    assert!(
        bodies.windows(2).all(|pair| pair[0] == pair[1]),
        "the same question each time"
    );
}

#[tokio::test]
async fn a_rate_limit_is_waited_out() {
    let start = Instant::now();
    let (proposal, endpoint) = through(vec![
        Reply::rate_limited(1),
        replies::good(&[("a", replies::EXACT)]),
    ])
    .await;
    assert_eq!(names(&proposal), ["a"]);
    assert_eq!(endpoint.requests().len(), 2);
    // Its own pause would have been ten milliseconds.
    assert!(
        start.elapsed() >= Duration::from_secs(1),
        "{:?}",
        start.elapsed()
    );
}

#[tokio::test]
async fn a_slow_answer_is_given_up_and_asked_for_again() {
    let slow = Reply::Late(Duration::from_secs(5), Box::new(replies::refusal()));
    let endpoint = Endpoint::start(vec![slow, replies::good(&[("a", replies::EXACT)])]);
    let proposal = ask(ChatConfig {
        timeout_s: 1,
        ..config(&endpoint)
    })
    .await
    .unwrap();
    assert_eq!(names(&proposal), ["a"]);
    assert!(
        proposal.exchanges[0]
            .error
            .as_ref()
            .unwrap()
            .contains("timeout_s")
    );
}

#[tokio::test]
async fn an_endpoint_that_stays_away_is_reported_with_what_was_tried() {
    let endpoint = Endpoint::start(vec![Reply::error(503, "overloaded")]);
    let error = ask(config(&endpoint)).await.unwrap_err();
    let ProposeError::Unavailable { message, exchanges } = error else {
        panic!("{error}")
    };
    assert_eq!(exchanges.len(), 4, "one request and three more");
    assert!(
        message.contains("503") && message.contains("overloaded") && message.contains("4 requests"),
        "{message}"
    );

    let address = endpoint.base_url();
    drop(endpoint);
    let nobody = ChatConfig {
        base_url: address,
        model: "m".to_owned(),
        backoff_ms: 1,
        max_retries: 1,
        ..ChatConfig::default()
    };
    let error = ask(nobody).await.unwrap_err();
    assert!(matches!(error, ProposeError::Unavailable { .. }), "{error}");
    assert!(error.to_string().contains("no connection"), "{error}");
}

#[tokio::test]
async fn lasting_trouble_stops_at_once_and_says_what_to_do() {
    for (status, advice) in [
        (401, "REWARD_KEY"),
        (403, "REWARD_KEY"),
        (404, "proposer.model"),
        (400, "[proposer]"),
        (402, "credit"),
        (302, "final address"),
    ] {
        let endpoint = Endpoint::start(vec![Reply::error(status, &format!("no: {SECRET}"))]);
        let config = ChatConfig {
            api_key_env: Some("REWARD_KEY".to_owned()),
            ..config(&endpoint)
        };
        let error = ask(config).await.unwrap_err();
        assert!(matches!(error, ProposeError::Setup(_)), "{error:?}");
        let message = error.to_string();
        assert!(
            message.contains(&status.to_string()) && message.contains(advice),
            "{message}"
        );
        assert!(
            message.contains("no: [key]") && !message.contains(SECRET),
            "{message}"
        );
        assert_eq!(endpoint.requests().len(), 1);
    }
}

#[tokio::test]
async fn what_a_model_does_not_take_is_left_out() {
    let (proposal, endpoint) = through(vec![
        Reply::error(
            400,
            "Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens' instead.",
        ),
        Reply::error(
            400,
            "Unsupported value: 'temperature' does not support 0.6 with this model.",
        ),
        replies::good(&[("a", replies::EXACT)]),
    ])
    .await;
    assert_eq!(names(&proposal), ["a"]);
    assert_eq!(proposal.exchanges.len(), 3);
    let last = endpoint.requests()[2].json();
    assert_eq!(last["max_completion_tokens"], 8192);
    assert!(last.get("max_tokens").is_none() && last.get("temperature").is_none());
}

#[test]
fn a_missing_key_is_reported_by_the_name_of_its_variable() {
    let config = ChatConfig {
        base_url: "http://127.0.0.1:1/v1".to_owned(),
        model: "m".to_owned(),
        api_key_env: Some("REWARD_SEARCH_TEST_UNSET".to_owned()),
        ..ChatConfig::default()
    };
    let error = Chat::from_environment(config).unwrap_err().to_string();
    assert!(
        error.contains("REWARD_SEARCH_TEST_UNSET is not set"),
        "{error}"
    );
}
