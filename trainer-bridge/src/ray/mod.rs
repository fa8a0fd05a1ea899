//! Workers as jobs of a Ray cluster, through its Jobs REST API: the same worker as `kind = "trl"`, told and heard by the same code.
//!
//! `cluster` speaks HTTP and tells an unreachable cluster from one that refuses, `parcel` packs what a job needs under a name that follows
//! from its content, `submission` is what the cluster is asked for, `log` what a job prints as it grows, `follow` a job from its submission to
//! its result, `surroundings` what all of them share, `trainer` the seam.
//!
//! A job proves that it is still wanted by a lease: a value that this program changes every few seconds, in the cluster's own store or in
//! a shared folder. A worker that sees no change ends, so no job outlives its search. A job that an earlier process began is found again by
//! its id, its log is read from the beginning, and the lease goes on.

mod cluster;
mod follow;
mod log;
mod parcel;
mod submission;
mod surroundings;
mod trainer;

pub use trainer::{RayTrainer, check_config};
