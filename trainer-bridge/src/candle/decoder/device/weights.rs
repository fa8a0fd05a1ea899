//! A decoder's weights on a device: those that stay as they are, uploaded once and shared by everybody who uses them, and an adapter's
//! matrices, uploaded anew for every use. And gradients, added up there and downloaded once.

use std::{ops::Range, sync::Arc};

use candle_core::{DType, Device, Result, Tensor};

use crate::candle::{
    decoder::{by_version::ByVersion, gradients::Gradients},
    model::{Model, adapter::Adapter, layout::EMBEDDING},
};

/// DeviceWeights without an adapter's product, and the tables of rotary angles.
pub struct Frozen {
    /// In the order of the architecture's parameters.
    pub tensors: Vec<Tensor>,
    /// Cosines, `[positions, dim]` in f32, each half the same.
    pub cos: Tensor,
    /// Sines.
    pub sin: Tensor,
}

impl Frozen {
    fn upload(model: &Model, device: &Device, dtype: DType) -> Result<Self> {
        let layout = model.architecture().parameters();
        let tensors = layout.iter().zip(model.weights());
        let table = |values: &[f32]| {
            let positions = model.rope().positions();
            let half = Tensor::from_slice(values, (positions, values.len() / positions), device)?;
            Tensor::cat(&[&half, &half], 1)
        };
        let (cos, sin) = model.rope().tables();
        Ok(Self {
            tensors: tensors
                .map(|(parameter, values)| {
                    Tensor::from_slice(values, parameter.shape(), device)?.to_dtype(dtype)
                })
                .collect::<Result<_>>()?,
            cos: table(cos)?,
            sin: table(sin)?,
        })
    }
}

/// What is uploaded of the models that are in use, to one device in one type.
pub type UploadedModels = ByVersion<Frozen>;

/// Where one projection's adapter lies in a [`Pair`].
struct Member {
    /// Its number among the adapter's sites.
    site: usize,
    /// Its rows of the fused weight.
    rows: Range<usize>,
}

/// The adapters on one fused weight as one: `y += x A^T B^T`, the A's stacked, the B's scaled and in blocks, each at its own rows and its
/// own A's columns.
pub struct Pair {
    /// `[members x r, columns]`.
    pub a: Tensor,
    /// `[rows of the weight, members x r]`.
    pub b: Tensor,
    r: usize,
    scale: f64,
    members: Vec<Member>,
}

impl Pair {
    fn upload(
        adapter: &Adapter,
        weight: usize,
        rows: usize,
        device: &Device,
        dtype: DType,
    ) -> Result<Option<Self>> {
        let sites = adapter.sites().iter().enumerate();
        let members: Vec<Member> = sites
            .filter(|(_, site)| site.weight == weight)
            .map(|(index, site)| Member {
                site: index,
                rows: site.rows.clone(),
            })
            .collect();
        let Some(first) = members.first() else {
            return Ok(None);
        };
        let (r, scale) = (adapter.config().r, adapter.config().scale());
        let (columns, width) = (adapter.sites()[first.site].columns, members.len() * r);
        let parameters = adapter.parameters();
        let (mut a, mut b) = (Vec::new(), vec![0.0; rows * width]);
        for (place, member) in members.iter().enumerate() {
            a.extend_from_slice(&parameters[2 * member.site]);
            let own = parameters[2 * member.site + 1].chunks_exact(r);
            for (row, values) in member.rows.clone().zip(own) {
                let block = &mut b[row * width + place * r..][..r];
                let pairs = block.iter_mut().zip(values);
                pairs.for_each(|(b, value)| *b = value * scale as f32);
            }
        }
        Ok(Some(Self {
            a: Tensor::from_vec(a, (width, columns), device)?.to_dtype(dtype)?,
            b: Tensor::from_vec(b, (rows, width), device)?.to_dtype(dtype)?,
            r,
            scale,
            members,
        }))
    }

