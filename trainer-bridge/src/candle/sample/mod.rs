//! Drawing completions: prompts as text go in, completions come out.

pub mod complete;
pub mod cpu;
mod cpu_cache;
pub mod device;
mod device_cache;
pub mod rows;
