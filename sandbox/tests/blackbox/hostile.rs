//! Every fixture says in its first line what is to become of it; afterwards the host must score a good reward as before.

use std::fs;
use std::path::{Path, PathBuf};

use sandbox::{Module, Rejection, RewardFn, Source, probe};

use super::{compiler, engine, rejection, reward, sample};

const GOOD: &str = "pub fn reward(sample: &Sample) -> f64 { valid_share(sample.completion()) }";

#[test]
fn hostile_sources_are_refused_or_contained() {
    let good = reward(GOOD);
    let checked = for_each_fixture(
        "rust",
        "// expect: ",
        |code| {
            let module = compiler().compile(&Source::rust(code)).map_err(rejection)?;
            Ok(module)
        },
        &good,
    );
    assert!(checked >= 100, "only {checked} fixtures");
}

#[test]
fn hostile_modules_are_refused_or_contained() {
    let good = reward(GOOD);
    let checked = for_each_fixture(
        "wat",
        ";; expect: ",
        |text| Ok(Module::from_bytes(wat::parse_str(text).unwrap())),
        &good,
    );
    assert!(checked >= 45, "only {checked} fixtures");
}

#[test]
fn the_table_in_the_docs_lists_every_fixture() {
    let document =
        fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("SECURITY.md")).unwrap();
    let rows: Vec<&str> = document
        .lines()
        .filter(|line| line.starts_with("| "))
        .collect();
    let listed = |row: &str, name: &str| {
        row.trim_matches(['|', ' '])
            .rsplit(" | ")
            .next()
            .unwrap()
            .split(", ")
            .any(|one| one == name)
    };
    for (folder, mark) in [("rust", "// expect: "), ("wat", ";; expect: ")] {
        for entry in fs::read_dir(fixtures(folder)).unwrap() {
            let path = entry.unwrap().path();
            let text = fs::read_to_string(&path).unwrap();
            let expected = text
                .lines()
                .next()
                .and_then(|line| line.strip_prefix(mark))
                .unwrap();
            let name = path.file_stem().unwrap().to_str().unwrap();
            let start = format!("| {expected} |");
            assert!(
                rows.iter()
                    .any(|row| row.starts_with(&start) && listed(row, name)),
                "{name}: {expected}"
            );
        }
    }
}

#[test]
fn bytes_that_are_no_module_are_refused() {
    let good =
        wat::parse_str(fs::read_to_string(fixtures("wat").join("good.wat")).unwrap()).unwrap();
    let mut flipped = good.clone();
    let last = flipped.len() - 1;
    flipped[last] ^= 0x55;
    let component = wat::parse_str("(component)").unwrap();
    for bytes in [
        &b""[..],
        b"\0asm",
        b"not wasm at all",
        &good[..good.len() - 3],
        &flipped,
        &component,
    ] {
        let error = engine().load(&Module::from_bytes(bytes)).unwrap_err();
        let kind = rejection(error).kind();
        assert!(matches!(kind, "malformed" | "export"), "{kind}: {bytes:?}");
    }
    let padded = [&good[..], &custom_section(8 << 20)].concat();
    let error = engine().load(&Module::from_bytes(padded)).unwrap_err();
    assert_eq!(rejection(error).kind(), "too_large");
}

#[test]
fn messages_carry_no_path_of_the_host() {
    for name in ["type_error", "unknown_function", "trait_constant_recursion"] {
        let code = fs::read_to_string(fixtures("rust").join(name).with_extension("rs")).unwrap();
        let Rejection::Compile { stderr } =
            rejection(compiler().compile(&Source::rust(code)).unwrap_err())
        else {
            panic!("{name} is refused for another reason");
        };
        assert!(stderr.contains("candidate.rs:"), "{stderr}");
        assert!(stderr.len() < 5000);
        let home = std::env::var("HOME").unwrap_or_else(|_| "/nowhere".to_owned());
        for path in [
            home.as_str(),
            "/tmp",
            env!("CARGO_TARGET_TMPDIR"),
            "rustlib",
            "sdk-",
        ] {
            assert!(!stderr.contains(path), "{path} in {stderr}");
        }
    }
}

/// Compiles (or assembles), loads and probes each fixture and compares what happened with its first line.
fn for_each_fixture(
    folder: &str,
    mark: &str,
    compile: impl Fn(&str) -> Result<Module, Rejection>,
    good: &RewardFn,
) -> usize {
    let mut paths: Vec<PathBuf> = fs::read_dir(fixtures(folder))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    paths.sort();
    let mut wrong = Vec::new();
    for path in &paths {
        let text = fs::read_to_string(path).unwrap();
        let expected = text
            .lines()
            .next()
            .and_then(|line| line.strip_prefix(mark))
            .unwrap_or("(says nothing)");
        let outcome = compile(&text).and_then(|module| {
            let reward = engine().load(&module).map_err(rejection)?;
            probe(&reward, &[]).map_err(rejection)
        });
        let (seen, detail) = match outcome {
            Ok(_) => ("ok".to_owned(), String::new()),
            Err(rejection) => (name(&rejection), rejection.to_string()),
        };
        if seen != expected {
            wrong.push(format!(
                "{}: expected {expected}, seen {seen}: {detail}",
                path.display()
            ));
        }
        assert!(
            !detail.contains('\n') && !detail.contains('\u{1b}'),
            "{detail:?}"
        );
        let scores = good.score(&[sample("", "2 + 2 = 4", ""), sample("", "2 + 2 = 5", "")]);
        assert_eq!(scores, Ok(vec![1.0, 0.0]), "after {}", path.display());
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    paths.len()
}

/// What a fixture's first line calls a rejection.
fn name(rejection: &Rejection) -> String {
    match rejection {
        Rejection::Forbidden { rule, .. } => format!("forbidden {rule}"),
        Rejection::Probe { fault, .. } => format!("probe {}", fault.kind()),
        other => other.kind().to_owned(),
    }
}

fn fixtures(folder: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/fixtures")
        .join(folder)
}

/// A custom section of the given size, which says nothing.
fn custom_section(size: usize) -> Vec<u8> {
    let mut section = vec![0];
    let mut length = size + 2;
    loop {
        let byte = (length & 0x7f) as u8;
        length >>= 7;
        section.push(if length == 0 { byte } else { byte | 0x80 });
        if length == 0 {
            break;
        }
    }
    section.extend([1, b'x']);
    section.resize(section.len() + size, 0);
    section
}
