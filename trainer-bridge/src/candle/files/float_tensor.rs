//! Floats on their way into a safetensors file.

use std::borrow::Cow;

use safetensors::{Dtype, View};

/// A float tensor on its way into a safetensors file.
pub struct FloatTensor {
    shape: Vec<usize>,
    bytes: Vec<u8>,
}

impl FloatTensor {
    /// Little-endian copy of the values.
    pub fn new(values: &[f32], shape: Vec<usize>) -> Self {
        Self {
            shape,
            bytes: values
                .iter()
                .flat_map(|value| value.to_le_bytes())
                .collect(),
        }
    }
}

impl View for FloatTensor {
    fn dtype(&self) -> Dtype {
        Dtype::F32
    }

    fn shape(&self) -> &[usize] {
        &self.shape
    }

    fn data(&self) -> Cow<'_, [u8]> {
        Cow::Borrowed(&self.bytes)
    }

    fn data_len(&self) -> usize {
        self.bytes.len()
    }
}
