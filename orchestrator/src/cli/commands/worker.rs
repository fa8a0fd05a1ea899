//! `worker`: the Python environment that TRL's worker runs in, installed or looked at.

use std::io::{Write as _, stdout};

use anyhow::Context as _;
use trainer_bridge::{install_worker, installed_worker, worker_folder};

use crate::{
    cli::arguments::{WorkerArgs, WorkerCommand},
    terminal::progress,
};

pub(super) async fn run(args: WorkerArgs) -> anyhow::Result<()> {
    let told = match args.command {
        WorkerCommand::Install { python, pip } => {
            let installing = tokio::task::spawn_blocking(move || {
                let progress = progress::guest_to_stderr();
                install_worker(python.as_deref(), &pip, &*progress)
            });
            let installed = installing.await.context("the installation broke off")??;
            let state = if installed.was_there {
                "was there already"
            } else {
                "is installed"
            };
            format!("TRL's worker {state}: {}\n", installed.python.display())
        }
        WorkerCommand::Status => match installed_worker() {
            Ok(python) => format!("TRL's worker is installed: {}\n", python.display()),
            Err(why) => format!("{why}\nfolder  {}\n", worker_folder()?.display()),
        },
    };
    Ok(write!(stdout(), "{told}")?)
}
