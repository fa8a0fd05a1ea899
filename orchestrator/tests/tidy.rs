//! The house rules, held by a test: the arrows between crates and between the floors of each, the length of files, a `//!` on top of each, no drawers without a
//! name, SQL only in the store, unsafe code only where it is named, and every example configuration loads.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

mod module_graph;

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use module_graph::{ModuleGraph, ModulePath};

/// The floors of each crate, from the bottom: folders and files directly below `src`. A module imports its own floor and lower ones.
const FLOORS: [(&str, &[&str]); 4] = [
    (
        "evaluator",
        &[
            "explain",
            "conventions",
            "boxes",
            "answer",
            "extract",
            "hacks",
            "outcome",
            "evaluation",
            "verify",
            "dataset",
            "toy",
            "hacks",
            "statistics",
        ],
    ),
    (
        "sandbox",
        &[
            "text",
            "digest",
            "source",
            "limits",
            "sample",
            "scores",
            "fault",
            "rejection",
            "error",
            "engine_error",
            "ticker",
            "slots",
            "abi",
            "cache",
            "lint",
            "regex",
            "compile",
            "made_up",
            "mutants",
            "python",
            "engine",
            "bench",
            "environment",
        ],
    ),
    (
        "trainer-bridge",
        &[
            "grpo", "seam", "candle", "fake", "worker", "ray", "registry",
        ],
    ),
    (
        "orchestrator",
        &[
            "text",
            "domain",
            "store",
            "judge",
            "board",
            "data",
            "proposer",
            "config",
            "reward",
            "stdio",
            "search",
            "terminal",
            "tensorboard",
            "web",
            "cli",
        ],
    ),
];

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
                // What was built or installed is not ours. Guests are data here: reward sources follow the rules of whoever proposes them.
                if !["target", "fixtures", "rewards", ".venv"]
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
fn unsafe_code_stands_only_where_it_is_named() {
    let named = [
        "sandbox/sdk/src/allocator.rs",
        "sandbox/sdk/src/regex/module.rs",
        "sandbox/src/cache/machine_code.rs",
    ];
    let workspace = fs::read_to_string(root().join("Cargo.toml")).unwrap();
    assert!(workspace.contains("[workspace.lints.rust]\nunsafe_code = \"deny\""));
    for member in ["evaluator", "sandbox", "trainer-bridge", "orchestrator"] {
        let manifest = fs::read_to_string(root().join(member).join("Cargo.toml")).unwrap();
        let follows = manifest.contains("[lints]\nworkspace = true");
        assert!(follows, "{member} does not follow the workspace's lints");
    }
    let lifted: BTreeSet<String> = sources(&["rs"])
        .into_iter()
        .filter(|path| !path.ends_with("tests/tidy.rs"))
        .filter(|path| fs::read_to_string(path).unwrap().contains("unsafe_code"))
        .map(|path| path.strip_prefix(root()).unwrap().display().to_string())
        .collect();
    assert_eq!(lifted, named.map(str::to_owned).into());
}

#[test]
fn every_error_says_whose_fault_it_is() {
    let blame = root().join("orchestrator/src/cli/commands/blame.rs");
    let blame = fs::read_to_string(blame).unwrap();
    let (_, asked) = blame.split_once("whose_fault!(").unwrap();
    let asked: BTreeSet<&str> = asked
        .split_once(')')
        .unwrap()
        .0
        .split([',', '\n'])
        .map(str::trim)
        .collect();
    let mut seen = 0;
    let crate_root = root().join("orchestrator/src");
    for path in sources(&["rs"])
        .into_iter()
        .filter(|path| path.starts_with(&crate_root))
    {
        let text = fs::read_to_string(&path).unwrap();
        let mut lines = text.lines();
        // What is stored (why a candidate was refused, why a trial failed) is data and ends no command.
        while lines.any(|line| {
            line.contains("derive(")
                && line.contains("thiserror::Error")
                && !line.contains("Serialize")
        }) {
            let item = lines
                .find_map(|line| {
                    let kinds = ["enum ", "struct "];
                    let (visibility, name) = kinds.iter().find_map(|kind| line.split_once(kind))?;
                    (visibility.is_empty() || visibility.starts_with("pub")).then_some(name)
                })
                .unwrap();
            let name = item.split(|c: char| !c.is_alphanumeric()).next().unwrap();
            let file = path.display();
            assert!(
                asked.contains(name),
                "cli/commands/blame.rs does not ask {name} of {file}"
            );
            seen += 1;
        }
    }
    assert!(seen > 10, "the walk finds the errors");
}

