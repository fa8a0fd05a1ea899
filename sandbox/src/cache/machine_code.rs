//! Machine code of our own guests, kept in the user's cache so that it is made once.
//!
//! The engine takes such a file at its word: what is in it runs unchecked. So it is read only from a folder and a file that
//! are the user's alone, and only if its digest is right; anything else is made again from WebAssembly. Candidates never
//! get into the cache: theirs is made every time, in memory or by a second process of this program.
#![allow(
    unsafe_code,
    reason = "the engine marks the reading of machine code unsafe; `read` says what makes it sound"
)]

use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::path::{Path, PathBuf};

use wasmtime::Engine;
use wasmtime::component::Component;

use crate::cache;
use crate::engine_error::engine_error;
use crate::error::HostError;

/// What can be kept as machine code.
pub(crate) trait MachineCode: Sized {
    /// Compiles WebAssembly to a file's contents.
    fn compile(engine: &Engine, wasm: &[u8]) -> wasmtime::Result<Vec<u8>>;
    /// # Safety
    /// The file must hold what [`MachineCode::compile`] returned, and must not change as long as the result is in use.
    unsafe fn map(engine: &Engine, path: &Path) -> wasmtime::Result<Self>;
}

impl MachineCode for Component {
    fn compile(engine: &Engine, wasm: &[u8]) -> wasmtime::Result<Vec<u8>> {
        engine.precompile_component(wasm)
    }

    unsafe fn map(engine: &Engine, path: &Path) -> wasmtime::Result<Self> {
        // SAFETY: as for this function.
        unsafe { Self::deserialize_file(engine, path) }
    }
}

impl MachineCode for wasmtime::Module {
    fn compile(engine: &Engine, wasm: &[u8]) -> wasmtime::Result<Vec<u8>> {
        engine.precompile_module(wasm)
    }

    unsafe fn map(engine: &Engine, path: &Path) -> wasmtime::Result<Self> {
        // SAFETY: as for this function.
        unsafe { Self::deserialize_file(engine, path) }
    }
}

/// Where the code of a guest is for an engine: the name carries the engine's version and settings and the processor's
/// features, so that each finds its own.
pub(crate) fn path(engine: &Engine, folder: &Path, stem: &str) -> PathBuf {
    let mut hash = DefaultHasher::new();
    engine.precompile_compatibility_hash().hash(&mut hash);
    folder.join(format!("{stem}-{:016x}.cwasm", hash.finish()))
}

/// The code from the folder, or made from `wasm` and put there.
pub(crate) fn open<C: MachineCode>(
    engine: &Engine,
    folder: &Path,
    stem: &str,
    wasm: impl FnOnce() -> Result<Vec<u8>, HostError>,
) -> Result<C, HostError> {
    let path = path(engine, folder, stem);
    if let Some(code) = read(engine, &path)? {
        return Ok(code);
    }
    cache::create_private(folder)?;
    let code = C::compile(engine, &wasm()?).map_err(engine_error)?;
    cache::put(&path, &code)?;
    read(engine, &path)?.ok_or_else(|| HostError::Engine {
        message: format!("{} was just written and cannot be read", path.display()),
    })
}

/// The code in a file; `None` if there is no file, or not the one that was written.
fn read<C: MachineCode>(engine: &Engine, path: &Path) -> Result<Option<C>, HostError> {
    if cache::get(path)?.is_none() {
        return Ok(None);
    }
    // SAFETY: `cache::get` has checked that only this user can write to the folder and to the file, and that the file is what
    // `cache::put` left there; and files are replaced by renaming, never changed in place.
    let code = unsafe { C::map(engine, path) };
    // The engine compares version, settings and processor itself.
    code.map(Some).map_err(engine_error)
}

/// Machine code that a second process of this program has just made, in a folder that no other user can write to.
///
/// # Errors
/// If the engine does not take it: it compares version, settings and processor.
pub(crate) fn of_own_process(engine: &Engine, code: &[u8]) -> wasmtime::Result<wasmtime::Module> {
    // SAFETY: the same program has made it of a module with the same compiler, as this process would have; it is a copy in memory.
    unsafe { wasmtime::Module::deserialize(engine, code) }
}
