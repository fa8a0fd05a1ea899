//! What makes the figures of a search believable: the audit, controls, a mix that is searched for, and the reference paper's own way with its
//! warning everywhere.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

mod endpoint;
mod program;

use endpoint::{Endpoint, Reply};
use program::{
    names, row,
    searches::{CORRECT, INVERTED, assorted, config, draft, folder, replay, rows},
};
use serde_json::Value;
use sqlx::Row as _;

/// A search that has more than the assorted rewards.
fn searched(extra: &str, with: &[(&str, &str)]) -> program::Program {
    let mut text = config("kind = 'replay'\npath = 'drafts.jsonl'", "", 2);
    for (from, to) in with {
        assert!(text.contains(from), "{from}");
        text = text.replace(from, to);
    }
    let program = folder(&(text + extra));
    let twice = "pub fn reward(sample: &Sample) -> f64 { if sample.correct() { 2.0 } else { word_count(sample.completion()) as f64 * 0.001 } }";
    // Each pays for right answers with other last digits, so that the fake trainer learns in other steps.
    let some = [8, 6, 5, 3].map(|most| {
        let code = format!(
            "pub fn reward(s: &Sample) -> f64 {{ f64::from(u8::from(s.correct() && number(s.answer()).unwrap_or(0.0) % 10.0 < {most}.0)) }}"
        );
        draft(&format!("some_{most}"), &code)
    });
    program.write(
        "drafts.jsonl",
        &(assorted() + &draft("twice", twice) + &some.concat()),
    );
    program
}

fn json(out: &str) -> Value {
    serde_json::from_str(out).unwrap()
}

#[tokio::test]
async fn every_finished_training_is_audited_and_stays_so() {
    let program = replay();
    program.succeed(&["run", "search.toml", "--quiet"]);
    let database = program.path("x.db");
    let count = |query: &'static str| {
        let database = database.clone();
        async move { rows(&database, query).await[0].get::<i64, _>(0) }
    };
    let trained = "SELECT count(*) FROM trials WHERE state = 'complete' AND arm <> 'untouched'";
    let audited = count("SELECT count(*) FROM traces").await;
    assert!(audited > 0);
    assert_eq!(audited, count(trained).await);
    // A candidate and a mix of two are confirmed: each is tried once, however many seeds it has.
    assert_eq!(count("SELECT count(*) FROM attacks").await, 2);
    let out = program.succeed(&[
        "audit",
        "right",
        "top-2",
        "base-rewards-only",
        "--format",
        "json",
    ]);
    let found = json(&out);
    let right = &found[0];
    assert_eq!(right["name"], "right");
    assert_eq!(
        right["trials"].as_array().unwrap().len(),
        3,
        "a screening and two seeds"
    );
    assert_eq!(right["trials"][0]["on"], "Dev, screening");
    assert_eq!(right["attacks"][0]["member"], "right");
    assert!(right["attacks"][0]["completions"].as_u64() > Some(100));
    assert_eq!(
        right["attack_flags"],
        Value::Array(Vec::new()),
        "it pays right answers alone"
    );
    assert_eq!(
        found[1]["attacks"].as_array().unwrap().len(),
        2,
        "each member of the mix"
    );
    assert_eq!(found[2]["attacks"], Value::Array(Vec::new()));
    let before = program.leaderboard();
    program.succeed(&["run", "search.toml", "--quiet"]);
    assert_eq!(program.leaderboard(), before);
    let text = program.succeed(&["audit", "right"]);
    assert!(
        text.contains("held-out right") && text.contains("AUC within groups"),
        "{text}"
    );
}

#[test]
fn a_reward_that_was_not_trained_is_audited_by_its_probe() {
    let program = program::Program::with("");
    program.write(
        "long.rs",
        "pub fn reward(s: &Sample) -> f64 { word_count(s.completion()) as f64 }",
    );
    program.write("right.rs", CORRECT);
    let refused = program.run(&["audit", "long.rs", "--format", "sarif"]);
    assert_eq!(
        refused.code, 2,
        "what is not written is refused: {refused:?}"
    );
    let found = json(&program.succeed(&["audit", "long.rs", "right.rs", "--format", "json"]));
    let signs = |at: usize| -> Vec<String> {
        let flags = found[at]["flags"].as_array().unwrap().iter();
        flags
            .map(|flag| flag["sign"].as_str().unwrap().to_owned())
            .collect()
    };
    assert!(signs(0).contains(&"pays_hacks".to_owned()), "{found:#}");
    assert!(
        !signs(1).contains(&"pays_its_own_errors".to_owned()),
        "{found:#}"
    );
    let told = program.succeed(&["audit", "long.rs"]);
    assert!(
        told.contains("pays hacks") && told.contains("not trained here"),
        "{told}"
    );
}

