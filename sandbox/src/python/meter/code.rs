//! One core module: the same with counting in its code.

use wasm_encoder::{
    BlockType, Encode, EntityType, ExportSection, ImportSection, Instruction, Module, RawSection,
    ValType,
};
use wasmparser::{
    BinaryReader, CompositeInnerType, ConstExpr, DataKind, ElementKind, ExternalKind, FunctionBody,
    Operator, Parser, Payload, TypeRef,
};

use super::{Unfit, counter, cycles, kind};

/// Units for a turn of a loop, a call through a table, a call of a function that cuts a cycle. So chosen that a unit is
/// about one instruction of the guest, as it is for Rust guests.
const STEP: i64 = 32;
/// Bytes copied or filled at once for a unit, as a power of two.
const BYTES_A_UNIT: i64 = 3;
/// Each whole mebibyte copied or filled at once takes more, since it does not fit into the processor's caches: as powers of two, the
/// bytes of it and the units for it beside those above.
const LARGE_BYTES: i64 = 20;
const UNITS_FOR_LARGE: i64 = 19;
/// Bytes copied or filled at once that are part of the step around them.
const FEW_BYTES: i32 = 128;

/// A core module with counting in its code; one in which there is nothing to count as it is.
pub(super) fn metered(bytes: &[u8]) -> Result<Vec<u8>, Unfit> {
    let module = CoreModule::read(bytes)?;
    if module.counts {
        module.write()
    } else {
        Ok(bytes.to_vec())
    }
}

/// What there is to know of a module before it is written anew.
struct CoreModule<'a> {
    bytes: &'a [u8],
    /// Numbers of what it imports. The counter becomes the last of its imported globals.
    functions_imported: u32,
    counter: u32,
    /// For each function type its number of parameters.
    parameters: Vec<u32>,
    /// The type of each of its own functions.
    functions: Vec<u32>,
    /// Its own functions that cut all cycles of direct calls.
    cuts: Vec<bool>,
    /// There is something to count in it.
    counts: bool,
}

impl<'a> CoreModule<'a> {
    fn read(bytes: &'a [u8]) -> Result<Self, Unfit> {
        let mut module = Self {
            bytes,
            functions_imported: 0,
            counter: 0,
            parameters: Vec::new(),
            functions: Vec::new(),
            cuts: Vec::new(),
            counts: false,
        };
        let mut calls = Vec::new();
        for payload in Parser::new(0).parse_all(bytes) {
            match payload? {
                Payload::CodeSectionEntry(body) => calls.push(module.calls(&body)?),
                other => module.see(other)?,
            }
        }
        module.cuts = cycles::cuts(&calls);
        module.counts |= module.cuts.contains(&true);
        Ok(module)
    }

