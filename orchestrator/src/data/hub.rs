//! Models by their id on the Hugging Face hub: turns `organisation/name` into the folder of its files, in the cache that every other
//! program of that world uses (`HF_HOME`). Downloads only what the trainer reads and the cache lacks. Nobody is asked when `offline` is set,
//! or when a commit is named and the cache has it; when nobody answers, what the cache has must do.

use std::path::{Path, PathBuf};

use hf_hub::{
    Cache, Repo, RepoType,
    api::sync::{Api, ApiBuilder, ApiError},
};
use trainer_bridge::{HubModel, TrainerConfig};

/// Why a model of the hub cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum HubError {
    /// `offline`, and it is not in the cache.
    #[error(
        "the model {id} (revision {revision}) is not in the cache {}; run once without `offline = true` and HF_HUB_OFFLINE, or name a folder \
         in `model`",
        cache.display()
    )]
    NotCached {
        /// The hub's id.
        id: String,
        /// Branch, tag or commit.
        revision: String,
        /// Where it was looked for.
        cache: PathBuf,
    },
    /// The hub does not have it, or not for everybody.
    #[error(
        "{id} (revision {revision}) cannot be had from the hub: {why}; check `model` and `revision`, and, for models behind a licence, that \
         HF_TOKEN holds a token that may read it"
    )]
    Refused {
        /// The hub's id.
        id: String,
        /// Branch, tag or commit.
        revision: String,
        /// What the hub said.
        why: String,
    },
    /// The hub cannot be reached.
    #[error("cannot download the model {id}: {why}; it can also be a local folder")]
    Unreachable {
        /// The hub's id.
        id: String,
        /// What went wrong.
        why: String,
    },
}

const CONFIG: &str = "config.json";
const TOKENIZER: &str = "tokenizer.json";
const WEIGHTS: &str = "model.safetensors";
const INDEX: &str = "model.safetensors.index.json";

/// Files the trainer reads beside the weights; only the first two must be there.
const FILES: [&str; 7] = [
    CONFIG,
    TOKENIZER,
    "tokenizer_config.json",
    "special_tokens_map.json",
    "chat_template.jinja",
    "generation_config.json",
    INDEX,
];

/// The hub and the local cache of what came from it.
#[derive(Debug, Clone)]
pub struct Hub {
    /// Another address than the public hub's.
    pub endpoint: Option<String>,
    /// The cache.
    pub cache: PathBuf,
    /// A token for models that are not for everybody.
    pub token: Option<String>,
    /// Whether nobody is asked, whatever a configuration says.
    pub offline: bool,
}

impl Hub {
    /// As `HF_ENDPOINT`, `HF_HUB_CACHE`, `HF_HOME`, `HF_TOKEN` and `HF_HUB_OFFLINE` say.
    #[must_use]
    pub fn from_env() -> Self {
        Self::of(|name| std::env::var(name).ok())
    }

    fn of(variable: impl Fn(&str) -> Option<String>) -> Self {
        let set = |name| variable(name).filter(|value| !value.is_empty());
        let usual = Cache::from_env();
        let offline = set("HF_HUB_OFFLINE").unwrap_or_default().to_uppercase();
        Self {
            endpoint: set("HF_ENDPOINT"),
            token: set("HF_TOKEN").or_else(|| usual.token()),
            cache: set("HF_HUB_CACHE").map_or_else(|| usual.path().clone(), PathBuf::from),
            // The words for yes of huggingface_hub.
            offline: ["1", "ON", "YES", "TRUE"].contains(&offline.as_str()),
        }
    }

    /// The trainer's settings with the folder and the commit of a hub id; others as they are.
    ///
    /// # Errors
    /// See [`HubError`].
    pub async fn resolve(&self, config: &TrainerConfig) -> Result<TrainerConfig, HubError> {
        let Some(model) = config.hub_model() else {
            return Ok(config.clone());
        };
        let (hub, offline) = (self.clone(), self.offline || model.offline);
        let wanted = Wanted::from(model);
        // The client waits for the network on its thread.
        let folder = tokio::task::spawn_blocking(move || hub.folder(&wanted, offline));
        let folder = folder.await.expect("the hub's client does not panic")?;
        let commit = folder.file_name().map(|name| name.to_string_lossy().into());
        Ok(config.with_model_in(folder, commit))
    }

    /// The hub id of a configuration's model, and the folder where all of it is cached, if it is; `None` for a model that is not from the
    /// hub. Asks nobody.
    #[must_use]
    pub fn lookup(&self, config: &TrainerConfig) -> Option<(String, Option<PathBuf>)> {
        let wanted = Wanted::from(config.hub_model()?);
        let cached = self.cached(&wanted).filter(|folder| is_whole(folder));
        Some((wanted.id, cached))
    }

    /// The folder of a model's files.
    fn folder(&self, wanted: &Wanted, offline: bool) -> Result<PathBuf, HubError> {
        let cached = self.cached(wanted);
        if offline {
            return cached.ok_or_else(|| HubError::NotCached {
                id: wanted.id.clone(),
                revision: wanted.revision.clone(),
                cache: self.cache.clone(),
            });
        }
        let whole = cached.filter(|folder| is_whole(folder));
        match whole {
            // A commit never changes.
            Some(folder) if wanted.is_commit() => Ok(folder),
            Some(folder) => match self.download(wanted) {
                Err(HubError::Unreachable { id, why }) => {
                    tracing::warn!(
                        "cannot ask the hub for {id}: {why}; the cache has it as of {}",
                        folder.display()
                    );
                    Ok(folder)
                }
                outcome => outcome,
            },
            None => self.download(wanted),
        }
    }

