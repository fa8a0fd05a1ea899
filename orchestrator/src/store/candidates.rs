//! Table `candidates`: every draft there ever was, accepted or not.

use std::collections::BTreeMap;

use sandbox::{Language, Source};
use sqlx::{Row as _, SqliteExecutor, sqlite::SqliteRow};

use super::{SearchId, Store, StoreError};
use crate::{
    domain::{
        candidate::{Candidate, CandidateId, NewCandidate, Status},
        draft::Draft,
    },
    text::nearest,
};

impl Store {
    /// All candidates in the order they were proposed.
    ///
    /// # Errors
    /// If SQLite fails.
    pub async fn candidates(&self, search: SearchId) -> Result<Vec<Candidate>, StoreError> {
        self.candidates_in(&self.pool, search).await
    }

    pub(super) async fn candidates_in(
        &self,
        executor: impl SqliteExecutor<'_>,
        search: SearchId,
    ) -> Result<Vec<Candidate>, StoreError> {
        let rows = sqlx::query("SELECT * FROM candidates WHERE search_id = ? ORDER BY id")
            .bind(search.0)
            .fetch_all(executor)
            .await
            .map_err(|e| self.sql(e))?;
        rows.iter().map(|row| self.candidate_from(row)).collect()
    }

    /// The candidate of that name.
    ///
    /// # Errors
    /// [`StoreError::NotFound`], naming the nearest name there is.
    pub async fn candidate(&self, search: SearchId, name: &str) -> Result<Candidate, StoreError> {
        let row = sqlx::query("SELECT * FROM candidates WHERE search_id = ? AND name = ?")
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

    /// What each round of the file's search proposed, as it was proposed, to be replayed in another search.
    ///
    /// # Errors
    /// If there is no search or SQLite fails.
    pub async fn drafts_by_round(&self) -> Result<BTreeMap<u32, Vec<Draft>>, StoreError> {
        let mut rounds: BTreeMap<u32, Vec<Draft>> = BTreeMap::new();
        for candidate in self.candidates(self.search().await?.id).await? {
            if candidate.round == 0 || matches!(candidate.status, Status::Unreadable { .. }) {
                continue;
            }
            rounds.entry(candidate.round).or_default().push(Draft {
                name: candidate.name,
                language: candidate.source.language,
                code: candidate.source.code,
                rationale: candidate.rationale,
                parents: candidate.parents,
            });
        }
        // A round that brought nothing readable is no reason to end a replay early.
        Ok((1..).zip(rounds.into_values()).collect())
    }

    fn candidate_from(&self, row: &SqliteRow) -> Result<Candidate, StoreError> {
        let reason = || row.get::<Option<String>, _>("reason").unwrap_or_default();
        let status = match row.get("status") {
            "accepted" => Status::Accepted {
                wasm: row.get("wasm"),
            },
            "rejected" => Status::Rejected { reason: reason() },
            "duplicate" => Status::Duplicate { reason: reason() },
            _ => Status::Unreadable { reason: reason() },
        };
        let language = match row.get("language") {
            "rust" => Language::Rust,
            _ => Language::Python,
        };
        let parents: String = row.get("parents");
        Ok(Candidate {
            id: CandidateId(row.get("id")),
            round: row.get("round"),
            name: row.get("name"),
            source: Source {
                language,
                code: row.get("source"),
            },
            rationale: row.get("rationale"),
            parents: serde_json::from_str(&parents)
                .map_err(|e| self.unusable(&format!("parents of a candidate: {e}")))?,
            status,
            probe: row.get("probe"),
        })
    }
}

pub(super) async fn insert_candidate(
    connection: &mut sqlx::SqliteConnection,
    search: SearchId,
    round: u32,
    new: &NewCandidate,
) -> Result<CandidateId, sqlx::Error> {
    let language = match new.draft.language {
        Language::Rust => "rust",
        Language::Python => "python",
    };
    let parents = serde_json::Value::from(new.draft.parents.clone()).to_string();
    let done = sqlx::query(
        "INSERT INTO candidates (search_id, round, name, language, source, sha256, rationale, parents, status, reason, probe, wasm)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    )
    .bind(search.0)
    .bind(round)
    .bind(&new.draft.name)
    .bind(language)
    .bind(&new.draft.code)
    .bind(&new.sha256)
    .bind(&new.draft.rationale)
    .bind(parents)
    .bind(new.status.word())
    .bind(new.status.reason())
    .bind(&new.probe)
    .bind(new.status.wasm())
    .execute(connection)
    .await?;
    Ok(CandidateId(done.last_insert_rowid()))
}
