//! Answers for what a Python reward asks `math_verify`: by the rules of our own, which are a WebAssembly module without imports. It runs in an
//! engine of its own, with fuel and a bound on memory; a question depends on nothing but its text.

use std::sync::Arc;

use serde_json::{Value, json};
use wasmtime::{
    Config, Engine, InstancePre, Linker, Memory, Module as Code, Store, StoreLimits,
    StoreLimitsBuilder, TypedFunc,
};

use crate::cache::{self, machine_code};
use crate::digest;
use crate::engine_error::engine_error;
use crate::error::HostError;

/// The rules that judge answers (the crate `evaluator`) as a WebAssembly module without imports; `evaluator/verdict-module` says how it is asked.
pub const VERDICT_MODULE: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/verdict.wasm"));
/// Fuel for one question: many times what the longest answers take.
const FUEL: u64 = 2_000_000_000;
/// Bytes of its memory.
const MEMORY_BYTES: usize = 256 << 20;
/// In the flags of a record: right, or understood.
const YES: u8 = 1;
/// The same: there is an answer.
const HAS_ANSWER: u8 = 2;

/// The rules, ready to be asked.
pub(crate) struct Rules {
    engine: Engine,
    code: InstancePre<StoreLimits>,
}

/// The module's exports in a store.
struct Live {
    store: Store<StoreLimits>,
    memory: Memory,
    room: TypedFunc<u32, u32>,
    configure: TypedFunc<(), u64>,
    compare: TypedFunc<u32, u64>,
    extract: TypedFunc<(), u64>,
    /// The strategies that were asked for last.
    strategies: Value,
}

impl Rules {
    /// Takes the module's machine code from the cache, or makes it, which takes some seconds.
    pub(super) fn open() -> Result<Arc<Self>, HostError> {
        let mut config = Config::new();
        config
            .consume_fuel(true)
            .cranelift_nan_canonicalization(true)
            .wasm_relaxed_simd(false);
        let engine = Engine::new(&config).map_err(engine_error)?;
        let name = digest::hex(&digest::sha256(VERDICT_MODULE)[..8]);
        let kept = cache::folder().and_then(|folder| {
            let folder = folder.join("verdict");
            machine_code::open(&engine, &folder, &format!("verdict-{name}"), || {
                Ok(VERDICT_MODULE.to_vec())
            })
        });
        let code: Code = match kept {
            Ok(code) => code,
            Err(error) => {
                tracing::warn!("the module that judges answers cannot be kept: {error}");
                Code::from_binary(&engine, VERDICT_MODULE).map_err(engine_error)?
            }
        };
        let code = Linker::new(&engine)
            .instantiate_pre(&code)
            .map_err(engine_error)?;
        Ok(Arc::new(Self { engine, code }))
    }

    /// One answer a question. A question that makes no sense, or takes too much, is answered with no.
    pub(super) fn answers(&self, questions: &[String]) -> Result<Vec<String>, HostError> {
        let mut live = self.live()?;
        let mut answers = Vec::with_capacity(questions.len());
        for question in questions {
            match live.answer(question) {
                Ok(answer) => answers.push(answer),
                Err(_) => {
                    // What trapped may have left anything.
                    live = self.live()?;
                    answers.push(String::new());
                }
            }
        }
        Ok(answers)
    }

    fn live(&self) -> Result<Live, HostError> {
        let limits = StoreLimitsBuilder::new().memory_size(MEMORY_BYTES).build();
        let mut store = Store::new(&self.engine, limits);
        store.limiter(|limits| limits);
        let made = store.set_fuel(FUEL).and_then(|()| {
            let instance = self.code.instantiate(&mut store)?;
            Ok(Live {
                memory: instance
                    .get_memory(&mut store, "memory")
                    .ok_or_else(|| wasmtime::Error::msg("no memory"))?,
                room: instance.get_typed_func(&mut store, "room")?,
                configure: instance.get_typed_func(&mut store, "configure")?,
                compare: instance.get_typed_func(&mut store, "compare")?,
                extract: instance.get_typed_func(&mut store, "extract")?,
                strategies: Value::Null,
                store,
            })
        });
        made.map_err(engine_error)
    }
}

impl Live {
    fn answer(&mut self, question: &str) -> wasmtime::Result<String> {
        self.store.set_fuel(FUEL)?;
        let question: Vec<Value> = serde_json::from_str(question)?;
        match question.as_slice() {
            [
                Value::String(kind),
                Value::String(given),
                Value::String(reference),
            ] if kind == "compare" => {
                self.put(&[given, reference])?;
                let record = self.compare.call(&mut self.store, given.len() as u32)?;
                let (flags, _) = self.record(record)?;
                Ok(if flags & YES != 0 { "1" } else { "0" }.to_owned())
            }
            [Value::String(kind), Value::String(text), strategies] if kind == "extract" => {
                self.look_for(strategies)?;
                self.put(&[text])?;
                let record = self.extract.call(&mut self.store, ())?;
                let (flags, answer) = self.record(record)?;
                Ok(if flags & HAS_ANSWER != 0 {
                    format!("+{answer}")
                } else {
                    String::new()
                })
            }
            _ => Err(wasmtime::Error::msg("no question")),
        }
    }

    /// Says where answers are looked for.
    fn look_for(&mut self, strategies: &Value) -> wasmtime::Result<()> {
        if self.strategies == *strategies {
            return Ok(());
        }
        let settings = match strategies {
            Value::Null => json!({}),
            named => json!({"extraction": named}),
        };
        self.put(&[&settings.to_string()])?;
        let record = self.configure.call(&mut self.store, ())?;
        let (flags, _) = self.record(record)?;
        if flags & YES == 0 {
            return Err(wasmtime::Error::msg("no such strategies"));
        }
        self.strategies = strategies.clone();
        Ok(())
    }

    fn put(&mut self, texts: &[&str]) -> wasmtime::Result<()> {
        let text = texts.concat();
        let at = self.room.call(&mut self.store, text.len() as u32)?;
        Ok(self
            .memory
            .write(&mut self.store, at as usize, text.as_bytes())?)
    }

    /// The flags and the text of a record: its address is the high half, its length the low one.
    fn record(&self, at: u64) -> wasmtime::Result<(u8, String)> {
        let (address, length) = ((at >> 32) as usize, at as u32 as usize);
        let bytes = self.memory.data(&self.store);
        let record = bytes.get(address..address + length);
        match record.and_then(<[u8]>::split_first) {
            Some((flags, text)) => Ok((*flags, String::from_utf8_lossy(text).into_owned())),
            None => Err(wasmtime::Error::msg("no record")),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn questions_are_answered_by_the_rules() {
        let rules = Rules::open().unwrap();
        let ask = |question: Value| rules.answers(&[question.to_string()]).unwrap().remove(0);
        assert_eq!(ask(json!(["compare", "0.5", r"\frac{1}{2}"])), "1");
        assert_eq!(ask(json!(["compare", "0.6", r"\frac{1}{2}"])), "0");
        let text = r"I say 3, and so it is \boxed{4}.";
        assert_eq!(ask(json!(["extract", text, null])), "+4");
        assert_eq!(ask(json!(["extract", "so it is 5", ["boxed"]])), "");
        assert_eq!(ask(json!(["extract", "nothing here", null])), "");
        assert_eq!(ask(json!(["what?"])), "");
        assert_eq!(
            rules
                .answers(&[
                    "no JSON".to_owned(),
                    json!(["compare", "1", "1"]).to_string()
                ])
                .unwrap(),
            ["", "1"]
        );
    }
}
