//! From what a person types to rewards that can be called: files, exported folders, base rewards, and candidates of a search.

use anyhow::{Context as _, anyhow, bail, ensure};
use evaluator::{Conventions, ExtractionConfig};
use sandbox::{Bench, CompileError, CompilerConfig, Language, Limits, Module, Rejection, Source};
use trainer_bridge::{Aggregation, LoadedReward, RewardMember};

use crate::{
    cli::{arguments::DatabaseArg, open::open},
    config::Config,
    domain::{candidate::BASE_PREFIX, draft::Draft},
    reward::{
        base::{base_rewards, compiled},
        export::{Gatherable, Gathered},
        files::{self, FileReward, Guest, Ran},
    },
    stdio::ServedReward,
    terminal::progress::guest_to_stderr,
};

/// The bench of a command: nothing is set up before it is needed.
pub(super) fn bench() -> Bench {
    Bench::with_progress(CompilerConfig::default(), guest_to_stderr())
}

/// Rewards to score with.
pub(super) struct ForScoring {
    /// The rewards, loaded.
    pub(super) loaded: Vec<LoadedReward>,
    /// What is said of them, in the same order.
    pub(super) served: Vec<ServedReward>,
    /// Where answers are looked for.
    pub(super) extraction: ExtractionConfig,
    /// How they became one advantage, where they are several of one export.
    pub(super) aggregation: Option<Aggregation>,
}

/// Finds, compiles and loads the rewards, to score with. `weights` is empty, or has one for each reward found.
pub(super) async fn for_scoring(
    specs: &[String],
    weights: &[f64],
    database: &DatabaseArg,
) -> anyhow::Result<ForScoring> {
    let bench = bench();
    let found = find(specs, weights, (database, &bench)).await?;
    let extraction = extraction(&found)?;
    let aggregation = aggregation(&found).filter(|_| found.len() > 1);
    let (mut loaded, mut served, mut why) = (Vec::new(), Vec::new(), Vec::new());
    for reward in found {
        let (name, limits) = (reward.name.clone(), limits(&reward));
        match load_with_module(&bench, reward) {
            Ok((reward, module)) => {
                served.push(ServedReward::of(&reward, &module, limits));
                loaded.push(reward);
            }
            Err(CompileError::Rejected(rejection)) => why.push((name, rejection)),
            Err(error) => return Err(error.into()),
        }
    }
    if let Some(refusal) = all_refused(&why, &loaded) {
        bail!(refusal);
    }
    Ok(ForScoring {
        loaded,
        served,
        extraction,
        aggregation,
    })
}

/// A reward, or why there is none.
pub(super) struct Named {
    /// Its name, which no other has.
    pub(super) name: String,
    /// What the user typed for it.
    pub(super) spec: String,
    /// Its source, where it is not compiled already.
    pub(super) source: Option<Source>,
    /// What a call of it may use up.
    pub(super) limits: Limits,
    /// The reward, loaded.
    pub(super) loaded: Result<LoadedReward, Rejection>,
}

/// The same one by one: a reward that is refused does not hide the others.
pub(super) async fn each(
    specs: &[String],
    weights: &[f64],
    database: &DatabaseArg,
) -> anyhow::Result<(Vec<Named>, ExtractionConfig)> {
    let bench = bench();
    let (mut found, mut typed) = (Vec::new(), Vec::new());
    for spec in specs {
        let of_spec = find(std::slice::from_ref(spec), &[], (database, &bench)).await?;
        typed.extend(std::iter::repeat_n(spec.clone(), of_spec.len()));
        found.extend(of_spec);
    }
    weigh(&mut found, weights)?;
    distinct(&mut found);
    let extraction = extraction(&found)?;
    let mut rewards = Vec::new();
    for (reward, spec) in found.into_iter().zip(typed) {
        let (name, limits) = (reward.name.clone(), limits(&reward));
        let source = match &reward.guest {
            Guest::Source(source) => Some(source.clone()),
            Guest::Module(_) => None,
        };
        let loaded = match load(&bench, reward) {
            Ok(loaded) => Ok(loaded),
            Err(CompileError::Rejected(rejection)) => Err(rejection),
            Err(CompileError::Host(error)) => return Err(error.into()),
        };
        rewards.push(Named {
            name,
            spec,
            source,
            limits,
            loaded,
        });
    }
    Ok((rewards, extraction))
}

/// The base rewards, loaded side by side: they are most of the time a probe takes.
pub(super) fn base_loaded() -> anyhow::Result<Vec<LoadedReward>> {
    let bench = bench();
    let load = |draft: Draft| {
        let name = draft.name.clone();
        load(&bench, of_base(draft)).map_err(|error| refused(&name, error))
    };
    std::thread::scope(|scope| {
        let threads = base_rewards().map(|draft| scope.spawn(|| load(draft)));
        threads
            .into_iter()
            .map(|thread| thread.join().expect("loading does not panic"))
            .collect()
    })
}

