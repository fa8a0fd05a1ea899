//! The house rules, held by a test: the arrows between crates, the length of files, a `//!` on top of each, no drawers without a
//! name, SQL only in the store, and every example configuration loads.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

use std::{
    fs,
    path::{Path, PathBuf},
};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .unwrap()
        .to_owned()
}

/// Every file with one of the endings below the crates, tests included.
fn sources(endings: &[&str]) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders: Vec<PathBuf> = ["orchestrator", "sandbox", "evaluator", "trainer-bridge"]
        .map(|name| root().join(name))
        .to_vec();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                // Guests are data here: reward sources follow the rules of whoever proposes them.
                if !["target", "fixtures", "rewards"]
                    .iter()
                    .any(|name| path.ends_with(name))
                {
                    folders.push(path);
                }
            } else if path
                .extension()
                .is_some_and(|e| endings.iter().any(|ending| e == *ending))
            {
                found.push(path);
            }
        }
    }
    assert!(found.len() > 20, "the walk finds the sources");
    found
}

#[test]
fn arrows_between_crates_point_one_way() {
    let allowed = [
        ("evaluator", &[][..]),
        ("sandbox", &[]),
        ("trainer-bridge", &["sandbox"]),
        ("orchestrator", &["evaluator", "sandbox", "trainer-bridge"]),
    ];
    for (name, may) in allowed {
        let manifest = fs::read_to_string(root().join(name).join("Cargo.toml")).unwrap();
        for other in allowed
            .map(|(other, _)| other)
            .iter()
            .filter(|other| **other != name)
        {
            let depends = manifest
                .lines()
                .any(|line| line.starts_with(&format!("{other}.workspace")));
            assert_eq!(depends, may.contains(other), "{name} -> {other}");
        }
    }
}

#[test]
fn every_file_says_what_it_does_and_is_short() {
    for path in sources(&["rs"]) {
        let text = fs::read_to_string(&path).unwrap();
        assert!(
            text.starts_with("//!"),
            "{} does not begin with //!",
            path.display()
        );
        let lines = text.lines().count();
        assert!(lines <= 500, "{} has {lines} lines", path.display());
    }
}

#[test]
fn no_file_is_a_drawer() {
    for path in sources(&["rs", "py"]) {
        let stem = path.file_stem().unwrap().to_string_lossy().into_owned();
        for drawer in ["util", "utils", "common", "helper", "helpers", "misc"] {
            assert_ne!(stem, drawer, "{}", path.display());
        }
    }
}

#[test]
fn sql_stands_only_in_the_store() {
    let store = root().join("orchestrator/src/store");
    for path in sources(&["rs"])
        .into_iter()
        .filter(|p| !p.starts_with(&store) && !p.ends_with("tests/tidy.rs"))
    {
        let text = fs::read_to_string(&path).unwrap();
        let inside_tests = path.components().any(|c| c.as_os_str() == "tests");
        assert!(
            inside_tests || !text.contains("sqlx::"),
            "{} speaks SQL",
            path.display()
        );
    }
}

#[test]
fn every_example_configuration_loads() {
    let mut seen = 0;
    for entry in fs::read_dir(root().join("configs")).unwrap() {
        let path = entry.unwrap().path();
        orchestrator::config::Config::load(&path).unwrap_or_else(|error| panic!("{error}"));
        seen += 1;
    }
    assert!(seen > 0);
}
