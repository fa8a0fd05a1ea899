//! A cluster that is a server of this process: it speaks as much of Ray's Jobs API as the trainer does, plays jobs, and misbehaves when told to.

use std::{
    collections::{BTreeMap, VecDeque},
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    thread::JoinHandle,
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::{
    Message, WebSocket, handshake::derive_accept_key, protocol::Role,
};

/// What a job does between two looks at it.
#[derive(Debug, Clone)]
pub enum Act {
    /// It says a line of the protocol.
    Says(String),
    /// It prints something else.
    Prints(&'static str),
    /// It waits until its lease asks it to stop.
    AwaitsStop,
    /// It waits until the cluster is asked to stop it.
    AwaitsKill,
    /// It goes on and on without a word.
    Hangs,
    /// It is forgotten, as by a head that was restarted.
    IsForgotten,
    /// The cluster does not answer so many requests.
    Silence(usize),
    /// It waits for its turn for ever.
    Waits,
    /// It ends: the state, Ray's message, the kind of error, the exit code.
    Ends(
        &'static str,
        &'static str,
        Option<&'static str>,
        Option<i32>,
    ),
}

/// What is wrong with a request's way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mishap {
    /// The connection breaks in the middle of an upload.
    UploadBreaks,
    /// A job is taken, and the answer gets lost.
    AnswerIsLost,
    /// Something on the way lets no WebSocket through.
    NoTail,
    /// The connection that brings a log breaks after its first piece.
    TailBreaks,
    /// That connection stands, and brings nothing.
    TailIsDeaf,
}

/// A job, as the cluster knows it.
#[derive(Debug, Clone)]
pub struct Played {
    /// What was submitted.
    pub submission: Value,
    acts: VecDeque<Act>,
    log: String,
    standing: Value,
    stopped: bool,
}

/// All that there is to the cluster.
#[derive(Debug, Default)]
pub struct State {
    /// Packages by name.
    pub packages: BTreeMap<String, Vec<u8>>,
    /// The values that leases had, by their names.
    pub leases: BTreeMap<String, Vec<String>>,
    /// When a lease was renewed last.
    pub renewed: Option<Instant>,
    /// Jobs by id.
    pub jobs: BTreeMap<String, Played>,
    /// Ids that the cluster was asked to stop.
    pub stopped: Vec<String>,
    /// Every request: method, path, and whether its token was right.
    pub seen: Vec<String>,
    plays: VecDeque<Vec<Act>>,
    mishaps: VecDeque<Mishap>,
    token: Option<String>,
    silence: usize,
}

/// A running cluster; it ends when dropped.
pub struct FakeCluster {
    address: SocketAddr,
    state: Arc<Mutex<State>>,
    over: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl FakeCluster {
    /// A cluster whose jobs, in the order in which they are submitted, do this.
    pub fn that_plays(plays: impl IntoIterator<Item = Vec<Act>>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let state = Arc::new(Mutex::new(State {
            plays: plays.into_iter().collect(),
            ..State::default()
        }));
        let over = Arc::new(AtomicBool::new(false));
        let (served, ends) = (Arc::clone(&state), Arc::clone(&over));
        let thread = std::thread::spawn(move || {
            for stream in listener.incoming() {
                if ends.load(Ordering::SeqCst) {
                    return;
                }
                let served = Arc::clone(&served);
                // A client that goes away in the middle is its own business.
                std::thread::spawn(move || stream.and_then(|stream| serve(stream, &served)));
            }
        });
        Self {
            address,
            state,
            over,
            thread: Some(thread),
        }
    }

    /// The same, which wants a token.
    pub fn with_token(self, token: &str) -> Self {
        self.state().token = Some(token.to_owned());
        self
    }

    /// The same with mishaps, in the order in which they happen.
    pub fn with_mishaps(self, mishaps: &[Mishap]) -> Self {
        self.state().mishaps = mishaps.iter().copied().collect();
        self
    }

    /// A job that an earlier process submitted.
    pub fn with_job(self, id: &str, acts: Vec<Act>) -> Self {
        self.state()
            .jobs
            .insert(id.to_owned(), played(json!({}), acts));
        self
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether a request with this in its line was seen.
    pub fn saw(&self, what: &str) -> usize {
        self.state()
            .seen
            .iter()
            .filter(|line| line.contains(what))
            .count()
    }
}

impl Drop for FakeCluster {
    fn drop(&mut self) {
        self.over.store(true, Ordering::SeqCst);
        let _ = TcpStream::connect(self.address);
        let _ = self.thread.take().map(JoinHandle::join);
    }
}

fn played(submission: Value, acts: Vec<Act>) -> Played {
    Played {
        submission,
        acts: acts.into(),
        log: "Running entrypoint for job\n".to_owned(),
        standing: json!({"status": "PENDING", "message": null}),
        stopped: false,
    }
}

/// A request.
struct Asked {
    line: String,
    token: String,
    /// What it says where it wants to become a WebSocket.
    key: String,
    body: Vec<u8>,
}

/// A request; `None` at the end of the connection.
fn request(reader: &mut BufReader<TcpStream>, breaks: bool) -> std::io::Result<Option<Asked>> {
    let mut lines = Vec::new();
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line)? == 0 {
            return Ok(None);
        }
        if line.trim().is_empty() {
            break;
        }
        lines.push(line.trim().to_owned());
    }
    let header = |name: &str| {
        let mut found = lines.iter().filter_map(|line| {
            let (key, value) = line.split_once(':')?;
            key.eq_ignore_ascii_case(name)
                .then(|| value.trim().to_owned())
        });
        found.next()
    };
    let length: usize = header("content-length").map_or(0, |n| n.parse().unwrap());
    let upload = lines[0].starts_with("PUT") && !lines[0].contains("_lease_");
    // What breaks in the middle of its way is read to there.
    let mut body = vec![0; if breaks && upload { length / 2 } else { length }];
    reader.read_exact(&mut body)?;
    Ok(Some(Asked {
        token: header("authorization").unwrap_or_default(),
        key: header("sec-websocket-key").unwrap_or_default(),
        line: lines.swap_remove(0),
        body,
    }))
}

/// Brings a job's log piece by piece until the job is over.
fn tail(
    mut out: TcpStream,
    state: &Mutex<State>,
    id: &str,
    mishap: Option<Mishap>,
) -> std::io::Result<()> {
    let mut socket = WebSocket::from_raw_socket(out.try_clone()?, Role::Server, None);
    let mut sent = 0;
    loop {
        let (text, over) = match locked(state).jobs.get(id) {
            Some(job) => (
                job.log[sent..].to_owned(),
                job.standing["driver_exit_code"].is_i64(),
            ),
            None => (String::new(), true),
        };
        if !text.is_empty() && mishap != Some(Mishap::TailIsDeaf) {
            sent += text.len();
            socket
                .send(Message::text(text))
                .map_err(std::io::Error::other)?;
            if mishap == Some(Mishap::TailBreaks) {
                return out.shutdown(std::net::Shutdown::Both);
            }
        }
        if over {
            let _ = socket.close(None);
            return out.flush();
        }
        std::thread::sleep(Duration::from_millis(10));
    }
}

fn locked(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

fn serve(stream: TcpStream, state: &Mutex<State>) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream.try_clone()?);
    let mut out = stream;
    let shared = state;
    loop {
        let breaks = locked(shared).mishaps.front() == Some(&Mishap::UploadBreaks);
        let Some(asked) = request(&mut reader, breaks)? else {
            return Ok(());
        };
        let Asked {
            line,
            token,
            key,
            body,
        } = asked;
        let mut state = locked(shared);
        let mut words = line.split(' ');
        let (method, path) = (
            words.next().unwrap().to_owned(),
            words.next().unwrap().to_owned(),
        );
        state.seen.push(format!("{method} {path} {token}"));
        let upload = method == "PUT" && !path.contains("_lease_");
        if breaks && upload {
            state.mishaps.pop_front();
            return Ok(());
        }
        if state.silence > 0 {
            state.silence -= 1;
            return Ok(());
        }
        let denied = state.token.as_ref().and_then(|right| match token.as_str() {
            "" => Some(401),
            token if token != format!("Bearer {right}") => Some(403),
            _ => None,
        });
        if denied.is_none()
            && let Some(id) = path.strip_suffix("/logs/tail")
        {
            let of_tails = [Mishap::NoTail, Mishap::TailBreaks, Mishap::TailIsDeaf];
            let mishap = state.mishaps.pop_front_if(|next| of_tails.contains(next));
            drop(state);
            let id = id.rsplit('/').next().unwrap_or_default().to_owned();
            if mishap == Some(Mishap::NoTail) || key.is_empty() {
                write!(out, "HTTP/1.1 500 X\r\ncontent-length: 0\r\n\r\n")?;
                continue;
            }
            let accept = derive_accept_key(key.as_bytes());
            write!(
                out,
                "HTTP/1.1 101 X\r\nconnection: upgrade\r\nupgrade: websocket\r\nsec-websocket-accept: {accept}\r\n\r\n"
            )?;
            return tail(out, shared, &id, mishap);
        }
        let (status, text) = match denied {
            Some(status) if path != "/api/version" => (status, "no".to_owned()),
            _ => state.answer(&method, &path, body),
        };
        if method == "POST"
            && path == "/api/jobs/"
            && state.mishaps.front() == Some(&Mishap::AnswerIsLost)
        {
            state.mishaps.pop_front();
            return Ok(());
        }
        drop(state);
        let length = text.len();
        write!(
            out,
            "HTTP/1.1 {status} X\r\ncontent-length: {length}\r\n\r\n{text}"
        )?;
        out.flush()?;
    }
}