/// Rewards to train with.
pub(super) struct ForTraining {
    /// The rewards.
    pub(super) members: Vec<RewardMember>,
    /// How they become one advantage: as in their export; as in the screening of a candidate, where it is one; else as configured.
    pub(super) aggregation: Aggregation,
    /// Names of the base rewards that the configuration adds to them.
    pub(super) added: Vec<String>,
}

/// Finds, compiles and loads the rewards to train with, under the limits of a configuration and with the base rewards where it adds
/// them.
pub(super) async fn for_training(
    (specs, weights): (&[String], &[f64]),
    config: &Config,
    database: &DatabaseArg,
    bench: &Bench,
) -> anyhow::Result<ForTraining> {
    let mut found = find(specs, weights, (database, bench)).await?;
    let single = found.len() == 1;
    let aggregation = match aggregation(&found) {
        Some(of_export) => of_export,
        None if single => Aggregation::default(),
        None => config.ensemble.aggregation,
    };
    let mut added = Vec::new();
    if config.search.with_base_rewards {
        add_base(&mut found, &mut added);
    }
    let member = |found: FileReward| {
        let FileReward {
            name,
            guest,
            weight,
            ..
        } = found;
        let module = module(bench, guest).map_err(|error| refused(&name, error))?;
        let loaded = bench.load(&module, &config.limits);
        loaded.map_err(|error| refused(&name, error))?;
        Ok(RewardMember {
            name,
            module,
            weight,
        })
    };
    Ok(ForTraining {
        members: found
            .into_iter()
            .map(member)
            .collect::<anyhow::Result<_>>()?,
        aggregation,
        added,
    })
}

/// Whether a person who types this means a candidate of a search.
pub(super) fn is_candidate(spec: &str) -> anyhow::Result<bool> {
    Ok(!spec.starts_with(BASE_PREFIX) && !files::is_named(spec)?)
}

/// Finds and compiles rewards that are to be exported, each with its source where it has one.
pub(super) async fn for_export(
    specs: &[String],
    weights: &[f64],
    database: &DatabaseArg,
    bench: &Bench,
) -> anyhow::Result<Gathered> {
    let found = find(specs, weights, (database, bench)).await?;
    let extraction = extraction(&found)?;
    let aggregation = aggregation(&found).filter(|_| found.len() > 1);
    // One set of limits goes into a manifest.
    let limits = found.first().map(limits).unwrap_or_default();
    let mut members = Vec::new();
    for reward in found {
        let source = match &reward.guest {
            Guest::Source(source) if source.language == Language::Rust => Some(source.clone()),
            _ => None,
        };
        let module = module(bench, reward.guest).map_err(|error| refused(&reward.name, error))?;
        members.push(Gatherable {
            name: reward.name,
            weight: reward.weight,
            module,
            source,
            rationale: String::new(),
            round: 0,
            dev: None,
        });
    }
    Ok(Gathered {
        members,
        aggregation: aggregation.unwrap_or_default(),
        limits,
        extraction,
        conventions: Conventions::default(),
        search: None,
    })
}

async fn find(
    specs: &[String],
    weights: &[f64],
    (database, bench): (&DatabaseArg, &Bench),
) -> anyhow::Result<Vec<FileReward>> {
    let mut found = Vec::new();
    for spec in specs {
        if spec.starts_with(BASE_PREFIX) {
            found.push(base(spec)?);
        } else if let Some(rewards) = files::read(spec, bench)? {
            found.extend(rewards);
        } else {
            found.push(candidate(spec, database).await?);
        }
    }
    weigh(&mut found, weights)?;
    distinct(&mut found);
    Ok(found)
}

fn base(name: &str) -> anyhow::Result<FileReward> {
    let bases = base_rewards();
    let names: Vec<&str> = bases.iter().map(|draft| draft.name.as_str()).collect();
    let missing = format!(
        "there is no base reward `{name}`: expected {}",
        names.join(", ")
    );
    let base = bases.into_iter().find(|draft| draft.name == name);
    Ok(of_base(base.context(missing)?))
}

/// Puts the base rewards that are not there yet before the others, as the search does.
fn add_base(found: &mut Vec<FileReward>, added: &mut Vec<String>) {
    let missing = base_rewards()
        .into_iter()
        .filter(|base| found.iter().all(|reward| reward.name != base.name))
        .map(of_base);
    let missing: Vec<FileReward> = missing.collect();
    added.extend(missing.iter().map(|reward| reward.name.clone()));
    found.splice(..0, missing);
}

fn of_base(base: Draft) -> FileReward {
    FileReward {
        name: base.name,
        guest: Guest::Source(base.source),
        weight: 1.0,
        ran: None,
    }
}

fn weigh(found: &mut [FileReward], weights: &[f64]) -> anyhow::Result<()> {
    ensure!(
        weights.is_empty() || weights.len() == found.len(),
        "--weights has {} numbers for {} rewards ({})",
        weights.len(),
        found.len(),
        names(found),
    );
    ensure!(
        weights.iter().all(|weight| weight.is_finite()),
        "--weights must be finite numbers"
    );
    for (reward, weight) in found.iter_mut().zip(weights) {
        reward.weight = *weight;
    }
    Ok(())
}

