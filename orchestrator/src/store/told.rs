//! What SQLite says, for people: what happened to the file, and what to do.

/// The sentence of an error.
pub(super) fn told(error: &sqlx::Error) -> String {
    let code = error.as_database_error().and_then(|e| e.code());
    let code = code.and_then(|code| code.parse::<i32>().ok());
    // SQLite's primary result codes.
    let what = match code.map(|code| code & 0xff) {
        Some(13) => {
            "the disk is full: make room and run the same command again; nothing that was stored is lost"
        }
        Some(3 | 8) => {
            "it cannot be written: see who owns the file and its folder, or use another with --database"
        }
        Some(14) => {
            "it cannot be opened: see whether its folder is there and may be written to, or use another with --database"
        }
        Some(5 | 6) => {
            "another process has held it for more than half a minute: end that one, or wait"
        }
        Some(10) => {
            "the disk does not do what it is asked to: see whether it is full, read-only or broken"
        }
        _ => return error.to_string(),
    };
    format!("{what} (SQLite: {error})")
}
