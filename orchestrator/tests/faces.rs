//! What people see at the command line: tables that fit, sources and reports to take along, and what a shell asks for.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

mod program;

use program::{Printed, Program, searches::replay};
use serde_json::Value;

fn run_wide(program: &Program, columns: &str, arguments: &[&str]) -> String {
    let output = program.command(arguments).env("COLUMNS", columns).output();
    let printed = Printed::from(output.unwrap());
    assert_eq!(printed.code, 0, "{}", printed.err);
    printed.out
}

fn widest(text: &str) -> usize {
    text.lines()
        .map(|line| line.chars().count())
        .max()
        .unwrap_or(0)
}

#[test]
fn a_search_is_shown_in_every_form() {
    let program = replay();
    let printed = program.run(&["run", "search.toml", "--quiet"]);
    assert_eq!((printed.code, printed.err.as_str()), (0, ""), "quiet");

    for columns in ["80", "60"] {
        let board = run_wide(&program, columns, &["leaderboard"]);
        assert!(widest(&board) <= columns.parse().unwrap(), "{board}");
        assert!(
            board.contains("right") && board.contains("95 % interval"),
            "{board}"
        );
    }
    let wide = run_wide(&program, "80", &["leaderboard", "--wide"]);
    assert!(widest(&wide) > 80 && wide.contains("p vs best"), "{wide}");
    assert!(!wide.contains('\u{1b}'), "no colours in a file");
    assert!(
        wide.lines().all(|line| !line.ends_with(' ')),
        "no blanks at the end"
    );
    let refused = program.run(&["leaderboard", "--round", "7"]);
    assert!(
        refused.code == 2 && refused.err.contains("2 rounds"),
        "{}",
        refused.err
    );

    let source = program.succeed(&["show", "right", "--source"]);
    assert!(
        source.starts_with("pub fn reward") && !source.contains("rank"),
        "{source}"
    );
    let shown: Value =
        serde_json::from_str(&program.succeed(&["show", "right", "--format", "json"])).unwrap();
    assert_eq!(
        (&shown["kind"], &shown["screening"]["state"]),
        (&"candidate".into(), &"complete".into())
    );

    let list: Value =
        serde_json::from_str(&program.succeed(&["searches", "--format", "json"])).unwrap();
    assert_eq!(
        (&list[0]["name"], &list[0]["state"]),
        (&"x".into(), &"finished".into())
    );
    for which in ["x", "1"] {
        let board = program.succeed(&["leaderboard", "--search", which]);
        assert!(board.starts_with("x (seed 7"), "{board}");
    }
    let missing = program.run(&["show", "right", "--search", "y"]);
    assert!(
        missing.code == 2 && missing.err.contains("no search `y`"),
        "{}",
        missing.err
    );

    program.succeed(&["report", "--out", "report.html"]);
    let report = std::fs::read_to_string(program.path("report.html")).unwrap();
    assert!(
        report.contains("<svg") && report.contains("pub") && report.contains("sha256-"),
        "{report}"
    );
    let elsewhere = report.replace("http://www.w3.org/2000/svg", "");
    for fetched in ["http:", "https:", "src=", "@import", "url("] {
        assert!(
            !elsewhere.contains(fetched),
            "the report stands by itself: {fetched}"
        );
    }
    let page = program.succeed(&["report", "--format", "markdown"]);
    program.succeed(&["report", "--out", "report.md"]);
    let by_name = std::fs::read_to_string(program.path("report.md")).unwrap();
    assert_eq!(by_name, page, "the file's name says what it is");
    assert!(page.starts_with("# x (seed 7"), "{page}");
    for chart in [
        &["plot", "rounds"][..],
        &["plot", "finalists"],
        &["plot", "training", "right"],
        &["plot", "training", "base-rewards-only"],
        &["plot", "training", "top-2"],
    ] {
        let svg = program.succeed(chart);
        assert!(
            svg.starts_with("<svg")
                && svg.contains("<style>")
                && svg.trim_end().ends_with("</svg>"),
            "{svg}"
        );
    }
}

#[test]
fn a_shell_and_man_are_told_of_every_command() {
    let program = Program::with("");
    for shell in ["bash", "zsh", "fish"] {
        let script = program.succeed(&["completions", shell]);
        assert!(
            script.contains("leaderboard") && script.contains("serve"),
            "{shell}"
        );
    }
    assert!(program.succeed(&["man"]).contains("reward"));
    program.succeed(&["man", "--dir", "man"]);
    let page = std::fs::read_to_string(program.path("man/reward-search-serve.1")).unwrap();
    assert!(page.contains("token"), "{page}");
}

#[test]
fn a_log_can_be_read_by_a_program() {
    let program = Program::with("");
    let printed = Printed::from(
        program
            .command(&["--log-format", "json", "searches", "--database", "none.db"])
            .env("RUST_LOG", "trace")
            .output()
            .unwrap(),
    );
    let (logged, told): (Vec<&str>, Vec<&str>) =
        printed.err.lines().partition(|line| line.starts_with('{'));
    assert!(
        logged
            .iter()
            .all(|line| serde_json::from_str::<Value>(line).is_ok()),
        "{logged:?}"
    );
    assert!(
        told.len() == 1 && told[0].starts_with("error: no database"),
        "{told:?}"
    );
}
