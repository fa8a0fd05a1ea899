//! The search's memory: one SQLite file, one writer, readers that never block it. SQL stands only in this folder, one file a table.

mod candidates;
mod changes;
mod ensembles;
mod evaluations;
mod events;
mod exchanges;
mod kill_point;
pub mod lock;
mod migrations;
mod pace;
mod packed;
mod pools;
mod proposals;
mod rounds;
mod searches;
mod shelf;
mod snapshot;
mod told;
mod traces;
mod trials;
mod verdicts;
mod words;

use std::{
    fs::File,
    path::{Path, PathBuf},
    str::FromStr as _,
    sync::Arc,
    time::{Duration, SystemTime},
};

use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions};
use tempfile::TempDir;

use migrations::MIGRATIONS;

pub use ensembles::Ensemble;
pub use evaluations::{Judged, StoredEvaluation, Taken};
pub use exchanges::ExchangeEntry;
pub use pace::TrialTimes;
pub use proposals::Proposed;
pub use searches::{Begun, SearchRecord};
pub use shelf::SearchEntry;
pub use snapshot::Snapshot;
pub use trials::Attempt;
pub use verdicts::{CachedVerdict, VerdictKey};

/// The key of a search in its database.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct SearchId(pub i64);

/// An open database.
#[derive(Debug, Clone)]
pub struct Store {
    pool: SqlitePool,
    path: PathBuf,
    /// Which of the file's searches is read; the latest if none is named.
    chosen: Option<SearchId>,
    /// Where a copy of our own is read in place of the file: its folder, which goes with the last of those who read it, and when the file
    /// was changed last.
    copy: Option<Arc<(TempDir, Option<SystemTime>)>>,
}

/// What can go wrong with a database, by what the user can do about it.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// There is no such file.
    #[error(
        "no database at {0}: start a search with `reward-search run CONFIG --database {0}`, or name another with --database"
    )]
    Missing(PathBuf),
    /// It is there but is not one of ours, or is damaged.
    #[error(
        "{path} is not a usable reward-search database ({what}); nothing was changed. Restore a copy or use another file with --database"
    )]
    Unusable {
        /// The file.
        path: PathBuf,
        /// What SQLite said.
        what: String,
    },
    /// It was written by a newer version of the program.
    #[error(
        "{path} was written by a newer reward-search (schema {found}, this program knows {known}); nothing was changed. Update reward-search"
    )]
    Newer {
        /// The file.
        path: PathBuf,
        /// The newest migration it has seen.
        found: i64,
        /// The newest this program has.
        known: i64,
    },
    /// Another process runs a search in it.
    #[error(
        "{0} is in use by another `reward-search run`; wait for it or use another file with --database"
    )]
    InUse(PathBuf),
    /// No search has been started in it.
    #[error("{0} holds no search yet: start one with `reward-search run CONFIG --database {0}`")]
    Empty(PathBuf),
    /// It holds a search of another configuration.
    #[error(
        "{path} holds a search whose figures cannot be compared with those of this configuration: {difference}. Continue it with its own values, or begin a new search that takes over what stays comparable: --database OTHER.db --from {path}"
    )]
    OtherConfig {
        /// The file.
        path: PathBuf,
        /// The keys that differ and decide figures, with both values.
        difference: String,
    },
    /// Something in it is not what this program writes or knows; reading it as something else would be a guess.
    #[error(
        "{path}: {column} holds `{word}`, which this program does not know; nothing was changed. Use the program that wrote it"
    )]
    Unknown {
        /// The file.
        path: PathBuf,
        /// The table and column.
        column: &'static str,
        /// What stands there.
        word: String,
    },
    /// A name that is not there.
    #[error("{0}")]
    NotFound(String),
    /// SQLite failed (disk full, no permission, …).
    #[error("{path}: {}", told::told(source))]
    Sql {
        /// The file.
        path: PathBuf,
        /// What SQLite said.
        source: sqlx::Error,
    },
}

/// The newest migration this program knows.
fn known_schema() -> i64 {
    MIGRATIONS.iter().map(|m| m.version).max().unwrap_or(0)
}

/// Holds the database for one writing process; released when dropped, also by a crash.
#[derive(Debug)]
pub struct WriterLock {
    _file: File,
}

