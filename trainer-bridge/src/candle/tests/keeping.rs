//! What a pass keeps is a matter of memory: its results are the same to the bit.

use crate::candle::{
    decoder::{
        cpu::{
            adapter::LowRank,
            ops::{CpuOps, CpuTraining, OverPack},
            pack_attention::Gathered,
        },
        gradients::Gradients,
        pack::{Group, Pack},
        pass::{Keep, Pass, PassInput},
    },
    model::Model,
    tests::small_models::{engine, small},
};

/// Log-probabilities of two passes, one after the other in the same memory, and gradients where there is a way back.
fn computed(model: &Model, keep: Keep) -> (Vec<f32>, Vec<Vec<f32>>) {
    let completions: [&[u32]; 2] = [&[7, 8, 9, 10, 11], &[5, 2, 3]];
    let mut gradients = Gradients::zeros(model.parameters());
    let (mut pass, mut log_probs) = (Pass::default(), Vec::new());
    for prompt in [&[4, 6, 12, 9, 2][..], &[3]] {
        let pack = Pack::new(&[Group {
            prompt,
            completions: &completions,
        }]);
        let mut ops = CpuOps {
            weights: &engine(model).weights(model),
            positions: &pack.positions,
            noise: None,
            low_rank: &mut LowRank::default(),
            attention: CpuTraining {
                attention: OverPack {
                    heads: model.architecture().heads(),
                    pack: &pack,
                    gathered: &mut Gathered::default(),
                },
                gradients: &mut gradients,
                unused: &mut Vec::new(),
            },
        };
        let input = PassInput {
            layout: model.layout(),
            pack: &pack,
            keep,
            temperature: 0.8,
        };
        let Ok(found) = pass.forward(&mut ops, input);
        log_probs.extend_from_slice(found);
        if keep == Keep::Nothing {
            continue;
        }
        let direction: Vec<f32> = (0..found.len()).map(|i| (i as f32).cos()).collect();
        let Ok(()) = pass.backward(&mut ops, input, &direction);
    }
    (log_probs, gradients.iter().map(<[f32]>::to_vec).collect())
}

#[test]
fn entries_are_enough_for_the_way_back_and_nothing_for_the_way_there() {
    for family in ["llama", "qwen2", "qwen3"] {
        let model = small(family, family == "qwen2");
        let kept = computed(&model, Keep::Everything);
        assert!(kept.1.iter().all(|slopes| slopes.iter().any(|&s| s != 0.0)));
        assert!(computed(&model, Keep::Entries) == kept, "{family}");
        assert!(computed(&model, Keep::Nothing).0 == kept.0, "{family}");
    }
}
