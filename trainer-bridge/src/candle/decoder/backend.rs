//! Where runs compute: the names of devices, their opening, and which run gets which.

use std::{
    fmt,
    str::FromStr,
    sync::{Arc, Mutex, PoisonError},
};

use candle_core::{DType, Device, Error};
use serde::{Deserialize, Serialize};

use crate::{
    TrainError,
    candle::decoder::{cpu::weights::PreparedModels, device::weights::UploadedModels},
};

/// Where a run computes, as a configuration names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum DeviceName {
    /// `cpu`: the processor, by this program's own kernels.
    #[default]
    Cpu,
    /// `candle-cpu`: the processor, by the tensor library and the code that serves GPUs; slower, for comparison.
    CandleCpu,
    /// `cuda:0`: an NVIDIA GPU by its number.
    Cuda(usize),
    /// `metal:0`: an Apple GPU by its number.
    Metal(usize),
}

impl FromStr for DeviceName {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        let unknown = || {
            format!(
                "`{name}` is no device; devices are `cpu`, `cuda:0`, `metal:0` (or another number), and `candle-cpu`"
            )
        };
        let (kind, number) = name.split_once(':').unwrap_or((name, ""));
        match (kind, number.parse()) {
            ("cpu", Err(_)) if number.is_empty() => Ok(Self::Cpu),
            ("candle-cpu", Err(_)) if number.is_empty() => Ok(Self::CandleCpu),
            ("cuda", Ok(number)) => Ok(Self::Cuda(number)),
            ("metal", Ok(number)) => Ok(Self::Metal(number)),
            _ => Err(unknown()),
        }
    }
}

impl TryFrom<String> for DeviceName {
    type Error = String;

    fn try_from(name: String) -> Result<Self, String> {
        name.parse()
    }
}

impl From<DeviceName> for String {
    fn from(name: DeviceName) -> Self {
        name.to_string()
    }
}

impl fmt::Display for DeviceName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cpu => f.write_str("cpu"),
            Self::CandleCpu => f.write_str("candle-cpu"),
            Self::Cuda(number) => write!(f, "cuda:{number}"),
            Self::Metal(number) => write!(f, "metal:{number}"),
        }
    }
}

impl DeviceName {
    /// Whether it is the processor's own path: `serde` leaves it out.
    pub fn is_cpu(&self) -> bool {
        *self == Self::Cpu
    }

    /// Whether the processor computes.
    pub fn is_processor(self) -> bool {
        matches!(self, Self::Cpu | Self::CandleCpu)
    }

    fn open(self, dtype: Option<FloatType>) -> Result<Backend, TrainError> {
        let (device, usual) = match self {
            Self::Cpu => return Ok(Backend::cpu()),
            Self::CandleCpu => (Ok(Device::Cpu), FloatType::F32),
            Self::Cuda(number) => (Device::new_cuda(number), FloatType::Bf16),
            Self::Metal(number) => (Device::new_metal(number), FloatType::F32),
        };
        let device = device.map_err(|error| self.refusal(&error))?;
        Ok(Backend::device(device, dtype.unwrap_or(usual).into()))
    }

    fn refusal(self, error: &Error) -> TrainError {
        let without = |what: &str, feature: &str| {
            format!(
                "`device` is `{self}`, but this program was built without {what}: build it with \
                 `cargo install --path orchestrator --features {feature}`, or take `device = \"cpu\"`"
            )
        };
        TrainError::Setup(match error {
            Error::NotCompiledWithCudaSupport => without("CUDA", "cuda"),
            Error::NotCompiledWithMetalSupport => without("Metal", "metal"),
            other => {
                let text = other.to_string();
                let first = text.lines().next().unwrap_or_default();
                format!("`device` is `{self}`, which cannot be used: {first}")
            }
        })
    }
}

/// Type of a device's elements.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FloatType {
    /// 32 bits.
    F32,
    /// 16 bits, the 8 first ones of them as in `f32`.
    Bf16,
}

impl From<FloatType> for DType {
    fn from(float: FloatType) -> Self {
        match float {
            FloatType::F32 => Self::F32,
            FloatType::Bf16 => Self::BF16,
        }
    }
}

