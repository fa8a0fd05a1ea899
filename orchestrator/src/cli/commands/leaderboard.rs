//! `leaderboard`: the ranking, also of a search that runs in another terminal.

use std::io::{Write as _, stdout};

use crate::{
    board::leaderboard::Leaderboard,
    cli::{
        arguments::{Format, LeaderboardArgs},
        open::open,
    },
};

pub(super) async fn run(args: LeaderboardArgs) -> anyhow::Result<()> {
    let mut out = stdout();
    let store = open(args.database).await?;
    let board = Leaderboard::read(&store)
        .await?
        .narrowed(args.round, args.top);
    match args.format {
        Format::Table => write!(out, "{}", board.to_text())?,
        Format::Json => writeln!(out, "{}", serde_json::to_string_pretty(&board)?)?,
        Format::Markdown => write!(out, "{}", board.to_markdown())?,
        Format::Csv => write!(out, "{}", board.to_csv()?)?,
    }
    Ok(())
}
