//! `doctor`: what this machine has of all that a search needs, and the one command that adds what is missing.

use std::io::{Write as _, stdout};

use evaluator::Split;
use sandbox::{Environment, FileGuard, Language, inspect_host};
use serde::Serialize;

use crate::{
    cli::arguments::{DoctorArgs, Format},
    config::Config,
    data::{
        config::{JsonlConfig, TaskConfig},
        gsm8k::gsm8k_folder,
        hub::Hub,
        table::Table as Rows,
    },
    judge::{
        Metric,
        endpoint::{EndpointConfig, key_name},
    },
    proposer::ProposerConfig,
    terminal::table::{Column::Text, Table},
    text::one_line,
};

/// What was found.
#[derive(Debug, Serialize)]
struct Examination {
    /// Whether nothing that is needed is missing.
    ready: bool,
    checks: Vec<Check>,
}

/// One thing that was looked at.
#[derive(Debug, PartialEq, Eq, Serialize)]
struct Check {
    /// What it is.
    name: &'static str,
    state: State,
    /// Where it is, or why it is not there.
    found: String,
    /// What to type so that it is there; absent where there is nothing to do.
    #[serde(skip_serializing_if = "Option::is_none")]
    mend: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum State {
    /// It is there.
    Ready,
    /// It is not there, and nothing that was asked about needs it.
    Unused,
    /// It is not there, and it is needed.
    Missing,
}

impl Check {
    fn ready(name: &'static str, found: impl Into<String>) -> Self {
        Self {
            name,
            state: State::Ready,
            found: found.into(),
            mend: None,
        }
    }

    /// Something that is not there; `needed` says whether it should be.
    fn absent(name: &'static str, needed: bool, found: impl Into<String>, mend: String) -> Self {
        Self {
            name,
            state: if needed {
                State::Missing
            } else {
                State::Unused
            },
            found: found.into(),
            mend: Some(mend),
        }
    }
}

/// Refuses what a search cannot do without whose proposer writes Rust: a program copied to a machine without rustc says so before anything is fetched or run.
///
/// # Errors
/// [`Unready`], with what is missing and what to type.
pub(super) fn insist_on_compiler() -> Result<(), Unready> {
    let checks = compiler(&inspect_host());
    match checks
        .into_iter()
        .find(|check| check.state == State::Missing)
    {
        Some(Check { found, mend, .. }) => Err(Unready {
            found,
            mend: mend.unwrap_or_default(),
        }),
        None => Ok(()),
    }
}

/// What a search needs is not there.
#[derive(Debug, thiserror::Error)]
#[error("{found}; to add it: `{mend}` (`reward-search doctor` shows all that is needed)")]
pub(super) struct Unready {
    found: String,
    mend: String,
}

/// Something that is needed is missing; what it is was printed.
#[derive(Debug, thiserror::Error)]
#[error("{0} of what is needed is missing")]
pub(super) struct NotReady(usize);

pub(super) fn run(args: DoctorArgs) -> anyhow::Result<()> {
    let config = args.config.as_deref().map(Config::load).transpose()?;
    let checks = examine(config.as_ref());
    let missing = checks
        .iter()
        .filter(|check| check.state == State::Missing)
        .count();
    let examination = Examination {
        ready: missing == 0,
        checks,
    };
    let mut out = stdout();
    match args.format {
        Format::Table => write!(out, "{}", examination.to_text())?,
        Format::Json => writeln!(out, "{}", serde_json::to_string_pretty(&examination)?)?,
        Format::Markdown => writeln!(out, "{}", examination.table().to_markdown())?,
        Format::Csv => write!(out, "{}", examination.table().to_csv()?)?,
    }
    match missing {
        0 => Ok(()),
        _ => Err(NotReady(missing).into()),
    }
}

impl Examination {
    fn table(&self) -> Table {
        let mut table = Table::new(&[Text("what"), Text("state"), Text("found")]);
        for check in &self.checks {
            let state = match check.state {
                State::Ready => "ready",
                State::Unused => "-",
                State::Missing => "MISSING",
            };
            let found = one_line(&check.found, 160);
            table.push(vec![check.name.to_owned(), state.to_owned(), found]);
        }
        table
    }

