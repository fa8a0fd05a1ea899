//! What is said about fields of configurations that there is no code for.

/// A complaint about a field whose value there is no code for.
pub fn unsupported(field: &str, value: &str, supported: &str) -> String {
    format!("`{field}` is `{value}`, which is not supported (supported: {supported})")
}

/// A complaint unless something holds.
pub fn require(holds: bool, message: impl FnOnce() -> String) -> Result<(), String> {
    if holds { Ok(()) } else { Err(message()) }
}
