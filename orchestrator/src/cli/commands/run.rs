//! `run`: a search from its configuration, new or continued.

use std::{
    io::{Write as _, stdout},
    path::PathBuf,
    sync::{Arc, Mutex},
};

use crate::{
    board::leaderboard::Leaderboard,
    cli::{
        arguments::RunArgs,
        interrupt::{Interrupted, asked_to_stop},
    },
    config::Config,
    data::{hub::Hub, task::Task},
    domain::{draft::Draft, seed::derive_seed},
    judge::Verifier,
    proposer::{
        self, Proposer, ProposerConfig,
        replay::{Replay, is_database},
    },
    reward::{seeds, workshop::Workshop},
    search::{
        Search, SearchError,
        events::Events,
        plan::{self, Plan},
        runner::Screen,
    },
    store::{Begun, Store},
    terminal::progress::{Progress, guest_to_stderr},
};

pub(super) async fn run(args: RunArgs) -> anyhow::Result<()> {
    let mut config = Config::load(&args.config)?;
    if let Some(seed) = args.seed {
        config.search.seed = seed;
    }
    let database = args
        .database
        .unwrap_or_else(|| PathBuf::from(format!("{}.db", config.search.name)));
    let seed = config.search.seed;

    // Everything that can be wrong with the input is found before a database is made.
    let task = Task::load(&config.task, seed)?;
    config.trainer.check()?;
    let trainer = trainer_bridge::build(&Hub::from_env().resolve(&config.trainer).await?)?;
    plan::check_prompts(&config, &task, &*trainer)?;
    let proposer = proposer_of(&config.proposer).await?;
    let mut seeds = seeds::drafts(&config.search.seed_rewards);
    if !database.exists() {
        seeds = Ok(seeds?);
    }
    let verifier = Verifier::new(&config.verifier, task.judge().clone())?;
    let workshop = Workshop::new(
        config.limits.clone(),
        &task,
        derive_seed(seed, "probe"),
        guest_to_stderr(),
    )?;

    if args.plan {
        let pace = plan::measure(&config, &task, &*trainer, &workshop).await?;
        writeln!(stdout(), "{}", Plan::of(&config, Some(pace)))?;
        return Ok(());
    }

    let (store, _lock) = Store::create_or_open(&database).await?;
    let begun = store
        .begin(
            &config.search.name,
            &config.identity(),
            &trainer.base_model(),
            seed,
        )
        .await?;
    let progress: Arc<dyn Events> = Arc::new(Progress::to_stderr());
    let (is_new, record) = match begun {
        Begun::New(record) => (true, record),
        Begun::Continued(record) => (false, record),
    };
    for warning in config.verifier.warnings() {
        progress.line(&format!("warning: {warning}"));
    }
    let screen = Screen {
        search: record.id,
        config,
        store: store.clone(),
        task,
        verifier: verifier.remembering(store.clone()).await?,
        trainer,
        workshop,
        progress,
        loaded: Mutex::default(),
    };
    // Once the first round is stored, so are its seeds; their files may be gone.
    let seeds = if store.round_is_proposed(record.id, 1).await? {
        Vec::new()
    } else {
        seeds?
    };
    if record.finished {
        screen.progress.line(&format!(
            "{} is finished; this is its result.",
            database.display()
        ));
        return result(store, &database).await;
    }
    let headline = if is_new {
        "Search"
    } else {
        "Continuing the search"
    };
    screen.progress.line(&format!(
        "{headline} `{}`, seed {seed}, in {}",
        record.name,
        database.display()
    ));
    tokio::select! {
        ended = carry_out(screen, proposer, seeds, is_new) => ended?,
        () = asked_to_stop() => return Err(Interrupted { can_go_on: true }.into()),
    };
    result(store, &database).await
}

async fn carry_out(
    screen: Screen,
    proposer: Arc<dyn Proposer>,
    seeds: Vec<Draft>,
    is_new: bool,
) -> Result<(), SearchError> {
    if is_new {
        let Screen {
            config,
            task,
            trainer,
            workshop,
            ..
        } = &screen;
        let pace = plan::measure(config, task, &**trainer, workshop).await?;
        screen
            .progress
            .line(&Plan::of(config, Some(pace)).to_string());
    }
    let search = Search {
        screen,
        proposer,
        seeds,
    };
    search.run().await?;
    Ok(())
}

/// The proposer a configuration asks for; the recording of an earlier search is read here, where the store is known.
async fn proposer_of(config: &ProposerConfig) -> anyhow::Result<Arc<dyn Proposer>> {
    match config {
        ProposerConfig::Replay(replay) if is_database(&replay.path).unwrap_or(false) => {
            let earlier = Store::read(&replay.path).await?;
            Ok(Arc::new(Replay::by_round(earlier.drafts_by_round().await?)))
        }
        _ => Ok(proposer::build(config)?),
    }
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
