//! What a worker tells, wherever it runs: events are passed on, what it leaves is read, and its last line becomes the run's result.

use std::{
    collections::{BTreeMap, HashMap},
    fs, io,
    path::{Path, PathBuf},
};

use base64::{Engine as _, prelude::BASE64_STANDARD};

use super::{
    fault,
    lines::{Heard, Left, PROTOCOL},
};
use crate::{
    AdapterFiles, Checkpoint, Ended, Event, Reporter, RewardMix, Saved, TrainError, TrainOutput,
    seam::output::{ADAPTER_CONFIG, ADAPTER_WEIGHTS},
};

/// What has been heard of a run so far.
#[derive(Debug, Default)]
pub struct Heed {
    /// Whether the worker has said its first line.
    pub greeted: bool,
    /// The versions of its packages, which it greets with.
    pub versions: BTreeMap<String, String>,
    /// The last step that is done.
    pub step: u32,
    /// What it was about to do.
    pub phase: String,
    /// What it saved last.
    pub saved: Option<Saved>,
    /// Nothing is told of steps until this one: whoever listens knows them.
    pub after: u32,
    /// How what it leaves gets here.
    pub luggage: Luggage,
}

/// How files that a worker tells of get here.
#[derive(Debug, Default)]
pub struct Luggage {
    /// A folder that worker and program share, as it is called there and here, if it is not the same.
    mount: Option<(PathBuf, PathBuf)>,
    /// Whether an earlier process may have read, and so removed, what lies there.
    may_be_read: bool,
    /// What came in lines, by the path that the worker gave it.
    parts: HashMap<PathBuf, Vec<u8>>,
}

impl Heed {
    /// Takes a line; returns the run's end if that was it.
    ///
    /// # Errors
    /// If it is no line of the protocol.
    pub fn line(
        &mut self,
        line: &[u8],
        mix: &RewardMix,
        reporter: &Reporter,
    ) -> Result<Option<Result<Ended, TrainError>>, String> {
        match serde_json::from_slice::<Heard>(line) {
            Ok(heard) => Ok(self.hear(heard, mix, reporter)),
            Err(error) => {
                let text = String::from_utf8_lossy(line);
                let begin: String = text.trim().chars().take(120).collect();
                Err(format!("{begin:?} ({error})"))
            }
        }
    }

    /// Passes on what was heard; returns the run's end if that was it.
    fn hear(
        &mut self,
        heard: Heard,
        mix: &RewardMix,
        reporter: &Reporter,
    ) -> Option<Result<Ended, TrainError>> {
        match heard {
            Heard::Hello { protocol, .. } if protocol != PROTOCOL => {
                let why =
                    format!("the worker speaks protocol {protocol}, and this program {PROTOCOL}");
                return Some(Err(TrainError::Setup(why)));
            }
            Heard::Hello { versions, .. } => {
                self.greeted = true;
                self.versions = versions;
            }
            Heard::Phase { what } => self.phase = what,
            Heard::Scored {} | Heard::Evaluated {} | Heard::Other => {}
            Heard::Step { metrics } => {
                self.step = metrics.step;
                if metrics.step > self.after {
                    reporter.tell(Event::Step(metrics));
                }
            }
            Heard::Part { path, data } => {
                if let Err(error) = self.luggage.take(path, &data) {
                    return Some(Err(error));
                }
            }
            Heard::Saved(left) if left.step <= self.after => self.luggage.drop(&left),
            Heard::Saved(left) => match self.luggage.read(left) {
                Ok(Some(saved)) => {
                    self.saved = Some(saved.clone());
                    reporter.tell(Event::Saved(saved));
                }
                // An earlier process read it.
                Ok(None) => {}
                Err(error) => return Some(Err(error)),
            },
            Heard::Stopped(left) => return Some(self.luggage.unpack(left).map(Ended::Stopped)),
            Heard::Done { completions, left } => {
                let saved = self.luggage.unpack(left);
                return Some(saved.map(|saved| Ended::Done(TrainOutput { completions, saved })));
            }
            Heard::Error(trouble) => return Some(Err(fault::of(trouble, mix))),
        }
        None
    }
}

impl Luggage {
    /// From a job elsewhere, which an earlier process may have followed. `mount` is a shared folder by its names there and here.
    pub fn from_elsewhere(mount: Option<(PathBuf, PathBuf)>) -> Self {
        Self {
            mount,
            may_be_read: true,
            parts: HashMap::new(),
        }
    }

    fn take(&mut self, path: PathBuf, data: &str) -> Result<(), TrainError> {
        let bytes = BASE64_STANDARD.decode(data).map_err(|error| {
            TrainError::Host(format!("a part of {} is damaged: {error}", path.display()))
        })?;
        self.parts.entry(path).or_default().extend(bytes);
        Ok(())
    }

    /// Forgets what came of a checkpoint that nobody wants.
    fn drop(&mut self, left: &Left) {
        self.parts.remove(&left.checkpoint);
        if let Some(folder) = &left.adapter {
            self.parts.retain(|path, _| !path.starts_with(folder));
        }
    }

    /// Reads what a run left, which must be there.
    fn unpack(&mut self, left: Left) -> Result<Saved, TrainError> {
        let path = left.checkpoint.clone();
        self.read(left)?
            .ok_or_else(|| TrainError::Host(format!("{} is gone", path.display())))
    }

