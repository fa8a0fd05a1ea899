//! Looks a WebAssembly binary over before any machine code is made of it: imports, start function, exports, sizes.
//!
//! Whether the code is valid is the engine's business; this only refuses what a reward has no use for.

use wasmparser::{ExternalKind, Import, Parser, Payload, TypeRef};

use crate::limits::Limits;
use crate::rejection::Rejection;
use crate::{abi, regex};

/// Elements a table may start with. A large reward has a few hundred.
const TABLE_LIMIT: u64 = 10_000;
/// Functions of a module. A large reward has about a thousand.
const FUNCTION_LIMIT: u64 = 10_000;
/// Bytes of one function's code: code generation takes more than linear time in it.
const FUNCTION_BYTES_LIMIT: u64 = 256 * 1024;
const PAGE_BYTES: u64 = 65_536;

/// What a module imports.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Imports {
    None,
    /// Functions of the regular-expression module.
    Expressions,
}

/// Refuses binaries that break the calling convention or the limits.
pub(crate) fn inspect(wasm: &[u8], limits: &Limits) -> Result<Imports, Rejection> {
    at_most(
        "a module",
        (wasm.len() as u64).div_ceil(1024),
        u64::from(limits.module_kib),
        "KiB",
    )?;
    let mut exports = Exports::default();
    let mut imports = Imports::None;
    for payload in Parser::new(0).parse_all(wasm) {
        match payload.map_err(malformed)? {
            Payload::Version {
                encoding: wasmparser::Encoding::Component,
                ..
            } => {
                return Err(Rejection::Malformed {
                    message: "a component, not a core module".to_owned(),
                });
            }
            Payload::ImportSection(section) => {
                for import in section.into_imports() {
                    check_import(&import.map_err(malformed)?)?;
                    imports = Imports::Expressions;
                }
            }
            Payload::StartSection { .. } => return Err(Rejection::Start),
            Payload::MemorySection(section) => {
                at_most("the number", u64::from(section.count()), 1, "memories")?;
                for memory in section {
                    let memory = memory.map_err(malformed)?;
                    let bytes = memory.initial.saturating_mul(PAGE_BYTES);
                    at_most(
                        "a memory",
                        bytes.div_ceil(1 << 20),
                        u64::from(limits.memory_mib),
                        "MiB",
                    )?;
                }
            }
            Payload::TableSection(section) => {
                at_most("the number", u64::from(section.count()), 1, "tables")?;
                for table in section {
                    at_most(
                        "a table",
                        table.map_err(malformed)?.ty.initial,
                        TABLE_LIMIT,
                        "elements",
                    )?;
                }
            }
            Payload::CodeSectionStart { count, .. } => {
                at_most("the number", u64::from(count), FUNCTION_LIMIT, "functions")?;
            }
            Payload::CodeSectionEntry(body) => {
                at_most(
                    "a function",
                    body.range().len() as u64,
                    FUNCTION_BYTES_LIMIT,
                    "bytes",
                )?;
            }
            Payload::ExportSection(section) => {
                for export in section {
                    let export = export.map_err(malformed)?;
                    exports.note(export.name, export.kind)?;
                }
            }
            _ => {}
        }
    }
    exports.complete()?;
    Ok(imports)
}

/// The regular-expression module's functions are all there is to import; their types are compared when they are linked.
fn check_import(import: &Import<'_>) -> Result<(), Rejection> {
    let is_function = matches!(import.ty, TypeRef::Func(_));
    if is_function && import.module == regex::IMPORT && regex::FUNCTIONS.contains(&import.name) {
        return Ok(());
    }
    let shortened = |name: &str| name.chars().take(80).collect();
    Err(Rejection::Import {
        module: shortened(import.module),
        name: shortened(import.name),
    })
}

/// Which of the wanted exports were seen.
#[derive(Default)]
struct Exports {
    memory: bool,
    prepare: bool,
    score: bool,
}

impl Exports {
    fn note(&mut self, name: &str, kind: ExternalKind) -> Result<(), Rejection> {
        match (name, kind) {
            (abi::MEMORY, ExternalKind::Memory) => self.memory = true,
            (abi::PREPARE, ExternalKind::Func) => self.prepare = true,
            (abi::SCORE | abi::SCORE_GROUP, ExternalKind::Func) if !self.score => self.score = true,
            (_, ExternalKind::Global) if abi::LINKER_EXPORTS.contains(&name) => {}
            _ => {
                let name: String = name.chars().take(80).collect();
                return Err(Rejection::Export {
                    what: format!("the module exports `{name}`, which is no part of a reward"),
                });
            }
        }
        Ok(())
    }

    fn complete(&self) -> Result<(), Rejection> {
        let wanted = [
            (self.memory, abi::MEMORY),
            (self.prepare, abi::PREPARE),
            (self.score, abi::SCORE),
        ];
        match wanted.iter().find(|(there, _)| !there) {
            None => Ok(()),
            Some((_, name)) => Err(Rejection::Export {
                what: format!(
                    "the module does not export `{name}`; it is no reward, or one for another version of the sandbox"
                ),
            }),
        }
    }
}

fn at_most(what: &str, size: u64, limit: u64, unit: &str) -> Result<(), Rejection> {
    if size <= limit {
        return Ok(());
    }
    Err(Rejection::TooLarge {
        what: what.to_owned(),
        size,
        limit,
        unit: unit.to_owned(),
    })
}

fn malformed(error: wasmparser::BinaryReaderError) -> Rejection {
    Rejection::Malformed {
        message: error.to_string(),
    }
}