    /// The table, and below it what to type for what is not there.
    fn to_text(&self) -> String {
        let mut text = self.table().to_text();
        text.push('\n');
        for (heading, state) in [
            ("To add what is missing:", State::Missing),
            ("To add the rest, should you want it:", State::Unused),
        ] {
            let absent = self.checks.iter().filter(|check| check.state == state);
            let lines: Vec<String> = absent
                .filter_map(|check| Some(format!("  {}: {}\n", check.name, check.mend.as_ref()?)))
                .collect();
            if !lines.is_empty() {
                text += &format!("\n{heading}\n{}", lines.concat());
            }
        }
        text
    }
}

/// Looks at everything; a configuration says what is needed.
fn examine(config: Option<&Config>) -> Vec<Check> {
    let host = inspect_host();
    let mut checks = compiler(&host);
    checks.extend([
        guard(host.file_guard),
        python_guest(&host, config.is_some_and(wants_python)),
        caches(&host),
    ]);
    checks.push(gpu(config));
    checks.extend(config.and_then(model));
    checks.push(data(config));
    checks.extend(config.and_then(metric));
    if let Some(config) = config {
        checks.extend(endpoints(config).iter().filter_map(key));
    }
    checks
}

/// rustc and its WebAssembly target, which every search needs: base rewards and the grammar's are in Rust.
fn compiler(host: &Environment) -> Vec<Check> {
    const RUSTC: &str = "rustc";
    const TARGET: &str = "WebAssembly target";
    match &host.rustc {
        Err(why) => {
            let mend = match std::env::var_os("REWARD_SEARCH_RUSTC") {
                Some(_) => "unset REWARD_SEARCH_RUSTC",
                None => {
                    "curl --proto '=https' --tlsv1.2 -sSf https://sh.rustup.rs | sh -s -- -y --target wasm32-unknown-unknown"
                }
            };
            vec![Check::absent(RUSTC, true, why, mend.to_owned())]
        }
        Ok(rustc) => {
            let found = format!("{} at {}", rustc.version, rustc.program.display());
            let sysroot = rustc.sysroot.display();
            let target = match &rustc.missing_target {
                None => Check::ready(TARGET, format!("in {sysroot}")),
                Some(mend) => {
                    Check::absent(TARGET, true, format!("not in {sysroot}"), mend.clone())
                }
            };
            vec![Check::ready(RUSTC, found), target]
        }
    }
}

/// What keeps rustc from the user's files. A search runs without it, too.
fn guard(guard: FileGuard) -> Check {
    let found = match guard {
        FileGuard::Landlock => "landlock keeps rustc from your files",
        FileGuard::OlderLandlock => {
            "an older landlock keeps rustc from your files, but not from every way out"
        }
        FileGuard::Nothing => {
            "this system has no landlock: rustc is kept from nothing but your environment (sandbox/SECURITY.md)"
        }
    };
    Check {
        name: "landlock",
        state: if guard.holds() {
            State::Ready
        } else {
            State::Unused
        },
        found: found.to_owned(),
        mend: None,
    }
}

fn python_guest(host: &Environment, needed: bool) -> Check {
    let name = "Python guest";
    let mend = "reward-search guest build".to_owned();
    match &host.python_guest {
        Ok(guest) if guest.ready => Check::ready(name, guest.component.display().to_string()),
        Ok(_) => Check::absent(name, needed, "not built", mend),
        Err(why) => Check::absent(name, needed, why, mend),
    }
}

fn caches(host: &Environment) -> Check {
    let name = "caches";
    let mend = "export REWARD_SEARCH_CACHE=\"$HOME/.cache/reward-search\"".to_owned();
    match &host.cache {
        Err(why) => Check::absent(name, true, why, mend),
        Ok(cache) => match &cache.distrust {
            Some(why) => Check::absent(
                name,
                true,
                why,
                format!("chmod go-w {}", cache.path.display()),
            ),
            None => Check::ready(name, cache.path.display().to_string()),
        },
    }
}

/// What computes: of a configuration whether its devices are there, else what this program was built for.
fn gpu(config: Option<&Config>) -> Check {
    let features = [
        ("cuda", cfg!(feature = "cuda")),
        ("metal", cfg!(feature = "metal")),
        ("mkl", cfg!(feature = "mkl")),
        ("accelerate", cfg!(feature = "accelerate")),
    ];
    let built: Vec<&str> = features
        .iter()
        .filter_map(|(name, built)| built.then_some(*name))
        .collect();
    let built = match built.as_slice() {
        [] => "built without GPU features; the processor computes".to_owned(),
        _ => format!("built with {}", built.join(", ")),
    };
    match config.map(|config| (config.trainer.check(), config.trainer.remedy())) {
        Some((Err(why), remedy)) => Check::absent(
            "devices",
            true,
            format!("{why} ({built})"),
            remedy.to_owned(),
        ),
        Some((Ok(()), _)) | None => Check::ready("devices", built),
    }
}

/// A model of the hub: whether it was fetched. The search fetches it by itself.
fn model(config: &Config) -> Option<Check> {
    let hub = Hub::from_env();
    let (id, cached) = hub.lookup(&config.trainer)?;
    Some(match cached {
        Some(folder) => Check::ready("model", folder.display().to_string()),
        None => Check::absent(
            "model",
            hub.offline,
            format!(
                "{id} is not in {}; a search downloads it",
                hub.cache.display()
            ),
            "HF_HUB_OFFLINE=0 reward-search run CONFIG --plan".to_owned(),
        ),
    })
}

fn data(config: Option<&Config>) -> Check {
    let gsm8k = config.and_then(|config| match &config.task {
        TaskConfig::Toy(_) | TaskConfig::Jsonl(_) => None,
        TaskConfig::Gsm8k(gsm8k) => Some(gsm8k),
    });
    if let Some((TaskConfig::Jsonl(jsonl), seed)) =
        config.map(|config| (&config.task, config.search.seed))
    {
        return table(jsonl, seed);
    }
    let folder = match gsm8k.and_then(|gsm8k| gsm8k.path.clone()) {
        Some(folder) => Ok(folder),
        None => gsm8k_folder(),
    };
    let mend = "reward-search data fetch gsm8k".to_owned();
    let needed = gsm8k.is_some();
    match folder {
        Ok(folder)
            if ["train.jsonl", "test.jsonl"]
                .iter()
                .all(|file| folder.join(file).is_file()) =>
        {
            Check::ready("data: gsm8k", folder.display().to_string())
        }
        Ok(folder) => {
            let mend = match gsm8k.and_then(|gsm8k| gsm8k.path.as_ref()) {
                Some(named) => format!("{mend} --dir {}", named.display()),
                None => mend,
            };
            Check::absent(
                "data: gsm8k",
                needed,
                format!("not in {}", folder.display()),
                mend,
            )
        }
        Err(why) => Check::absent("data: gsm8k", needed, why.to_string(), mend),
    }
}

/// A data set of one's own: whether its rows can be read, and how many there are.
fn table(config: &JsonlConfig, seed: u64) -> Check {
    let name = "data: rows";
    match Rows::load(config, seed) {
        Ok(table) => {
            let of = |split| table.dataset.problems(split).len();
            let counts = format!(
                "{} to train on, {} to rank on, {} to confirm on",
                of(Split::Train),
                of(Split::Dev),
                of(Split::Test)
            );
            let told = std::iter::once(counts).chain(table.notes);
            Check::ready(name, told.collect::<Vec<_>>().join("; "))
        }
        Err(why) => Check::absent(
            name,
            true,
            why.to_string(),
            "docs/tasks.md says what is read".to_owned(),
        ),
    }
}

/// A metric of one's own: whether it is taken, and has the function that is named.
fn metric(config: &Config) -> Option<Check> {
    let file = config.task.metric()?.file();
    let (name, mend) = ("metric", "docs/tasks.md says what a metric is".to_owned());
    Some(match config.judge().open() {
        Ok(_) => Check::ready(name, file),
        Err(why) => Check::absent(name, true, why.to_string(), mend),
    })
}

/// The endpoints that a configuration asks.
fn endpoints(config: &Config) -> Vec<EndpointConfig> {
    let proposer = match &config.proposer {
        ProposerConfig::Chat(chat) => Some(chat.endpoint()),
        ProposerConfig::Grammar(_) | ProposerConfig::Replay(_) => None,
    };
    let judge = config.verifier.model();
    let judge = judge.map(|(kind, model)| model.endpoint(kind));
    proposer.into_iter().chain(judge).collect()
}

/// Whether the variable is set that holds an endpoint's key. What it holds is not looked at.
fn key(endpoint: &EndpointConfig) -> Option<Check> {
    let variable = endpoint.api_key_env.as_deref()?;
    let setting = endpoint.origin.setting("api_key_env");
    let set = std::env::var_os(variable).is_some_and(|key| !key.is_empty());
    let variable = key_name(variable);
    Some(if set {
        Check::ready("key", format!("{variable} is set ({setting})"))
    } else {
        Check::absent(
            "key",
            true,
            format!("{variable} is not set ({setting})"),
            format!("export {variable}=…"),
        )
    })
}

/// Whether the rewards of a configuration may be written in Python.
pub(super) fn wants_python(config: &Config) -> bool {
    let proposed =
        matches!(&config.proposer, ProposerConfig::Chat(chat) if chat.language == Language::Python);
    let seeds = config.search.seed_rewards.iter();
    let metric = config.task.metric().map(Metric::file);
    proposed
        || seeds
            .map(String::as_str)
            .chain(metric)
            .map(|spec| spec.split("::").next().unwrap_or(spec))
            .any(|file| file.ends_with(".py") || file.ends_with(".ipynb"))
}
