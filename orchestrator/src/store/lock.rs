//! Files that only one process at a time may use.

use std::{
    fs::{File, TryLockError},
    io,
    thread::sleep,
    time::Duration,
};

/// How long another holder is given. A process that was just started shares all of its parent's locks until its own program runs, so a
/// lock may outlive its holder by moments.
const PATIENCE: Duration = Duration::from_secs(1);
const PAUSE: Duration = Duration::from_millis(10);

/// Takes the file for this process until it is dropped or the process ends; `false` when another has it.
///
/// # Errors
/// If the system cannot lock the file.
pub fn take(file: &File) -> io::Result<bool> {
    let mut waited = Duration::ZERO;
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(true),
            Err(TryLockError::WouldBlock) if waited < PATIENCE => sleep(PAUSE),
            Err(TryLockError::WouldBlock) => return Ok(false),
            Err(TryLockError::Error(error)) => return Err(error),
        }
        waited += PAUSE;
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn another_holder_is_waited_for_but_not_for_ever() {
        let path = tempfile::NamedTempFile::new().unwrap();
        let [first, second] = [(); 2].map(|()| File::open(path.path()).unwrap());
        assert!(take(&first).unwrap());
        assert!(!take(&second).unwrap());
        let release = std::thread::spawn(move || {
            sleep(5 * PAUSE);
            drop(first);
        });
        assert!(take(&second).unwrap(), "it was given up in time");
        release.join().unwrap();
    }
}
