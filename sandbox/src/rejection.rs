//! Why a candidate never becomes a reward function. All of it is the candidate's fault; the host's is [`HostError`](crate::HostError).

use serde::{Deserialize, Serialize};

use crate::fault::Fault;

/// The reason a candidate was turned away. `Display` is one line for people; JSON is tagged with `kind`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, thiserror::Error)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Rejection {
    /// The source uses something a reward may not use, or is too large to be looked at.
    #[error("line {line}: {what}")]
    Forbidden {
        /// Stable name of the rule, e.g. `macro` or `path`.
        rule: String,
        /// What was found and what to write instead.
        what: String,
        /// Line in the author's source, from 1.
        line: usize,
    },
    /// Python does not accept the source.
    #[error("line {line}: {message}")]
    Syntax {
        /// Line in the author's source, from 1.
        line: usize,
        /// Python's message.
        message: String,
    },
    /// Running the file, before anything is scored, failed.
    #[error("fails while it is loaded: {}", .fault.reason())]
    Load {
        /// What happened.
        fault: Fault,
    },
    /// rustc does not accept the source.
    #[error("does not compile: {}", first_error(.stderr))]
    Compile {
        /// The compiler's messages, shortened, without paths of the host.
        stderr: String,
    },
    /// Compilation took too long.
    #[error("compilation was stopped after {seconds} s")]
    CompileTimedOut {
        /// The limit that struck, in seconds.
        seconds: u64,
    },
    /// The compiler broke down over the source, or asked for too much memory.
    #[error("the compiler broke down (signal {signal}): {}", breakdown(.stderr))]
    CompilerCrashed {
        /// The signal that ended it.
        signal: i32,
        /// The compiler's messages, shortened, without paths of the host.
        stderr: String,
    },
    /// Something in the module is larger than the limits allow.
    #[error("{what} of {size} {unit} is over the limit of {limit}")]
    TooLarge {
        /// What is too large.
        what: String,
        /// Its size.
        size: u64,
        /// The most that is allowed.
        limit: u64,
        /// The unit of both.
        unit: String,
    },
    /// The bytes are no WebAssembly module that the engine accepts.
    #[error("not a valid WebAssembly module: {message}")]
    Malformed {
        /// The engine's message.
        message: String,
    },
    /// The module imports something.
    #[error(
        "the module imports `{module}::{name}`; a reward may import nothing but `re.compile` and `re.search`"
    )]
    Import {
        /// Module part of the import.
        module: String,
        /// Name part of the import.
        name: String,
    },
    /// The exports are not those of the calling convention.
    #[error("{what}")]
    Export {
        /// Which export, and what is wrong with it.
        what: String,
    },
    /// The module has a start function, which would run before anything is asked of it.
    #[error("the module has a start function")]
    Start,
    /// Scoring a probe sample failed.
    #[error("fails on {sample}: {fault}")]
    Probe {
        /// Which sample, in words.
        sample: String,
        /// What happened.
        fault: Fault,
    },
    /// The same sample got two different scores, on its own and among others.
    #[error(
        "unstable: {sample} scored {first} on its own and {second} after other samples; a score may not depend on earlier calls"
    )]
    Unstable {
        /// Which sample, in words.
        sample: String,
        /// The score on its own.
        first: f64,
        /// The score after others.
        second: f64,
    },
    /// A sample got another score when its batch was scored back to front.
    #[error(
        "depends on the order: {sample} scored {first}, and {second} with the same batch back to front; a score may depend neither on what was scored before it nor on chance"
    )]
    OrderDependent {
        /// Which sample, in words.
        sample: String,
        /// The score in the batch.
        first: f64,
        /// The score in the batch back to front.
        second: f64,
    },
    /// Every sample got the same score. The sandbox only reports this; whoever refuses constant rewards says it with this.
    #[error("constant: every sample scores {score}, so it teaches nothing")]
    Constant {
        /// That score.
        score: f64,
    },
}

impl Rejection {
    /// A stable name of the variant, as in its JSON.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Forbidden { .. } => "forbidden",
            Self::Syntax { .. } => "syntax",
            Self::Load { .. } => "load",
            Self::Compile { .. } => "compile",
            Self::CompileTimedOut { .. } => "compile_timed_out",
            Self::CompilerCrashed { .. } => "compiler_crashed",
            Self::TooLarge { .. } => "too_large",
            Self::Malformed { .. } => "malformed",
            Self::Import { .. } => "import",
            Self::Export { .. } => "export",
            Self::Start => "start",
            Self::Probe { .. } => "probe",
            Self::Unstable { .. } => "unstable",
            Self::OrderDependent { .. } => "order_dependent",
            Self::Constant { .. } => "constant",
        }
    }
}

