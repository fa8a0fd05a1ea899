//! A model folder in Hugging Face's layout: `config.json`, `model.safetensors` or several files with an index, `tokenizer.json`, and
//! what may stand beside them. Reads and writes it; every complaint names the file and the field or tensor.

pub mod adapter_files;
pub mod chat_template;
pub mod embedded;
pub mod float_tensor;
mod peft_config;
pub mod tokenizer;
pub mod tokenizer_config;
pub mod weights;

use std::{
    borrow::Cow,
    io::ErrorKind,
    path::{Path, PathBuf},
    sync::Arc,
};

use serde::Deserialize;

use crate::TrainError;
use crate::candle::{
    files::{
        chat_template::{ChatTemplate, TEMPLATE},
        embedded::Embedded,
        tokenizer::Tokenizer,
        tokenizer_config::{SPECIAL_TOKENS_MAP, TOKENIZER_CONFIG, TokenizerConfig},
        weights::{Collector, INDEX, WEIGHTS, encode_weights, shards},
    },
    json,
    model::{
        Model,
        architecture::{Architecture, TokenIds},
    },
};

const CONFIG: &str = "config.json";
const GENERATION_CONFIG: &str = "generation_config.json";
const TOKENIZER: &str = "tokenizer.json";
/// What a folder holds beside configuration and weights, as far as it is there.
const COMPANIONS: [&str; 5] = [
    GENERATION_CONFIG,
    TOKENIZER,
    TOKENIZER_CONFIG,
    TEMPLATE,
    SPECIAL_TOKENS_MAP,
];

/// The content of a small model folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModelFiles {
    /// `config.json`.
    pub config: Vec<u8>,
    /// `model.safetensors`.
    pub weights: Vec<u8>,
    /// `tokenizer.json`.
    pub tokenizer: Vec<u8>,
}

impl ModelFiles {
    /// Reads a model folder.
    pub fn read(folder: &Path) -> Result<Self, TrainError> {
        let source = Source::folder(folder)?;
        let read = |name| source.must_read(name).map(Cow::into_owned);
        Ok(Self {
            config: read(CONFIG)?,
            weights: read(WEIGHTS)?,
            tokenizer: read(TOKENIZER)?,
        })
    }

    /// Writes the files into a folder, which is made if need be.
    pub fn write(&self, folder: &Path) -> std::io::Result<()> {
        std::fs::create_dir_all(folder)?;
        for (name, content) in [
            (CONFIG, &self.config),
            (WEIGHTS, &self.weights),
            (TOKENIZER, &self.tokenizer),
        ] {
            std::fs::write(folder.join(name), content)?;
        }
        Ok(())
    }
}

/// Where a model's files are.
pub enum Source {
    /// In this program.
    Embedded(&'static Embedded),
    /// In a folder.
    Folder(PathBuf),
}

/// What a model folder holds, ready for use.
pub struct Loaded {
    /// The decoder.
    pub model: Model,
    /// Its tokenizer.
    pub tokenizer: Tokenizer,
}

/// What is told of a file that a folder lacks where another program's file lies in its place.
const STAND_INS: [(&str, &[&str], &str); 3] = [
    (
        CONFIG,
        &["adapter_config.json"],
        "the folder holds an adapter, which belongs into `adapter`, and its base into `model`",
    ),
    (
        TOKENIZER,
        &["tokenizer.model", "vocab.json", "vocab.txt", "spiece.model"],
        "make it with transformers: AutoTokenizer.from_pretrained(DIR).save_pretrained(DIR)",
    ),
    (
        WEIGHTS,
        &["pytorch_model.bin", "pytorch_model.bin.index.json"],
        "make it with transformers: AutoModelForCausalLM.from_pretrained(DIR).save_pretrained(DIR)",
    ),
];

#[derive(Deserialize)]
struct GenerationConfig {
    eos_token_id: Option<TokenIds>,
}

impl Source {
    /// The model that a configuration names.
    pub fn of(model: &str) -> Result<Self, TrainError> {
        match Embedded::find(model) {
            Some(embedded) => Ok(Self::Embedded(embedded)),
            None => Self::folder(Path::new(model)),
        }
    }

