//! Runs the real program in a folder of its own, as a user would.
#![allow(dead_code, reason = "every test file uses its part of it")]

pub mod probing;
pub mod searches;
#[path = "../../../sandbox/tests/skipping/mod.rs"]
mod skipping;

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    sync::mpsc,
    thread,
    time::Duration,
};

use serde_json::Value;
use tempfile::TempDir;

use skipping::skip;

/// A working folder with a configuration in it.
pub struct Program {
    folder: TempDir,
}

/// What a run printed.
#[derive(Debug)]
pub struct Printed {
    pub code: i32,
    pub out: String,
    pub err: String,
}

impl Program {
    /// A folder with `search.toml`.
    pub fn with(config: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("search.toml"), config).unwrap();
        Self { folder }
    }

    /// A file in the folder.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Writes a file into the folder.
    pub fn write(&self, name: &str, content: &str) {
        fs::write(self.path(name), content).unwrap();
    }

    /// The command with these arguments, not yet started.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_reward-search"));
        command
            .args(arguments)
            .current_dir(self.folder.path())
            .stdin(Stdio::null());
        command.env_remove("REWARD_SEARCH_DATABASE");
        command
    }

    /// Runs it to its end.
    pub fn run(&self, arguments: &[&str]) -> Printed {
        Printed::from(self.command(arguments).output().unwrap())
    }

    /// Runs it to its end, which must come in time: what does not end is ended, and fails the test.
    pub fn run_within(&self, arguments: &[&str], most: Duration) -> Printed {
        let mut command = self.command(arguments);
        let child = command
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let id = child.id().to_string();
        let (done, ended) = mpsc::channel();
        thread::spawn(move || done.send(child.wait_with_output()));
        let Ok(output) = ended.recv_timeout(most) else {
            let _ = Command::new("kill").args(["-KILL", &id]).status();
            panic!("{arguments:?} did not end within {most:?}");
        };
        Printed::from(output.unwrap())
    }

    /// Runs it and insists on success.
    pub fn succeed(&self, arguments: &[&str]) -> String {
        let printed = self.run(arguments);
        assert_eq!(printed.code, 0, "{arguments:?}: {}", printed.err);
        printed.out
    }

    /// Starts it and lets it run.
    pub fn start(&self, arguments: &[&str]) -> Child {
        self.command(arguments)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap()
    }

    /// The leaderboard as JSON.
    pub fn leaderboard(&self) -> Value {
        serde_json::from_str(&self.succeed(&["leaderboard", "--format", "json"])).unwrap()
    }
}

impl From<Output> for Printed {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code().unwrap_or(-1),
            out: String::from_utf8_lossy(&output.stdout).into_owned(),
            err: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }
}

/// The names of rows, in order.
pub fn names(rows: &Value) -> Vec<String> {
    names_of(rows, "name")
}

/// The same where the name goes by another key.
pub fn names_of(rows: &Value, key: &str) -> Vec<String> {
    rows.as_array()
        .unwrap()
        .iter()
        .map(|row| row[key].as_str().unwrap().to_owned())
        .collect()
}

/// The row of that name.
pub fn row<'a>(rows: &'a Value, name: &str) -> &'a Value {
    rows.as_array()
        .unwrap()
        .iter()
        .find(|row| row["name"] == name)
        .unwrap_or_else(|| panic!("no row {name} in {rows:#}"))
}

/// The data folder for tests on real data, or a message that says why the test does nothing.
pub fn data() -> Option<PathBuf> {
    let folder = std::env::var_os("REWARD_SEARCH_DATA").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data"),
        PathBuf::from,
    );
    if folder.is_dir() {
        return Some(folder);
    }
    let at = folder.display();
    skip(&format!(
        "there is no test data at {at}; set REWARD_SEARCH_DATA"
    ));
    None
}

/// The folder of GSM8K, or a message that says why the test does nothing.
pub fn gsm8k() -> Option<PathBuf> {
    let folder = data()?.join("gsm8k");
    if folder.join("train.jsonl").is_file() {
        return Some(folder);
    }
    skip(&format!("there is no GSM8K in {}", folder.display()));
    None
}

/// Whether there is a Python guest to run rewards in, or a message that says why the test does nothing.
pub fn has_python_guest() -> bool {
    let ready = sandbox::guest_status().is_ok_and(|status| status.ready);
    if !ready {
        skip("the Python guest is not built; `reward-search guest build` makes it");
    }
    ready
}
