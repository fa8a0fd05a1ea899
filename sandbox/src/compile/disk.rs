//! Whether the disk is full. The file system is asked; a compiler's message would quote the candidate, who may write anything.

use std::path::Path;

/// Bytes that a compilation may need for its files. Fewer free ones are as good as none.
#[cfg(unix)]
const NEEDED: u64 = 32 << 20;

/// Whether the disk that holds `folder` has no space, or no file, left for a compilation. What the folder itself holds is counted
/// as free: a candidate cannot fill a disk to be excused.
#[cfg(unix)]
pub(super) fn is_full(folder: &Path) -> bool {
    let Ok(disk) = rustix::fs::statvfs(folder) else {
        return false;
    };
    let free = disk.f_bavail.saturating_mul(disk.f_frsize);
    // File systems without a table of files say that there are none, and none free.
    let out_of_files = disk.f_files > 0 && disk.f_favail == 0;
    out_of_files || free.saturating_add(used_by(folder)) < NEEDED
}

/// Elsewhere a full disk shows as a compilation that fails.
#[cfg(not(unix))]
pub(super) fn is_full(_: &Path) -> bool {
    false
}

#[cfg(unix)]
fn used_by(folder: &Path) -> u64 {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    entries
        .filter_map(|entry| entry.metadata().ok())
        .map(|metadata| metadata.len())
        .sum()
}
