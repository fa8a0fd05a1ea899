//! The binomial and the normal law.

pub(crate) mod binomial;
pub(crate) mod normal;
