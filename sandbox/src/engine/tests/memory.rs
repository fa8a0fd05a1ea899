//! Whose fault it is when a memory cannot grow.

use wasmtime::ResourceLimiter as _;

use super::super::store_data::StoreData;
use crate::regex::Expressions;

#[test]
fn memory_that_the_system_refuses_is_not_the_guests_fault() {
    let denied = |error: wasmtime::Error| {
        let mut guest = StoreData::new(1 << 20, Expressions::new(None, None));
        assert!(guest.memory_grow_failed(error).is_err());
        guest.denied
    };
    let refused = std::io::Error::from(std::io::ErrorKind::OutOfMemory);
    assert!(!denied(refused.into()));
    assert!(denied(wasmtime::Error::msg("beyond the type's limit")));
}
