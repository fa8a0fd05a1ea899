//! Drawing completions: prompts prefilled once, a key-value cache, finished rows leave the batch.
//!
//! A row's arithmetic does not depend on the rows beside it: what is drawn depends on weights, prompt and seed alone, not on the batch, the
//! number of threads or the machine.

use rayon::prelude::*;

use crate::candle::{
    decoder::{
        cpu::{
            adapter::LowRank,
            ops::{CpuAttention, CpuOps, OverPack},
            pack_attention::Gathered,
            weights::CpuWeights,
        },
        pack::Pack,
        pass::{Keep, Tape},
    },
    files::tokenizer::Tokenizer,
    sample::{
        cpu_cache::CpuCache,
        rows::{Completion, NotFinite, Prompt, Rows, Settings, portions, positions},
    },
};

/// Most rows a thread decodes together.
pub const MAX_ROWS: usize = 128;
/// Bytes of keys and values that a processor keeps near while rows are decoded together.
const NEAR: usize = 1 << 20;
/// Most bytes a cache may take, unless a single prompt's completions need more.
pub const MAX_CACHE: usize = 4 << 30;

/// Draws the completions of every prompt, in order.
pub fn sample(
    weights: &CpuWeights<'_>,
    tokenizer: &Tokenizer,
    prompts: &[Prompt<'_>],
    settings: Settings,
) -> Result<Vec<Vec<Completion>>, NotFinite> {
    let model = weights.model;
    let rows: usize = prompts.iter().map(|prompt| prompt.seeds.len()).sum();
    let positions = positions(model, prompts, settings);
    let floats: usize = model.weights().iter().map(Vec::len).sum();
    // Every token reads the cache of its chunk and all weights: a cache that is near, or no larger than they are, is the lesser part.
    let most = NEAR.max(size_of::<f32>() * floats).min(MAX_CACHE);
    let per_chunk = rows
        .div_ceil(rayon::current_num_threads().max(1))
        .min(most / CpuCache::bytes_per_row(model, positions).max(1))
        .clamp(1, MAX_ROWS);
    let done: Vec<_> = portions(prompts, per_chunk)
        .par_iter()
        .map(|chunk| Chunk::new(weights, tokenizer, chunk, settings).run())
        .collect::<Result<_, _>>()?;
    Ok(done.into_iter().flatten().collect())
}

/// Rows that are decoded together.
struct Chunk<'a> {
    weights: &'a CpuWeights<'a>,
    prompts: &'a [Prompt<'a>],
    tape: Tape<Vec<f32>>,
    low_rank: LowRank,
    cache: CpuCache,
    rows: Rows<'a>,
}

/// A pass over prompts: each attends to itself, and every row of the chunk gets its prompt's keys and values.
struct CpuPrefill<'a> {
    over: OverPack<'a>,
    cache: &'a mut CpuCache,
    rows: &'a Rows<'a>,
}

impl CpuAttention for CpuPrefill<'_> {
    fn attend(&mut self, layer: usize, fused: &[f32], out: &mut [f32]) {
        self.over.attend(layer, fused, out);
        let (width, groups) = (self.over.heads.qkv_width(), &self.over.pack.groups);
        for (row, prompt) in self.rows.prompts().enumerate() {
            for (position, source) in groups[prompt].prompt.clone().enumerate() {
                let fused = &fused[source * width..][..width];
                self.cache.store(layer, row, position, fused);
            }
        }
    }
}

/// A pass over one new token of each row that goes on.
struct CpuDecode<'a> {
    width: usize,
    cache: &'a mut CpuCache,
    rows: &'a [usize],
    positions: &'a [u32],
}

impl CpuAttention for CpuDecode<'_> {
    fn attend(&mut self, layer: usize, fused: &[f32], out: &mut [f32]) {
        let tokens = self.rows.iter().zip(self.positions);
        for ((&row, &position), fused) in tokens.zip(fused.chunks_exact(self.width)) {
            self.cache.store(layer, row, position as usize, fused);
        }
        self.cache
            .attend(layer, self.rows, self.positions, fused, out);
    }
}

impl<'a> Chunk<'a> {
    fn new(
        weights: &'a CpuWeights<'a>,
        tokenizer: &'a Tokenizer,
        prompts: &'a [Prompt<'a>],
        settings: Settings,
    ) -> Self {
        let rows = Rows::new(weights.model, tokenizer, prompts, settings);
        let positions = positions(weights.model, prompts, settings);
        Self {
            weights,
            prompts,
            tape: Tape::default(),
            low_rank: LowRank::default(),
            cache: CpuCache::new(weights.model, rows.len(), positions),
            rows,
        }
    }

    fn run(mut self) -> Result<Vec<Vec<Completion>>, NotFinite> {
        if self.rows.active().is_empty() {
            return Ok(self.rows.finish());
        }
        self.prefill();
        loop {
            let drawn = self.rows.draw(self.tape.logits())?;
            if drawn.tokens.is_empty() {
                return Ok(self.rows.finish());
            }
            self.decode(&drawn.tokens);
        }
    }

    /// Runs every prompt once and hands its keys and values to each of its rows; then there are logits of every active row's first token.
    fn prefill(&mut self) {
        let tokens: Vec<&[u32]> = self.prompts.iter().map(|prompt| prompt.tokens).collect();
        let pack = Pack::prompts(&tokens);
        let mut ops = CpuOps {
            weights: self.weights,
            positions: &pack.positions,
            noise: None,
            low_rank: &mut self.low_rank,
            attention: CpuPrefill {
                over: OverPack {
                    heads: self.weights.model.architecture().heads(),
                    pack: &pack,
                    gathered: &mut Gathered::default(),
                },
                cache: &mut self.cache,
                rows: &self.rows,
            },
        };
        let last: Vec<u32> = self
            .rows
            .prompts()
            .map(|prompt| pack.groups[prompt].prompt.end as u32 - 1)
            .collect();
        let predicting: Vec<u32> = self.rows.active().iter().map(|&row| last[row]).collect();
        pass(&mut self.tape, &mut ops, &pack.tokens, &predicting);
    }

    /// Runs one new token of each active row; then there are logits of the next.
    fn decode(&mut self, tokens: &[u32]) {
        let positions = self.rows.positions();
        let mut ops = CpuOps {
            weights: self.weights,
            positions: &positions,
            noise: None,
            low_rank: &mut self.low_rank,
            attention: CpuDecode {
                width: self.weights.model.architecture().heads().qkv_width(),
                cache: &mut self.cache,
                rows: self.rows.active(),
                positions: &positions,
            },
        };
        let predicting: Vec<u32> = (0..tokens.len() as u32).collect();
        pass(&mut self.tape, &mut ops, tokens, &predicting);
    }
}

/// Runs tokens through the layers, and chosen rows of what comes out through the head.
fn pass<A: CpuAttention>(
    tape: &mut Tape<Vec<f32>>,
    ops: &mut CpuOps<'_, A>,
    tokens: &[u32],
    predicting: &[u32],
) {
    let layout = ops.weights.model.layout();
    let Ok(()) = tape.run(ops, layout, tokens, Keep::Nothing);
    let Ok(_) = tape.predict(ops, layout, predicting);
}
