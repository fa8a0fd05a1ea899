//! `audit`: the signs that a reward was hacked, or can be.

use std::{
    io::{Write as _, stdout},
    sync::Arc,
};

use sandbox::RewardFn;
use serde::Serialize;

use super::rewards;
use crate::{
    board::audit::Audited,
    cli::{
        arguments::{AuditArgs, ShowFormat},
        open::open,
    },
    domain::{
        pool::Pool,
        traces::{Attack, Flag},
    },
    judge::by_rule,
    reward::{
        audit::attack,
        probe::{ProbeSet, Recorded},
    },
    terminal,
};

/// What was found of one name.
#[derive(Debug, Serialize)]
#[serde(untagged)]
enum Finding {
    /// Of what a search has trained.
    Trained(Box<Audited>),
    /// Of a reward that was not trained: what the probe says of it.
    Probed { attack: Attack, flags: Vec<Flag> },
}

pub(super) async fn run(args: AuditArgs) -> anyhow::Result<()> {
    let mut found = Vec::new();
    let mut untrained = Vec::new();
    for name in &args.rewards {
        let trained = match is_of_a_search(name)? {
            true => {
                let store = open(args.database.clone()).await?;
                let snapshot = store.snapshot().await?;
                Audited::read(&store, &snapshot, name).await?
            }
            false => None,
        };
        match trained {
            Some(audited) => found.push(Finding::Trained(Box::new(audited))),
            None => untrained.push(name.clone()),
        }
    }
    if !untrained.is_empty() {
        found.extend(probed(&untrained, &args).await?);
    }
    let mut out = stdout();
    if args.format == ShowFormat::Json {
        writeln!(out, "{}", serde_json::to_string_pretty(&found)?)?;
        return Ok(());
    }
    for finding in &found {
        match finding {
            Finding::Trained(audited) => terminal::audit::write(&mut out, audited)?,
            Finding::Probed { attack, flags } => {
                terminal::audit::write_attack(&mut out, attack, flags)?;
            }
        }
    }
    Ok(())
}

/// Whether a name is that of an arm of a search, the reference rows among them, and no file.
fn is_of_a_search(name: &str) -> anyhow::Result<bool> {
    Ok(name.starts_with(crate::domain::candidate::CONTROL_PREFIX) || rewards::is_candidate(name)?)
}

/// The probe of rewards that no search has trained.
async fn probed(names: &[String], args: &AuditArgs) -> anyhow::Result<Vec<Finding>> {
    let pool = match &args.pool {
        Some(path) => Recorded::read(path)?.pool,
        None => Pool::made_up(args.world),
    };
    let (rewards, extraction) = rewards::each(names, &[], &args.database).await?;
    let base = rewards::base_loaded()?;
    let judge = by_rule(extraction);
    let set = ProbeSet::new(pool, Vec::new(), Arc::clone(&judge), base)?;
    // What was made up is put into the format that the reward pays; what was recorded stays as it is.
    let dressed = |reward: &RewardFn| match args.pool {
        Some(_) => Ok(None),
        None => set.dressed_for(reward, &*judge),
    };
    let examined = rewards.into_iter().map(|named| {
        let name = named.name;
        let loaded = named.loaded.as_ref().map(|member| &member.reward);
        let attack = match loaded.map_or(Ok(None), dressed) {
            Ok(dressed) => attack(name, loaded, dressed.as_ref().unwrap_or(&set)),
            Err(error) => attack(name, Err(error), &set),
        };
        let flags = attack.flags();
        Finding::Probed { attack, flags }
    });
    Ok(examined.collect())
}
