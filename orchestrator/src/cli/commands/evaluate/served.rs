//! Asking a served model every question once: completions are kept as they come, and a rerun asks only for what is missing.

use std::{
    collections::HashSet,
    fs::{self, File},
    io::{IsTerminal as _, Seek as _, SeekFrom, Write as _},
    path::{Path, PathBuf},
};

use anyhow::{Context as _, bail};
use evaluator::Problem;
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::{
    cli::arguments::ServedArgs,
    data::columns,
    domain::difference::first_difference,
    judge::{
        VerifierError,
        endpoint::{AskError, ChatApi, Endpoint, EndpointConfig, Messages, Origin, Prices},
    },
    store::lock,
    text::hex,
};

/// So many refusals before the first answer, and it is not the questions' fault.
const ALL_REFUSED: usize = 8;

/// Asks whatever is not answered yet, and returns the file that holds all completions.
pub(super) async fn ask(base_url: &str, args: &ServedArgs) -> anyhow::Result<PathBuf> {
    let model = args.model.clone().context("--endpoint needs --model")?;
    let path = args
        .problems
        .as_ref()
        .context("--endpoint needs --problems")?;
    if !args.prompt.contains("{question}") {
        bail!("--prompt must contain {{question}}");
    }
    let mut problems = columns::problems(path)?;
    problems.truncate(args.limit.unwrap_or(usize::MAX));
    let endpoint = endpoint(base_url, &model, args)?;
    let out = args.out.clone().unwrap_or_else(|| file_of(&model));
    let mut log = Log::open(&out, &settings(args, &model, &problems))?;

    let missing: Vec<(usize, &Problem)> = problems
        .iter()
        .enumerate()
        .filter(|(index, _)| !log.done.contains(index))
        .collect();
    let bar = bar(&model, problems.len(), log.done.len());
    let mut answers = stream::iter(missing)
        .map(|(index, problem)| answer(&endpoint, args, index, problem))
        .buffer_unordered(usize::from(args.concurrency));
    let mut answered = !log.done.is_empty();
    let mut refused = Vec::new();
    while let Some(line) = answers.try_next().await? {
        answered |= !line["error"].is_string();
        refused.push(line);
        if answered {
            for line in refused.drain(..) {
                log.append(&line)?;
                bar.inc(1);
            }
        } else if refused.len() == ALL_REFUSED {
            break;
        }
    }
    bar.finish_and_clear();
    // Nothing but refusals is a wrong setting, not a model that knows nothing.
    if let Some(why) = refused.first().and_then(|line| line["error"].as_str()) {
        bail!("not one question was answered; nothing was kept: {why}");
    }
    Ok(out)
}

fn endpoint(base_url: &str, model: &str, args: &ServedArgs) -> anyhow::Result<Endpoint> {
    let config = EndpointConfig {
        origin: Origin::Flags,
        base_url: base_url.to_owned(),
        model: model.to_owned(),
        api: ChatApi::Openai,
        api_key_env: args.api_key_env.clone(),
        temperature: args.temperature,
        max_tokens: args.max_tokens,
        timeout_s: args.timeout_s,
        max_retries: args.max_retries,
        backoff_ms: 1000,
        stream: false,
        prices: Prices::default(),
    };
    Endpoint::from_environment(config).map_err(|why| anyhow::anyhow!(why))
}

/// Everything that decides what the model says: a file of completions belongs to one of these.
fn settings(args: &ServedArgs, model: &str, problems: &[Problem]) -> Value {
    let mut questions = Sha256::new();
    for problem in problems {
        for text in [&problem.question, problem.answer.as_str()] {
            questions.update((text.len() as u64).to_le_bytes());
            questions.update(text);
        }
    }
    json!({
        "model": model,
        "problems": problems.len(),
        "problems_sha256": hex(&questions.finalize()),
        "prompt": args.prompt,
        "system": args.system,
        "temperature": args.temperature,
        "max_tokens": args.max_tokens,
    })
}

