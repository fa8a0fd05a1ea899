//! The chat proposer as its tests ask it.

use evaluator::{Split, toy};
use orchestrator::proposer::{
    Background, Brief, Proposal, ProposeError, Proposer as _, Unkept,
    chat::{Chat, ChatConfig, Key},
};

use super::Endpoint;

/// The key it is given; nothing may ever show it.
pub const SECRET: &str = "sk-test-0123456789";

/// Settings that let it give up soon, with prices.
pub fn config(endpoint: &Endpoint) -> ChatConfig {
    ChatConfig {
        base_url: endpoint.base_url(),
        model: "test-model".to_owned(),
        backoff_ms: 10,
        timeout_s: 20,
        max_retries: 3,
        price_per_million_prompt_tokens: Some(1.0),
        price_per_million_completion_tokens: Some(5.0),
        ..ChatConfig::default()
    }
}

/// Asks for four drafts.
pub async fn ask(config: ChatConfig) -> Result<Proposal, ProposeError> {
    let chat = Chat::new(config, Some(Key::new(SECRET).unwrap()))?;
    assert!(!format!("{chat:?}").contains(SECRET));
    let problems = toy::problems(Split::Train, 3, 1);
    let brief = Brief {
        round: 1,
        count: 4,
        seed: 11,
        history: &[],
        problems: &problems,
        format_hint: "Answers stand in <solution> tags.",
        background: Background::NONE,
    };
    chat.propose(brief, &Unkept).await
}

/// The names of the drafts, in order.
pub fn names(proposal: &Proposal) -> Vec<&str> {
    proposal
        .drafts
        .iter()
        .map(|draft| draft.name.as_str())
        .collect()
}
