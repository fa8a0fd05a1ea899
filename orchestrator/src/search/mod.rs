//! The search: rounds of proposing, screening and ranking, and the confirmation of the finalists. Start reading at `loop.rs`.

pub mod account;
mod audit;
mod background;
pub mod checkpoints;
pub mod context;
pub mod error;
pub mod events;
pub mod finalists;
pub mod first_look;
pub mod history;
pub mod job;
pub mod ladder;
mod r#loop;
pub mod open;
pub mod plan;
pub mod pool;
mod promotion;
mod proposing;
mod race;
pub mod room;
pub mod run_folder;
pub mod runner;
pub mod takeover;
pub mod training;

pub use self::{
    error::SearchError,
    r#loop::{RoundReport, Search, StopReason},
    open::{OpenError, Opened, Prepared},
};
