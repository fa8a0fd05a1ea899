//! The schema's history: every file of `migrations/`, in order. What is there once is never changed; a new one is added at the end.
//!
//! They are listed by hand and not with sqlx's `migrate!`: the macro builds SQLite and all of sqlx a second time, for the compiler.

use std::sync::LazyLock;

use sqlx::{
    SqlSafeStr as _,
    migrate::{Migration, MigrationType, Migrator},
};

macro_rules! sql {
    ($file:literal) => {
        include_str!(concat!("../../../migrations/", $file))
    };
}

/// Version, description and text of each.
const ALL: [(i64, &str, &str); 11] = [
    (1, "search", sql!("0001_search.sql")),
    (2, "verdicts", sql!("0002_verdicts.sql")),
    (3, "pools", sql!("0003_pools.sql")),
    (4, "base model", sql!("0004_base_model.sql")),
    (5, "domain", sql!("0005_domain.sql")),
    (6, "exchanges", sql!("0006_exchanges.sql")),
    (7, "changes", sql!("0007_changes.sql")),
    (9, "audit", sql!("0009_audit.sql")),
    (10, "views", sql!("0010_views.sql")),
    (11, "runs", sql!("0011_runs.sql")),
    (13, "endings", sql!("0013_endings.sql")),
];

/// The migrations, ready to be run.
pub(super) static MIGRATIONS: LazyLock<Migrator> = LazyLock::new(|| {
    let migration = |(version, description, text): (i64, &'static str, &'static str)| {
        let kind = MigrationType::Simple;
        Migration::new(
            version,
            description.into(),
            kind,
            text.into_sql_str(),
            false,
        )
    };
    Migrator::with_migrations(ALL.map(migration).into())
});

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn every_file_of_the_folder_is_listed_as_its_name_says() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../migrations");
        let mut files: Vec<_> = std::fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .collect();
        files.sort();
        assert_eq!(files.len(), ALL.len());
        for (file, (version, description, text)) in files.iter().zip(ALL) {
            let name = format!("{version:04}_{}.sql", description.replace(' ', "_"));
            assert_eq!(file.file_name().unwrap().to_str().unwrap(), name);
            assert_eq!(std::fs::read_to_string(file).unwrap(), text);
        }
    }
}