#[test]
fn every_example_configuration_loads() {
    let mut seen = 0;
    let folders = ["configs", "configs/worlds"].map(|folder| fs::read_dir(root().join(folder)));
    for entry in folders.into_iter().flat_map(Result::unwrap) {
        let path = entry.unwrap().path();
        // What a configuration names lies beside it.
        if path.extension().is_none_or(|extension| extension != "toml") {
            continue;
        }
        orchestrator::config::Config::load(&path).unwrap_or_else(|error| panic!("{error}"));
        seen += 1;
    }
    assert!(seen > 0);
}

/// What a crate's modules do against its floors: floors that are not on the list, imports from below, and circles between folders.
fn offences(graph: &ModuleGraph, floors: &[&str]) -> Vec<String> {
    let shown = |module: &ModulePath| match module.is_empty() {
        true => "the crate's root".to_owned(),
        false => module.join("::"),
    };
    let height = |module: &ModulePath| match module.first() {
        None => Some(floors.len()),
        Some(floor) => floors.iter().position(|known| known == floor),
    };
    let homeless: BTreeSet<&String> = graph
        .modules()
        .filter(|module| height(module).is_none())
        .filter_map(|module| module.first())
        .collect();
    let mut offences: Vec<String> = homeless
        .into_iter()
        .map(|floor| format!("{floor} is on no floor"))
        .collect();
    for (from, to) in graph.imports() {
        if height(from) < height(to) {
            offences.push(format!("{} imports {} from below", shown(from), shown(to)));
        }
    }
    for circle in graph.circles() {
        let folders: BTreeSet<&[String]> = circle.iter().map(|m| graph.folder(m)).collect();
        if folders.len() > 1 {
            let names: Vec<String> = circle.iter().map(shown).collect();
            offences.push(format!("a circle of {}: {}", names.len(), names.join(", ")));
        }
    }
    offences
}

#[test]
fn imports_go_down_the_floors_of_each_crate() {
    let mut found = Vec::new();
    for (name, floors) in FLOORS {
        let graph = ModuleGraph::read(&root().join(name).join("src"));
        let offences = offences(&graph, floors);
        let of_crate = offences.into_iter();
        found.extend(of_crate.map(|offence| format!("{name}: {offence}")));
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn an_import_from_below_and_a_circle_are_found() {
    let of = |files: &[(&str, &str)]| {
        let files = files.iter().map(|(path, text)| {
            let mut module: ModulePath = path.split('/').map(str::to_owned).collect();
            let folder = module[..module.len() - 1].to_vec();
            if module.last().is_some_and(|last| last == "mod") {
                module.pop();
            }
            (module, folder, (*text).to_owned())
        });
        let root = (
            ModulePath::new(),
            Vec::new(),
            "mod low; mod high;".to_owned(),
        );
        offences(&ModuleGraph::of(files.chain([root])), &["low", "high"])
    };
    let low = ("low/mod", "mod a; pub use a::A;");
    let high = ("high/mod", "use crate::low::A; pub struct B(A);");
    assert!(of(&[low, high, ("low/a", "pub struct A;")]).is_empty());
    for upwards in [
        "use crate::high::B; pub struct A(B);",
        "use crate::{high::{B as C}}; pub struct A(C);",
        "pub struct A(super::super::high::B);",
        "pub fn f() { println!(\"{}\", crate::high::B); } pub struct A;",
        "pub mod inner { use super::super::super::high; } pub struct A;",
    ] {
        let found = of(&[low, high, ("low/a", upwards)]);
        let [import, circle] = &found[..] else {
            panic!("{upwards}: {found:?}")
        };
        assert_eq!(import, "low::a imports high from below");
        assert_eq!(circle, "a circle of 2: high, low::a");
    }
    let tested = "pub struct A; #[cfg(test)] mod tests { use crate::high::B; }";
    assert!(of(&[low, high, ("low/a", tested)]).is_empty());
    assert_eq!(of(&[("attic/a", "")]), ["attic is on no floor"]);
    // Below one floor folders hold no circle either.
    let inner = [
        ("low/x/a", "use crate::low::y::b::B; pub struct A;"),
        ("low/y/b", "use crate::low::x::a::A; pub struct B;"),
        ("low/mod", ""),
        ("low/x/mod", ""),
        ("low/y/mod", ""),
    ];
    assert_eq!(of(&inner), ["a circle of 2: low::x::a, low::y::b"]);
}
