//! How a test says that it leaves something out for want of what it needs.
#![allow(clippy::print_stderr, clippy::panic)]

/// Says on standard error what is left out and why. Where everything has to be tested, with `REWARD_SEARCH_REQUIRE_ALL=1` as in CI, it
/// fails instead.
pub fn skip(why: &str) {
    let is_required = std::env::var("REWARD_SEARCH_REQUIRE_ALL").is_ok_and(|value| value == "1");
    assert!(
        !is_required,
        "{why}, and REWARD_SEARCH_REQUIRE_ALL=1 asks for all tests"
    );
    eprintln!("SKIPPED: {why}");
}
