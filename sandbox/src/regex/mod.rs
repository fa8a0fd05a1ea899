//! Regular expressions for guests: the host's side of `re.compile` and `re.search`, the only imports there are.
//!
//! The work is done by a module of our own (`regex-module`: the `regex` crate as WebAssembly), which runs in the store of the
//! call that asks, in a memory of its own: same fuel, same deadline, same memory limit, gone with the instance. This file
//! only carries texts across. It trusts neither side: every address and length is checked, and a guest that gives a wrong
//! one ends there.
//!
//! The texts of the sample under judgement are carried over once, when the first of them is searched; what a guest makes
//! itself is carried over for each search. An instance starts with what `head_start` has kept for the reward.

pub(crate) mod head_start;

use std::ops::Range;
use std::sync::Arc;

use wasmtime::{
    AsContextMut, Caller, Engine, InstancePre, Linker, Memory, Module as Code, TypedFunc,
};

use crate::abi::Breach;
use crate::cache::{self, machine_code};
use crate::digest;
use crate::engine_error::engine_error;
use crate::error::HostError;
use head_start::HeadStart;

/// The regular expressions that a reward's `re` imports are answered by, as a WebAssembly module without imports (`regex-module`).
pub const MODULE: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/regex.wasm"));
/// Its memory, by name.
pub(crate) const MEMORY: &str = "memory";
/// Name of the module in a guest's imports.
pub(crate) const IMPORT: &str = "re";
/// The functions in it.
pub(crate) const FUNCTIONS: [&str; 2] = ["compile", "search"];

/// What this module needs to know of the guest that searches; the data of its store.
pub(crate) trait Searcher: Sized + 'static {
    /// Its regular expressions.
    fn expressions(&self) -> &Expressions<Self>;
    /// The same, to be changed.
    fn expressions_mut(&mut self) -> &mut Expressions<Self>;
    /// Its memory.
    fn memory(&self) -> Result<Memory, Breach>;
    /// The texts of the samples under judgement, one after the other.
    fn texts(&self) -> &[u8];
    /// Where in [`texts`](Self::texts) the given part of its memory lies, if it does.
    fn place_in_sample(&self, address: usize, length: usize) -> Option<Range<usize>>;
}

/// The regular expressions of one guest: what to start them from, and the instance once there was need of one.
pub(crate) struct Expressions<G> {
    code: Option<InstancePre<G>>,
    head_start: Option<Arc<HeadStart>>,
    live: Option<Arc<Live>>,
    /// The instance has the texts of the sample under judgement.
    has_sample: bool,
    /// What is being copied from one memory to the other.
    copied: Vec<u8>,
}

impl<G> Expressions<G> {
    /// For a guest that may ask for expressions, if there is code.
    pub(crate) fn new(code: Option<InstancePre<G>>, head_start: Option<Arc<HeadStart>>) -> Self {
        Self {
            code,
            head_start,
            live: None,
            has_sample: false,
            copied: Vec::new(),
        }
    }

    /// The module's memory, if there was need of it.
    pub(crate) fn memory(&self) -> Option<Memory> {
        self.live.as_ref().map(|live| live.memory)
    }

    /// Another sample came.
    pub(crate) const fn forget_sample(&mut self) {
        self.has_sample = false;
    }
}

/// Pattern, groups, most matches, whether in the sample, start, length, where from, whether after a match.
type SearchArguments = (u32, u32, u32, u32, u32, u32, u32, u32);

/// The module's exports.
struct Live {
    memory: Memory,
    reserve: TypedFunc<u32, u32>,
    adopt: TypedFunc<(), ()>,
    compile: TypedFunc<(), u64>,
    search: TypedFunc<SearchArguments, u64>,
}

/// Machine code of the module: from the cache, else made now, which takes a second. Where there is no place for a cache it
/// is made every time.
pub(crate) fn open<G: 'static>(engine: &Engine) -> Result<InstancePre<G>, HostError> {
    let kept = cache::folder().and_then(|folder| {
        machine_code::open(engine, &folder.join("regex"), &stem(), || {
            Ok(MODULE.to_vec())
        })
    });
    let code: Code = match kept {
        Ok(code) => code,
        Err(error) => {
            tracing::warn!("the regular-expression module cannot be kept: {error}");
            Code::from_binary(engine, MODULE).map_err(engine_error)?
        }
    };
    Linker::new(engine)
        .instantiate_pre(&code)
        .map_err(engine_error)
}

/// The module's name in the cache.
fn stem() -> String {
    let start = digest::hex(&digest::sha256(MODULE)[..8]);
    format!("regex-{start}")
}

/// The functions that guests may import.
pub(crate) fn linker<G: Searcher>(engine: &Engine) -> wasmtime::Result<Linker<G>> {
    let mut linker = Linker::new(engine);
    let [compile_name, search_name] = FUNCTIONS;
    linker.func_wrap(
        IMPORT,
        compile_name,
        |mut guest: Caller<'_, G>, text: u32, length: u32, result: u32, capacity: u32| {
            compile(&mut guest, text, length, Destination::new(result, capacity))
        },
    )?;
    linker.func_wrap(
        IMPORT,
        search_name,
        |mut guest: Caller<'_, G>,
         pattern: u32,
         groups: u32,
         text: u32,
         length: u32,
         from: u32,
         after_match: u32,
         result: u32,
         capacity: u32| {
            let query = Query {
                pattern,
                groups,
                from,
                after_match,
            };
            search(
                &mut guest,
                &query,
                text,
                length,
                Destination::new(result, capacity),
            )
        },
    )?;
    Ok(linker)
}

/// What a guest asks besides the text.
struct Query {
    pattern: u32,
    groups: u32,
    from: u32,
    after_match: u32,
}

