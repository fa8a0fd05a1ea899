//! A model endpoint on the loopback that answers from a script, faults included, and remembers what it was asked.
//!
//! It speaks both dialects (by the path asked for), one request a connection, from threads of its own, so that it serves
//! synchronous tests with a child process as well as asynchronous ones.

#![allow(
    dead_code,
    clippy::unwrap_used,
    reason = "every test file uses its part of it, and a broken server must fail the test"
)]

pub mod chat;

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::Duration,
};

use orchestrator::judge::endpoint::CHECKING;
use serde_json::{Value, json};

/// What the endpoint does with one request.
#[derive(Debug, Clone)]
pub enum Reply {
    /// The model says this; wrapped as the dialect wants it.
    Says(String),
    /// This status, these headers, this body.
    Status(u16, Vec<(&'static str, String)>, String),
    /// Status 200, these headers and these bytes.
    Bytes(Vec<(&'static str, String)>, Vec<u8>),
    /// Status 200 and this body, in six pieces with such a pause before each.
    Drips(String, Duration),
    /// Closes the connection without a word.
    Closes,
    /// Closes the connection in the middle of a reply.
    BreaksOff,
    /// The same after a while.
    Late(Duration, Box<Reply>),
}

impl Reply {
    /// An error of the service with a message.
    pub fn error(status: u16, message: &str) -> Self {
        Self::Status(
            status,
            Vec::new(),
            json!({"error": {"message": message}}).to_string(),
        )
    }

    /// 429 with `Retry-After` in seconds.
    pub fn rate_limited(seconds: u32) -> Self {
        let body = json!({"error": {"message": "slow down"}}).to_string();
        Self::Status(429, vec![("retry-after", seconds.to_string())], body)
    }
}

/// A request as it came in.
#[derive(Debug, Clone)]
pub struct Request {
    pub path: String,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    pub body: String,
}

impl Request {
    /// The value of a header.
    pub fn header(&self, name: &str) -> Option<&str> {
        let (_, value) = self.headers.iter().find(|(n, _)| n == name)?;
        Some(value)
    }

    /// The body as JSON.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }
}

/// The running endpoint; stops when dropped.
pub struct Endpoint {
    address: SocketAddr,
    requests: Arc<Mutex<Vec<Request>>>,
    checks: Arc<Mutex<Vec<Request>>>,
    stop: Arc<AtomicBool>,
}

impl Endpoint {
    /// Answers the requests with `script` in order, and with its last reply from then on.
    pub fn start(script: Vec<Reply>) -> Self {
        assert!(!script.is_empty(), "a script holds at least one reply");
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let endpoint = Self {
            address: listener.local_addr().unwrap(),
            requests: Arc::default(),
            checks: Arc::default(),
            stop: Arc::default(),
        };
        let (requests, stop) = (endpoint.requests.clone(), endpoint.stop.clone());
        let checks = endpoint.checks.clone();
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                if stop.load(Ordering::Relaxed) {
                    break;
                }
                let Some(request) = read_request(&stream) else {
                    continue;
                };
                let path = request.path.clone();
                if request.body.contains(CHECKING) {
                    // Answered as long as anything will be; the script is for what comes after.
                    let reply = match script.last() {
                        Some(Reply::Status(status, headers, body)) if *status >= 400 => {
                            Reply::Status(*status, headers.clone(), body.clone())
                        }
                        _ => Reply::Says("OK".to_owned()),
                    };
                    checks.lock().unwrap().push(request);
                    thread::spawn(move || answer(stream, &path, reply));
                    continue;
                }
                let turn = {
                    let mut requests = requests.lock().unwrap();
                    requests.push(request);
                    requests.len() - 1
                };
                let reply = script[turn.min(script.len() - 1)].clone();
                thread::spawn(move || answer(stream, &path, reply));
            }
        });
        endpoint
    }

    /// What belongs in `proposer.base_url`.
    pub fn base_url(&self) -> String {
        format!("http://{}/v1", self.address)
    }

    /// Every request so far that only saw whether there is an answer.
    pub fn checks(&self) -> Vec<Request> {
        self.checks.lock().unwrap().clone()
    }

    /// Every other request so far.
    pub fn requests(&self) -> Vec<Request> {
        self.requests.lock().unwrap().clone()
    }
}

impl Drop for Endpoint {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        // Wakes the thread that waits for a connection.
        let _ = TcpStream::connect(self.address);
    }
}

