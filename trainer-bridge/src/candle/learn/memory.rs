//! What a run will need of the host's memory, so that one that cannot fit ends with a word of advice and not with the process.

use crate::candle::{
    decoder::cpu::weights::packed_bytes,
    learn::schedule::Schedule,
    model::Model,
    sample::cpu::{MAX_CACHE, MAX_ROWS},
};
use crate::{TrainError, TrainJob};

const FLOAT: u64 = size_of::<f32>() as u64;

/// Bytes a run adds to what the loaded base model takes, at the least.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Need {
    /// The policy, and the one that samples where that is another, each with its packed copy.
    pub weights: u64,
    /// Gradients of every thread and their sum, and the optimiser's two moments.
    pub training: u64,
    /// Keys and values of the rows that are decoded together.
    pub cache: u64,
}

impl Need {
    /// Of a job that moves `trained` floats of `model` on `threads` threads.
    pub fn of(job: &TrainJob, model: &Model, trained: usize, threads: usize) -> Self {
        let grpo = &job.grpo;
        let weights: usize = model.weights().iter().map(Vec::len).sum();
        let weights = FLOAT * weights as u64 + packed_bytes(model) as u64;
        let architecture = model.architecture();
        let rollouts = grpo.prompts_per_step * grpo.num_generations;
        let rows = rollouts.max(job.eval_prompts.len()).min(MAX_ROWS * threads);
        let length = grpo.max_completion_length.min(model.rope().positions());
        let widths = 2 * architecture.heads().kv_width() * architecture.num_hidden_layers;
        Self {
            weights: copies(job) * weights,
            training: FLOAT * (threads as u64 + 3) * trained as u64,
            cache: (FLOAT * rows as u64 * length as u64 * widths as u64)
                .min(threads as u64 * MAX_CACHE as u64),
        }
    }

    /// The same of a job that computes on a device: weights under an adapter are the base model's own, nothing is
    /// packed, and the cache is not here.
    pub fn beside_a_device(job: &TrainJob, model: &Model, trained: usize) -> Self {
        let all = Self::of(job, model, trained, 0);
        Self {
            weights: match model.adapter() {
                Some(_) => 0,
                None => all.weights - copies(job) * packed_bytes(model) as u64,
            },
            cache: 0,
            ..all
        }
    }

    /// Refuses a need beyond what is free. Where the system does not say what is free, nothing is refused.
    pub fn check(self, free: Option<u64>) -> Result<(), TrainError> {
        let all = self.weights + self.training + self.cache;
        match free {
            Some(free) if all > free => Err(TrainError::OutOfMemory(format!(
                "the run needs at least {}, {} of it for weights, {} for gradients and moments, {} for keys and values; {} are free",
                gib(all),
                gib(self.weights),
                gib(self.training),
                gib(self.cache),
                gib(free)
            ))),
            _ => Ok(()),
        }
    }
}

/// Copies of the weights that are trained or sampled from.
fn copies(job: &TrainJob) -> u64 {
    1 + u64::from(Schedule::new(&job.grpo).off_policy())
}

fn gib(bytes: u64) -> String {
    format!("{:.1} GiB", bytes as f64 / f64::from(1 << 30))
}

/// Bytes the host can still give, as far as it says so (Linux): what is free, and what the limit of a container leaves.
pub fn free() -> Option<u64> {
    let read = |path: &str| std::fs::read_to_string(path).ok();
    let host = read("/proc/meminfo").and_then(|meminfo| available(&meminfo));
    let group = |name: &str| read(&format!("/sys/fs/cgroup/memory.{name}"));
    let container = || left(&group("max")?, &group("current")?, &group("stat")?);
    host.into_iter().chain(container()).min()
}

/// What a control group's limit leaves; files that are only cached give way. Nothing where there is no limit.
fn left(max: &str, current: &str, stat: &str) -> Option<u64> {
    let bytes = |text: &str| text.trim().parse::<u64>().ok();
    let cached = stat
        .lines()
        .find_map(|line| bytes(line.strip_prefix("inactive_file ")?));
    let used = bytes(current)?.saturating_sub(cached.unwrap_or(0));
    Some(bytes(max)?.saturating_sub(used))
}

fn available(meminfo: &str) -> Option<u64> {
    let line = meminfo
        .lines()
        .find_map(|line| line.strip_prefix("MemAvailable:"))?;
    let kib: u64 = line.split_whitespace().next()?.parse().ok()?;
    Some(kib * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_fit_is_refused_with_the_parts_and_what_to_lower() {
        let need = Need {
            weights: 3 << 30,
            training: 12 << 30,
            cache: 1 << 30,
        };
        assert!(need.check(Some(16 << 30)).is_ok() && need.check(None).is_ok());
        let error = need
            .check(Some(8 << 30))
            .err()
            .map(|error| error.to_string());
        let message = error.unwrap_or_default();
        for part in [
            "16.0 GiB",
            "12.0 GiB for gradients",
            "8.0 GiB are free",
            "lower `max_completion_length`",
        ] {
            assert!(message.contains(part), "{message}");
        }
    }

    #[test]
    fn the_systems_figure_is_read() {
        let meminfo = "MemTotal:       8000000 kB\nMemAvailable:    1024 kB\n";
        assert_eq!(available(meminfo), Some(1 << 20));
        assert_eq!(available("MemTotal: 1 kB"), None);
        let stat = "anon 600\ninactive_file 300\n";
        assert_eq!(left("1000\n", "900\n", stat), Some(400));
        assert_eq!(left("max\n", "900\n", stat), None);
    }
}
