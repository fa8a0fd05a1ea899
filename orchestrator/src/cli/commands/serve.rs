//! `serve`: searches in a browser.

use std::{
    fs::File,
    io::{Read as _, Write as _, stdout},
    path::{Path, PathBuf},
};

use anyhow::{Context as _, bail};

use crate::{
    cli::{arguments::ServeArgs, interrupt::asked_to_stop, open::databases_here},
    web::{Server, Settings},
};

/// What a file of SQLite's begins with.
const SQLITE: [u8; 16] = *b"SQLite format 3\0";

pub(super) async fn run(args: ServeArgs) -> anyhow::Result<()> {
    let databases = match args.databases.is_empty() {
        true => databases_here()?,
        false => args.databases,
    };
    let absent = looked_at(&databases)?;
    let needs_token = args.token.is_some();
    let server = Server::bind(Settings {
        databases,
        host: args.host,
        port: args.port,
        token: args.token,
        names: args.allow_host,
    })
    .await?;
    let mut out = stdout();
    writeln!(out, "http://{}/", server.address())?;
    if needs_token {
        writeln!(out, "It asks for the token once; Ctrl-C ends it.")?;
    } else {
        writeln!(out, "Read-only, for this machine alone; Ctrl-C ends it.")?;
    }
    for path in absent {
        let path = path.display();
        writeln!(
            out,
            "{path} is not there yet: it is shown as soon as a search is begun in it"
        )?;
    }
    out.flush()?;
    tokio::select! {
        ended = server.run() => ended?,
        () = asked_to_stop() => {}
    }
    Ok(())
}

/// The databases that are not there yet. A file that cannot be one is refused.
fn looked_at(databases: &[PathBuf]) -> anyhow::Result<Vec<PathBuf>> {
    let absent = databases.iter().filter(|path| !path.exists()).cloned();
    for path in databases.iter().filter(|path| path.exists()) {
        if !may_be_a_database(path).with_context(|| format!("cannot read {}", path.display()))? {
            bail!(
                "{} is no database of a search: name the .db file that `run` has made",
                path.display()
            );
        }
    }
    Ok(absent.collect())
}

/// Whether a file begins as a database does, or is still empty.
fn may_be_a_database(path: &Path) -> std::io::Result<bool> {
    let mut beginning = Vec::new();
    File::open(path)?
        .take(SQLITE.len() as u64)
        .read_to_end(&mut beginning)?;
    Ok(beginning.is_empty() || beginning == SQLITE)
}
