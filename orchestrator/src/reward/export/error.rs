//! Why nothing, or not everything, was exported.

use std::{io, path::PathBuf};

use sandbox::{HostError, Rejection};

use crate::store::StoreError;

/// Why nothing, or not everything, was exported.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// There are not that many.
    #[error(
        "{database} has {ranked} distinct ranked candidates; --top must be between 1 and {ranked}"
    )]
    TooMany {
        /// The database.
        database: PathBuf,
        /// How many there are.
        ranked: usize,
    },
    /// There is no such mix.
    #[error("{database} has no ensemble `{name}`; there {there}")]
    NoEnsemble {
        /// The database.
        database: PathBuf,
        /// What was asked for.
        name: String,
        /// What there is, in words.
        there: String,
    },
    /// The candidate never ran.
    #[error("`{name}` was {status}: {reason}; there is nothing to export")]
    NeverRan {
        /// The candidate.
        name: String,
        /// What became of it.
        status: String,
        /// Why.
        reason: String,
    },
    /// The folder holds something.
    #[error("{0} is not empty; export to a new folder, nothing was overwritten")]
    InUse(PathBuf),
    /// The folder cannot be looked into.
    #[error("cannot read {path}")]
    Read {
        /// The folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A name that would lie elsewhere.
    #[error("`{name}` cannot be a file name; nothing was written")]
    Name {
        /// The candidate's name.
        name: String,
    },
    /// The folder is to be a Python package.
    #[error(
        "`{name}` cannot be imported from Python: a folder exported for a trainer is a package, call it for instance `{example}`"
    )]
    Package {
        /// The folder's name.
        name: String,
        /// One that would do.
        example: String,
    },
    /// A reward of groups, for what scores one completion at a time.
    #[error(
        "`{reward}` scores the completions of a prompt together, and {target} calls rewards for one completion at a time; export it to trl"
    )]
    OfGroups {
        /// The reward.
        reward: String,
        /// What cannot run it.
        target: &'static str,
    },
    /// A reward that is refused.
    #[error("{reward} is refused: {why}")]
    Rejected {
        /// The reward.
        reward: String,
        /// Why.
        why: Rejection,
    },
    /// The sandbox cannot work.
    #[error(transparent)]
    Host(#[from] HostError),
    /// The configuration stored with the search is another program's.
    #[error("the configuration stored in {database} cannot be read")]
    Config {
        /// The database.
        database: PathBuf,
        /// What is wrong with it.
        source: serde_json::Error,
    },
    /// A folder cannot be made.
    #[error("cannot make the folder {path}")]
    Folder {
        /// The folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A file cannot be written.
    #[error("cannot write {path}")]
    Write {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The database.
    #[error("{0}")]
    Store(#[from] StoreError),
}
