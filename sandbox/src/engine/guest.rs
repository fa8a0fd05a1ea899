//! A module made ready to be instantiated, and where its exports are.

use std::sync::{Arc, OnceLock};

use wasmtime::{
    Extern, ExternType, FuncType, InstancePre, Module as Code, ModuleExport, Store, TypedFunc,
    ValType,
};

use super::store_data::StoreData;
use crate::abi::{self, Breach};
use crate::regex::head_start::HeadStart;
use crate::rejection::Rejection;

/// A module made ready, and where its exports are.
pub(crate) struct GuestCode {
    pub(super) instance: InstancePre<StoreData>,
    /// For a module that imports them.
    pub(super) expressions: Option<InstancePre<StoreData>>,
    /// Their head start, once it was worked out; none for a reward that has no use for one.
    pub(super) head_start: OnceLock<Option<Arc<HeadStart>>>,
    memory: ModuleExport,
    prepare: ModuleExport,
    score: ModuleExport,
    /// It scores groups, not samples.
    pub(super) of_groups: bool,
}

impl GuestCode {
    /// Finds the exports and checks the types of the functions.
    pub(crate) fn new(
        instance: InstancePre<StoreData>,
        expressions: Option<InstancePre<StoreData>>,
    ) -> Result<Self, Rejection> {
        let code: &Code = instance.module();
        let engine = code.engine();
        let of_groups = code.get_export_index(abi::SCORE_GROUP).is_some();
        let wrong = |name: &str| Rejection::Export {
            what: format!("the export `{name}` has the wrong type"),
        };
        let find = |name: &str| code.get_export_index(name).ok_or_else(|| wrong(name));
        let function = |name: &str, wanted: &FuncType| match code.get_export(name) {
            Some(ExternType::Func(function)) if FuncType::eq(&function, wanted) => find(name),
            _ => Err(wrong(name)),
        };
        let (score, result) = if of_groups {
            (abi::SCORE_GROUP, ValType::I64)
        } else {
            (abi::SCORE, ValType::F64)
        };
        Ok(Self {
            memory: find(abi::MEMORY)?,
            prepare: function(
                abi::PREPARE,
                &FuncType::new(engine, [ValType::I32], [ValType::I64]),
            )?,
            score: function(score, &FuncType::new(engine, [], [result]))?,
            of_groups,
            instance,
            expressions,
            head_start: OnceLock::new(),
        })
    }

    /// Whether it scores groups, not samples.
    pub(crate) const fn is_of_groups(&self) -> bool {
        self.of_groups
    }

    /// Starts an instance and finds the functions to call.
    pub(super) fn instantiate(
        &self,
        store: &mut Store<StoreData>,
    ) -> wasmtime::Result<(TypedFunc<u32, u64>, Score)> {
        let instance = self.instance.instantiate(&mut *store)?;
        let mut export = |export| instance.get_module_export(&mut *store, export);
        let (Some(Extern::Memory(memory)), Some(Extern::Func(prepare)), Some(Extern::Func(score))) = (
            export(&self.memory),
            export(&self.prepare),
            export(&self.score),
        ) else {
            return Err(Breach("an export is missing").into());
        };
        let score = if self.of_groups {
            Score::OfGroup(score.typed(&*store)?)
        } else {
            Score::OfSample(score.typed(&*store)?)
        };
        let prepare = prepare.typed(&*store)?;
        store.data_mut().memory = Some(memory);
        Ok((prepare, score))
    }
}

/// How a guest scores.
pub(super) enum Score {
    OfSample(TypedFunc<(), f64>),
    OfGroup(TypedFunc<(), u64>),
}
