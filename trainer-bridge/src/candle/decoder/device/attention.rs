//! Attention on tensors, and its way back: of sequences that share a prefix in training, of rows over a cache in sampling.
//!
//! Heads are laid out as `[sequences, key-value heads, query heads that read each of them x places, dim]`, so that grouped queries are one
//! matrix product and keys are never repeated.

use std::ops::Range;

use candle_core::{DType, Device, Result, Tensor};

use crate::candle::{
    decoder::{
        device::functions::{indices, product, softmax},
        pack::{GroupRows, Pack},
    },
    kernels::attention::Heads,
};

/// Queries, keys and values of sequences.
pub struct Projected {
    /// `[sequences, kv heads, queries a kv head x places, dim]`.
    pub queries: Tensor,
    /// `[sequences, kv heads, places, dim]`.
    pub keys: Tensor,
    /// As the keys.
    pub values: Tensor,
}

impl Projected {
    /// From fused rows, sequence after sequence, of `places` rows each.
    pub fn split(fused: &Tensor, places: usize, heads: Heads) -> Result<Self> {
        let (sequences, dim) = (fused.dim(0)? / places, heads.dim);
        let all = heads.query + 2 * heads.key_value;
        let fused = fused.reshape((sequences, places, all, dim))?;
        let pairs = |start| -> Result<Tensor> {
            fused
                .narrow(2, start, heads.key_value)?
                .transpose(1, 2)?
                .contiguous()
        };
        Ok(Self {
            queries: by_reader(&fused.narrow(2, 0, heads.query)?, heads)?,
            keys: pairs(heads.query)?,
            values: pairs(heads.query + heads.key_value)?,
        })
    }

    /// The attention's result by heads. `mask` is added to the scores: `[sequences or 1, 1, places, keys]`.
    pub fn attend(&self, mask: &Tensor) -> Result<Tensor> {
        let weights = self.weights(mask)?.to_dtype(self.values.dtype())?;
        product(&weights, &self.values)
    }

    fn weights(&self, mask: &Tensor) -> Result<Tensor> {
        let (sequences, pairs, rows, dim) = self.queries.dims4()?;
        let (keys, places) = (self.keys.dim(2)?, mask.dim(2)?);
        let scores = product(&self.queries, &self.keys.t()?)?.to_dtype(DType::F32)?;
        let by_head = (sequences, pairs * rows / places, places, keys);
        let scores = (scores * (dim as f64).powf(-0.5))?
            .reshape(by_head)?
            .broadcast_add(mask)?;
        softmax(&scores)?.reshape((sequences, pairs, rows, keys))
    }

    /// The gradients by queries, keys and values.
    pub fn backward(&self, mask: &Tensor, dout: &Tensor) -> Result<Self> {
        let (dtype, dim) = (self.values.dtype(), self.queries.dim(3)?);
        let weights = self.weights(mask)?;
        let dweights = product(dout, &self.values.t()?)?.to_dtype(DType::F32)?;
        let products = (&dweights * &weights)?;
        let sums = products.sum_keepdim(3)?;
        let dscores = ((products - weights.broadcast_mul(&sums)?)? * (dim as f64).powf(-0.5))?;
        let dscores = dscores.to_dtype(dtype)?;
        Ok(Self {
            queries: product(&dscores, &self.keys)?,
            keys: product(&dscores.t()?, &self.queries)?,
            values: product(&weights.to_dtype(dtype)?.t()?, dout)?,
        })
    }
}

/// `[sequences, places, query heads, dim]` in the layout of queries.
fn by_reader(x: &Tensor, heads: Heads) -> Result<Tensor> {
    let (sequences, places, _, dim) = x.dims4()?;
    let (pairs, readers) = (heads.key_value, heads.query / heads.key_value);
    x.reshape((sequences, places, pairs, readers, dim))?
        .permute((0, 2, 3, 1, 4))?
        .contiguous()?
        .reshape((sequences, pairs, readers * places, dim))
}

