//! The interpreter's files in the user's cache: where they are, whether they are there, and who makes them.

use std::fs::{self, File};
use std::path::PathBuf;

use wasmtime::Engine;
use wasmtime::component::Component;

use super::{Progress, recipe, room};
use crate::{HostError, cache, machine_code};

/// Whether the Python guest is built, and where it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
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
    Files::locate()?.open(&room::engine()?, progress)?;
    guest_status()
}

/// Looks whether the Python guest is built.
///
/// # Errors
/// If there is no folder for the cache or the engine does not start.
pub fn guest_status() -> Result<GuestStatus, HostError> {
    let files = Files::locate()?;
    let machine_code = machine_code::path(&room::engine()?, &files.folder, recipe::id());
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
        let there = machine_code::path(engine, &self.folder, recipe::id()).is_file();
        let _lock = if there {
            None
        } else {
            Some(self.lock(progress)?)
        };
        machine_code::open(engine, &self.folder, recipe::id(), || self.wasm(progress))
    }

    fn component(&self) -> PathBuf {
        self.folder.join(format!("{}.wasm", recipe::id()))
    }

    fn wasm(&self, progress: &Progress) -> Result<Vec<u8>, HostError> {
        let component = self.component();
        let wasm = match cache::get(&component)? {
            Some(wasm) => wasm,
            None => {
                let wasm = recipe::build(&self.folder, progress)?;
                cache::put(&component, &wasm)?;
                wasm
            }
        };
        progress("Python guest: compiling it to machine code, about a quarter of a minute");
        Ok(wasm)
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
