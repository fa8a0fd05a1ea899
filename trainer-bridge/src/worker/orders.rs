//! What any trainer that drives a worker gives it: a job that was looked at, written down, with the settings it is to be done by.

use std::{
    env, fs,
    io::{self, Read as _, Write as _},
    path::{Path, PathBuf},
    process::Command,
};

use sha2::{Digest as _, Sha256};

use super::{TrlConfig, lines::Settings, package, process::clear_environment};
use crate::{
    Checkpoint, Location, TrainError, TrainJob,
    candle::{ChatMode, FloatType},
    grpo::learning_rate::{last_step, learning_rate},
};

/// Names the program that scores, where it is not this one.
const PROGRAM: &str = "REWARD_SEARCH_PROGRAM";
/// What TRL takes if nothing is said; said, because its defaults have moved.
const VLLM_SHARE: f64 = 0.3;

/// The file of a job in the folder it is written to.
pub const JOB_FILE: &str = "job.json";
/// The file of the checkpoint that it goes on from.
pub const FROM_FILE: &str = "from.tar";

/// The program that scores: this one, unless a variable says otherwise.
///
/// # Errors
/// `Setup` if this one's file is not known.
pub fn program() -> Result<PathBuf, TrainError> {
    let named = env::var_os(PROGRAM).filter(|name| !name.is_empty());
    named
        .map(PathBuf::from)
        .map_or_else(env::current_exe, Ok)
        .map_err(|error| {
            TrainError::Setup(format!(
                "cannot find this program's own file: {error}; name it in {PROGRAM}"
            ))
        })
}

/// Of everything in a model's folder that decides what a run starts from.
///
/// # Errors
/// `Setup` if it is no model's folder.
pub fn digest(model: &Path) -> Result<String, TrainError> {
    let unreadable = |error: std::io::Error| {
        TrainError::Setup(format!(
            "cannot read the model folder {}: {error} (`model` is `toy`, a folder in Hugging Face's layout or the hub's id of one)",
            model.display()
        ))
    };
    let entries = fs::read_dir(model).map_err(unreadable)?;
    let mut names: Vec<String> = entries
        .flatten()
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .filter(|name| {
            [".json", ".safetensors", ".jinja"]
                .iter()
                .any(|ending| name.ends_with(ending))
        })
        .collect();
    names.sort_unstable();
    let mut digest = Sha256::new();
    let mut buffer = vec![0; 1 << 20];
    for name in &names {
        let mut file = fs::File::open(model.join(name)).map_err(unreadable)?;
        let length = file.metadata().map_err(unreadable)?.len();
        digest.update(format!("{name} {length}\n"));
        loop {
            let read = file.read(&mut buffer).map_err(unreadable)?;
            if read == 0 {
                break;
            }
            digest.update(&buffer[..read]);
        }
    }
    if !names.iter().any(|name| name.ends_with(".safetensors")) {
        return Err(TrainError::Setup(format!(
            "{} has no weights: a model folder has config.json, tokenizer.json and model.safetensors",
            model.display()
        )));
    }
    Ok(digest
        .finalize()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect())
}

/// Refuses a job that cannot work. Prompts are tried by the worker, which has the tokenizer.
///
/// # Errors
/// `Setup`, or `Checkpoint` where it cannot go on from there.
pub fn check_job(config: &TrlConfig, job: &TrainJob) -> Result<(), TrainError> {
    let problems = [
        job.grpo.problems(),
        job.evaluation.problems(),
        config.refusals(&job.grpo),
    ]
    .concat();
    if let Some(problem) = problems.into_iter().next() {
        return Err(TrainError::Setup(problem));
    }
    let (done, until) = (job.done(), job.until_step);
    if done > until {
        return Err(TrainError::Setup(format!(
            "the checkpoint is of step {done}, past the run's last step {until}"
        )));
    }
    if let Some(last) = last_step(&job.grpo).filter(|&last| last < until) {
        return Err(TrainError::Setup(format!(
            "the learning rate is 0 after `max_steps` = {last}, and the run goes on to step {until}: raise `max_steps`"
        )));
    }
    if done < until && (job.examples.is_empty() || job.mix.members.is_empty()) {
        return Err(TrainError::Setup(
            "training needs at least one example and one reward".into(),
        ));
    }
    if !done.is_multiple_of(job.grpo.steps_per_batch().max(1)) {
        return Err(TrainError::Checkpoint(format!(
            "it is of step {done}, in the middle of a batch of rollouts; TRL can go on from every {}th step only",
            job.grpo.steps_per_batch()
        )));
    }
    Ok(())
}

/// The learning rate of every step of a job from the first.
pub fn rates(job: &TrainJob) -> Vec<f64> {
    let steps = 1..=job.until_step;
    steps.map(|step| learning_rate(&job.grpo, step)).collect()
}

