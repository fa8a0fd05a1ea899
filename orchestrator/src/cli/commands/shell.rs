//! `completions` and `man`: what a shell and `man` want to know of the command line.

use std::{
    fs::File,
    io::{Write as _, stdout},
};

use anyhow::Context as _;
use clap::CommandFactory as _;

use crate::cli::arguments::{Cli, CompletionsArgs, ManArgs};

pub(super) fn completions(args: &CompletionsArgs) -> anyhow::Result<()> {
    let mut text = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "reward-search", &mut text);
    Ok(stdout().write_all(&text)?)
}

pub(super) fn man(args: &ManArgs) -> anyhow::Result<()> {
    let page = clap_mangen::Man::new(Cli::command());
    let Some(folder) = &args.dir else {
        return Ok(page.render(&mut stdout())?);
    };
    std::fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    let mut command = Cli::command();
    command.build();
    let mut pages = vec![("reward-search".to_owned(), command.clone())];
    for sub in command.get_subcommands().filter(|sub| !sub.is_hide_set()) {
        let name = format!("reward-search-{}", sub.get_name());
        pages.push((name.clone(), sub.clone().name(leaked(name))));
    }
    for (name, command) in pages {
        let path = folder.join(format!("{name}.1"));
        let mut file =
            File::create(&path).with_context(|| format!("cannot write {}", path.display()))?;
        clap_mangen::Man::new(command).render(&mut file)?;
    }
    Ok(())
}

/// clap keeps names for the life of the program, which ends a moment later.
fn leaked(name: String) -> &'static str {
    name.leak()
}
