//! Tables `candidates` and `modules`: every draft there ever was, accepted or not, and the guests of the accepted ones.

use std::{borrow::Cow, collections::BTreeMap};

use sandbox::{Language, Source};
use serde::{Deserialize, Serialize};
use sqlx::{Row as _, SqliteExecutor, sqlite::SqliteRow};

use super::{
    SearchId, Store, StoreError,
    words::{OriginWord, StatusWord, Word as _, json},
};
use crate::{
    domain::{
        candidate::{Candidate, CandidateEntry, CandidateId, NewCandidate, Origin, Status},
        draft::Draft,
    },
    text::nearest,
};

/// What a list needs of a candidate.
const ENTRIES: &str =
    "SELECT json_group_array(json_array(id, origin, id IN (SELECT candidate_id FROM controls), round, name, status, cause))
     FROM candidates WHERE search_id = ?";

/// A row of [`ENTRIES`].
#[derive(Deserialize)]
struct EntryRow<'t> {
    id: i64,
    origin: Cow<'t, str>,
    is_control: u8,
    round: Option<u32>,
    name: String,
    status: Cow<'t, str>,
    cause: Option<Cow<'t, str>>,
}

/// A query for all of a candidate but its module.
macro_rules! whole {
    ($which:literal) => {
        concat!(
            "SELECT id, origin, id IN (SELECT candidate_id FROM controls) AS is_control, round, name, status, cause, language, parents, rationale, source, probe
             FROM candidates WHERE search_id = ? ",
            $which
        )
    };
}

/// The cause stored of a duplicate, and of a twin.
#[derive(Serialize, Deserialize)]
struct DuplicateOf {
    of: String,
    /// Not the sources are the same but what they teach.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    teaches: bool,
}

/// The cause stored of what cannot be read.
#[derive(Serialize, Deserialize)]
struct Unread {
    reason: String,
}

impl Store {
    /// All candidates in the order they were proposed, with their sources.
    ///
    /// # Errors
    /// [`StoreError::Sql`], or [`StoreError::Unknown`] for what another program wrote.
    pub async fn candidates(&self, search: SearchId) -> Result<Vec<Candidate>, StoreError> {
        let rows = sqlx::query(whole!("ORDER BY id"))
            .bind(search.0)
            .fetch_all(&self.pool)
            .await
            .map_err(|e| self.sql(e))?;
        rows.iter().map(|row| self.candidate_from(row)).collect()
    }

    /// The rewards that come with the program and make up the base, with their sources, in order.
    ///
    /// # Errors
    /// As [`Store::candidates`].
    pub async fn base_rewards(&self, search: SearchId) -> Result<Vec<Candidate>, StoreError> {
        let query = whole!(
            "AND origin = 'base' AND id NOT IN (SELECT candidate_id FROM controls) ORDER BY id"
        );
        let rows = sqlx::query(query)
            .bind(search.0)
            .fetch_all(&self.pool)
            .await
            .map_err(|e| self.sql(e))?;
        rows.iter().map(|row| self.candidate_from(row)).collect()
    }

    /// All candidates in the order they were proposed, without their sources.
    ///
    /// # Errors
    /// As [`Store::candidates`].
    pub async fn candidate_entries(
        &self,
        search: SearchId,
    ) -> Result<Vec<CandidateEntry>, StoreError> {
        self.candidate_entries_in(&self.pool, search).await
    }

    pub(super) async fn candidate_entries_in(
        &self,
        executor: impl SqliteExecutor<'_>,
        search: SearchId,
    ) -> Result<Vec<CandidateEntry>, StoreError> {
        let query = sqlx::query_scalar(ENTRIES).bind(search.0);
        let text = self.packed(executor, query).await?;
        let mut rows: Vec<EntryRow<'_>> = self.unpacked("candidates", &text)?;
        rows.sort_by_key(|row| row.id);
        rows.into_iter().map(|row| self.entry_from(row)).collect()
    }

    /// The candidate of that name.
    ///
    /// # Errors
    /// [`StoreError::NotFound`], naming the nearest name there is; else as [`Store::candidates`].
    pub async fn candidate(&self, search: SearchId, name: &str) -> Result<Candidate, StoreError> {
        let row = sqlx::query(whole!("AND name = ?"))
            .bind(search.0)
            .bind(name)
            .fetch_optional(&self.pool)
            .await
            .map_err(|e| self.sql(e))?;
        if let Some(row) = row {
            return self.candidate_from(&row);
        }
        let names: Vec<String> =
            sqlx::query_scalar("SELECT name FROM candidates WHERE search_id = ?")
                .bind(search.0)
                .fetch_all(&self.pool)
                .await
                .map_err(|e| self.sql(e))?;
        let hint = nearest::hint(name, names.iter().map(String::as_str));
        Err(StoreError::NotFound(format!(
            "{} has no candidate `{name}`.{hint} `reward-search leaderboard` lists them all",
            self.path.display()
        )))
    }

    /// The guest of a candidate; `None` if it was not accepted.
    ///
    /// # Errors
    /// [`StoreError::Sql`].
    pub async fn wasm(&self, candidate: CandidateId) -> Result<Option<Vec<u8>>, StoreError> {
        sqlx::query_scalar("SELECT wasm FROM modules WHERE candidate_id = ?")
            .bind(candidate.0)
            .fetch_optional(&self.pool)
            .await
            .map_err(|e| self.sql(e))
    }

