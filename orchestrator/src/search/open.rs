//! From a configuration to a search that can be run: what a command and any other face of the program share.
//!
//! Everything that can be wrong with the input is found while a search is prepared, before there is a database.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use evaluator::Split;
use sandbox::{Bench, CompilerConfig, FileGuard, HostError};
use trainer_bridge::{Scoring, TrainError, Trainer};

use super::{
    Search, SearchError, StopReason,
    account::Account,
    checkpoints::TrialFolders,
    context::Context,
    events::Events,
    first_look,
    job::Jobs,
    plan::{self, Plan},
    room::{self, NoRoom},
    runner::TrialRunner,
    takeover::Earlier,
};
use crate::{
    config::Config,
    data::{
        hub::{Hub, HubError},
        task::{Task, TaskError},
    },
    domain::{difference::Difference, draft::Draft, seed::derive_seed},
    judge::{Judge, Judges, VerifierError},
    proposer::{
        self, Background, Brief, ProposeError, Proposer, ProposerConfig, RequestSize,
        chat::ChatConfig,
        replay::{Rehearsal, Replay, is_database},
    },
    reward::{
        files::NoReward,
        maker::{ProbeSamples, RewardMaker},
        seeds,
    },
    store::{Begun, SearchRecord, Store, StoreError, WriterLock},
};

