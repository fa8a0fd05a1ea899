//! `leaderboard`: the ranking, also of a search that runs in another terminal.

use std::io::{Write as _, stdout};

use anyhow::bail;

use crate::{
    board::leaderboard::Leaderboard,
    cli::{
        arguments::{Format, LeaderboardArgs},
        open::open,
    },
    terminal::screen::Screen,
    text::counted,
};

pub(super) async fn run(args: LeaderboardArgs) -> anyhow::Result<()> {
    let mut out = stdout();
    let screen = Screen::of_stdout();
    let screen = if args.wide { screen.wide() } else { screen };
    let store = open(args.database).await?;
    let board = Leaderboard::read(&store).await?;
    let rounds = board.rounds.len();
    if let Some(round) = args.round.filter(|&round| round as usize > rounds) {
        bail!(
            "there is no round {round} yet: this search has had {}",
            counted(rounds, "round")
        );
    }
    let board = board.narrowed(args.round, args.top);
    match args.format {
        Format::Table => write!(out, "{}", board.to_text(&screen))?,
        Format::Json => writeln!(out, "{}", serde_json::to_string_pretty(&board)?)?,
        Format::Markdown => write!(out, "{}", board.to_markdown())?,
        Format::Csv => write!(out, "{}", board.to_csv()?)?,
    }
    Ok(())
}
