//! `guest`: the interpreter that Python rewards run in, built ahead of its first use or looked at.

use std::io::{Write as _, stdout};

use anyhow::Context as _;
use sandbox::{GuestStatus, build_guest, guest_status};

use crate::{
    cli::arguments::{GuestArgs, GuestCommand},
    terminal::progress,
};

pub(super) async fn run(args: GuestArgs) -> anyhow::Result<()> {
    let status = match args.command {
        GuestCommand::Build => {
            let building =
                tokio::task::spawn_blocking(|| build_guest(&progress::guest_to_stderr()));
            building.await.context("the build broke off")??
        }
        GuestCommand::Status => guest_status()?,
    };
    Ok(write!(stdout(), "{}", describe(&status))?)
}

fn describe(status: &GuestStatus) -> String {
    let state = if status.ready {
        "ready"
    } else {
        "not built; `reward-search guest build` builds it, and so does the first Python reward"
    };
    format!(
        "Python guest {}: {state}\ncomponent     {}\nmachine code  {}\n",
        status.id,
        status.component.display(),
        status.machine_code.display()
    )
}
