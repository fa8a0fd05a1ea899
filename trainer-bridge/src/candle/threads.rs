//! Thread pools of a given size.

use crate::TrainError;

/// Runs `work` on a thread pool of its own, so that neither it nor the tensor library uses more threads than it may.
pub fn in_pool<R: Send>(
    threads: usize,
    work: impl FnOnce() -> Result<R, TrainError> + Send,
) -> Result<R, TrainError> {
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(threads.max(1))
        .thread_name(|index| format!("candle-{index}"))
        .build()
        .map_err(|error| TrainError::Host(format!("cannot start {threads} threads: {error}")))?;
    pool.install(work)
}