/// Rows that SQLite's thread may be ahead: a list of thousands is read without waiting for each other at every few.
const ROWS_AHEAD: usize = 1024;

/// What a connection is for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Access {
    Read,
    Write,
    /// Writing with foreign keys off.
    Migrate,
}

/// How closely a file is looked at before it is used.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Depth {
    /// Every page: before anything is written. Takes as long as reading the file.
    Whole,
    /// The schema alone; a damaged page is found when it is read.
    Schema,
}

impl Store {
    /// Opens a database for writing, making and migrating it as needed.
    ///
    /// # Errors
    /// [`StoreError::InUse`], [`StoreError::Newer`], [`StoreError::Unusable`] or [`StoreError::Sql`]; in none of them is anything overwritten.
    pub async fn create_or_open(path: &Path) -> Result<(Self, WriterLock), StoreError> {
        let lock = lock(path)?;
        if std::fs::metadata(path).is_ok_and(|file| file.len() > 0) {
            // Looked at without writing first: opening for writing alone changes a foreign file's header.
            let existing = Self::connect(path, Access::Read).await?;
            existing.check_schema(Depth::Whole).await?;
            existing.close().await;
        }
        let store = Self::connect(path, Access::Migrate).await?;
        if store.check_schema(Depth::Whole).await? < known_schema() {
            store.migrate().await?;
        }
        store.close().await;
        Ok((Self::connect(path, Access::Write).await?, lock))
    }

    /// Opens an existing database for reading, whichever version of this program wrote it: of an older one a copy is brought up to date
    /// and read, and the file itself stays as it is.
    ///
    /// # Errors
    /// [`StoreError::Missing`], [`StoreError::Newer`], [`StoreError::Unusable`] or [`StoreError::Sql`]; [`StoreError::Unusable`] also if there
    /// is no room for the copy.
    pub async fn read(path: &Path) -> Result<Self, StoreError> {
        if !path.is_file() {
            return Err(StoreError::Missing(path.to_owned()));
        }
        let store = Self::connect(path, Access::Read).await?;
        match store.check_schema(Depth::Schema).await? {
            0 => Err(store.unusable("it holds no reward-search tables")),
            found if found < known_schema() => store.upgraded_copy().await,
            _ => Ok(store),
        }
    }

    /// A copy that is brought up to date, open for reading under the name of its original.
    async fn upgraded_copy(self) -> Result<Self, StoreError> {
        let changed = last_change(&self.path);
        let folder = TempDir::new()
            .map_err(|error| self.unusable(&format!("a copy of it cannot be made: {error}")))?;
        let copy = folder.path().join("copy.db");
        // Takes what stands in a write-ahead log with it.
        sqlx::query("VACUUM INTO ?")
            .bind(copy.to_string_lossy().into_owned())
            .execute(&self.pool)
            .await
            .map_err(|error| self.sql(error))?;
        self.pool.close().await;
        let (migrated, lock) = Self::create_or_open(&copy).await?;
        migrated.close().await;
        drop(lock);
        Ok(Self {
            path: self.path,
            copy: Some(Arc::new((folder, changed))),
            ..Self::connect(&copy, Access::Read).await?
        })
    }

    /// Brings the schema up to date. A table is altered by copying it, for which foreign keys are off; they are checked afterwards.
    async fn migrate(&self) -> Result<(), StoreError> {
        MIGRATIONS
            .run(&self.pool)
            .await
            .map_err(|error| match error {
                sqlx::migrate::MigrateError::Execute(source) => self.sql(source),
                other => self.unusable(&other.to_string()),
            })?;
        let broken = sqlx::query("PRAGMA foreign_key_check")
            .fetch_optional(&self.pool)
            .await
            .map_err(|e| self.sql(e))?;
        match broken {
            None => Ok(()),
            Some(_) => Err(self.unusable("a row refers to one that is not there")),
        }
    }

