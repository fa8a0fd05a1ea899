//! The queries of docs/database.md, run as they stand there on a search that is done.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

mod program;

use program::searches::{replay, rows};
use sqlx::Row as _;

/// The queries in a page of documentation.
fn queries(page: &'static str) -> Vec<&'static str> {
    let after_fence = page.split("```sql\n").skip(1);
    after_fence
        .map(|text| text.split("```").next().unwrap())
        .collect()
}

#[tokio::test]
async fn every_query_of_the_documentation_answers() {
    let program = replay();
    program.succeed(&["run", "search.toml", "--quiet"]);
    let database = program.path("x.db");
    let queries = queries(include_str!("../../docs/database.md"));
    assert_eq!(queries.len(), 10);
    let mut answers = Vec::new();
    for query in queries {
        answers.push((query, rows(&database, query).await));
    }
    for (query, rows) in &answers {
        // This search asked no language model, and its rewards name no parts.
        let may_be_empty = query.contains("proposals") || query.contains("$.parts");
        assert!(may_be_empty || !rows.is_empty(), "{query}");
    }
    let board = program.leaderboard();
    let best = &board["candidates"][0];
    let first = &answers[0].1[0];
    assert_eq!(first.get::<&str, _>("name"), best["name"].as_str().unwrap());
    assert_eq!(
        first.get::<f64, _>("f1"),
        best["f1"]["point"].as_f64().unwrap()
    );
    let rounds = &answers[1].1;
    for (row, told) in rounds.iter().zip(board["rounds"].as_array().unwrap()) {
        assert_eq!(
            row.get::<i64, _>("proposed"),
            told["proposed"].as_i64().unwrap()
        );
        assert_eq!(
            row.get::<i64, _>("accepted"),
            told["accepted"].as_i64().unwrap()
        );
        assert_eq!(
            row.get::<Option<f64>, _>("best_f1"),
            told["best_f1"].as_f64()
        );
    }
    let hardest = &answers[6].1;
    let shares: Vec<f64> = hardest.iter().map(|row| row.get("right")).collect();
    assert!(shares.is_sorted() && shares.iter().all(|share| (0.0..=1.0).contains(share)));
    let wrong = answers[7].1.len();
    assert!(wrong > 0 && wrong < 100, "{wrong}");
    let finalists: Vec<&str> = answers[8].1.iter().map(|row| row.get("finalist")).collect();
    assert_eq!(
        finalists.len(),
        board["confirmed"].as_array().unwrap().len()
    );
}
