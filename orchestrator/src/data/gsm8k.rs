//! GSM8K's files from where they are published: pinned to a commit, checked by their SHA-256, continued after an interruption, and put in
//! place only when whole.

use std::{
    io::{Read as _, Write as _},
    path::{Path, PathBuf},
};

use reqwest::{Client, StatusCode, header};
use sha2::{Digest as _, Sha256};

use crate::text::hex;

/// Where the files are published: `train.jsonl` and `test.jsonl` of the authors' repository, as of its last commit.
pub const GSM8K: &str = "https://raw.githubusercontent.com/openai/grade-school-math/3101c7d5072418e28b9008a6636bde82a006892c/grade_school_math/data";

/// A published file.
struct Published {
    name: &'static str,
    sha256: &'static str,
}

const FILES: [Published; 2] = [
    Published {
        name: "train.jsonl",
        sha256: "17f347dc51477c50d4efb83959dbb7c56297aba886e5544ee2aaed3024813465",
    },
    Published {
        name: "test.jsonl",
        sha256: "3730d312f6e3440559ace48831e51066acaca737f6eabec99bccb9e4b3c39d14",
    },
];

/// Why a data set could not be fetched.
#[derive(Debug, thiserror::Error)]
pub enum DataError {
    /// Neither `XDG_CACHE_HOME` nor `HOME` is set.
    #[error("neither XDG_CACHE_HOME nor HOME is set: name a folder with --dir")]
    NoCache,
    /// The server cannot be reached, or does not have the file.
    #[error(
        "cannot download {url}: {why}; the same command continues, --from URL names another server"
    )]
    Unreachable {
        /// The file's address.
        url: String,
        /// What went wrong.
        why: String,
    },
    /// What came is something else.
    #[error("{url} has changed: its SHA-256 is {found}, not {expected}; nothing was kept")]
    Changed {
        /// The file's address.
        url: String,
        /// What the download has.
        found: String,
        /// What the published file has.
        expected: &'static str,
    },
    /// The file cannot be written.
    #[error("cannot write {}: {source}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
}

/// What was done about a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fetched {
    /// It was there, whole.
    There,
    /// It was downloaded, from this byte on.
    From(u64),
}

/// Where GSM8K is looked for when a configuration names no folder.
///
/// # Errors
/// [`DataError::NoCache`].
pub fn gsm8k_folder() -> Result<PathBuf, DataError> {
    let variable = |name| std::env::var_os(name).filter(|value| !value.is_empty());
    let cache = variable("XDG_CACHE_HOME")
        .map(PathBuf::from)
        .or_else(|| Some(PathBuf::from(variable("HOME")?).join(".cache")));
    Ok(cache.ok_or(DataError::NoCache)?.join("reward-search/gsm8k"))
}

/// Brings both files into a folder, calling `done` after each with its path.
///
/// # Errors
/// See [`DataError`]; what was downloaded so far stays for the next try.
pub async fn fetch_gsm8k(
    folder: &Path,
    server: &str,
    mut done: impl FnMut(&Path, Fetched),
) -> Result<(), DataError> {
    // Fails only if one is installed already, which serves as well.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let client = Client::builder()
        .user_agent(concat!("reward-search/", env!("CARGO_PKG_VERSION")))
        .build()
        .map_err(|error| unreachable(server, &error))?;
    std::fs::create_dir_all(folder).map_err(|source| write_error(folder, source))?;
    for file in &FILES {
        let path = folder.join(file.name);
        let fetched = fetch(&client, file, server, &path).await?;
        done(&path, fetched);
    }
    Ok(())
}

async fn fetch(
    client: &Client,
    file: &Published,
    server: &str,
    path: &Path,
) -> Result<Fetched, DataError> {
    if sha256(path).is_some_and(|found| found == file.sha256) {
        return Ok(Fetched::There);
    }
    let url = format!("{}/{}", server.trim_end_matches('/'), file.name);
    let part = path.with_extension("jsonl.part");
    let start = download(client, &url, &part).await?;
    let found = sha256(&part).unwrap_or_default();
    if found != file.sha256 {
        let _ = std::fs::remove_file(&part);
        let expected = file.sha256;
        return Err(DataError::Changed {
            url,
            found,
            expected,
        });
    }
    std::fs::rename(&part, path).map_err(|source| write_error(path, source))?;
    Ok(Fetched::From(start))
}

/// Continues a partial file, or begins it. Returns the byte it began at.
async fn download(client: &Client, url: &str, part: &Path) -> Result<u64, DataError> {
    let have = part.metadata().map_or(0, |metadata| metadata.len());
    let mut request = client.get(url);
    if have > 0 {
        request = request.header(header::RANGE, format!("bytes={have}-"));
    }
    let mut response = request
        .send()
        .await
        .map_err(|error| unreachable(url, &error))?;
    let start = match response.status() {
        StatusCode::PARTIAL_CONTENT => have,
        // All bytes are there already: the checksum will judge them.
        StatusCode::RANGE_NOT_SATISFIABLE => return Ok(have),
        status if status.is_success() => 0,
        status => {
            let (url, why) = (url.to_owned(), format!("the server says {status}"));
            return Err(DataError::Unreachable { url, why });
        }
    };
    let failed = |source| write_error(part, source);
    let mut options = std::fs::OpenOptions::new();
    options.create(true).write(true);
    let options = if start > 0 {
        options.append(true)
    } else {
        options.truncate(true)
    };
    let mut out = options.open(part).map_err(failed)?;
    while let Some(chunk) = response
        .chunk()
        .await
        .map_err(|error| unreachable(url, &error))?
    {
        out.write_all(&chunk).map_err(failed)?;
    }
    out.sync_all().map_err(failed)?;
    Ok(start)
}

/// SHA-256 of a file in hexadecimal; `None` if it cannot be read.
fn sha256(path: &Path) -> Option<String> {
    let mut file = std::fs::File::open(path).ok()?;
    let (mut hash, mut buffer) = (Sha256::new(), vec![0; 1 << 16]);
    loop {
        match file.read(&mut buffer).ok()? {
            0 => break,
            read => hash.update(&buffer[..read]),
        }
    }
    Some(hex(&hash.finalize()))
}

fn unreachable(url: &str, error: &reqwest::Error) -> DataError {
    let mut why = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(inner) = cause {
        why = inner.to_string();
        cause = inner.source();
    }
    DataError::Unreachable {
        url: url.to_owned(),
        why,
    }
}

fn write_error(path: &Path, source: std::io::Error) -> DataError {
    DataError::Write {
        path: path.to_owned(),
        source,
    }
}
