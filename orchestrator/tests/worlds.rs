//! The worlds of the toy task: each has a base in the program that answers as its page says, and stands in a configuration by its name.
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stderr, missing_docs)]

mod program;

use std::{collections::HashSet, fs, path::Path};

use evaluator::{
    Split,
    toy::{World, problems},
};
use orchestrator::config::Config;
use program::Program;
use serde_json::Value;
use trainer_bridge::Embedded;

/// What the untouched base of a world gets right on Dev, least and most: the bands of docs/worlds.md.
const RIGHT: [(World, f64, f64); 4] = [
    (World::Rounding, 0.10, 0.24),
    (World::Sparse, 0.0, 0.03),
    (World::Rambling, 0.0, 0.03),
    (World::Muddled, 0.0, 0.03),
];

fn in_world(world: World, rest: &str) -> Program {
    Program::with(&format!(
        "search = {{ name = 'x', seed = 31 }}\ntask = {{ kind = 'toy', world = '{world}' }}\n{rest}"
    ))
}

#[test]
fn every_world_has_a_base_in_the_program_and_every_base_a_world() {
    let embedded: HashSet<&str> = Embedded::all().map(|model| model.name).collect();
    let worlds: HashSet<&str> = World::ALL.map(|world| world.spec().model).into();
    assert_eq!(embedded, worlds);
}

#[test]
fn the_bases_answer_as_their_page_says() {
    let constant = "pub fn reward(_sample: &Sample) -> f64 { 0.0 }";
    let page = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/worlds.md"))
        .unwrap();
    assert_eq!(RIGHT.map(|(world, ..)| world), World::ALL);
    for (world, least, most) in RIGHT {
        let program = in_world(world, "");
        program.write("constant.rs", constant);
        let told = program.succeed(&[
            "train",
            "search.toml",
            "--reward",
            "constant.rs",
            "--steps",
            "1",
            "--problems",
            "300",
            "--format",
            "json",
        ]);
        let told: Value = serde_json::from_str(&told).unwrap();
        let right = told["figures"]["accuracy"]["point"].as_f64().unwrap();
        assert!((least..=most).contains(&right), "{world}: {right}");
        let band = format!("{:.0} to {:.0} %", least * 100.0, most * 100.0);
        let row = page
            .lines()
            .find(|line| line.starts_with(&format!("| `{world}` |")));
        let row = row.unwrap_or_else(|| panic!("docs/worlds.md has no row of {world}"));
        assert!(row.contains(&band), "{band} is not in: {row}");
    }
}

#[test]
fn a_configuration_of_a_world_takes_its_base_and_its_lengths_where_it_names_none() {
    for world in World::ALL {
        let program = in_world(world, "");
        let config = Config::load(&program.path("search.toml")).unwrap();
        assert_eq!(config.trainer.model(), Some(world.spec().model));
        assert!(config.warnings().is_empty());
        let (rollouts, evaluation) = world
            .spec()
            .lengths
            .map_or((64, 64), |l| (l.rollouts, l.evaluation));
        assert_eq!(config.grpo.max_completion_length, rollouts);
        assert_eq!(config.evaluation.max_completion_length, evaluation);
        let stored = config.resolved()["task"].to_string();
        assert_eq!(
            stored.contains("world"),
            !world.is_usual(),
            "the usual world is not stored, as in searches from before there were others: {stored}"
        );
    }
    let own = in_world(
        World::Rambling,
        "trainer = { kind = 'candle', model = 'toy' }\ngrpo = { max_completion_length = 70 }\nevaluation = { max_completion_length = 50 }",
    );
    let config = Config::load(&own.path("search.toml")).unwrap();
    assert_eq!(config.trainer.model(), Some("toy"));
    assert_eq!(config.grpo.max_completion_length, 70);
    assert_eq!(config.evaluation.max_completion_length, 50);
    let warned = config.warnings().join("\n");
    assert!(
        warned.contains("`rounding`") && warned.contains("toy-rambling"),
        "{warned}"
    );
}

