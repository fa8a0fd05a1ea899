//! Verification with a model: what it is asked, what it is not asked, how its replies are read, and who decided.
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stderr, missing_docs)]

mod endpoint;
mod program;

use std::collections::BTreeMap;

use endpoint::{Endpoint, Reply};
use evaluator::{Answer, ExtractionConfig, Outcome};
use orchestrator::{
    domain::decider::{Decider, Tally},
    judge::{Given, Judge, Judgement, Mode, ModelConfig, Question, VerifierConfig, VerifierError},
    store::Store,
};
use program::data;
use serde_json::Value;

fn says(text: &str) -> Reply {
    Reply::Says(text.to_owned())
}

fn settings(endpoint: &Endpoint) -> ModelConfig {
    ModelConfig {
        base_url: endpoint.base_url(),
        model: "judge".to_owned(),
        backoff_ms: 5,
        max_retries: 1,
        concurrency: 1,
        ..ModelConfig::default()
    }
}

fn verifier(config: VerifierConfig) -> Judge {
    let rule = evaluator::RuleVerifier::new(ExtractionConfig::flexible());
    Judge::new(&config, rule).unwrap()
}

/// Judges completions against references; every question is "Why?".
async fn judge(verifier: &Judge, pairs: &[(&str, &str)]) -> Result<Vec<Judgement>, VerifierError> {
    let references: Vec<Answer> = pairs.iter().map(|(_, r)| Answer::new(r)).collect();
    let questions: Vec<Question<'_>> = pairs
        .iter()
        .zip(&references)
        .map(|((completion, _), reference)| Question {
            row: "",
            question: "Why?",
            reference,
            given: Given::Completion(completion),
        })
        .collect();
    verifier.judge(&questions).await
}

fn deciders(judgements: &[Judgement]) -> Vec<Decider> {
    judgements
        .iter()
        .map(|judgement| judgement.decider)
        .collect()
}

fn outcomes(judgements: &[Judgement]) -> Vec<Outcome> {
    judgements
        .iter()
        .map(|judgement| judgement.outcome)
        .collect()
}

fn asked(endpoint: &Endpoint) -> Vec<Value> {
    endpoint.requests().iter().map(|r| r.json()).collect()
}

const TEXT: (&str, &str) = (r"\boxed{the red one}", "red");

#[tokio::test]
async fn the_prompts_are_sent_as_written_down() {
    let endpoint = Endpoint::start(vec![
        says("True"),
        says("[Incorrect]"),
        says("Verdict: correct"),
    ]);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("prompt.md");
    std::fs::write(
        &file,
        "Q {question} R {reference} A {answer} C {completion}\n",
    )
    .unwrap();
    let own = ModelConfig {
        prompt_file: Some(file),
        temperature: 0.25,
        max_tokens: Some(7),
        ..settings(&endpoint)
    };
    for config in [
        VerifierConfig::Tinyv(settings(&endpoint)),
        VerifierConfig::Xverify(settings(&endpoint)),
        VerifierConfig::Llm(own),
    ] {
        judge(&verifier(config), &[TEXT]).await.unwrap();
    }
    let asked = asked(&endpoint);
    let contents: Vec<&str> = asked
        .iter()
        .map(|body| {
            assert_eq!(body["messages"].as_array().unwrap().len(), 1);
            body["messages"][0]["content"].as_str().unwrap()
        })
        .collect();
    assert!(
        contents[0].ends_with(
            "<question>Why?</question>\n\n<ground_truth_answer>red</ground_truth_answer>\n\n\
             <model_answer>the red one</model_answer>\n\n\
             Return \"True\" if the model's answer is correct, otherwise return \"False\"."
        ),
        "{}",
        contents[0]
    );
    assert!(
        contents[1].ends_with(
            "Question: \"\"\"Why?\"\"\"\n\nOutput sentence: \"\"\"\\boxed{the red one}\"\"\"\n\n\
             Correct answer: red\n\nJudgement:"
        ),
        "{}",
        contents[1]
    );
    assert_eq!(
        contents[2],
        r"Q Why? R red A the red one C \boxed{the red one}"
    );
    let settings = |body: &Value| {
        (
            body["model"].clone(),
            body["temperature"].as_f64().unwrap(),
            body["max_tokens"].as_u64().unwrap(),
        )
    };
    assert_eq!(settings(&asked[0]), ("judge".into(), 0.0, 16));
    assert_eq!(settings(&asked[2]), ("judge".into(), 0.25, 7));
}

