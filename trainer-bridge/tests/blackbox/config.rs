//! The configuration as it is written.

use trainer_bridge::{
    CandleConfig, FakeConfig, GrpoConfig, LossType, SamplingConfig, ScaleRewards, TrainerConfig,
};

use crate::jobs::try_build;

#[test]
fn kinds_and_defaults() {
    let parse = |json: &str| serde_json::from_str::<TrainerConfig>(json);
    assert_eq!(
        parse(r#"{"kind": "candle"}"#).unwrap(),
        TrainerConfig::default()
    );
    assert_eq!(
        parse(r#"{"kind": "candle", "model": "x", "threads_per_trial": 2}"#).unwrap(),
        TrainerConfig::Candle(CandleConfig {
            model: "x".into(),
            threads_per_trial: 2,
            ..CandleConfig::default()
        })
    );
    assert_eq!(
        parse(r#"{"kind": "fake", "step_ms": 3}"#).unwrap(),
        TrainerConfig::Fake(FakeConfig {
            step_ms: 3,
            fails_at_step: None
        })
    );
    assert!(
        parse(r#"{"kind": "candle", "thread_per_trial": 2}"#)
            .unwrap_err()
            .to_string()
            .contains("thread_per_trial")
    );
    assert!(
        parse(r#"{"kind": "torch"}"#)
            .unwrap_err()
            .to_string()
            .contains("candle")
    );
    let none = TrainerConfig::Candle(CandleConfig {
        threads_per_trial: 0,
        ..CandleConfig::default()
    });
    assert!(try_build(&none).is_err_and(|error| error.to_string().contains("threads_per_trial")));
}

#[test]
fn problems_begin_with_the_key() {
    assert!(
        GrpoConfig::default().problems().is_empty()
            && SamplingConfig::default().problems().is_empty()
    );
    let wrong = GrpoConfig {
        num_generations: 1,
        temperature: f64::NAN,
        adam_beta1: 1.0,
        ..GrpoConfig::default()
    };
    let keys: Vec<String> = wrong
        .problems()
        .iter()
        .map(|line| line.split(' ').next().unwrap_or_default().to_owned())
        .collect();
    assert_eq!(keys, ["num_generations", "temperature", "adam_beta1"]);
    assert_eq!(
        SamplingConfig {
            temperature: -1.0,
            ..SamplingConfig::default()
        }
        .problems()
        .len(),
        1
    );
}

#[test]
fn objectives_carry_trls_names() {
    let parsed: GrpoConfig = serde_json::from_str(
        r#"{"loss_type": "dr_grpo", "scale_rewards": "none", "mask_truncated_completions": true}"#,
    )
    .unwrap();
    let expected = GrpoConfig {
        loss_type: LossType::DrGrpo,
        scale_rewards: ScaleRewards::None,
        mask_truncated_completions: true,
        ..GrpoConfig::default()
    };
    assert_eq!(parsed, expected);
}
