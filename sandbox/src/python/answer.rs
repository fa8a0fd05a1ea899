//! What the guest answers, none of which is trusted: scores, failures, and texts that are cut and cleaned.

use super::bindings::{self, Failure};
use crate::error::{CompileError, HostError};
use crate::fault::Fault;
use crate::rejection::Rejection;
use crate::scores::{Component, Scores};
use crate::text::may_be_shown_in_lines;

/// Components a reward may have, and characters of a name that are kept; the guest application holds candidates to the same, but a
/// candidate can rewrite it.
const MOST_COMPONENTS: usize = 64;
const NAME_CHARACTERS: usize = 64;
/// Bytes kept of a traceback or another message.
const MESSAGE_BYTES: usize = 8192;

/// A failure while scoring so many samples.
pub(super) fn fault(failure: Failure, samples: usize) -> Fault {
    // The guest says which; it may say anything.
    let named = failure.index.map(|index| index as usize);
    let index = named.filter(|index| *index < samples).unwrap_or(0);
    match failure.kind.as_str() {
        "exception" => Fault::Exception {
            index,
            traceback: clean(&failure.message),
        },
        "length" => Fault::WrongLength {
            index,
            expected: samples,
            found: failure.found.map_or(0, |found| found as usize),
        },
        "column" | "absent" => Fault::NotThere {
            index,
            message: one_line(&failure.message),
        },
        _ => Fault::WrongReturn {
            index,
            message: one_line(&failure.message),
        },
    }
}

/// A failure while loading.
pub(super) fn rejection(failure: Failure) -> Rejection {
    let line = failure.line.map_or(1, |line| line as usize);
    match failure.kind.as_str() {
        "exception" => Rejection::Load {
            fault: fault(failure, 0),
        },
        "syntax" => Rejection::Syntax {
            line,
            message: one_line(&failure.message),
        },
        rule => Rejection::Forbidden {
            rule: one_line(rule),
            what: one_line(&failure.message),
            line,
        },
    }
}

/// The answer of a load, or why there is none.
pub(super) fn judged<T>(answer: Result<Result<T, Failure>, Fault>) -> Result<T, CompileError> {
    match answer {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(failure)) => Err(rejection(failure).into()),
        Err(fault) if fault.is_host_trouble() => Err(HostError::Engine {
            message: fault.reason(),
        }
        .into()),
        Err(fault) => Err(Rejection::Load { fault }.into()),
    }
}

/// The guest's scores, none of which is trusted: one finite number a sample in every component, and not too many of those.
pub(super) fn checked(scores: bindings::Scores, samples: usize) -> Result<Scores, Fault> {
    if scores.components.len() > MOST_COMPONENTS {
        return Err(Fault::WrongReturn {
            index: 0,
            message: format!(
                "{} components; there may be {MOST_COMPONENTS}",
                scores.components.len()
            ),
        });
    }
    let not_finite = |values: &[f64]| match values.iter().position(|value| !value.is_finite()) {
        Some(index) => Err(Fault::NotFinite { index }),
        None => Ok(()),
    };
    let mut total = vec![0.0; samples];
    for component in &scores.components {
        if component.values.len() != samples {
            return Err(Fault::Protocol {
                index: 0,
                message: format!("{} scores for {samples} samples", component.values.len()),
            });
        }
        not_finite(&component.values)?;
        for (total, value) in total.iter_mut().zip(&component.values) {
            *total += value;
        }
    }
    not_finite(&total)?;
    let components = scores.components.into_iter().map(|component| Component {
        name: name(&component.name),
        values: component.values,
    });
    Ok(Scores {
        total,
        components: components.collect(),
        printed: clean(&scores.printed),
    })
}

/// The name of a component, cut.
fn name(text: &str) -> String {
    one_line(text).chars().take(NAME_CHARACTERS).collect()
}

/// A text of the guest, not too long and without control characters but line ends and tabs.
fn clean(text: &str) -> String {
    let text = &text[..text.floor_char_boundary(MESSAGE_BYTES + 64)];
    text.chars().filter(|c| may_be_shown_in_lines(*c)).collect()
}

/// The same on one line.
pub(super) fn one_line(text: &str) -> String {
    clean(text).split_whitespace().collect::<Vec<_>>().join(" ")
}
