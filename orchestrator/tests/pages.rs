//! The pages under attack: every text that a search can hold is markup, quotes, control characters and marks of direction, and none of it
//! may become anything but text. And who may ask at all.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

mod browser;

use std::path::Path;

use evaluator::Evaluation;
use orchestrator::{
    config::Ladder,
    domain::{
        candidate::{NewCandidate, Origin, Refusal, Status},
        decider::Decider,
        draft::{Draft, Exchange},
        figures::{Figures, bootstrap_of},
        protocol::Protocol,
        trial::{Arm, Failure, NewTrial, Stage},
        verdict::Evaluated,
    },
    reward::probe::{HackShare, Probed, Worth},
    store::{Begun, Judged, Proposed, Store},
    web::{ServeError, Server, Settings, html_report},
};
use sandbox::{ProbeReport, Source};
use trainer_bridge::{Aggregation, RewardPart, SampleCompletion, StepMetrics};

use browser::{Answer, get, get_with, only_ours};

/// What a model, a policy or a person may write anywhere.
const HOSTILE: &str = "</code></pre></title><script>alert(1)</script><img src=x onerror=alert(1)>\" onmouseover=\"alert(2)' onfocus='alert(3) \
                       {{ 7 * 7 }} {% raw %} javascript:alert(4) &lt;b&gt; \u{202e}\u{1b}[2J\u{7}";

fn hostile(where_: &str) -> String {
    format!("{where_}{HOSTILE}")
}

fn draft(name: &str, parents: &[&str]) -> NewCandidate {
    let worth = Worth {
        completions: 2,
        right: 1,
        groups: 1,
        mixed_groups: 1,
        deterministic: true,
        order_independent: true,
        lowest: 0.0,
        highest: 1.0,
        mean: 0.5,
        flat_groups: 0.0,
        auc: None,
        auc_within: None,
        agreement: Vec::new(),
        hacks: vec![HackShare {
            kind: hostile("kind"),
            tried: 1,
            called_right: 0,
            above: 0.5,
            equal: 0.5,
        }],
        mean_fuel: 1,
        most_fuel: 1,
    };
    let probed = Probed {
        report: ProbeReport {
            notes: Vec::new(),
            samples: 2,
            lowest: 0.0,
            highest: 1.0,
            constant: false,
            mean_fuel: 1,
            most_fuel: 1,
        },
        worth: Some(worth),
        advantages: None,
    };
    NewCandidate {
        origin: Origin::Round(1),
        draft: Draft {
            name: hostile(name),
            source: Source::python(format!(
                "def reward(x): # {HOSTILE}\n    return '{HOSTILE}'\n# {name}\n"
            )),
            rationale: hostile("why"),
            parents: parents.iter().map(|parent| hostile(parent)).collect(),
        },
        sha256: name.to_owned(),
        status: Status::Accepted,
        wasm: Some(vec![1]),
        probe: Some(serde_json::to_string(&probed).unwrap()),
    }
}

