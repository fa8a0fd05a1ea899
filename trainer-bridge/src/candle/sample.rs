//! Drawing completions: prompts prefilled once, a key-value cache, finished rows leave the batch.
//!
//! Every completion has a generator of its own, and a row's arithmetic does not depend on the rows beside it: what is drawn depends on
//! weights, prompt and seed alone, not on the batch, the number of threads or the machine.

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;

use super::{
    cache::Cache,
    forward::Tape,
    kernels::{
        choose::{Choice, Truncation, choose_rows},
        pack_attention::{attend, rotate_rows},
    },
    model::Model,
    pack::Pack,
    tokenizer::Tokenizer,
};
use crate::SamplingConfig;

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
#[derive(Debug, Clone, PartialEq)]
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

/// Most rows decoded together: more would push the cache out of the processor's.
const MAX_ROWS: usize = 128;
/// Most bytes a cache may take, unless a single prompt's completions need more.
pub const MAX_CACHE: usize = 4 << 30;

/// Draws the completions of every prompt, in order.
pub fn sample(
    model: &Model,
    tokenizer: &Tokenizer,
    prompts: &[Prompt<'_>],
    settings: Settings,
) -> Result<Vec<Vec<Completion>>, NotFinite> {
    let rows: usize = prompts.iter().map(|prompt| prompt.seeds.len()).sum();
    let longest = prompts.iter().map(|prompt| prompt.tokens.len()).max();
    let positions = positions(model, longest.unwrap_or(0), settings);
    let fitting = MAX_CACHE / Cache::bytes_per_row(model, positions).max(1);
    let per_chunk = rows
        .div_ceil(rayon::current_num_threads().max(1))
        .min(fitting)
        .clamp(1, MAX_ROWS);
    let mut chunks = Vec::new();
    let (mut start, mut filled) = (0, 0);
    for (i, prompt) in prompts.iter().enumerate() {
        if i > start && filled + prompt.seeds.len() > per_chunk {
            chunks.push(&prompts[start..i]);
            (start, filled) = (i, 0);
        }
        filled += prompt.seeds.len();
    }
    if start < prompts.len() {
        chunks.push(&prompts[start..]);
    }
    let done: Vec<_> = chunks
        .par_iter()
        .map(|chunk| Sampler::new(model, tokenizer, chunk, settings).run())
        .collect::<Result<_, _>>()?;
    Ok(done.into_iter().flatten().collect())
}

/// Places for tokens that a row may need.
fn positions(model: &Model, longest_prompt: usize, settings: Settings) -> usize {
    let wanted = longest_prompt.saturating_add(settings.max_length);
    wanted.min(model.rope().positions())
}

/// One row of the batch.
struct Row {
    prompt: usize,
    position: usize,
    limit: usize,
    rng: ChaCha8Rng,
    completion: Completion,
}

struct Sampler<'a> {
    model: &'a Model,
    tokenizer: &'a Tokenizer,
    prompts: &'a [Prompt<'a>],
    settings: Settings,
    tape: Tape,
    cache: Cache,
    rows: Vec<Row>,
}

