//! Tables `ensembles` and `ensemble_members`: named, weighted mixes of candidates.

use sqlx::{Row as _, SqliteConnection, SqliteExecutor};
use trainer_bridge::Aggregation;

use super::{SearchId, Store, StoreError, words::Word as _};
use crate::domain::{candidate::CandidateId, trial::EnsembleId};

/// A named mix.
#[derive(Debug, Clone, PartialEq)]
pub struct Ensemble {
    /// Its key.
    pub id: EnsembleId,
    /// Unique within the search.
    pub name: String,
    /// How its members are put together.
    pub aggregation: Aggregation,
    /// The members with their weights, in order.
    pub members: Vec<(CandidateId, f64)>,
}

impl Store {
    /// The mix of that name, made if need be. One of the same name that is made of something else, as it is where a search was extended
    /// after its finalists were chosen, is called `NAME@1` from then on (the next one `NAME@2`): what was judged of it stays.
    ///
    /// # Errors
    /// If SQLite fails.
    pub async fn ensure_ensemble(
        &self,
        search: SearchId,
        name: &str,
        aggregation: Aggregation,
        members: &[(CandidateId, f64)],
    ) -> Result<Ensemble, StoreError> {
        let sql = |e| self.sql(e);
        let stored = self.ensembles(search).await?;
        let earlier = |known: &str| {
            let rest = known.strip_prefix(name);
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('@'))
        };
        let namesakes: Vec<&Ensemble> = stored.iter().filter(|e| earlier(&e.name)).collect();
        let same = namesakes
            .iter()
            .find(|e| e.aggregation == aggregation && e.members == members);
        if let Some(found) = same.filter(|e| e.name == name) {
            return Ok((**found).clone());
        }
        let mut transaction = self.pool.begin().await.map_err(sql)?;
        if let Some(other) = namesakes.iter().find(|e| e.name == name) {
            let free = (1..).map(|n| format!("{name}@{n}"));
            let mut free = free.filter(|wish| namesakes.iter().all(|e| e.name != *wish));
            let renamed = free.next().expect("there are more numbers than names");
            rename(&mut transaction, other.id, &renamed)
                .await
                .map_err(sql)?;
        }
        if let Some(again) = same {
            rename(&mut transaction, again.id, name)
                .await
                .map_err(sql)?;
            transaction.commit().await.map_err(sql)?;
            return Ok(Ensemble {
                name: name.to_owned(),
                ..(**again).clone()
            });
        }
        let id =
            sqlx::query("INSERT INTO ensembles (search_id, name, aggregation) VALUES (?, ?, ?)")
                .bind(search.0)
                .bind(name)
                .bind(aggregation.word())
                .execute(&mut *transaction)
                .await
                .map_err(sql)?
                .last_insert_rowid();
        for (position, (candidate, weight)) in (0i64..).zip(members) {
            sqlx::query(
                "INSERT INTO ensemble_members (ensemble_id, position, candidate_id, weight) VALUES (?, ?, ?, ?)",
            )
            .bind(id)
            .bind(position)
            .bind(candidate.0)
            .bind(weight)
            .execute(&mut *transaction)
            .await
            .map_err(sql)?;
        }
        transaction.commit().await.map_err(sql)?;
        Ok(Ensemble {
            id: EnsembleId(id),
            name: name.to_owned(),
            aggregation,
            members: members.to_vec(),
        })
    }

    /// All mixes in the order they were made.
    ///
    /// # Errors
    /// If SQLite fails.
    pub async fn ensembles(&self, search: SearchId) -> Result<Vec<Ensemble>, StoreError> {
        self.ensembles_in(&self.pool, search).await
    }

    pub(super) async fn ensembles_in(
        &self,
        executor: impl SqliteExecutor<'_>,
        search: SearchId,
    ) -> Result<Vec<Ensemble>, StoreError> {
        let rows = sqlx::query(
            "SELECT n.id, n.name, n.aggregation, m.candidate_id, m.weight
             FROM ensembles n JOIN ensemble_members m ON m.ensemble_id = n.id
             WHERE n.search_id = ? ORDER BY n.id, m.position",
        )
        .bind(search.0)
        .fetch_all(executor)
        .await
        .map_err(|e| self.sql(e))?;
        let mut ensembles: Vec<Ensemble> = Vec::new();
        for row in rows {
            let id = EnsembleId(row.get("id"));
            let member = (CandidateId(row.get("candidate_id")), row.get("weight"));
            match ensembles.last_mut() {
                Some(last) if last.id == id => last.members.push(member),
                _ => ensembles.push(Ensemble {
                    id,
                    name: row.get("name"),
                    aggregation: self.read_word(&row)?,
                    members: vec![member],
                }),
            }
        }
        Ok(ensembles)
    }
}

async fn rename(
    connection: &mut SqliteConnection,
    ensemble: EnsembleId,
    name: &str,
) -> Result<(), sqlx::Error> {
    sqlx::query("UPDATE ensembles SET name = ? WHERE id = ?")
        .bind(name)
        .bind(ensemble.0)
        .execute(connection)
        .await?;
    Ok(())
}
