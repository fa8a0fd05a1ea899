//! Turns untrusted reward source into a [`RewardFn`] that can do nothing but return finite numbers, and says why when it cannot.
//!
//! ```no_run
//! use sandbox::{Compiler, CompilerConfig, Limits, Sample, Sandbox, Source, Verdict, probe};
//!
//! let compiler = Compiler::new(CompilerConfig::default())?;
//! let sandbox = Sandbox::new(Limits::default())?;
//!
//! let source = Source::rust("pub fn reward(sample: &Sample) -> f64 { if sample.correct() { 1.0 } else { 0.0 } }");
//! let module = compiler.compile(&source)?;
//! let reward = sandbox.load(&module)?;
//! let report = probe(&reward, &[])?;
//! assert_eq!(report.highest, 1.0);
//!
//! let verdict = Verdict { correct: true, extracted: Some("5".to_owned()) };
//! let sample = Sample { prompt: "2 + 3 ?", completion: "5", answer: "5", verdict: &verdict, row: "" };
//! assert_eq!(reward.score(&[sample])?, [1.0]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Three steps lead from a [`Source`] to scores, and each can turn a candidate away:
//!
//! 1. [`Compiler::compile`]: a source check, then rustc, kept from the rest of the machine;
//! 2. [`Sandbox::load`]: a look at the module (no imports but regular expressions, nothing but the calling convention's exports), then machine code;
//! 3. [`probe()`]: a trial on odd samples.
//!
//! Their errors say whose fault it is: [`CompileError::Rejected`] is data about the candidate, [`CompileError::Host`] is
//! trouble of the machine. A [`RewardFn`] scores each batch in a fresh instance, sample by sample (or group by group), so that
//! a score depends on the module, the batch and the [`Limits`] alone; what goes wrong there is a [`Fault`].
//!
//! Everything here blocks; nothing needs an async runtime.

mod abi;
mod bench;
mod cache;
mod compile;
mod digest;
mod engine;
mod engine_error;
mod environment;
mod error;
mod fault;
mod limits;
mod lint;
mod made_up;
mod mutants;
mod python;
mod regex;
mod rejection;
mod sample;
mod scores;
mod slots;
mod source;
mod text;
mod ticker;

pub use bench::Bench;
pub use cache::folder as cache_folder;
pub use compile::{Compiler, CompilerConfig, FileGuard, end_compilations};
pub use engine::{
    Expected, Measurement, ProbeReport, RewardFn, Sandbox, make_machine_code_if_asked, probe,
    probe_for,
};
pub use environment::{CacheFolder, Environment, Rustc, inspect_host};
pub use error::{CompileError, HostError};
pub use fault::Fault;
pub use limits::{BadLimit, Limits};
pub use made_up::{TypicalSample, typical_samples};
pub use mutants::Mutant;
pub use python::VERDICT_MODULE;
pub use python::{About, GuestStatus, Progress, build_guest, calling_package, guest_status};
pub use regex::MODULE as REGEX_MODULE;
pub use rejection::Rejection;
pub use sample::{Sample, Verdict};
pub use scores::{Component, Scores};
pub use source::{Language, Module, Source};
pub use text::may_be_shown;

/// The guest SDK as its users read it: a compact reference in Markdown, fit for a language model's prompt.
pub const SDK_REFERENCE: &str = include_str!("../sdk/REFERENCE.md");

/// What a reward in Python may use and must return, as Markdown, fit for a language model's prompt.
pub const PYTHON_REFERENCE: &str = include_str!("../guest-python/REFERENCE.md");