#[tokio::test]
async fn an_add_on_is_asked_only_where_the_rule_says_no_and_no_guard_holds() {
    let endpoint = Endpoint::start(vec![says("True"), says("False"), says("not true")]);
    let verifier = verifier(VerifierConfig::Tinyv(settings(&endpoint)));
    let judged = judge(
        &verifier,
        &[
            ("so 18", "18"),
            ("so 19", "18"),
            ("", "18"),
            TEXT,
            (r"\boxed{blue}", "red"),
            (r"\boxed{green}", "red"),
        ],
    )
    .await
    .unwrap();
    use Decider::{GuardEmpty, GuardNumbers, Model, Rule, Unclear};
    use Outcome::{Correct, NoAnswer, Wrong};
    assert_eq!(
        deciders(&judged),
        [Rule, GuardNumbers, GuardEmpty, Model, Model, Unclear]
    );
    assert_eq!(
        outcomes(&judged),
        [Correct, Wrong, NoAnswer, Correct, Wrong, Wrong],
        "`not true` is not true"
    );
    assert_eq!(endpoint.requests().len(), 3);
    let tally = verifier.tally().unwrap();
    assert_eq!((tally.rule, tally.asked, tally.unclear), (1, 2, 1));
}

#[tokio::test]
async fn alone_it_can_overrule_the_rule_and_guards_can_be_off() {
    let endpoint = Endpoint::start(vec![says("Incorrect"), says("Correct")]);
    let alone = ModelConfig {
        guard_empty: false,
        guard_numbers: false,
        guard_number_reference: false,
        ..settings(&endpoint)
    };
    let judged = judge(
        &verifier(VerifierConfig::Xverify(alone)),
        &[("so 18", "18"), ("", "18")],
    )
    .await
    .unwrap();
    assert_eq!(outcomes(&judged), [Outcome::Wrong, Outcome::Correct]);
    assert_eq!(deciders(&judged), [Decider::Model, Decider::Model]);

    let endpoint = Endpoint::start(vec![says("Incorrect")]);
    let guarded = verifier(VerifierConfig::Xverify(settings(&endpoint)));
    let judged = judge(&guarded, &[("so 18", "18"), TEXT]).await.unwrap();
    assert_eq!(outcomes(&judged), [Outcome::Correct, Outcome::Wrong]);

    let endpoint = Endpoint::start(vec![says("False")]);
    let mode = ModelConfig {
        mode: Some(Mode::Alone),
        ..settings(&endpoint)
    };
    let same_text = (r"\boxed{red}", "red");
    let judged = judge(&verifier(VerifierConfig::Tinyv(mode)), &[same_text]).await;
    assert_eq!(outcomes(&judged.unwrap()), [Outcome::Wrong]);
}

