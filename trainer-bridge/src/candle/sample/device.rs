//! Drawing completions on a device: prompts filled up on the left and run together, then a token of every row at a time. Logits come to
//! the host, which draws; the noise is that of the processor's path.

use candle_core::{DType, Result as CandleResult, Tensor};

use crate::{
    TrainError,
    candle::{
        decoder::{
            device::{
                attention::{Projected, as_rows},
                engine::DeviceEngine,
                functions::indices,
                ops::{DeviceAttention, DeviceOps, TensorRows},
                weights::DeviceWeights,
            },
            pass::{Keep, Tape},
        },
        kernels::attention::Heads,
        model::Model,
        sample::{
            Sampler,
            cpu::MAX_CACHE,
            device_cache::DeviceCache,
            rows::{Completion, Prompt, Rows, longest, portions, positions},
        },
    },
};

/// Most rows decoded together.
const MAX_ROWS: usize = 256;

/// Draws the completions of every prompt, in order.
pub fn sample(
    sampler: &Sampler<'_>,
    engine: &DeviceEngine,
    prompts: &[Prompt<'_>],
) -> Result<Vec<Vec<Completion>>, TrainError> {
    let weights = engine.weights(sampler.model)?;
    let decoder = Decoder {
        model: sampler.model,
        weights: &weights,
        heads: sampler.model.architecture().heads(),
    };
    let together = decoder.rows_together(positions(sampler.model, prompts, sampler.settings));
    let mut done = Vec::with_capacity(prompts.len());
    for portion in portions(prompts, together) {
        let rows = Rows::new(sampler.model, sampler.tokenizer, portion, sampler.settings);
        done.extend(decoder.run(portion, rows, sampler.step)?);
    }
    Ok(done)
}

/// A model on a device.
struct Decoder<'a> {
    model: &'a Model,
    weights: &'a DeviceWeights,
    heads: Heads,
}

/// A pass over prompts, whose keys and values go into the cache, once for each of their rows.
struct DevicePrefill<'a> {
    heads: Heads,
    columns: usize,
    mask: &'a Tensor,
    /// The prompt of each active row.
    of_rows: &'a Tensor,
    cache: &'a mut DeviceCache,
}

impl DeviceAttention for DevicePrefill<'_> {
    fn attend(&mut self, _: usize, fused: &Tensor) -> CandleResult<Tensor> {
        let projected = Projected::split(fused, self.columns, self.heads)?;
        let keys = projected.keys.index_select(self.of_rows, 0)?;
        let values = projected.values.index_select(self.of_rows, 0)?;
        self.cache.push_layer(&keys, &values)?;
        as_rows(&projected.attend(self.mask)?, self.heads)
    }
}

/// A pass over one new token of each row.
struct DeviceDecode<'a> {
    heads: Heads,
    mask: Tensor,
    cache: &'a mut DeviceCache,
}

impl DeviceAttention for DeviceDecode<'_> {
    fn attend(&mut self, layer: usize, fused: &Tensor) -> CandleResult<Tensor> {
        let mut projected = Projected::split(fused, 1, self.heads)?;
        [projected.keys, projected.values] =
            self.cache
                .append(layer, &projected.keys, &projected.values)?;
        as_rows(&projected.attend(&self.mask)?, self.heads)
    }
}

