//! `serve`: searches in a browser.

use std::io::{Write as _, stdout};

use crate::{
    cli::{arguments::ServeArgs, interrupt::asked_to_stop, open::databases_here},
    web::{Server, Settings},
};

pub(super) async fn run(args: ServeArgs) -> anyhow::Result<()> {
    let databases = match args.databases.is_empty() {
        true => databases_here()?,
        false => args.databases,
    };
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
    out.flush()?;
    tokio::select! {
        ended = server.run() => ended?,
        () = asked_to_stop() => {}
    }
    Ok(())
}
