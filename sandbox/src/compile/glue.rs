//! What the host appends to a candidate's source before rustc reads it.

use crate::lint::Entry;

/// The prelude, regular expressions under the name authors know, and the two
/// exports of the [calling convention](crate::abi).
pub(crate) fn glue(entry: Entry) -> String {
    let score = match entry {
        Entry::Sample => {
            r#"#[unsafe(export_name = "reward_v2_score")]
extern "C" fn __reward_score() -> f64 { ::reward_sdk::abi::score(reward) }"#
        }
        Entry::Group => {
            r#"#[unsafe(export_name = "reward_v2_score_group")]
extern "C" fn __reward_score_group() -> u64 { ::reward_sdk::abi::score_group(reward_group) }"#
        }
    };
    format!(
        r#"
#[allow(unused_imports)]
use ::reward_sdk::prelude::*;
#[allow(unused_imports)]
use ::reward_sdk::regex;
#[unsafe(export_name = "reward_v2_prepare")]
extern "C" fn __reward_prepare(length: u32) -> u64 {{ ::reward_sdk::abi::prepare(length) }}
{score}
"#
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::abi::{PREPARE, SCORE, SCORE_GROUP};

    #[test]
    fn the_glue_exports_what_the_host_looks_for() {
        let (sample, group) = (glue(Entry::Sample), glue(Entry::Group));
        assert!(sample.contains(PREPARE) && sample.contains(&format!("{SCORE}\"")));
        assert!(group.contains(PREPARE) && group.contains(SCORE_GROUP));
    }
}
