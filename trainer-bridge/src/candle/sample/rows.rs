//! The rows of a batch of completions being drawn: each one's noise, tokens and end. What computes the logits is not its business.
//!
//! Every completion has a generator of its own, so what is drawn from given logits depends on its seed alone, not on the rows beside it.

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;

use crate::candle::{
    files::tokenizer::Tokenizer,
    kernels::choose::{Choice, Truncation, choose_rows},
    model::Model,
};
use crate::{SamplingConfig, TrainError};

/// Seed of one completion.
pub type Seed = [u8; 32];

/// A prompt and the seeds of the completions wanted for it.
pub struct Prompt<'a> {
    /// Its tokens, at least one.
    pub tokens: &'a [u32],
    /// One a completion.
    pub seeds: Vec<Seed>,
}

/// How to draw.
#[derive(Debug, Clone, Copy)]
pub struct Settings {
    /// 0 is greedy.
    pub temperature: f64,
    /// Which tokens can be drawn.
    pub truncation: Truncation,
    /// Longest completion, tokens.
    pub max_length: usize,
}

impl From<&SamplingConfig> for Settings {
    fn from(config: &SamplingConfig) -> Self {
        Self {
            temperature: config.temperature,
            truncation: Truncation::new(config.top_k, config.top_p, config.min_p),
            max_length: config.max_completion_length,
        }
    }
}

/// A drawn completion.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Completion {
    /// Its tokens, the one that ended it included.
    pub tokens: Vec<u32>,
    /// Whether it ended by itself, not at the length limit.
    pub finished: bool,
    /// Log-probability of each token at the temperature, over all tokens: what training computes, whatever was left out in drawing.
    pub log_probs: Vec<f32>,
    /// Sum over tokens of the entropy of the same distribution, nats.
    pub entropy: f64,
}

/// The distribution of a next token was not finite.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotFinite;

impl NotFinite {
    /// The failure of a run at a step.
    pub fn at(self, step: u32) -> TrainError {
        TrainError::NonFinite {
            what: "the probability of a next token",
            step,
        }
    }
}

/// Splits prompts into runs of whole prompts with at most so many completions; a prompt that has more stays alone.
pub fn portions<'a, 'p>(prompts: &'a [Prompt<'p>], most: usize) -> Vec<&'a [Prompt<'p>]> {
    let mut portions = Vec::new();
    let (mut start, mut filled) = (0, 0);
    for (i, prompt) in prompts.iter().enumerate() {
        if i > start && filled + prompt.seeds.len() > most {
            portions.push(&prompts[start..i]);
            (start, filled) = (i, 0);
        }
        filled += prompt.seeds.len();
    }
    if start < prompts.len() {
        portions.push(&prompts[start..]);
    }
    portions
}

/// The longest of the prompts, tokens.
pub fn longest(prompts: &[Prompt<'_>]) -> usize {
    let lengths = prompts.iter().map(|prompt| prompt.tokens.len());
    lengths.max().unwrap_or(0)
}

/// Places for tokens that a row may need.
pub fn positions(model: &Model, prompts: &[Prompt<'_>], settings: Settings) -> usize {
    let wanted = longest(prompts).saturating_add(settings.max_length);
    wanted.min(model.rope().positions())
}

/// One row of the batch.
struct Row {
    prompt: usize,
    limit: usize,
    rng: ChaCha8Rng,
    completion: Completion,
}

/// The rows of a batch: one a completion, prompt after prompt.
pub struct Rows<'a> {
    prompts: &'a [Prompt<'a>],
    tokenizer: &'a Tokenizer,
    settings: Settings,
    rows: Vec<Row>,
    active: Vec<usize>,
}

/// What a draw leaves to go on with, a value for each row that is still active.
pub struct NextTokens {
    /// The token just drawn.
    pub tokens: Vec<u32>,
    /// The row's place among those that were active before.
    pub places: Vec<usize>,
}

/// From so many logits on, they are gone through on several threads.
const MANY_LOGITS: usize = 1 << 18;

