//! `[trainer.cluster]`: the Ray cluster that runs the workers, and what each may take of it.

use std::{collections::BTreeMap, path::PathBuf};

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The Ray cluster that runs the workers, each as a job.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ClusterConfig {
    /// Where the Jobs API listens: the address of Ray's dashboard.
    pub address: String,
    /// The environment variable that holds the cluster's token, if it wants one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token_env: Option<String>,
    /// Processors of a job.
    pub cpus: f64,
    /// GPUs of a job; 0 trains on the processor.
    pub gpus: f64,
    /// Memory of a job, GB of 10^9 bytes; absent, Ray counts none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory_gb: Option<f64>,
    /// Resources of a job that the cluster names itself.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub resources: BTreeMap<String, f64>,
    /// What else Ray prepares for a job, as its `runtime_env`: `pip`, `env_vars`, `image_uri` and so on.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub runtime_env: BTreeMap<String, Value>,
    /// Where this program lies on the nodes; absent, it is uploaded.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub program: Option<PathBuf>,
    /// A folder that all nodes and this machine share, by its name on the nodes; absent, checkpoints come through the jobs' logs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shared: Option<PathBuf>,
    /// That folder by its name here, if it is another one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shared_here: Option<PathBuf>,
    /// A job that has not heard of its search for so many seconds ends.
    pub lease_s: u64,
    /// A job that waits so many seconds for its turn, while no other job of the search runs, is given up.
    pub queue_s: u64,
    /// A cluster that does not answer for so many seconds is given up.
    pub unreachable_s: u64,
    /// How often a job is looked at, milliseconds.
    pub poll_ms: u64,
}

impl Default for ClusterConfig {
    fn default() -> Self {
        Self {
            address: "http://127.0.0.1:8265".to_owned(),
            token_env: None,
            cpus: 1.0,
            gpus: 1.0,
            memory_gb: None,
            resources: BTreeMap::new(),
            runtime_env: BTreeMap::new(),
            program: None,
            shared: None,
            shared_here: None,
            lease_s: 45,
            queue_s: 3600,
            unreachable_s: 600,
            poll_ms: 1000,
        }
    }
}

/// Keys of `runtime_env` that are this program's.
const OWN: [&str; 2] = ["working_dir", "py_modules"];

impl ClusterConfig {
    /// What is impossible about these settings, one line each, beginning with the key.
    #[must_use]
    pub fn problems(&self) -> Vec<String> {
        let amount = |amount: f64| amount.is_finite() && amount >= 0.0;
        let mut amounts = self.resources.values().chain(&self.memory_gb);
        let absolute = |path: &Option<PathBuf>| path.as_ref().is_none_or(|p| p.has_root());
        let rules: [(bool, &str); 7] = [
            (
                self.address.starts_with("http://") || self.address.starts_with("https://"),
                "`cluster.address` must be that of Ray's dashboard, for instance http://127.0.0.1:8265",
            ),
            (
                amount(self.cpus) && amount(self.gpus) && amounts.all(|value| amount(*value)),
                "`cluster.cpus`, `gpus`, `memory_gb` and `resources` must be 0 or more",
            ),
            (
                self.gpus <= 1.0,
                "`cluster.gpus` must be at most 1: a run trains on one GPU",
            ),
            (
                OWN.iter().all(|key| !self.runtime_env.contains_key(*key)),
                "`cluster.runtime_env` must leave `working_dir` and `py_modules` to this program",
            ),
            (
                absolute(&self.shared) && absolute(&self.program),
                "`cluster.shared` and `program` must be absolute: they are paths on the nodes",
            ),
            (
                self.shared.is_some() || self.shared_here.is_none(),
                "`cluster.shared_here` is another name of the folder `shared`, and needs that",
            ),
            (
                (5..=86_400).contains(&self.lease_s)
                    && (100..=60_000).contains(&self.poll_ms)
                    && self.queue_s >= 1
                    && self.unreachable_s >= 1,
                "`cluster.lease_s` must be between 5 and 86400, `poll_ms` between 100 and 60000, `queue_s` and `unreachable_s` at least 1",
            ),
        ];
        let broken = rules.iter().filter(|(holds, _)| !holds);
        broken.map(|(_, what)| (*what).to_owned()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn impossible_settings_are_named_by_their_key() {
        let problem = |change: fn(&mut ClusterConfig)| {
            let mut config = ClusterConfig::default();
            change(&mut config);
            config.problems().join("; ")
        };
        assert_eq!(problem(|_| {}), "");
        assert!(problem(|c| c.address = "head:8265".into()).contains("`cluster.address`"));
        assert!(problem(|c| c.gpus = 2.0).contains("one GPU"));
        assert!(problem(|c| c.cpus = f64::NAN).contains("`cluster.cpus`"));
        assert!(problem(|c| c.shared = Some("here".into())).contains("absolute"));
        let own = |c: &mut ClusterConfig| {
            c.runtime_env.insert("working_dir".into(), "x".into());
        };
        assert!(problem(own).contains("runtime_env"));
    }
}
