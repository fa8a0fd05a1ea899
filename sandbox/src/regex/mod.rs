//! Regular expressions for guests: the host's side of `re.compile` and `re.search`, the only imports there are.
//!
//! The work is done by a module of our own (`regex-module`: the `regex` crate as WebAssembly), which runs in the store of the
//! call that asks, in a memory of its own: same fuel, same deadline, same memory limit, gone with the instance. This file
//! only carries texts across. It trusts neither side: every address and length is checked, and a guest that gives a wrong
//! one ends there.
//!
//! The texts of the sample under judgement are carried over once, when the first of them is searched; what a guest makes
//! itself is carried over for each search. An instance starts with what `warm` has kept for the reward.

pub(crate) mod warm;

use std::ops::Range;
use std::sync::Arc;

use wasmtime::{
    AsContextMut, Caller, Engine, InstancePre, Linker, Memory, Module as Code, TypedFunc,
};

use crate::cache::{self, machine_code};
use crate::digest;
use crate::engine::engine_error;
use crate::engine::{Breach, Guest};
use crate::error::HostError;
use warm::Warm;

/// The module, built by this crate's build script.
const MODULE: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/regex.wasm"));
/// Its memory, by name.
pub(crate) const MEMORY: &str = "memory";
/// Name of the module in a guest's imports.
pub(crate) const IMPORT: &str = "re";
/// The functions in it.
pub(crate) const FUNCTIONS: [&str; 2] = ["compile", "search"];

/// The regular expressions of one guest: what to start them from, and the instance once there was need of one.
#[derive(Default)]
pub(crate) struct Expressions {
    code: Option<InstancePre<Guest>>,
    warm: Option<Arc<Warm>>,
    live: Option<Arc<Live>>,
    /// The instance has the texts of the sample under judgement.
    has_sample: bool,
    /// Whatever is on its way from one memory to the other.
    cargo: Vec<u8>,
}

