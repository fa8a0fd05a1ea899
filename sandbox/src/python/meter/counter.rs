//! The counter: a module with one global, in front of all others, and its two exports at the component's end.

use wasm_encoder::{
    Alias, CanonicalFunctionSection, CodeSection, Component, ComponentAliasSection,
    ComponentExportKind, ComponentExportSection, ComponentTypeSection, ConstExpr, ExportKind,
    ExportSection, Function, FunctionSection, GlobalSection, GlobalType, Instruction, Module,
    PrimitiveValType, TypeSection, ValType,
};
use wasmparser::{
    CanonicalFunction, ComponentAlias, ComponentExternalKind, ComponentOuterAliasKind,
    ComponentTypeRef, ExternalKind, Payload,
};

use super::Unfit;

/// Sets the counter: `func(units: u64)`.
pub(in crate::python) const FILL: &str = "fill-fuel";
/// What is left of it: `func() -> u64`.
pub(in crate::python) const LEFT: &str = "fuel-left";
/// The name under which the other modules import it.
pub(super) const MODULE: &str = "reward-search";
pub(super) const GLOBAL: &str = "fuel";

/// Type of the counter. It ends below zero.
pub(super) const TYPE: GlobalType = GlobalType {
    val_type: ValType::I64,
    mutable: true,
    shared: false,
};

pub(super) fn module() -> Module {
    let mut types = TypeSection::new();
    types.ty().function([ValType::I64], []);
    types.ty().function([], [ValType::I64]);
    let mut functions = FunctionSection::new();
    functions.function(0).function(1);
    let mut globals = GlobalSection::new();
    globals.global(TYPE, &ConstExpr::i64_const(0));
    let mut exports = ExportSection::new();
    exports
        .export(GLOBAL, ExportKind::Global, 0)
        .export(FILL, ExportKind::Func, 0)
        .export(LEFT, ExportKind::Func, 1);
    let mut fill = Function::new([]);
    fill.instruction(&Instruction::LocalGet(0))
        .instruction(&Instruction::GlobalSet(0))
        .instruction(&Instruction::End);
    let mut left = Function::new([]);
    left.instruction(&Instruction::GlobalGet(0))
        .instruction(&Instruction::End);
    let mut code = CodeSection::new();
    code.function(&fill).function(&left);
    let mut module = Module::new();
    module
        .section(&types)
        .section(&functions)
        .section(&globals)
        .section(&exports)
        .section(&code);
    module
}

/// How many there are of each kind of thing in the component so far: what is added gets the next numbers.
#[derive(Default)]
pub(super) struct Counts {
    types: u32,
    functions: u32,
    core_functions: u32,
}

impl Counts {
    pub(super) fn see(&mut self, payload: &Payload<'_>) -> Result<(), Unfit> {
        match payload {
            Payload::ComponentTypeSection(types) => self.types += types.count(),
            Payload::ComponentImportSection(imports) => {
                for import in imports.clone() {
                    self.item(match import?.ty {
                        ComponentTypeRef::Func(_) => ComponentExternalKind::Func,
                        ComponentTypeRef::Type(_) => ComponentExternalKind::Type,
                        _ => continue,
                    });
                }
            }
            Payload::ComponentExportSection(exports) => {
                for export in exports.clone() {
                    self.item(export?.kind);
                }
            }
            Payload::ComponentAliasSection(aliases) => {
                for alias in aliases.clone() {
                    match alias? {
                        ComponentAlias::CoreInstanceExport {
                            kind: ExternalKind::Func,
                            ..
                        } => self.core_functions += 1,
                        ComponentAlias::InstanceExport { kind, .. } => self.item(kind),
                        ComponentAlias::Outer {
                            kind: ComponentOuterAliasKind::Type,
                            ..
                        } => self.types += 1,
                        _ => {}
                    }
                }
            }
            Payload::ComponentCanonicalSection(functions) => {
                for function in functions.clone() {
                    match function? {
                        CanonicalFunction::Lift { .. } => self.functions += 1,
                        _ => self.core_functions += 1,
                    }
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn item(&mut self, kind: ComponentExternalKind) {
        match kind {
            ComponentExternalKind::Func => self.functions += 1,
            ComponentExternalKind::Type => self.types += 1,
            _ => {}
        }
    }

    /// Exports the counter's functions.
    pub(super) fn export(&self, component: &mut Component) {
        let mut aliases = ComponentAliasSection::new();
        for name in [FILL, LEFT] {
            aliases.alias(Alias::CoreInstanceExport {
                instance: 0,
                kind: ExportKind::Func,
                name,
            });
        }
        let unit = PrimitiveValType::U64.into();
        let mut types = ComponentTypeSection::new();
        types.function().params([("units", unit)]).result(None);
        let nothing: [(&str, wasm_encoder::ComponentValType); 0] = [];
        types.function().params(nothing).result(Some(unit));
        let mut functions = CanonicalFunctionSection::new();
        functions.lift(self.core_functions, self.types, []).lift(
            self.core_functions + 1,
            self.types + 1,
            [],
        );
        let mut exports = ComponentExportSection::new();
        // Exporting a function makes it one more function; no other comes after these.
        exports
            .export(FILL, ComponentExportKind::Func, self.functions, None)
            .export(LEFT, ComponentExportKind::Func, self.functions + 1, None);
        component
            .section(&aliases)
            .section(&types)
            .section(&functions)
            .section(&exports);
    }
}
