//! An adapter on a device, where its product is not merged: `y = x W^T + dropout(x) A^T (scale B)^T`.

use std::ops::Range;

use candle_core::{Result, Tensor};

use crate::candle::{
    decoder::device::{
        functions::product,
        weights::{DeviceGradients, Pair},
    },
    model::adapter::Adapter,
};

/// The adapters on one weight, in a pass.
pub struct DeviceAdapter<'a> {
    /// Their matrices there.
    pub pair: &'a Pair,
    /// The adapters, and the noise by which they drop inputs; nothing where they do not.
    pub dropout: Option<(&'a Adapter, u64)>,
}

/// One of the adapters of a [`Pair`], and what each of its inputs is multiplied by.
struct Dropped {
    /// 0, or a little above 1.
    factors: Tensor,
    /// Its own A.
    a: Tensor,
    /// Its first column of the pair's B.
    first: usize,
}

impl DeviceAdapter<'_> {
    /// What is added to `x W^T`.
    pub fn forward(&self, x: &Tensor) -> Result<Tensor> {
        product(&self.reduced(x)?, &self.pair.b.t()?)
    }

    /// What is added to the gradient by `x`; adds to the gradients of the matrices on `weight`.
    pub fn backward(
        &self,
        x: &Tensor,
        dy: &Tensor,
        dx: Tensor,
        (weight, sums): (usize, &mut DeviceGradients<'_>),
    ) -> Result<Tensor> {
        let pair = self.pair;
        let reduced = self.reduced(x)?;
        let dreduced = product(dy, &pair.b)?;
        let db = product(&dy.t()?, &reduced)?;
        let Some(members) = self.dropped(x)? else {
            sums.add_pair(weight, &product(&dreduced.t()?, x)?, &db)?;
            return dx + product(&dreduced, &pair.a)?;
        };
        let (mut dx, mut da) = (dx, Vec::new());
        for member in &members {
            let own = dreduced.narrow(1, member.first, member.a.dim(0)?)?;
            da.push(product(&own.t()?, &(x * &member.factors)?)?);
            dx = (dx + (product(&own, &member.a)? * &member.factors)?)?;
        }
        sums.add_pair(weight, &Tensor::cat(&da, 0)?, &db)?;
        Ok(dx)
    }

    /// What A makes of its inputs, some of which may be dropped: `[rows, members x r]`.
    fn reduced(&self, x: &Tensor) -> Result<Tensor> {
        let Some(members) = self.dropped(x)? else {
            return product(x, &self.pair.a.t()?);
        };
        let reduce = |member: &Dropped| product(&(x * &member.factors)?, &member.a.t()?);
        let reduced = members.iter().map(reduce).collect::<Result<Vec<_>>>()?;
        Tensor::cat(&reduced, 1)
    }

    /// What is dropped from the inputs: each of the pair's members drops others. Nothing where there is no dropout.
    fn dropped(&self, x: &Tensor) -> Result<Option<Vec<Dropped>>> {
        let Some((adapter, noise)) = self.dropout else {
            return Ok(None);
        };
        let member = |(site, columns): (usize, Range<usize>)| {
            let factors: Vec<f32> = adapter
                .factors(noise, 2 * site)
                .take(x.elem_count())
                .collect();
            Ok(Dropped {
                factors: Tensor::from_vec(factors, x.shape(), x.device())?.to_dtype(x.dtype())?,
                a: self.pair.a.narrow(0, columns.start, columns.len())?,
                first: columns.start,
            })
        };
        self.pair
            .members()
            .map(member)
            .collect::<Result<_>>()
            .map(Some)
    }
}
