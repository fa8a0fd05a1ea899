//! What the host keeps for a guest beside its memory: the samples it was given, its bounds, its regular expressions.

use std::ops::Range;

use wasmtime::{Memory, ResourceLimiter};

use crate::abi::Breach;
use crate::regex::{Expressions, Searcher};

/// Data of a guest's store.
pub(crate) struct StoreData {
    pub(super) expressions: Expressions<Self>,
    memory_limit: usize,
    /// Bytes of all its memories together.
    memory_used: usize,
    /// It asked for more than it may have.
    pub(super) denied: bool,
    pub(super) memory: Option<Memory>,
    /// Where the guest leaves the message of a panic.
    pub(super) message: usize,
    /// The samples under judgement as they were written, and where in the guest's memory.
    pub(super) input: Vec<u8>,
    pub(super) input_address: usize,
    /// Where in `input` the texts begin.
    pub(super) texts: usize,
}

impl StoreData {
    pub(super) fn new(memory_limit: usize, expressions: Expressions<Self>) -> Self {
        Self {
            expressions,
            memory_limit,
            memory_used: 0,
            denied: false,
            memory: None,
            message: 0,
            input: Vec::new(),
            input_address: 0,
            texts: 0,
        }
    }
}

impl Searcher for StoreData {
    fn expressions(&self) -> &Expressions<Self> {
        &self.expressions
    }

    fn expressions_mut(&mut self) -> &mut Expressions<Self> {
        &mut self.expressions
    }

    fn memory(&self) -> Result<Memory, Breach> {
        self.memory.ok_or(Breach("it has no memory yet"))
    }

    fn texts(&self) -> &[u8] {
        &self.input[self.texts..]
    }

    fn place_in_sample(&self, address: usize, length: usize) -> Option<Range<usize>> {
        let start = address.checked_sub(self.input_address + self.texts)?;
        (start + length <= self.texts().len()).then_some(start..start + length)
    }
}

impl ResourceLimiter for StoreData {
    /// A refusal ends the call, so that running out of memory is a verdict of its own and not whatever the guest makes of it.
    fn memory_growing(
        &mut self,
        current: usize,
        desired: usize,
        _: Option<usize>,
    ) -> wasmtime::Result<bool> {
        let used = self.memory_used.saturating_add(desired - current);
        if used > self.memory_limit {
            self.denied = true;
            return Err(wasmtime::Error::msg("memory limit"));
        }
        self.memory_used = used;
        Ok(true)
    }

    /// More than a memory of its type can hold is the guest's fault; what the system refuses is the host's.
    fn memory_grow_failed(&mut self, error: wasmtime::Error) -> wasmtime::Result<()> {
        self.denied = error.downcast_ref::<std::io::Error>().is_none();
        Err(error)
    }

    /// Tables are sized by the module and inspected before; nothing that rustc makes grows one.
    fn table_growing(
        &mut self,
        current: usize,
        desired: usize,
        _: Option<usize>,
    ) -> wasmtime::Result<bool> {
        Ok(desired <= current || current == 0)
    }
}