#[tokio::test]
async fn a_question_is_asked_once_and_remembered_with_all_that_matters() {
    let folder = tempfile::tempdir().unwrap();
    let (store, _lock) = Store::create_or_open(&folder.path().join("v.db"))
        .await
        .unwrap();
    let endpoint = Endpoint::start(vec![says("True"), says("perhaps"), says("False")]);
    let config = settings(&endpoint);
    let with = async |config: ModelConfig| {
        let verifier = verifier(VerifierConfig::Tinyv(config));
        verifier.remembering(store.clone()).await.unwrap()
    };
    let other = (r"\boxed{blue}", "red");
    let first = judge(&with(config.clone()).await, &[TEXT, TEXT, other])
        .await
        .unwrap();
    assert_eq!(
        deciders(&first),
        [Decider::Model, Decider::Model, Decider::Unclear]
    );
    assert_eq!(
        endpoint.requests().len(),
        2,
        "the same question is asked once"
    );

    let again = judge(&with(config.clone()).await, &[other, TEXT])
        .await
        .unwrap();
    assert_eq!(
        endpoint.requests().len(),
        2,
        "an unclear reply is remembered, too"
    );
    assert_eq!(deciders(&again), [Decider::Unclear, Decider::Cache]);
    assert_eq!(again[1].outcome, first[0].outcome);

    // Another temperature is another question, and so are another model and another kind.
    let warm = ModelConfig {
        temperature: 0.5,
        ..config.clone()
    };
    let judged = judge(&with(warm).await, &[TEXT]).await.unwrap();
    assert_eq!(outcomes(&judged), [Outcome::Wrong]);
    let renamed = ModelConfig {
        model: "another".to_owned(),
        ..config.clone()
    };
    judge(&with(renamed).await, &[TEXT]).await.unwrap();
    assert_eq!(endpoint.requests().len(), 4);
    // Where it stands and how patiently it is asked is not.
    let elsewhere = ModelConfig {
        base_url: "http://127.0.0.1:1/v1".to_owned(),
        timeout_s: 1,
        ..config
    };
    let judged = judge(&with(elsewhere).await, &[TEXT]).await.unwrap();
    assert_eq!(deciders(&judged), [Decider::Cache]);
}

#[tokio::test]
async fn the_limits_hold_across_sittings() {
    let folder = tempfile::tempdir().unwrap();
    let (store, _lock) = Store::create_or_open(&folder.path().join("v.db"))
        .await
        .unwrap();
    let endpoint = Endpoint::start(vec![says("False")]);
    let answers = ["a", "b", "c", "d"].map(|word| format!(r"\boxed{{the {word}}}"));
    let pairs: Vec<(&str, &str)> = answers.iter().map(|a| (a.as_str(), "red")).collect();
    // 1000 prompt tokens at a dollar a million: a tenth of a cent a verdict.
    let config = ModelConfig {
        max_requests: Some(2),
        price_per_million_prompt_tokens: Some(1.0),
        ..settings(&endpoint)
    };
    let with = async |config: &ModelConfig| {
        let verifier = verifier(VerifierConfig::Tinyv(config.clone()));
        verifier.remembering(store.clone()).await.unwrap()
    };
    for repeated in [Decider::Model, Decider::Cache] {
        let judged = judge(&with(&config).await, &pairs).await.unwrap();
        assert_eq!(
            deciders(&judged),
            [repeated, repeated, Decider::OverBudget, Decider::OverBudget]
        );
        assert_eq!(endpoint.requests().len(), 2);
    }
    let costly = ModelConfig {
        max_requests: None,
        max_cost_usd: Some(0.0025),
        ..config.clone()
    };
    let judged = judge(&with(&costly).await, &pairs).await.unwrap();
    assert_eq!(judged[2].decider, Decider::Model, "0.2 cents are spent");
    assert_eq!(judged[3].decider, Decider::OverBudget, "0.3 cents are");
    let stop = ModelConfig {
        on_failure: orchestrator::judge::OnFailure::Stop,
        ..config
    };
    let why = judge(&with(&stop).await, &pairs)
        .await
        .unwrap_err()
        .to_string();
    assert!(why.contains("verifier.max_requests"), "{why}");
}

