//! The databases that are shown, and what was last read of each: read again only when another process has written.

use std::{
    collections::HashMap,
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, Instant},
};

use evaluator::{Problem, Split};
use tokio::sync::{Mutex, OnceCell};

use crate::{
    board::{
        leaderboard::{Leaderboard, Row},
        pace::Pace,
    },
    config::Config,
    data::task::Task,
    store::{SearchEntry, SearchId, Snapshot, Store, StoreError},
};

/// What was read less long ago is shown again, however often the search writes.
const FRESH: Duration = Duration::from_secs(1);

/// All databases that are shown.
pub(super) struct Shelf {
    books: Vec<Book>,
}

/// One database.
pub(super) struct Book {
    path: PathBuf,
    store: Mutex<Option<Store>>,
    readings: Mutex<HashMap<SearchId, Kept>>,
}

struct Kept {
    version: i64,
    at: Instant,
    reading: Arc<Reading>,
}

/// A search at one moment, with all that its pages have in common.
pub(super) struct Reading {
    /// Its database.
    pub(super) store: Store,
    /// As it is stored.
    pub(super) snapshot: Snapshot,
    /// Ranked; of the candidates the leader alone has its figures and flags: see [`Reading::filled`].
    pub(super) board: Leaderboard,
    /// Letters of the first ranked rows.
    pub(super) letters: Vec<String>,
    /// How far it is.
    pub(super) pace: Pace,
    /// Whether a process works on it.
    pub(super) is_held: bool,
    /// What was asked for; `None` if another version of this program asked.
    pub(super) config: Option<Config>,
    task: Option<Arc<Task>>,
    /// The outermost ends of all F1 intervals.
    pub(super) ends: Option<(f64, f64)>,
    whole: OnceCell<Arc<str>>,
}

impl Shelf {
    pub(super) fn new(paths: impl IntoIterator<Item = PathBuf>) -> Self {
        let book = |path| Book {
            path,
            store: Mutex::default(),
            readings: Mutex::default(),
        };
        Self {
            books: paths.into_iter().map(book).collect(),
        }
    }

    pub(super) fn books(&self) -> &[Book] {
        &self.books
    }

    /// The search that an address means: `2-1` is the first search of the second database.
    pub(super) async fn reading(&self, key: &str) -> Result<Option<Arc<Reading>>, StoreError> {
        let Some((book, search)) = self.find(key) else {
            return Ok(None);
        };
        if !book.searches().await?.iter().any(|e| e.id == search) {
            return Ok(None);
        }
        book.reading(search).await.map(Some)
    }

    /// The database and the search that an address means, if there is such a database.
    pub(super) fn find(&self, key: &str) -> Option<(&Book, SearchId)> {
        let (book, search) = key.split_once('-')?;
        let book = self
            .books
            .get(book.parse::<usize>().ok()?.checked_sub(1)?)?;
        Some((book, SearchId(search.parse().ok()?)))
    }
}

impl Book {
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// The open database; opened anew after any error, and when an older file that is shown by a copy has gone on.
    async fn store(&self) -> Result<Store, StoreError> {
        let mut store = self.store.lock().await;
        if let Some(open) = store.as_ref().filter(|open| !open.has_gone_on()) {
            return Ok(open.clone());
        }
        let opened = Store::read(&self.path).await?;
        // Another connection counts versions from another start.
        self.readings.lock().await.clear();
        *store = Some(opened.clone());
        Ok(opened)
    }

    /// Its searches, in the order they were begun.
    pub(super) async fn searches(&self) -> Result<Vec<SearchEntry>, StoreError> {
        let searches = self.store().await?.searches().await;
        if searches.is_err() {
            *self.store.lock().await = None;
        }
        searches
    }

    /// A number that changes when the database does, and whether a process holds it.
    pub(super) async fn version(&self) -> Result<(i64, bool), StoreError> {
        let store = self.store().await?;
        Ok((store.version().await?, store.is_held()))
    }

    /// One of its searches, as it is now or was a moment ago.
    pub(super) async fn reading(&self, search: SearchId) -> Result<Arc<Reading>, StoreError> {
        let store = self.store().await?.of_search(search);
        let mut readings = self.readings.lock().await;
        let (version, is_held) = (store.version().await?, store.is_held());
        if let Some(kept) = readings.get(&search) {
            let unchanged = kept.version == version && kept.reading.is_held == is_held;
            if unchanged || kept.at.elapsed() < FRESH {
                return Ok(Arc::clone(&kept.reading));
            }
        }
        let before = readings.get(&search).map(|kept| &*kept.reading);
        let reading = Arc::new(Reading::of(store, is_held, before).await?);
        let kept = Kept {
            version,
            at: Instant::now(),
            reading: Arc::clone(&reading),
        };
        readings.insert(search, kept);
        Ok(reading)
    }
}

impl Reading {
    /// Reads and ranks a search; the data set is taken over from `before` where that had the same.
    pub(super) async fn of(
        store: Store,
        is_held: bool,
        before: Option<&Self>,
    ) -> Result<Self, StoreError> {
        let snapshot = store.outcomes().await?;
        let pace = Pace::read(&store, &snapshot, is_held).await?;
        let config: Option<Config> = serde_json::from_str(&snapshot.search.config).ok();
        // Where the data set is not at hand, pages show completions without their questions.
        let seed = snapshot.search.seed;
        let known = before.filter(|before| before.snapshot.search.config == snapshot.search.config);
        let task = match known {
            Some(before) => before.task.clone(),
            None => config
                .as_ref()
                .and_then(|config| Task::load(&config.task, seed).ok())
                .map(Arc::new),
        };
        let mut board = Leaderboard::of_outcomes(&snapshot).told(is_held);
        // The leader stands on every page.
        board.fill(&store, 1).await?;
        Ok(Self {
            letters: board.letters(&snapshot),
            ends: store.interval_ends(snapshot.search.id).await?,
            whole: OnceCell::new(),
            board,
            store,
            snapshot,
            pace,
            is_held,
            config,
            task,
        })
    }

    /// Rows of the board with their figures and flags.
    pub(super) async fn filled(&self, rows: &[&Row]) -> Result<Vec<Row>, StoreError> {
        let mut rows: Vec<Row> = rows.iter().map(|row| (*row).clone()).collect();
        let judged = rows.iter_mut().filter(|row| row.points.is_some());
        let bare = judged.filter(|row| row.figures.is_none());
        Row::fill(&self.store, self.board.seed, bare.collect()).await?;
        Ok(rows)
    }

    /// The whole board as JSON, with every figure; written once, when somebody asks for it.
    pub(super) async fn json(&self) -> Result<Arc<str>, StoreError> {
        let written = async || {
            let board = Leaderboard::of(&self.store.snapshot().await?).told(self.is_held);
            let json = serde_json::to_string(&board).expect("a board is plain data");
            Ok(Arc::from(json))
        };
        self.whole.get_or_try_init(written).await.cloned()
    }

    /// The first `n` questions of a split that its trials are judged on; none where the data set is not at hand.
    pub(super) fn questions(&self, split: Split, n: usize) -> Vec<Problem> {
        let held_out = |task: &Arc<Task>| task.held_out(split, n, self.snapshot.search.seed);
        self.task.as_ref().map(held_out).unwrap_or_default()
    }
}
