//! What a cluster is asked for, in the words of its Jobs API.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::{Value, json};

use super::parcel::Parcel;
use crate::worker::TrlConfig;

/// The file in a job's package that says what to do.
pub const START_FILE: &str = "start.json";
/// What a worker's lines begin with in a log that holds all that is printed.
pub const PREFIX: &str = "@ev ";

/// A job to be submitted.
#[derive(Debug, Serialize)]
pub struct Submission {
    submission_id: String,
    entrypoint: String,
    runtime_env: BTreeMap<String, Value>,
    metadata: BTreeMap<&'static str, String>,
    entrypoint_num_cpus: f64,
    entrypoint_num_gpus: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    entrypoint_memory: Option<u64>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    entrypoint_resources: BTreeMap<String, f64>,
}

/// The packages of a job, by their URIs.
#[derive(Debug, Clone)]
pub struct Packages {
    /// The worker and, unless the nodes have it, the program.
    pub worker: String,
    /// What the job is.
    pub job: String,
}

impl Packages {
    /// Of two parcels.
    pub fn of(worker: &Parcel, job: &Parcel) -> Self {
        Self {
            worker: worker.uri(),
            job: job.uri(),
        }
    }
}

impl Submission {
    /// A worker's job.
    pub fn of(id: &str, config: &TrlConfig, packages: &Packages) -> Self {
        let cluster = config.cluster.clone().unwrap_or_default();
        let python = config.python.as_ref();
        let python = python.map_or("python".into(), |path| path.to_string_lossy());
        let mut runtime_env = cluster.runtime_env;
        runtime_env.insert("working_dir".to_owned(), packages.job.clone().into());
        runtime_env.insert("py_modules".to_owned(), json!([packages.worker]));
        let env = runtime_env
            .entry("env_vars".to_owned())
            .or_insert(json!({}));
        if let Value::Object(env) = env {
            // What Ray waits for between asking a job's processes to end and killing them.
            env.entry("RAY_JOB_STOP_WAIT_TIME_S")
                .or_insert(config.stop_s.to_string().into());
        }
        Self {
            submission_id: id.to_owned(),
            entrypoint: format!("{} -m reward_search.worker {START_FILE}", word(&python)),
            runtime_env,
            metadata: BTreeMap::from([(
                "program",
                concat!("reward-search ", env!("CARGO_PKG_VERSION")).to_owned(),
            )]),
            entrypoint_num_cpus: cluster.cpus,
            entrypoint_num_gpus: cluster.gpus,
            // Bytes; Ray wants a whole number.
            entrypoint_memory: cluster.memory_gb.map(|gb| (gb * 1e9) as u64),
            entrypoint_resources: cluster.resources,
        }
    }

    /// What it asks for, in words.
    pub fn wants(&self) -> String {
        let mut wants = vec![
            format!("{} CPU", self.entrypoint_num_cpus),
            format!("{} GPU", self.entrypoint_num_gpus),
        ];
        wants.extend(
            self.entrypoint_memory
                .map(|bytes| format!("{} GB of memory", bytes as f64 / 1e9)),
        );
        let own = self.entrypoint_resources.iter();
        wants.extend(own.map(|(name, amount)| format!("{amount} {name}")));
        wants.join(", ")
    }
}

/// A word of a shell's command line.
fn word(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-+".contains(c);
    match !text.is_empty() && text.chars().all(plain) {
        true => text.to_owned(),
        false => format!("'{}'", text.replace('\'', r"'\''")),
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used)]
    use super::*;
    use crate::worker::ClusterConfig;

    #[test]
    fn a_submission_says_what_the_jobs_api_wants() {
        let config = TrlConfig {
            python: Some("/opt/my env/bin/python".into()),
            stop_s: 7,
            cluster: Some(ClusterConfig {
                cpus: 2.0,
                gpus: 0.5,
                memory_gb: Some(24.0),
                resources: BTreeMap::from([("slot".to_owned(), 1.0)]),
                runtime_env: BTreeMap::from([
                    ("pip".to_owned(), json!(["trl==1.16.0"])),
                    ("env_vars".to_owned(), json!({"HF_HOME": "/models"})),
                ]),
                ..ClusterConfig::default()
            }),
            ..TrlConfig::default()
        };
        let packages = Packages {
            worker: "gcs://w.zip".to_owned(),
            job: "gcs://j.zip".to_owned(),
        };
        let submission = Submission::of("x-1", &config, &packages);
        assert_eq!(
            submission.wants(),
            "2 CPU, 0.5 GPU, 24 GB of memory, 1 slot"
        );
        let mut said = serde_json::to_value(&submission).unwrap();
        said.as_object_mut().unwrap().remove("metadata");
        assert_eq!(
            said,
            json!({
                "submission_id": "x-1",
                "entrypoint": "'/opt/my env/bin/python' -m reward_search.worker start.json",
                "runtime_env": {
                    "working_dir": "gcs://j.zip", "py_modules": ["gcs://w.zip"], "pip": ["trl==1.16.0"],
                    "env_vars": {"HF_HOME": "/models", "RAY_JOB_STOP_WAIT_TIME_S": "7"},
                },
                "entrypoint_num_cpus": 2.0,
                "entrypoint_num_gpus": 0.5,
                "entrypoint_memory": 24_000_000_000_u64,
                "entrypoint_resources": {"slot": 1.0},
            })
        );
    }
}
