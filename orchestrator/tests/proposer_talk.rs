//! What passes between the chat proposer and its models: second requests, several models, kinds of request, and who is told.

#![allow(clippy::unwrap_used, clippy::panic)]

mod endpoint;

use std::sync::Mutex;

use endpoint::{
    Endpoint, Reply,
    chat::{SECRET, config, names},
    replies,
};
use orchestrator::{
    domain::{
        candidate::Origin,
        draft::{Draft, Exchange},
    },
    proposer::{
        Aftermath, Background, BoxFuture, Brief, Fate, Heard, Ledger, PastCandidate, Proposal,
        ProposeError, Proposer as _, Setback, Study, Wrong,
        chat::{Chat, ChatConfig, Key, ModelConfig, Moves},
        replay::Rehearsal,
    },
};
use sandbox::{Language, Source};
use serde_json::json;

/// A ledger in memory.
#[derive(Default)]
struct Memory {
    kept: Mutex<Vec<Exchange>>,
    heard: Mutex<Vec<String>>,
    closed: bool,
}

impl Memory {
    fn steps(&self) -> Vec<String> {
        let kept = self.kept.lock().unwrap();
        kept.iter().map(|exchange| exchange.step.clone()).collect()
    }
}

impl Ledger for Memory {
    fn keep<'a>(&'a self, exchange: &'a Exchange) -> BoxFuture<'a, Result<(), ProposeError>> {
        self.kept.lock().unwrap().push(exchange.clone());
        Box::pin(async { Ok(()) })
    }

    fn closed(&self) -> Option<String> {
        self.closed.then(|| "nothing is left".to_owned())
    }

    fn answered<'a>(
        &'a self,
        step: &'a str,
    ) -> BoxFuture<'a, Result<Option<Exchange>, ProposeError>> {
        let kept = self.kept.lock().unwrap();
        let answered = kept.iter().find(|e| e.step == step && e.error.is_none());
        let answered = answered.cloned();
        Box::pin(async move { Ok(answered) })
    }

    fn hears(&self, heard: &Heard<'_>) {
        let told = match heard {
            Heard::Asking { model, step } => format!("asking {model} {step}"),
            Heard::Tokens { tokens, .. } => format!("tokens {tokens}"),
            Heard::Pause(_) => "pause".to_owned(),
            Heard::Done(exchange) => format!("done {}", exchange.step),
        };
        self.heard.lock().unwrap().push(told);
    }
}

fn chat(config: ChatConfig) -> Chat {
    Chat::new(config, Some(Key::new(SECRET).unwrap())).unwrap()
}

fn brief(round: u32, history: &[PastCandidate]) -> Brief<'_> {
    Brief {
        round,
        count: 4,
        seed: 11,
        history,
        problems: &[],
        format_hint: "",
        background: Background::NONE,
    }
}

fn past(name: &str, rank: usize) -> PastCandidate {
    PastCandidate {
        origin: Origin::Round(1),
        draft: Draft {
            name: name.to_owned(),
            source: Source {
                language: Language::Rust,
                code: format!("// {name}\n{}", replies::EXACT),
            },
            rationale: String::new(),
            parents: Vec::new(),
        },
        fate: Fate::Ranked {
            rank,
            f1: 0.5,
            interval: [0.4, 0.6],
            accuracy: 0.5,
            answer_rate: 1.0,
        },
        study: Study::default(),
    }
}

fn good(name: &str) -> Reply {
    replies::good(&[(name, replies::EXACT)])
}

async fn asked(endpoint: &Endpoint, ledger: &Memory) -> Result<Proposal, ProposeError> {
    chat(config(endpoint)).propose(brief(1, &[]), ledger).await
}