#[test]
fn settings_that_cannot_work_are_refused() {
    let endpoint = Endpoint::start(vec![says("True")]);
    let rule = || evaluator::RuleVerifier::new(ExtractionConfig::flexible());
    for (config, why) in [
        (ModelConfig::default(), "verifier.base_url"),
        (
            ModelConfig {
                api_key_env: Some("REWARD_SEARCH_NO_SUCH_KEY".to_owned()),
                ..settings(&endpoint)
            },
            "REWARD_SEARCH_NO_SUCH_KEY is not set",
        ),
        (
            ModelConfig {
                prompt_file: Some("no/such.md".into()),
                ..settings(&endpoint)
            },
            "verifier.prompt_file",
        ),
    ] {
        let told = Judge::new(&VerifierConfig::Tinyv(config), rule()).unwrap_err();
        assert!(told.to_string().contains(why), "{told}");
    }
    assert!(endpoint.requests().is_empty());
}

#[derive(serde::Deserialize)]
struct Hack {
    pattern: String,
    question: String,
    reference: String,
    response: String,
}

/// Judges the hacks with a model that accepts everything; every verdict with its hack's pattern.
async fn judge_hacks(hacks: &[Hack], guards: ModelConfig) -> Vec<(&str, Judgement)> {
    let references: Vec<Answer> = hacks
        .iter()
        .map(|hack| Answer::new(&hack.reference))
        .collect();
    let questions: Vec<Question<'_>> = hacks
        .iter()
        .zip(&references)
        .map(|(hack, reference)| Question {
            row: "",
            question: &hack.question,
            reference,
            given: Given::Completion(&hack.response),
        })
        .collect();
    let endpoint = Endpoint::start(vec![says("True")]);
    let config = ModelConfig {
        concurrency: 8,
        base_url: endpoint.base_url(),
        ..guards
    };
    let judged = verifier(VerifierConfig::Tinyv(config))
        .judge(&questions)
        .await
        .unwrap();
    let tally = Tally::of(judged.iter().map(|judgement| judgement.decider));
    eprintln!("{} hacks, {tally}: {tally:?}", hacks.len());
    hacks
        .iter()
        .map(|hack| hack.pattern.as_str())
        .zip(judged)
        .collect()
}

/// How many of each pattern were accepted.
fn accepted<'a>(judged: &[(&'a str, Judgement)]) -> BTreeMap<&'a str, usize> {
    let mut accepted = BTreeMap::new();
    for (pattern, judgement) in judged {
        if judgement.outcome == Outcome::Correct {
            *accepted.entry(*pattern).or_insert(0) += 1;
        }
    }
    accepted
}

#[tokio::test(flavor = "multi_thread")]
async fn no_hack_gets_through_to_a_model_that_accepts_everything() {
    let Some(data) = data() else { return };
    let text = std::fs::read_to_string(data.join("verification/hacking.jsonl")).unwrap();
    let hacks: Vec<Hack> = text
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(hacks.len(), 4440);
    let config = ModelConfig {
        model: "gullible".to_owned(),
        ..ModelConfig::default()
    };
    let judged = judge_hacks(&hacks, config.clone()).await;
    assert_eq!(accepted(&judged), BTreeMap::new());

    // With the two published guards alone: what they hold, and what they let through to the model.
    let published = ModelConfig {
        guard_number_reference: false,
        ..config.clone()
    };
    let judged = judge_hacks(&hacks, published).await;
    eprintln!(
        "accepted with the two published guards: {:?}",
        accepted(&judged)
    );
    for (pattern, judgement) in &judged {
        let guarded = matches!(
            judgement.decider,
            Decider::GuardEmpty | Decider::GuardNumbers
        );
        assert!(
            !guarded || judgement.outcome != Outcome::Correct,
            "{pattern}"
        );
    }
    let count = |decider| judged.iter().filter(|(_, j)| j.decider == decider).count();
    assert!(count(Decider::GuardEmpty) > 0 && count(Decider::GuardNumbers) > 0);

    // Without any guard it accepts whatever the rule refuses: the guards are what holds.
    let none = ModelConfig {
        guard_empty: false,
        guard_numbers: false,
        guard_number_reference: false,
        ..config
    };
    let judged = judge_hacks(&hacks, none).await;
    assert_eq!(accepted(&judged).values().sum::<usize>(), 4440);
}
