//! The one place where sources become modules and modules become reward functions. It keeps what it has loaded.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::compile::{Compiler, CompilerConfig};
use crate::engine::{RewardFn, Sandbox};
use crate::error::{CompileError, HostError};
use crate::limits::Limits;
use crate::mutants::{self, Mutant};
use crate::python::Progress;
use crate::source::{Language, Module, Source};

/// Compiles sources and loads modules, each module once for the same limits. Clones are cheap and share what was loaded; all
/// methods may be called from several threads at once.
///
/// Everything is set up when it is first needed: who only loads stored modules needs no rustc, and who scores no Python no
/// interpreter. What was loaded is kept within bounds, the least recently used goes first; a [`RewardFn`] in use is not
/// affected by that.
#[derive(Clone)]
pub struct Bench {
    shared: Arc<Shared>,
}

struct Shared {
    config: CompilerConfig,
    progress: Progress,
    compiler: Mutex<Option<Compiler>>,
    kept: Mutex<Kept>,
}

/// Engines that are kept, one for each set of limits. Each reserves address space for a pool of instances.
const MOST_SANDBOXES: usize = 4;
/// Reward functions that are kept.
const MOST_REWARDS: usize = 128;
/// Bytes of their modules together. Machine code takes several times that.
const MOST_BYTES: usize = 32 << 20;

/// What was loaded; the most recently used is last.
#[derive(Default)]
struct Kept {
    sandboxes: Vec<Sandbox>,
    rewards: Vec<Loaded>,
}

/// A module with limits, and the reward function it becomes.
#[derive(Clone)]
struct Loaded {
    module: Module,
    limits: Limits,
    /// Locked while it is loaded, so that others who want it wait; empty until then.
    reward: Arc<Mutex<Option<RewardFn>>>,
}

impl Default for Bench {
    /// A bench with the default settings of the compiler.
    fn default() -> Self {
        Self::new(CompilerConfig::default())
    }
}

impl Bench {
    /// A bench whose compiler will have these settings. Nothing is set up yet.
    #[must_use]
    pub fn new(config: CompilerConfig) -> Self {
        Self::with_progress(config, Arc::new(|_| {}))
    }

    /// The same; `progress` hears of it if a Python reward makes the Python guest be built.
    #[must_use]
    pub fn with_progress(config: CompilerConfig, progress: Progress) -> Self {
        Self {
            shared: Arc::new(Shared {
                config,
                progress,
                compiler: Mutex::default(),
                kept: Mutex::default(),
            }),
        }
    }

    /// Finds the compiler and builds what it needs, unless that was done before. [`Bench::compile`] does it by itself; this is for
    /// whoever wants to know before a long run.
    ///
    /// # Errors
    /// As [`Compiler::new`].
    pub fn compiler(&self) -> Result<Compiler, HostError> {
        let mut compiler = lock(&self.shared.compiler);
        match &*compiler {
            Some(compiler) => Ok(compiler.clone()),
            None => {
                let new = Compiler::new(self.shared.config.clone())?;
                Ok(compiler.insert(new).clone())
            }
        }
    }

    /// Compiles a source. Python is only packed and needs no compiler.
    ///
    /// # Errors
    /// [`CompileError::Rejected`] with the source's fault, [`CompileError::Host`] with the machine's.
    pub fn compile(&self, source: &Source) -> Result<Module, CompileError> {
        match source.language {
            Language::Rust => self.compiler()?.compile(source),
            Language::Python => Ok(Module::python(&source.code)),
        }
    }

    /// The module as a reward function under these limits, loaded now or before.
    ///
    /// # Errors
    /// As [`Sandbox::load`] and [`Sandbox::new`]. A failure is not kept: the next call tries again.
    pub fn load(&self, module: &Module, limits: &Limits) -> Result<RewardFn, CompileError> {
        let loaded = self.kept().entry(module, limits);
        let mut reward = lock(&loaded.reward);
        if let Some(reward) = &*reward {
            return Ok(reward.clone());
        }
        let outcome = self
            .sandbox(limits)
            .map_err(CompileError::from)
            .and_then(|sandbox| sandbox.load(module));
        match outcome {
            Ok(new) => Ok(reward.insert(new).clone()),
            Err(error) => {
                self.kept().forget(&loaded);
                Err(error)
            }
        }
    }

    /// The names of the rewards in a Python file, each as [`Source::with_function`] takes it.
    ///
    /// # Errors
    /// [`CompileError::Rejected`] if it cannot be read, [`CompileError::Host`] with the machine's trouble.
    pub fn functions(&self, code: &str) -> Result<Vec<String>, CompileError> {
        self.sandbox(&Limits::default())?.functions(code)
    }

    /// Small changes to a reward's source, at most so many, each in one place: a comparison turned round, a term left out, another number. Some may
    /// not compile. Completions whose scores none of them moves say nothing of that place.
    ///
    /// # Errors
    /// As [`Bench::functions`]; of Rust that cannot be read there are none.
    pub fn mutants(&self, source: &Source, most: u32) -> Result<Vec<Mutant>, CompileError> {
        match source.language {
            Language::Rust => Ok(mutants::of_rust(&source.code, most)),
            Language::Python => self
                .sandbox(&Limits::default())?
                .mutants(&source.code, most),
        }
    }