    async fn connect(path: &Path, access: Access) -> Result<Self, StoreError> {
        let sql = |source| StoreError::Sql {
            path: path.to_owned(),
            source,
        };
        let mut options = SqliteConnectOptions::from_str("sqlite:")
            .map_err(sql)?
            .filename(path)
            .create_if_missing(access != Access::Read)
            .read_only(access == Access::Read)
            .foreign_keys(access != Access::Migrate)
            .row_buffer_size(ROWS_AHEAD)
            .busy_timeout(Duration::from_secs(30));
        if access != Access::Read {
            options = options.journal_mode(SqliteJournalMode::Wal);
        }
        // One connection: one writer, and no lock that this process could hold against itself.
        let pool = SqlitePoolOptions::new()
            .max_connections(1)
            // A thousand trials may begin together: whose turn comes late has met no trouble.
            .acquire_timeout(Duration::from_secs(3600))
            // The one connection stays: what it has seen of others' writing is told from it.
            .idle_timeout(None)
            .max_lifetime(None)
            .after_connect(|connection, _| Box::pin(kill_point::arm(connection)))
            .connect_with(options)
            .await;
        match pool {
            Ok(pool) => Ok(Self {
                pool,
                path: path.to_owned(),
                chosen: None,
                copy: None,
            }),
            Err(error) => Err(classify(path, error)),
        }
    }

    /// The newest migration the file has seen (0: an empty file), refused if this program does not know it or the file is damaged.
    async fn check_schema(&self, depth: Depth) -> Result<i64, StoreError> {
        let tables: Vec<String> =
            sqlx::query_scalar("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name")
                .fetch_all(&self.pool)
                .await
                .map_err(|e| classify(&self.path, e))?;
        if tables.is_empty() {
            return Ok(0);
        }
        if !tables.iter().any(|t| t == "_sqlx_migrations") {
            return Err(self.unusable("it belongs to another program"));
        }
        if depth == Depth::Whole {
            let check: String = sqlx::query_scalar("PRAGMA quick_check(1)")
                .fetch_one(&self.pool)
                .await
                .map_err(|e| classify(&self.path, e))?;
            if check != "ok" {
                return Err(self.unusable(&check));
            }
        }
        let found: i64 = sqlx::query_scalar("SELECT ifnull(max(version), 0) FROM _sqlx_migrations")
            .fetch_one(&self.pool)
            .await
            .map_err(|e| classify(&self.path, e))?;
        let known = known_schema();
        if found > known {
            return Err(StoreError::Newer {
                path: self.path.clone(),
                found,
                known,
            });
        }
        Ok(found)
    }

    /// Writes what is in the write-ahead log back into the file and closes it.
    pub async fn close(self) {
        self.pool.close().await;
    }

    /// The file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whether what is read is a copy of a file that has changed since: a search goes on in it. To be opened anew.
    #[must_use]
    pub fn has_gone_on(&self) -> bool {
        let copy = self.copy.as_deref();
        copy.is_some_and(|(_, changed)| last_change(&self.path) != *changed)
    }

    fn sql(&self, source: sqlx::Error) -> StoreError {
        classify(&self.path, source)
    }

    fn unusable(&self, what: &str) -> StoreError {
        StoreError::Unusable {
            path: self.path.clone(),
            what: what.to_owned(),
        }
    }
}

fn last_change(path: &Path) -> Option<SystemTime> {
    std::fs::metadata(path)
        .and_then(|file| file.modified())
        .ok()
}

/// A damaged or foreign file is told from trouble of the host by SQLite's primary result codes 11 (CORRUPT) and 26 (NOTADB).
fn classify(path: &Path, error: sqlx::Error) -> StoreError {
    let code = error
        .as_database_error()
        .and_then(|e| e.code())
        .and_then(|c| c.parse::<i32>().ok());
    match code.map(|c| c & 0xff) {
        Some(11 | 26) => StoreError::Unusable {
            path: path.to_owned(),
            what: error.to_string(),
        },
        _ => StoreError::Sql {
            path: path.to_owned(),
            source: error,
        },
    }
}

fn lock(path: &Path) -> Result<WriterLock, StoreError> {
    let mut name = path.as_os_str().to_owned();
    name.push(".lock");
    let io = |e: std::io::Error| StoreError::Sql {
        path: path.to_owned(),
        source: sqlx::Error::Io(e),
    };
    let file = File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(PathBuf::from(name))
        .map_err(io)?;
    if !crate::store::lock::take(&file).map_err(io)? {
        return Err(StoreError::InUse(path.to_owned()));
    }
    Ok(WriterLock { _file: file })
}
