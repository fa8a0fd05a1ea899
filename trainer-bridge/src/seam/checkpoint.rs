//! The full state of a run between two steps, as a handle: opaque to all but the trainer that made it.

use std::{fmt, path::PathBuf, sync::Arc};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

/// The state of a run (weights, optimiser moments, step number). A run that goes on from it gives the same bits as one that never stopped.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Checkpoint {
    /// The step after which it was taken.
    pub step: u32,
    /// Where the state is.
    pub at: Location,
}

/// Where a checkpoint's state is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Location {
    /// Here, in the trainer's own encoding (safetensors for the candle trainer).
    Bytes(Bytes),
    /// In a folder of this machine.
    Folder(PathBuf),
    /// Wherever the trainer finds it by this address, an URL for instance.
    Address(String),
}

/// Bytes that are base64 text in JSON and cheap to clone.
#[derive(Clone, PartialEq, Eq)]
pub struct Bytes(pub Arc<[u8]>);

impl Checkpoint {
    /// A checkpoint whose state is at hand.
    pub fn of_bytes(step: u32, bytes: impl Into<Arc<[u8]>>) -> Self {
        let at = Location::Bytes(Bytes(bytes.into()));
        Self { step, at }
    }

    /// The state, if it is at hand.
    #[must_use]
    pub fn bytes(&self) -> Option<&[u8]> {
        match &self.at {
            Location::Bytes(bytes) => Some(&bytes.0),
            Location::Folder(_) | Location::Address(_) => None,
        }
    }
}

impl fmt::Debug for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Megabytes of weights help nobody.
        write!(f, "{} bytes", self.0.len())
    }
}

impl Serialize for Bytes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&BASE64_STANDARD.encode(&self.0))
    }
}

impl<'de> Deserialize<'de> for Bytes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let bytes = BASE64_STANDARD.decode(text).map_err(D::Error::custom)?;
        Ok(Self(bytes.into()))
    }
}
