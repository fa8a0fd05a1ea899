//! `run`: a search from its configuration, new or continued.

use std::{
    io::{Write as _, stdout},
    path::PathBuf,
    sync::Arc,
};

use anyhow::Context as _;
use sandbox::build_guest;

use super::doctor;
use crate::{
    board::{leaderboard::Leaderboard, pace::Pace},
    cli::{
        arguments::RunArgs,
        interrupt::{Interrupted, asked_to_stop},
    },
    config::Config,
    search::{Prepared, Search, events::Events},
    tensorboard::Tensorboard,
    terminal::{
        leaderboard::SHOWN,
        progress::{self, Progress},
        screen::Screen,
    },
};

pub(super) async fn run(args: RunArgs, quiet: bool) -> anyhow::Result<()> {
    let mut config = Config::load(&args.config)?;
    if let Some(seed) = args.seed {
        config.search.seed = seed;
    }
    let (seed, warnings) = (config.search.seed, config.warnings());
    let database = args
        .database
        .unwrap_or_else(|| PathBuf::from(format!("{}.db", config.search.name)));
    if config.proposer.writes_rust() {
        doctor::insist_on_compiler()?;
    }
    let events: Arc<dyn Events> = Arc::new(if quiet {
        Progress::silent()
    } else {
        Progress::to_stderr()
    });
    let events = match &config.log.tensorboard {
        Some(folder) => Arc::new(Tensorboard::new(folder.clone(), events)),
        None => events,
    };
    let wants_python = doctor::wants_python(&config);
    let prepared = Prepared::of(config, &events).await?;
    if args.plan {
        writeln!(stdout(), "{}", prepared.plan().await?)?;
        if let Some(why) = prepared.hindrance() {
            writeln!(stdout(), "  but       {why}")?;
        }
        return Ok(());
    }
    if wants_python {
        let build = || build_guest(&progress::guest_to_stderr());
        let built = tokio::task::spawn_blocking(build).await;
        built.context("the build of the Python guest broke off")??;
    }
    let from = args.from.as_deref();
    let opened = prepared.open(&database, from, Arc::clone(&events)).await?;
    for warning in warnings {
        events.line(&format!("warning: {warning}"));
    }
    if let Some(from) = &opened.record.begun_from {
        events.line(&format!(
            "taking over from {}: its rounds are proposed again, and trials that are asked for in just the same way are not trained again",
            from.display()
        ));
    }
    for change in &opened.changed {
        events.line(&format!("changed: {change}"));
    }
    if opened.record.finished {
        events.line(&format!(
            "{} is finished; this is its result.",
            database.display()
        ));
        return result(opened.search, &database).await;
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
    if !opened.is_new {
        let store = &opened.search.context.store;
        let snapshot = store.snapshot().await?;
        let pace = Pace::read(store, &snapshot, true).await?;
        events.line(&pace.to_string());
    }
    tokio::select! {
        ended = opened.run() => { ended?; }
        () = asked_to_stop() => return Err(Interrupted { can_go_on: true }.into()),
    };
    result(opened.search, &database).await
}

/// Prints what came out, and writes all of it into the one file.
async fn result(search: Search, database: &std::path::Path) -> anyhow::Result<()> {
    let mut out = stdout();
    let store = search.context.store.clone();
    let board = Leaderboard::read(&store).await?;
    let spent = search.account.spent();
    store.close().await;
    writeln!(out, "\n{}", board.to_text(&Screen::of_stdout(), SHOWN))?;
    if spent.requests > 0 {
        writeln!(out, "asked language models:          {spent}")?;
    }
    if let Some(nothing) = board.nothing_found() {
        return Err(nothing.into());
    }
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