#[tokio::test]
async fn controls_are_on_every_rung_and_never_ranked() {
    let rungs = "rungs = [{steps = 4, problems = 50, keep = 1}, {steps = 8, problems = 100}]";
    let program = searched(
        "",
        &[
            (
                "candidates_per_round = 4",
                "candidates_per_round = 4\ncontrols = ['format_only', 'random_reward']\nrandom_candidates = 2",
            ),
            ("steps = 8\nproblems = 100\n", &format!("{rungs}\n")),
        ],
    );
    program.succeed(&["run", "search.toml", "--quiet"]);
    let board = program.leaderboard();
    let references = &board["references"];
    for name in [
        "untouched",
        "base-rewards-only",
        "control/format-only",
        "control/random-reward",
    ] {
        let row = row(references, name);
        assert_eq!(
            (&row["rung"], &row["rank"]),
            (&1.into(), &Value::Null),
            "{row:#}"
        );
        assert!(row["f1"]["point"].is_number());
    }
    let of_random: Vec<String> = names(references)
        .into_iter()
        .filter(|name| name.starts_with("control/random-candidate-"))
        .collect();
    assert_eq!(of_random.len(), 1, "the best of them alone");
    let best = row(references, &of_random[0]);
    assert!(
        best["reason"].as_str().unwrap().contains("best of 2"),
        "{best:#}"
    );
    assert!(
        names(&board["candidates"])
            .iter()
            .all(|name| !name.starts_with("control/"))
    );
    let query = "SELECT name, rank, rung FROM leaderboard WHERE name LIKE 'control/%'";
    let rows = rows(&program.path("x.db"), query).await;
    assert_eq!(rows.len(), 4);
    assert!(
        rows.iter()
            .all(|row| row.get::<Option<i64>, _>(1).is_none() && row.get::<i64, _>(2) == 1)
    );
    let ranks = "SELECT count(*) FROM leaderboard WHERE rank = 1";
    assert_eq!(
        self::rows(&program.path("x.db"), ranks).await[0].get::<i64, _>(0),
        1
    );
    let shown = program.succeed(&["show", "control/format-only"]);
    assert!(shown.contains("a reference row"), "{shown}");
    let audited = json(&program.succeed(&["audit", "control/random-reward", "--format", "json"]));
    assert_eq!(audited[0]["trials"].as_array().unwrap().len(), 2);
}

#[test]
fn a_mix_is_searched_for_within_its_budget_and_comes_out_the_same_again() {
    let greedy = [(
        "sizes = [2]",
        "sizes = []\ngreedy = {trials = 3, shortlist = 3}",
    )];
    let (program, again) = (searched("", &greedy), searched("", &greedy));
    let out = program.succeed(&["run", "search.toml"]);
    assert!(out.contains("Mixes tried on Dev"), "{out}");
    let board = program.leaderboard();
    let tried = board["mixes"].as_array().unwrap();
    assert!((1..=3).contains(&tried.len()), "{tried:#?}");
    assert!(
        tried
            .iter()
            .all(|mix| mix["members"].as_array().unwrap().len() >= 2)
    );
    let chosen: Vec<&Value> = tried
        .iter()
        .filter(|mix| mix["is_chosen"] == true)
        .collect();
    let confirmed = names(&board["confirmed"]).contains(&"greedy".to_owned());
    assert_eq!(
        chosen.len(),
        usize::from(confirmed),
        "what is chosen is confirmed"
    );
    assert!(
        names(&board["candidates"])
            .iter()
            .all(|name| !name.starts_with("tried-"))
    );
    again.succeed(&["run", "search.toml", "--quiet"]);
    assert_eq!(again.leaderboard(), board, "from the same seed");
    program.succeed(&["run", "search.toml", "--quiet"]);
    assert_eq!(program.leaderboard(), board, "nothing is tried twice");
}

#[tokio::test]
async fn the_papers_protocol_reads_test_alone_and_says_so_wherever_a_figure_is() {
    let paper = [
        (
            "candidates_per_round = 4",
            "candidates_per_round = 4\nprotocol = 'paper'",
        ),
        ("seeds = 2", "seeds = 1"),
    ];
    let program = searched("", &paper);
    let out = program.succeed(&["run", "search.toml"]);
    assert!(out.contains("WARNING: protocol = \"paper\""), "{out}");
    let splits = rows(
        &program.path("x.db"),
        "SELECT DISTINCT split FROM evaluations",
    )
    .await;
    let splits: Vec<&str> = splits.iter().map(|row| row.get(0)).collect();
    assert_eq!(splits, ["test"]);
    let board = program.leaderboard();
    assert_eq!(board["protocol"], "paper");
    assert!(board["warning"].as_str().unwrap().contains("biased"));
    let confirmed = names(&board["confirmed"]);
    // There are too few that can be told apart for the others; which there are is tested where they are chosen.
    for name in ["top-3", "random-5"] {
        assert!(confirmed.contains(&name.to_owned()), "{confirmed:?}");
    }
    let models = confirmed
        .iter()
        .filter(|name| {
            name.starts_with("top-")
                || name.ends_with("rounds")
                || *name == "correctness-only"
                || *name == "random-5"
        })
        .count();
    assert_eq!(
        board["pairs"].as_array().unwrap().len(),
        models * (models - 1) / 2,
        "all pairs"
    );
    for arguments in [
        &["leaderboard"][..],
        &["leaderboard", "--format", "markdown"],
        &["leaderboard", "--format", "csv"],
        &["show", "right"],
        &["show", "right", "--format", "json"],
        &["audit", "right"],
        &["report"],
    ] {
        let told = program.succeed(arguments);
        let flat = told.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(flat.contains("biased upwards"), "{arguments:?}: {told}");
    }
    let compared = program.succeed(&["compare", "top-3", "random-5"]);
    assert!(compared.contains("Warning"), "{compared}");
    let usual = searched("", &[]);
    usual.succeed(&["run", "search.toml", "--quiet"]);
    let board = usual.leaderboard();
    assert!(board.get("protocol").is_none() && board.get("warning").is_none());
    assert!(board["best_f1_corrected_for_choice"]["point"].is_number());
}

