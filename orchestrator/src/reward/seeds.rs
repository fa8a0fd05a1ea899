//! `[search] seed_rewards`: rewards a person already has, which enter the first round as candidates.

use sandbox::Bench;

use crate::{
    domain::draft::Draft,
    reward::files::{NoReward, sources},
};

/// What the rationale of a seed begins with; the file follows.
pub const ORIGIN: &str = "A seed reward, from ";

/// The drafts in these files, in order. Nothing is compiled: what does not compile is refused with its reason, as any draft.
///
/// # Errors
/// The first file that cannot be read or holds no source of a reward.
pub fn drafts(specs: &[String], bench: &Bench) -> Result<Vec<Draft>, NoReward> {
    let mut drafts = Vec::new();
    for spec in specs {
        for (name, source) in sources(spec, bench)? {
            drafts.push(Draft {
                name,
                source,
                rationale: format!("{ORIGIN}{spec}."),
                parents: Vec::new(),
            });
        }
    }
    Ok(drafts)
}
