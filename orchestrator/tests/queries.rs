//! The queries of docs/database.md, run as they stand there on a search that is done.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

mod program;

use orchestrator::{
    domain::trial::{Arm, NewTrial, Stage},
    store::{Begun, Store},
};
use program::searches::{replay, rows};
use sqlx::Row as _;
use trainer_bridge::{RewardPart, StepMetrics};

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
        let may_be_empty = query.contains("proposals") || query.contains("components");
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
    assert_eq!(rounds.len(), board["rounds"].as_array().unwrap().len());
    for (row, told) in rounds.iter().zip(board["rounds"].as_array().unwrap()) {
        assert_eq!(
            row.get::<i64, _>("proposed"),
            told["proposed"].as_i64().unwrap()
        );
        assert_eq!(
            row.get::<i64, _>("accepted"),
            told["accepted"].as_i64().unwrap()
        );
        let mean: Option<f64> = row.get("mean_f1");
        let told_mean = told["mean_f1"].as_f64();
        assert_eq!(mean.is_some(), told_mean.is_some());
        assert!((mean.unwrap_or(0.0) - told_mean.unwrap_or(0.0)).abs() < 1e-12);
        assert_eq!(
            row.get::<i64, _>("complete"),
            told["complete"].as_i64().unwrap()
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

#[tokio::test]
async fn parts_are_told_step_by_step() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.db");
    let (store, _lock) = Store::create_or_open(&path).await.unwrap();
    let config = serde_json::json!({});
    let Begun::New(search) = store.begin("x", &config, "", 1).await.unwrap() else {
        panic!("the file is new")
    };
    let trial = NewTrial {
        arm: Arm::BaseOnly,
        stage: Stage::Screen { rung: 0 },
        seed: 1,
        steps: 2,
        from: None,
    };
    store.plan_trials(search.id, &[trial]).await.unwrap();
    let trial = store.trials(search.id).await.unwrap()[0].id;
    store.start_trial(trial, 0).await.unwrap();
    for step in 1..=2 {
        let part = |part: &str, mean| RewardPart {
            reward: "sum".to_owned(),
            part: part.to_owned(),
            mean,
        };
        let metrics = StepMetrics {
            step,
            correct: 0.5,
            parts: vec![part("form", f64::from(step)), part("answer", 0.25)],
            ..StepMetrics::default()
        };
        store.record_step(trial, &metrics).await.unwrap();
    }
    let all = "SELECT name, stage, number, step, reward, part, mean, correct FROM components ORDER BY step, part";
    let told: Vec<(String, i64, String, f64, f64)> = rows(&path, all)
        .await
        .iter()
        .map(|row| {
            (
                row.get("name"),
                row.get("step"),
                row.get("part"),
                row.get("mean"),
                row.get("correct"),
            )
        })
        .collect();
    let row = |step, part: &str, mean| {
        (
            "base-rewards-only".to_owned(),
            step,
            part.to_owned(),
            mean,
            0.5,
        )
    };
    assert_eq!(
        told,
        [
            row(1, "answer", 0.25),
            row(1, "form", 1.0),
            row(2, "answer", 0.25),
            row(2, "form", 2.0)
        ]
    );
    let page = queries(include_str!("../../docs/database.md"));
    let query = page
        .into_iter()
        .find(|query| query.contains("components"))
        .unwrap();
    let ends = rows(&path, query).await;
    let form = &ends[1];
    assert_eq!(form.get::<f64, _>("first"), 1.0);
    assert_eq!(form.get::<f64, _>("last"), 2.0);
}
