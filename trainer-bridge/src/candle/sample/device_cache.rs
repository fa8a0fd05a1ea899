//! Keys and values of the rows being sampled, on a device.
//!
//! Prompts are aligned on the right, so that every row's next token comes to lie in the same column; what stands left of a prompt is masked.

use candle_core::{DType, Device, Result, Tensor};

/// Columns that are added when the room is used up.
const STRETCH: usize = if cfg!(test) { 8 } else { 256 };

/// Room for the columns of every row in every layer.
pub struct DeviceCache {
    layers: Vec<[Tensor; 2]>,
    /// `[rows, 1, 1, capacity]`: what stands left of a row's prompt cannot be seen.
    mask: Tensor,
    filled: usize,
}

impl DeviceCache {
    /// For rows whose prompts begin at these columns and end with column `filled`.
    pub fn new(starts: &[usize], filled: usize, device: &Device) -> Result<Self> {
        let capacity = filled + STRETCH;
        let mut mask = vec![0.0_f32; starts.len() * capacity];
        for (row, &start) in mask.chunks_exact_mut(capacity).zip(starts) {
            row[..start].fill(f32::NEG_INFINITY);
        }
        Ok(Self {
            layers: Vec::new(),
            mask: Tensor::from_vec(mask, (starts.len(), 1, 1, capacity), device)?,
            filled,
        })
    }

    /// Stores a layer's keys and values of the prompts, `[rows, kv heads, filled, dim]`; layers come in order.
    pub fn push_layer(&mut self, keys: &Tensor, values: &Tensor) -> Result<()> {
        self.layers.push([widened(keys)?, widened(values)?]);
        Ok(())
    }

    /// Stores a layer's keys and values of one new column, `[rows, kv heads, 1, dim]`, and gives all of them so far.
    pub fn append(&mut self, layer: usize, keys: &Tensor, values: &Tensor) -> Result<[Tensor; 2]> {
        let [all_keys, all_values] = &self.layers[layer];
        all_keys.slice_set(keys, 2, self.filled)?;
        all_values.slice_set(values, 2, self.filled)?;
        let seen = |all: &Tensor| all.narrow(2, 0, self.filled + 1);
        Ok([seen(all_keys)?, seen(all_values)?])
    }

    /// What the new column may see.
    pub fn mask(&self) -> Result<Tensor> {
        self.mask.narrow(3, 0, self.filled + 1)
    }

    /// Goes on to the next column once every layer has stored its own.
    pub fn advance(&mut self) -> Result<()> {
        self.filled += 1;
        if self.filled < self.mask.dim(3)? {
            return Ok(());
        }
        for tensor in self.layers.iter_mut().flatten() {
            *tensor = widened(tensor)?;
        }
        let rows = self.mask.dim(0)?;
        let more = Tensor::zeros((rows, 1, 1, STRETCH), DType::F32, self.mask.device())?;
        self.mask = Tensor::cat(&[&self.mask, &more], 3)?;
        Ok(())
    }

    /// Keeps some rows alone.
    pub fn keep(&mut self, rows: &Tensor) -> Result<()> {
        for tensor in self.layers.iter_mut().flatten() {
            *tensor = tensor.index_select(rows, 0)?;
        }
        self.mask = self.mask.index_select(rows, 0)?;
        Ok(())
    }
}

/// With room for more columns.
fn widened(x: &Tensor) -> Result<Tensor> {
    let (rows, pairs, columns, dim) = x.dims4()?;
    let wide = (rows, pairs, columns + STRETCH, dim);
    let wide = Tensor::zeros(wide, x.dtype(), x.device())?;
    wide.slice_set(&x.contiguous()?, 2, 0)?;
    Ok(wide)
}
