//! What a search needs from outside: the questions of its task, and the model that it starts from.

pub mod columns;
pub mod config;
pub mod gsm8k;
pub mod hub;
pub mod parquet;
pub mod rows;
pub mod table;
pub mod task;
