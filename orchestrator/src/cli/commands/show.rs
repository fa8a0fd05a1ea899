//! `show`: one candidate, whole.

use std::io::{Write as _, stdout};

use anyhow::bail;

use crate::{
    board::candidate::Shown,
    cli::{
        arguments::{ShowArgs, ShowFormat},
        open::open,
    },
    terminal::{self, screen::Screen},
};

pub(super) async fn run(args: ShowArgs) -> anyhow::Result<()> {
    let store = open(args.database).await?;
    let shown = Shown::read(&store, &args.candidate).await?;
    let mut out = stdout();
    match (&shown, args.format) {
        (Shown::Candidate(candidate), _) if args.source => {
            writeln!(out, "{}", candidate.source.trim_end())?;
        }
        _ if args.source => bail!("`{}` has no source: it is no candidate", args.candidate),
        (_, ShowFormat::Json) => writeln!(out, "{}", serde_json::to_string_pretty(&shown)?)?,
        (_, ShowFormat::Table) => {
            terminal::candidate::write(&mut out, &Screen::of_stdout(), &shown)?;
        }
    }
    Ok(())
}