fn read_request(stream: &TcpStream) -> Option<Request> {
    stream
        .set_read_timeout(Some(Duration::from_secs(10)))
        .ok()?;
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line).ok()?;
    let path = line.split(' ').nth(1)?.to_owned();
    let mut headers = Vec::new();
    loop {
        line.clear();
        reader.read_line(&mut line).ok()?;
        let Some((name, value)) = line.trim().split_once(':') else {
            break;
        };
        headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
    }
    let mut request = Request {
        path,
        headers,
        body: String::new(),
    };
    let length: u64 = request.header("content-length")?.parse().ok()?;
    reader.take(length).read_to_string(&mut request.body).ok()?;
    Some(request)
}

fn answer(mut stream: TcpStream, path: &str, reply: Reply) {
    let (status, headers, body) = match reply {
        Reply::Drips(body, pause) => {
            let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", body.len());
            let _ = stream.write_all(head.as_bytes());
            for piece in body.as_bytes().chunks(body.len().div_ceil(6)) {
                thread::sleep(pause);
                let _ = stream.write_all(piece);
            }
            return;
        }
        Reply::Bytes(headers, body) => (200, headers, body),
        Reply::Closes => return,
        Reply::BreaksOff => {
            let _ =
                stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n{\"choices\"");
            return;
        }
        Reply::Late(pause, reply) => {
            thread::sleep(pause);
            return answer(stream, path, *reply);
        }
        Reply::Says(text) if path.ends_with("/messages") => {
            let body = json!({
                "content": [{"type": "text", "text": text}],
                "stop_reason": "end_turn",
                "usage": {"input_tokens": 1000, "output_tokens": 200},
            });
            (200, Vec::new(), body.to_string().into_bytes())
        }
        Reply::Says(text) => {
            let body = json!({
                "choices": [{"message": {"role": "assistant", "content": text}, "finish_reason": "stop"}],
                "usage": {"prompt_tokens": 1000, "completion_tokens": 200},
            });
            (200, Vec::new(), body.to_string().into_bytes())
        }
        Reply::Status(status, headers, body) => (status, headers, body.into_bytes()),
    };
    let mut head = format!(
        "HTTP/1.1 {status} \r\nconnection: close\r\ncontent-length: {}\r\n",
        body.len()
    );
    for (name, value) in headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    // The client may have given up in the meantime.
    let _ = stream.write_all(format!("{head}\r\n").as_bytes());
    let _ = stream.write_all(&body);
}

/// What models write, good and bad.
pub mod replies {
    use serde_json::json;

    use super::Reply;

    /// A sound reward.
    pub const EXACT: &str =
        "pub fn reward(sample: &Sample) -> f64 {\n    f64::from(sample.correct())\n}\n";
    /// Another.
    pub const VALID: &str = "pub fn reward(sample: &Sample) -> f64 {\n    valid_share(sample.completion()) + f64::from(sample.correct())\n}\n";
    /// Refers to what does not exist.
    pub const DOES_NOT_COMPILE: &str =
        "pub fn reward(sample: &Sample) -> f64 {\n    sample.nonsense()\n}\n";
    /// Never returns.
    pub const ENDLESS: &str = "pub fn reward(sample: &Sample) -> f64 {\n    let mut x = sample.completion().len() as f64;\n    loop {\n        x = (x + 1.0).sqrt();\n        if x < 0.0 {\n            return x;\n        }\n    }\n}\n";

    fn array(drafts: &[(&str, &str)]) -> String {
        let drafts: Vec<_> = drafts
            .iter()
            .map(|(name, code)| json!({"name": name, "code": code, "description": format!("tries {name}")}))
            .collect();
        json!(drafts).to_string()
    }

    /// A JSON array of (name, code).
    pub fn good(drafts: &[(&str, &str)]) -> Reply {
        Reply::Says(array(drafts))
    }

    /// The same in a fence with prose around it.
    pub fn fenced(drafts: &[(&str, &str)]) -> Reply {
        Reply::Says(format!(
            "Sure! Here are some [diverse] ideas:\n\n```json\n{}\n```\n\nLet me know {{how}} they do.",
            array(drafts)
        ))
    }

    /// An array whose second object is cut off.
    pub fn broken(name: &str, code: &str) -> Reply {
        let mut text = array(&[(name, code)]);
        text.pop();
        text.push_str(r#", {"name": "lost", "code": "pub fn rew"#);
        Reply::Says(text)
    }

    /// No drafts at all.
    pub fn refusal() -> Reply {
        Reply::Says("I'm sorry, but I can't help with that.".to_owned())
    }
}