/// Names become keys of what is printed: the second `x` is called `x-2`.
fn distinct(found: &mut [FileReward]) {
    for i in 1..found.len() {
        let (before, rest) = found.split_at_mut(i);
        let taken = |name: &str| before.iter().any(|reward| reward.name == name);
        if taken(&rest[0].name) {
            let wish = rest[0].name.clone();
            rest[0].name = (2..)
                .map(|n| format!("{wish}-{n}"))
                .find(|name| !taken(name))
                .expect("there are more numbers than names");
        }
    }
}

/// Where answers are looked for: as in the search that the rewards come from, or in any usual form.
fn extraction(found: &[FileReward]) -> anyhow::Result<ExtractionConfig> {
    let mut known = found
        .iter()
        .filter_map(|reward| Some((reward, &reward.ran.as_ref()?.extraction)));
    let Some((first, extraction)) = known.next() else {
        return Ok(ExtractionConfig::default());
    };
    if let Some((other, _)) = known.find(|(_, other)| *other != extraction) {
        bail!(
            "`{}` and `{}` come from searches that looked for answers in different places: score them one by one",
            first.name,
            other.name
        );
    }
    Ok(extraction.clone())
}

/// How the members of an export became one advantage, where all of them come from one.
fn aggregation(found: &[FileReward]) -> Option<Aggregation> {
    let of = |reward: &FileReward| reward.ran.as_ref()?.aggregation;
    let first = of(found.first()?)?;
    found
        .iter()
        .all(|reward| of(reward) == Some(first))
        .then_some(first)
}

fn names(found: &[FileReward]) -> String {
    let names: Vec<&str> = found.iter().map(|reward| reward.name.as_str()).collect();
    names.join(", ")
}

/// A candidate of the search in a database, as it was screened.
async fn candidate(name: &str, database: &DatabaseArg) -> anyhow::Result<FileReward> {
    let store = open(database.clone()).await.with_context(|| {
        format!("`{name}` is neither a file nor a base reward, and as a candidate's name it needs a database (several weights are separated by commas)")
    })?;
    let search = store.search().await?;
    let candidate = store.candidate(search.id, name).await?;
    let config: Config = serde_json::from_str(&search.config)?;
    let status = &candidate.status;
    let wasm = store.wasm(candidate.id).await?.with_context(|| {
        let reason = status.reason().unwrap_or_default();
        format!("`{name}` was {status}: {reason}")
    })?;
    Ok(FileReward {
        name: candidate.draft.name,
        guest: Guest::Module(Module::from_bytes(wasm)),
        weight: 1.0,
        ran: Some(Ran {
            extraction: config.task.extraction(),
            limits: config.limits,
            aggregation: None,
            is_own: true,
        }),
    })
}

fn refused(name: &str, error: CompileError) -> anyhow::Error {
    match error {
        CompileError::Rejected(rejection) => anyhow!("{name} is refused: {rejection}"),
        CompileError::Host(error) => error.into(),
    }
}

/// All that is in the way, and which of the rewards would go without the others.
fn all_refused(why: &[(String, Rejection)], loaded: &[LoadedReward]) -> Option<String> {
    let lines: Vec<String> = why
        .iter()
        .map(|(name, rejection)| format!("{name} is refused: {rejection}"))
        .collect();
    let good: Vec<&str> = loaded.iter().map(|reward| &*reward.name).collect();
    match (lines.len(), good.is_empty()) {
        (0, _) => None,
        (1, true) => lines.into_iter().next(),
        (_, true) => Some(lines.join("\n  ")),
        (_, false) => Some(format!(
            "{}\n  without trouble: {}",
            lines.join("\n  "),
            good.join(", ")
        )),
    }
}

fn module(bench: &Bench, guest: Guest) -> Result<Module, CompileError> {
    match guest {
        Guest::Module(module) => Ok(module),
        Guest::Source(source) => match compiled(&source) {
            Some(module) => Ok(module),
            None => bench.compile(&source),
        },
    }
}

/// What a call of a reward may use up: as where it was run, if that is its user's own database. A manifest may be a stranger's: what it
/// asks for is granted up to the defaults.
fn limits(reward: &FileReward) -> Limits {
    let Some(ran) = &reward.ran else {
        return Limits::default();
    };
    if ran.is_own {
        return ran.limits.clone();
    }
    let granted = ran.limits.at_most(&Limits::default());
    if granted != ran.limits {
        tracing::warn!(
            "the manifest of `{}` asks for more than the default limits; it gets those",
            reward.name
        );
    }
    granted
}

fn load(bench: &Bench, reward: FileReward) -> Result<LoadedReward, CompileError> {
    load_with_module(bench, reward).map(|(loaded, _)| loaded)
}

fn load_with_module(
    bench: &Bench,
    reward: FileReward,
) -> Result<(LoadedReward, Module), CompileError> {
    let limits = limits(&reward);
    let module = module(bench, reward.guest)?;
    let loaded = LoadedReward {
        name: reward.name,
        weight: reward.weight,
        reward: bench.load(&module, &limits)?,
    };
    Ok((loaded, module))
}
