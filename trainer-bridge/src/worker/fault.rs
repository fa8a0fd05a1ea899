//! What a worker's trouble means: whose fault it is, and what the caller does next.

use sandbox::{Fault, Language};
use serde_json::json;

use super::lines::{Misdeed, Trouble};
use crate::{RewardMix, TrainError};

/// The error that a worker told of. `mix` has the rewards' languages.
pub fn of(trouble: Trouble, mix: &RewardMix) -> TrainError {
    let Trouble {
        kind,
        message,
        step,
        reward,
        fault,
        what,
    } = trouble;
    match kind.as_str() {
        "reward" => {
            let member = reward.unwrap_or_default();
            let language = mix
                .members
                .iter()
                .find(|known| known.name == member)
                .map(|known| known.module.language());
            let fault = sandbox_fault(&fault.unwrap_or_default(), language);
            TrainError::Reward {
                member,
                step,
                fault,
            }
        }
        "non_finite" => TrainError::NonFinite {
            what: known_quantity(&what),
            step,
        },
        "out_of_memory" => TrainError::OutOfMemory(message),
        "cuda_missing" | "setup" => TrainError::Setup(message),
        "checkpoint" => TrainError::Checkpoint(message),
        _ => TrainError::Host(format!("the worker failed at step {step}: {message}")),
    }
}

/// The sandbox's own fault, from what the protocol of `score --stdio` says of it.
fn sandbox_fault(misdeed: &Misdeed, language: Option<Language>) -> Fault {
    let Misdeed {
        kind,
        index,
        message,
    } = misdeed;
    let index = index.unwrap_or(0);
    let bare = message.strip_prefix(&format!("sample {index}: "));
    let bare = bare.unwrap_or(message);
    let mut told = json!({"kind": kind, "index": index});
    if let (Some(language), "out_of_fuel" | "out_of_memory") = (language, kind.as_str()) {
        told["language"] = json!(language);
    }
    match kind.as_str() {
        "trap" | "protocol" | "wrong_return" => told["message"] = bare.into(),
        "exception" => told["traceback"] = bare.into(),
        _ => {}
    }
    // What the line does not say in full is told in its words.
    serde_json::from_value(told).unwrap_or_else(|_| Fault::Trap {
        index,
        message: bare.to_owned(),
    })
}

/// What can leave the numbers, as errors name it.
fn known_quantity(what: &str) -> &'static str {
    match what {
        "loss" => "loss",
        "gradient" => "gradient",
        _ => "weights",
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::panic)]

    use super::*;
    use crate::{Aggregation, RewardMember};

    fn mix() -> RewardMix {
        RewardMix {
            members: vec![RewardMember {
                name: "mine".into(),
                module: sandbox::Module::python("def f(completions): return [0.0]"),
                weight: 1.0,
            }],
            aggregation: Aggregation::default(),
            limits: sandbox::Limits::default(),
        }
    }

    fn told(line: serde_json::Value) -> TrainError {
        let trouble = serde_json::from_value(line);
        of(trouble.unwrap_or_default(), &mix())
    }

    #[test]
    fn a_rewards_fault_is_the_sandboxs_own() {
        let fault = |fault: serde_json::Value| match told(
            json!({"kind": "reward", "reward": "mine", "step": 3, "fault": fault}),
        ) {
            TrainError::Reward { fault, step: 3, .. } => fault,
            other => panic!("{other}"),
        };
        let fuel = fault(json!({"kind": "out_of_fuel", "index": 2, "message": "sample 2: …"}));
        assert_eq!(fuel, Fault::out_of_fuel(2, Language::Python));
        let trap = fault(json!({"kind": "trap", "index": 1, "message": "sample 1: panicked"}));
        assert_eq!(trap.to_string(), "sample 1: panicked");
        // Sizes are not told apart from the words.
        let large =
            fault(json!({"kind": "sample_too_large", "index": 0, "message": "sample 0: 9 bytes"}));
        assert_eq!(large.to_string(), "sample 0: 9 bytes");
    }

    #[test]
    fn whose_trouble_it_is_decides_the_variant() {
        let kind = |kind: &str| told(json!({"kind": kind, "message": "m", "step": 1}));
        assert!(matches!(kind("out_of_memory"), TrainError::OutOfMemory(_)));
        assert!(matches!(kind("cuda_missing"), TrainError::Setup(_)));
        assert!(matches!(kind("checkpoint"), TrainError::Checkpoint(_)));
        assert!(matches!(kind("unknown"), TrainError::Host(_)));
        let lost = told(json!({"kind": "non_finite", "what": "loss", "step": 4}));
        assert!(
            lost.fails_the_trial() && lost.to_string().starts_with("loss is not finite at step 4")
        );
    }
}