    /// Reads what a run left, and removes it: it lies in the run's own folder. `None` if it was read before.
    fn read(&mut self, left: Left) -> Result<Option<Saved>, TrainError> {
        let Left {
            step,
            checkpoint,
            adapter,
        } = left;
        let trouble = |error: io::Error| {
            TrainError::Host(format!("cannot read {}: {error}", checkpoint.display()))
        };
        if let Some(bytes) = self.parts.remove(&checkpoint) {
            let mut file = |folder: &Path, name: &str| {
                self.parts.remove(&folder.join(name)).unwrap_or_default()
            };
            let adapter = adapter.map(|folder| AdapterFiles {
                config: file(&folder, ADAPTER_CONFIG),
                weights: file(&folder, ADAPTER_WEIGHTS),
            });
            let checkpoint = Checkpoint::of_bytes(step, bytes);
            return Ok(Some(Saved {
                checkpoint,
                adapter,
            }));
        }
        let file = self.here(&checkpoint);
        let bytes = match fs::read(&file) {
            Ok(bytes) => bytes,
            Err(error) if self.may_be_read && error.kind() == io::ErrorKind::NotFound => {
                return Ok(None);
            }
            Err(error) => return Err(trouble(error)),
        };
        fs::remove_file(&file).map_err(trouble)?;
        let adapter = match &adapter {
            Some(folder) => {
                let folder = self.here(folder);
                let files = AdapterFiles::read(&folder)?;
                fs::remove_dir_all(&folder).map_err(trouble)?;
                Some(files)
            }
            None => None,
        };
        Ok(Some(Saved {
            checkpoint: Checkpoint::of_bytes(step, bytes),
            adapter,
        }))
    }

    /// Where a file of the worker is here.
    fn here(&self, path: &Path) -> PathBuf {
        let mapped = self.mount.as_ref().and_then(|(there, here)| {
            let inside = path.strip_prefix(there).ok()?;
            Some(here.join(inside))
        });
        mapped.unwrap_or_else(|| path.to_owned())
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used)]
    use super::*;
    use crate::{Aggregation, Run, RunId};

    fn mix() -> RewardMix {
        RewardMix {
            members: Vec::new(),
            aggregation: Aggregation::default(),
            limits: sandbox::Limits::default(),
        }
    }

    #[test]
    fn a_checkpoint_may_come_in_lines_and_steps_that_are_known_are_not_told() {
        let (mut run, reporter) = Run::new(RunId("x".to_owned()));
        let mut heed = Heed {
            after: 1,
            ..Heed::default()
        };
        let mut end = None;
        for line in [
            r#"{"t":"hello","protocol":1,"versions":{"trl":"1.16.0"}}"#,
            r#"{"t":"step","metrics":{"step":1}}"#,
            r#"{"t":"part","path":"old.tar","data":"b2xk"}"#,
            r#"{"t":"saved","step":1,"checkpoint":"old.tar","adapter":null}"#,
            r#"{"t":"step","metrics":{"step":2}}"#,
            r#"{"t":"part","path":"a/c.tar","data":"c3Rh"}"#,
            r#"{"t":"part","path":"a/c.tar","data":"dGU="}"#,
            r#"{"t":"part","path":"a/adapter-2/adapter_config.json","data":"e30="}"#,
            r#"{"t":"part","path":"a/adapter-2/adapter_model.safetensors","data":"d2VpZ2h0cw=="}"#,
            r#"{"t":"saved","step":1,"checkpoint":"read before.tar","adapter":null}"#,
            r#"{"t":"done","step":2,"checkpoint":"a/c.tar","adapter":"a/adapter-2","completions":["x"]}"#,
        ] {
            assert!(end.is_none());
            end = heed.line(line.as_bytes(), &mix(), &reporter).unwrap();
        }
        let Some(Ok(Ended::Done(output))) = end else {
            unreachable!("{end:?}");
        };
        assert_eq!(output.saved.checkpoint.bytes(), Some(b"state".as_slice()));
        assert_eq!(output.saved.adapter.unwrap().weights, b"weights");
        assert_eq!(heed.versions["trl"], "1.16.0");
        reporter.finish(Err(TrainError::Host("over".to_owned())));
        let mut told = Vec::new();
        let runtime = tokio::runtime::Builder::new_current_thread()
            .build()
            .unwrap();
        while let Some(event) = runtime.block_on(run.event()) {
            told.push(event);
        }
        assert!(
            matches!(&told[..], [Event::Step(step)] if step.step == 2),
            "{told:?}"
        );
        let torn = heed.line(b"{\"t\":\"st", &mix(), &Run::new(RunId("y".to_owned())).1);
        assert!(torn.is_err());
    }

    #[test]
    fn a_shared_folder_may_have_another_name_here() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("c.tar"), "state").unwrap();
        let mount = ("/on/the/nodes".into(), folder.path().to_owned());
        let mut luggage = Luggage::from_elsewhere(Some(mount));
        let left = |name: &str| Left {
            step: 3,
            checkpoint: PathBuf::from(name),
            adapter: None,
        };
        let saved = luggage.read(left("/on/the/nodes/c.tar")).unwrap().unwrap();
        assert_eq!(saved.checkpoint.bytes(), Some(b"state".as_slice()));
        assert!(luggage.read(left("/on/the/nodes/c.tar")).unwrap().is_none());
        assert!(luggage.unpack(left("/on/the/nodes/c.tar")).is_err());
    }
}
