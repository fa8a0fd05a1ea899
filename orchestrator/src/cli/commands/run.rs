//! `run`: a search from its configuration, new or continued.

use std::{
    io::{Write as _, stdout},
    path::PathBuf,
    sync::Arc,
};

use super::doctor;
use crate::{
    board::leaderboard::Leaderboard,
    cli::{
        arguments::RunArgs,
        interrupt::{Interrupted, asked_to_stop},
    },
    config::Config,
    search::{Prepared, events::Events},
    store::Store,
    terminal::progress::Progress,
};

pub(super) async fn run(args: RunArgs) -> anyhow::Result<()> {
    let mut config = Config::load(&args.config)?;
    if let Some(seed) = args.seed {
        config.search.seed = seed;
    }
    let (seed, warnings) = (config.search.seed, config.verifier.warnings());
    let database = args
        .database
        .unwrap_or_else(|| PathBuf::from(format!("{}.db", config.search.name)));
    doctor::insist_on_compiler()?;
    let events: Arc<dyn Events> = Arc::new(Progress::to_stderr());
    let prepared = Prepared::of(config, &events).await?;
    if args.plan {
        writeln!(stdout(), "{}", prepared.plan().await?)?;
        return Ok(());
    }
    let opened = prepared.open(&database, Arc::clone(&events)).await?;
    let store = opened.search.context.store.clone();
    for warning in warnings {
        events.line(&format!("warning: {warning}"));
    }
    if opened.record.finished {
        events.line(&format!(
            "{} is finished; this is its result.",
            database.display()
        ));
        return result(store, &database).await;
    }
    let headline = if opened.is_new {
        "Search"
    } else {
        "Continuing the search"
    };
    events.line(&format!(
        "{headline} `{}`, seed {seed}, in {}",
        opened.record.name,
        database.display()
    ));
    tokio::select! {
        ended = opened.run() => { ended?; }
        () = asked_to_stop() => return Err(Interrupted { can_go_on: true }.into()),
    };
    result(store, &database).await
}

/// Prints what came out, and writes all of it into the one file.
async fn result(store: Store, database: &std::path::Path) -> anyhow::Result<()> {
    let mut out = stdout();
    let board = Leaderboard::read(&store).await?;
    store.close().await;
    writeln!(out, "\n{}", board.to_text())?;
    let few = board.distinct().count().min(3);
    let database = database.display();
    writeln!(
        out,
        "source and curve of a reward:  reward-search show NAME --database {database}"
    )?;
    if few > 0 {
        writeln!(
            out,
            "take the best of them with you: reward-search export --top {few} DIR --database {database}"
        )?;
    }
    Ok(())
}