/// A search in which everything is hostile.
async fn fill(path: &Path) -> Store {
    let (store, lock) = Store::create_or_open(path).await.unwrap();
    let config = serde_json::json!({});
    let Begun::New(search) = store
        .begin(&hostile("search"), &config, "", 1)
        .await
        .unwrap()
    else {
        panic!("the file is new")
    };
    let mut refused = draft("refused", &[]);
    refused.status = Status::Rejected(Refusal::Told {
        message: hostile("refusal"),
    });
    refused.wasm = None;
    let mut unread = draft("unread", &[]);
    unread.status = Status::Unreadable {
        reason: hostile("unreadable"),
    };
    unread.wasm = None;
    let candidates = [
        draft("first", &["nobody"]),
        draft("second", &["first"]),
        draft("failing", &[]),
        refused,
        unread,
    ];
    let ladder = Ladder::flat(2, 4);
    let proposed = Proposed {
        round: 1,
        candidates: &candidates,
        first_trial: &|id| ladder.first_trial(id, 1),
    };
    store.record_round(search.id, proposed).await.unwrap();
    let ids: Vec<_> = store.candidates(search.id).await.unwrap();
    let members = [(ids[0].id, 1.0), (ids[1].id, 0.5)];
    let mix = store
        .ensure_ensemble(
            search.id,
            &hostile("mix"),
            Aggregation::SumThenNormalize,
            &members,
        )
        .await
        .unwrap();
    let trial = |arm, stage: Stage, steps| NewTrial {
        arm,
        stage,
        seed: 1,
        steps,
        from: None,
    };
    let confirm = Stage::Confirm { seed: 0 };
    let screen = Stage::Screen { rung: 0 };
    let more = [
        trial(Arm::Untouched, screen, 0),
        trial(Arm::BaseOnly, screen, 2),
        trial(Arm::BaseOnly, confirm, 2),
        trial(Arm::Ensemble(mix.id), confirm, 2),
    ];
    store.plan_trials(search.id, &more).await.unwrap();
    for (i, trial) in store
        .waiting_trials(search.id)
        .await
        .unwrap()
        .into_iter()
        .enumerate()
    {
        store.start_trial(trial.id, 0).await.unwrap();
        for step in 1..=2 {
            let metrics = StepMetrics {
                step,
                reward: f64::from(step),
                samples: vec![SampleCompletion {
                    prompt: hostile("prompt"),
                    completion: hostile("sample"),
                    ..SampleCompletion::default()
                }],
                parts: vec![RewardPart {
                    reward: hostile("member"),
                    part: hostile("part"),
                    mean: f64::from(step),
                }],
                printed: hostile("printed"),
                ..StepMetrics::default()
            };
            store.record_step(trial.id, &metrics).await.unwrap();
        }
        if i == 2 {
            let failure = Failure::Told {
                message: hostile("failure"),
            };
            store.fail_trial(trial.id, &failure, 1.0).await.unwrap();
            continue;
        }
        let outcomes: &[u8] = [&b"ccwn"[..], b"cwcw", b"nwcc"][i % 3];
        let evaluation = Evaluation::from_bytes(outcomes).unwrap();
        let figures = Figures::of(&evaluation, &bootstrap_of(1));
        let judged = Judged {
            split: Protocol::HeldOut.split(trial.stage),
            evaluated: &Evaluated {
                evaluation,
                deciders: vec![Decider::Rule; 4],
            },
            figures: &figures,
            completions: &vec![hostile("completion"); 4],
            seconds: 1.0,
        };
        store.complete_trial(trial.id, judged).await.unwrap();
    }
    let exchange = Exchange {
        step: hostile("step"),
        model: hostile("model"),
        prompt: hostile("asked"),
        reply: hostile("reply"),
        reasoning: Some(hostile("reasoning")),
        instead: Some(hostile("instead")),
        stopped_because: Some(hostile("stopped")),
        answered_by: Some(hostile("by")),
        error: Some(hostile("error")),
        prompt_tokens: Some(12_345),
        cost_usd: Some(0.5),
        ..Exchange::default()
    };
    store
        .record_exchanges(search.id, 1, &[exchange])
        .await
        .unwrap();
    store
        .stop_rounds(
            search.id,
            &format!("{{\"reason\": {}}}", serde_json::json!(hostile("reason"))),
        )
        .await
        .unwrap();
    drop(lock);
    store
}

fn settings(database: &Path) -> Settings {
    Settings {
        databases: vec![database.to_owned(), "<b>missing".into()],
        host: [127, 0, 0, 1].into(),
        port: 0,
        token: None,
        names: Vec::new(),
    }
}

async fn serve(settings: Settings) -> String {
    let server = Server::bind(settings).await.unwrap();
    let address = server.address().to_string();
    tokio::spawn(server.run());
    address
}

/// As in an address.
fn query(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02x}")).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_in_a_search_becomes_markup() {
    let folder = tempfile::tempdir().unwrap();
    let database = folder.path().join("x.db");
    let store = fill(&database).await;
    let address = serve(settings(&database)).await;
    let name = |of: &str| query(&hostile(of));
    let (first, second) = (name("first"), name("second"));
    let pages = [
        ("/".to_owned(), "search"),
        ("/s/1-1".to_owned(), "first"),
        (
            format!(
                "/s/1-1?q={0}&sort={0}&state={0}&round={0}&page={0}",
                query(HOSTILE)
            ),
            "search",
        ),
        (format!("/s/1-1/candidate?name={first}"), "completion"),
        (
            format!("/s/1-1/candidate?name={first}&verdict=right"),
            "sample",
        ),
        (format!("/s/1-1/candidate?name={second}"), "printed"),
        (format!("/s/1-1/candidate?name={second}"), "part"),
        (format!("/s/1-1/candidate?name={second}"), "kind"),
        (format!("/s/1-1/candidate?name={second}"), "why"),
        (
            format!("/s/1-1/candidate?name={}", name("failing")),
            "failure",
        ),
        (
            format!("/s/1-1/candidate?name={}", name("refused")),
            "refusal",
        ),
        (format!("/s/1-1/candidate?name={}", name("mix")), "mix"),
        ("/s/1-1/candidate?name=untouched".to_owned(), "search"),
        (format!("/s/1-1/compare?a={first}&b={second}"), "completion"),
        (
            format!("/s/1-1/compare?a={}&b={second}", name("no such")),
            "no such",
        ),
        ("/s/1-1/ensembles".to_owned(), "mix"),
        ("/s/1-1/lineage".to_owned(), "second"),
        ("/s/1-1/exchanges".to_owned(), "model"),
        ("/s/1-1/exchange?id=1".to_owned(), "reasoning"),
        ("/s/1-1/exchange?id=1".to_owned(), "asked"),
        ("/s/1-1/refused".to_owned(), "unreadable"),
        (format!("/s/{}", query(HOSTILE)), ""),
        (
            format!("/s/1-1/candidate?name={}", name("missing")),
            "missing",
        ),
        (format!("/s/1-1/exchange?id={}", query(HOSTILE)), ""),
    ];
    for (page, shows) in pages {
        let answer = get(&address, &page).await;
        assert!(
            [200, 404].contains(&answer.code),
            "{page}: {} {}",
            answer.code,
            answer.body
        );
        only_ours(&page, &answer.body);
        assert!(
            answer
                .body
                .contains(&format!("{shows}&lt;&#x2f;code&gt;&lt;&#x2f;pre&gt;"))
                || shows.is_empty(),
            "{page} shows the {shows}: {}",
            answer.body
        );
        for (header, value) in [
            ("content-security-policy", "default-src 'none'"),
            ("x-content-type-options", "nosniff"),
            ("referrer-policy", "no-referrer"),
            ("cache-control", "no-store"),
        ] {
            assert!(answer.header(header).starts_with(value), "{page}: {header}");
        }
        assert!(!answer.header("content-security-policy").contains("unsafe"));
    }
    let report = html_report(&store).await.unwrap();
    only_ours("the report", &report);
    assert!(report.contains("first&lt;&#x2f;code&gt;"), "{report}");
}