/// The layout of queries as rows, sequence after sequence: `[sequences x places, query heads x dim]`.
pub fn as_rows(x: &Tensor, heads: Heads) -> Result<Tensor> {
    let (sequences, pairs, rows, dim) = x.dims4()?;
    let readers = heads.query / heads.key_value;
    let places = rows / readers;
    x.reshape((sequences, pairs, readers, places, dim))?
        .permute((0, 3, 1, 2, 4))?
        .contiguous()?
        .reshape((sequences * places, heads.out_width()))
}

/// Keys or values as rows.
fn pairs_as_rows(x: &Tensor) -> Result<Tensor> {
    let (sequences, pairs, places, dim) = x.dims4()?;
    x.transpose(1, 2)?
        .contiguous()?
        .reshape((sequences * places, pairs * dim))
}

/// Most scores that are computed at once, unless a single sequence has more.
const MAX_SCORES: usize = 1 << 26;

/// Sequences with a common prefix that attend together, the shorter ones filled up behind.
struct SequenceBlock {
    heads: Heads,
    /// Rows of the prefix.
    prefix: Range<usize>,
    /// Rows of the sequences, one after the other.
    own: Range<usize>,
    /// Places of a sequence, filled up.
    places: usize,
    /// The row, counted from the first own one, at each place; at those filled up, some row.
    at_places: Tensor,
    /// Each row's place.
    of_rows: Tensor,
    /// What may be seen: the prefix, and of the own places those up to the row's own.
    mask: Tensor,
}

impl SequenceBlock {
    fn new(
        heads: Heads,
        prefix: Range<usize>,
        sequences: &[Range<usize>],
        device: &Device,
    ) -> Result<Self> {
        let own = sequences[0].start..sequences[sequences.len() - 1].end;
        let places = sequences.iter().map(Range::len).max().unwrap_or(0);
        let (mut at_places, mut of_rows) = (Vec::new(), Vec::new());
        for (index, rows) in sequences.iter().enumerate() {
            let first = (rows.start - own.start) as u32;
            let last = (rows.len() - 1) as u32;
            at_places.extend((0..places as u32).map(|place| first + place.min(last)));
            of_rows.extend(
                (index * places..)
                    .take(rows.len())
                    .map(|place| place as u32),
            );
        }
        let keys = prefix.len() + places;
        let mut mask = vec![f32::NEG_INFINITY; places * keys];
        for (place, row) in mask.chunks_exact_mut(keys).enumerate() {
            row[..=prefix.len() + place].fill(0.0);
        }
        Ok(Self {
            heads,
            prefix,
            own,
            places,
            at_places: indices(&at_places, device)?,
            of_rows: indices(&of_rows, device)?,
            mask: Tensor::from_vec(mask, (1, 1, places, keys), device)?,
        })
    }

    /// What the sequences attend with: keys and values begin with the prefix's.
    fn projected(&self, fused: &Tensor) -> Result<Projected> {
        let own = fused
            .narrow(0, self.own.start, self.own.len())?
            .index_select(&self.at_places, 0)?;
        let own = Projected::split(&own, self.places, self.heads)?;
        if self.prefix.is_empty() {
            return Ok(own);
        }
        let prefix = fused.narrow(0, self.prefix.start, self.prefix.len())?;
        let prefix = Projected::split(&prefix, self.prefix.len(), self.heads)?;
        let (sequences, pairs, _, dim) = own.keys.dims4()?;
        let extended = |prefix: Tensor, own: Tensor| -> Result<Tensor> {
            let prefix = prefix.broadcast_as((sequences, pairs, self.prefix.len(), dim))?;
            Tensor::cat(&[prefix.contiguous()?, own], 2)
        };
        Ok(Projected {
            queries: own.queries,
            keys: extended(prefix.keys, own.keys)?,
            values: extended(prefix.values, own.values)?,
        })
    }

    fn attend(&self, fused: &Tensor) -> Result<Tensor> {
        let out = self.projected(fused)?.attend(&self.mask)?;
        as_rows(&out, self.heads)?.index_select(&self.of_rows, 0)
    }

