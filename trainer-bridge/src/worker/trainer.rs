//! TRL as others see it: a worker a run, each on a GPU of its own.

use std::{
    env, fs,
    io::{Read as _, Write as _},
    path::{Path, PathBuf},
    process::Command,
    sync::Arc,
    time::Duration,
};

use sha2::{Digest as _, Sha256};
use tempfile::TempDir;

use super::{
    TrlConfig,
    devices::{Devices, Lease, visible},
    interpreter::Interpreter,
    lines::{PROTOCOL, Settings, Start},
    package,
    process::{Worker, clear_environment},
    session::{Patience, Session},
};
use crate::{
    BoxFuture, Checkpoint, Description, Ended, Location, Reporter, Run, RunId, TrainError,
    TrainJob, Trainer,
    candle::{ChatMode, EMBEDDED, FloatType, write_embedded},
    grpo::learning_rate::{last_step, learning_rate},
};

/// Names the program that scores, where it is not this one.
const PROGRAM: &str = "REWARD_SEARCH_PROGRAM";
/// What TRL takes if nothing is said; said, because its defaults have moved.
const VLLM_SHARE: f64 = 0.3;

/// Trains in workers.
pub struct TrlTrainer(Arc<Shared>);

/// What all runs use.
struct Shared {
    config: TrlConfig,
    python: PathBuf,
    program: PathBuf,
    /// The package and, if it is the embedded one, the model.
    folder: TempDir,
    model: PathBuf,
    digest: String,
    devices: Devices,
}

impl TrlTrainer {
    /// Finds and checks the interpreter, and the model.
    ///
    /// # Errors
    /// `Setup`, with what mends it.
    pub fn new(config: &TrlConfig) -> Result<Self, TrainError> {
        check(config)?;
        let python = Interpreter::find(config.python.as_deref(), config.use_vllm)?.executable;
        let host = |error: std::io::Error| {
            TrainError::Host(format!("cannot write a temporary folder: {error}"))
        };
        let folder = tempfile::Builder::new()
            .prefix("reward-search-trl-")
            .tempdir()
            .map_err(host)?;
        package::write(folder.path()).map_err(host)?;
        let model = match (&config.folder, config.model.as_str()) {
            (Some(folder), _) => folder.clone(),
            (None, EMBEDDED) => {
                let model = folder.path().join("model");
                write_embedded(&model).map_err(host)?;
                model
            }
            (None, path) => PathBuf::from(path),
        };
        Ok(Self(Arc::new(Shared {
            program: program()?,
            digest: digest(&model)?,
            devices: Devices::of(&config.devices),
            config: config.clone(),
            python,
            folder,
            model,
        })))
    }
}

/// Refuses settings that are impossible, and an interpreter that lacks something.
///
/// # Errors
/// `Setup`.
pub fn check_config(config: &TrlConfig) -> Result<(), TrainError> {
    check(config)?;
    Interpreter::find(config.python.as_deref(), config.use_vllm).map(drop)
}

fn check(config: &TrlConfig) -> Result<(), TrainError> {
    match config.problems().into_iter().next() {
        Some(problem) => Err(TrainError::Setup(problem)),
        None => Ok(()),
    }
}

