//! The fuel of the Python guest: its own counter, put where it costs least.
//!
//! The engine's fuel is kept exact to the instruction, which makes an interpreter of many small functions a quarter slower
//! (`docs/reward-speed.md`). What verdicts need is less: a count that depends on nothing but the code and its input, and
//! that no code can escape. So this pass goes over the component once, before it is compiled, and lets it count in a global
//! of its own ([`counter`]):
//!
//! - each turn of a loop, each call through a table, and each call of a function that cuts a cycle of direct calls
//!   ([`cycles`]): no code runs for ever without one of them;
//! - the bytes that one instruction copies or fills.
//!
//! Memory cannot reach a global, so neither can a candidate. Nothing else changes: the interpreter computes what it did.

mod code;
mod counter;
mod cycles;

use wasm_encoder::{
    Alias, Component, ComponentAliasSection, ExportKind, InstanceSection, ModuleArg, ModuleSection,
    RawSection,
};
use wasmparser::{
    BinaryReaderError, ComponentAlias, Encoding, ExternalKind, Instance, Parser, Payload,
};
use wasmtime::Trap;

pub(super) use counter::{FILL, LEFT};

/// How a call ends whose fuel is used up. The guest has no other way to this trap: its own conversions do not trap.
pub(super) const OUT_OF_FUEL: Trap = Trap::BadConversionToInteger;
/// Changes whenever the result of this pass does: names the machine code made from it.
pub(super) const VERSION: &str = "m3";

/// Why a component is not one this pass understands.
#[derive(Debug, thiserror::Error)]
#[error("it cannot be metered: {0}")]
pub(super) struct Unfit(String);

impl From<BinaryReaderError> for Unfit {
    fn from(error: BinaryReaderError) -> Self {
        Self(error.to_string())
    }
}

/// The component with a counter in it and two more exports: [`FILL`] sets it, [`LEFT`] reads it.
///
/// # Errors
/// If it is not built as the linker of componentize-py builds components.
pub(super) fn metered(component: &[u8]) -> Result<Vec<u8>, Unfit> {
    let mut output = Output::default();
    let mut depth = 0_u32;
    for payload in Parser::new(0).parse_all(component) {
        let payload = payload?;
        match &payload {
            Payload::End(_) if depth > 0 => depth -= 1,
            Payload::ModuleSection { .. } | Payload::ComponentSection { .. } => {
                if depth == 0 {
                    output.section(component, &payload)?;
                }
                depth += 1;
            }
            _ if depth == 0 => output.section(component, &payload)?,
            _ => {}
        }
    }
    Ok(output.finish())
}

/// The component as it is written anew.
#[derive(Default)]
struct Output {
    component: Component,
    modules: u32,
    counts: counter::Counts,
    counting: bool,
}

impl Output {
    fn section(&mut self, bytes: &[u8], payload: &Payload<'_>) -> Result<(), Unfit> {
        self.counts.see(payload)?;
        match payload {
            Payload::Version { encoding, .. } if *encoding != Encoding::Component => {
                Err(Unfit("it is a module".to_owned()))
            }
            Payload::ModuleSection { .. } if self.counting => {
                Err(Unfit("a module comes after the first instance".to_owned()))
            }
            Payload::ModuleSection {
                unchecked_range, ..
            } => {
                self.modules += 1;
                self.raw(1, &code::metered(&bytes[unchecked_range.clone()])?);
                Ok(())
            }
            Payload::ComponentSection {
                unchecked_range, ..
            } => {
                self.raw(4, &bytes[unchecked_range.clone()]);
                Ok(())
            }
            Payload::InstanceSection(instances) => {
                self.start_counting();
                let mut section = InstanceSection::new();
                for made in instances.clone() {
                    instance(&mut section, &made?)?;
                }
                self.component.section(&section);
                Ok(())
            }
            Payload::ComponentAliasSection(aliases) => {
                let mut section = ComponentAliasSection::new();
                for alias in aliases.clone() {
                    section.alias(shifted(&alias?)?);
                }
                self.component.section(&section);
                Ok(())
            }
            // Its names would be off by one.
            Payload::CustomSection(_) => Ok(()),
            _ => {
                if let Some((id, range)) = payload.as_section() {
                    self.raw(id, &bytes[range]);
                }
                Ok(())
            }
        }
    }

    /// Puts the counter before the first instance; all others get a number one higher.
    fn start_counting(&mut self) {
        if !self.counting {
            self.counting = true;
            self.component.section(&ModuleSection(&counter::module()));
            let none: [(&str, ModuleArg); 0] = [];
            self.component
                .section(InstanceSection::new().instantiate(self.modules, none));
        }
    }

    fn raw(&mut self, id: u8, data: &[u8]) {
        self.component.section(&RawSection { id, data });
    }

    fn finish(mut self) -> Vec<u8> {
        self.counts.export(&mut self.component);
        self.component.finish()
    }
}

/// Writes how an instance is made, with the counter for all that is made of a module.
fn instance(section: &mut InstanceSection, instance: &Instance<'_>) -> Result<(), Unfit> {
    match instance {
        Instance::Instantiate { module_index, args } => {
            let mut shifted = vec![(counter::MODULE, ModuleArg::Instance(0))];
            shifted.extend(
                args.iter()
                    .map(|arg| (arg.name, ModuleArg::Instance(arg.index + 1))),
            );
            section.instantiate(*module_index, shifted);
        }
        Instance::FromExports(exports) => {
            let exports = exports
                .iter()
                .map(|export| Ok((export.name, kind(export.kind)?, export.index)))
                .collect::<Result<Vec<_>, Unfit>>()?;
            section.export_items(exports);
        }
    }
    Ok(())
}

