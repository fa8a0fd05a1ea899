//! Finds the reference data: the whole sets in the folder that `REWARD_SEARCH_DATA` names or that lies beside the
//! checkout, and otherwise the sample that is a part of it.
//!
//! What is tested on the sample alone is said on stderr, and is a failure under `REWARD_SEARCH_REQUIRE_ALL=1`.

#![allow(dead_code, reason = "each test binary uses a part of it")]

use std::{env, fs, path::PathBuf};

use serde::de::DeserializeOwned;

/// A folder of reference data.
pub struct Folder {
    pub path: PathBuf,
    /// It holds the whole sets and not only the sample.
    pub is_whole: bool,
}

/// The folder of reference data.
///
/// # Panics
///
/// Where everything is required and only the sample is there.
pub fn folder() -> Folder {
    let beside = concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/data");
    let path = env::var_os("REWARD_SEARCH_DATA").map_or_else(|| beside.into(), PathBuf::from);
    if path.is_dir() {
        return Folder {
            path,
            is_whole: true,
        };
    }
    let missing = format!(
        "no reference data at {}; set REWARD_SEARCH_DATA to its folder",
        path.display()
    );
    let is_required = env::var("REWARD_SEARCH_REQUIRE_ALL").is_ok_and(|value| value == "1");
    assert!(!is_required, "{missing}");
    eprintln!("SAMPLE ONLY: {missing}");
    Folder {
        path: concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/sample").into(),
        is_whole: false,
    }
}

/// Whether the whole sets are there.
pub fn is_whole() -> bool {
    folder().is_whole
}

/// A file of the reference data.
pub fn text(name: &str) -> String {
    fs::read_to_string(folder().path.join(name)).unwrap()
}

/// The rows of a JSON-lines file of the reference data.
pub fn rows<T: DeserializeOwned>(name: &str) -> Vec<T> {
    text(name)
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}
