//! Who may ask: only who names this server as its host (so that no foreign page can read it through a name of its own), and, where a token
//! is set, only who has it. Every answer forbids the browser whatever the pages do not need.

use std::{collections::HashSet, net::IpAddr, sync::Arc};

use axum::{
    extract::{Request, State},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    middleware::Next,
    response::{IntoResponse as _, Redirect, Response},
};
use sha2::{Digest as _, Sha256};

use super::site::Site;
use crate::text::hex;

const COOKIE: &str = "reward_search";

/// Nothing but our own style sheet, script and picture; no frame, no form that goes elsewhere.
const POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; \
                      form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// Whom this server answers.
pub(super) struct Guard {
    hosts: HashSet<String>,
    /// An address in numbers names no foreign site.
    any_address: bool,
    /// Digest of the token, as the cookie holds it.
    token: Option<String>,
}

impl Guard {
    /// `bound` is the address listened at; `hosts` are further names of this machine.
    pub(super) fn new(bound: IpAddr, hosts: &[String], token: Option<&str>) -> Self {
        let usual = ["localhost", "127.0.0.1", "[::1]"].map(str::to_owned);
        let named = hosts.iter().map(|host| host.to_ascii_lowercase());
        let at = match bound {
            IpAddr::V4(address) => address.to_string(),
            IpAddr::V6(address) => format!("[{address}]"),
        };
        Self {
            hosts: usual.into_iter().chain(named).chain([at]).collect(),
            any_address: !bound.is_loopback(),
            token: token.map(digest),
        }
    }

    fn knows_host(&self, headers: &HeaderMap) -> bool {
        let mut named = headers.get_all(header::HOST).iter();
        let (Some(Ok(host)), None) = (named.next().map(HeaderValue::to_str), named.next()) else {
            return false;
        };
        let host = without_port(host).to_ascii_lowercase();
        let bare = host.trim_start_matches('[').trim_end_matches(']');
        self.hosts.contains(&host) || self.any_address && bare.parse::<IpAddr>().is_ok()
    }

    /// Whether a request shows the token, in a header or in our cookie.
    fn is_shown_token(&self, headers: &HeaderMap) -> bool {
        let Some(wanted) = &self.token else {
            return true;
        };
        let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
        let bearer = text(header::AUTHORIZATION).and_then(|value| value.strip_prefix("Bearer "));
        if bearer.is_some_and(|token| digest(token) == *wanted) {
            return true;
        }
        let cookies = text(header::COOKIE).unwrap_or_default();
        let ours = cookies
            .split(';')
            .filter_map(|cookie| cookie.trim().split_once('='))
            .filter(|(name, _)| *name == COOKIE);
        // Compared as digests, so that the time it takes tells nothing.
        ours.map(|(_, value)| value)
            .any(|value| digest(value) == digest(wanted))
    }

    /// The cookie of a token that came in the address, if it is the right one.
    fn cookie_for(&self, query: &str) -> Option<String> {
        let wanted = self.token.as_ref()?;
        let mut values = query.split('&').filter_map(|pair| pair.split_once('='));
        let (_, token) = values.find(|(name, _)| *name == "token")?;
        (digest(&decoded(token)) == *wanted)
            .then(|| format!("{COOKIE}={wanted}; HttpOnly; SameSite=Strict; Path=/"))
    }
}

/// Lets a request through, or says why not; puts what browsers must be told on every answer.
pub(super) async fn guard(State(site): State<Arc<Site>>, request: Request, next: Next) -> Response {
    let mut response = allowed(&site, request, next).await;
    for (name, value) in [
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::CACHE_CONTROL, "no-store"),
        (
            header::HeaderName::from_static("cross-origin-resource-policy"),
            "same-origin",
        ),
        (
            header::HeaderName::from_static("cross-origin-opener-policy"),
            "same-origin",
        ),
    ] {
        response
            .headers_mut()
            .insert(name, HeaderValue::from_static(value));
    }
    response
}

async fn allowed(site: &Site, request: Request, next: Next) -> Response {
    if !site.guard.knows_host(request.headers()) {
        return site.pages.said(
            StatusCode::MISDIRECTED_REQUEST,
            "Not by this name",
            "This server does not answer to the host name it was asked by. Use the address that `reward-search serve` printed, or start it \
             with --allow-host NAME.",
        );
    }
    if site.guard.is_shown_token(request.headers()) {
        return next.run(request).await;
    }
    if let Some(cookie) = request.uri().query().and_then(|q| site.guard.cookie_for(q)) {
        // Without the token in the address, which ends up in histories.
        let to = match request.uri().path() {
            path if path.starts_with("//") => "/",
            path => path,
        };
        return ([(header::SET_COOKIE, cookie)], Redirect::to(to)).into_response();
    }
    site.pages.said(
        StatusCode::UNAUTHORIZED,
        "A token is needed",
        "Type the token that this server was started with.",
    )
}

fn digest(token: &str) -> String {
    hex(&Sha256::digest(token.as_bytes()))
}

/// A host without its port: `[::1]:80` is `[::1]`.
fn without_port(host: &str) -> &str {
    let end_of_name = host.find(']').map_or(0, |at| at + 1);
    match host[end_of_name..].find(':') {
        Some(at) => &host[..end_of_name + at],
        None => host,
    }
}

/// A value of a query of an address.
fn decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'+' => b' ',
            b'%' => {
                let mut digit = || char::from(rest.next()?).to_digit(16);
                match (digit(), digit()) {
                    (Some(high), Some(low)) => (high * 16 + low) as u8,
                    _ => b'?',
                }
            }
            other => other,
        });
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn headers(name: header::HeaderName, value: &str) -> HeaderMap {
        HeaderMap::from_iter([(name, value.parse().unwrap())])
    }

    #[test]
    fn a_foreign_name_is_not_answered() {
        let local = Guard::new([127, 0, 0, 1].into(), &[], None);
        for (host, known) in [
            ("127.0.0.1:7878", true),
            ("LocalHost", true),
            ("[::1]:80", true),
            ("evil.example:7878", false),
            ("localhost.evil.example", false),
            ("10.0.0.7", false),
            ("", false),
        ] {
            assert_eq!(
                local.knows_host(&headers(header::HOST, host)),
                known,
                "{host}"
            );
        }
        assert!(!local.knows_host(&HeaderMap::new()));
        let open = Guard::new([0, 0, 0, 0].into(), &["Box.lan".to_owned()], Some("t"));
        assert!(open.knows_host(&headers(header::HOST, "10.0.0.7:1")));
        assert!(open.knows_host(&headers(header::HOST, "box.lan")));
        assert!(!open.knows_host(&headers(header::HOST, "evil.example")));
    }

    #[test]
    fn the_token_is_taken_from_header_cookie_and_address() {
        let guard = Guard::new([0, 0, 0, 0].into(), &[], Some("a b&c"));
        assert!(!guard.is_shown_token(&HeaderMap::new()));
        assert!(guard.is_shown_token(&headers(header::AUTHORIZATION, "Bearer a b&c")));
        assert!(!guard.is_shown_token(&headers(header::AUTHORIZATION, "Bearer a b")));
        let cookie = guard.cookie_for("x=1&token=a+b%26c").unwrap();
        assert!(
            !cookie.contains("a b"),
            "the cookie does not hold the token"
        );
        let (value, _) = cookie.split_once(';').unwrap();
        assert!(guard.is_shown_token(&headers(header::COOKIE, value)));
        assert!(!guard.is_shown_token(&headers(header::COOKIE, "reward_search=a b&c")));
        assert_eq!(guard.cookie_for("token=wrong"), None);
    }
}