    /// What each round of the file's search proposed, as it was proposed, to be replayed in another search. Seeds count as proposed by
    /// the first round.
    ///
    /// # Errors
    /// [`StoreError::Empty`] if there is no search; else as [`Store::candidates`].
    pub async fn drafts_by_round(&self) -> Result<BTreeMap<u32, Vec<Draft>>, StoreError> {
        let mut rounds: BTreeMap<u32, Vec<Draft>> = BTreeMap::new();
        for candidate in self.candidates(self.search().await?.id).await? {
            let Some(round) = candidate.origin.round() else {
                continue;
            };
            if !matches!(candidate.status, Status::Unreadable { .. }) {
                rounds.entry(round).or_default().push(candidate.draft);
            }
        }
        // A round that brought nothing readable is no reason to end a replay early.
        Ok((1..).zip(rounds.into_values()).collect())
    }

    fn entry_from(&self, row: EntryRow<'_>) -> Result<CandidateEntry, StoreError> {
        let cause = row.cause.as_deref();
        Ok(CandidateEntry {
            id: CandidateId(row.id),
            origin: match self.of_word(&row.origin)? {
                OriginWord::Base if row.is_control != 0 => Origin::Control,
                OriginWord::Base => Origin::Base,
                OriginWord::Seed => Origin::Seed,
                OriginWord::Round => Origin::Round(
                    row.round
                        .ok_or_else(|| self.unusable("a candidate's round is not stored"))?,
                ),
            },
            name: row.name,
            status: match self.of_word(&row.status)? {
                StatusWord::Accepted => Status::Accepted,
                StatusWord::Rejected => Status::Rejected(self.of_json(cause, "candidates.cause")?),
                StatusWord::Duplicate => match self.of_json(cause, "candidates.cause")? {
                    DuplicateOf { of, teaches: false } => Status::Duplicate { of },
                    DuplicateOf { of, teaches: true } => Status::Twin { of },
                },
                StatusWord::Unreadable => {
                    let Unread { reason } = self.of_json(cause, "candidates.cause")?;
                    Status::Unreadable { reason }
                }
            },
        })
    }

    fn candidate_from(&self, row: &SqliteRow) -> Result<Candidate, StoreError> {
        let CandidateEntry {
            id,
            origin,
            name,
            status,
        } = self.entry_from(EntryRow {
            id: row.get("id"),
            origin: Cow::Borrowed(row.get("origin")),
            is_control: row.get("is_control"),
            round: row.get("round"),
            name: row.get("name"),
            status: Cow::Borrowed(row.get("status")),
            cause: row.get::<Option<&str>, _>("cause").map(Cow::Borrowed),
        })?;
        Ok(Candidate {
            id,
            origin,
            draft: Draft {
                name,
                source: Source {
                    language: self.read_word::<Language>(row)?,
                    code: row.get("source"),
                },
                rationale: row.get("rationale"),
                parents: self.read_json(row, "candidates.parents")?,
            },
            status,
            probe: row.get("probe"),
        })
    }
}

/// The word and the cause of a status.
fn status_columns(status: &Status) -> (StatusWord, Option<String>) {
    match status {
        Status::Accepted => (StatusWord::Accepted, None),
        Status::Rejected(refusal) => (StatusWord::Rejected, Some(json(refusal))),
        Status::Duplicate { of } | Status::Twin { of } => {
            let cause = json(&DuplicateOf {
                of: of.clone(),
                teaches: matches!(status, Status::Twin { .. }),
            });
            (StatusWord::Duplicate, Some(cause))
        }
        Status::Unreadable { reason } => {
            let cause = json(&Unread {
                reason: reason.clone(),
            });
            (StatusWord::Unreadable, Some(cause))
        }
    }
}

pub(super) async fn insert_candidate(
    connection: &mut sqlx::SqliteConnection,
    search: SearchId,
    new: &NewCandidate,
) -> Result<CandidateId, sqlx::Error> {
    let (origin, round) = match new.origin {
        Origin::Base | Origin::Control => (OriginWord::Base, None),
        Origin::Seed => (OriginWord::Seed, None),
        Origin::Round(round) => (OriginWord::Round, Some(round)),
    };
    let (status, cause) = status_columns(&new.status);
    let done = sqlx::query(
        "INSERT INTO candidates (search_id, origin, round, name, language, source, sha256, rationale, parents, status, cause, probe)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    )
    .bind(search.0)
    .bind(origin.word())
    .bind(round)
    .bind(&new.draft.name)
    .bind(new.draft.source.language.word())
    .bind(&new.draft.source.code)
    .bind(&new.sha256)
    .bind(&new.draft.rationale)
    .bind(json(&new.draft.parents))
    .bind(status.word())
    .bind(cause)
    .bind(&new.probe)
    .execute(&mut *connection)
    .await?;
    let id = CandidateId(done.last_insert_rowid());
    if new.origin == Origin::Control {
        sqlx::query("INSERT INTO controls (candidate_id) VALUES (?)")
            .bind(id.0)
            .execute(&mut *connection)
            .await?;
    }
    if let Some(wasm) = &new.wasm {
        sqlx::query("INSERT INTO modules (candidate_id, wasm) VALUES (?, ?)")
            .bind(id.0)
            .bind(wasm)
            .execute(connection)
            .await?;
    }
    Ok(id)
}
