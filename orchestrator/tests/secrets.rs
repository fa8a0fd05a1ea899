//! A key is where it must be, in the header of a request, and nowhere else: in no file, log line, argument, child's environment, export, report or page, even where
//! the server says it back.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stderr, missing_docs)]

mod browser;
mod endpoint;
mod program;

use std::{
    collections::{HashMap, HashSet},
    fs,
    io::{BufRead as _, BufReader},
    path::Path,
    process::{Child, Stdio},
};

use endpoint::{Endpoint, Reply, replies};
use program::{
    Printed, Program,
    searches::{CORRECT, INVERTED, config, folder},
};

const KEY: &str = "sk-test-0123456789abcdefghijklmnop";

fn holds_key(bytes: &[u8]) -> bool {
    bytes
        .windows(KEY.len())
        .any(|window| window == KEY.as_bytes())
}

/// Every file below a folder.
fn files(folder: &Path, found: &mut Vec<std::path::PathBuf>) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        match entry.file_type().unwrap().is_dir() {
            true => files(&entry.path(), found),
            false => found.push(entry.path()),
        }
    }
}

/// The processes that descend from one, without it.
fn descendants(of: u32) -> Vec<u32> {
    let mut parents: HashMap<u32, u32> = HashMap::new();
    for entry in fs::read_dir("/proc").unwrap().flatten() {
        let Ok(id) = entry.file_name().to_string_lossy().parse() else {
            continue;
        };
        let Ok(stat) = fs::read_to_string(entry.path().join("stat")) else {
            continue;
        };
        let after_name = stat.rsplit(')').next().unwrap();
        let parent = after_name.split_whitespace().nth(1).unwrap();
        parents.insert(id, parent.parse().unwrap());
    }
    let mut found = HashSet::new();
    let mut grows = true;
    while grows {
        let more: Vec<u32> = parents
            .iter()
            .filter(|(id, parent)| {
                (**parent == of || found.contains(*parent)) && !found.contains(*id)
            })
            .map(|(id, _)| *id)
            .collect();
        grows = !more.is_empty();
        found.extend(more);
    }
    found.into_iter().collect()
}

/// Looks at what a process and its children show to others until it ends; how many children were seen.
fn watched(child: &mut Child) -> usize {
    let mut seen = HashSet::new();
    while child.try_wait().unwrap().is_none() {
        let own = fs::read(format!("/proc/{}/cmdline", child.id())).unwrap_or_default();
        assert!(!holds_key(&own), "the key is in the program's arguments");
        for id in descendants(child.id()) {
            let told = |what: &str| fs::read(format!("/proc/{id}/{what}")).unwrap_or_default();
            let line = told("cmdline");
            assert!(!holds_key(&line), "{}", String::from_utf8_lossy(&line));
            // Between fork and exec a child is its parent still.
            let is_itself = line == own;
            let environment = told("environ");
            assert!(
                is_itself || !holds_key(&environment) || told("cmdline") == own,
                "{}",
                String::from_utf8_lossy(&line)
            );
            if !is_itself && !environment.is_empty() {
                seen.insert(id);
            }
        }
        std::thread::sleep(std::time::Duration::from_millis(2));
    }
    seen.len()
}

fn start(program: &Program, arguments: &[&str], temporary: &Path) -> Child {
    program
        .command(arguments)
        .env("TEST_KEY", KEY)
        .env("TMPDIR", temporary)
        .env("REWARD_SEARCH_LOG", "trace")
        .stdout(Stdio::piped())
        .stderr(fs::File::create(program.path("log.txt")).unwrap())
        .spawn()
        .unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_is_nowhere_after_a_whole_search() {
    let endpoint = Endpoint::start(vec![
        Reply::error(500, &format!("the key {KEY} is not to my liking")),
        replies::good(&[("plain", CORRECT), ("around", INVERTED)]),
        replies::good(&[("told", &format!("// {KEY}\n{CORRECT} // once more"))]),
        replies::good(&[("no", replies::DOES_NOT_COMPILE)]),
    ]);
    let chat = format!(
        "kind = 'chat'\nbase_url = '{}'\nmodel = 'm'\napi_key_env = 'TEST_KEY'\nbackoff_ms = 1\ntimeout_s = 20",
        endpoint.base_url()
    );
    let program = folder(&config(&chat, "", 3));
    let temporary = program.path("temporary");
    fs::create_dir(&temporary).unwrap();
    let mut child = start(
        &program,
        &["run", "search.toml", "--database", "x.db"],
        &temporary,
    );
    let children = watched(&mut child);
    eprintln!("{children} children seen");
    let printed = Printed::from(child.wait_with_output().unwrap());
    let log = fs::read_to_string(program.path("log.txt")).unwrap();
    assert_eq!(printed.code, 0, "{log}");
    assert!(children >= 2, "compilers were seen at work: {children}");
    assert!(log.contains("TRACE"), "everything was logged");
    let asked = endpoint.requests();
    let shown = format!("Bearer {KEY}");
    assert!(
        asked
            .iter()
            .all(|request| request.header("authorization") == Some(&shown))
    );
    assert!(
        asked.iter().all(|request| !request.body.contains(KEY)),
        "no prompt tells it"
    );
    assert!(!printed.out.contains(KEY));

    for arguments in [
        &["export", "mine", "--top", "1", "--to", "trl,verl,verifiers"][..],
        &["report", "--out", "report.html"],
        &["report", "--format", "markdown", "--out", "report.md"],
        &["report", "--format", "json", "--out", "report.json"],
    ] {
        let output = program
            .command(arguments)
            .env("TEST_KEY", KEY)
            .output()
            .unwrap();
        assert_eq!(Printed::from(output).code, 0, "{arguments:?}");
    }
    for what in ["candidates", "trials", "curves", "outcomes", "completions"] {
        assert!(!program.succeed(&["records", what]).contains(KEY), "{what}");
    }
    let mut all = Vec::new();
    files(&program.path(""), &mut all);
    assert!(all.len() > 15, "{all:?}");
    for file in all {
        assert!(
            !holds_key(&fs::read(&file).unwrap()),
            "the key is in {}",
            file.display()
        );
    }

    let mut server = start(&program, &["serve", "x.db", "--port", "0"], &temporary);
    let mut line = String::new();
    // Kept open: who can say nothing more ends.
    let mut said = BufReader::new(server.stdout.take().unwrap());
    said.read_line(&mut line).unwrap();
    let address = line
        .trim()
        .trim_start_matches("http://")
        .trim_end_matches('/')
        .to_owned();
    for page in [
        "/",
        "/s/1-1",
        "/s/1-1/candidate?name=plain",
        "/s/1-1/candidate?name=told",
        "/s/1-1/lineage",
        "/s/1-1/compare?a=plain&b=around",
        "/s/1-1/ensembles",
        "/s/1-1/refused",
        "/s/1-1/exchanges",
        "/s/1-1/exchange?id=1",
        "/s/1-1/exchange?id=2",
        "/s/1-1/exchange?id=3",
        "/s/1-1/exchange?id=4",
        "/s/1-1/leaderboard.json",
    ] {
        let answer = browser::get(&address, page).await;
        assert_eq!(answer.code, 200, "{page}");
        assert!(!answer.body.contains(KEY), "{page}");
    }
    server.kill().unwrap();
    server.wait().unwrap();
}
