//! The clock behind deadlines: advances an engine's epoch at a steady pace for as long as it lives.
//!
//! An epoch is a number all guests of an engine share, but each call sets its own distance to it: that one call runs out
//! of time says nothing about another. While the process is suspended the clock stands still, so no call misses its
//! deadline for a laptop lid.

use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use wasmtime::Engine;

use crate::error::HostError;

/// How often the epoch advances under such a deadline, and after how many advances it is past.
pub(crate) fn pace(deadline: Duration) -> (Duration, u64) {
    let period = (deadline / 10).clamp(Duration::from_millis(1), Duration::from_millis(50));
    let ticks = deadline.as_millis().div_ceil(period.as_millis()) as u64;
    // One more, because the first tick may come at once.
    (period, ticks + 1)
}

/// Stops its thread when dropped.
pub(crate) struct Ticker {
    stop: Arc<(Mutex<bool>, Condvar)>,
    thread: Option<JoinHandle<()>>,
}

impl Ticker {
    /// Advances the epoch of `engine` once every `period`.
    pub(crate) fn start(engine: &Engine, period: Duration) -> Result<Self, HostError> {
        let stop = Arc::new((Mutex::new(false), Condvar::new()));
        let (engine, signal) = (engine.clone(), Arc::clone(&stop));
        let thread = thread::Builder::new()
            .name("sandbox-ticker".to_owned())
            .spawn(move || {
                let (stopped, wake) = &*signal;
                let mut stopped = stopped.lock().unwrap_or_else(PoisonError::into_inner);
                while !*stopped {
                    stopped = wake
                        .wait_timeout(stopped, period)
                        .unwrap_or_else(PoisonError::into_inner)
                        .0;
                    engine.increment_epoch();
                }
            })
            .map_err(HostError::io("start the thread that watches deadlines"))?;
        Ok(Self {
            stop,
            thread: Some(thread),
        })
    }
}

impl Drop for Ticker {
    fn drop(&mut self) {
        let (stopped, wake) = &*self.stop;
        *stopped.lock().unwrap_or_else(PoisonError::into_inner) = true;
        wake.notify_all();
        if let Some(thread) = self.thread.take() {
            // The thread cannot panic; there would be nothing to do about it either.
            let _ = thread.join();
        }
    }
}