/// Where a run computes, and what it reads and writes there.
pub struct Place<'a> {
    /// The model's folder, or its id where the worker fetches it.
    pub model: PathBuf,
    /// The commit of a model that the worker fetches.
    pub commit: Option<&'a str>,
    /// Whether it computes on a GPU.
    pub on_gpu: bool,
    /// The GPU's number, for messages.
    pub number: Option<u32>,
    /// The file for all rollouts.
    pub rollouts: Option<PathBuf>,
}

/// The settings of a run.
pub fn settings<'a>(config: &'a TrlConfig, place: Place<'a>) -> Settings<'a> {
    let Place {
        model,
        commit,
        on_gpu,
        number,
        rollouts,
    } = place;
    let usual = if on_gpu {
        FloatType::Bf16
    } else {
        FloatType::F32
    };
    Settings {
        model,
        commit,
        name: &config.model,
        device: if on_gpu { "cuda" } else { "cpu" },
        number,
        dtype: match config.dtype.unwrap_or(usual) {
            FloatType::F32 => "f32",
            FloatType::Bf16 => "bf16",
        },
        lora: config.lora.as_ref(),
        chat_template: match config.chat_template {
            ChatMode::Auto => "auto",
            ChatMode::None => "none",
        },
        system_prompt: config.system_prompt.as_deref(),
        chat_template_kwargs: &config.chat_template_kwargs,
        threads: config.threads_per_trial,
        micro_batch: config.micro_batch,
        eval_batch: config.eval_batch,
        gradient_checkpointing: config.gradient_checkpointing.unwrap_or(on_gpu),
        use_vllm: config.use_vllm,
        vllm_mode: config.vllm_mode,
        vllm_gpu_memory_utilization: config.vllm_gpu_memory_utilization.unwrap_or(VLLM_SHARE),
        vllm_max_model_length: config.vllm_max_model_length,
        vllm_enable_sleep_mode: config.vllm_enable_sleep_mode,
        vllm_server_base_url: config.vllm_server_base_url.as_deref(),
        rollouts,
    }
}

/// The file of a run's rollouts in the folder for them; `job` is the job's digest.
pub fn rollouts_of(folder: &Path, job: &str) -> PathBuf {
    folder.join(format!("{}.jsonl", &job[..16]))
}

/// Writes the job into a folder, and the checkpoint it goes on from beside it; the job then says where that is.
///
/// # Errors
/// If the folder cannot be written.
pub fn written(mut job: TrainJob, folder: &Path) -> io::Result<PathBuf> {
    if let Some(checkpoint) = &mut job.from
        && let Location::Bytes(bytes) = &checkpoint.at
    {
        let file = folder.join(FROM_FILE);
        fs::write(&file, &bytes.0)?;
        checkpoint.at = Location::Folder(file);
    }
    let path = folder.join(JOB_FILE);
    let mut file = io::BufWriter::new(fs::File::create(&path)?);
    serde_json::to_writer(&mut file, &job)?;
    file.flush()?;
    Ok(path)
}

/// What writes models out of checkpoints.
pub struct Exports<'a> {
    /// Whichever Python is at hand.
    pub python: &'a Path,
    /// The base model, which has the tokenizer.
    pub model: &'a Path,
    /// Whether an adapter was trained.
    pub adapter: bool,
}

/// Writes the model in a checkpoint as a folder; returns whether there was one. Of an adapter there is none.
///
/// # Errors
/// `Checkpoint` if it is none of a worker's, `Host` if the folder cannot be written.
pub fn export(
    exports: &Exports<'_>,
    checkpoint: &Checkpoint,
    folder: &Path,
) -> Result<bool, TrainError> {
    let &Exports {
        python,
        model,
        adapter,
    } = exports;
    if adapter {
        return Ok(false);
    }
    let Some(checkpoint) = checkpoint.bytes() else {
        let why = "its state is not at hand".to_owned();
        return Err(TrainError::Checkpoint(why));
    };
    let host = |error: io::Error| TrainError::Host(format!("cannot write the model: {error}"));
    let mut file = tempfile::NamedTempFile::new().map_err(host)?;
    file.write_all(checkpoint).map_err(host)?;
    fs::create_dir_all(folder).map_err(host)?;
    let mut command = Command::new(python);
    clear_environment(&mut command);
    command
        .args(["-I", "-c", package::CHECKPOINT])
        .arg(file.path())
        .arg(folder);
    let said = command.output().map_err(host)?;
    match said.status.code() {
        Some(0) => {}
        Some(3) => return Ok(false),
        _ => {
            let err = String::from_utf8_lossy(&said.stderr);
            let last = err.lines().next_back().unwrap_or("it says nothing");
            return Err(TrainError::Checkpoint(last.to_owned()));
        }
    }
    // Trainer saves the tokenizer in its own words; the model's own files are what every program knows.
    for name in [
        "tokenizer.json",
        "tokenizer_config.json",
        "special_tokens_map.json",
        "chat_template.jinja",
    ] {
        let own = model.join(name);
        if own.is_file() {
            fs::copy(own, folder.join(name)).map_err(host)?;
        }
    }
    Ok(true)
}
