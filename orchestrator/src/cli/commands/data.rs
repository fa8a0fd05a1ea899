//! `data`: data sets from where they are published.

use std::io::{Write as _, stdout};

use crate::{
    cli::arguments::{DataCommand, FetchArgs},
    data::gsm8k::{Fetched, GSM8K, fetch_gsm8k, gsm8k_folder},
};

pub(super) async fn run(command: DataCommand) -> anyhow::Result<()> {
    match command {
        DataCommand::Fetch(args) => fetch(args).await,
    }
}

async fn fetch(args: FetchArgs) -> anyhow::Result<()> {
    let crate::cli::arguments::DataSet::Gsm8k = args.data_set;
    let folder = match args.dir {
        Some(folder) => folder,
        None => gsm8k_folder()?,
    };
    let server = args.from.as_deref().unwrap_or(GSM8K);
    let mut lines = Vec::new();
    fetch_gsm8k(&folder, server, |path, fetched| {
        let how = match fetched {
            Fetched::There => "was there already".to_owned(),
            Fetched::From(0) => "downloaded".to_owned(),
            Fetched::From(byte) => format!("downloaded from byte {byte} on"),
        };
        lines.push(format!("{}: {how}, checksum right", path.display()));
    })
    .await?;
    for line in lines {
        writeln!(stdout(), "{line}")?;
    }
    Ok(())
}