impl State {
    /// What a job does from now on.
    pub fn act(&mut self, id: &str, acts: Vec<Act>) {
        if let Some(job) = self.jobs.get_mut(id) {
            job.acts = acts.into();
        }
    }

    fn answer(&mut self, method: &str, path: &str, body: Vec<u8>) -> (u16, String) {
        let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
        match (method, parts.as_slice()) {
            ("GET", ["api", "version"]) => (200, json!({"version": "4"}).to_string()),
            ("GET", ["api", "packages", "gcs", name]) => match self.packages.contains_key(*name) {
                true => (200, String::new()),
                false => (404, format!("Package gcs://{name} does not exist")),
            },
            ("PUT", ["api", "packages", "gcs", name]) => {
                if name.contains("_lease_") {
                    let value = String::from_utf8(body).unwrap();
                    self.leases
                        .entry((*name).to_owned())
                        .or_default()
                        .push(value);
                    self.renewed = Some(Instant::now());
                } else {
                    self.packages.insert((*name).to_owned(), body);
                }
                (200, String::new())
            }
            ("POST", ["api", "jobs"]) => {
                let submission: Value = serde_json::from_slice(&body).unwrap();
                let id = submission["submission_id"].as_str().unwrap().to_owned();
                if self.jobs.contains_key(&id) {
                    return (
                        500,
                        format!(
                            "Traceback\nValueError: Job with submission_id {id} already exists"
                        ),
                    );
                }
                let acts = self.plays.pop_front().unwrap_or_else(|| vec![Act::Hangs]);
                self.jobs.insert(id.clone(), played(submission, acts));
                (200, json!({"job_id": id, "submission_id": id}).to_string())
            }
            ("GET", ["api", "jobs", id]) => match self.look(id) {
                Some(standing) => (200, standing.to_string()),
                None => (404, format!("Job {id} does not exist")),
            },
            ("GET", ["api", "jobs", id, "logs"]) => match self.jobs.get(*id) {
                Some(job) => (200, json!({"logs": job.log}).to_string()),
                None => (404, "no".to_owned()),
            },
            ("POST", ["api", "jobs", id, "stop"]) => {
                self.stopped.push((*id).to_owned());
                if let Some(job) = self.jobs.get_mut(*id) {
                    job.stopped = true;
                }
                (200, json!({"stopped": true}).to_string())
            }
            _ => (405, format!("{method} {path}")),
        }
    }

