//! `leaderboard`: the ranking, also of a search that runs in another terminal.

use std::io::{Write as _, stdout};

use anyhow::bail;

use crate::{
    board::leaderboard::Leaderboard,
    cli::{
        arguments::{Format, LeaderboardArgs},
        open::open,
    },
    terminal::{leaderboard::SHOWN, screen::Screen},
    text::counted,
};

pub(super) async fn run(args: LeaderboardArgs) -> anyhow::Result<()> {
    let mut out = stdout();
    let screen = Screen::of_stdout();
    let screen = if args.wide { screen.wide() } else { screen };
    let store = open(args.database).await?;
    let shows_all = args.all || args.top.is_some();
    let board = match args.format {
        Format::Table => Leaderboard::read_bare(&store).await?,
        Format::Json | Format::Markdown | Format::Csv => Leaderboard::read(&store).await?,
    };
    let rounds = board.rounds.len();
    if let Some(round) = args.round.filter(|&round| round as usize > rounds) {
        bail!(
            "there is no round {round} yet: this search has had {}",
            counted(rounds, "round")
        );
    }
    let mut board = board.narrowed(args.round, args.top);
    match args.format {
        Format::Table => {
            let rows = if shows_all { usize::MAX } else { SHOWN };
            board.fill(&store, rows).await?;
            write!(out, "{}", board.to_text(&screen, rows))?;
        }
        Format::Json => writeln!(out, "{}", serde_json::to_string_pretty(&board)?)?,
        Format::Markdown => write!(out, "{}", board.to_markdown())?,
        Format::Csv => write!(out, "{}", board.to_csv()?)?,
    }
    Ok(())
}