#[tokio::test]
async fn an_unreadable_reply_is_asked_for_once_more_with_what_was_wrong() {
    let endpoint = Endpoint::start(vec![Reply::Says("Sorry, what?".to_owned()), good("a")]);
    let ledger = Memory::default();
    let proposal = asked(&endpoint, &ledger).await.unwrap();
    assert_eq!(names(&proposal), ["a"]);
    assert_eq!(proposal.unreadable.len(), 1, "the first reply is told of");
    assert_eq!(ledger.steps(), ["ask", "ask again"]);
    let second = &endpoint.requests()[1].body;
    assert!(second.contains("Sorry, what?") && second.contains("neither a code block"));

    let endpoint = Endpoint::start(vec![replies::refusal()]);
    let proposal = asked(&endpoint, &Memory::default()).await.unwrap();
    assert_eq!((proposal.drafts.len(), proposal.unreadable.len()), (0, 2));
    assert_eq!(endpoint.requests().len(), 2, "no third time");

    let endpoint = Endpoint::start(vec![replies::refusal(), Reply::error(400, "filtered")]);
    let proposal = asked(&endpoint, &Memory::default()).await.unwrap();
    assert_eq!(
        proposal.unreadable.len(),
        1,
        "that it is not taken ends nothing"
    );
}

#[tokio::test]
async fn what_is_kept_is_not_asked_again_and_a_limit_stops_what_is_not() {
    let endpoint = Endpoint::start(vec![replies::refusal(), good("a")]);
    let ledger = Memory::default();
    asked(&endpoint, &ledger).await.unwrap();
    // As after a kill between the two replies.
    ledger.kept.lock().unwrap().pop();
    let proposal = asked(&endpoint, &ledger).await.unwrap();
    assert_eq!(names(&proposal), ["a"]);
    assert_eq!(endpoint.requests().len(), 3, "the first reply was kept");
    let ledger = Memory {
        closed: true,
        ..ledger
    };
    let proposal = asked(&endpoint, &ledger).await.unwrap();
    assert_eq!(
        names(&proposal),
        ["a"],
        "what was paid for is read all the same"
    );
    let closed = Memory {
        closed: true,
        ..Memory::default()
    };
    let error = asked(&endpoint, &closed).await.unwrap_err();
    assert!(matches!(error, ProposeError::Limit(_)), "{error}");
    assert_eq!(endpoint.requests().len(), 3);
}

#[tokio::test]
async fn what_a_round_lacks_is_asked_for_with_what_was_said_of_it() {
    let endpoint = Endpoint::start(vec![replies::good(&[
        ("mended", replies::EXACT),
        ("new", replies::VALID),
    ])]);
    let setback = |name: &str, why| Setback {
        draft: past(name, 1).draft,
        why,
    };
    let setbacks = [
        setback("broken", Wrong::Refused("error[E0425]: line 2".to_owned())),
        setback(
            "twin",
            Wrong::Twin {
                of: "known".to_owned(),
            },
        ),
    ];
    let aftermath = Aftermath {
        setbacks: &setbacks,
        missing: 1,
    };
    let ledger = Memory::default();
    let proposal = chat(config(&endpoint))
        .follow_up(brief(1, &[]), aftermath, &ledger)
        .await
        .unwrap();
    assert_eq!(names(&proposal), ["mended", "new"]);
    assert_eq!(ledger.steps(), ["follow-up"]);
    let body = endpoint.requests()[0].body.clone();
    for told in [
        "error[E0425]: line 2",
        "// broken",
        "twin is the same as known",
        "3 reward functions",
        "Send 1 more",
    ] {
        assert!(body.contains(told), "{told} is not in {body}");
    }
    assert!(
        ledger.kept.lock().unwrap()[0].cost_usd.unwrap() > 0.0,
        "its cost counts"
    );
    let nothing = Aftermath {
        setbacks: &[],
        missing: 0,
    };
    let silent = ChatConfig {
        follow_up: false,
        ..config(&endpoint)
    };
    for (config, aftermath) in [(config(&endpoint), nothing), (silent, aftermath)] {
        let chat = chat(config);
        let more = chat.follow_up(brief(1, &[]), aftermath, &ledger);
        assert!(more.await.unwrap().drafts.is_empty());
    }
    assert_eq!(endpoint.requests().len(), 1);
}

