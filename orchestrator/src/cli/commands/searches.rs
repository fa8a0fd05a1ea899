//! `searches`: what a database holds.

use std::io::{Write as _, stdout};

use serde_json::json;

use crate::{
    board::leaderboard::Leaderboard,
    cli::{
        arguments::{Format, SearchesArgs},
        open::{database_of, open_file},
    },
    terminal::table::{
        Column::{Number, Text},
        Table,
    },
    text::{one_line, share},
};

pub(super) async fn run(args: SearchesArgs) -> anyhow::Result<()> {
    let store = open_file(&database_of(args.database)?).await?;
    let mut table = Table::new(&[
        Number("N"),
        Text("search"),
        Text("state"),
        Number("rounds"),
        Number("ranked"),
        Text("best reward"),
        Number("F1"),
        Text("begun"),
    ]);
    let mut list = Vec::new();
    for entry in store.searches().await? {
        let of_it = store.of_search(entry.id);
        let mut board = Leaderboard::read_bare(&of_it).await?;
        board.fill(&of_it, 1).await?;
        let best = board.ranked().next();
        let f1 = best.and_then(|row| Some(row.figures.as_ref()?.f1.point));
        let (rounds, ranked) = (board.rounds.len(), board.ranked().count());
        list.push(json!({
            "number": entry.id.0, "name": entry.name, "state": board.state, "rounds": rounds, "ranked": ranked,
            "leader": best.map(|row| &row.name), "f1": f1, "created_at": entry.created_at, "finished_at": entry.finished_at,
        }));
        table.push(vec![
            entry.id.0.to_string(),
            one_line(&entry.name, 40),
            board.state.to_owned(),
            rounds.to_string(),
            ranked.to_string(),
            best.map_or_else(|| "-".to_owned(), |row| one_line(&row.name, 60)),
            f1.map_or_else(|| "-".to_owned(), share),
            entry
                .created_at
                .get(..16)
                .unwrap_or_default()
                .replace('T', " "),
        ]);
    }
    let mut out = stdout();
    match args.format {
        Format::Table => writeln!(out, "{}", table.to_text())?,
        Format::Markdown => writeln!(out, "{}", table.to_markdown())?,
        Format::Csv => write!(out, "{}", table.to_csv()?)?,
        Format::Json => writeln!(out, "{}", serde_json::to_string_pretty(&list)?)?,
    }
    Ok(())
}