    /// The engine for these limits, started now or before.
    ///
    /// # Errors
    /// As [`Sandbox::new`].
    pub fn sandbox(&self, limits: &Limits) -> Result<Sandbox, HostError> {
        let mut kept = self.kept();
        if let Some(place) = kept.sandboxes.iter().position(|s| s.limits() == limits) {
            let known = kept.sandboxes.remove(place);
            kept.sandboxes.push(known.clone());
            return Ok(known);
        }
        let new = Sandbox::with_progress(limits.clone(), Arc::clone(&self.shared.progress))?;
        if kept.sandboxes.len() == MOST_SANDBOXES {
            let oldest = kept.sandboxes.remove(0);
            kept.rewards
                .retain(|loaded| loaded.limits != *oldest.limits());
        }
        kept.sandboxes.push(new.clone());
        Ok(new)
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        lock(&self.shared.kept)
    }
}

impl Kept {
    /// The place of a module under these limits, which is now the most recently used.
    fn entry(&mut self, module: &Module, limits: &Limits) -> Loaded {
        let known = self
            .rewards
            .iter()
            .position(|loaded| loaded.module == *module && loaded.limits == *limits);
        let loaded = match known {
            Some(place) => self.rewards.remove(place),
            None => Loaded {
                module: module.clone(),
                limits: limits.clone(),
                reward: Arc::default(),
            },
        };
        self.rewards.push(loaded.clone());
        let mut bytes = 0;
        let fitting = self.rewards.iter().rev().take_while(|loaded| {
            bytes += loaded.module.bytes().len();
            bytes <= MOST_BYTES
        });
        // The one that is wanted now stays, however large it is.
        let keep = fitting.count().clamp(1, MOST_REWARDS);
        self.rewards.drain(..self.rewards.len() - keep);
        loaded
    }

    fn forget(&mut self, failed: &Loaded) {
        self.rewards
            .retain(|loaded| !Arc::ptr_eq(&loaded.reward, &failed.reward));
    }
}

impl std::fmt::Debug for Bench {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Bench")
            .field("config", &self.shared.config)
            .finish_non_exhaustive()
    }
}

/// What a panicking thread left is whole: every change is a single step.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::path::PathBuf;
    use std::thread;

    use super::*;

    /// A bench without a compiler.
    fn bench() -> Bench {
        Bench::new(CompilerConfig {
            rustc: Some(PathBuf::from("/no/such/rustc")),
            ..CompilerConfig::default()
        })
    }

    /// A good module, and the same with a comment of so many bytes.
    fn module(comment: usize) -> Module {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures");
        let text = std::fs::read(format!("{folder}/wat/good.wat")).unwrap();
        let mut bytes = wat::parse_bytes(&text).unwrap().into_owned();
        if comment > 0 {
            let section = wasm_encoder::CustomSection {
                name: "comment".into(),
                data: vec![7; comment].into(),
            };
            bytes.push(0);
            wasm_encoder::Encode::encode(&section, &mut bytes);
        }
        Module::from_bytes(bytes)
    }

    #[test]
    fn a_module_is_loaded_once_for_the_same_limits() {
        let bench = bench();
        let (module, limits) = (module(0), Limits::default());
        let mut all: Vec<RewardFn> = thread::scope(|scope| {
            let load = || bench.clone().load(&module, &limits).unwrap();
            let threads: Vec<_> = (0..4).map(|_| scope.spawn(load)).collect();
            threads.into_iter().map(|t| t.join().unwrap()).collect()
        });
        all.push(bench.load(&module.clone(), &limits).unwrap());
        assert!(all.iter().all(|reward| reward.is(&all[0])));
        let other = Limits {
            fuel_per_call: 1_000_000,
            ..limits
        };
        assert!(!bench.load(&module, &other).unwrap().is(&all[0]));
    }

    #[test]
    fn a_bench_that_only_loads_needs_no_compiler() {
        let bench = bench();
        bench.load(&module(0), &Limits::default()).unwrap();
        bench.compile(&Source::python("x = 1")).unwrap();
        let error = bench.compile(&Source::rust("")).unwrap_err();
        assert!(
            matches!(error, CompileError::Host(HostError::NoRustc { .. })),
            "{error}"
        );
    }

    #[test]
    fn a_module_that_is_refused_is_not_kept() {
        let bench = bench();
        let error = bench.load(&Module::from_bytes(*b"x"), &Limits::default());
        assert!(matches!(error, Err(CompileError::Rejected(_))));
        assert_eq!(bench.kept().rewards.len(), 0);
    }

    #[test]
    fn what_is_kept_is_bounded() {
        let bench = bench();
        let limits = Limits {
            module_kib: 16 << 10,
            ..Limits::default()
        };
        let first = module(1);
        let loaded = bench.load(&first, &limits).unwrap();
        for size in [10 << 20, (10 << 20) + 1, (10 << 20) + 2] {
            bench.load(&module(size), &limits).unwrap();
        }
        assert!(bench.load(&first, &limits).unwrap().is(&loaded));
        bench.load(&module((10 << 20) + 3), &limits).unwrap();
        assert_eq!(
            bench.kept().rewards.len(),
            4,
            "the first of the large ones had to go"
        );
        assert!(bench.load(&first, &limits).unwrap().is(&loaded));

        for number in 1..=MOST_SANDBOXES as u64 {
            let other = Limits {
                fuel_per_call: number,
                concurrent_calls: 1,
                ..Limits::default()
            };
            bench.load(&first, &other).unwrap();
        }
        let kept = bench.kept();
        assert_eq!(kept.sandboxes.len(), MOST_SANDBOXES);
        assert!(kept.rewards.iter().all(|loaded| loaded.limits != limits));
    }
}
