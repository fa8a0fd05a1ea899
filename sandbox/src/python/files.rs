//! The interpreter's files in the user's cache: where they are, whether they are there, and who makes them.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::PathBuf;
use std::time::SystemTime;

use serde::Serialize;
use wasmtime::Engine;
use wasmtime::component::Component;

use super::{Progress, interpreter, meter, recipe};
use crate::cache::{self, machine_code};
use crate::error::HostError;

/// Whether the Python guest is built, and where it is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct GuestStatus {
    /// Names the guest by its contents; modules carry it.
    pub id: String,
    /// The WebAssembly component.
    pub component: PathBuf,
    /// Its machine code for this engine and processor.
    pub machine_code: PathBuf,
    /// Both are there: a Python reward can be loaded at once.
    pub ready: bool,
}

/// Builds the Python guest unless it is there. Takes a minute, needs Python and its package index; nothing of either later.
///
/// # Errors
/// If there is no Python, the package cannot be installed, or the cache cannot be used.
pub fn build_guest(progress: &Progress) -> Result<GuestStatus, HostError> {
    Files::locate()?.open(&interpreter::compiler()?, progress)?;
    guest_status()
}

/// Looks whether the Python guest is built.
///
/// # Errors
/// If there is no folder for the cache or the engine does not start.
pub fn guest_status() -> Result<GuestStatus, HostError> {
    let files = Files::locate()?;
    let machine_code = machine_code::path(&interpreter::compiler()?, &files.folder, &stem());
    Ok(GuestStatus {
        id: recipe::id().clone(),
        component: files.component(),
        ready: files.component().is_file() && machine_code.is_file(),
        machine_code,
    })
}

/// The guest's place in the cache.
pub(super) struct Files {
    folder: PathBuf,
}

impl Files {
    pub(super) fn locate() -> Result<Self, HostError> {
        Ok(Self {
            folder: cache::folder()?.join("python-guest"),
        })
    }

    /// The interpreter, built if need be. Of several processes that get here at once, one builds and the others wait.
    pub(super) fn open(
        &self,
        engine: &Engine,
        progress: &Progress,
    ) -> Result<Component, HostError> {
        let there = machine_code::path(engine, &self.folder, &stem()).is_file();
        let _lock = if there {
            None
        } else {
            Some(self.lock(progress)?)
        };
        machine_code::open(engine, &self.folder, &stem(), || self.metered(progress))
    }

    fn component(&self) -> PathBuf {
        self.folder.join(format!("{}.wasm", recipe::id()))
    }

    /// The interpreter with its counter.
    fn metered(&self, progress: &Progress) -> Result<Vec<u8>, HostError> {
        let component = self.component();
        let wasm = match cache::get(&component)? {
            Some(wasm) => wasm,
            None => {
                let wasm = recipe::build(&self.folder, progress)?;
                cache::put(&component, &wasm)?;
                self.forget();
                wasm
            }
        };
        progress("Python guest: compiling it to machine code, about a quarter of a minute");
        meter::metered(&wasm).map_err(|error| HostError::Engine {
            message: format!("the Python guest {}: {error}", recipe::id()),
        })
    }

    /// Removes the guests of former versions of this program but for the last one, which may still be in use. What cannot be
    /// removed stays; a file that is mapped lives until nobody needs it.
    fn forget(&self) {
        let mut others: BTreeMap<String, (SystemTime, Vec<PathBuf>)> = BTreeMap::new();
        for entry in fs::read_dir(&self.folder).into_iter().flatten().flatten() {
            let Some(id) = entry.file_name().to_str().and_then(guest_of) else {
                continue;
            };
            if id == *recipe::id() {
                continue;
            }
            let made = entry.metadata().and_then(|file| file.modified());
            let other = others
                .entry(id)
                .or_insert((SystemTime::UNIX_EPOCH, Vec::new()));
            other.0 = other.0.max(made.unwrap_or(SystemTime::UNIX_EPOCH));
            other.1.push(entry.path());
        }
        let mut others: Vec<_> = others.into_values().collect();
        others.sort();
        others.pop();
        for path in others.into_iter().flat_map(|(_, files)| files) {
            if let Err(error) = fs::remove_file(&path) {
                tracing::warn!("{} stays in the cache: {error}", path.display());
            }
        }
    }

    /// Held until the returned file is dropped, also when the process is killed.
    fn lock(&self, progress: &Progress) -> Result<File, HostError> {
        cache::create_private(&self.folder)?;
        cache::check_private(&self.folder)?;
        let path = self.folder.join("lock");
        let action = || HostError::io(format!("lock {}", path.display()));
        let file = fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(&path)
            .map_err(action())?;
        if file.try_lock().is_err() {
            progress("Python guest: another process is building it; waiting");
            file.lock().map_err(action())?;
        }
        Ok(file)
    }
}

/// The guest that a file in the folder belongs to.
fn guest_of(name: &str) -> Option<String> {
    let (id, rest) = name.split_at_checked(recipe::id().len())?;
    let is_ours = id.bytes().all(|b| b.is_ascii_hexdigit()) && rest.starts_with(['-', '.']);
    is_ours.then(|| id.to_owned())
}

/// Beginning of the machine code's name: the guest, and what was done to it.
fn stem() -> String {
    format!("{}-{}", recipe::id(), meter::VERSION)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::time::Duration;

    use super::*;

    #[test]
    fn of_former_guests_the_last_one_stays() {
        let root = tempfile::tempdir().unwrap();
        let files = Files {
            folder: root.path().to_owned(),
        };
        let current = recipe::id();
        let names = [
            ("0123456789abcdef.wasm", 1),
            ("0123456789abcdef-m1-01.cwasm.sha256", 5),
            ("1123456789abcdef.wasm", 9),
            ("2123456789abcdef-m1-01.cwasm", 3),
            (&format!("{current}.wasm"), 2),
            ("lock", 0),
            ("something-else.txt", 0),
        ];
        for (name, age) in names {
            let file = File::create(root.path().join(name)).unwrap();
            let made = SystemTime::UNIX_EPOCH + Duration::from_secs(age);
            file.set_modified(made).unwrap();
        }
        files.forget();
        let there = |name: &str| root.path().join(name).exists();
        let gone: Vec<&str> = names
            .iter()
            .map(|(name, _)| *name)
            .filter(|name| !there(name))
            .collect();
        assert_eq!(
            gone,
            [
                "0123456789abcdef.wasm",
                "0123456789abcdef-m1-01.cwasm.sha256",
                "2123456789abcdef-m1-01.cwasm"
            ]
        );
    }
}
