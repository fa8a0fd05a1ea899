//! Which state of its weights a model is in.

use std::sync::{Arc, Weak};

/// Names one state of some weights: two models with the same version have the same weights.
#[derive(Debug, Clone)]
pub struct Version(Arc<()>);

/// Remembers a version without keeping it in use.
#[derive(Debug, Clone)]
pub struct VersionMark(Weak<()>);

impl Version {
    /// A version that nothing has had before.
    pub fn new() -> Self {
        Self(Arc::new(()))
    }

    /// What remembers it.
    pub fn mark(&self) -> VersionMark {
        VersionMark(Arc::downgrade(&self.0))
    }
}

impl VersionMark {
    /// Whether some model has weights of this version.
    pub fn is_in_use(&self) -> bool {
        self.0.strong_count() > 0
    }

    /// Whether it remembers this version.
    pub fn is_of(&self, version: &Version) -> bool {
        std::ptr::eq(self.0.as_ptr(), Arc::as_ptr(&version.0))
    }
}