    /// The folder of a model in the cache, if any of it is there. Other programs note no commit under `refs`, where the client looks.
    fn cached(&self, wanted: &Wanted) -> Option<PathBuf> {
        let repo = Cache::new(self.cache.clone()).repo(wanted.repo());
        let config = if wanted.is_commit() {
            let file = repo.pointer_path(&wanted.revision).join(CONFIG);
            file.exists().then_some(file)
        } else {
            repo.get(CONFIG)
        };
        Some(config?.parent()?.to_owned())
    }

    fn download(&self, wanted: &Wanted) -> Result<PathBuf, HubError> {
        let trouble = |error: ApiError| wanted.trouble(error);
        let api = self.api().map_err(trouble)?;
        let repo = api.repo(wanted.repo());
        let offered = repo.info().map_err(trouble)?.siblings;
        let names = offered.into_iter().map(|file| file.rfilename);
        for name in needed(names) {
            repo.get(&name).map_err(trouble)?;
        }
        self.cached(wanted).ok_or_else(|| HubError::Refused {
            id: wanted.id.clone(),
            revision: wanted.revision.clone(),
            why: format!("it has no {CONFIG}"),
        })
    }

    fn api(&self) -> Result<Api, ApiError> {
        let mut builder = ApiBuilder::from_cache(Cache::new(self.cache.clone()))
            .with_token(self.token.clone())
            .with_user_agent("reward-search", env!("CARGO_PKG_VERSION"));
        if let Some(endpoint) = &self.endpoint {
            builder = builder.with_endpoint(endpoint.trim_end_matches('/').to_owned());
        }
        builder.build()
    }
}

/// What the trainer reads of the files on offer: those of [`FILES`] and the weights at the top, as one file where there is such a one. Weights
/// come last: where they are, a download was not broken off.
fn needed(offered: impl Iterator<Item = String>) -> Vec<String> {
    let wanted = |name: &String| FILES.contains(&name.as_str()) || is_weights(name);
    let mut names: Vec<String> = offered.filter(wanted).collect();
    if names.iter().any(|name| name == WEIGHTS) {
        names.retain(|name| name == WEIGHTS || !(is_weights(name) || name == INDEX));
    }
    names.sort_by_key(|name| is_weights(name));
    names
}

fn is_weights(name: &str) -> bool {
    name.starts_with("model") && name.ends_with(".safetensors") && !name.contains('/')
}

/// Whether a folder has all that a model cannot do without.
fn is_whole(folder: &Path) -> bool {
    let has = |name: &str| folder.join(name).exists();
    has(CONFIG) && has(TOKENIZER) && (has(WEIGHTS) || has_shards(folder).unwrap_or(false))
}

/// Whether every file is there that the index names; `None` if there is no index that can be read.
fn has_shards(folder: &Path) -> Option<bool> {
    let index = std::fs::read(folder.join(INDEX)).ok()?;
    let index: serde_json::Value = serde_json::from_slice(&index).ok()?;
    let mut names = index["weight_map"].as_object()?.values();
    Some(names.all(|name| name.as_str().is_some_and(|name| folder.join(name).exists())))
}

/// A model of the hub.
struct Wanted {
    id: String,
    revision: String,
}

impl From<HubModel> for Wanted {
    fn from(model: HubModel) -> Self {
        Self {
            id: model.id,
            revision: model.revision.unwrap_or_else(|| "main".into()),
        }
    }
}

impl Wanted {
    /// Whether the revision is a commit, not a branch or a tag.
    fn is_commit(&self) -> bool {
        let hex = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
        self.revision.len() == 40 && self.revision.bytes().all(hex)
    }

    fn repo(&self) -> Repo {
        Repo::with_revision(self.id.clone(), RepoType::Model, self.revision.clone())
    }

    fn trouble(&self, error: ApiError) -> HubError {
        let message = error.to_string();
        let why = message.lines().next().unwrap_or_default().to_owned();
        let id = self.id.clone();
        if ["401", "403", "404"]
            .iter()
            .any(|status| why.contains(status))
        {
            let revision = self.revision.clone();
            return HubError::Refused { id, revision, why };
        }
        HubError::Unreachable { id, why }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_environment_is_read_as_huggingface_hub_reads_it() {
        let hub = |offline: &'static str| {
            Hub::of(move |name| match name {
                "HF_HUB_CACHE" => Some("/some/cache".into()),
                "HF_HUB_OFFLINE" => Some(offline.into()),
                "HF_ENDPOINT" => Some(String::new()),
                _ => None,
            })
        };
        assert_eq!(hub("1").cache, Path::new("/some/cache"));
        assert_eq!(hub("1").endpoint, None);
        assert!(hub("1").offline && hub("true").offline);
        assert!(!hub("0").offline && !hub("").offline);
    }

    #[test]
    fn one_weights_file_goes_before_several_and_weights_come_last() {
        let of = |names: &[&str]| needed(names.iter().map(|name| (*name).to_owned()));
        let shards = ["model-00001-of-00001.safetensors", INDEX];
        let both = [
            shards[0],
            WEIGHTS,
            shards[1],
            "tokenizer_config.json",
            CONFIG,
        ];
        assert_eq!(of(&both), ["tokenizer_config.json", CONFIG, WEIGHTS]);
        let sharded = [
            shards[0],
            shards[1],
            "special_tokens_map.json",
            "onnx/model.safetensors",
            "README.md",
        ];
        assert_eq!(of(&sharded), [INDEX, "special_tokens_map.json", shards[0]]);
    }
}