/// The first error of a compiler that was ended by a signal. It says nothing where it ran out of memory or stack.
fn breakdown(stderr: &str) -> String {
    if stderr.lines().any(|line| line.starts_with("error")) {
        return first_error(stderr);
    }
    "the compiler ran out of memory or stack: types or generics grow too fast; make them simpler"
        .to_owned()
}

/// The first error of a compiler's output, with what it says of the place, and its line:
/// `error[E0308]: mismatched types: expected `f64`, found `bool` (line 3)`.
fn first_error(stderr: &str) -> String {
    let mut lines = stderr.lines().skip_while(|line| !line.starts_with("error"));
    let Some(error) = lines.next() else {
        return "no message".to_owned();
    };
    let Some(line) = lines.find_map(line_of_place) else {
        return error.to_owned();
    };
    // The source stands below with a margin, and below it, where it is wrong and why. An empty line ends the error.
    let below = lines.take_while(|line| !line.is_empty() && !line.starts_with("error"));
    let mut why = below.filter_map(|line| Some(line.rsplit_once('^')?.1.trim()));
    match why.next().filter(|why| !why.is_empty()) {
        Some(why) => format!("{error}: {why} (line {line})"),
        None => format!("{error} (line {line})"),
    }
}

/// The line of the first error of a compiler's output, where it has one.
pub(crate) fn line_of_first_error(stderr: &str) -> Option<usize> {
    let mut lines = stderr.lines().skip_while(|line| !line.starts_with("error"));
    lines.find_map(line_of_place)?.parse().ok()
}

/// Of a line that says where something stands, the number of the line it stands in.
fn line_of_place(line: &str) -> Option<&str> {
    let place = line.trim_start().strip_prefix("--> candidate.rs:")?;
    place.split(':').next()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_compile_error_is_one_line_with_its_place() {
        let stderr =
            "error[E0308]: mismatched types\n --> candidate.rs:3:5\n  |\n3 |     true\n".to_owned();
        let rejection = Rejection::Compile { stderr };
        assert_eq!(
            rejection.to_string(),
            "does not compile: error[E0308]: mismatched types (line 3)"
        );
    }

    #[test]
    fn what_rustc_says_of_the_place_is_part_of_the_line() {
        let stderr = "error[E0308]: mismatched types\n --> candidate.rs:2:21\n  |\n2 |     let s: String = sample.completion();\n  |            ------   ^^^^^^^^^^^^^^^^^^^ expected `String`, found `&str`\n  |            |\n  |            expected due to this\n\nerror[E0277]: cannot divide\n";
        let rejection = Rejection::Compile {
            stderr: stderr.to_owned(),
        };
        assert_eq!(
            rejection.to_string(),
            "does not compile: error[E0308]: mismatched types: expected `String`, found `&str` (line 2)"
        );
        assert_eq!(line_of_first_error(stderr), Some(2));
    }

    #[test]
    fn a_compiler_that_dies_without_a_word_is_explained() {
        let died = |stderr: &str| {
            let stderr = stderr.to_owned();
            Rejection::CompilerCrashed { signal: 6, stderr }.to_string()
        };
        assert!(died("").contains("out of memory or stack"));
        assert!(died("error: overflow").ends_with("error: overflow"));
    }

    #[test]
    fn json_carries_the_kind_and_comes_back() -> Result<(), serde_json::Error> {
        let all = [
            Rejection::Probe {
                sample: "an empty completion".into(),
                fault: Fault::NotFinite { index: 3 },
            },
            Rejection::Start,
            Rejection::Load {
                fault: Fault::out_of_fuel(0, crate::source::Language::Python),
            },
            Rejection::Unstable {
                sample: "sample 1".into(),
                first: 0.5,
                second: 1.0,
            },
        ];
        for rejection in all {
            let json = serde_json::to_value(&rejection)?;
            assert_eq!(json["kind"], rejection.kind());
            assert_eq!(serde_json::from_value::<Rejection>(json)?, rejection);
        }
        Ok(())
    }
}