    /// A folder that must be there.
    pub fn folder(folder: &Path) -> Result<Self, TrainError> {
        if folder.is_dir() {
            return Ok(Self::Folder(folder.to_owned()));
        }
        let own: Vec<&str> = Embedded::all().map(|model| model.name).collect();
        Err(TrainError::Setup(format!(
            "there is no model folder {}: `model` is one of this program ({}), a folder, or a model of the hub as OWNER/NAME",
            folder.display(),
            own.join(", ")
        )))
    }

    /// A file's content; `None` where there is none.
    fn read(&self, name: &str) -> Result<Option<Cow<'static, [u8]>>, TrainError> {
        match self {
            Self::Embedded(embedded) => Ok(embedded.read(name).map(Cow::Borrowed)),
            Self::Folder(folder) => match std::fs::read(folder.join(name)) {
                Ok(content) => Ok(Some(Cow::Owned(content))),
                Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
                Err(error) => Err(self.unreadable(name, &error.to_string())),
            },
        }
    }

    fn must_read(&self, name: &str) -> Result<Cow<'static, [u8]>, TrainError> {
        self.read(name)?.ok_or_else(|| self.lacks(name))
    }

    /// Says that a file is not there, and how to come by it.
    fn lacks(&self, name: &str) -> TrainError {
        let Self::Folder(folder) = self else {
            return self.unreadable(name, "there is no such file");
        };
        let stand_in = STAND_INS.iter().find_map(|(file, others, advice)| {
            let other = others.iter().find(|other| folder.join(other).exists())?;
            (*file == name).then(|| format!("there is no such file, but {other}: {advice}"))
        });
        let usual = || {
            format!(
                "there is no such file (a model folder has {CONFIG}, {TOKENIZER} and {WEIGHTS})"
            )
        };
        self.unreadable(name, &stand_in.unwrap_or_else(usual))
    }

    fn path(&self, name: &str) -> String {
        match self {
            Self::Embedded(embedded) => format!("{}/{name}", embedded.name),
            Self::Folder(folder) => folder.join(name).display().to_string(),
        }
    }

    fn unreadable(&self, name: &str, why: &str) -> TrainError {
        TrainError::Setup(format!("cannot read {}: {why}", self.path(name)))
    }

    /// A complaint about a file, on one line.
    fn fault(&self, name: &str, problem: &str) -> TrainError {
        let problem = problem.lines().next().unwrap_or_default();
        TrainError::Setup(format!("{}: {problem}", self.path(name)))
    }

    /// Reads and checks everything.
    pub fn load(&self) -> Result<Loaded, TrainError> {
        let config = self.must_read(CONFIG)?;
        let architecture = std::str::from_utf8(&config)
            .map_err(|error| error.to_string())
            .and_then(Architecture::parse)
            .map_err(|problem| self.fault(CONFIG, &problem))?;
        let tokenizer = self.tokenizer(&architecture)?;
        Ok(Loaded {
            model: self.model(architecture)?,
            tokenizer,
        })
    }

    /// Writes a folder like this one, but with the weights of `model`, in f32 and in one file. The folder is made if need be.
    pub fn write_with(&self, model: &Model, folder: &Path) -> Result<(), TrainError> {
        let write = |name: &str, content: &[u8]| {
            let path = folder.join(name);
            std::fs::write(&path, content).map_err(|error| {
                TrainError::Host(format!("cannot write {}: {error}", path.display()))
            })
        };
        std::fs::create_dir_all(folder).map_err(|error| {
            TrainError::Host(format!("cannot make {}: {error}", folder.display()))
        })?;
        write(CONFIG, &self.config_in_f32()?)?;
        for name in COMPANIONS {
            if let Some(content) = self.read(name)? {
                write(name, &content)?;
            }
        }
        write(WEIGHTS, &encode_weights(model)?)
    }

    /// The files of a folder like this one, but with the weights of `model`.
    pub fn files_with(&self, model: &Model) -> Result<ModelFiles, TrainError> {
        Ok(ModelFiles {
            config: self.must_read(CONFIG)?.into_owned(),
            weights: encode_weights(model)?,
            tokenizer: self.must_read(TOKENIZER)?.into_owned(),
        })
    }

    /// `config.json`, saying that the weights are f32: transformers rounds them to what stands there.
    fn config_in_f32(&self) -> Result<Vec<u8>, TrainError> {
        let mut config: serde_json::Map<String, serde_json::Value> =
            serde_json::from_slice(&self.must_read(CONFIG)?)
                .map_err(|error| self.fault(CONFIG, &error.to_string()))?;
        config.remove("torch_dtype");
        config.insert("dtype".into(), "float32".into());
        let json = serde_json::Value::from(config);
        Ok(format!("{json:#}\n").into_bytes())
    }

    fn tokenizer(&self, architecture: &Architecture) -> Result<Tokenizer, TrainError> {
        let tokenizer = Tokenizer::parse(&self.must_read(TOKENIZER)?, architecture.eos())
            .map_err(|problem| self.fault(TOKENIZER, &problem))?;
        let (tokens, rows) = (tokenizer.size(), architecture.vocab_size);
        if tokens > rows {
            let problem = format!("has {tokens} tokens but `vocab_size` in {CONFIG} is {rows}");
            return Err(self.fault(TOKENIZER, &problem));
        }
        let generation = self.generation_ends(architecture)?;
        let config = self.tokenizer_config()?;
        let own = config.special_tokens().get("eos_token");
        let own = own.and_then(|token| tokenizer.id_of(token));
        Ok(tokenizer.with_ends(generation).with_ends(own))
    }

    /// End tokens of `generation_config.json`, where instruct models have more than in `config.json`.
    fn generation_ends(&self, architecture: &Architecture) -> Result<Vec<u32>, TrainError> {
        let Some(bytes) = self.read(GENERATION_CONFIG)? else {
            return Ok(Vec::new());
        };
        let ends = || {
            let config: GenerationConfig = json::parse(&bytes)?;
            let ids: Vec<u32> = config
                .eos_token_id
                .iter()
                .flat_map(TokenIds::to_vec)
                .collect();
            architecture.check_ends(&ids).map(|()| ids)
        };
        ends().map_err(|problem: String| self.fault(GENERATION_CONFIG, &problem))
    }

    fn tokenizer_config(&self) -> Result<TokenizerConfig, TrainError> {
        let mut config = TokenizerConfig::default();
        if let Some(bytes) = self.read(TOKENIZER_CONFIG)? {
            config = TokenizerConfig::parse(&bytes)
                .map_err(|problem| self.fault(TOKENIZER_CONFIG, &problem))?;
        }
        if let Some(bytes) = self.read(SPECIAL_TOKENS_MAP)? {
            config = config
                .with_map(&bytes)
                .map_err(|problem| self.fault(SPECIAL_TOKENS_MAP, &problem))?;
        }
        Ok(config)
    }

    /// How the model is spoken to, if it was trained for conversations.
    pub fn chat_template(&self) -> Result<Option<ChatTemplate>, TrainError> {
        let own = self.read(TEMPLATE)?;
        let config = self.tokenizer_config()?;
        let name = if own.is_some() {
            TEMPLATE
        } else {
            TOKENIZER_CONFIG
        };
        ChatTemplate::of_folder(own.as_deref(), &config)
            .map_err(|problem| self.fault(name, &problem))
    }

    /// One file before several with an index, where both are there, as in transformers.
    fn model(&self, architecture: Architecture) -> Result<Model, TrainError> {
        let mut collector = Collector::new(Arc::new(architecture));
        let mut last = WEIGHTS;
        if let Some(bytes) = self.read(WEIGHTS)? {
            collector
                .add(&bytes)
                .map_err(|problem| self.fault(WEIGHTS, &problem))?;
        } else {
            let index = self.read(INDEX)?.ok_or_else(|| self.lacks(WEIGHTS))?;
            last = INDEX;
            let names = shards(&index).map_err(|problem| self.fault(INDEX, &problem))?;
            for name in names {
                collector
                    .add(&self.must_read(&name)?)
                    .map_err(|problem| self.fault(&name, &problem))?;
            }
        }
        collector
            .finish()
            .map_err(|problem| self.fault(last, &problem))
    }
}
