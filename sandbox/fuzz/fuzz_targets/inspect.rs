//! The look at a WebAssembly binary before the engine sees it.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    sandbox_fuzz::inspect_module(data);
});
