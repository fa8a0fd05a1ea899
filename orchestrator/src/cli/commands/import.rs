//! `import`: an export brought back as seeds of a search.

use std::io::{Write as _, stdout};

use anyhow::{Context as _, ensure};

use super::rewards;
use crate::{cli::arguments::ImportArgs, reward::export};

pub(super) fn run(args: &ImportArgs) -> anyhow::Result<()> {
    let folder = args.dir.display();
    let imported = export::import(&args.dir, &rewards::bench())
        .with_context(|| format!("{folder} cannot be imported"))?;
    ensure!(
        !imported.is_empty(),
        "{folder} holds base rewards alone, which every search has"
    );
    let mut out = stdout();
    for reward in &imported {
        let what = match (&reward.compiled, reward.is_the_same()) {
            (Some(_), true) => "the same bytes as were screened",
            (Some(_), false) => {
                "compiled anew to other bytes: another compiler or another version of this program made those that were screened"
            }
            (None, _) => {
                "exported without its source: `score` and `train` take it, a search cannot"
            }
        };
        writeln!(out, "{}  sha-256 {}  {what}", reward.name, reward.sha256)?;
    }
    if imported.iter().all(|reward| reward.source.is_some()) {
        let absolute = std::path::absolute(&args.dir)?;
        writeln!(
            out,
            "\nIn a search's configuration they are seeds, which enter the first round:\n\n[search]\nseed_rewards = [{:?}]",
            absolute.display().to_string()
        )?;
    }
    Ok(())
}
