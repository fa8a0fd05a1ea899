//! Drawing completions on a device: prompts filled up on the left and run together, then a token of every row at a time. Logits come to
//! the host, which draws; the noise is that of the processor's path.

use candle_core::{Result, Tensor};

use crate::TrainError;
use crate::candle::{
    decoder::device::{
        attention::{Projected, as_rows},
        decoder::Decoder,
        ops::indices,
    },
    sample::{
        cpu::MAX_CACHE,
        device_cache::Cache,
        rows::{Completion, Prompt, Rows, longest},
    },
};

/// Most rows decoded together.
const MAX_ROWS: usize = 256;

/// Rows that can be decoded together when each may have so many positions.
pub fn rows_together(decoder: &Decoder<'_>, positions: usize) -> usize {
    let architecture = decoder.model.architecture();
    let width = 2 * architecture.heads().kv_width() * architecture.num_hidden_layers;
    let bytes = width * positions * decoder.head().dtype().size_in_bytes();
    (MAX_CACHE / bytes.max(1)).clamp(1, MAX_ROWS)
}

/// Draws the completions of the rows' prompts. `step` stands in the error messages.
pub fn run(
    decoder: &Decoder<'_>,
    prompts: &[Prompt<'_>],
    mut rows: Rows<'_>,
    step: u32,
) -> std::result::Result<Vec<Vec<Completion>>, TrainError> {
    if rows.active().is_empty() {
        return Ok(rows.finish());
    }
    let (mut cache, mut hidden) = prefill(decoder, prompts, &rows)?;
    loop {
        let logits = decoder.logits(&hidden)?.flatten_all()?.to_vec1::<f32>()?;
        let before = rows.active().len();
        let drawn = rows.draw(&logits).map_err(|trouble| trouble.at(step))?;
        if drawn.tokens.is_empty() {
            return Ok(rows.finish());
        }
        if drawn.places.len() < before {
            let places: Vec<u32> = drawn.places.iter().map(|&place| place as u32).collect();
            cache.keep(&indices(&places, hidden.device())?)?;
        }
        hidden = decode(decoder, &drawn.tokens, &rows.positions(), &mut cache)?;
    }
}

/// Runs every prompt once. Gives the cache of the active rows, and what left the last layer at the end of each one's prompt.
fn prefill(
    decoder: &Decoder<'_>,
    prompts: &[Prompt<'_>],
    rows: &Rows<'_>,
) -> Result<(Cache, Tensor)> {
    let (heads, device) = (
        decoder.model.architecture().heads(),
        decoder.head().device(),
    );
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
    let mut cache = Cache::new(&row_starts, columns, device)?;
    let of_rows: Vec<u32> = of_rows.iter().map(|&prompt| prompt as u32).collect();
    let of_rows = indices(&of_rows, device)?;

    let angles = decoder.angles(&positions)?;
    let mut x = decoder.embed(&tokens)?;
    for layer in 0..decoder.model.architecture().num_hidden_layers {
        let attend = |fused: &Tensor| {
            let projected = Projected::split(fused, columns, heads)?;
            let keys = projected.keys.index_select(&of_rows, 0)?;
            let values = projected.values.index_select(&of_rows, 0)?;
            cache.push_layer(&keys, &values)?;
            as_rows(&projected.attend(&mask)?, heads)
        };
        x = decoder.layer(layer, &x, &angles, attend)?.exit;
    }
    let ends = x
        .reshape((prompts.len(), columns, ()))?
        .narrow(1, columns - 1, 1)?
        .squeeze(1)?
        .contiguous()?;
    Ok((cache, ends.index_select(&of_rows, 0)?))
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

/// Runs one new token of each row.
fn decode(
    decoder: &Decoder<'_>,
    tokens: &[u32],
    positions: &[u32],
    cache: &mut Cache,
) -> Result<Tensor> {
    let heads = decoder.model.architecture().heads();
    let (angles, mask) = (decoder.angles(positions)?, cache.mask()?);
    let mut x = decoder.embed(tokens)?;
    for layer in 0..decoder.model.architecture().num_hidden_layers {
        let attend = |fused: &Tensor| {
            let mut projected = Projected::split(fused, 1, heads)?;
            [projected.keys, projected.values] =
                cache.append(layer, &projected.keys, &projected.values)?;
            as_rows(&projected.attend(&mask)?, heads)
        };
        x = decoder.layer(layer, &x, &angles, attend)?.exit;
    }
    cache.advance()?;
    Ok(x)
}
