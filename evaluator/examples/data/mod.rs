//! The pairs of reference answer and completion that speed is measured on.

use std::{env, error::Error, fs, path::Path};

use serde_json::Value;

/// Pairs that are timed together.
pub struct PairSet {
    pub name: &'static str,
    /// Reference answer and completion.
    pub pairs: Vec<(String, String)>,
}

/// The sets in the folder that `REWARD_SEARCH_DATA` names, or that lies beside the repository; `None` without one.
#[allow(dead_code, reason = "only benches look for the folder")]
pub fn pairs_beside() -> Option<Vec<PairSet>> {
    let beside = concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/data").to_owned();
    let folder = env::var("REWARD_SEARCH_DATA").unwrap_or(beside);
    pairs(Path::new(&folder)).ok()
}

/// HardVerify dev bare and with both sides in a box, and the published GSM8K completions.
pub fn pairs(folder: &Path) -> Result<Vec<PairSet>, Box<dyn Error>> {
    let rows = |name: &str| -> Result<Vec<Value>, Box<dyn Error>> {
        let path = folder.join(name);
        let text =
            fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
        Ok(text
            .lines()
            .map(serde_json::from_str)
            .collect::<Result<_, _>>()?)
    };
    let field = |row: &Value, name: &str| row[name].as_str().unwrap_or_default().to_owned();

    let hard = rows("verification/hardverify.dev.jsonl")?;
    let bare: Vec<_> = hard
        .iter()
        .map(|row| (field(row, "reference"), field(row, "answer")))
        .collect();
    let boxed = bare
        .iter()
        .map(|(gold, answer)| (gold.clone(), format!(r"\boxed{{{answer}}}")))
        .collect();
    let mut completions = Vec::new();
    for row in rows("gsm8k/example_model_solutions.jsonl")? {
        let truth = field(&row, "ground_truth");
        let gold = truth
            .rsplit("A:")
            .next()
            .unwrap_or_default()
            .trim()
            .to_owned();
        for model in [
            "6b_finetuning",
            "6b_verification",
            "175b_finetuning",
            "175b_verification",
        ] {
            completions.push((gold.clone(), field(&row[model], "solution")));
        }
    }
    Ok(vec![
        PairSet {
            name: "hardverify-bare",
            pairs: bare,
        },
        PairSet {
            name: "hardverify-boxed",
            pairs: boxed,
        },
        PairSet {
            name: "gsm8k",
            pairs: completions,
        },
    ])
}
