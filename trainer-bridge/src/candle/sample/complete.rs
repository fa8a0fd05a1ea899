//! From prompts as text to completions as text, and what was drawn between the two.

use std::collections::HashSet;

use crate::{
    TrainError,
    candle::{
        files::tokenizer::{Tokenizer, excerpt},
        model::Model,
        sample::{
            Sampler,
            rows::{Completion, Prompt, Seed},
        },
    },
};

/// A prompt and the seeds of the completions wanted for it.
pub struct Request<'a> {
    /// The prompt exactly as the model sees it.
    pub prompt: &'a str,
    /// One a completion.
    pub seeds: Vec<Seed>,
}

/// A prompt's tokens and its completions, each with its text.
pub struct Completed {
    /// Token ids of the prompt.
    pub prompt: Vec<u32>,
    /// In the seeds' order.
    pub completions: Vec<(Completion, String)>,
}

impl Sampler<'_> {
    /// Completes every request, in order.
    pub fn complete(&self, requests: Vec<Request<'_>>) -> Result<Vec<Completed>, TrainError> {
        let encode = |request: &Request<'_>| encode(self.model, self.tokenizer, request.prompt);
        let tokens: Vec<Vec<u32>> = requests.iter().map(encode).collect::<Result<_, _>>()?;
        let prompts: Vec<Prompt<'_>> = tokens
            .iter()
            .zip(requests)
            .map(|(tokens, request)| Prompt {
                tokens,
                seeds: request.seeds,
            })
            .collect();
        let drawn = self.sample(&prompts)?;
        let with_text = |completion: Completion| -> Result<(Completion, String), TrainError> {
            let text = self.tokenizer.decode(&completion.tokens);
            Ok((completion, text.map_err(TrainError::Host)?))
        };
        let completed = tokens.into_iter().zip(drawn).map(|(prompt, completions)| {
            let completions = completions.into_iter().map(with_text);
            Ok(Completed {
                prompt,
                completions: completions.collect::<Result<_, TrainError>>()?,
            })
        });
        completed.collect()
    }
}

/// Refuses prompts that cannot be put to the model, before a run has cost anything. Texts that come again are tried once.
pub fn check_prompts<'a>(
    model: &Model,
    tokenizer: &Tokenizer,
    prompts: impl Iterator<Item = &'a str>,
) -> Result<(), TrainError> {
    let mut seen = HashSet::new();
    for prompt in prompts.filter(|prompt| seen.insert(*prompt)) {
        encode(model, tokenizer, prompt)?;
    }
    Ok(())
}

fn encode(model: &Model, tokenizer: &Tokenizer, prompt: &str) -> Result<Vec<u32>, TrainError> {
    let tokens = tokenizer.encode_prompt(prompt).map_err(TrainError::Setup)?;
    let longest = model.rope().positions();
    if tokens.is_empty() || tokens.len() >= longest {
        let count = tokens.len();
        return Err(TrainError::Setup(format!(
            "the prompt {} has {count} tokens; this model takes 1 to {}",
            excerpt(prompt),
            longest - 1
        )));
    }
    Ok(tokens)
}