/// One question; a request that is refused for its own sake leaves an empty completion, with the reason.
async fn answer(
    endpoint: &Endpoint,
    args: &ServedArgs,
    index: usize,
    problem: &Problem,
) -> Result<Value, VerifierError> {
    let messages = Messages {
        system: args.system.clone(),
        user: args.prompt.replace("{question}", &problem.question),
    };
    let mut line = json!({
        "index": index,
        "model": endpoint.config().model,
        "question": problem.question,
        "answer": problem.answer.as_str(),
    });
    match endpoint.ask(&messages, index as u64, &mut |_| {}).await {
        Ok(reply) => {
            line["completion"] = json!(reply.text);
            line["stopped_because"] = json!(reply.stopped_because);
            line["prompt_tokens"] = json!(reply.prompt_tokens);
            line["completion_tokens"] = json!(reply.completion_tokens);
        }
        Err(AskError::Refused(why)) => {
            line["completion"] = json!("");
            line["error"] = json!(why);
        }
        Err(AskError::Setup(why)) => return Err(VerifierError::Setup(why)),
        Err(AskError::Unavailable(why)) => return Err(VerifierError::Unavailable(why)),
    }
    Ok(line)
}

/// The file of a model's completions, its name without what no file name should have.
fn file_of(model: &str) -> PathBuf {
    let plain = |c: char| {
        if c.is_ascii_alphanumeric() || "-_.".contains(c) {
            c
        } else {
            '-'
        }
    };
    let name: String = model.trim_start_matches('.').chars().map(plain).collect();
    PathBuf::from(format!("{name}.jsonl"))
}

fn bar(model: &str, questions: usize, done: usize) -> ProgressBar {
    if !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template(
        "  {prefix} {wide_bar:.dim} {pos}/{len}  {elapsed_precise} (about {eta} left)",
    );
    let bar = ProgressBar::new(questions as u64)
        .with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
        .with_prefix(model.to_owned())
        .with_position(done as u64);
    bar.reset_eta();
    bar
}

/// The file of completions: a line of settings, then one line a question in the order they were answered. The settings are written with the
/// first line after them: where nothing was answered, other settings may be tried.
struct Log {
    file: File,
    path: PathBuf,
    /// The line of settings, where it is still to be written.
    head: Option<Value>,
    done: HashSet<usize>,
    /// Questions whose refusal stands there.
    refused: HashSet<usize>,
}

impl Log {
    /// Opens it for appending, new or continued; a line cut off by a killed process is dropped.
    fn open(path: &Path, settings: &Value) -> anyhow::Result<Self> {
        let name = path.display();
        let file = File::options()
            .create(true)
            .truncate(false)
            .read(true)
            .write(true)
            .open(path)
            .with_context(|| format!("cannot open {name}"))?;
        if !lock::take(&file).with_context(|| format!("cannot lock {name}"))? {
            bail!(
                "{name} is in use by another `reward-search evaluate`; wait for it or use another file with --out"
            );
        }
        let bytes = fs::read(path).with_context(|| format!("cannot read {name}"))?;
        // A cut may go through a character.
        let text = String::from_utf8_lossy(&bytes);
        let end = bytes.iter().rposition(|byte| *byte == b'\n');
        let whole = std::str::from_utf8(&bytes[..end.map_or(0, |end| end + 1)])
            .with_context(|| format!("{name} is no text; use another file with --out"))?;
        let mut log = Self {
            file,
            path: path.to_owned(),
            head: None,
            done: HashSet::new(),
            refused: HashSet::new(),
        };
        let head = json!({"settings": settings});
        let is_new = whole.is_empty() && head.to_string().starts_with(&*text);
        if !is_new {
            let first = text.lines().next().unwrap_or_default();
            let before = log.settings_of(first)?;
            (log.done, log.refused) = answered(path, whole)?;
            if log.done.is_empty() {
                log.refused.clear();
            } else {
                log.check(&before, settings)?;
            }
        }
        // A file without a single answer begins anew.
        let kept = if log.done.is_empty() { 0 } else { whole.len() };
        log.head = log.done.is_empty().then_some(head);
        log.file.set_len(kept as u64)?;
        log.file.seek(SeekFrom::End(0))?;
        Ok(log)
    }