/// The program that scores: this one, unless a variable says otherwise.
fn program() -> Result<PathBuf, TrainError> {
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
fn digest(model: &Path) -> Result<String, TrainError> {
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

impl Shared {
    /// Refuses a job that cannot work. Prompts are tried by the worker, which has the tokenizer.
    fn check(&self, job: &TrainJob) -> Result<(), TrainError> {
        let problems = [
            job.grpo.problems(),
            job.evaluation.problems(),
            self.config.refusals(&job.grpo),
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

    async fn run(&self, job: TrainJob, reporter: &mut Reporter) -> Result<Ended, TrainError> {
        let lease = tokio::select! {
            lease = self.devices.take() => lease,
            () = reporter.stopped() => {
                return Err(TrainError::Host("the run was given up before it began".to_owned()));
            }
        };
        let host = |error: std::io::Error| {
            TrainError::Host(format!("cannot write the run's temporary folder: {error}"))
        };
        let work = tempfile::Builder::new()
            .prefix("reward-search-run-")
            .tempdir()
            .map_err(host)?;
        let until = job.until_step;
        let mix = job.mix.clone();
        let rates = (1..=until)
            .map(|step| learning_rate(&job.grpo, step))
            .collect();
        let digest = job.digest();
        let job = written(job, work.path()).map_err(host)?;
        let settings = self.settings(&lease, &digest).map_err(host)?;
        if let Some(rollouts) = &settings.rollouts {
            fs::copy(&job, rollouts.with_extension("job.json")).map_err(host)?;
        }
        let start = Start {
            protocol: PROTOCOL,
            job,
            work: work.path().to_owned(),
            program: self.program.clone(),
            settings,
            learning_rates: rates,
        };
        let own = env::var("CUDA_VISIBLE_DEVICES").ok();
        let visible = visible(lease.number, own.as_deref());
        let session = Session {
            worker: Worker::start(&self.python, self.folder.path(), &visible)?,
            start,
            mix: &mix,
            patience: Patience {
                silence: Duration::from_secs(self.config.silence_s),
                stop: Duration::from_secs(self.config.stop_s),
            },
        };
        session.follow(reporter).await
    }

    fn settings(&self, lease: &Lease, job: &str) -> std::io::Result<Settings<'_>> {
        let config = &self.config;
        let on_gpu = lease.number.is_some();
        let usual = if on_gpu {
            FloatType::Bf16
        } else {
            FloatType::F32
        };
        let rollouts = match &config.rollouts {
            Some(folder) => {
                fs::create_dir_all(folder)?;
                Some(std::path::absolute(
                    folder.join(format!("{}.jsonl", &job[..16])),
                )?)
            }
            None => None,
        };
        Ok(Settings {
            model: std::path::absolute(&self.model)?,
            name: &config.model,
            device: if on_gpu { "cuda" } else { "cpu" },
            number: lease.number,
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
        })
    }
}

/// Writes the job into a folder, and the checkpoint it goes on from beside it; the job then says where that is.
fn written(mut job: TrainJob, folder: &Path) -> std::io::Result<PathBuf> {
    if let Some(checkpoint) = &mut job.from
        && let Location::Bytes(bytes) = &checkpoint.at
    {
        let file = folder.join("from.tar");
        fs::write(&file, &bytes.0)?;
        checkpoint.at = Location::Folder(file);
    }
    let path = folder.join("job.json");
    let mut file = std::io::BufWriter::new(fs::File::create(&path)?);
    serde_json::to_writer(&mut file, &job)?;
    file.flush()?;
    Ok(path)
}

impl Trainer for TrlTrainer {
    fn describe(&self) -> Description {
        Description {
            kind: "trl".to_owned(),
            base_model: self.0.digest.clone(),
        }
    }

    fn check<'a>(&'a self, job: &'a TrainJob) -> BoxFuture<'a, Result<(), TrainError>> {
        Box::pin(async { self.0.check(job) })
    }

    fn start(&self, job: TrainJob) -> BoxFuture<'_, Result<Run, TrainError>> {
        let shared = Arc::clone(&self.0);
        Box::pin(async move {
            shared.check(&job)?;
            let (run, mut reporter) = Run::new(RunId::in_this_process());
            tokio::spawn(async move {
                let ended = shared.run(job, &mut reporter).await;
                reporter.finish(ended);
            });
            Ok(run)
        })
    }

    fn export<'a>(
        &'a self,
        checkpoint: &'a Checkpoint,
        folder: &'a Path,
    ) -> BoxFuture<'a, Result<bool, TrainError>> {
        Box::pin(async move {
            if self.0.config.lora.is_some() {
                return Ok(false);
            }
            let Some(bytes) = checkpoint.bytes() else {
                let why = "its state is not at hand".to_owned();
                return Err(TrainError::Checkpoint(why));
            };
            self.0.export(bytes, folder)
        })
    }
}

impl Shared {
    fn export(&self, checkpoint: &[u8], folder: &Path) -> Result<bool, TrainError> {
        let host =
            |error: std::io::Error| TrainError::Host(format!("cannot write the model: {error}"));
        let mut file = tempfile::NamedTempFile::new().map_err(host)?;
        file.write_all(checkpoint).map_err(host)?;
        fs::create_dir_all(folder).map_err(host)?;
        let mut command = Command::new(&self.python);
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
            let own = self.model.join(name);
            if own.is_file() {
                fs::copy(own, folder.join(name)).map_err(host)?;
            }
        }
        Ok(true)
    }
}
