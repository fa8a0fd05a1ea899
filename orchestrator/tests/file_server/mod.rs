//! A server of files on the loopback interface, as far as download clients need one: ranges, entity tags, a hub's model listing.
#![allow(dead_code, reason = "every test file uses its part of it")]

use std::{
    collections::BTreeMap,
    io::{BufRead as _, BufReader, Write as _},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    thread::JoinHandle,
};

/// A running server; it stops when dropped.
pub struct FileServer {
    address: SocketAddr,
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

struct Shared {
    files: BTreeMap<String, Vec<u8>>,
    seen: Mutex<Vec<String>>,
    stop: AtomicBool,
}

impl FileServer {
    /// Serves contents by path, each beginning with a slash.
    pub fn start(files: impl IntoIterator<Item = (String, Vec<u8>)>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::new(Shared {
            files: files.into_iter().collect(),
            seen: Mutex::default(),
            stop: AtomicBool::new(false),
        });
        let served = Arc::clone(&shared);
        let thread = std::thread::spawn(move || {
            for stream in listener.incoming() {
                if served.stop.load(Ordering::SeqCst) {
                    return;
                }
                // A client that goes away in the middle is its own business.
                let _ = stream.and_then(|stream| served.answer(stream));
            }
        });
        Self {
            address,
            shared,
            thread: Some(thread),
        }
    }

    /// `http://127.0.0.1:PORT`
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// What was asked for so far: path and range.
    pub fn seen(&self) -> Vec<String> {
        self.shared.seen.lock().unwrap().clone()
    }
}

impl Drop for FileServer {
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::SeqCst);
        let _ = TcpStream::connect(self.address);
        let _ = self.thread.take().map(JoinHandle::join);
    }
}

impl Shared {
    fn answer(&self, mut stream: TcpStream) -> std::io::Result<()> {
        let mut reader = BufReader::new(stream.try_clone()?);
        let mut lines = Vec::new();
        loop {
            let mut line = String::new();
            if reader.read_line(&mut line)? == 0 || line.trim().is_empty() {
                break;
            }
            lines.push(line.trim().to_owned());
        }
        let Some(path) = lines.first().and_then(|line| line.split(' ').nth(1)) else {
            return Ok(());
        };
        let range = lines.iter().find_map(|line| {
            let (name, value) = line.split_once(": ")?;
            name.eq_ignore_ascii_case("range").then(|| value.to_owned())
        });
        let asked = range.clone().unwrap_or_default();
        self.seen.lock().unwrap().push(format!("{path} {asked}"));
        let Some(content) = self.files.get(path) else {
            let head = "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
            return stream.write_all(head.as_bytes());
        };
        let all = content.len();
        let (status, start, end) = match range.as_deref().and_then(|range| bounds(range, all)) {
            Some((start, end)) => ("206 Partial Content", start, end),
            None => ("200 OK", 0, all),
        };
        let head = format!(
            "HTTP/1.1 {status}\r\nContent-Length: {}\r\nContent-Range: bytes {start}-{}/{all}\r\nETag: \"{all:x}\"\r\n\
             X-Repo-Commit: {COMMIT}\r\nConnection: close\r\n\r\n",
            end - start,
            end.saturating_sub(1),
        );
        stream.write_all(head.as_bytes())?;
        stream.write_all(&content[start..end])
    }
}

/// The commit every file is said to be of.
pub const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";

/// The bytes that `bytes=A-B` or `bytes=A-` means.
fn bounds(range: &str, all: usize) -> Option<(usize, usize)> {
    let (start, end) = range.strip_prefix("bytes=")?.split_once('-')?;
    let end = end.parse().map_or(all, |last: usize| last + 1);
    Some((start.parse().ok()?, end.min(all)))
}
