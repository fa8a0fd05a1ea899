//! Rewards that are trained to be compared with, and for nothing else.

use sandbox::{HostError, Language, Source};

use super::{
    admit::{Submitted, judge},
    maker::RewardMaker,
};
use crate::{
    config::Control,
    domain::{
        candidate::{CONTROL_PREFIX, NewCandidate, Origin, RANDOM_CANDIDATE, source_hash},
        draft::Draft,
    },
};

/// The draft of a control.
#[must_use]
pub fn draft(control: Control) -> Draft {
    let (name, code, rationale) = match control {
        Control::FormatOnly => (
            "format-only",
            include_str!("../../rewards/format_alone.rs"),
            "A control: the form of an answer, right or wrong.",
        ),
        Control::RandomReward => (
            "random-reward",
            include_str!("../../rewards/random_number.rs"),
            "A control: a number that has nothing to do with the completion.",
        ),
    };
    Draft {
        name: format!("{CONTROL_PREFIX}{name}"),
        source: Source {
            language: Language::Rust,
            code: code.to_owned(),
        },
        rationale: rationale.to_owned(),
        parents: Vec::new(),
    }
}

/// Compiles controls, and what was drawn without feedback. What is refused is stored with its reason, as any candidate is.
///
/// # Errors
/// For trouble of the host.
pub async fn make(
    maker: &RewardMaker,
    controls: &[Control],
    random: Vec<Draft>,
) -> Result<Vec<NewCandidate>, HostError> {
    let named = controls.iter().map(|&control| draft(control));
    let numbered = (1..)
        .zip(random)
        .map(|(number, random): (u32, Draft)| Draft {
            name: format!("{RANDOM_CANDIDATE}{number}"),
            ..random
        });
    let mut made = Vec::new();
    for draft in named.chain(numbered) {
        let submitted = Submitted {
            origin: Origin::Control,
            sha256: source_hash(&draft.source),
            draft,
            twin: None,
        };
        made.push(judge(maker, submitted, None).await?);
    }
    Ok(made)
}
