//! A judging model that is slow, busy, garbled, half-spoken, dead or locked: verdicts are never lost and never silently wrong.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

mod endpoint;

use std::time::Duration;

use endpoint::{Endpoint, Reply};
use evaluator::{Answer, ExtractionConfig, Outcome};
use orchestrator::{
    domain::decider::Decider,
    judge::{
        Given, Judge, Judgement, ModelConfig, OnFailure, Question, VerifierConfig, VerifierError,
    },
};

const ANSWERS: [&str; 3] = [r"\boxed{the red one}", r"\boxed{red}", r"\boxed{blue}"];

fn settings(endpoint: &Endpoint, on_failure: OnFailure) -> ModelConfig {
    ModelConfig {
        base_url: endpoint.base_url(),
        model: "judge".to_owned(),
        backoff_ms: 5,
        max_retries: 1,
        timeout_s: 1,
        concurrency: 1,
        on_failure,
        ..ModelConfig::default()
    }
}

/// Judges three answers to one question: the rule rejects the first and the last, and knows the middle one is right.
async fn judge(config: ModelConfig) -> Result<Vec<Judgement>, VerifierError> {
    let rule = evaluator::RuleVerifier::new(ExtractionConfig::flexible());
    let verifier = Judge::new(&VerifierConfig::Tinyv(config), rule)?;
    let reference = Answer::new("red");
    let questions = ANSWERS.map(|completion| Question {
        row: "",
        question: "Which?",
        reference: &reference,
        given: Given::Completion(completion),
    });
    verifier.judge(&questions).await
}

fn told(judged: &[Judgement]) -> Vec<(Outcome, Decider)> {
    judged.iter().map(|j| (j.outcome, j.decider)).collect()
}

#[tokio::test]
async fn passing_trouble_is_waited_out() {
    let yes = || Reply::Says("True".to_owned());
    for trouble in [
        Reply::rate_limited(0),
        Reply::error(503, "overloaded"),
        Reply::Closes,
        Reply::BreaksOff,
        Reply::Status(200, Vec::new(), "<html>".to_owned()),
        Reply::Status(200, Vec::new(), "{\"choices\": []}".to_owned()),
        Reply::Late(Duration::from_millis(1500), Box::new(yes())),
    ] {
        let endpoint = Endpoint::start(vec![
            trouble.clone(),
            yes(),
            Reply::Says("False".to_owned()),
        ]);
        let judged = judge(settings(&endpoint, OnFailure::Stop)).await.unwrap();
        assert_eq!(
            told(&judged),
            [
                (Outcome::Correct, Decider::Model),
                (Outcome::Correct, Decider::Rule),
                (Outcome::Wrong, Decider::Model)
            ],
            "{trouble:?}"
        );
    }
}

#[tokio::test]
async fn lasting_trouble_leaves_the_rule_counted_or_stops() {
    for trouble in [
        Reply::rate_limited(0),
        Reply::error(500, "broken"),
        Reply::Closes,
        Reply::BreaksOff,
        Reply::Status(200, Vec::new(), "<html>".to_owned()),
        Reply::Late(
            Duration::from_millis(1500),
            Box::new(Reply::Says("True".to_owned())),
        ),
    ] {
        let endpoint = Endpoint::start(vec![trouble.clone()]);
        let judged = judge(settings(&endpoint, OnFailure::Rule)).await.unwrap();
        assert_eq!(
            told(&judged),
            [
                (Outcome::Wrong, Decider::Failed),
                (Outcome::Correct, Decider::Rule),
                (Outcome::Wrong, Decider::Failed)
            ],
            "{trouble:?}"
        );
        let each_with_its_retry = 4;
        assert_eq!(
            endpoint.requests().len(),
            each_with_its_retry,
            "one case without a reply does not speak for the others"
        );
        let endpoint = Endpoint::start(vec![trouble.clone()]);
        let error = judge(settings(&endpoint, OnFailure::Stop))
            .await
            .unwrap_err();
        assert!(
            matches!(error, VerifierError::Unavailable(_)),
            "{trouble:?}: {error}"
        );
    }
}

#[tokio::test]
async fn once_an_endpoint_is_known_to_be_down_the_rest_of_a_batch_does_not_wait_for_it() {
    let endpoint = Endpoint::start(vec![Reply::error(500, "broken")]);
    let rule = evaluator::RuleVerifier::new(ExtractionConfig::flexible());
    let config = VerifierConfig::Tinyv(settings(&endpoint, OnFailure::Rule));
    let verifier = Judge::new(&config, rule).unwrap();
    let reference = Answer::new("red");
    let answers: Vec<String> = (0..8)
        .map(|n| format!(r"\boxed{{blue {n} times}}"))
        .collect();
    let questions: Vec<Question<'_>> = answers
        .iter()
        .map(|completion| Question {
            row: "",
            question: "Which?",
            reference: &reference,
            given: Given::Completion(completion),
        })
        .collect();
    let judged = verifier.judge(&questions).await.unwrap();
    assert!(judged.iter().all(|j| j.decider == Decider::Failed));
    assert_eq!(endpoint.requests().len(), 6, "three cases, a retry each");
}

#[tokio::test]
async fn a_dead_endpoint_is_lasting_trouble() {
    let endpoint = Endpoint::start(vec![Reply::Closes]);
    let mut config = settings(&endpoint, OnFailure::Rule);
    config.base_url = "http://127.0.0.1:9/v1".to_owned();
    let judged = judge(config.clone()).await.unwrap();
    assert_eq!(told(&judged)[0], (Outcome::Wrong, Decider::Failed));
    config.on_failure = OnFailure::Stop;
    let error = judge(config).await.unwrap_err();
    assert!(matches!(error, VerifierError::Unavailable(_)), "{error}");
}

#[tokio::test]
async fn a_locked_endpoint_stops_whatever_is_configured() {
    for (status, advice) in [(401, "verifier.api_key_env"), (404, "verifier.model")] {
        let endpoint = Endpoint::start(vec![Reply::error(status, "no")]);
        let error = judge(settings(&endpoint, OnFailure::Rule))
            .await
            .unwrap_err();
        assert!(matches!(error, VerifierError::Setup(_)), "{error}");
        assert!(error.to_string().contains(advice), "{error}");
        assert_eq!(endpoint.requests().len(), 1);
    }
}

#[tokio::test]
async fn a_request_refused_for_its_own_sake_leaves_the_others_alone() {
    let endpoint = Endpoint::start(vec![
        Reply::error(400, "context length exceeded"),
        Reply::Says("True".to_owned()),
    ]);
    let judged = judge(settings(&endpoint, OnFailure::Rule)).await.unwrap();
    assert_eq!(
        told(&judged),
        [
            (Outcome::Wrong, Decider::Failed),
            (Outcome::Correct, Decider::Rule),
            (Outcome::Correct, Decider::Model)
        ]
    );
}

#[tokio::test]
async fn replies_that_say_nothing_plainly_are_no_verdict() {
    for reply in [
        "",
        "not true",
        "True. Or False.",
        "The answer is true",
        "Correct",
    ] {
        let endpoint = Endpoint::start(vec![Reply::Says(reply.to_owned())]);
        let judged = judge(settings(&endpoint, OnFailure::Stop)).await.unwrap();
        assert_eq!(
            told(&judged)[0],
            (Outcome::Wrong, Decider::Unclear),
            "{reply:?}"
        );
    }
}
