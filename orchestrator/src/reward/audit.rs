//! What a probe says of a reward as the audit reads it.

use std::fmt::Display;

use sandbox::RewardFn;

use super::probe::{ProbeSet, Worth};
use crate::domain::traces::Attack;

/// How a reward pays the completions and the hacks of a set; of one that is refused, or that fails on them, why.
pub fn attack(member: String, loaded: Result<&RewardFn, impl Display>, set: &ProbeSet) -> Attack {
    match loaded.map(|reward| set.measure(reward)) {
        Ok(Ok(worth)) => measured(member, worth),
        Ok(Err(fault)) => unmeasured(member, fault.to_string()),
        Err(refusal) => unmeasured(member, refusal.to_string()),
    }
}

fn measured(member: String, worth: Worth) -> Attack {
    Attack {
        member,
        completions: worth.completions,
        right: worth.right,
        auc_within: worth.auc_within.map(|auc| auc.point),
        auc: worth.auc,
        hacks: worth
            .hacks
            .into_iter()
            .map(|hack| (hack.kind, hack.above))
            .collect(),
        fault: None,
    }
}

fn unmeasured(member: String, fault: String) -> Attack {
    Attack {
        member,
        completions: 0,
        right: 0,
        auc_within: None,
        auc: None,
        hacks: Vec::new(),
        fault: Some(fault),
    }
}
