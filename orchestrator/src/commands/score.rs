//! `score`: completions scored by a reward function in the sandbox.

use std::{
    fs,
    io::{Read as _, Write as _, stdout},
    path::Path,
};

use anyhow::{Context as _, bail};
use evaluator::ExtractionConfig;
use sandbox::{
    CompileError, Compiler, CompilerConfig, Limits, Module, Sample, Sandbox, Source, Verdict,
};
use serde::Deserialize;

use crate::{
    cli::{DatabaseArg, ScoreArgs},
    config::Config,
    export,
    task::verifier,
};

#[derive(Deserialize)]
struct Line {
    #[serde(default)]
    prompt: String,
    completion: String,
    answer: String,
}

pub(super) async fn run(args: ScoreArgs) -> anyhow::Result<()> {
    let mut out = stdout();
    let scoring = scoring(&args.reward, &args.database).await?;
    let reward = Sandbox::new(scoring.limits)?
        .load(&scoring.module)
        .with_context(|| format!("cannot load {}", args.reward))?;
    let lines = samples(&args.samples)?;
    let verifier = verifier(scoring.extraction);
    let verdicts: Vec<(bool, Option<String>)> = lines
        .iter()
        .map(|line| verifier(&line.completion, &line.answer))
        .collect();
    let batch: Vec<Sample<'_>> = lines
        .iter()
        .zip(&verdicts)
        .map(|(line, (correct, extracted))| Sample {
            prompt: &line.prompt,
            completion: &line.completion,
            answer: &line.answer,
            verdict: Verdict {
                correct: *correct,
                extracted: extracted.as_deref(),
            },
        })
        .collect();
    let scores = reward
        .score(&batch)
        .map_err(|fault| anyhow::anyhow!("{}: {fault}", args.reward))?;
    for (score, (correct, extracted)) in scores.iter().zip(&verdicts) {
        writeln!(
            out,
            "{}",
            serde_json::json!({"score": score, "correct": correct, "extracted": extracted})
        )?;
    }
    Ok(())
}

/// What to score with, and how it was run where that is known.
pub(super) struct Scoring {
    pub(super) module: Module,
    limits: Limits,
    extraction: ExtractionConfig,
}

impl Scoring {
    /// A guest of unknown origin: default limits, answers in any usual form.
    fn unknown(module: Module) -> Self {
        Self {
            module,
            limits: Limits::default(),
            extraction: ExtractionConfig::default(),
        }
    }
}

/// A file, exported or of one's own, or a candidate of a search.
pub(super) async fn scoring(reward: &str, database: &DatabaseArg) -> anyhow::Result<Scoring> {
    let path = Path::new(reward);
    match path.extension().and_then(|e| e.to_str()) {
        Some("wasm") => {
            let wasm = fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
            let scoring = Scoring::unknown(Module { wasm: wasm.into() });
            Ok(match export::how_it_ran(path)? {
                Some((limits, extraction)) => Scoring {
                    limits,
                    extraction,
                    ..scoring
                },
                None => scoring,
            })
        }
        Some("rs") => {
            let code = fs::read_to_string(path)
                .with_context(|| format!("cannot read {}", path.display()))?;
            let compiler = Compiler::new(CompilerConfig::default())?;
            match compiler.compile(&Source::rust(code)) {
                Ok(module) => Ok(Scoring::unknown(module)),
                Err(CompileError::Rejected(rejection)) => {
                    bail!("{} is refused: {rejection}", path.display())
                }
                Err(CompileError::Host(error)) => Err(error.into()),
            }
        }
        _ if path.exists() => bail!(
            "{} is no reward: expected a .wasm or .rs file, or the name of a candidate",
            path.display()
        ),
        _ => {
            let store = super::open(database.clone()).await?;
            let search = store.search().await?;
            let candidate = store.candidate(search.id, reward).await?;
            let config: Config = serde_json::from_str(&search.config)?;
            let status = &candidate.status;
            let wasm = status.wasm().with_context(|| {
                format!(
                    "`{reward}` was {}: {}",
                    status.word(),
                    status.reason().unwrap_or_default()
                )
            })?;
            Ok(Scoring {
                module: Module { wasm: wasm.into() },
                limits: config.limits,
                extraction: config.task.extraction(),
            })
        }
    }
}

fn samples(path: &Path) -> anyhow::Result<Vec<Line>> {
    let text = if path == Path::new("-") {
        let mut text = String::new();
        std::io::stdin()
            .read_to_string(&mut text)
            .context("cannot read standard input")?;
        text
    } else {
        fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?
    };
    let numbered = text
        .lines()
        .enumerate()
        .filter(|(_, line)| !line.trim().is_empty());
    numbered
        .map(|(number, line)| {
            serde_json::from_str(line).with_context(|| {
                format!(
                    "{}:{}: expected {{\"prompt\": …, \"completion\": …, \"answer\": …}}",
                    path.display(),
                    number + 1
                )
            })
        })
        .collect()
}
