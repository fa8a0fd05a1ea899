//! Whose fault an error is: the input's, which its author can mend, or the world's (an endpoint, the disk, the compiler).
//!
//! Each type of error says it for each of its variants, so that whoever adds a variant has to decide. A test holds that every type of
//! error of this crate stands here.

use std::error::Error;
use std::io;

use sandbox::{CompileError, HostError};
use trainer_bridge::TrainError;

use super::{
    doctor::{NotReady, Unready},
    probe::Failing,
};
use crate::{
    board::{comparison::CompareError, outcome::NothingFound},
    cli::interrupt::Interrupted,
    config::ConfigError,
    data::{gsm8k::DataError, hub::HubError, rows::RowsError, task::TaskError},
    judge::{VerifierError, endpoint::AskError},
    proposer::ProposeError,
    reward::{
        export::{ExportError, ImportError},
        files::NoReward,
        probe::{BadPool, exam::Unexamined},
        references::BaseRewardError,
    },
    search::{
        OpenError, SearchError, checkpoints::FolderError, room::NoRoom, run_folder::RunFolderError,
        training::TrainingError,
    },
    store::StoreError,
    web::ServeError,
};

/// Whose fault an error is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Blame {
    /// What the user gave: the same command fails again until it is mended.
    Input,
    /// Something outside: the same command may work later or elsewhere.
    World,
    /// The user asked to stop.
    Interruption,
    /// Nobody's: all was done, and nothing came of it.
    Fruitless,
    /// Nobody's: all was done, and what was found is what the user asked to be told of.
    Found,
}

/// An error that knows whose fault it is.
trait Blamed {
    fn blame(&self) -> Blame;
}

