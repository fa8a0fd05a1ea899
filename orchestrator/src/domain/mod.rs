//! What a search is made of, as plain data: no files, no network, no database. Every other folder may import it.

pub mod candidate;
pub mod change;
pub mod decider;
pub mod difference;
pub mod draft;
pub mod figures;
pub mod pool;
pub mod protocol;
pub mod seed;
pub mod spending;
pub mod traces;
pub mod trial;
pub mod verdict;