impl Expressions {
    /// For a guest that may ask for expressions, if there is code.
    pub(crate) fn new(code: Option<InstancePre<Guest>>, warm: Option<Arc<Warm>>) -> Self {
        Self {
            code,
            warm,
            ..Self::default()
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
    room: TypedFunc<u32, u32>,
    adopt: TypedFunc<(), ()>,
    compile: TypedFunc<(), u64>,
    search: TypedFunc<SearchArguments, u64>,
}

/// Machine code of the module: from the cache, else made now, which takes a second. Where there is no place for a cache it
/// is made every time.
pub(crate) fn open(engine: &Engine) -> Result<InstancePre<Guest>, HostError> {
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
pub(crate) fn linker(engine: &Engine) -> wasmtime::Result<Linker<Guest>> {
    let mut linker = Linker::new(engine);
    let [compile_name, search_name] = FUNCTIONS;
    linker.func_wrap(
        IMPORT,
        compile_name,
        |mut guest: Caller<'_, Guest>, text: u32, length: u32, result: u32, room: u32| {
            compile(&mut guest, text, length, Place::new(result, room))
        },
    )?;
    linker.func_wrap(
        IMPORT,
        search_name,
        |mut guest: Caller<'_, Guest>,
         pattern: u32,
         groups: u32,
         text: u32,
         length: u32,
         from: u32,
         after_match: u32,
         result: u32,
         room: u32| {
            let query = Query {
                pattern,
                groups,
                from,
                after_match,
            };
            search(&mut guest, &query, text, length, Place::new(result, room))
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
struct Place {
    address: usize,
    room: usize,
}

impl Place {
    const fn new(address: u32, room: u32) -> Self {
        Self {
            address: address as usize,
            room: room as usize,
        }
    }
}

/// `re.compile(text, length, result, room) -> length of the result`.
fn compile(
    guest: &mut Caller<'_, Guest>,
    text: u32,
    length: u32,
    result: Place,
) -> wasmtime::Result<u32> {
    let live = &*live(guest)?;
    carry_over(guest, live, text as usize, length as usize)?;
    let description = live.compile.call(guest.as_context_mut(), ())?;
    carry_back(guest, live, description, &result)
}

/// `re.search(pattern, groups, text, length, from, after_match, result, room) -> length of the result`.
fn search(
    guest: &mut Caller<'_, Guest>,
    query: &Query,
    text: u32,
    length: u32,
    result: Place,
) -> wasmtime::Result<u32> {
    let live = &*live(guest)?;
    let most = result.room / (8 * query.groups.max(1) as usize);
    let in_sample = guest.data().place_in_sample(text as usize, length as usize);
    let start = match &in_sample {
        Some(range) => {
            carry_sample(guest, live)?;
            range.start
        }
        None => {
            carry_over(guest, live, text as usize, length as usize)?;
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
    carry_back(guest, live, found, &result)
}

/// The module's instance, started at the first question.
fn live(guest: &mut Caller<'_, Guest>) -> wasmtime::Result<Arc<Live>> {
    if let Some(live) = &guest.data().expressions.live {
        return Ok(Arc::clone(live));
    }
    let code = guest.data().expressions.code.clone();
    let code = code.ok_or(Breach("it imports regular expressions without saying so"))?;
    let instance = code.instantiate(guest.as_context_mut())?;
    let mut store = guest.as_context_mut();
    let live = Arc::new(Live {
        memory: instance
            .get_memory(&mut store, MEMORY)
            .ok_or(OUR_OWN_FAULT)?,
        room: instance.get_typed_func(&mut store, "room")?,
        adopt: instance.get_typed_func(&mut store, "adopt")?,
        compile: instance.get_typed_func(&mut store, "compile")?,
        search: instance.get_typed_func(&mut store, "search")?,
    });
    if let Some(warm) = guest.data().expressions.warm.clone() {
        warm.restore(live.memory, guest.as_context_mut())?;
    }
    guest.data_mut().expressions.live = Some(Arc::clone(&live));
    Ok(live)
}

const OUR_OWN_FAULT: Breach = Breach("the regular-expression module answers nonsense");

/// Carries a text of the guest's into the module's room.
fn carry_over(
    guest: &mut Caller<'_, Guest>,
    live: &Live,
    address: usize,
    length: usize,
) -> wasmtime::Result<()> {
    let memory = guest.data().memory()?;
    let (bytes, data) = memory.data_and_store_mut(guest.as_context_mut());
    let text = bytes
        .get(range(address, length))
        .ok_or(Breach("it asks for a search outside its memory"))?;
    data.expressions.cargo.clear();
    data.expressions.cargo.extend_from_slice(text);
    let room = live.room.call(guest.as_context_mut(), length as u32)?;
    let (bytes, data) = live.memory.data_and_store_mut(guest.as_context_mut());
    bytes
        .get_mut(range(room as usize, length))
        .ok_or(OUR_OWN_FAULT)?
        .copy_from_slice(&data.expressions.cargo);
    Ok(())
}

/// Sees to it that the module has the texts of the sample under judgement.
fn carry_sample(guest: &mut Caller<'_, Guest>, live: &Live) -> wasmtime::Result<()> {
    if guest.data().expressions.has_sample {
        return Ok(());
    }
    let length = guest.data().texts().len();
    let room = live.room.call(guest.as_context_mut(), length as u32)?;
    let (bytes, data) = live.memory.data_and_store_mut(guest.as_context_mut());
    bytes
        .get_mut(range(room as usize, length))
        .ok_or(OUR_OWN_FAULT)?
        .copy_from_slice(data.texts());
    data.expressions.has_sample = true;
    live.adopt.call(guest.as_context_mut(), ())
}

/// Carries a result of the module's (address in the high half, length in the low one) to where the guest wants it; what
/// does not fit is left out.
fn carry_back(
    guest: &mut Caller<'_, Guest>,
    live: &Live,
    result: u64,
    place: &Place,
) -> wasmtime::Result<u32> {
    let (address, length) = ((result >> 32) as usize, result as u32 as usize);
    let length = length.min(place.room);
    let memory = guest.data().memory()?;
    let (bytes, data) = live.memory.data_and_store_mut(guest.as_context_mut());
    let bytes = bytes.get(range(address, length)).ok_or(OUR_OWN_FAULT)?;
    data.expressions.cargo.clear();
    data.expressions.cargo.extend_from_slice(bytes);
    let (bytes, data) = memory.data_and_store_mut(guest.as_context_mut());
    bytes
        .get_mut(range(place.address, length))
        .ok_or(Breach("it wants a result outside its memory"))?
        .copy_from_slice(&data.expressions.cargo);
    Ok(length as u32)
}

/// Addresses have 32 bits, so this cannot overflow.
const fn range(address: usize, length: usize) -> Range<usize> {
    address..address + length
}
