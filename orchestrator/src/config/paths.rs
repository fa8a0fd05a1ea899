//! Paths in a configuration: they are meant from where the configuration lies, so that it works from any folder.

use std::path::{Path, PathBuf};

use trainer_bridge::TrainerConfig;

use super::{Config, TaskConfig};
use crate::{
    data::rows,
    judge::{Metric, VerifierConfig},
    proposer::ProposerConfig,
};

/// Where paths are meant from.
pub(super) struct Beside<'a>(&'a Path);

impl<'a> Beside<'a> {
    /// The folder of a configuration file.
    pub(super) fn of(configuration: &'a Path) -> Self {
        Self(configuration.parent().unwrap_or(Path::new("")))
    }

    /// A path that may be relative. What lies in the folder that the program runs in alone is found there, too.
    fn path(&self, path: &mut PathBuf) {
        let beside = self.0.join(&*path);
        if beside.exists() || !path.exists() {
            *path = beside;
        }
    }

    /// The same of a name that need not be a path: a model of the hub, a program.
    fn perhaps(&self, name: &mut String) {
        let beside = self.0.join(&*name);
        if beside.exists() && !Path::new(name).exists() {
            *name = beside.display().to_string();
        }
    }

    /// The same of a file with a function's name behind it.
    fn spec(&self, spec: &mut String) {
        let (file, function) = parted(spec);
        let mut path = PathBuf::from(file);
        self.path(&mut path);
        *spec = match function {
            Some(function) => format!("{}::{function}", path.display()),
            None => path.display().to_string(),
        };
    }

    /// The prompt of a verifier.
    pub(super) fn verifier(&self, verifier: &mut VerifierConfig) {
        if let Some((_, model)) = verifier.model_mut()
            && let Some(path) = &mut model.prompt_file
        {
            self.path(path);
        }
    }
}

impl Beside<'_> {
    /// A metric with what its file holds.
    ///
    /// # Errors
    /// In words, if it cannot be read.
    pub(super) fn metric(&self, metric: &Metric) -> Result<Metric, String> {
        let (file, function) = parted(metric.file());
        let mut path = PathBuf::from(file);
        self.path(&mut path);
        let read = metric.read(&path, function);
        read.map_err(|what| format!("task.metric: {what}"))
    }
}

fn parted(spec: &str) -> (&str, Option<&str>) {
    spec.split_once("::")
        .map_or((spec, None), |(file, function)| (file, Some(function)))
}

impl Config {
    /// Makes every path one from here.
    pub(super) fn lie(&mut self, beside: &Beside<'_>) {
        match &mut self.task {
            TaskConfig::Toy(_) => {}
            TaskConfig::Gsm8k(gsm8k) => gsm8k.path.iter_mut().for_each(|path| beside.path(path)),
            TaskConfig::Jsonl(task) => {
                let files = [
                    Some(&mut task.file),
                    task.dev_file.as_mut(),
                    task.test_file.as_mut(),
                ];
                let files = files.into_iter().flatten();
                files
                    .flat_map(|files| files.paths_mut())
                    .for_each(|path| beside.path(path));
            }
        }
        self.search
            .seed_rewards
            .iter_mut()
            .for_each(|spec| beside.spec(spec));
        beside.verifier(&mut self.verifier);
        match &mut self.proposer {
            ProposerConfig::Grammar(_) => {}
            ProposerConfig::Chat(chat) => {
                chat.templates.iter_mut().for_each(|path| beside.path(path))
            }
            ProposerConfig::Replay(replay) => beside.path(&mut replay.path),
        }
        match &mut self.trainer {
            TrainerConfig::Fake(_) => {}
            TrainerConfig::Candle(candle) => {
                beside.perhaps(&mut candle.model);
                candle.adapter.iter_mut().for_each(|path| beside.path(path));
            }
            TrainerConfig::Trl(trl) | TrainerConfig::Ray(trl) => beside.perhaps(&mut trl.model),
        }
    }

    /// Reads the metric's file, which from now on is part of the configuration.
    ///
    /// # Errors
    /// In words, if it cannot be read.
    pub(super) fn read_metric(&mut self, beside: &Beside<'_>) -> Result<(), String> {
        let TaskConfig::Jsonl(task) = &mut self.task else {
            return Ok(());
        };
        let Some(metric) = &task.metric else {
            return Ok(());
        };
        task.metric = Some(beside.metric(metric)?);
        Ok(())
    }

    /// The task as it is stored: with what its files hold.
    pub(super) fn with_data_by_content(&self) -> TaskConfig {
        let mut task = self.task.clone();
        if let TaskConfig::Jsonl(jsonl) = &mut task {
            jsonl.data_sha256 = rows::sha256(jsonl.files()).or(jsonl.data_sha256.take());
        }
        task
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic)]

    use std::fs;

    use super::*;

    #[test]
    fn paths_are_meant_from_the_configuration_s_folder() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        fs::create_dir(at("data")).unwrap();
        fs::write(at("data/a.jsonl"), "").unwrap();
        fs::write(at("m.py"), "def score(completions, **kwargs): ...").unwrap();
        let text = "[search]\nname = 'x'\nseed_rewards = ['mine.py::f', '/abs.rs']\n[task]\nkind = 'jsonl'\nfile = 'data/a.jsonl'\n\
                    metric = 'm.py::score'\n[proposer]\nkind = 'replay'\npath = 'old.jsonl'\n";
        fs::write(at("c.toml"), text).unwrap();
        let config = Config::load(&at("c.toml")).unwrap();
        let path = |name: &str| at(name).display().to_string();
        assert_eq!(
            config.search.seed_rewards,
            [format!("{}::f", path("mine.py")), "/abs.rs".to_owned()]
        );
        let TaskConfig::Jsonl(task) = &config.task else {
            panic!("another task")
        };
        assert_eq!(task.file.paths(), [at("data/a.jsonl")]);
        assert_eq!(task.metric.as_ref().unwrap().file(), "m.py::score");
        assert!(
            matches!(&config.proposer, ProposerConfig::Replay(replay) if replay.path == at("old.jsonl"))
        );
        let stored: Config = serde_json::from_value(config.resolved()).unwrap();
        assert!(matches!(&stored.task, TaskConfig::Jsonl(task) if task.data_sha256.is_some()));
        fs::remove_file(at("m.py")).unwrap();
        let why = Config::load(&at("c.toml")).unwrap_err().to_string();
        assert!(
            why.contains("task.metric") && why.contains(&path("m.py")),
            "{why}"
        );
    }
}