impl<'a> Sampler<'a> {
    fn new(
        model: &'a Model,
        tokenizer: &'a Tokenizer,
        prompts: &'a [Prompt<'a>],
        settings: Settings,
    ) -> Self {
        let longest = prompts
            .iter()
            .map(|prompt| prompt.tokens.len())
            .max()
            .unwrap_or(0);
        let rows: Vec<Row> = prompts
            .iter()
            .enumerate()
            .flat_map(|(index, prompt)| {
                let position = prompt.tokens.len();
                let room = model.rope().positions().saturating_sub(position);
                prompt.seeds.iter().map(move |seed| Row {
                    prompt: index,
                    position,
                    limit: settings.max_length.min(room),
                    rng: ChaCha8Rng::from_seed(*seed),
                    completion: Completion {
                        tokens: Vec::new(),
                        finished: false,
                        log_probs: Vec::new(),
                        entropy: 0.0,
                    },
                })
            })
            .collect();
        let cache = Cache::new(model, rows.len(), positions(model, longest, settings));
        Self {
            model,
            tokenizer,
            prompts,
            settings,
            tape: Tape::default(),
            cache,
            rows,
        }
    }

    fn run(mut self) -> Result<Vec<Vec<Completion>>, NotFinite> {
        let mut predicting = self.prefill();
        let mut active: Vec<usize> = (0..self.rows.len())
            .filter(|&row| self.rows[row].limit > 0)
            .collect();
        predicting = active.iter().map(|&row| predicting[row]).collect();
        let mut choices = Vec::new();
        let mut uniforms = Vec::new();
        while !active.is_empty() {
            self.tape.predict(self.model, &predicting);
            uniforms.clear();
            uniforms.extend(active.iter().map(|&row| uniform(&mut self.rows[row].rng)));
            choices.resize(active.len(), Choice::default());
            choose_rows(
                &self.tape.logits,
                self.settings.temperature as f32,
                self.settings.truncation,
                &uniforms,
                &mut choices,
            );
            let mut tokens = Vec::with_capacity(active.len());
            let mut next = Vec::with_capacity(active.len());
            for (&index, choice) in active.iter().zip(&choices) {
                if !choice.log_prob.is_finite() {
                    return Err(NotFinite);
                }
                let row = &mut self.rows[index];
                row.completion.tokens.push(choice.token);
                row.completion.log_probs.push(choice.log_prob);
                row.completion.entropy += f64::from(choice.entropy);
                row.completion.finished = self.tokenizer.ends(choice.token)
                    || self.tokenizer.stops(&row.completion.tokens);
                if !row.completion.finished && row.completion.tokens.len() < row.limit {
                    tokens.push(choice.token);
                    next.push(index);
                }
            }
            active = next;
            self.decode(&tokens, &active);
            predicting = (0..active.len() as u32).collect();
        }
        let mut done: Vec<Vec<Completion>> = self.prompts.iter().map(|_| Vec::new()).collect();
        for row in self.rows {
            done[row.prompt].push(row.completion);
        }
        Ok(done)
    }

    /// Runs every prompt once and hands its keys and values to each of its rows. Returns, for each row, the hidden row that predicts
    /// its first token.
    fn prefill(&mut self) -> Vec<u32> {
        let heads = self.model.architecture().heads();
        let tokens: Vec<&[u32]> = self.prompts.iter().map(|prompt| prompt.tokens).collect();
        let pack = Pack::prompts(&tokens);
        let (model, cache, rows) = (self.model, &mut self.cache, &self.rows);
        self.tape
            .run(model, &pack.tokens, |layer, qkv, attended, gathered| {
                rotate_rows(heads, model.rope(), &pack.positions, 1.0, qkv);
                attend(heads, &pack, qkv, gathered, attended);
                for (index, row) in rows.iter().enumerate() {
                    for (position, source) in pack.groups[row.prompt].prompt.clone().enumerate() {
                        cache.store(
                            layer,
                            index,
                            position,
                            &qkv[source * heads.qkv_width()..][..heads.qkv_width()],
                        );
                    }
                }
            });
        self.rows
            .iter()
            .map(|row| pack.groups[row.prompt].prompt.end as u32 - 1)
            .collect()
    }

    /// Runs one new token of each active row.
    fn decode(&mut self, tokens: &[u32], active: &[usize]) {
        let heads = self.model.architecture().heads();
        let positions: Vec<u32> = active
            .iter()
            .map(|&row| self.rows[row].position as u32)
            .collect();
        let (model, cache) = (self.model, &mut self.cache);
        self.tape.run(model, tokens, |layer, qkv, attended, _| {
            rotate_rows(heads, model.rope(), &positions, 1.0, qkv);
            for ((&row, &position), qkv) in active
                .iter()
                .zip(&positions)
                .zip(qkv.chunks_exact(heads.qkv_width()))
            {
                cache.store(layer, row, position as usize, qkv);
            }
            cache.attend(layer, active, &positions, qkv, attended);
        });
        for &row in active {
            self.rows[row].position += 1;
        }
    }
}

