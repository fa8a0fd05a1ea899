//! How far a search is, and about how long it will still take, judged by how long it took so far.

use super::shelf::Reading;
use crate::{domain::trial::Stage, search::plan::Plan};

/// How far a search is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Outlook {
    /// Share of all optimiser steps that is done, those included that are not planned yet.
    pub(super) done: f64,
    /// Seconds to the end; `None` before the first trial is complete, and where nothing more is done.
    pub(super) seconds_left: Option<f64>,
}

/// The outlook of a search; `None` where its configuration cannot be read.
pub(super) fn outlook(reading: &Reading) -> Option<Outlook> {
    let (board, pace, search) = (&reading.board, &reading.pace, &reading.snapshot.search);
    if search.finished {
        return Some(Outlook {
            done: 1.0,
            seconds_left: None,
        });
    }
    let config = reading.config.as_ref()?;
    let [screening, confirmation] = Plan::of(config, None).steps();
    let rounds = f64::from(config.search.rounds.max(1));
    let begun = board.rounds.len() as f64;
    let to_come = match search.stop_reason {
        Some(_) => 0.0,
        None => (rounds - begun).max(0.0),
    };
    let (accepted, proposed) = board
        .rounds
        .iter()
        .fold((0, 0), |(a, p), r| (a + r.accepted, p + r.proposed));
    let trained = match proposed {
        0 => 1.0,
        proposed => accepted as f64 / proposed as f64,
    };
    let is_confirming = reading
        .snapshot
        .trials
        .iter()
        .any(|trial| matches!(trial.stage, Stage::Confirm { .. }));
    let confirmation = if is_confirming {
        0.0
    } else {
        confirmation as f64
    };
    let left =
        pace.steps_left as f64 + screening as f64 / rounds * to_come * trained + confirmation;
    let total = (pace.steps_done as f64 + left).max(1.0);
    let at_a_time = config.search.concurrency() as f64;
    Some(Outlook {
        done: pace.steps_done as f64 / total,
        seconds_left: pace
            .seconds_per_step
            .filter(|_| reading.is_held)
            .map(|seconds| seconds * left / at_a_time),
    })
}

/// A time for people: `about 4 min`.
pub(super) fn rough(seconds: f64) -> String {
    match seconds {
        s if s < 90.0 => format!("{s:.0} s"),
        s if s < 90.0 * 60.0 => format!("{:.0} min", s / 60.0),
        s if s < 48.0 * 3600.0 => format!("{:.1} h", s / 3600.0),
        s => format!("{:.1} days", s / 86400.0),
    }
}
