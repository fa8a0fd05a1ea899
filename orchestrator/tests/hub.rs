//! Models by hub id, from a hub on the loopback interface: downloaded once, found offline, refused with one clear line.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

mod file_server;

use std::path::Path;

use file_server::{COMMIT, FileServer};
use orchestrator::hub::{Hub, HubError};
use trainer_bridge::{CandleConfig, TrainerConfig, build};

const ID: &str = "some-org/Tiny-1.5B";

/// A hub with the embedded model under [`ID`], as of `main` and of its commit, and a file nobody needs.
fn hub() -> FileServer {
    let model = Path::new(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../trainer-bridge/models/toy"
    ));
    let names = ["config.json", "model.safetensors", "tokenizer.json"];
    let siblings: Vec<_> = names
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
        for name in names {
            let content = std::fs::read(model.join(name)).unwrap();
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
    };
    for revision in [None, Some(COMMIT.to_owned())] {
        let wanted = CandleConfig {
            revision,
            ..config(ID)
        };
        let found = resolve(&hub, wanted.clone()).await.unwrap();
        assert!(found.model.ends_with(COMMIT), "{}", found.model);
        build(&TrainerConfig::Candle(found.clone())).unwrap();

        let downloads = server.seen().len();
        let gone = Hub {
            endpoint: Some("http://127.0.0.1:9".into()),
            ..hub.clone()
        };
        let offline = CandleConfig {
            offline: true,
            ..wanted
        };
        assert_eq!(resolve(&gone, offline).await.unwrap().model, found.model);
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

#[tokio::test]
async fn what_cannot_be_had_is_said_in_one_line() {
    let server = hub();
    let cache = tempfile::tempdir().unwrap();
    let hub = Hub {
        endpoint: Some(server.url()),
        cache: cache.path().join("hub"),
        token: None,
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
    };
    for model in ["toy", "./some/folder", "/nowhere/model", "a/b/c", "../up"] {
        assert_eq!(
            resolve(&nobody, config(model)).await.unwrap(),
            config(model)
        );
    }
}
