//! Looks a WebAssembly binary over before any machine code is made of it: imports, start function, exports, sizes.
//!
//! Whether the code is valid is the engine's business; this only refuses what a reward has no use for.

use wasmparser::{ExternalKind, FunctionBody, Import, Operator, Parser, Payload, TypeRef};

use crate::limits::Limits;
use crate::rejection::Rejection;
use crate::{abi, regex};

/// Elements a table may start with. A large reward has a few hundred.
const TABLE_LIMIT: u64 = 10_000;
/// Functions of a module. A large reward has about a thousand.
const FUNCTION_LIMIT: u64 = 10_000;
/// Bytes of one function's code: code generation takes more than linear time in it.
const FUNCTION_BYTES_LIMIT: u64 = 256 * 1024;
// What else making machine code takes time and memory for. Behind each limit stands what the largest function of our own
// regular-expression module has, which is larger than rewards are.
/// Types of functions; 27.
const TYPE_LIMIT: u64 = 1000;
/// Parameters and results of one; about 10.
const TYPE_WIDTH_LIMIT: u64 = 64;
/// Local variables of one function; 982.
const LOCAL_LIMIT: u64 = 5000;
/// Local variables of all functions together; 10,309.
const LOCALS_LIMIT: u64 = 100_000;
/// Blocks inside each other; 67. A `match` takes as many as it has arms.
const NESTING_LIMIT: u64 = 1000;
/// Loops inside each other.
const LOOP_NESTING_LIMIT: u64 = 64;
/// Local variables times blocks and branches: each variable is followed through each of them; 899,512.
const FLOW_LIMIT: u64 = 4_000_000;
/// Calls in one function; 195.
const CALL_LIMIT: u64 = 5000;
/// Roundings of floating-point numbers in all functions together: each becomes a call where the processor has no instruction for it;
/// 0, and a few in a reward.
const ROUNDING_LIMIT: u64 = 10_000;
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
    let mut all = Counted::default();
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
            Payload::TypeSection(section) => {
                at_most(
                    "the number",
                    u64::from(section.count()),
                    TYPE_LIMIT,
                    "types",
                )?;
                for of in section.into_iter_err_on_gc_types() {
                    let of = of.map_err(malformed)?;
                    let width = of.params().len() + of.results().len();
                    at_most("a type", width as u64, TYPE_WIDTH_LIMIT, "values")?;
                }
            }
            Payload::CodeSectionEntry(body) => all.add(check_function(&body)?),
            Payload::ExportSection(section) => {
                for export in section {
                    let export = export.map_err(malformed)?;
                    exports.note(export.name, export.kind)?;
                }
            }
            _ => {}
        }
    }
    at_most("the number", all.locals, LOCALS_LIMIT, "local variables")?;
    at_most("the number", all.roundings, ROUNDING_LIMIT, "roundings")?;
    exports.complete()?;
    Ok(imports)
}

/// What is bounded in all functions together.
#[derive(Default)]
struct Counted {
    locals: u64,
    roundings: u64,
}

impl Counted {
    const fn add(&mut self, other: Self) {
        self.locals = self.locals.saturating_add(other.locals);
        self.roundings = self.roundings.saturating_add(other.roundings);
    }
}

/// Bounds what making machine code of a function takes, and refuses what rewards have no use for.
fn check_function(body: &FunctionBody<'_>) -> Result<Counted, Rejection> {
    let bytes = body.range().len() as u64;
    at_most("a function", bytes, FUNCTION_BYTES_LIMIT, "bytes")?;
    let mut locals = 0_u64;
    for group in body.get_locals_reader().map_err(malformed)? {
        let (count, _) = group.map_err(malformed)?;
        locals = locals.saturating_add(u64::from(count));
    }
    at_most("a function", locals, LOCAL_LIMIT, "local variables")?;
    let (mut joins, mut calls, mut loops, mut roundings) = (0_u64, 0_u64, 0_u64, 0_u64);
    // Whether each of the blocks around the current place is a loop.
    let mut around = Vec::new();
    for operator in body.get_operators_reader().map_err(malformed)? {
        match operator.map_err(malformed)? {
            operator @ (Operator::Block { .. } | Operator::Loop { .. } | Operator::If { .. }) => {
                let is_loop = matches!(operator, Operator::Loop { .. });
                loops += u64::from(is_loop);
                around.push(is_loop);
                joins += 1;
                at_most("a nest", around.len() as u64, NESTING_LIMIT, "blocks")?;
                at_most("a nest", loops, LOOP_NESTING_LIMIT, "loops")?;
            }
            // The last one ends the function.
            Operator::End => loops -= u64::from(around.pop() == Some(true)),
            Operator::Br { .. } | Operator::BrIf { .. } => joins += 1,
            Operator::BrTable { targets } => joins += u64::from(targets.len()) + 1,
            Operator::Call { .. } | Operator::CallIndirect { .. } => calls += 1,
            operator if is_rounding(&operator) => roundings += 1,
            operator if is_done_by_call(&operator) => {
                return Err(Rejection::Malformed {
                    message: "an instruction on tables, references or segments, of which a reward has none".to_owned(),
                });
            }
            _ => {}
        }
    }
    at_most("a function", calls, CALL_LIMIT, "calls")?;
    let flow = locals.saturating_mul(joins);
    at_most("a function", flow, FLOW_LIMIT, "variables times branches")?;
    Ok(Counted { locals, roundings })
}

const fn is_rounding(operator: &Operator<'_>) -> bool {
    matches!(
        operator,
        Operator::F32Ceil
            | Operator::F32Floor
            | Operator::F32Trunc
            | Operator::F32Nearest
            | Operator::F64Ceil
            | Operator::F64Floor
            | Operator::F64Trunc
            | Operator::F64Nearest
    )
}

/// Instructions for which the engine calls a function of its own: they take much longer than the fuel for them says. No compiler
/// of rewards makes one.
fn is_done_by_call(operator: &Operator<'_>) -> bool {
    matches!(
        operator,
        Operator::RefFunc { .. }
            | Operator::RefNull { .. }
            | Operator::RefIsNull
            | Operator::TableGet { .. }
            | Operator::TableSet { .. }
            | Operator::TableSize { .. }
            | Operator::TableGrow { .. }
            | Operator::TableFill { .. }
            | Operator::TableCopy { .. }
            | Operator::TableInit { .. }
            | Operator::ElemDrop { .. }
            | Operator::MemoryInit { .. }
            | Operator::DataDrop { .. }
    )
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