/// Where in its memory a guest wants a result.
struct Destination {
    address: usize,
    capacity: usize,
}

impl Destination {
    const fn new(address: u32, capacity: u32) -> Self {
        Self {
            address: address as usize,
            capacity: capacity as usize,
        }
    }
}

/// `re.compile(text, length, result, capacity) -> length of the result`.
fn compile<G: Searcher>(
    guest: &mut Caller<'_, G>,
    text: u32,
    length: u32,
    result: Destination,
) -> wasmtime::Result<u32> {
    let live = &*live(guest)?;
    copy_in(guest, live, text as usize, length as usize)?;
    let description = live.compile.call(guest.as_context_mut(), ())?;
    copy_out(guest, live, description, &result)
}

/// `re.search(pattern, groups, text, length, from, after_match, result, capacity) -> length of the result`.
fn search<G: Searcher>(
    guest: &mut Caller<'_, G>,
    query: &Query,
    text: u32,
    length: u32,
    result: Destination,
) -> wasmtime::Result<u32> {
    let live = &*live(guest)?;
    let most = result.capacity / (8 * query.groups.max(1) as usize);
    let in_sample = guest.data().place_in_sample(text as usize, length as usize);
    let start = match &in_sample {
        Some(range) => {
            copy_sample(guest, live)?;
            range.start
        }
        None => {
            copy_in(guest, live, text as usize, length as usize)?;
            0
        }
    };
    let found = live.search.call(
        guest.as_context_mut(),
        (
            query.pattern,
            query.groups,
            most as u32,
            in_sample.is_some().into(),
            start as u32,
            length,
            query.from,
            query.after_match,
        ),
    )?;
    copy_out(guest, live, found, &result)
}

/// The module's instance, started at the first question.
fn live<G: Searcher>(guest: &mut Caller<'_, G>) -> wasmtime::Result<Arc<Live>> {
    if let Some(live) = &guest.data().expressions().live {
        return Ok(Arc::clone(live));
    }
    let code = guest.data().expressions().code.clone();
    let code = code.ok_or(Breach("it imports regular expressions without saying so"))?;
    let instance = code.instantiate(guest.as_context_mut())?;
    let mut store = guest.as_context_mut();
    let live = Arc::new(Live {
        memory: instance
            .get_memory(&mut store, MEMORY)
            .ok_or(OUR_OWN_FAULT)?,
        reserve: instance.get_typed_func(&mut store, "room")?,
        adopt: instance.get_typed_func(&mut store, "adopt")?,
        compile: instance.get_typed_func(&mut store, "compile")?,
        search: instance.get_typed_func(&mut store, "search")?,
    });
    if let Some(head_start) = guest.data().expressions().head_start.clone() {
        head_start.restore(live.memory, guest.as_context_mut())?;
    }
    guest.data_mut().expressions_mut().live = Some(Arc::clone(&live));
    Ok(live)
}

const OUR_OWN_FAULT: Breach = Breach("the regular-expression module answers nonsense");

/// Copies a text of the guest's to where the module has made room for it.
fn copy_in<G: Searcher>(
    guest: &mut Caller<'_, G>,
    live: &Live,
    address: usize,
    length: usize,
) -> wasmtime::Result<()> {
    let memory = guest.data().memory()?;
    let (bytes, data) = memory.data_and_store_mut(guest.as_context_mut());
    let text = bytes
        .get(range(address, length))
        .ok_or(Breach("it asks for a search outside its memory"))?;
    data.expressions_mut().copied.clear();
    data.expressions_mut().copied.extend_from_slice(text);
    let address = live.reserve.call(guest.as_context_mut(), length as u32)?;
    let (bytes, data) = live.memory.data_and_store_mut(guest.as_context_mut());
    bytes
        .get_mut(range(address as usize, length))
        .ok_or(OUR_OWN_FAULT)?
        .copy_from_slice(&data.expressions_mut().copied);
    Ok(())
}

/// Sees to it that the module has the texts of the sample under judgement.
fn copy_sample<G: Searcher>(guest: &mut Caller<'_, G>, live: &Live) -> wasmtime::Result<()> {
    if guest.data().expressions().has_sample {
        return Ok(());
    }
    let length = guest.data().texts().len();
    let address = live.reserve.call(guest.as_context_mut(), length as u32)?;
    let (bytes, data) = live.memory.data_and_store_mut(guest.as_context_mut());
    bytes
        .get_mut(range(address as usize, length))
        .ok_or(OUR_OWN_FAULT)?
        .copy_from_slice(data.texts());
    data.expressions_mut().has_sample = true;
    live.adopt.call(guest.as_context_mut(), ())
}

/// Copies a result of the module's (address in the high half, length in the low one) to where the guest wants it; what
/// does not fit is left out.
fn copy_out<G: Searcher>(
    guest: &mut Caller<'_, G>,
    live: &Live,
    result: u64,
    to: &Destination,
) -> wasmtime::Result<u32> {
    let (address, length) = ((result >> 32) as usize, result as u32 as usize);
    let length = length.min(to.capacity);
    let memory = guest.data().memory()?;
    let (bytes, data) = live.memory.data_and_store_mut(guest.as_context_mut());
    let bytes = bytes.get(range(address, length)).ok_or(OUR_OWN_FAULT)?;
    data.expressions_mut().copied.clear();
    data.expressions_mut().copied.extend_from_slice(bytes);
    let (bytes, data) = memory.data_and_store_mut(guest.as_context_mut());
    bytes
        .get_mut(range(to.address, length))
        .ok_or(Breach("it wants a result outside its memory"))?
        .copy_from_slice(&data.expressions_mut().copied);
    Ok(length as u32)
}

/// Addresses have 32 bits, so this cannot overflow.
const fn range(address: usize, length: usize) -> Range<usize> {
    address..address + length
}
