//! The file of findings that are known: what a probe found once, and what fails nothing any more.

use std::{fs, path::Path};

use anyhow::{Context as _, ensure};
use serde::{Deserialize, Serialize};

use super::Probed;
use crate::reward::probe::findings::{Finding, Known};

/// The version of the file.
const VERSION: u32 = 1;

/// What is known.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Baseline {
    baseline_version: u32,
    known: Vec<Known>,
}

impl Baseline {
    /// Reads the file; nothing is known where none is named.
    pub(super) fn read(path: Option<&Path>) -> anyhow::Result<Self> {
        let Some(path) = path else {
            return Ok(Self::default());
        };
        let shown = path.display();
        let text = fs::read_to_string(path).with_context(|| format!("cannot read {shown}"))?;
        let read: Self = serde_json::from_str(&text)
            .with_context(|| format!("{shown} is no baseline: write one with --write-baseline"))?;
        ensure!(
            read.baseline_version == VERSION,
            "{shown} is a baseline of version {}, and this program reads {VERSION}: write it again with --write-baseline",
            read.baseline_version
        );
        Ok(read)
    }

    /// Whether it holds this finding.
    pub(super) fn knows(&self, reward: &str, finding: &Finding) -> bool {
        self.known.contains(&finding.known(reward))
    }
}

/// Writes all that was found.
pub(super) fn write(path: &Path, probed: &[Probed]) -> anyhow::Result<()> {
    let mut known: Vec<Known> = probed
        .iter()
        .flat_map(|one| {
            one.findings
                .iter()
                .map(|told| told.finding.known(&one.reward))
        })
        .collect();
    known.sort();
    let baseline = Baseline {
        baseline_version: VERSION,
        known,
    };
    let text = serde_json::to_string_pretty(&baseline)? + "\n";
    fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))
}
