//! Models by their id on the Hugging Face hub: turns `organisation/name` into the folder of its files, in the cache that every other
//! program of that world uses (`HF_HOME`). Downloads only what the trainer reads and the cache lacks; `offline` asks nobody.

use std::path::PathBuf;

use hf_hub::{
    Cache, Repo, RepoType,
    api::sync::{Api, ApiBuilder, ApiError},
};
use trainer_bridge::{CandleConfig, TrainerConfig};

/// Why a model of the hub cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum HubError {
    /// `offline`, and it is not in the cache.
    #[error(
        "the model {id} (revision {revision}) is not in the cache {}; run once without `offline = true`, or name a folder in `model`",
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

/// Files the trainer reads beside the weights; only the first two must be there.
const FILES: [&str; 6] = [
    "config.json",
    "tokenizer.json",
    "tokenizer_config.json",
    "chat_template.jinja",
    "generation_config.json",
    "model.safetensors.index.json",
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
}

impl Hub {
    /// As `HF_ENDPOINT`, `HF_HOME` and `HF_TOKEN` say.
    #[must_use]
    pub fn from_env() -> Self {
        let cache = Cache::from_env();
        Self {
            endpoint: std::env::var("HF_ENDPOINT").ok(),
            token: std::env::var("HF_TOKEN").ok().or_else(|| cache.token()),
            cache: cache.path().clone(),
        }
    }

    /// The trainer's settings with a folder in place of a hub id; others as they are.
    ///
    /// # Errors
    /// See [`HubError`].
    pub async fn resolve(&self, config: &TrainerConfig) -> Result<TrainerConfig, HubError> {
        let TrainerConfig::Candle(candle) = config else {
            return Ok(config.clone());
        };
        let Some(wanted) = Wanted::of(candle) else {
            return Ok(config.clone());
        };
        let (hub, offline) = (self.clone(), candle.offline);
        // The client waits for the network on its thread.
        let folder = tokio::task::spawn_blocking(move || {
            if offline {
                hub.cached(&wanted)
            } else {
                hub.download(&wanted)
            }
        });
        let folder = folder.await.expect("the hub's client does not panic")?;
        Ok(TrainerConfig::Candle(CandleConfig {
            model: folder.display().to_string(),
            ..candle.clone()
        }))
    }

    fn cached(&self, wanted: &Wanted) -> Result<PathBuf, HubError> {
        let config = Cache::new(self.cache.clone())
            .repo(wanted.repo())
            .get(FILES[0]);
        config
            .and_then(|file| Some(file.parent()?.to_owned()))
            .ok_or_else(|| HubError::NotCached {
                id: wanted.id.clone(),
                revision: wanted.revision.clone(),
                cache: self.cache.clone(),
            })
    }

    fn download(&self, wanted: &Wanted) -> Result<PathBuf, HubError> {
        let trouble = |error: ApiError| wanted.trouble(error);
        let api = self.api().map_err(trouble)?;
        let repo = api.repo(wanted.repo());
        let offered = repo.info().map_err(trouble)?.siblings;
        let names = offered.into_iter().map(|file| file.rfilename);
        let mut names: Vec<String> = names.filter(|name| is_read(name)).collect();
        if names.iter().any(|name| name == FILES[5]) {
            names.retain(|name| name != "model.safetensors");
        }
        for name in &names {
            repo.get(name).map_err(trouble)?;
        }
        self.cached(wanted).map_err(|_| HubError::Refused {
            id: wanted.id.clone(),
            revision: wanted.revision.clone(),
            why: "it has no config.json".into(),
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

/// Whether the trainer reads a file: those of [`FILES`], and weights that stand at the top.
fn is_read(name: &str) -> bool {
    let weights = name.starts_with("model") && name.ends_with(".safetensors");
    !name.contains('/') && (weights || FILES.contains(&name))
}

/// A model of the hub.
struct Wanted {
    id: String,
    revision: String,
}

impl Wanted {
    fn of(config: &CandleConfig) -> Option<Self> {
        Some(Self {
            id: config.hub_id()?.to_owned(),
            revision: config.revision.clone().unwrap_or_else(|| "main".into()),
        })
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
