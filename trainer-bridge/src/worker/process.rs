//! The worker's process: what it inherits, what it says, and its end with all that it started.

use std::{
    collections::VecDeque,
    env,
    ffi::OsString,
    path::Path,
    process::{Command as StdCommand, ExitStatus, Stdio},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::{
    io::{AsyncBufReadExt as _, AsyncRead, AsyncWriteExt as _, BufReader},
    process::{Child, ChildStdin, Command},
    sync::mpsc,
};

use crate::TrainError;

/// Variables that a worker needs and that hold no secrets.
const PASSED: [&str; 16] = [
    "PATH",
    "HOME",
    "USER",
    "LOGNAME",
    "LANG",
    "LC_ALL",
    "TMPDIR",
    "LD_LIBRARY_PATH",
    "XDG_CACHE_HOME",
    "XDG_CONFIG_HOME",
    "REWARD_SEARCH_CACHE",
    "SSL_CERT_FILE",
    "OMP_NUM_THREADS",
    "MKL_NUM_THREADS",
    "TZ",
    "RUSTUP_HOME",
];
/// Beginnings of the names of variables about GPUs and the libraries that use them.
const FAMILIES: [&str; 9] = [
    "CUDA_", "NVIDIA_", "NCCL_", "GLOO_", "VLLM_", "TORCH", "PYTORCH_", "TRITON_", "ROCR_",
];
/// A name with one of these in it may hold a secret, whatever else it says.
const SECRETS: [&str; 5] = ["KEY", "TOKEN", "SECRET", "PASSWORD", "CREDENTIAL"];
/// Longest line of a worker, bytes: evaluation completions come in one.
const LONGEST: usize = 1 << 29;
/// Lines of its standard error that are remembered.
const REMEMBERED: usize = 12;

/// A line of a worker.
#[derive(Debug)]
pub enum Line {
    /// A whole one.
    Whole(Vec<u8>),
    /// What was written of one when the worker ended.
    Torn,
    /// Longer than any line may be.
    TooLong,
}

/// A worker under way.
pub struct Worker {
    child: Child,
    stdin: Option<ChildStdin>,
    lines: mpsc::UnboundedReceiver<Line>,
    said: Arc<Mutex<VecDeque<String>>>,
}

impl Worker {
    /// Starts one in a process group of its own, with the package in `folder` and one GPU or none to see.
    ///
    /// # Errors
    /// `Setup` if it cannot be started.
    pub fn start(python: &Path, folder: &Path, visible: &str) -> Result<Self, TrainError> {
        let mut command = StdCommand::new(python);
        clear_environment(&mut command);
        command
            .args(["-m", "reward_search.worker"])
            .env("PYTHONPATH", folder)
            .env("PYTHONUNBUFFERED", "1")
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .env("CUDA_VISIBLE_DEVICES", visible)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        let spawned = Command::from(command).kill_on_drop(true).spawn();
        let mut child = spawned.map_err(|error| {
            TrainError::Setup(format!(
                "the worker cannot start: {}: {error}",
                python.display()
            ))
        })?;
        let (sender, lines) = mpsc::unbounded_channel();
        let stdout = child.stdout.take().expect("it was asked for");
        tokio::spawn(read_lines(stdout, sender));
        let said = Arc::default();
        let stderr = child.stderr.take().expect("it was asked for");
        tokio::spawn(remember(stderr, Arc::clone(&said)));
        Ok(Self {
            stdin: child.stdin.take(),
            child,
            lines,
            said,
        })
    }

    /// Writes a line; what a worker that is gone would have been told does not matter.
    pub async fn tell(&mut self, told: &impl serde::Serialize) {
        let mut line = serde_json::to_vec(told).expect("what is told is plain data");
        line.push(b'\n');
        if let Some(stdin) = &mut self.stdin {
            let written = stdin.write_all(&line).await;
            let _ = written.and(stdin.flush().await);
        }
    }

    /// Ends its input, which it takes as the end of its parent.
    pub fn orphan(&mut self) {
        self.stdin = None;
    }

    /// The next line; `None` at the end of its output.
    pub async fn line(&mut self) -> Option<Line> {
        self.lines.recv().await
    }

    /// Waits for its end for so long, and kills whatever is left of it and of what it started.
    pub async fn end(&mut self, patience: Duration) -> Option<ExitStatus> {
        let group = self.child.id();
        let gone = tokio::time::timeout(patience, self.child.wait()).await;
        kill_group(group);
        match gone {
            Ok(status) => status.ok(),
            Err(_) => self.child.wait().await.ok(),
        }
    }

    /// The last thing it said on its standard error.
    pub fn last_words(&self) -> String {
        let said = self.said.lock().unwrap_or_else(PoisonError::into_inner);
        said.back()
            .cloned()
            .unwrap_or_else(|| "it said nothing".to_owned())
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        kill_group(self.child.id());
    }
}

/// Kills a process group; nothing happens if it is gone.
fn kill_group(leader: Option<u32>) {
    #[cfg(unix)]
    if let Some(group) = leader
        .and_then(|id| i32::try_from(id).ok())
        .and_then(rustix::process::Pid::from_raw)
    {
        let _ = rustix::process::kill_process_group(group, rustix::process::Signal::KILL);
    }
    #[cfg(not(unix))]
    let _ = leader;
}

/// Leaves a command what a worker needs of the environment.
pub fn clear_environment(command: &mut StdCommand) {
    command.env_clear();
    command.envs(env::vars_os().filter(|(name, _)| {
        let name = name.to_string_lossy();
        let wanted = PASSED.contains(&&*name) || FAMILIES.iter().any(|f| name.starts_with(f));
        wanted && !may_be_secret(&name)
    }));
}

/// Leaves a command all of the environment but what may be secret: pip has its own variables, and proxies are in others.
pub fn without_secrets(command: &mut StdCommand) {
    let secret = |(name, _): (OsString, OsString)| {
        let held = may_be_secret(&name.to_string_lossy());
        held.then_some(name)
    };
    for name in env::vars_os().filter_map(secret) {
        command.env_remove(name);
    }
}

fn may_be_secret(name: &str) -> bool {
    let upper = name.to_uppercase();
    SECRETS.iter().any(|word| upper.contains(word))
}

async fn read_lines(stdout: impl AsyncRead + Unpin, sender: mpsc::UnboundedSender<Line>) {
    let mut reader = BufReader::new(stdout);
    let mut line = Vec::new();
    loop {
        let Ok(bytes) = reader.fill_buf().await else {
            return;
        };
        if bytes.is_empty() {
            if !line.is_empty() {
                let _ = sender.send(Line::Torn);
            }
            return;
        }
        let end = bytes.iter().position(|&byte| byte == b'\n');
        let taken = end.map_or(bytes.len(), |end| end + 1);
        line.extend_from_slice(&bytes[..taken]);
        reader.consume(taken);
        if line.len() > LONGEST {
            let _ = sender.send(Line::TooLong);
            return;
        }
        if end.is_some() && sender.send(Line::Whole(std::mem::take(&mut line))).is_err() {
            return;
        }
    }
}

async fn remember(stderr: impl AsyncRead + Unpin, said: Arc<Mutex<VecDeque<String>>>) {
    let mut reader = BufReader::new(stderr);
    let mut line = Vec::new();
    while reader
        .read_until(b'\n', &mut line)
        .await
        .is_ok_and(|read| read > 0)
    {
        let text = String::from_utf8_lossy(&line).trim().to_owned();
        line.clear();
        if text.is_empty() {
            continue;
        }
        let mut said = said.lock().unwrap_or_else(PoisonError::into_inner);
        if said.len() == REMEMBERED {
            said.pop_front();
        }
        said.push_back(text);
    }
}
