//! `records`: what a database holds, as JSON lines.

use std::io::{BufWriter, Write as _, stdout};

use anyhow::ensure;

use crate::{
    board::records::Records,
    cli::{
        arguments::{Records as What, RecordsArgs},
        open::open,
    },
};

pub(super) async fn run(args: RecordsArgs) -> anyhow::Result<()> {
    let store = open(args.database).await?;
    let records = Records::read(&store, args.only.as_deref()).await?;
    let found = match args.what {
        What::Candidates => records.candidates().await?,
        What::Trials => records.trials(),
        What::Curves => records.curves().await?,
        What::Outcomes => records.outcomes(),
        What::Completions => records.completions().await?,
    };
    if let Some(name) = &args.only {
        let is_known = !found.is_empty()
            || !records.trials().is_empty()
            || !records.candidates().await?.is_empty();
        ensure!(
            is_known,
            "`{name}` is neither a candidate nor anything that was trained in {}; `reward-search leaderboard` lists them",
            store.path().display()
        );
    }
    let mut out = BufWriter::new(stdout().lock());
    for record in found {
        writeln!(out, "{}", serde_json::to_string(&record)?)?;
    }
    Ok(out.flush()?)
}
