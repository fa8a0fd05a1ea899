//! A base model made from nothing.

use trainer_bridge::{
    CandleConfig, ModelFiles, PretrainConfig, SftExample, TrainError, TrainerConfig, pretrain,
};

use crate::jobs;

fn config() -> PretrainConfig {
    PretrainConfig {
        hidden_size: 32,
        intermediate_size: 48,
        num_hidden_layers: 1,
        num_attention_heads: 2,
        batch_size: 8,
        warmup_steps: 5,
        ..PretrainConfig::default()
    }
}

fn examples() -> Vec<SftExample> {
    let example = |i: usize| SftExample {
        prompt: format!("tom has {} apples", i % 10),
        completion: format!("<solution> {} </solution>", i % 10),
    };
    (0..400).map(example).collect()
}

fn make(threads: usize, seed: u64) -> (ModelFiles, Vec<f64>) {
    let mut losses = Vec::new();
    let config = PretrainConfig {
        threads,
        ..config()
    };
    let files = pretrain(&config, &examples(), seed, &mut |progress| {
        losses.push(progress.loss)
    })
    .unwrap();
    (files, losses)
}

#[test]
fn a_seed_makes_the_same_model_on_any_number_of_threads() {
    let (one, losses) = make(1, 3);
    assert_eq!(one, make(2, 3).0);
    assert_ne!(one.weights, make(1, 4).0.weights);
    assert!(losses[49] < 0.5 * losses[0], "{losses:?}");
}

#[test]
fn a_pretrained_folder_trains_on() {
    let folder = tempfile::tempdir().unwrap();
    let (files, _) = make(1, 3);
    files.write(folder.path()).unwrap();
    assert_eq!(ModelFiles::read(folder.path()).unwrap(), files);
    let model = folder.path().to_str().unwrap().to_owned();
    let trainer = jobs::try_build(&TrainerConfig::Candle(CandleConfig {
        model,
        ..CandleConfig::default()
    }))
    .unwrap();
    let mut job = jobs::job(Vec::new(), 0);
    job.eval_prompts = ["tom has 7 apples".to_owned()].into();
    job.evaluation.temperature = 0.0;
    let completions = jobs::run(&*trainer, job).0.unwrap().completions;
    assert!(
        completions[0].trim_start().starts_with("<solution>"),
        "{completions:?}"
    );
}

#[test]
fn examples_that_do_not_fit_are_refused() {
    let long = SftExample {
        prompt: "tom".into(),
        completion: "apples ".repeat(200).trim().into(),
    };
    for examples in [vec![], vec![long]] {
        let refused = pretrain(&config(), &examples, 1, &mut |_| {});
        assert!(matches!(refused, Err(TrainError::Setup(_))), "{refused:?}");
    }
}
