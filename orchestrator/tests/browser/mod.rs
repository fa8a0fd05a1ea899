//! Asks a server for pages, and looks whether a page holds markup that is not the program's own.
#![allow(dead_code, reason = "every test file uses its part of it")]

use std::time::Duration;

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

/// What a server said.
#[derive(Debug)]
pub struct Answer {
    pub code: u16,
    head: String,
    pub body: String,
}

impl Answer {
    /// The value of a header; empty where there is none.
    pub fn header(&self, name: &str) -> String {
        let lines = self.head.lines().filter_map(|line| line.split_once(": "));
        let mut named = lines.filter(|(known, _)| known.eq_ignore_ascii_case(name));
        named
            .next()
            .map(|(_, value)| value.to_owned())
            .unwrap_or_default()
    }
}

/// Asks for a page.
pub async fn get(address: &str, page: &str) -> Answer {
    get_with(address, page, "GET", &format!("Host: {address}\r\n")).await
}

/// Asks by a method, with these headers.
pub async fn get_with(address: &str, page: &str, method: &str, headers: &str) -> Answer {
    let mut stream = ask(address, page, method, headers).await;
    let mut bytes = Vec::new();
    let read = tokio::time::timeout(Duration::from_secs(60), stream.read_to_end(&mut bytes));
    read.await.unwrap().unwrap();
    let text = String::from_utf8(bytes).unwrap();
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    Answer {
        code: head.split(' ').nth(1).unwrap().parse().unwrap(),
        head: head.to_owned(),
        body: body.to_owned(),
    }
}

async fn ask(address: &str, page: &str, method: &str, headers: &str) -> TcpStream {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let request = format!("{method} {page} HTTP/1.1\r\n{headers}Connection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    stream
}

/// Opens a stream of events.
pub async fn follow(address: &str, page: &str) -> TcpStream {
    ask(address, page, "GET", &format!("Host: {address}\r\n")).await
}

/// Whether such an event comes within ten seconds, with data, without which a browser passes none on.
pub async fn told(stream: &mut TcpStream, event: &str) -> bool {
    let mut seen = String::new();
    let mut buffer = [0; 4096];
    let wanted = format!("event: {event}\ndata: s");
    let waiting = async {
        while !seen.contains(&wanted) {
            match stream.read(&mut buffer).await.unwrap() {
                0 => return false,
                n => seen.push_str(&String::from_utf8_lossy(&buffer[..n])),
            }
        }
        true
    };
    tokio::time::timeout(Duration::from_secs(10), waiting)
        .await
        .unwrap_or(false)
}

/// Insists that a page has no markup but what the program's templates and charts are made of.
pub fn only_ours(page: &str, html: &str) {
    for c in html.chars() {
        assert!(
            c == '\n' || c == '\t' || sandbox::may_be_shown(c),
            "{page}: {c:?}"
        );
    }
    let mut rest = html;
    while let Some(at) = rest.find('<') {
        rest = &rest[at + 1..];
        if let Some(inside) = rest.strip_prefix("style>") {
            rest = inside.split_once("</style>").unwrap().1;
            continue;
        }
        rest = tag(page, rest);
    }
}

const TAGS: [&str; 57] = [
    "!doctype",
    "a",
    "abbr",
    "b",
    "blockquote",
    "body",
    "button",
    "caption",
    "circle",
    "code",
    "datalist",
    "dd",
    "details",
    "div",
    "dl",
    "dt",
    "figcaption",
    "figure",
    "footer",
    "form",
    "h1",
    "h2",
    "h3",
    "head",
    "header",
    "html",
    "img",
    "input",
    "label",
    "li",
    "line",
    "link",
    "main",
    "meta",
    "nav",
    "option",
    "p",
    "path",
    "pre",
    "rect",
    "script",
    "select",
    "small",
    "span",
    "summary",
    "svg",
    "table",
    "tbody",
    "td",
    "text",
    "th",
    "thead",
    "title",
    "tr",
    "ul",
    "wbr",
    "style",
];

/// Looks at one tag; returns what follows it.
fn tag<'h>(page: &str, html: &'h str) -> &'h str {
    let (html, is_end) = html
        .strip_prefix('/')
        .map_or((html, false), |html| (html, true));
    let end = html
        .find(|c: char| !(c.is_ascii_alphanumeric() || c == '!'))
        .unwrap();
    let (name, mut rest) = html.split_at(end);
    assert!(
        TAGS.contains(&name),
        "{page}: <{name}…{}",
        &rest.chars().take(60).collect::<String>()
    );
    let mut has_source = false;
    loop {
        rest = rest.trim_start();
        if let Some(after) = rest.strip_prefix("/>").or_else(|| rest.strip_prefix('>')) {
            assert!(
                name != "script" || has_source || is_end,
                "{page}: a script within the page"
            );
            return after;
        }
        let end = rest
            .find(|c: char| !(c.is_ascii_alphanumeric() || c == '-'))
            .unwrap();
        let (attribute, after) = rest.split_at(end);
        assert!(
            !attribute.is_empty(),
            "{page}: <{name} … {}",
            &rest.chars().take(60).collect::<String>()
        );
        assert!(
            !attribute.starts_with("on") && attribute != "style",
            "{page}: {attribute}"
        );
        let Some(quoted) = after.strip_prefix("=\"") else {
            assert!(
                !after.starts_with('='),
                "{page}: {attribute} without quotes"
            );
            rest = after;
            continue;
        };
        let (value, after) = quoted.split_once('"').unwrap();
        if ["href", "src", "action"].contains(&attribute) {
            let value = value.replace("&#x2f;", "/");
            assert!(
                value.starts_with('/') || value.starts_with('#'),
                "{page}: {attribute} {value}"
            );
            has_source = true;
        }
        assert!(
            after.starts_with([' ', '>', '/', '\n']),
            "{page}: {attribute}=\"{value}\"{}",
            &after.chars().take(20).collect::<String>()
        );
        rest = after;
    }
}
