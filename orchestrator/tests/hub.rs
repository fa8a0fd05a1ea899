//! Models by hub id, from a hub on the loopback interface: downloaded once, found offline, refused with one clear line.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

mod file_server;

use std::{path::Path, sync::Arc};

use file_server::{COMMIT, FileServer};
use orchestrator::{
    data::hub::{Hub, HubError},
    judge::Judges,
};
use sandbox::Bench;
use trainer_bridge::{CandleConfig, Scoring, TrainerConfig, build};

const ID: &str = "some-org/Tiny-1.5B";

const FILES: [&str; 3] = ["config.json", "model.safetensors", "tokenizer.json"];

fn model() -> &'static Path {
    Path::new(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../trainer-bridge/models/toy"
    ))
}

/// A hub with the embedded model under [`ID`], as of `main` and of its commit, and a file nobody needs.
fn hub() -> FileServer {
    let siblings: Vec<_> = FILES
        .iter()
        .chain(&["README.md", "onnx/model.onnx"])
        .map(|name| serde_json::json!({"rfilename": name}))
        .collect();
    let info = serde_json::json!({"sha": COMMIT, "siblings": siblings}).to_string();
    let mut files = Vec::new();
    for revision in ["main", COMMIT] {
        files.push((
            format!("/api/models/{ID}/revision/{revision}"),
            info.clone().into_bytes(),
        ));
        for name in FILES {
            let content = std::fs::read(model().join(name)).unwrap();
            files.push((format!("/{ID}/resolve/{revision}/{name}"), content));
        }
    }
    FileServer::start(files)
}

fn config(model: &str) -> CandleConfig {
    CandleConfig {
        model: model.into(),
        ..CandleConfig::default()
    }
}

async fn resolve(hub: &Hub, config: CandleConfig) -> Result<CandleConfig, HubError> {
    match hub.resolve(&TrainerConfig::Candle(config)).await? {
        TrainerConfig::Candle(config) => Ok(config),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_model_is_downloaded_once_and_found_offline() {
    let server = hub();
    let cache = tempfile::tempdir().unwrap();
    let hub = Hub {
        endpoint: Some(server.url()),
        cache: cache.path().join("hub"),
        token: None,
        offline: false,
    };
    for revision in [None, Some(COMMIT.to_owned())] {
        let wanted = CandleConfig {
            revision,
            ..config(ID)
        };
        let found = resolve(&hub, wanted.clone()).await.unwrap();
        assert!(found.folder.as_ref().unwrap().ends_with(COMMIT));
        assert_eq!(
            (found.model.as_str(), found.revision.as_deref()),
            (ID, Some(COMMIT))
        );
        let scoring = Scoring {
            bench: Bench::default(),
            judges: Arc::new(Judges::new()),
        };
        build(&TrainerConfig::Candle(found.clone()), scoring).unwrap();

        let downloads = server.seen().len();
        let gone = Hub {
            endpoint: Some("http://127.0.0.1:9".into()),
            ..hub.clone()
        };
        let offline = CandleConfig {
            offline: true,
            ..wanted.clone()
        };
        let again = resolve(&gone, offline).await.unwrap();
        assert_eq!(again.folder, found.folder);
        let cached = resolve(&gone, wanted).await.unwrap();
        assert_eq!(cached.folder, found.folder, "nobody answers");
        assert_eq!(server.seen().len(), downloads);
    }
    let seen = server.seen();
    assert!(
        !seen
            .iter()
            .any(|path| path.contains("README") || path.contains("onnx")),
        "{seen:?}"
    );
}

/// A snapshot as huggingface_hub leaves it for a commit: nothing under `refs`.
fn snapshot(cache: &Path) -> std::path::PathBuf {
    let folder = cache
        .join("models--some-org--Tiny-1.5B/snapshots")
        .join(COMMIT);
    std::fs::create_dir_all(&folder).unwrap();
    for name in FILES {
        std::fs::copy(model().join(name), folder.join(name)).unwrap();
    }
    folder
}

#[tokio::test]
async fn a_commit_in_the_cache_is_taken_without_asking_anybody() {
    let cache = tempfile::tempdir().unwrap();
    let folder = snapshot(cache.path());
    let server = hub();
    let hub = Hub {
        endpoint: Some(server.url()),
        cache: cache.path().to_owned(),
        token: None,
        offline: false,
    };
    let pinned = CandleConfig {
        revision: Some(COMMIT.into()),
        ..config(ID)
    };
    for offline in [false, true] {
        let hub = Hub {
            offline,
            ..hub.clone()
        };
        let found = resolve(&hub, pinned.clone()).await.unwrap();
        assert_eq!(found.folder.as_deref(), Some(folder.as_path()));
    }
    assert!(server.seen().is_empty(), "{:?}", server.seen());

    let branch = Hub {
        offline: true,
        ..hub.clone()
    };
    let error = resolve(&branch, config(ID)).await.unwrap_err();
    assert!(matches!(error, HubError::NotCached { .. }), "{error}");

    std::fs::remove_file(folder.join("model.safetensors")).unwrap();
    let found = resolve(&hub, pinned).await.unwrap();
    assert!(found.folder.unwrap().join("model.safetensors").exists());
    assert!(!server.seen().is_empty(), "what is missing is downloaded");
}

#[tokio::test]
async fn what_cannot_be_had_is_said_in_one_line() {
    let server = hub();
    let cache = tempfile::tempdir().unwrap();
    let hub = Hub {
        endpoint: Some(server.url()),
        cache: cache.path().join("hub"),
        token: None,
        offline: false,
    };
    let line = |error: HubError, parts: &[&str]| {
        let message = error.to_string();
        assert!(!message.contains('\n'), "{message}");
        for part in parts {
            assert!(message.contains(part), "{part} is not in: {message}");
        }
    };
    let error = resolve(&hub, config("some-org/other")).await.unwrap_err();
    assert!(matches!(error, HubError::Refused { .. }), "{error}");
    line(error, &["some-org/other", "main", "404", "HF_TOKEN"]);

    let offline = CandleConfig {
        offline: true,
        ..config(ID)
    };
    let error = resolve(&hub, offline).await.unwrap_err();
    line(error, &[ID, "offline", &cache.path().display().to_string()]);

    let nobody = Hub {
        endpoint: Some("http://127.0.0.1:9".into()),
        ..hub
    };
    let error = resolve(&nobody, config(ID)).await.unwrap_err();
    assert!(matches!(error, HubError::Unreachable { .. }), "{error}");
    line(error, &[ID, "local folder"]);
}

#[tokio::test]
async fn folders_and_the_embedded_model_stay_what_they_are() {
    let nobody = Hub {
        endpoint: Some("http://127.0.0.1:9".into()),
        cache: "/nowhere".into(),
        token: None,
        offline: false,
    };
    for model in ["toy", "./some/folder", "/nowhere/model", "a/b/c", "../up"] {
        assert_eq!(
            resolve(&nobody, config(model)).await.unwrap(),
            config(model)
        );
    }
}
