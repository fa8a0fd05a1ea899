//! Modules that are small and would take minutes or gigabytes to make machine code of: the look at a module refuses them.

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use sandbox::Module;

use super::{engine, rejection};

/// A module with more fields, whose score is the result of some instructions.
fn module(fields: &str, locals: &str, score: &str) -> String {
    format!(
        r#"(module (memory (export "memory") 1) {fields}
            (func (export "reward_v2_prepare") (param i32) (result i64) (i64.const 1024))
            (func (export "reward_v2_score") (result f64) {locals} {score} (f64.const 1)))"#
    )
}

fn locals(number: usize) -> String {
    format!("(local {})", "i32 ".repeat(number))
}

/// Sets and reads a local variable.
fn use_of(local: usize) -> String {
    format!("(local.set {local} (i32.add (local.get {local}) (i32.const 1)))")
}

#[test]
fn bombs_are_refused_by_a_look_at_them() {
    let loops = |number: usize| {
        (0..number).fold(String::new(), |inner, i| {
            format!(
                "(loop $l{i} {inner} {} (br_if $l{i} (local.get {i})))",
                use_of(i)
            )
        })
    };
    let diamonds = (0..3000).fold(String::new(), |mut all, i| {
        let _ = write!(all, "(if (local.get {i}) (then {}))", use_of(i));
        all
    });
    let nest = "(if (i32.const 1) (then ".repeat(5000) + &")) ".repeat(5000);
    let live = "(call $f) ".repeat(6000) + &"drop ".repeat(6000);
    let f = "(func $f (result i32) (i32.const 1))";
    let wide: String = (0..1500)
        .map(|i| format!("(type (func (param {})))", "i32 ".repeat(1 + i % 60)))
        .collect();
    let many: String = (0..30)
        .map(|_| format!("(func {})", locals(4000)))
        .collect();
    let roundings = format!(
        "(f64.const 1.5) {} drop",
        "f64.floor f64.ceil ".repeat(6000)
    );
    let bombs = [
        ("roundings", module("", "", &roundings)),
        ("nested loops", module("", &locals(1000), &loops(1000))),
        ("diamonds", module("", &locals(3000), &diamonds)),
        ("nested conditions", module("", "", &nest)),
        ("values live over calls", module(f, "", &live)),
        ("many types", module(&wide, "", "")),
        (
            "a wide type",
            module(
                &format!("(type (func (param {})))", "i32 ".repeat(900)),
                "",
                "",
            ),
        ),
        ("locals of one function", module("", &locals(49_999), "")),
        ("locals of many functions", module(&many, "", "")),
    ];
    for (name, text) in bombs {
        let module = Module::from_bytes(wat::parse_str(&text).unwrap());
        let started = Instant::now();
        let refused = rejection(engine().load(&module).unwrap_err());
        assert_eq!(refused.kind(), "too_large", "{name}: {refused}");
        assert!(
            started.elapsed() < Duration::from_secs(5),
            "{name}: {:?}",
            started.elapsed()
        );
    }
}

#[test]
fn ordinary_shapes_are_loaded() {
    // A `match` of 500 arms is that many blocks in each other; a few loops, many variables.
    let arms = (0..500).fold("(br_table 0 1 2 3 (i32.const 2))".to_owned(), |inner, _| {
        format!("(block {inner})")
    });
    let loops = (0..20).fold(String::new(), |inner, i| {
        format!(
            "(loop $l{i} {inner} {} (br_if $l{i} (i32.const 0)))",
            use_of(i)
        )
    });
    for text in [module("", "", &arms), module("", &locals(900), &loops)] {
        let module = Module::from_bytes(wat::parse_str(&text).unwrap());
        engine().load(&module).unwrap();
    }
}

/// Modules that once took half a minute to hours, or whose fuel said nothing.
#[test]
fn the_known_bombs_are_refused() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/wasm");
    let mut known = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let module = Module::from_bytes(std::fs::read(&path).unwrap());
        let started = Instant::now();
        let refused = rejection(engine().load(&module).unwrap_err());
        let is_of_references = path.ends_with("reffunc_many.wasm");
        let expected = if is_of_references {
            "malformed"
        } else {
            "too_large"
        };
        assert_eq!(refused.kind(), expected, "{}: {refused}", path.display());
        assert!(
            started.elapsed() < Duration::from_secs(5),
            "{}",
            path.display()
        );
        known += 1;
    }
    assert_eq!(known, 6);
}
