//! `report` and `plot`: a search as a file to show to others.

use std::{
    io::{Write as _, stdout},
    path::Path,
};

use anyhow::{Context as _, bail};

use crate::{
    board::leaderboard::Leaderboard,
    cli::{
        arguments::{PlotArgs, PlotKind, ReportArgs, ReportFormat},
        open::open,
    },
    web::{Plot, html_report, plot},
};

pub(super) async fn run(args: ReportArgs) -> anyhow::Result<()> {
    let store = open(args.database).await?;
    let format = args.format.unwrap_or_else(|| named(args.out.as_deref()));
    let text = match format {
        ReportFormat::Html => html_report(&store).await?,
        ReportFormat::Markdown => Leaderboard::read(&store).await?.to_markdown() + "\n",
        ReportFormat::Json => {
            serde_json::to_string_pretty(&Leaderboard::read(&store).await?)? + "\n"
        }
    };
    put(args.out.as_deref(), &text)
}

/// The format that a file's name asks for.
fn named(out: Option<&Path>) -> ReportFormat {
    let extension = out.and_then(Path::extension).unwrap_or_default();
    match extension.to_ascii_lowercase().to_str() {
        Some("md" | "markdown") => ReportFormat::Markdown,
        Some("json") => ReportFormat::Json,
        _ => ReportFormat::Html,
    }
}

pub(super) async fn draw(args: PlotArgs) -> anyhow::Result<()> {
    let extension = args.out.as_deref().and_then(Path::extension);
    if let Some(other) = extension.filter(|extension| !extension.eq_ignore_ascii_case("svg")) {
        bail!(
            "charts are drawn as SVG, and not as {}: name a .svg file; `rsvg-convert -f png x.svg > x.png` makes a PNG of it",
            other.display()
        );
    }
    let store = open(args.database).await?;
    let wanted = match (args.what, args.candidate) {
        (PlotKind::Rounds, _) => Plot::Rounds,
        (PlotKind::Finalists, _) => Plot::Finalists,
        (PlotKind::Training, Some(name)) => Plot::Training(name),
        (PlotKind::Training, None) => {
            bail!("whose training? Name it: reward-search plot training NAME")
        }
    };
    match plot(&store, &wanted).await? {
        Some(svg) => put(args.out.as_deref(), &svg),
        None => bail!("there is nothing to draw yet: no trial of that kind has come so far"),
    }
}

/// To the file, or to standard output where none is named.
fn put(out: Option<&Path>, text: &str) -> anyhow::Result<()> {
    match out {
        Some(path) => {
            let was_there = path.exists();
            let written = std::fs::write(path, text);
            if written.is_err() && !was_there {
                // Half a page would be taken for one.
                let _ = std::fs::remove_file(path);
            }
            written.with_context(|| format!("cannot write {}", path.display()))
        }
        None => Ok(stdout().write_all(text.as_bytes())?),
    }
}
