//! The calling convention: what the host reads from a guest's memory.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    sandbox_fuzz::panic_message(data);
    sandbox_fuzz::scores(data);
});