/// Why a search cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The questions of its task.
    #[error(transparent)]
    Task(#[from] TaskError),
    /// The model of its trainer.
    #[error(transparent)]
    Hub(#[from] HubError),
    /// The trainer.
    #[error(transparent)]
    Train(#[from] TrainError),
    /// The proposer.
    #[error(transparent)]
    Propose(#[from] ProposeError),
    /// A seed reward.
    #[error(transparent)]
    Seed(#[from] NoReward),
    /// Who judges answers.
    #[error(transparent)]
    Judge(#[from] VerifierError),
    /// The compiler or the sandbox.
    #[error(transparent)]
    Host(#[from] HostError),
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// There is no room where the database is to be.
    #[error("{0}")]
    Room(#[from] NoRoom),
    /// Only a new search can take another one over.
    #[error(
        "{database} holds a search already, and {from} cannot be taken over into it: name a new file with --database"
    )]
    NotNew {
        /// The file.
        database: PathBuf,
        /// The search that was to be taken over.
        from: PathBuf,
    },
}

/// Said once, at the start of a search.
const UNGUARDED: &str = "This system has no landlock: while a reward in Rust is compiled, only a check of its source keeps the compiler from reading your files. Rewards in Python are not affected. Do not try Rust from strangers here.";

/// A search before it has a database.
pub struct Prepared {
    config: Config,
    task: Task,
    trainer: Arc<dyn Trainer>,
    judge: Judge,
    maker: RewardMaker,
    /// Without its key it can plan, and cannot search.
    proposer: Result<Arc<dyn Proposer>, OpenError>,
    seeds: Result<Vec<Draft>, NoReward>,
}

/// A search with its database, which is locked for others as long as this lives.
pub struct Opened {
    /// The search, to be run.
    pub search: Search,
    /// What the database says of it.
    pub record: SearchRecord,
    /// Whether it begins now.
    pub is_new: bool,
    /// Settings that were changed since the last sitting.
    pub changed: Vec<Difference>,
    _lock: WriterLock,
}

impl Search {
    /// Opens the search of a configuration in a database, which is made if need be.
    ///
    /// # Errors
    /// See [`OpenError`]; an existing database that belongs to something else is left as it is.
    pub async fn open(
        config: Config,
        database: &Path,
        events: Arc<dyn Events>,
    ) -> Result<Opened, OpenError> {
        let prepared = Prepared::of(config, &events).await?;
        prepared.open(database, None, events).await
    }
}

impl Prepared {
    /// Loads and checks what a configuration names.
    ///
    /// # Errors
    /// See [`OpenError`].
    pub async fn of(config: Config, events: &Arc<dyn Events>) -> Result<Self, OpenError> {
        let seed = config.search.seed;
        let task = Task::load(&config.task, seed)?;
        config.insist_on_problems(&task)?;
        for note in task.notes() {
            events.line(&format!("warning: {note}"));
        }
        config.trainer.check()?;
        let model = Hub::from_env().resolve(&config.trainer).await?;
        let judge = config.judge().open()?;
        let told = Arc::clone(events);
        let guest: sandbox::Progress = Arc::new(move |line| told.line(line));
        let bench = Bench::with_progress(CompilerConfig::default(), guest);
        if !FileGuard::here().holds() {
            events.line(UNGUARDED);
        }
        let scoring = Scoring {
            bench: bench.clone(),
            judges: Arc::new(Judges::sharing(&config.judge(), judge.clone())),
        };
        let trainer = trainer_bridge::build(&model, scoring)?;
        let jobs = Jobs {
            config: &config,
            task: &task,
        };
        plan::check_prompts(jobs, &*trainer).await?;
        let proposer = proposer_of(&config.proposer).await;
        let unasked = config.judge().unasked().open()?.of_rollouts();
        let samples = ProbeSamples::of(&task, derive_seed(seed, "probe"), &*unasked);
        let samples = samples.map_err(TrainError::from)?;
        Ok(Self {
            seeds: seeds::drafts(&config.search.seed_rewards, &bench),
            maker: RewardMaker::new(bench, config.limits.clone(), samples)?,
            config,
            task,
            trainer,
            judge,
            proposer,
        })
    }

    /// What the search is going to do, and how long it will take on this machine.
    ///
    /// # Errors
    /// As a trial.
    pub async fn plan(&self) -> Result<Plan, SearchError> {
        let jobs = Jobs {
            config: &self.config,
            task: &self.task,
        };
        let measured = plan::measure(jobs, &*self.trainer, &self.maker).await?;
        let plan = Plan::of(&self.config, Some(measured.pace));
        Ok(match &self.proposer {
            Ok(proposer) => plan.with_requests(&self.config, first_request(jobs, &**proposer)),
            Err(_) => plan,
        })
    }

    /// Why the search cannot begin, if that is so (nothing can be proposed, a seed reward cannot be read): what a plan says beside its figures.
    #[must_use]
    pub fn hindrance(&self) -> Option<String> {
        let proposer = self.proposer.as_ref().err().map(ToString::to_string);
        proposer.or_else(|| self.seeds.as_ref().err().map(ToString::to_string))
    }

    /// Begins the search in a database, or finds it there. A new one takes over the search in the database `from`, if one is named.
    ///
    /// # Errors
    /// If a seed reward cannot be read, or a database cannot be used; see [`StoreError`].
    pub async fn open(
        self,
        database: &Path,
        from: Option<&Path>,
        events: Arc<dyn Events>,
    ) -> Result<Opened, OpenError> {
        let Self {
            config,
            task,
            trainer,
            judge,
            maker,
            proposer,
            mut seeds,
        } = self;
        let mut proposer = proposer?;
        if !database.exists() {
            seeds = Ok(seeds?);
        }
        // Looked at before there is a new database.
        let named = match from {
            Some(from) => Some(Earlier::read(from).await?),
            None => None,
        };
        room::check(database)?;
        let (store, lock) = Store::create_or_open(database).await?;
        let begun = store
            .begin(
                &config.search.name,
                &config.resolved(),
                &trainer.describe().base_model,
                config.search.seed,
            )
            .await?;
        let (is_new, mut record, changed) = match begun {
            Begun::New(record) => (true, record, Vec::new()),
            Begun::Continued(record) => (false, record, Vec::new()),
            Begun::Changed(record, changed) => (false, record, changed),
        };
        // Once the first round is stored, so are its seeds; their files may be gone.
        let seeds = if store.round_is_proposed(record.id, 1).await? {
            Vec::new()
        } else {
            seeds?
        };
        let earlier = match (from, named) {
            (Some(from), Some(_)) if !is_new && record.begun_from.as_deref() != Some(from) => {
                return Err(OpenError::NotNew {
                    database: database.to_owned(),
                    from: from.to_owned(),
                });
            }
            (Some(from), Some(named)) => {
                store.begin_from(record.id, from).await?;
                record.begun_from = Some(from.to_owned());
                Some(named)
            }
            _ => match &record.begun_from {
                Some(from) if !record.finished => Some(Earlier::read(from).await?),
                _ => None,
            },
        };
        if let Some(earlier) = &earlier {
            proposer = earlier.before(&seeds, proposer).await?;
        }
        let judge = judge.remembering(store.clone()).await?;
        let account = Account::open(&store, record.id, &config.search).await?;
        let context = Arc::new(Context {
            config,
            store,
            id: record.id,
            task,
            events,
        });
        let runner = TrialRunner {
            context: Arc::clone(&context),
            trainer,
            judge,
            bench: maker.bench().clone(),
            folders: TrialFolders::beside(database),
            earlier,
        };
        Ok(Opened {
            search: Search {
                context,
                proposer,
                maker,
                runner,
                account,
                seeds,
            },
            record,
            is_new,
            changed,
            _lock: lock,
        })
    }
}

impl Opened {
    /// Says what is going to be done, if the search begins now, and runs it to its end.
    ///
    /// # Errors
    /// See [`SearchError`]; the database stays resumable.
    pub async fn run(&self) -> Result<StopReason, SearchError> {
        let Search {
            context,
            maker,
            runner,
            ..
        } = &self.search;
        if self.is_new {
            let (jobs, proposer) = (context.jobs(), &*self.search.proposer);
            let measured = plan::measure(jobs, &*runner.trainer, maker).await?;
            let plan = Plan::of(&context.config, Some(measured.pace));
            let plan = plan.with_requests(&context.config, first_request(jobs, proposer));
            context.events.line(&plan.to_string());
            let looked = first_look::look(jobs, &*runner.trainer).await?;
            let limit = context.config.grpo.max_completion_length;
            if let Some(warning) = looked.warning(measured.cut, limit) {
                context.events.line(&warning);
            }
        }
        self.search.run().await
    }
}

/// About what the first request for drafts will take.
fn first_request(jobs: Jobs<'_>, proposer: &dyn Proposer) -> Option<RequestSize> {
    let seed = derive_seed(jobs.config.search.seed, "plan");
    proposer.request_size(Brief {
        round: 1,
        count: jobs.config.search.candidates_per_round,
        seed,
        history: &[],
        problems: &jobs.task.problems(Split::Train, 20, seed),
        format_hint: jobs.task.format_hint(),
        background: Background::NONE,
    })
}

/// The proposer a configuration asks for; the recording of an earlier search is read here, where the store is known.
async fn proposer_of(config: &ProposerConfig) -> Result<Arc<dyn Proposer>, OpenError> {
    match config {
        ProposerConfig::Replay(replay) if is_database(&replay.path).unwrap_or(false) => {
            let earlier = Store::read(&replay.path).await?;
            let record = earlier.search().await?;
            if let Some(chat) = chat_of(&record.config) {
                let exchanges = earlier.whole_exchanges(record.id).await?;
                return Ok(Arc::new(Rehearsal::new(&chat, exchanges)?));
            }
            Ok(Arc::new(Replay::by_round(earlier.drafts_by_round().await?)))
        }
        _ => Ok(proposer::build(config)?),
    }
}

/// The settings of the language model that a stored configuration asks, if it asks one.
fn chat_of(config: &str) -> Option<ChatConfig> {
    let mut config: serde_json::Value = serde_json::from_str(config).ok()?;
    match serde_json::from_value(config.get_mut("proposer")?.take()).ok()? {
        ProposerConfig::Chat(chat) => Some(*chat),
        _ => None,
    }
}