#[test]
fn a_base_that_is_another_worlds_is_warned_of_and_a_world_that_is_none_named() {
    let program = in_world(
        World::Sparse,
        "trainer = { kind = 'candle', model = 'toy' }",
    );
    program.write(
        "constant.rs",
        "pub fn reward(_sample: &Sample) -> f64 { 0.0 }",
    );
    let train = [
        "train",
        "search.toml",
        "--reward",
        "constant.rs",
        "--steps",
        "1",
        "--problems",
        "10",
    ];
    let printed = program.run(&train);
    assert_eq!(printed.code, 0, "{}", printed.err);
    assert!(
        printed.err.contains("manner of the world `rounding`"),
        "{}",
        printed.err
    );

    let program =
        Program::with("search = { name = 'x' }\ntask = { kind = 'toy', world = 'spares' }");
    let printed = program.run(&train);
    assert_ne!(printed.code, 0);
    for part in ["spares", "rounding", "sparse", "rambling"] {
        assert!(printed.err.contains(part), "{}", printed.err);
    }
    let printed = program.run(&["pretrain", "--world", "spares", "here"]);
    assert!(
        printed.err.contains("the worlds are rounding, sparse"),
        "{}",
        printed.err
    );
    assert!(!program.path("here").exists());
}

/// The whole recipes take a minute each; docs/worlds.md has the command that compares their result with what the program holds.
#[test]
fn pretraining_a_world_gives_the_same_bytes_again_and_every_world_others() {
    let program = Program::with("");
    let weights = |world: World, folder: &str| {
        let name = world.to_string();
        program.succeed(&[
            "--quiet", "pretrain", folder, "--world", &name, "--steps", "2",
        ]);
        fs::read(program.path(folder).join("model.safetensors")).unwrap()
    };
    let mut seen = HashSet::new();
    for world in World::ALL {
        let once = weights(world, &format!("{world}-1"));
        assert_eq!(once, weights(world, &format!("{world}-2")), "{world}");
        assert!(seen.insert(once), "{world} is the same as another");
    }
}

#[test]
fn no_problem_of_a_worlds_held_out_splits_is_trained_on() {
    // Template and numbers decide: the words that are neither names nor items.
    let key = |question: &str| -> String {
        const SWAPPED: [&str; 12] = [
            "tom", "ana", "sam", "lily", "ben", "mia", "apples", "pens", "books", "coins", "eggs",
            "cards",
        ];
        let words = question.split(' ').filter(|word| !SWAPPED.contains(word));
        words.collect::<Vec<_>>().join(" ")
    };
    let held_out: HashSet<String> = [Split::Dev, Split::Test]
        .into_iter()
        .flat_map(|split| problems(split, 4000, 31))
        .map(|problem| key(&problem.question))
        .collect();
    for world in World::ALL {
        let taught = world.examples(200, 64, 1);
        assert!(
            taught
                .map(|example| key(&example.prompt))
                .all(|key| !held_out.contains(&key)),
            "{world}"
        );
    }
}

#[test]
fn the_probe_speaks_each_worlds_manner() {
    let program = Program::with("");
    program.write(
        "right.rs",
        "pub fn reward(s: &Sample) -> f64 { f64::from(s.correct()) }",
    );
    let mut right = HashSet::new();
    for world in World::ALL {
        let name = world.to_string();
        let probed = program.succeed(&["probe", "right.rs", "--world", &name, "--format", "json"]);
        let probed: Value = serde_json::from_str(&probed).unwrap();
        let exam = &probed[0]["exam"]["calibration"];
        assert_eq!(exam["standing"], "calibrated", "{world}: {exam:#}");
        let worth = &probed[0]["worth"];
        assert_eq!(worth["auc_within"]["point"], 1.0, "{world}: {worth:#}");
        assert!(worth["mixed_groups"].as_u64().unwrap() > 30, "{world}");
        right.insert(worth["right"].as_u64().unwrap());
    }
    assert_eq!(right.len(), World::ALL.len(), "each has a pool of its own");
}
