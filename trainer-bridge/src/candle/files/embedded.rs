//! The model folders that are part of this program: a tiny base for each world of the toy task. What they are taught stands in
//! `evaluator::toy::World`; here are their bytes.

use std::path::Path;

use super::{CONFIG, TOKENIZER, weights::WEIGHTS};

/// Name of the model that is trained where none is named.
pub const EMBEDDED: &str = "toy";

/// A model folder in this program. All of them have one architecture and one tokenizer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Embedded {
    /// What a configuration calls it.
    pub name: &'static str,
    weights: &'static [u8],
}

macro_rules! embedded {
    ($($name:literal),*) => {
        &[$(Embedded {
            name: $name,
            weights: include_bytes!(concat!("../../../models/", $name, "/model.safetensors")),
        }),*]
    };
}

const MODELS: &[Embedded] = embedded!["toy", "toy-sparse", "toy-rambling", "toy-muddled"];

impl Embedded {
    /// All of them.
    pub fn all() -> impl Iterator<Item = &'static Self> {
        MODELS.iter()
    }

    /// The one of this name.
    #[must_use]
    pub fn find(name: &str) -> Option<&'static Self> {
        Self::all().find(|model| model.name == name)
    }

    /// Its files by name.
    fn files(&self) -> [(&'static str, &'static [u8]); 3] {
        [
            (CONFIG, include_bytes!("../../../models/toy/config.json")),
            (WEIGHTS, self.weights),
            (
                TOKENIZER,
                include_bytes!("../../../models/toy/tokenizer.json"),
            ),
        ]
    }

    /// The content of a file; `None` where there is none of this name.
    pub(super) fn read(&self, name: &str) -> Option<&'static [u8]> {
        let files = self.files().into_iter();
        files
            .filter(|(file, _)| *file == name)
            .map(|(_, content)| content)
            .next()
    }

    /// Writes it as a folder, for programs other than this one.
    ///
    /// # Errors
    /// The system's, when the folder cannot be made or written to.
    pub fn write(&self, folder: &Path) -> std::io::Result<()> {
        std::fs::create_dir_all(folder)?;
        for (name, content) in self.files() {
            std::fs::write(folder.join(name), content)?;
        }
        Ok(())
    }
}