#[test]
fn the_check_of_pages_finds_what_it_looks_for() {
    for bad in [
        "<p onclick=\"x\">",
        "<p onclick=x>",
        "<script>alert(1)</script>",
        "<a href=\"javascript:x\">",
        "<img src=\"http://x/\">",
        "<p style=\"color: red\">",
        "<p>\u{202e}",
        "<p class=\"a\"\" onclick=\"b\">",
    ] {
        assert!(
            std::panic::catch_unwind(|| only_ours("it", bad)).is_err(),
            "{bad}"
        );
    }
    only_ours(
        "it",
        "<p class=\"a\">&lt;b onclick=&quot;x&quot;&gt;</p><a href=\"/s\">x</a>",
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn only_who_names_this_server_and_has_the_token_is_answered() {
    let folder = tempfile::tempdir().unwrap();
    let database = folder.path().join("x.db");
    fill(&database).await;
    let address = serve(settings(&database)).await;
    let code = |answer: Answer| answer.code;
    let as_host = |host: &str| format!("Host: {host}\r\n");
    assert_eq!(
        code(get_with(&address, "/", "GET", &as_host("evil.example")).await),
        421
    );
    assert_eq!(
        code(get_with(&address, "/", "GET", "").await),
        421,
        "no host"
    );
    assert_eq!(
        code(get_with(&address, "/", "POST", &as_host("localhost")).await),
        405
    );
    assert_eq!(
        code(get_with(&address, "/", "GET", &as_host("localhost")).await),
        200
    );

    let open = Settings {
        host: [0, 0, 0, 0].into(),
        ..settings(&database)
    };
    let refused = Server::bind(open.clone()).await.err().unwrap();
    assert!(matches!(refused, ServeError::NoToken(_)), "{refused}");
    let empty = Settings {
        token: Some(" ".to_owned()),
        ..open
    };
    assert!(matches!(
        Server::bind(empty).await.err().unwrap(),
        ServeError::EmptyToken
    ));

    let guarded = Settings {
        token: Some("open sesame".to_owned()),
        ..settings(&database)
    };
    let address = serve(guarded).await;
    let host = as_host("localhost");
    for page in [
        "/",
        "/s/1-1",
        "/style.css",
        "/s/1-1/live",
        "/?token=wrong",
        "/nothing",
    ] {
        assert_eq!(
            code(get_with(&address, page, "GET", &host).await),
            401,
            "{page}"
        );
    }
    let entered = get_with(&address, "/s/1-1?token=open%20sesame", "GET", &host).await;
    assert_eq!(
        (entered.code, entered.header("location").as_str()),
        (303, "/s/1-1")
    );
    let cookie = entered.header("set-cookie");
    assert!(
        cookie.contains("HttpOnly") && cookie.contains("SameSite=Strict"),
        "{cookie}"
    );
    let shown = format!("{host}Cookie: {}\r\n", cookie.split(';').next().unwrap());
    assert_eq!(code(get_with(&address, "/s/1-1", "GET", &shown).await), 200);
    let bearer = format!("{host}Authorization: Bearer open sesame\r\n");
    assert_eq!(
        code(get_with(&address, "/s/1-1", "GET", &bearer).await),
        200
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_open_page_is_told_of_a_change() {
    let folder = tempfile::tempdir().unwrap();
    let database = folder.path().join("x.db");
    let store = fill(&database).await;
    let address = serve(settings(&database)).await;
    let mut stream = browser::follow(&address, "/s/1-1/live").await;
    tokio::time::sleep(std::time::Duration::from_millis(1500)).await;
    let search = store.search().await.unwrap();
    let before = get(&address, "/s/1-1").await.body;
    assert!(!before.contains("later"), "{before}");
    let mut later = draft("later", &[]);
    later.draft.name = "later".to_owned();
    let proposed = Proposed {
        round: 2,
        candidates: &[later],
        first_trial: &|id| Ladder::flat(2, 4).first_trial(id, 1),
    };
    store.record_round(search.id, proposed).await.unwrap();
    assert!(browser::told(&mut stream, "changed").await, "no event came");
    tokio::time::sleep(std::time::Duration::from_millis(1100)).await;
    let after = get(&address, "/s/1-1").await.body;
    assert!(after.contains("later"), "{after}");
}
