//! The source check on any text.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    sandbox_fuzz::check(data);
});