impl Decoder<'_> {
    /// Rows that can be decoded together when each may have so many positions.
    fn rows_together(&self, positions: usize) -> usize {
        let width = 2 * self.heads.kv_width() * self.model.architecture().num_hidden_layers;
        let bytes = width * positions * self.weights.dtype().size_in_bytes();
        (MAX_CACHE / bytes.max(1)).clamp(1, MAX_ROWS)
    }

    /// Draws the completions of the rows' prompts. `step` stands in the error messages.
    fn run(
        &self,
        prompts: &[Prompt<'_>],
        mut rows: Rows<'_>,
        step: u32,
    ) -> Result<Vec<Vec<Completion>>, TrainError> {
        if rows.active().is_empty() {
            return Ok(rows.finish());
        }
        let (mut cache, mut logits) = self.prefill(prompts, &rows)?;
        loop {
            let before = rows.active().len();
            let drawn = rows.draw(&logits).map_err(|trouble| trouble.at(step))?;
            if drawn.tokens.is_empty() {
                return Ok(rows.finish());
            }
            if drawn.places.len() < before {
                let places: Vec<u32> = drawn.places.iter().map(|&place| place as u32).collect();
                cache.keep(&indices(&places, self.weights.device())?)?;
            }
            logits = self.decode(&drawn.tokens, &rows.positions(), &mut cache)?;
        }
    }

    /// Runs every prompt once. Gives the cache of the active rows, and the logits of each one's first token.
    fn prefill(
        &self,
        prompts: &[Prompt<'_>],
        rows: &Rows<'_>,
    ) -> CandleResult<(DeviceCache, Vec<f32>)> {
        let device = self.weights.device();
        let columns = longest(prompts);
        let starts: Vec<usize> = prompts.iter().map(|p| columns - p.tokens.len()).collect();
        let (mut tokens, mut positions) = (Vec::new(), Vec::new());
        for (prompt, &start) in prompts.iter().zip(&starts) {
            tokens.extend(std::iter::repeat_n(0, start).chain(prompt.tokens.iter().copied()));
            positions.extend((0..columns).map(|column| column.saturating_sub(start) as u32));
        }
        let mask = causal(&starts, columns);
        let mask = Tensor::from_vec(mask, (prompts.len(), 1, columns, columns), device)?;

        let of_rows: Vec<usize> = rows.prompts().collect();
        let of_rows: Vec<usize> = rows.active().iter().map(|&row| of_rows[row]).collect();
        let row_starts: Vec<usize> = of_rows.iter().map(|&prompt| starts[prompt]).collect();
        let mut cache = DeviceCache::new(&row_starts, columns, device)?;
        let ends: Vec<u32> = of_rows
            .iter()
            .map(|&prompt| ((prompt + 1) * columns - 1) as u32)
            .collect();
        let of_rows: Vec<u32> = of_rows.iter().map(|&prompt| prompt as u32).collect();
        let attention = DevicePrefill {
            heads: self.heads,
            columns,
            mask: &mask,
            of_rows: &indices(&of_rows, device)?,
            cache: &mut cache,
        };
        let mut ops = DeviceOps::new(self.model, self.weights, &positions, attention)?;
        let logits = self.logits(&mut ops, &tokens, &ends)?;
        Ok((cache, logits))
    }

    /// Runs one new token of each row; gives the logits of the next.
    fn decode(
        &self,
        tokens: &[u32],
        positions: &[u32],
        cache: &mut DeviceCache,
    ) -> CandleResult<Vec<f32>> {
        let attention = DeviceDecode {
            heads: self.heads,
            mask: cache.mask()?,
            cache: &mut *cache,
        };
        let mut ops = DeviceOps::new(self.model, self.weights, positions, attention)?;
        let all: Vec<u32> = (0..tokens.len() as u32).collect();
        let logits = self.logits(&mut ops, tokens, &all)?;
        cache.advance()?;
        Ok(logits)
    }

    /// Runs tokens through the layers, and chosen rows of what comes out through the head.
    fn logits<A: DeviceAttention>(
        &self,
        ops: &mut DeviceOps<'_, A>,
        tokens: &[u32],
        predicting: &[u32],
    ) -> CandleResult<Vec<f32>> {
        let (layout, mut tape) = (self.model.layout(), Tape::<TensorRows>::default());
        tape.run(ops, layout, tokens, Keep::Nothing)?;
        let logits = tape.predict(ops, layout, predicting)?.tensor();
        logits.to_dtype(DType::F32)?.flatten_all()?.to_vec1()
    }
}

/// What each column of each prompt may see: itself, and what lies before it within the prompt.
fn causal(starts: &[usize], columns: usize) -> Vec<f32> {
    let mut mask = vec![f32::NEG_INFINITY; starts.len() * columns * columns];
    for (of_prompt, &start) in mask.chunks_exact_mut(columns * columns).zip(starts) {
        for (column, row) in of_prompt.chunks_exact_mut(columns).enumerate() {
            row[start.min(column)..=column].fill(0.0);
        }
    }
    mask
}
