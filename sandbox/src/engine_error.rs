//! Errors of the WebAssembly engine in words.

use crate::error::HostError;

/// The engine's trouble as the host's.
pub(crate) fn engine_error(error: wasmtime::Error) -> HostError {
    HostError::Engine {
        message: one_line(&error),
    }
}

/// An engine error with its causes, on one line.
pub(crate) fn one_line(error: &wasmtime::Error) -> String {
    format!("{error:#}")
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ")
}
