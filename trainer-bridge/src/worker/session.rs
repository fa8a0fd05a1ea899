//! One run by a worker: what it tells is passed on, and its end, whatever it is, becomes a result.

use std::{
    process::ExitStatus,
    time::{Duration, Instant},
};

use tokio::time::timeout;

use super::{
    heed::Heed,
    lines::{Start, Told},
    process::{Line, Worker},
};
use crate::{Ended, Reporter, RewardMix, TrainError};

/// How long a worker that has said its last line may take to end.
const LEAVING: Duration = Duration::from_secs(10);

/// How long a worker may take.
#[derive(Debug, Clone, Copy)]
pub struct Patience {
    /// Between two lines.
    pub silence: Duration,
    /// To stop.
    pub stop: Duration,
}

/// A run by a worker.
pub struct Session<'a> {
    /// The process.
    pub worker: Worker,
    /// What it is to do.
    pub start: Start<'a>,
    /// What it trains on.
    pub mix: &'a RewardMix,
    /// How long it may take.
    pub patience: Patience,
}

/// Why there are no more lines.
enum Silence {
    Ended { torn: bool },
    Hangs,
    Unreadable(String),
    DidNotStop,
    Abandoned,
}

impl Session<'_> {
    /// Follows the run to its end.
    ///
    /// # Errors
    /// Why it did not finish. The worker is gone in any case, with all that it started.
    pub async fn follow(self, reporter: &mut Reporter) -> Result<Ended, TrainError> {
        let Self {
            mut worker,
            start,
            mix,
            patience,
        } = self;
        worker.tell(&Told::Start(Box::new(start))).await;
        let mut heed = Heed::default();
        let silence = {
            let mut stopping: Option<Instant> = None;
            loop {
                let left = match stopping {
                    Some(since) => patience.stop.saturating_sub(since.elapsed()),
                    None => patience.silence,
                };
                let heard = tokio::select! {
                    heard = timeout(left, worker.line()) => Some(heard),
                    () = reporter.stopped(), if stopping.is_none() => None,
                };
                let line = match heard {
                    None if reporter.is_abandoned() => break Silence::Abandoned,
                    None => {
                        stopping = Some(Instant::now());
                        worker.tell(&Told::Stop).await;
                        continue;
                    }
                    Some(Err(_)) if stopping.is_some() => break Silence::DidNotStop,
                    Some(Err(_)) => break Silence::Hangs,
                    Some(Ok(None)) => break Silence::Ended { torn: false },
                    Some(Ok(Some(Line::Torn))) => break Silence::Ended { torn: true },
                    Some(Ok(Some(Line::TooLong))) => {
                        break Silence::Unreadable("a line without end".to_owned());
                    }
                    Some(Ok(Some(Line::Whole(line)))) => line,
                };
                match heed.line(&line, mix, reporter) {
                    Ok(None) => {}
                    Ok(Some(end)) => {
                        worker.end(LEAVING).await;
                        return end;
                    }
                    Err(what) => break Silence::Unreadable(what),
                }
            }
        };
        conclude(worker, patience, silence, heed).await
    }
}

/// The result of a run without a last line.
async fn conclude(
    mut worker: Worker,
    patience: Patience,
    silence: Silence,
    heed: Heed,
) -> Result<Ended, TrainError> {
    let Heed {
        greeted,
        step,
        phase,
        saved,
        ..
    } = heed;
    worker.orphan();
    let leave = match silence {
        Silence::Ended { .. } => LEAVING,
        // It ends by itself when its input does, unless it hangs.
        _ => Duration::from_millis(500),
    };
    let status = worker.end(leave).await;
    let words = worker.last_words();
    Err(match silence {
        Silence::DidNotStop => match saved {
            Some(saved) => return Ok(Ended::Stopped(saved)),
            None => TrainError::Host(format!(
                "the worker did not stop within {} seconds and was killed",
                patience.stop.as_secs()
            )),
        },
        Silence::Abandoned => TrainError::Host("nobody waits for the run any more".to_owned()),
        Silence::Hangs => TrainError::Host(format!(
            "the worker told of nothing for {} seconds after step {step} ({phase}) and was killed: it hangs, or `trainer.silence_s` is shorter than a step takes",
            patience.silence.as_secs()
        )),
        Silence::Unreadable(what) => TrainError::Host(format!(
            "the worker wrote what is no line of its protocol, and was killed: {what}"
        )),
        Silence::Ended { torn: false } if !greeted => TrainError::Setup(format!(
            "the worker cannot start ({}): {words}",
            how(status)
        )),
        Silence::Ended { torn } => {
            let torn = if torn { " while it wrote a line" } else { "" };
            TrainError::Host(format!(
                "the worker ended {}{torn} after step {step}, without a result{}",
                how(status),
                advice(status, &words)
            ))
        }
    })
}

/// How a process ended.
fn how(status: Option<ExitStatus>) -> String {
    match (status, signal(status)) {
        (_, Some(signal)) => format!("by signal {signal}"),
        (Some(status), None) => format!("with {status}"),
        (None, None) => "somehow".to_owned(),
    }
}

/// What the end of a process may mean.
fn advice(status: Option<ExitStatus>, words: &str) -> String {
    match signal(status) {
        // What it said last has nothing to do with it.
        Some(9) => ": killed by somebody, or by the system when memory ran out".to_owned(),
        _ => format!(": {words}"),
    }
}

#[cfg(unix)]
fn signal(status: Option<ExitStatus>) -> Option<i32> {
    use std::os::unix::process::ExitStatusExt as _;
    status.and_then(|status| status.signal())
}

#[cfg(not(unix))]
fn signal(_status: Option<ExitStatus>) -> Option<i32> {
    None
}
