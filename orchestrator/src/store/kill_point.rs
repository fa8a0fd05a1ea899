//! An end at a chosen moment, for tests: a process whose environment says so ends itself, as by a kill, at one of its commits, before anything of it is
//! written. So every moment between two transactions can be tried, and the search be seen to end the same.

use std::sync::{
    LazyLock,
    atomic::{AtomicU64, Ordering},
};

use sqlx::SqliteConnection;

/// At which of its commits, from 1, a process ends itself.
const VARIABLE: &str = "REWARD_SEARCH_KILL_AT_COMMIT";

/// Commits that are left to this process; `None` wherever nobody tests.
static LEFT: LazyLock<Option<AtomicU64>> = LazyLock::new(|| {
    let at: u64 = std::env::var(VARIABLE).ok()?.parse().ok()?;
    Some(AtomicU64::new(at))
});

/// Has the connection count its commits, if a test asks for it.
pub(super) async fn arm(connection: &mut SqliteConnection) -> Result<(), sqlx::Error> {
    let Some(left) = &*LEFT else {
        return Ok(());
    };
    connection.lock_handle().await?.set_commit_hook(move || {
        if left.fetch_sub(1, Ordering::Relaxed) == 1 {
            // No destructor runs and nothing is flushed: to the database it is a kill.
            std::process::abort();
        }
        true
    });
    Ok(())
}
