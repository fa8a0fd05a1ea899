//! `export`: rewards as files, and as packages for trainers.

use std::{
    io::{Write as _, stdout},
    path::PathBuf,
};

use anyhow::{Context as _, ensure};
use sandbox::{Bench, Language};

use super::rewards;
use crate::{
    cli::{arguments::ExportArgs, open::open},
    reward::export::{self, Gathered, Target, Which},
};

pub(super) async fn run(mut args: ExportArgs) -> anyhow::Result<()> {
    let dir = PathBuf::from(args.paths.pop().context("no folder to export to")?);
    let mut targets: Vec<Target> = args.to.iter().filter_map(|to| to.target()).collect();
    targets.sort();
    targets.dedup();
    let bench = rewards::bench();
    let gathered = gathered(&args, &bench).await?;
    for told in gathered.search.iter().flat_map(|search| &search.cautions) {
        tracing::warn!("{told}");
    }
    let written = export::write(&gathered, &targets, &dir, &bench)?;
    let mut out = stdout();
    writeln!(out, "wrote {} to {}", written.join(", "), dir.display())?;
    let plain = gathered
        .members
        .iter()
        .filter(|member| !targets.is_empty() && member.module.language() == Language::Python);
    for member in plain {
        writeln!(
            out,
            "`{}` is run as plain Python by the package, not in the sandbox",
            member.name
        )?;
    }
    if !targets.is_empty() {
        writeln!(out, "train with: see {}", dir.join("README.md").display())?;
    }
    writeln!(
        out,
        "score with: reward-search score {} --samples FILE",
        dir.display()
    )?;
    Ok(())
}

async fn gathered(args: &ExportArgs, bench: &Bench) -> anyhow::Result<Gathered> {
    if !args.paths.is_empty() {
        ensure!(
            args.top.is_none() && args.ensemble.is_none(),
            "rewards are named one by one or taken from the ranking (--top, --ensemble), not both"
        );
        if let ([name], true) = (&*args.paths, args.weights.weights.is_empty())
            && rewards::is_candidate(name)?
        {
            let store = open(args.database.clone()).await?;
            return Ok(export::of_search(&store, Which::Candidate(name)).await?);
        }
        return rewards::for_export(&args.paths, &args.weights.weights, &args.database, bench)
            .await;
    }
    ensure!(
        args.weights.weights.is_empty(),
        "--weights is for rewards that are named one by one"
    );
    let store = open(args.database.clone()).await?;
    let which = match &args.ensemble {
        Some(name) => Which::Ensemble(name),
        None => Which::Top(args.top.unwrap_or(1)),
    };
    Ok(export::of_search(&store, which).await?)
}
