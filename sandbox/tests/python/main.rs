//! Rewards in Python from outside. Needs the Python guest, which `reward-search guest build` makes; without it these tests
//! say that they are skipped.
#![allow(clippy::unwrap_used, clippy::panic)]

mod hints;
mod hostile;
mod loading;
mod scoring;
#[path = "../skipping/mod.rs"]
mod skipping;
mod steady;

use std::sync::OnceLock;

use sandbox::{
    CompileError, Limits, Module, Rejection, RewardFn, Sample, Sandbox, Source, Verdict,
    guest_status,
};

/// One engine with the default limits for all tests; none, and a line that says so, where the guest is not built.
fn engine() -> Option<&'static Sandbox> {
    static SANDBOX: OnceLock<Option<Sandbox>> = OnceLock::new();
    let sandbox = SANDBOX.get_or_init(|| {
        let ready = guest_status().unwrap().ready;
        ready.then(|| Sandbox::new(Limits::default()).unwrap())
    });
    if sandbox.is_none() {
        skipping::skip("the Python guest is not built; `reward-search guest build` makes it");
    }
    sandbox.as_ref()
}

/// A reward from source.
fn reward(sandbox: &Sandbox, code: &str) -> RewardFn {
    load(sandbox, &Source::python(code)).unwrap_or_else(|error| panic!("{error}\n{code}"))
}

fn load(sandbox: &Sandbox, source: &Source) -> Result<RewardFn, Rejection> {
    sandbox
        .load(&Module::python(&source.code))
        .map_err(|error| match error {
            CompileError::Rejected(rejection) => rejection,
            CompileError::Host(error) => panic!("the host's trouble: {error}"),
        })
}

/// A sample without a verdict.
fn sample<'a>(prompt: &'a str, completion: &'a str, answer: &'a str) -> Sample<'a> {
    Sample {
        prompt,
        completion,
        answer,
        verdict: &Verdict::NO_ANSWER,
        row: "",
    }
}
