//! Drawing completions: prompts prefilled once, a key-value cache, finished rows leave the batch.
//!
//! A row's arithmetic does not depend on the rows beside it: what is drawn depends on weights, prompt and seed alone, not on the batch, the
//! number of threads or the machine.

use rayon::prelude::*;

use crate::candle::{
    decoder::{
        cpu::{
            forward::Tape,
            pack_attention::{attend, rotate_rows},
        },
        pack::Pack,
    },
    files::tokenizer::Tokenizer,
    model::Model,
    sample::{
        cpu_cache::Cache,
        rows::{Completion, NotFinite, Prompt, Rows, Settings, portions, positions},
    },
};

/// Most rows decoded together.
const MAX_ROWS: usize = 128;
/// Bytes of keys and values that a processor keeps near while rows are decoded together.
const NEAR: usize = 1 << 20;
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
    let positions = positions(model, prompts, settings);
    let weights: usize = model.weights().iter().map(Vec::len).sum();
    // Every token reads the cache of its chunk and all weights: a cache that is near, or no larger than they are, is the lesser part.
    let most = NEAR.max(size_of::<f32>() * weights).min(MAX_CACHE);
    let per_chunk = rows
        .div_ceil(rayon::current_num_threads().max(1))
        .min(most / Cache::bytes_per_row(model, positions).max(1))
        .clamp(1, MAX_ROWS);
    let done: Vec<_> = portions(prompts, per_chunk)
        .par_iter()
        .map(|chunk| Sampler::new(model, tokenizer, chunk, settings).run())
        .collect::<Result<_, _>>()?;
    Ok(done.into_iter().flatten().collect())
}

struct Sampler<'a> {
    model: &'a Model,
    prompts: &'a [Prompt<'a>],
    tape: Tape,
    cache: Cache,
    rows: Rows<'a>,
}

impl<'a> Sampler<'a> {
    fn new(
        model: &'a Model,
        tokenizer: &'a Tokenizer,
        prompts: &'a [Prompt<'a>],
        settings: Settings,
    ) -> Self {
        let rows = Rows::new(model, tokenizer, prompts, settings);
        let cache = Cache::new(model, rows.len(), positions(model, prompts, settings));
        Self {
            model,
            prompts,
            tape: Tape::default(),
            cache,
            rows,
        }
    }

    fn run(mut self) -> Result<Vec<Vec<Completion>>, NotFinite> {
        let first = self.prefill();
        let mut predicting: Vec<u32> = self.rows.active().iter().map(|&row| first[row]).collect();
        while !predicting.is_empty() {
            self.tape.predict(self.model, &predicting);
            let drawn = self.rows.draw(&self.tape.logits)?;
            self.decode(&drawn.tokens);
            predicting = (0..drawn.tokens.len() as u32).collect();
        }
        Ok(self.rows.finish())
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
                for (row, prompt) in rows.prompts().enumerate() {
                    for (position, source) in pack.groups[prompt].prompt.clone().enumerate() {
                        cache.store(
                            layer,
                            row,
                            position,
                            &qkv[source * heads.qkv_width()..][..heads.qkv_width()],
                        );
                    }
                }
            });
        self.rows
            .prompts()
            .map(|prompt| pack.groups[prompt].prompt.end as u32 - 1)
            .collect()
    }

    /// Runs one new token of each active row.
    fn decode(&mut self, tokens: &[u32]) {
        let heads = self.model.architecture().heads();
        let positions = self.rows.positions();
        let (model, cache, active) = (self.model, &mut self.cache, self.rows.active());
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
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used)]
    use super::*;
    use crate::candle::{
        decoder::pack::Group, files::tokenizer::word_level, kernels::choose::Truncation,
        sample::rows::Seed, tests::small_models::small_model,
    };

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