fn shifted<'a>(alias: &ComponentAlias<'a>) -> Result<Alias<'a>, Unfit> {
    match *alias {
        ComponentAlias::CoreInstanceExport {
            kind: what,
            instance_index,
            name,
        } => Ok(Alias::CoreInstanceExport {
            instance: instance_index + 1,
            kind: kind(what)?,
            name,
        }),
        _ => Err(Unfit("an alias of a component's item".to_owned())),
    }
}

fn kind(kind: ExternalKind) -> Result<ExportKind, Unfit> {
    Ok(match kind {
        ExternalKind::Func => ExportKind::Func,
        ExternalKind::Table => ExportKind::Table,
        ExternalKind::Memory => ExportKind::Memory,
        ExternalKind::Global => ExportKind::Global,
        ExternalKind::Tag | ExternalKind::FuncExact => {
            return Err(Unfit(format!("an export of the kind {kind:?}")));
        }
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use wasmtime::component::{Component, Instance, Linker};
    use wasmtime::{Engine, Store};

    use super::*;

    /// Every way to go on for ever: loops, calls by name and by table, in one function and in turn; and copying.
    const ENDLESS: &str = r#"(component
        (core module $base
            (memory (export "memory") 16)
            (global (export "base") i32 (i32.const 5)))
        (core module $main
            (import "base" "memory" (memory 16))
            (import "base" "base" (global $base i32))
            (type $step (func (param i32) (result i32)))
            (table 2 funcref)
            (elem (i32.const 0) $bounce)
            (global $own (mut i32) (i32.const 7))
            (export "own" (global $own))
            (func $spin (export "spin") (param i32) (result i32)
                (loop $again
                    (br_if $again (local.tee 0 (i32.sub (local.get 0) (i32.const 1)))))
                (i32.add (global.get $base) (global.get $own)))
            (func $even (export "even") (param i32) (result i32)
                (if (result i32) (local.get 0)
                    (then (call $odd (i32.sub (local.get 0) (i32.const 1))))
                    (else (i32.const 1))))
            (func $odd (param i32) (result i32)
                (if (result i32) (local.get 0)
                    (then (call $even (i32.sub (local.get 0) (i32.const 1))))
                    (else (i32.const 0))))
            (func $bounce (export "bounce") (type $step)
                (if (result i32) (local.get 0)
                    (then (call_indirect (type $step) (i32.sub (local.get 0) (i32.const 1)) (i32.const 0)))
                    (else (i32.const 3))))
            (func (export "copy") (param i32) (result i32) (local i64)
                (memory.copy (i32.const 0) (i32.const 64) (local.get 0))
                (global.set $own (i32.const 9))
                (i32.add (global.get $own) (i32.wrap_i64 (local.get 1))))
            (func (export "plain") (param i32) (result i32)
                (memory.fill (i32.const 0) (i32.const 1) (i32.const 64))
                (local.get 0)))
        (core instance $b (instantiate $base))
        (core instance $m (instantiate $main (with "base" (instance $b))))
        (func (export "spin") (param "n" u32) (result u32) (canon lift (core func $m "spin")))
        (func (export "even") (param "n" u32) (result u32) (canon lift (core func $m "even")))
        (func (export "bounce") (param "n" u32) (result u32) (canon lift (core func $m "bounce")))
        (func (export "copy") (param "n" u32) (result u32) (canon lift (core func $m "copy")))
        (func (export "plain") (param "n" u32) (result u32) (canon lift (core func $m "plain"))))"#;

    /// Calls an export with so much fuel: what it returns, and what it took.
    fn call(name: &str, n: u32, fuel: u64) -> wasmtime::Result<(u32, u64)> {
        let engine = Engine::default();
        let metered = metered(&wat::parse_str(ENDLESS).unwrap()).unwrap();
        let component = Component::new(&engine, metered)?;
        let mut store = Store::new(&engine, ());
        let guest: Instance = Linker::new(&engine).instantiate(&mut store, &component)?;
        let fill = guest.get_typed_func::<(u64,), ()>(&mut store, FILL)?;
        let left = guest.get_typed_func::<(), (u64,)>(&mut store, LEFT)?;
        let export = guest.get_typed_func::<(u32,), (u32,)>(&mut store, name)?;
        fill.call(&mut store, (fuel,))?;
        let (result,) = export.call(&mut store, (n,))?;
        Ok((result, fuel - left.call(&mut store, ())?.0))
    }

    #[test]
    fn work_is_counted_and_nothing_else_changes() {
        let fuel = 1_000_000;
        for (name, n, result, steps) in [
            ("spin", 10, 12, 10),
            // Every second of eleven calls.
            ("even", 10, 1, 6),
            ("bounce", 10, 3, 10),
            ("copy", 64 * 256, 9, 64),
            ("plain", 4, 4, 0),
        ] {
            let counted = call(name, n, fuel).unwrap();
            assert_eq!(counted, (result, steps * 32), "{name}");
        }
    }

    #[test]
    fn nothing_goes_on_without_fuel() {
        for (name, n) in [
            ("spin", 0),
            ("even", 10_000),
            ("bounce", 10_000),
            ("copy", 1_000_000),
        ] {
            let error = call(name, n, 32 * 1000).unwrap_err();
            assert_eq!(error.downcast_ref(), Some(&OUT_OF_FUEL), "{name}");
        }
    }

    #[test]
    fn what_cannot_be_counted_is_refused() {
        let module = wat::parse_str("(module)").unwrap();
        assert!(metered(&module).is_err());
        let traps = "(component (core module (func (param f32) (result i32) (i32.trunc_f32_s (local.get 0)))))";
        let error = metered(&wat::parse_str(traps).unwrap()).unwrap_err();
        assert!(error.to_string().contains("I32TruncF32S"), "{error}");
    }
}
