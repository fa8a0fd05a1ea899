//! `export`: the best rewards as files.

use std::io::{Write as _, stdout};

use crate::{
    board::leaderboard::Leaderboard,
    cli::{arguments::ExportArgs, open::open},
    reward::export,
};

pub(super) async fn run(args: ExportArgs) -> anyhow::Result<()> {
    let mut out = stdout();
    let store = open(args.database).await?;
    let board = Leaderboard::read(&store).await?;
    let written = export::ensemble(&store, &board, args.top, &args.dir).await?;
    writeln!(
        out,
        "wrote {} to {}",
        written.join(", "),
        args.dir.display()
    )?;
    writeln!(
        out,
        "score with: reward-search score {} --samples FILE",
        args.dir.display()
    )?;
    Ok(())
}
