//! The server: which address shows what.

use std::{
    io,
    net::{IpAddr, SocketAddr},
    path::PathBuf,
    sync::Arc,
};

use axum::{
    Router, extract::State, http::header, middleware::from_fn_with_state, response::Response,
    routing::get,
};
use tokio::net::TcpListener;

use super::{
    guard::{Guard, guard},
    live::live,
    page::{PageError, Pages},
    pages::{candidate, compare, ensembles, exchanges, lineage, overview, refused, search},
    shelf::Shelf,
    site::Site,
    style::STYLE,
};

/// How to serve.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The databases to show.
    pub databases: Vec<PathBuf>,
    /// Where to listen.
    pub host: IpAddr,
    /// The port; 0 takes a free one.
    pub port: u16,
    /// What everybody must show who asks; needed beyond loopback.
    pub token: Option<String>,
    /// Names of this machine that it may be asked by, beside `localhost` and its addresses.
    pub names: Vec<String>,
}

/// Why there is no server.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// Anybody on the network could read the search.
    #[error(
        "{0} can be reached from other machines: set a token with --token (or in REWARD_SEARCH_TOKEN), or leave --host at 127.0.0.1"
    )]
    NoToken(IpAddr),
    /// The token is none.
    #[error("the token is empty: use a long random one")]
    EmptyToken,
    /// The address cannot be had.
    #[error("cannot listen at {address}: {source}. Another --port may be free; --port 0 takes any")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// What the system said.
        source: io::Error,
    },
}

/// A server that listens.
pub struct Server {
    listener: TcpListener,
    address: SocketAddr,
    router: Router,
}

impl Server {
    /// Listens.
    ///
    /// # Errors
    /// See [`ServeError`].
    pub async fn bind(settings: Settings) -> Result<Self, ServeError> {
        let Settings {
            databases,
            host,
            port,
            token,
            names,
        } = settings;
        match &token {
            None if !host.is_loopback() => return Err(ServeError::NoToken(host)),
            Some(token) if token.trim().is_empty() => return Err(ServeError::EmptyToken),
            _ => {}
        }
        let wanted = SocketAddr::new(host, port);
        let trouble = |source| ServeError::Listen {
            address: wanted,
            source,
        };
        let listener = TcpListener::bind(wanted).await.map_err(trouble)?;
        let address = listener.local_addr().map_err(trouble)?;
        let site = Site {
            shelf: Shelf::new(databases),
            pages: Pages::new(),
            guard: Guard::new(host, &names, token.as_deref()),
        };
        Ok(Self {
            listener,
            address,
            router: router(Arc::new(site)),
        })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Answers until it is dropped.
    ///
    /// # Errors
    /// If the system takes the listening socket away.
    pub async fn run(self) -> io::Result<()> {
        axum::serve(self.listener, self.router).await
    }
}

fn router(site: Arc<Site>) -> Router {
    let asset = |kind, text| get(move || async move { ([(header::CONTENT_TYPE, kind)], text) });
    Router::new()
        .route("/", get(overview::page))
        .route("/s/{key}", get(search::page))
        .route("/s/{key}/leaderboard.json", get(search::json))
        .route("/s/{key}/candidate", get(candidate::page))
        .route("/s/{key}/compare", get(compare::page))
        .route("/s/{key}/ensembles", get(ensembles::page))
        .route("/s/{key}/exchanges", get(exchanges::page))
        .route("/s/{key}/exchange", get(exchanges::one))
        .route("/s/{key}/lineage", get(lineage::page))
        .route("/s/{key}/refused", get(refused::page))
        .route("/s/{key}/live", get(live))
        .route("/style.css", asset("text/css; charset=utf-8", STYLE))
        .route(
            "/live.js",
            asset(
                "text/javascript; charset=utf-8",
                include_str!("assets/live.js"),
            ),
        )
        .route(
            "/icon.svg",
            asset("image/svg+xml", include_str!("assets/icon.svg")),
        )
        .fallback(nothing)
        .layer(from_fn_with_state(Arc::clone(&site), guard))
        .with_state(site)
}

async fn nothing(State(site): State<Arc<Site>>) -> Response {
    let what = "There is no such page.".to_owned();
    site.pages.trouble(&PageError::NotFound(what))
}
