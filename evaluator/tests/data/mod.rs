//! Finds the reference data, which is not part of the repository.

#![allow(dead_code, reason = "each test binary uses a part of it")]

use std::{env, fs, path::PathBuf};

use serde::de::DeserializeOwned;

/// The folder of reference data, or `None` with a word on stderr when this checkout has none.
pub fn folder() -> Option<PathBuf> {
    let beside = concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/data");
    let folder = env::var_os("REWARD_SEARCH_DATA").map_or_else(|| beside.into(), PathBuf::from);
    if folder.is_dir() {
        return Some(folder);
    }
    eprintln!(
        "SKIPPED: no reference data at {}; set REWARD_SEARCH_DATA to its folder",
        folder.display()
    );
    None
}

/// The rows of a JSON-lines file of the reference data.
pub fn rows<T: DeserializeOwned>(name: &str) -> Option<Vec<T>> {
    let text = fs::read_to_string(folder()?.join(name)).unwrap();
    Some(
        text.lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect(),
    )
}