    /// The settings in the first line of a file.
    fn settings_of(&self, first: &str) -> anyhow::Result<Value> {
        let name = self.path.display();
        let before: Value = serde_json::from_str(first).unwrap_or_default();
        before.get("settings").cloned().with_context(|| {
            format!("{name} was not written by `evaluate --endpoint`; nothing was changed. Use another file with --out")
        })
    }

    /// Refuses to continue what was begun with other settings.
    fn check(&self, before: &Value, settings: &Value) -> anyhow::Result<()> {
        let name = self.path.display();
        if let Some(difference) = first_difference(before, settings) {
            bail!(
                "{name} holds completions made with other settings (first difference: {difference}). Continue with those, or use another file with --out"
            );
        }
        Ok(())
    }

    /// Adds the line of a question. A refusal that is repeated is not written again.
    fn append(&mut self, line: &Value) -> anyhow::Result<()> {
        let index = line["index"].as_u64().unwrap_or_default() as usize;
        if line["error"].is_string() && !self.refused.insert(index) {
            return Ok(());
        }
        let head = self.head.take().map(|head| format!("{head}\n"));
        let lines = format!("{}{line}\n", head.unwrap_or_default());
        // One write a line, so that a killed process leaves at most one cut off.
        self.file
            .write_all(lines.as_bytes())
            .with_context(|| format!("cannot write {}", self.path.display()))
    }
}

/// The questions with a completion, and those that were refused, which are asked again; the last line of a question counts.
fn answered(path: &Path, text: &str) -> anyhow::Result<(HashSet<usize>, HashSet<usize>)> {
    let (mut done, mut refused) = (HashSet::new(), HashSet::new());
    for (number, line) in text.lines().enumerate().skip(1) {
        let row: Option<Value> = serde_json::from_str(line).ok();
        let row = row.filter(|row| row["completion"].is_string());
        let index = row
            .as_ref()
            .and_then(|row| usize::try_from(row["index"].as_u64()?).ok());
        let (Some(row), Some(index)) = (row, index) else {
            bail!(
                "{}:{}: no line of `evaluate --endpoint`; remove it to have its question asked again",
                path.display(),
                number + 1
            );
        };
        let kind = match row["error"].is_string() {
            true => &mut refused,
            false => &mut done,
        };
        kind.insert(index);
    }
    Ok((done, refused))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn files_are_named_after_their_model() {
        assert_eq!(
            file_of("Qwen/Qwen2.5-0.5B"),
            Path::new("Qwen-Qwen2.5-0.5B.jsonl")
        );
        assert_eq!(file_of("../x"), Path::new("-x.jsonl"));
    }

    #[test]
    fn a_cut_off_line_is_dropped_and_other_settings_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("m.jsonl");
        let settings = json!({"model": "m", "temperature": 0.0});
        let mut log = Log::open(&path, &settings).unwrap();
        log.append(&json!({"index": 3, "completion": "x"})).unwrap();
        let used = Log::open(&path, &settings).map(|_| ()).unwrap_err();
        assert!(used.to_string().contains("in use"), "{used}");
        log.file.write_all(b"{\"index\": 4, \"comp").unwrap();
        drop(log);

        let log = Log::open(&path, &settings).unwrap();
        assert_eq!(log.done, HashSet::from([3]));
        drop(log);
        let text = fs::read_to_string(&path).unwrap();
        assert_eq!(text.lines().count(), 2);
        let other = json!({"model": "m", "temperature": 0.5});
        let why = Log::open(&path, &other).map(|_| ()).unwrap_err();
        assert!(
            why.to_string()
                .contains("temperature is 0.0 there and 0.5 here"),
            "{why}"
        );

        for foreign in ["{\"answer\": 1}\n", "a note without an end"] {
            fs::write(&path, foreign).unwrap();
            let why = Log::open(&path, &settings).map(|_| ()).unwrap_err();
            assert!(why.to_string().contains("--out"), "{why}");
            assert_eq!(fs::read_to_string(&path).unwrap(), foreign, "unchanged");
        }
    }
}
