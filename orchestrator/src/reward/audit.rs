//! What a probe says of a reward as the audit reads it.

use super::probe::Worth;
use crate::domain::traces::Attack;

/// How a reward pays completions and hacks, of what was measured of it.
#[must_use]
pub fn attack(member: String, worth: Worth) -> Attack {
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

/// The same of a reward that could not be measured.
#[must_use]
pub fn failed_attack(member: String, fault: String) -> Attack {
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
