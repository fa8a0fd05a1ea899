//! Arguments of the commands that judge answers.

use std::path::PathBuf;

use clap::Args;

use super::Format;

/// Who judges answers, where a command judges any.
#[derive(Debug, Clone, Args)]
pub struct JudgeArgs {
    /// A configuration whose `[verifier]` section says who judges; the rules alone if absent.
    #[arg(long, value_name = "CONFIG")]
    pub verifier: Option<PathBuf>,
    /// A database in which a judging model's verdicts are kept, so that nothing is asked twice.
    #[arg(long, value_name = "FILE", requires = "verifier")]
    pub cache: Option<PathBuf>,
}

/// Arguments of `evaluate`.
#[derive(Debug, Args)]
pub struct EvaluateArgs {
    /// JSON lines: `{"answer": "18", "completions": {"model-a": "…", "model-b": "…"}}` or `{"answer": "18", "completion": "…"}`; also
    /// GSM8K's example_model_solutions.jsonl, and what --endpoint wrote. Several files are compared with each other.
    #[arg(long, value_name = "FILE", num_args = 1.., required_unless_present = "endpoint")]
    pub predictions: Vec<PathBuf>,
    /// The served model to ask.
    #[command(flatten)]
    pub served: ServedArgs,
    /// Who judges.
    #[command(flatten)]
    pub judge: JudgeArgs,
    /// Seed of the bootstrap.
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub seed: u64,
    /// How to print.
    #[arg(long, value_enum, default_value = "table")]
    pub format: Format,
}

/// A served model, and what it is asked.
#[derive(Debug, Clone, Args)]
pub struct ServedArgs {
    /// An OpenAI-compatible endpoint up to and with its version, for instance http://localhost:8000/v1.
    #[arg(long, value_name = "URL", requires_all = ["model", "problems"])]
    pub endpoint: Option<String>,
    /// The model's name as the endpoint knows it.
    #[arg(long, value_name = "NAME", requires = "endpoint")]
    pub model: Option<String>,
    /// The questions: JSON lines `{"question": "…", "answer": "…"}`, for instance GSM8K's test.jsonl.
    #[arg(long, value_name = "FILE", requires = "endpoint")]
    pub problems: Option<PathBuf>,
    /// Only the first N questions.
    #[arg(long, value_name = "N", requires = "endpoint")]
    pub limit: Option<usize>,
    /// Where the completions are kept as they come, MODEL.jsonl by default; run again, only what is missing there is asked.
    #[arg(long, value_name = "FILE", requires = "endpoint")]
    pub out: Option<PathBuf>,
    /// What the model is told, with {question} where the question goes.
    #[arg(long, value_name = "TEXT", default_value = "{question}")]
    pub prompt: String,
    /// The system message; none by default.
    #[arg(long, value_name = "TEXT")]
    pub system: Option<String>,
    /// NAME of the environment variable that holds the key.
    #[arg(long, value_name = "NAME")]
    pub api_key_env: Option<String>,
    /// Sampling temperature.
    #[arg(long, value_name = "T", default_value_t = 0.0)]
    pub temperature: f64,
    /// Tokens a completion may have at most.
    #[arg(long, value_name = "N", default_value_t = 1024)]
    pub max_tokens: u32,
    /// Requests under way at a time.
    #[arg(long, value_name = "N", default_value_t = 8, value_parser = clap::value_parser!(u16).range(1..=256))]
    pub concurrency: u16,
    /// Seconds until a request is given up (and tried again).
    #[arg(long, value_name = "SECONDS", default_value_t = 300)]
    pub timeout_s: u64,
    /// Further tries after a failed request.
    #[arg(long, value_name = "N", default_value_t = 5)]
    pub max_retries: u32,
}

/// Arguments of `verify`.
#[derive(Debug, Args)]
pub struct VerifyArgs {
    /// The reference answer.
    #[arg(
        long,
        value_name = "TEXT",
        required_unless_present = "pairs",
        allow_hyphen_values = true
    )]
    pub reference: Option<String>,
    /// The answer to be judged, without text around it.
    #[arg(
        long,
        value_name = "TEXT",
        conflicts_with = "completion",
        allow_hyphen_values = true
    )]
    pub answer: Option<String>,
    /// A completion in which the answer is to be found.
    #[arg(long, value_name = "TEXT", allow_hyphen_values = true)]
    pub completion: Option<String>,
    /// The question, for a model that judges.
    #[arg(long, value_name = "TEXT", default_value = "")]
    pub question: String,
    /// JSON lines `{"reference": "…", "answer": "…"}` (or `response`, `completion`), with `"label": true` or `false` where it is known.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["reference", "answer", "completion"])]
    pub pairs: Option<PathBuf>,
    /// Take `answer` and `reference` in --pairs for texts in which the answer is to be found.
    #[arg(long, requires = "pairs")]
    pub in_text: bool,
    /// Where answers are looked for in a completion: strict, flexible, tags_only, or names of strategies joined by commas.
    #[arg(long, value_name = "NAMES", default_value = "flexible")]
    pub extraction: String,
    /// Who judges.
    #[command(flatten)]
    pub judge: JudgeArgs,
    /// How to print.
    #[arg(long, value_enum, default_value = "table")]
    pub format: Format,
}