/// Uniform in [0, 1) with the 53 bits an f64 holds.
fn uniform(rng: &mut ChaCha8Rng) -> f64 {
    (rng.next_u64() >> 11) as f64 / (1_u64 << 53) as f64
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used)]
    use super::super::{pack::Group, reference::small_model, tokenizer::word_level};
    use super::*;

    fn tokenizer() -> Tokenizer {
        Tokenizer::parse(word_level(["a"].into_iter()).as_bytes(), vec![1]).unwrap()
    }

    fn seeds(range: std::ops::Range<u8>) -> Vec<Seed> {
        range.map(|i| [i; 32]).collect()
    }

    #[test]
    fn what_is_drawn_has_the_log_probs_of_the_training_path() {
        let model = small_model(true);
        for temperature in [1.0, 0.6] {
            let prompts = [
                Prompt {
                    tokens: &[4, 5, 6, 7, 8],
                    seeds: seeds(0..6),
                },
                Prompt {
                    tokens: &[9, 3],
                    seeds: seeds(6..9),
                },
            ];
            let settings = Settings {
                temperature,
                truncation: Truncation::NONE,
                max_length: 30,
            };
            let drawn = sample(&model, &tokenizer(), &prompts, settings).unwrap();
            let lengths: Vec<usize> = drawn.iter().flatten().map(|c| c.tokens.len()).collect();
            assert!(
                lengths.iter().any(|&l| l < 30),
                "some row must leave the batch early: {lengths:?}"
            );
            for (prompt, completions) in prompts.iter().zip(&drawn) {
                let tokens: Vec<&[u32]> = completions.iter().map(|c| c.tokens.as_slice()).collect();
                let pack = Pack::new(&[Group {
                    prompt: prompt.tokens,
                    completions: &tokens,
                }]);
                let trained = Tape::default()
                    .log_probs(&model, &pack, temperature)
                    .to_vec();
                let sampled: Vec<f32> = completions
                    .iter()
                    .flat_map(|c| c.log_probs.clone())
                    .collect();
                assert!(
                    trained
                        .iter()
                        .zip(&sampled)
                        .all(|(t, s)| (t - s).abs() < 1e-5)
                );
            }
        }
    }

    #[test]
    fn a_completion_does_not_depend_on_its_company() {
        let model = small_model(false);
        let settings = Settings {
            temperature: 1.0,
            truncation: Truncation::NONE,
            max_length: 20,
        };
        let draw =
            |prompts: &[Prompt<'_>]| sample(&model, &tokenizer(), prompts, settings).unwrap();
        let crowd = draw(&[
            Prompt {
                tokens: &[9, 3, 2],
                seeds: seeds(10..60),
            },
            Prompt {
                tokens: &[4, 5, 6, 7, 8],
                seeds: seeds(0..4),
            },
        ]);
        let alone = draw(&[Prompt {
            tokens: &[4, 5, 6, 7, 8],
            seeds: seeds(2..3),
        }]);
        assert_eq!(crowd[1][2], alone[0][0], "equal to the bit");
        assert_ne!(crowd[1][2].tokens, crowd[1][3].tokens);
    }

    #[test]
    fn a_sequence_never_outgrows_the_model() {
        let model = small_model(true);
        let prompt: Vec<u32> = (0..60).map(|i| 2 + i % 20).collect();
        let prompts = [Prompt {
            tokens: &prompt,
            seeds: seeds(0..3),
        }];
        let drawn = sample(
            &model,
            &tokenizer(),
            &prompts,
            Settings {
                temperature: 1.0,
                truncation: Truncation::NONE,
                max_length: 50,
            },
        )
        .unwrap();
        assert!(
            drawn[0]
                .iter()
                .all(|completion| completion.tokens.len() <= 4)
        );
    }

    #[test]
    fn weights_that_are_no_numbers_are_an_error() {
        let mut model = small_model(true);
        model.update(|parameters| parameters[3][0] = f32::NAN);
        let prompts = [Prompt {
            tokens: &[4, 5],
            seeds: seeds(0..1),
        }];
        assert_eq!(
            sample(
                &model,
                &tokenizer(),
                &prompts,
                Settings {
                    temperature: 1.0,
                    truncation: Truncation::NONE,
                    max_length: 5
                }
            ),
            Err(NotFinite)
        );
    }
}
