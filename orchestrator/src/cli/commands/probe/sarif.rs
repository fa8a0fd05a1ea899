//! Findings as SARIF 2.1.0 (OASIS), which code scanning reads: a rule for each kind, a result for each finding, at the reward's file and line.

use std::fs;

use serde_json::{Value, json};

use super::{Probed, Told};
use crate::{reward::probe::findings::RULES, web::escape::in_query};

const SCHEMA: &str = "https://json.schemastore.org/sarif-2.1.0.json";

/// The log as text.
pub(super) fn log(probed: &[Probed]) -> anyhow::Result<String> {
    let rules: Vec<Value> = RULES
        .iter()
        .map(|(id, says)| json!({"id": id, "shortDescription": {"text": says}}))
        .collect();
    let results: Vec<Value> = probed.iter().flat_map(of_reward).collect();
    let log = json!({
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [{
            "tool": {"driver": {
                "name": "reward-search",
                "version": env!("CARGO_PKG_VERSION"),
                "rules": rules,
            }},
            "results": results,
        }],
    });
    Ok(serde_json::to_string_pretty(&log)?)
}

fn of_reward(probed: &Probed) -> Vec<Value> {
    let file = probed.spec.split("::").next().unwrap_or_default();
    let line = line_of(file, &probed.reward);
    let result = |told: &Told| {
        let finding = &told.finding;
        json!({
            "ruleId": finding.rule,
            "level": finding.severity.name(),
            "message": {"text": format!("{}: {}", probed.reward, finding.message)},
            "locations": [{"physicalLocation": {
                "artifactLocation": {"uri": uri(file)},
                "region": {"startLine": line},
            }}],
            "partialFingerprints": {
                "rewardSearchFinding/v1": format!("{}/{}/{}", probed.reward, finding.rule, finding.about),
            },
            "baselineState": if told.known { "unchanged" } else { "new" },
        })
    };
    probed.findings.iter().map(result).collect()
}

/// A path as an address relative to where the program was run.
fn uri(file: &str) -> String {
    let path = file.replace('\\', "/");
    path.split('/').map(in_query).collect::<Vec<_>>().join("/")
}

/// Where the function stands in its file; the first line where that is not found.
fn line_of(file: &str, name: &str) -> usize {
    let text = fs::read_to_string(file).unwrap_or_default();
    let is_it = |line: &str| {
        let line = line.trim_start().trim_start_matches("async ");
        ["def ", "class ", "pub fn "].iter().any(|word| {
            line.strip_prefix(word).is_some_and(|rest| {
                let named: String = rest
                    .chars()
                    .take_while(|c| c.is_alphanumeric() || *c == '_')
                    .collect();
                named == name || (*word == "pub fn " && named == "reward")
            })
        })
    };
    text.lines().position(is_it).map_or(1, |at| at + 1)
}
