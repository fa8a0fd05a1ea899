//! Every fixture says in its first line what is to become of it; afterwards the host must score a good reward as before.

use std::fs;
use std::path::{Path, PathBuf};

use sandbox::{CompileError, Rejection, Sandbox, Source, probe};

use super::{engine, load, reward, sample};

const GOOD: &str = "def reward(completions, answer, **kwargs):\n    return [float(a in c) for c, a in zip(completions, answer)]";
const MARK: &str = "# expect: ";
/// What this process may have had in memory at most, in KiB.
const MOST_KIB: u64 = 512 * 1024;

#[test]
fn hostile_files_are_refused_or_contained() {
    let Some(sandbox) = engine() else { return };
    let good = reward(sandbox, GOOD);
    let batch = [sample("", "it is 4", "4"), sample("", "it is 5", "4")];
    let mut wrong = Vec::new();
    let fixtures = fixtures();
    for (path, expected, code) in &fixtures {
        let (seen, detail) = outcome(sandbox, code);
        if seen != *expected {
            wrong.push(format!(
                "{}: expected {expected}, seen {seen}: {detail}",
                path.display()
            ));
        }
        assert!(!detail.contains(char::is_control), "{detail:?}");
        assert!(detail.len() < 10_000, "{} bytes", detail.len());
        assert_eq!(
            good.score(&batch),
            Ok(vec![1.0, 0.0]),
            "after {}",
            path.display()
        );
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(fixtures.len() >= 90, "only {} fixtures", fixtures.len());
    if let Some(peak) = peak_kib() {
        assert!(peak < MOST_KIB, "{peak} KiB of memory at the peak");
    }
}

#[test]
fn the_table_in_the_docs_lists_every_fixture() {
    let document =
        fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("SECURITY.md")).unwrap();
    let rows: Vec<&str> = document
        .lines()
        .skip_while(|line| *line != "### Python")
        .filter(|line| line.starts_with("| "))
        .collect();
    for (path, expected, _) in fixtures() {
        let name = path.file_stem().unwrap().to_str().unwrap();
        let listed = rows
            .iter()
            .filter_map(|row| row.strip_prefix(&format!("| {expected} | ")))
            .any(|names| {
                names
                    .trim_end_matches(" |")
                    .split(", ")
                    .any(|one| one == name)
            });
        assert!(listed, "{name}: {expected}");
    }
}

/// What becomes of a file, in the words of the fixtures' first lines, and the message about it.
fn outcome(sandbox: &Sandbox, code: &str) -> (String, String) {
    let probed = load(sandbox, &Source::python(code)).and_then(|reward| {
        probe(&reward, &[]).map_err(|error| match error {
            CompileError::Rejected(rejection) => rejection,
            CompileError::Host(error) => panic!("the host's trouble: {error}"),
        })
    });
    match probed {
        Ok(_) => ("ok".to_owned(), String::new()),
        Err(rejection) => (name(&rejection), rejection.to_string()),
    }
}

fn name(rejection: &Rejection) -> String {
    match rejection {
        Rejection::Forbidden { rule, .. } => format!("forbidden {rule}"),
        Rejection::Probe { fault, .. } => format!("probe {}", fault.kind()),
        Rejection::Load { fault } => format!("load {}", fault.kind()),
        other => other.kind().to_owned(),
    }
}

/// Path, expected outcome and text of every fixture.
fn fixtures() -> Vec<(PathBuf, String, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/python");
    let mut found: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| {
            let path = entry.unwrap().path();
            let text = fs::read_to_string(&path).unwrap();
            let expected = text.lines().next().and_then(|line| line.strip_prefix(MARK));
            (path, expected.unwrap_or("(says nothing)").to_owned(), text)
        })
        .collect();
    found.sort();
    found
}

/// The most memory this process ever had, where the system tells.
fn peak_kib() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().trim_end_matches(" kB").parse().ok()
}
