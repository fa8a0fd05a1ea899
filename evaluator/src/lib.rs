//! Decides which answers are right and how sure we are.
//!
//! Data sets and their splits, extraction and verification of answers, and the statistics of an
//! evaluation. Everything here is pure and synchronous: the only input or output is reading a data
//! file, no verdict looks at a clock, and every random draw comes from a seed the caller gives, so
//! that the same inputs give the same figures on every machine.
//!
//! ```
//! use evaluator::{Answer, BootstrapConfig, Evaluation, mcnemar, verify};
//!
//! let gold = [Answer::new("18"), Answer::new("3/4"), Answer::new("1200")];
//! let judge = |completions: [&str; 3]| {
//!     let outcomes = std::iter::zip(completions, &gold).map(|(text, gold)| verify(text, gold).outcome);
//!     Evaluation::new(outcomes.collect())
//! };
//! let a = judge(["so $18", r"\boxed{0.75}", "<solution> 1,200 </solution>"])?;
//! let b = judge(["so 18.5", "I cannot tell", "The answer is 1200."])?;
//!
//! assert_eq!((a.accuracy(), b.f1()), (1.0, 0.5));
//! assert!(b.f1_estimate(&BootstrapConfig::default()).interval.contains(0.5));
//! assert_eq!(mcnemar(&a, &b)?.exact_p, 0.5);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod answer;
mod boxes;
mod conventions;
#[cfg(feature = "statistics")]
mod dataset;
#[cfg(feature = "statistics")]
mod evaluation;
mod explain;
mod extract;
#[cfg(feature = "statistics")]
pub mod hacks;
mod outcome;
#[cfg(feature = "statistics")]
mod statistics;
#[cfg(feature = "statistics")]
pub mod toy;
mod verify;

pub use answer::{Answer, Rule, final_answer};
pub use conventions::{Comma, Conventions, Logarithm};
#[cfg(feature = "statistics")]
pub use dataset::{
    Dataset, DatasetError, cut,
    problem::{Problem, Split, UnknownSplit},
    read_gsm8k,
};
#[cfg(feature = "statistics")]
pub use evaluation::{Counts, Evaluation, EvaluationError};
pub use explain::{Step, StepOutcome};
pub use extract::{Extracted, ExtractionConfig, Strategy, extract, extract_with};
pub use outcome::Outcome;
#[cfg(feature = "statistics")]
pub use statistics::{
    interval::{
        IntervalMethod,
        bootstrap::{BootstrapConfig, PairedDifference, paired_difference},
        estimate::{ConfidenceInterval, Estimate},
        pooling::{PoolError, pooled_difference, pooled_f1},
        proportion_interval,
    },
    paired::{
        Agreement, Unpaired,
        letters::compact_letters,
        mcnemar::{ChiSquare, McNemar, mcnemar, mcnemar_of},
        multiplicity::{bonferroni, holm},
        power::smallest_detectable_difference,
    },
    selection::{Selection, SelectionError, select_best},
    sequential::SequentialTest,
};
pub use verify::{Explanation, RuleVerifier, Verdict, verify};