/// Where a run computes, opened, with what its runs share.
#[derive(Clone)]
pub enum Backend {
    /// On the processor, by this program's own kernels.
    Cpu {
        /// What is prepared of the models in use.
        prepared: Arc<PreparedModels>,
    },
    /// On a device of the tensor library's.
    Device {
        /// The device.
        device: Device,
        /// Type of its elements.
        dtype: DType,
        /// What is uploaded of the models in use.
        uploaded: Arc<UploadedModels>,
    },
}

impl Backend {
    /// The processor's own kernels.
    pub fn cpu() -> Self {
        let prepared = Arc::default();
        Self::Cpu { prepared }
    }

    /// A device, with elements of a type.
    pub fn device(device: Device, dtype: DType) -> Self {
        let uploaded = Arc::default();
        Self::Device {
            device,
            dtype,
            uploaded,
        }
    }

    /// Gives the memory back that models took which nobody has any more.
    pub fn forget_unused(&self) {
        match self {
            Self::Cpu { prepared } => prepared.forget_unused(),
            Self::Device { uploaded, .. } => uploaded.forget_unused(),
        }
    }
}

/// Several backends, and how many runs each has.
#[derive(Clone)]
pub struct Backends(Arc<Mutex<Vec<(Backend, usize)>>>);

impl Backends {
    /// Opens devices, one after the other.
    ///
    /// # Errors
    /// `Setup`, saying what to build or to change, if one is not there.
    pub fn open(names: &[DeviceName], dtype: Option<FloatType>) -> Result<Self, TrainError> {
        let mut backends: Vec<(Backend, usize)> = Vec::with_capacity(names.len());
        for (index, name) in names.iter().enumerate() {
            // A device that is named twice is still one.
            let backend = match names[..index].iter().position(|other| other == name) {
                Some(same) => backends[same].0.clone(),
                None => name.open(dtype)?,
            };
            backends.push((backend, 0));
        }
        Ok(Self(Arc::new(Mutex::new(backends))))
    }

    /// The backend with the fewest runs, the first of equals.
    pub fn take(&self) -> Lease {
        let mut backends = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (index, (backend, runs)) = backends
            .iter_mut()
            .enumerate()
            .min_by_key(|(_, (_, runs))| *runs)
            .expect("a trainer has at least one backend");
        *runs += 1;
        Lease {
            backend: backend.clone(),
            index,
            backends: self.clone(),
        }
    }
}

/// A run's backend, free again when this is dropped.
pub struct Lease {
    /// Where it is.
    pub backend: Backend,
    index: usize,
    backends: Backends,
}

impl Drop for Lease {
    fn drop(&mut self) {
        let mut backends = self
            .backends
            .0
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        backends[self.index].1 -= 1;
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn devices_have_names() {
        for name in ["cpu", "candle-cpu", "cuda:0", "cuda:12", "metal:1"] {
            assert_eq!(name.parse::<DeviceName>().unwrap().to_string(), name);
        }
        for name in ["gpu", "cuda", "cuda:", "cuda:-1", "cuda:x", "cpu:0", ""] {
            let problem = name.parse::<DeviceName>().unwrap_err();
            assert!(
                problem.contains(&format!("`{name}` is no device")),
                "{problem}"
            );
        }
    }

    #[test]
    fn a_run_gets_the_backend_with_the_fewest_runs() {
        let names = [DeviceName::Cpu, DeviceName::CandleCpu, DeviceName::Cpu];
        let backends = Backends::open(&names, None).unwrap();
        let leases: Vec<Lease> = (0..4).map(|_| backends.take()).collect();
        let order: Vec<usize> = leases.iter().map(|lease| lease.index).collect();
        assert_eq!(order, [0, 1, 2, 0]);
        drop(leases);
        assert_eq!(backends.take().index, 0, "all are free again");
    }

    #[cfg(not(feature = "cuda"))]
    #[test]
    fn a_device_that_was_not_built_for_is_refused_with_what_to_build() {
        let error = Backends::open(&[DeviceName::Cuda(1)], None).err().unwrap();
        let message = error.to_string();
        assert!(matches!(error, TrainError::Setup(_)));
        for part in ["`cuda:1`", "--features cuda", "\"cpu\""] {
            assert!(message.contains(part), "{message}");
        }
        assert!(!message.contains('\n'), "{message}");
    }
}
