//! The standard library as candidates see it: with maps and sets of a fixed hash.
//!
//! The real ones draw a seed for every map, so that the order of iteration, and with it the last bits of a sum, would depend
//! on what was scored before. Candidates are compiled against this crate under the name `std`.

pub use ::std::*;

/// [`::std::collections`] with the SDK's maps and sets.
pub mod collections {
    pub use ::reward_sdk::{HashMap, HashSet};
    pub use ::std::collections::*;

    /// [`::std::collections::hash_map`] with the SDK's map.
    pub mod hash_map {
        pub use ::reward_sdk::HashMap;
        pub use ::std::collections::hash_map::*;
    }

    /// [`::std::collections::hash_set`] with the SDK's set.
    pub mod hash_set {
        pub use ::reward_sdk::HashSet;
        pub use ::std::collections::hash_set::*;
    }
}
