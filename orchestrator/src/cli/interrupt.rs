//! Being asked to stop, and saying so.

/// Stopped by Ctrl-C.
#[derive(Debug, thiserror::Error)]
#[error("stopped; {}", if *can_go_on { "the same command continues where it was" } else { "nothing was kept, because no --out names a folder" })]
pub(super) struct Interrupted {
    /// What was done is kept.
    pub(super) can_go_on: bool,
}

/// Ctrl-C, or whatever a shell, a container or a service manager sends to end a process.
pub(super) async fn asked_to_stop() {
    #[cfg(unix)]
    if let Ok(mut terminate) =
        tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())
    {
        tokio::select! {
            _ = tokio::signal::ctrl_c() => {}
            _ = terminate.recv() => {}
        }
        return;
    }
    let _ = tokio::signal::ctrl_c().await;
}