#[tokio::test]
async fn several_models_share_a_round_by_weight_in_requests_of_their_kind() {
    let endpoint = Endpoint::start(vec![good("a")]);
    let model = |name: &str, weight| ModelConfig {
        weight,
        ..toml::from_str(&format!("model = '{name}'")).unwrap()
    };
    let shared = ChatConfig {
        models: vec![model("big", 3.0), model("small", 1.0)],
        ..config(&endpoint)
    };
    let ledger = Memory::default();
    chat(shared.clone())
        .propose(brief(1, &[]), &ledger)
        .await
        .unwrap();
    let asked: Vec<(String, bool)> = endpoint
        .requests()
        .iter()
        .map(|request| {
            let body = request.json();
            (
                body["model"].as_str().unwrap().to_owned(),
                request.body.contains("Round 1. 3 "),
            )
        })
        .collect();
    assert_eq!(
        asked,
        [("big".to_owned(), true), ("small".to_owned(), false)]
    );
    assert_eq!(ledger.steps(), ["ask", "ask 2"]);

    let moving = ChatConfig {
        models: Vec::new(),
        moves: Some(Moves::default()),
        ..shared
    };
    let history = [past("first", 1), past("second", 2)];
    let ledger = Memory::default();
    chat(moving)
        .propose(brief(2, &history), &ledger)
        .await
        .unwrap();
    assert_eq!(ledger.steps(), ["fresh 1", "mutate 1", "combine 1"]);
    let requests = endpoint.requests();
    let body = |at: usize| &requests[2 + at].body;
    assert!(body(0).contains("1 new idea") && body(0).contains("Lessons:"));
    assert!(body(1).contains("2 variants, each of one of these: first, second"));
    assert!(!body(1).contains("Lessons:"), "asked for once");
    assert!(body(2).contains("1 reward that joins"));
}

#[tokio::test]
async fn tokens_are_told_as_they_arrive() {
    let piece = |text: &str| {
        let piece = json!({"choices": [{"delta": {"content": text}, "finish_reason": null}]});
        format!("data: {piece}\n\n")
    };
    let mut body: String = "## a\nWhy: x\n```rust\n"
        .chars()
        .map(|c| piece(&c.to_string()))
        .collect();
    body += &piece(&format!("{}```\n", replies::EXACT));
    body +=
        "data: {\"choices\": [{\"delta\": {}, \"finish_reason\": \"stop\"}]}\n\ndata: [DONE]\n\n";
    let endpoint = Endpoint::start(vec![
        Reply::error(500, "oops"),
        Reply::Drips(body, std::time::Duration::from_millis(50)),
    ]);
    let ledger = Memory::default();
    let proposal = asked(&endpoint, &ledger).await.unwrap();
    assert_eq!(names(&proposal), ["a"]);
    let heard = ledger.heard.lock().unwrap().clone();
    assert_eq!(heard[0], "asking test-model ask");
    assert!(heard.contains(&"pause".to_owned()), "{heard:?}");
    let tokens: Vec<u64> = heard
        .iter()
        .filter_map(|told| told.strip_prefix("tokens ")?.parse().ok())
        .collect();
    assert!(tokens.len() >= 3 && tokens.is_sorted(), "{heard:?}");
    assert!(*tokens.last().unwrap() >= 20, "{heard:?}");
    assert_eq!(heard.last().unwrap(), "done ask");
}

#[tokio::test]
async fn a_rehearsal_says_again_what_was_said_and_asks_nobody() {
    let endpoint = Endpoint::start(vec![
        Reply::error(500, "oops"),
        replies::refusal(),
        good("a"),
    ]);
    let ledger = Memory::default();
    let first = asked(&endpoint, &ledger).await.unwrap();
    let recorded = ledger.kept.lock().unwrap().clone();
    let exchanges = recorded.iter().map(|exchange| (1, exchange.clone()));
    let rehearsal = Rehearsal::new(&config(&endpoint), exchanges).unwrap();
    let again = Memory::default();
    let second = rehearsal.propose(brief(1, &[]), &again).await.unwrap();
    assert_eq!(
        (&first.drafts, &first.unreadable),
        (&second.drafts, &second.unreadable)
    );
    assert_eq!(
        *again.kept.lock().unwrap(),
        recorded,
        "failed requests and costs included"
    );
    assert_eq!(endpoint.requests().len(), 3);
    let other = Memory::default();
    let error = rehearsal.propose(brief(2, &[]), &other).await.unwrap_err();
    assert!(
        error.to_string().contains("holds no reply to `ask`"),
        "{error}"
    );
}
