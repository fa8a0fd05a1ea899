//! Sequences that share a prompt.

use crate::candle::{
    decoder::pack::Group,
    tests::small_models::{log_probs, small_model},
};

#[test]
fn a_shared_prompt_changes_nothing() {
    let model = small_model(true);
    let (prompt, a, b) = ([3, 4, 5, 6, 7], [8, 9, 10, 11, 12, 13], [14, 15]);
    let together: [&[u32]; 2] = [&a, &b];
    let shared = [Group {
        prompt: &prompt,
        completions: &together,
    }];
    let (alone_a, alone_b): ([&[u32]; 1], [&[u32]; 1]) = ([&a], [&b]);
    let apart = [
        Group {
            prompt: &prompt,
            completions: &alone_b,
        },
        Group {
            prompt: &prompt,
            completions: &alone_a,
        },
    ];
    let shared = log_probs(&model, &shared, 1.0);
    let apart = log_probs(&model, &apart, 1.0);
    assert_eq!(
        shared,
        [&apart[2..], &apart[..2]].concat(),
        "equal to the bit"
    );
}
