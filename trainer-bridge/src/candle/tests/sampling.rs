//! Drawing completions on the processor.
#![expect(clippy::unwrap_used)]

use crate::candle::{
    decoder::pack::Group,
    files::tokenizer::{Tokenizer, word_level},
    kernels::choose::Truncation,
    model::Model,
    sample::{
        cpu::sample,
        rows::{Completion, NotFinite, Prompt, Seed, Settings},
    },
    tests::small_models::{engine, log_probs, small_model},
};

fn tokenizer() -> Tokenizer {
    Tokenizer::parse(word_level(["a"].into_iter()).as_bytes(), vec![1]).unwrap()
}

fn draw(
    model: &Model,
    prompts: &[Prompt<'_>],
    settings: Settings,
) -> Result<Vec<Vec<Completion>>, NotFinite> {
    sample(
        &engine(model).weights(model),
        &tokenizer(),
        prompts,
        settings,
    )
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
        let drawn = draw(&model, &prompts, settings).unwrap();
        let lengths: Vec<usize> = drawn.iter().flatten().map(|c| c.tokens.len()).collect();
        assert!(
            lengths.iter().any(|&l| l < 30),
            "some row must leave the batch early: {lengths:?}"
        );
        for (prompt, completions) in prompts.iter().zip(&drawn) {
            let tokens: Vec<&[u32]> = completions.iter().map(|c| c.tokens.as_slice()).collect();
            let groups = [Group {
                prompt: prompt.tokens,
                completions: &tokens,
            }];
            let trained = log_probs(&model, &groups, temperature);
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
    let drawn = |prompts: &[Prompt<'_>]| draw(&model, prompts, settings).unwrap();
    let crowd = drawn(&[
        Prompt {
            tokens: &[9, 3, 2],
            seeds: seeds(10..60),
        },
        Prompt {
            tokens: &[4, 5, 6, 7, 8],
            seeds: seeds(0..4),
        },
    ]);
    let alone = drawn(&[Prompt {
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
    let drawn = draw(
        &model,
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
        draw(
            &model,
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
