//! The line protocol on any bytes: every line gets one verdict, whatever the chunks it arrives in, and every reply is one line of JSON.
#![no_main]
#![allow(dead_code, missing_docs)]

/// The protocol's modules as they stand in the program.
#[path = "../../src/stdio"]
mod stdio {
    pub(crate) mod line;
    pub(crate) mod protocol;
    mod row;
    mod text;
}
/// What they use of the floor below.
#[path = "../../src/text"]
mod text {
    pub(crate) mod nearest;
}

use std::io::BufReader;

use stdio::line::{Line, Lines, values};
use stdio::protocol::{Reply, Request, parse};

/// Longest line here; shorter than what the fuzzer sends at times.
const LIMIT: usize = 300;

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let chunk = data.first().map_or(1, |first| usize::from(*first) + 1);
    let ours = read(data, chunk);
    assert_eq!(ours, expected(data));
    for line in ours.iter().flatten() {
        answer(line);
    }
});

/// The lines as the server reads them.
fn read(data: &[u8], chunk: usize) -> Vec<Option<Vec<u8>>> {
    let mut lines = Lines::new(BufReader::with_capacity(chunk, data), LIMIT);
    let mut all = Vec::new();
    while let Some(line) = lines.next_line().expect("bytes in memory can be read") {
        all.push(match line {
            Line::Whole(line) => Some(line.to_vec()),
            Line::TooLong => None,
        });
    }
    all
}

/// The same, the simple way.
fn expected(data: &[u8]) -> Vec<Option<Vec<u8>>> {
    let whole = data.strip_suffix(b"\n").unwrap_or(data);
    if data.is_empty() {
        return Vec::new();
    }
    let lines = whole.split(|byte| *byte == b'\n');
    lines
        .map(|line| (line.len() <= LIMIT).then(|| line.to_vec()))
        .collect()
}

fn answer(line: &[u8]) {
    if let Ok(value) = serde_json::from_slice::<serde_json::Value>(line) {
        assert!(
            leaves(&value) <= values(line),
            "no value is left out of the count"
        );
    }
    let reply = match parse(line) {
        Ok(Request::Ping(id)) => Reply::Pong { id, pong: true },
        Ok(Request::Score { id, samples, .. }) => {
            assert!(serde_json::from_slice::<serde::de::IgnoredAny>(line).is_ok());
            let bytes: usize = samples
                .iter()
                .map(|s| s.prompt.0.len() + s.completion.0.len())
                .sum();
            assert!(
                bytes <= line.len(),
                "no text is longer than what it was written as"
            );
            Reply::Pong { id, pong: true }
        }
        Err((id, error)) => {
            assert!(!error.kind.is_empty() && !error.message.is_empty());
            Reply::Error { id, error }
        }
    };
    let written = serde_json::to_string(&reply).expect("a reply is plain data");
    assert!(!written.contains('\n'));
}

/// Numbers, texts, truths and empty collections: what stands between commas.
fn leaves(value: &serde_json::Value) -> usize {
    match value {
        serde_json::Value::Array(all) => all.iter().map(leaves).sum::<usize>().max(1),
        // Of a name that comes twice only the last value is left here.
        serde_json::Value::Object(all) => all.values().map(leaves).sum::<usize>().max(1),
        _ => 1,
    }
}