#[test]
fn what_the_papers_protocol_cannot_have_is_refused_by_name() {
    let program = searched(
        "",
        &[(
            "candidates_per_round = 4",
            "candidates_per_round = 4\nprotocol = 'paper'",
        )],
    );
    let printed = program.run(&["run", "search.toml"]);
    assert_eq!(printed.code, 2);
    assert!(
        printed.err.contains("needs confirm.seeds = 1"),
        "{}",
        printed.err
    );
}

#[test]
fn without_feedback_nothing_of_earlier_rounds_is_learnt() {
    let grammar = |feedback: &str| {
        let text = config("kind = 'grammar'", "", 2)
            .replace("rounds = 2", &format!("rounds = 2\n{feedback}"));
        let program = folder(&text);
        program.succeed(&["run", "search.toml", "--quiet"]);
        let records = program.succeed(&["records", "candidates"]);
        let second: Vec<Value> = records
            .lines()
            .map(json)
            .filter(|r| r["round"] == 2)
            .collect();
        assert!(!second.is_empty());
        second
            .iter()
            .filter(|r| !r["parents"].as_array().unwrap().is_empty())
            .count()
    };
    assert!(grammar("") > 0, "children of the first round");
    assert_eq!(grammar("feedback = false"), 0);
}

#[test]
fn a_loser_is_judged_no_further_and_the_proposer_hears_why() {
    let endpoint = Endpoint::start(vec![Reply::Says("False".to_owned())]);
    let verifier = format!(
        "[verifier]\nkind = 'tinyv'\nmodel = 'judge'\nbase_url = '{}'\nbackoff_ms = 5\nmax_retries = 1\n",
        endpoint.base_url()
    );
    let text = config("kind = 'replay'\npath = 'drafts.jsonl'", "", 2)
        .replace("candidates_per_round = 4", "candidates_per_round = 1")
        .replace("seeds = 2", "seeds = 0")
        .replace(
            "problems = 100\ngate",
            "problems = 100\nrace = {level = 0.05, batch = 10}\ngate",
        );
    let program = folder(&(text.clone() + &verifier));
    program.write(
        "drafts.jsonl",
        &(draft("right", CORRECT) + &draft("wrong way round", INVERTED)),
    );
    program.succeed(&["run", "search.toml", "--quiet"]);
    let board = program.leaderboard();
    let rows = &board["candidates"];
    assert_eq!(row(rows, "right")["rank"], 1, "{rows:#}");
    let loser = row(rows, "wrong_way_round");
    assert_eq!(
        (&loser["state"], &loser["rank"]),
        (&"pruned".into(), &Value::Null),
        "{loser:#}"
    );
    assert_eq!(
        loser.get("f1"),
        None,
        "a part of the questions is no figure"
    );
    let why = loser["reason"].as_str().unwrap();
    assert!(
        why.contains("lost against right") && why.contains("of 100 questions"),
        "{why}"
    );
    program.succeed(&["run", "search.toml", "--quiet"]);
    assert_eq!(program.leaderboard(), board);

    let without = text.replace("race = {level = 0.05, batch = 10}\n", "");
    let without = folder(&(without + &verifier));
    without.write(
        "drafts.jsonl",
        &(draft("right", CORRECT) + &draft("wrong way round", INVERTED)),
    );
    without.succeed(&["run", "search.toml", "--quiet"]);
    assert_eq!(
        row(&without.leaderboard()["candidates"], "wrong_way_round")["state"],
        "complete"
    );

    let ruled = folder(&text);
    ruled.write("drafts.jsonl", &draft("right", CORRECT));
    let printed = ruled.run(&["run", "search.toml"]);
    assert!(
        printed.code == 2 && printed.err.contains("nothing to save"),
        "{}",
        printed.err
    );
}
