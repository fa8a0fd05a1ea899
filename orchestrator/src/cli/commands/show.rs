//! `show`: one candidate, whole.

use std::io::stdout;

use crate::{
    board::candidate::Shown,
    cli::{arguments::ShowArgs, open::open},
    terminal,
};

pub(super) async fn run(args: ShowArgs) -> anyhow::Result<()> {
    let store = open(args.database).await?;
    let shown = Shown::read(&store, &args.candidate).await?;
    Ok(terminal::candidate::write(&mut stdout(), &shown)?)
}