/// Implements [`whose_fault`], which asks the first of these types that an error is of.
macro_rules! whose_fault {
    ($($error:ty),* $(,)?) => {
        /// Whose fault one error is, without its causes; `None` for a type that does not say.
        fn whose_fault(error: &(dyn Error + 'static)) -> Option<Blame> {
            None$(.or_else(|| Some(error.downcast_ref::<$error>()?.blame())))*
        }
    };
}

whose_fault!(
    AskError,
    BadPool,
    BaseRewardError,
    CompareError,
    ConfigError,
    DataError,
    ExportError,
    Failing,
    FolderError,
    HostError,
    HubError,
    ImportError,
    Interrupted,
    NoReward,
    NoRoom,
    NotReady,
    NothingFound,
    OpenError,
    ProposeError,
    RunFolderError,
    SearchError,
    ServeError,
    StoreError,
    RowsError,
    TaskError,
    TrainError,
    TrainingError,
    Unexamined,
    Unready,
    VerifierError,
    io::Error,
);

/// Whose fault a failure of a command is: the world's, if the world is to blame for any of its causes.
pub(super) fn blame(error: &anyhow::Error) -> Blame {
    let told: Vec<Blame> = error.chain().filter_map(whose_fault).collect();
    [
        Blame::Interruption,
        Blame::Fruitless,
        Blame::Found,
        Blame::World,
    ]
    .into_iter()
    .find(|blame| told.contains(blame))
    .unwrap_or(Blame::Input)
}

impl Blamed for Interrupted {
    fn blame(&self) -> Blame {
        Blame::Interruption
    }
}

impl Blamed for AskError {
    fn blame(&self) -> Blame {
        match self {
            Self::Setup(_) | Self::Refused(_) => Blame::Input,
            Self::Unavailable(_) => Blame::World,
        }
    }
}

impl Blamed for BadPool {
    fn blame(&self) -> Blame {
        Blame::Input
    }
}

impl Blamed for BaseRewardError {
    fn blame(&self) -> Blame {
        match self {
            Self::Host(error) => error.blame(),
            Self::Refused { .. } => Blame::Input,
        }
    }
}

impl Blamed for CompareError {
    fn blame(&self) -> Blame {
        match self {
            Self::NotFound { .. } | Self::NeverTogether(_) | Self::Unpaired(_) => Blame::Input,
            Self::Store(error) => error.blame(),
        }
    }
}

impl Blamed for ConfigError {
    fn blame(&self) -> Blame {
        match self {
            Self::Unreadable { source, .. } => source.blame(),
            Self::Malformed { .. } | Self::Impossible { .. } => Blame::Input,
        }
    }
}

impl Blamed for DataError {
    fn blame(&self) -> Blame {
        match self {
            Self::NoCache | Self::Changed { .. } => Blame::Input,
            Self::Unreachable { .. } | Self::Write { .. } => Blame::World,
        }
    }
}

impl Blamed for ExportError {
    fn blame(&self) -> Blame {
        match self {
            Self::TooMany { .. }
            | Self::NoEnsemble { .. }
            | Self::NeverRan { .. }
            | Self::InUse(_)
            | Self::Name { .. }
            | Self::Package { .. }
            | Self::OfGroups { .. }
            | Self::Rejected { .. }
            | Self::Config { .. } => Blame::Input,
            Self::Host(error) => error.blame(),
            Self::Read { source, .. }
            | Self::Folder { source, .. }
            | Self::Write { source, .. } => source.blame(),
            Self::Store(error) => error.blame(),
        }
    }
}

impl Blamed for ImportError {
    fn blame(&self) -> Blame {
        match self {
            Self::Folder(_) | Self::Compile(CompileError::Rejected(_)) => Blame::Input,
            Self::Compile(CompileError::Host(error)) => error.blame(),
        }
    }
}

impl Blamed for Failing {
    fn blame(&self) -> Blame {
        Blame::Found
    }
}

/// The folder is of the program's own making.
impl Blamed for FolderError {
    fn blame(&self) -> Blame {
        Blame::World
    }
}

/// Trouble of the host, whatever it is: no reward and no setting is at fault.
impl Blamed for HostError {
    fn blame(&self) -> Blame {
        Blame::World
    }
}

impl Blamed for HubError {
    fn blame(&self) -> Blame {
        match self {
            Self::NotCached { .. } | Self::Refused { .. } => Blame::Input,
            Self::Unreachable { .. } => Blame::World,
        }
    }
}

impl Blamed for NoReward {
    fn blame(&self) -> Blame {
        Blame::Input
    }
}

impl Blamed for NothingFound {
    fn blame(&self) -> Blame {
        Blame::Fruitless
    }
}

impl Blamed for NoRoom {
    fn blame(&self) -> Blame {
        match self {
            Self::NotWritable { source, .. } => source.blame(),
            Self::Full { .. } => Blame::World,
        }
    }
}

/// What is missing on a machine is no fault of a configuration.
impl Blamed for NotReady {
    fn blame(&self) -> Blame {
        Blame::World
    }
}

impl Blamed for OpenError {
    fn blame(&self) -> Blame {
        match self {
            Self::Task(error) => error.blame(),
            Self::Hub(error) => error.blame(),
            Self::Train(error) => error.blame(),
            Self::Propose(error) => error.blame(),
            Self::Seed(error) => error.blame(),
            Self::Judge(error) => error.blame(),
            Self::Host(error) => error.blame(),
            Self::Store(error) => error.blame(),
            Self::Room(error) => error.blame(),
            Self::NotNew { .. } => Blame::Input,
        }
    }
}

impl Blamed for ProposeError {
    fn blame(&self) -> Blame {
        match self {
            Self::Setup(_) | Self::Limit(_) => Blame::Input,
            Self::Unavailable { .. } | Self::Unkept(_) => Blame::World,
        }
    }
}

impl Blamed for RunFolderError {
    fn blame(&self) -> Blame {
        match self {
            Self::Io(error) => error.blame(),
            Self::Foreign { .. } => Blame::Input,
        }
    }
}

impl Blamed for SearchError {
    fn blame(&self) -> Blame {
        match self {
            Self::Store(error) => error.blame(),
            Self::Propose(error) => error.blame(),
            Self::Host(error) => error.blame(),
            Self::Train(error) => error.blame(),
            Self::Folder(error) => error.blame(),
            Self::Verify(error) => error.blame(),
        }
    }
}

impl Blamed for StoreError {
    fn blame(&self) -> Blame {
        match self {
            Self::Missing(_)
            | Self::Unusable { .. }
            | Self::Newer { .. }
            | Self::InUse(_)
            | Self::Empty(_)
            | Self::OtherConfig { .. }
            | Self::Unknown { .. }
            | Self::NotFound(_) => Blame::Input,
            Self::Sql { .. } => Blame::World,
        }
    }
}

impl Blamed for RowsError {
    fn blame(&self) -> Blame {
        match self {
            Self::Read { .. } | Self::Kind { .. } | Self::Row { .. } | Self::Empty { .. } => {
                Blame::Input
            }
        }
    }
}

impl Blamed for TaskError {
    fn blame(&self) -> Blame {
        match self {
            Self::Data(_) | Self::NotFetched(_) | Self::Prompt(_) | Self::Splits(_) => Blame::Input,
            Self::NoCache(error) => error.blame(),
            Self::Rows(error) => error.blame(),
        }
    }
}

impl Blamed for TrainError {
    fn blame(&self) -> Blame {
        match self {
            Self::Host(_) => Blame::World,
            Self::Reward { .. }
            | Self::Unloadable { .. }
            | Self::NonFinite { .. }
            | Self::Diverged { .. }
            | Self::OutOfMemory(_)
            | Self::Setup(_)
            | Self::Checkpoint(_) => Blame::Input,
        }
    }
}

impl Blamed for ServeError {
    fn blame(&self) -> Blame {
        match self {
            Self::NoToken(_) | Self::EmptyToken | Self::Listen { .. } => Blame::Input,
        }
    }
}

impl Blamed for TrainingError {
    fn blame(&self) -> Blame {
        match self {
            Self::Train(error) => error.blame(),
            Self::Folder(error) => error.blame(),
            Self::Store(error) => error.blame(),
        }
    }
}

impl Blamed for Unexamined {
    fn blame(&self) -> Blame {
        match self {
            Self::Fault(fault) if fault.is_host_trouble() => Blame::World,
            Self::Fault(_) => Blame::Input,
            Self::Judge(_) => Blame::World,
        }
    }
}

impl Blamed for Unready {
    fn blame(&self) -> Blame {
        Blame::World
    }
}

impl Blamed for VerifierError {
    fn blame(&self) -> Blame {
        match self {
            Self::Setup(_) => Blame::Input,
            Self::Unavailable(_) => Blame::World,
            Self::Store(error) => error.blame(),
        }
    }
}

/// A full or failing disk is the world's; a file that is not there, or may not be read, is what the user named.
impl Blamed for io::Error {
    fn blame(&self) -> Blame {
        match self.kind() {
            io::ErrorKind::StorageFull
            | io::ErrorKind::QuotaExceeded
            | io::ErrorKind::FileTooLarge
            | io::ErrorKind::ReadOnlyFilesystem => Blame::World,
            _ => Blame::Input,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cause_of_the_world_is_found_below_what_was_said_of_it() {
        let unreachable = HubError::Unreachable {
            id: "m".to_owned(),
            why: "no route".to_owned(),
        };
        let told = anyhow::Error::from(unreachable).context("cannot start");
        assert_eq!(blame(&told), Blame::World);
        let full = io::Error::from(io::ErrorKind::StorageFull);
        let written = RunFolderError::Io(FolderError {
            path: "out".into(),
            source: full,
        });
        assert_eq!(blame(&written.into()), Blame::World);
        assert_eq!(blame(&anyhow::anyhow!("mistyped")), Blame::Input);
        let stopped = Interrupted { can_go_on: true };
        assert_eq!(blame(&stopped.into()), Blame::Interruption);
    }
}
