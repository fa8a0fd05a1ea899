//! Where random draws descend from.

use sha2::{Digest, Sha256};

/// A seed for `purpose` that descends from the search's.
#[must_use]
pub fn derive_seed(search_seed: u64, purpose: &str) -> u64 {
    let digest = Sha256::new()
        .chain_update(search_seed.to_le_bytes())
        .chain_update(purpose.as_bytes())
        .finalize();
    u64::from_le_bytes(digest[..8].try_into().expect("a digest has 32 bytes"))
}