    fn see(&mut self, payload: Payload<'_>) -> Result<(), Unfit> {
        match payload {
            Payload::TypeSection(groups) => {
                for group in groups {
                    let types = group?.into_types().map(|ty| ty.composite_type.inner);
                    self.parameters.extend(types.map(|ty| match ty {
                        CompositeInnerType::Func(ty) => ty.params().len() as u32,
                        _ => 0,
                    }));
                }
            }
            Payload::ImportSection(imports) => {
                for import in imports.into_imports() {
                    match import?.ty {
                        TypeRef::Func(_) => self.functions_imported += 1,
                        TypeRef::Global(_) => self.counter += 1,
                        _ => {}
                    }
                }
            }
            Payload::FunctionSection(types) => {
                self.functions = types.into_iter().collect::<Result<_, _>>()?;
            }
            Payload::GlobalSection(globals) => {
                for global in globals {
                    self.check(&global?.init_expr)?;
                }
            }
            Payload::ElementSection(elements) => {
                for element in elements {
                    if let ElementKind::Active { offset_expr, .. } = element?.kind {
                        self.check(&offset_expr)?;
                    }
                }
            }
            Payload::DataSection(segments) => {
                for segment in segments {
                    if let DataKind::Active { offset_expr, .. } = segment?.kind {
                        self.check(&offset_expr)?;
                    }
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// The module's own functions that one of them calls directly.
    fn calls(&mut self, body: &FunctionBody<'_>) -> Result<Vec<u32>, Unfit> {
        let mut calls = Vec::new();
        for operator in body.get_operators_reader()? {
            match operator? {
                Operator::Call { function_index } => {
                    calls.extend(function_index.checked_sub(self.functions_imported));
                }
                Operator::Loop { .. } | Operator::CallIndirect { .. } => self.counts = true,
                other if is_strange(&other) => {
                    return Err(Unfit(format!("nobody counts {other:?}")));
                }
                _ => {}
            }
        }
        Ok(calls)
    }

    /// Only imported globals may stand in an initial expression: they keep their numbers.
    fn check(&self, expression: &ConstExpr<'_>) -> Result<(), Unfit> {
        for operator in expression.get_operators_reader() {
            if let Operator::GlobalGet { global_index } = operator?
                && global_index >= self.counter
            {
                return Err(Unfit("an initial value from an own global".to_owned()));
            }
        }
        Ok(())
    }

    fn write(&self) -> Result<Vec<u8>, Unfit> {
        let mut output = Module::new();
        let mut has_imports = false;
        let mut bodies = Vec::new();
        let mut done = 0;
        for payload in Parser::new(0).parse_all(self.bytes) {
            let payload = payload?;
            match &payload {
                Payload::ImportSection(imports) => {
                    has_imports = true;
                    let section = self.bytes.get(imports.range()).unwrap_or_default();
                    write_imports(&mut output, section)?;
                    continue;
                }
                Payload::FunctionSection(_) if !has_imports => write_imports(&mut output, &[0])?,
                Payload::ExportSection(exports) => {
                    let mut section = ExportSection::new();
                    for export in exports.clone() {
                        let export = export?;
                        let index = match export.kind {
                            ExternalKind::Global => self.shifted(export.index),
                            _ => export.index,
                        };
                        section.export(export.name, kind(export.kind)?, index);
                    }
                    output.section(&section);
                    continue;
                }
                Payload::CodeSectionStart { count, .. } => {
                    count.encode(&mut bodies);
                    continue;
                }
                Payload::CodeSectionEntry(body) => {
                    self.body(done, body)?.encode(&mut bodies);
                    done += 1;
                    if done == self.functions.len() {
                        output.section(&RawSection {
                            id: 10,
                            data: &bodies,
                        });
                    }
                    continue;
                }
                _ => {}
            }
            if let Some((id, range)) = payload.as_section() {
                output.section(&RawSection {
                    id,
                    data: self.bytes.get(range).unwrap_or_default(),
                });
            }
        }
        Ok(output.finish())
    }

    /// A global's number beside the counter.
    fn shifted(&self, global: u32) -> u32 {
        global + u32::from(global >= self.counter)
    }

    /// A function with counting in it.
    fn body(&self, number: usize, body: &FunctionBody<'_>) -> Result<Vec<u8>, Unfit> {
        let bytes = body.as_bytes();
        let start = body.range().start;
        let mut locals = body.get_locals_reader()?;
        let first = locals.original_position() - start;
        let (groups, mut spare) = (locals.get_count(), self.parameters_of(number)?);
        for _ in 0..groups {
            spare += locals.read()?.0;
        }
        let mut operators = body.get_operators_reader()?;
        let mut done = operators.original_position() - start;
        let mut code = Code {
            bytes: Vec::with_capacity(2 * bytes.len()),
            counter: self.counter,
            spare,
        };
        // One local more, for the length of a copy.
        (groups + 1).encode(&mut code.bytes);
        code.bytes.extend(&bytes[first..done]);
        1_u32.encode(&mut code.bytes);
        ValType::I32.encode(&mut code.bytes);
        if self.cuts[number] {
            code.step();
        }
        let mut length = None;
        while !operators.eof() {
            let operator = operators.read()?;
            let end = operators.original_position() - start;
            let same = &bytes[done..end];
            done = end;
            match operator {
                Operator::Loop { .. } => {
                    code.bytes.extend(same);
                    code.step();
                }
                Operator::CallIndirect { .. } => {
                    code.step();
                    code.bytes.extend(same);
                }
                Operator::MemoryCopy { .. }
                | Operator::MemoryFill { .. }
                | Operator::MemoryInit { .. } => {
                    if !length.is_some_and(|length| (0..=FEW_BYTES).contains(&length)) {
                        code.bulk();
                    }
                    code.bytes.extend(same);
                }
                Operator::GlobalGet { global_index } => {
                    code.put(&Instruction::GlobalGet(self.shifted(global_index)));
                }
                Operator::GlobalSet { global_index } => {
                    code.put(&Instruction::GlobalSet(self.shifted(global_index)));
                }
                _ => code.bytes.extend(same),
            }
            length = match operator {
                Operator::I32Const { value } => Some(value),
                _ => None,
            };
        }
        Ok(code.bytes)
    }

    fn parameters_of(&self, function: usize) -> Result<u32, Unfit> {
        let ty = self.functions.get(function);
        ty.and_then(|ty| self.parameters.get(*ty as usize))
            .copied()
            .ok_or_else(|| Unfit(format!("function {function} has no type")))
    }
}

/// The import section with the counter behind all others.
fn write_imports(output: &mut Module, section: &[u8]) -> Result<(), Unfit> {
    let (count, others) = counted(section)?;
    let mut more = ImportSection::new();
    more.import(
        counter::MODULE,
        counter::GLOBAL,
        EntityType::Global(counter::TYPE),
    );
    let mut encoded = Vec::new();
    more.encode(&mut encoded);
    // Its size comes first.
    let (_, encoded) = counted(&encoded)?;
    let mut data = Vec::new();
    (count + 1).encode(&mut data);
    data.extend(others);
    data.extend(counted(encoded)?.1);
    output.section(&RawSection { id: 2, data: &data });
    Ok(())
}

/// A number and what follows it.
fn counted(bytes: &[u8]) -> Result<(u32, &[u8]), Unfit> {
    let mut reader = BinaryReader::new(bytes, 0);
    let count = reader.read_var_u32()?;
    Ok((count, &bytes[reader.original_position()..]))
}

/// Instructions that no compiler of the guest uses, and that would need counting.
fn is_strange(operator: &Operator<'_>) -> bool {
    matches!(
        operator,
        Operator::ReturnCall { .. }
            | Operator::ReturnCallIndirect { .. }
            | Operator::CallRef { .. }
            | Operator::ReturnCallRef { .. }
            | Operator::TableFill { .. }
            | Operator::TableCopy { .. }
            | Operator::TableInit { .. }
            | Operator::TableGrow { .. }
            | Operator::I32TruncF32S
            | Operator::I32TruncF32U
            | Operator::I32TruncF64S
            | Operator::I32TruncF64U
            | Operator::I64TruncF32S
            | Operator::I64TruncF32U
            | Operator::I64TruncF64S
            | Operator::I64TruncF64U
    )
}

/// A function's code as it is written.
struct Code {
    bytes: Vec<u8>,
    counter: u32,
    /// A local nobody else uses.
    spare: u32,
}

impl Code {
    fn put(&mut self, instruction: &Instruction<'_>) {
        instruction.encode(&mut self.bytes);
    }

    fn step(&mut self) {
        self.put(&Instruction::GlobalGet(self.counter));
        self.put(&Instruction::I64Const(STEP));
        self.spend();
    }

    /// Counts the bytes whose number is on top of the stack, and leaves it there.
    fn bulk(&mut self) {
        self.put(&Instruction::LocalSet(self.spare));
        self.put(&Instruction::GlobalGet(self.counter));
        self.put(&Instruction::LocalGet(self.spare));
        self.put(&Instruction::I64ExtendI32U);
        self.put(&Instruction::I64Const(BYTES_A_UNIT));
        self.put(&Instruction::I64ShrU);
        self.put(&Instruction::LocalGet(self.spare));
        self.put(&Instruction::I64ExtendI32U);
        self.put(&Instruction::I64Const(LARGE_BYTES));
        self.put(&Instruction::I64ShrU);
        self.put(&Instruction::I64Const(UNITS_FOR_LARGE));
        self.put(&Instruction::I64Shl);
        self.put(&Instruction::I64Add);
        self.spend();
        self.put(&Instruction::LocalGet(self.spare));
    }

    /// Takes the number on top of the stack from the counter below it, and ends the call once that is below zero: by a
    /// conversion that traps, of which the guest has none.
    fn spend(&mut self) {
        self.put(&Instruction::I64Sub);
        self.put(&Instruction::GlobalSet(self.counter));
        self.put(&Instruction::GlobalGet(self.counter));
        self.put(&Instruction::I64Const(0));
        self.put(&Instruction::I64LtS);
        self.put(&Instruction::If(BlockType::Empty));
        self.put(&Instruction::F32Const(f32::NAN.into()));
        self.put(&Instruction::I32TruncF32S);
        self.put(&Instruction::Drop);
        self.put(&Instruction::Unreachable);
        self.put(&Instruction::End);
    }
}