    /// The gradients by the sequences' fused rows, and by those of the prefix, if there is one.
    fn backward(&self, fused: &Tensor, dout: &Tensor) -> Result<(Tensor, Option<Tensor>)> {
        let (heads, dim) = (self.heads, self.heads.dim);
        let count = self.at_places.elem_count();
        let own = dout
            .narrow(0, self.own.start, self.own.len())?
            .contiguous()?;
        // Places filled up get a gradient of 0, so nothing comes of what they computed.
        let dout = Tensor::zeros((count, heads.out_width()), own.dtype(), own.device())?
            .index_add(&self.of_rows, &own, 0)?
            .reshape((count / self.places, self.places, heads.query, dim))?;
        let d = self
            .projected(fused)?
            .backward(&self.mask, &by_reader(&dout, heads)?)?;
        let length = self.prefix.len();
        let part = |x: &Tensor| pairs_as_rows(&x.narrow(2, length, self.places)?);
        let own = [
            as_rows(&d.queries, heads)?,
            part(&d.keys)?,
            part(&d.values)?,
        ];
        let own = Tensor::cat(&own, 1)?.index_select(&self.of_rows, 0)?;
        if length == 0 {
            return Ok((own, None));
        }
        let shared = |x: &Tensor| pairs_as_rows(&x.narrow(2, 0, length)?.sum_keepdim(0)?);
        let none = Tensor::zeros((length, heads.out_width()), own.dtype(), own.device())?;
        let prefix = Tensor::cat(&[none, shared(&d.keys)?, shared(&d.values)?], 1)?;
        Ok((own, Some(prefix)))
    }
}

/// How the rows of a pack attend.
pub struct PackAttention {
    groups: Vec<(SequenceBlock, Vec<SequenceBlock>)>,
}

impl PackAttention {
    /// Lays a pack's sequences out.
    pub fn new(pack: &Pack, heads: Heads, device: &Device) -> Result<Self> {
        let group = |group: &GroupRows| {
            let prompt = std::slice::from_ref(&group.prompt);
            let own: Vec<Range<usize>> = group
                .completions
                .iter()
                .filter(|rows| !rows.is_empty())
                .cloned()
                .collect();
            let longest = own.iter().map(Range::len).max().unwrap_or(0);
            let scores = heads.query * longest * (group.prompt.len() + longest);
            let together = (MAX_SCORES / scores.max(1)).max(1);
            let completions = own
                .chunks(together)
                .map(|some| SequenceBlock::new(heads, group.prompt.clone(), some, device));
            Ok((
                SequenceBlock::new(heads, 0..0, prompt, device)?,
                completions.collect::<Result<_>>()?,
            ))
        };
        Ok(Self {
            groups: pack.groups.iter().map(group).collect::<Result<_>>()?,
        })
    }

    /// The attention's result for every row, from fused rows whose heads are turned.
    pub fn attend(&self, fused: &Tensor) -> Result<Tensor> {
        let blocks = self
            .groups
            .iter()
            .flat_map(|(prompt, completions)| std::iter::once(prompt).chain(completions));
        let parts = blocks.map(|block| block.attend(fused));
        Tensor::cat(&parts.collect::<Result<Vec<_>>>()?, 0)
    }

    /// The gradient by the fused rows.
    pub fn backward(&self, fused: &Tensor, dout: &Tensor) -> Result<Tensor> {
        let mut parts = Vec::new();
        for (prompt, completions) in &self.groups {
            let (mut dprompt, _) = prompt.backward(fused, dout)?;
            let mut own = Vec::new();
            for block in completions {
                let (down, dprefix) = block.backward(fused, dout)?;
                if let Some(dprefix) = dprefix {
                    dprompt = (dprompt + dprefix)?;
                }
                own.push(down);
            }
            parts.push(dprompt);
            parts.extend(own);
        }
        Tensor::cat(&parts, 0)
    }
}
