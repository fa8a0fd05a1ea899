//! `data fetch`, from a server on the loopback interface: whole, continued, and refused when the content is another one.
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stderr, missing_docs)]

mod file_server;
mod program;

use std::fs;

use file_server::FileServer;
use program::{Program, gsm8k};

const FILES: [&str; 2] = ["train.jsonl", "test.jsonl"];

#[test]
fn files_are_fetched_continued_and_kept() {
    let Some(real) = gsm8k() else { return };
    let content = |name: &str| fs::read(real.join(name)).unwrap();
    let server = FileServer::start(FILES.map(|name| (format!("/d/{name}"), content(name))));
    let program = Program::with("");
    let folder = program.path("cache/reward-search/gsm8k");
    fs::create_dir_all(&folder).unwrap();
    // As an interrupted download leaves it.
    fs::write(
        folder.join("train.jsonl.part"),
        &content(FILES[0])[..100_000],
    )
    .unwrap();
    let from = format!("{}/d/", server.url());
    let fetch = || {
        let mut command = program.command(&["data", "fetch", "gsm8k", "--from", &from]);
        let output = command
            .env("XDG_CACHE_HOME", program.path("cache"))
            .output()
            .unwrap();
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        String::from_utf8(output.stdout).unwrap()
    };
    let first = fetch();
    assert!(
        first.contains("train.jsonl: downloaded from byte 100000 on"),
        "{first}"
    );
    assert!(
        first.contains("test.jsonl: downloaded, checksum right"),
        "{first}"
    );
    for name in FILES {
        assert_eq!(fs::read(folder.join(name)).unwrap(), content(name));
    }
    assert_eq!(
        fs::read_dir(&folder).unwrap().count(),
        2,
        "nothing partial stays"
    );
    let asked = server.seen();
    assert_eq!(asked, ["/d/train.jsonl bytes=100000-", "/d/test.jsonl "]);
    assert_eq!(fetch().matches("was there already").count(), 2);
    assert_eq!(server.seen(), asked);
}

#[test]
fn other_content_and_a_missing_server_are_refused() {
    let server = FileServer::start([("/train.jsonl".to_owned(), b"{}\n".to_vec())]);
    let program = Program::with("");
    let refused = |from: &str, code: i32, parts: &[&str]| {
        let printed = program.run(&["data", "fetch", "gsm8k", "--dir", "d", "--from", from]);
        assert_eq!(printed.code, code, "{}", printed.err);
        assert_eq!(printed.err.trim_end().lines().count(), 1, "{}", printed.err);
        for part in parts {
            assert!(
                printed.err.contains(part),
                "`{part}` is not in: {}",
                printed.err
            );
        }
        assert_eq!(
            fs::read_dir(program.path("d")).unwrap().count(),
            0,
            "nothing was kept"
        );
    };
    refused(&server.url(), 2, &["train.jsonl", "SHA-256"]);
    refused("http://127.0.0.1:9", 1, &["127.0.0.1:9", "--from"]);
    refused(&format!("{}/none", server.url()), 1, &["404"]);
}

#[test]
fn a_task_without_a_folder_says_how_to_get_one() {
    let program = Program::with(
        "search = { name = 'x' }\ntask = { kind = 'gsm8k', prompt = '{question}' }\n",
    );
    let mut command = program.command(&["run", "search.toml"]);
    let output = command
        .env("XDG_CACHE_HOME", program.path("cache"))
        .output()
        .unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(
        said.contains("data fetch gsm8k") && said.trim_end().lines().count() == 1,
        "{said}"
    );
}