impl<'a> Rows<'a> {
    /// The rows of prompts of which nothing is drawn yet.
    pub fn new(
        model: &Model,
        tokenizer: &'a Tokenizer,
        prompts: &'a [Prompt<'a>],
        settings: Settings,
    ) -> Self {
        let mut rows = Vec::new();
        for (index, prompt) in prompts.iter().enumerate() {
            let room = model.rope().positions().saturating_sub(prompt.tokens.len());
            rows.extend(prompt.seeds.iter().map(|seed| Row {
                prompt: index,
                limit: settings.max_length.min(room),
                rng: ChaCha8Rng::from_seed(*seed),
                completion: Completion::default(),
            }));
        }
        let active = (0..rows.len()).filter(|&row| rows[row].limit > 0).collect();
        Self {
            prompts,
            tokenizer,
            settings,
            rows,
            active,
        }
    }

    /// How many there are, finished ones included.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// The index of every row's prompt.
    pub fn prompts(&self) -> impl Iterator<Item = usize> + '_ {
        self.rows.iter().map(|row| row.prompt)
    }

    /// The rows that go on, in order.
    pub fn active(&self) -> &[usize] {
        &self.active
    }

    /// The position of each active row's last token.
    pub fn positions(&self) -> Vec<u32> {
        let position = |&row: &usize| {
            let row = &self.rows[row];
            (self.prompts[row.prompt].tokens.len() + row.completion.tokens.len() - 1) as u32
        };
        self.active.iter().map(position).collect()
    }

    /// Draws the next token of every active row from its logits.
    pub fn draw(&mut self, logits: &[f32]) -> Result<NextTokens, NotFinite> {
        let choices = self.choices(logits);
        let mut drawn = NextTokens {
            tokens: Vec::with_capacity(choices.len()),
            places: Vec::with_capacity(choices.len()),
        };
        let mut active = Vec::with_capacity(choices.len());
        for (place, (&index, choice)) in self.active.iter().zip(choices).enumerate() {
            if !choice.log_prob.is_finite() {
                return Err(NotFinite);
            }
            let row = &mut self.rows[index];
            let completion = &mut row.completion;
            completion.tokens.push(choice.token);
            completion.log_probs.push(choice.log_prob);
            completion.entropy += f64::from(choice.entropy);
            completion.finished =
                self.tokenizer.ends(choice.token) || self.tokenizer.stops(&completion.tokens);
            if !completion.finished && completion.tokens.len() < row.limit {
                drawn.tokens.push(choice.token);
                drawn.places.push(place);
                active.push(index);
            }
        }
        self.active = active;
        Ok(drawn)
    }

    fn choices(&mut self, logits: &[f32]) -> Vec<Choice> {
        let count = self.active.len();
        let rows = &mut self.rows;
        let next = |&row: &usize| uniform(&mut rows[row].rng);
        let uniforms: Vec<f64> = self.active.iter().map(next).collect();
        let mut choices = vec![Choice::default(); count];
        let threads = match logits.len() {
            0..MANY_LOGITS => 1,
            _ => rayon::current_num_threads(),
        };
        let share = count.div_ceil(threads).max(1);
        let Settings {
            temperature,
            truncation,
            ..
        } = self.settings;
        choices
            .par_chunks_mut(share)
            .zip(uniforms.par_chunks(share))
            .zip(logits.par_chunks(share * (logits.len() / count.max(1)).max(1)))
            .for_each(|((choices, uniforms), logits)| {
                choose_rows(logits, temperature as f32, truncation, uniforms, choices);
            });
        choices
    }

    /// The completions of every prompt, in order.
    pub fn finish(self) -> Vec<Vec<Completion>> {
        let mut done: Vec<Vec<Completion>> = self.prompts.iter().map(|_| Vec::new()).collect();
        for row in self.rows {
            done[row.prompt].push(row.completion);
        }
        done
    }
}

/// Uniform in [0, 1) with the 53 bits an f64 holds.
fn uniform(rng: &mut ChaCha8Rng) -> f64 {
    (rng.next_u64() >> 11) as f64 / (1_u64 << 53) as f64
}