    /// How a job stands; each look lets it do what it does next.
    fn look(&mut self, id: &str) -> Option<Value> {
        let leases = self.leases.values().flatten();
        let asked = leases.clone().any(|value| value.starts_with("stop"));
        let job = self.jobs.get_mut(id)?;
        loop {
            let running =
                |job: &mut Played| job.standing = json!({"status": "RUNNING", "message": null});
            match job.acts.front() {
                None | Some(Act::Hangs) => running(job),
                Some(Act::AwaitsStop) if !asked => running(job),
                Some(Act::AwaitsKill) if !job.stopped => running(job),
                Some(Act::Waits) => {}
                Some(Act::AwaitsStop | Act::AwaitsKill) => {
                    job.acts.pop_front();
                    continue;
                }
                Some(Act::IsForgotten) => {
                    self.jobs.remove(id);
                    return None;
                }
                Some(Act::Silence(requests)) => {
                    self.silence = *requests;
                    job.acts.pop_front();
                }
                Some(Act::Says(line)) => {
                    job.log += &format!("\n@ev {line}\n");
                    job.acts.pop_front();
                    running(job);
                }
                Some(Act::Prints(text)) => {
                    job.log += text;
                    job.acts.pop_front();
                    running(job);
                    continue;
                }
                Some(&Act::Ends(status, message, kind, code)) => {
                    job.standing = json!({"status": status, "message": message, "error_type": kind, "driver_exit_code": code});
                }
            }
            return Some(job.standing.clone());
        }
    }
}