    /// Rows of A, and columns of B, of each member, with its number among the adapter's sites.
    pub fn members(&self) -> impl Iterator<Item = (usize, Range<usize>)> + '_ {
        let numbered = self.members.iter().enumerate();
        numbered.map(|(place, member)| (member.site, place * self.r..(place + 1) * self.r))
    }

    /// Adds the gradients of the stacked matrices to those of the adapter's own.
    fn unstack(&self, da: &[f32], db: &[f32], gradients: &mut Gradients) {
        let width = self.members.len() * self.r;
        for (place, member) in self.members.iter().enumerate() {
            let own = gradients.at(2 * member.site);
            let start = place * own.len();
            add(own, &da[start..], 1.0);
            let own = gradients.at(2 * member.site + 1).chunks_exact_mut(self.r);
            for (row, own) in member.rows.clone().zip(own) {
                add(own, &db[row * width + place * self.r..], self.scale as f32);
            }
        }
    }
}

fn add(sums: &mut [f32], values: &[f32], factor: f32) {
    for (sum, value) in sums.iter_mut().zip(values) {
        *sum += factor * value;
    }
}

/// All weights of a decoder on a device.
pub struct DeviceWeights {
    /// What lies below any adapter.
    pub frozen: Arc<Frozen>,
    /// The adapter on each weight, if an adapter is trained.
    pub pairs: Option<Vec<Option<Pair>>>,
}

impl DeviceWeights {
    /// Brings a model's weights to a device, what is not there yet.
    pub fn of(
        model: &Model,
        device: &Device,
        dtype: DType,
        uploaded: &UploadedModels,
    ) -> Result<Self> {
        let upload = || Frozen::upload(model, device, dtype);
        let frozen = uploaded.get_or_make(model.weights_version(), upload)?;
        let layout = model.architecture().parameters();
        let pairs = |adapter: &Adapter| {
            let weights = layout.iter().enumerate();
            weights
                .map(|(weight, p)| Pair::upload(adapter, weight, p.rows(), device, dtype))
                .collect::<Result<_>>()
        };
        Ok(Self {
            frozen,
            pairs: model.adapter().map(pairs).transpose()?,
        })
    }

    /// Where they are.
    pub fn device(&self) -> &Device {
        self.frozen.cos.device()
    }

    /// Type of their elements.
    pub fn dtype(&self) -> DType {
        self.frozen.tensors[EMBEDDING].dtype()
    }

    /// The adapter on a weight.
    pub fn pair(&self, weight: usize) -> Option<&Pair> {
        self.pairs.as_ref()?[weight].as_ref()
    }
}

/// Gradients on a device, in f32: of every weight, or of the adapters on them.
pub struct DeviceGradients<'a> {
    weights: &'a DeviceWeights,
    /// Two a weight: its own gradient, or those of its adapter's A and B.
    slots: Vec<[Option<Tensor>; 2]>,
}

impl<'a> DeviceGradients<'a> {
    /// Nothing yet.
    pub fn new(weights: &'a DeviceWeights) -> Self {
        let count = weights.frozen.tensors.len();
        Self {
            weights,
            slots: (0..count).map(|_| [None, None]).collect(),
        }
    }

    /// Whether the weights themselves are trained.
    pub fn wants_weights(&self) -> bool {
        self.weights.pairs.is_none()
    }

    /// Adds to a weight's gradient.
    pub fn add(&mut self, weight: usize, gradient: &Tensor) -> Result<()> {
        accumulate(&mut self.slots[weight][0], gradient)
    }

    /// Adds to the gradients of the adapter on a weight.
    pub fn add_pair(&mut self, weight: usize, da: &Tensor, db: &Tensor) -> Result<()> {
        let [a, b] = &mut self.slots[weight];
        accumulate(a, da)?;
        accumulate(b, db)
    }

    /// Adds everything to gradients in the model's order.
    pub fn download(self, gradients: &mut Gradients) -> Result<()> {
        let values = |tensor: Option<Tensor>| tensor.map(|t| t.flatten_all()?.to_vec1::<f32>());
        for (weight, [first, second]) in self.slots.into_iter().enumerate() {
            let (first, second) = (values(first).transpose()?, values(second).transpose()?);
            match (first, second, self.weights.pair(weight)) {
                (Some(da), Some(db), Some(pair)) => pair.unstack(&da, &db, gradients),
                (Some(gradient), ..) => add(gradients.at(weight), &gradient, 1.0),
                _ => {}
            }
        }
        Ok(())
    }
}

fn accumulate(sum: &mut Option<Tensor>, value: &Tensor) -> Result<()> {
    let value = value.to_dtype(DType::F32)?;
    *sum = Some(match sum.take() {
        Some(sum) => (sum + value)?,
        None => value,
    });
    Ok(())
}
