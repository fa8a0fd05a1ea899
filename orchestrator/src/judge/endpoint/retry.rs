//! When to ask again, and how long to wait before.

use std::time::{Duration, SystemTime};

use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use reqwest::{
    StatusCode,
    header::{DATE, HeaderMap, RETRY_AFTER},
};

use super::{EndpointConfig, Reply};

/// The longest pause of our own making.
const LONGEST_BACKOFF: Duration = Duration::from_secs(60);
/// The longest pause a server may ask for; beyond it the program stops, and can be continued later.
const LONGEST_RETRY_AFTER: Duration = Duration::from_secs(3600);
/// The shortest pause: none at all would be a hot loop.
const SHORTEST: Duration = Duration::from_millis(50);

/// What came of one request.
pub(super) enum Attempt {
    /// A reply in the endpoint's form.
    Answered(Reply),
    /// Every request will fail: why, and what to do.
    Hopeless(String),
    /// This very request is not taken: why, and what to do.
    Refused(String),
    /// The request was changed to what the model takes; to be sent again at once.
    Adjusted,
    /// It may work later.
    Failed {
        why: String,
        retry_after: Option<Duration>,
    },
    /// It may work if asked once more, but each try may have been paid for: a second one of this kind is the last.
    FailedPaid { why: String },
}

/// A pause before the next try.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Pause {
    pub(super) length: Duration,
    /// The server said how long.
    pub(super) is_asked_for: bool,
}

/// Why there is no next try.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NoTry {
    /// All are spent.
    Spent,
    /// The server asks for a longer pause than a program should sit through.
    TooLong(Duration),
}

/// Whether a request that got this status may work later.
pub(super) fn may_pass(status: StatusCode) -> bool {
    // 520..=524 are a proxy's "the server behind me failed", 529 is "overloaded".
    matches!(
        status.as_u16(),
        408 | 409 | 425 | 429 | 500 | 502 | 503 | 504 | 520..=524 | 529
    )
}

/// The pauses between the tries of one request.
pub(super) struct Backoff {
    next: Duration,
    left: u32,
}

impl Backoff {
    pub(super) fn new(config: &EndpointConfig) -> Self {
        Self {
            next: Duration::from_millis(config.backoff_ms),
            left: config.max_retries,
        }
    }

    /// The pause before the next try: what the server asks for, or else a doubling one, shortened by up to a half so that
    /// clients that failed together do not come back together.
    ///
    /// # Errors
    /// If there is no try left, or the server asks for too long a pause.
    pub(super) fn next(
        &mut self,
        retry_after: Option<Duration>,
        rng: &mut ChaCha8Rng,
    ) -> Result<Pause, NoTry> {
        self.left = self.left.checked_sub(1).ok_or(NoTry::Spent)?;
        let own = self
            .next
            .min(LONGEST_BACKOFF)
            .mul_f64(rng.random_range(0.5..1.0));
        self.next = self.next.max(SHORTEST).saturating_mul(2);
        if let Some(asked) = retry_after.filter(|asked| *asked > LONGEST_RETRY_AFTER) {
            return Err(NoTry::TooLong(asked));
        }
        Ok(Pause {
            length: retry_after.unwrap_or(own).max(SHORTEST),
            is_asked_for: retry_after.is_some(),
        })
    }
}

/// The pause a server asks for: `Retry-After` in seconds or as a date, the latter against the server's own clock.
pub(super) fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = text.parse::<f64>() {
        return Duration::try_from_secs_f64(seconds).ok();
    }
    let then = httpdate::parse_http_date(text).ok()?;
    let told = headers
        .get(DATE)
        .and_then(|date| httpdate::parse_http_date(date.to_str().ok()?).ok());
    let now = told.unwrap_or_else(SystemTime::now);
    Some(then.duration_since(now).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use rand::SeedableRng;

    use super::*;

    #[test]
    fn servers_say_how_long() {
        let asked = |pairs: &[(reqwest::header::HeaderName, &str)]| {
            let headers: HeaderMap = pairs
                .iter()
                .map(|(name, value)| (name.clone(), value.parse().unwrap()))
                .collect();
            retry_after(&headers)
        };
        assert_eq!(asked(&[(RETRY_AFTER, "7")]), Some(Duration::from_secs(7)));
        assert_eq!(
            asked(&[(RETRY_AFTER, "0.5")]),
            Some(Duration::from_millis(500))
        );
        assert_eq!(asked(&[(RETRY_AFTER, "-1")]), None);
        assert_eq!(asked(&[(RETRY_AFTER, "soon")]), None);
        assert_eq!(
            asked(&[(RETRY_AFTER, "Sun, 06 Nov 1994 08:49:37 CET")]),
            None
        );
        assert_eq!(asked(&[]), None);
        let dated = [
            (RETRY_AFTER, "Sun, 06 Nov 1994 08:49:37 GMT"),
            (DATE, "Sun, 06 Nov 1994 08:49:30 GMT"),
        ];
        assert_eq!(asked(&dated), Some(Duration::from_secs(7)));
        assert_eq!(asked(&dated[..1]), Some(Duration::ZERO), "a time long past");
    }

    #[test]
    fn pauses_double_are_capped_and_run_out() {
        let config = EndpointConfig {
            backoff_ms: 10_000,
            ..crate::judge::endpoint::tests::config("http://h/v1")
        };
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        let mut backoff = Backoff::new(&config);
        let first = backoff.next(None, &mut rng).unwrap().length;
        assert!((5.0..10.0).contains(&first.as_secs_f64()), "{first:?}");
        let second = backoff.next(None, &mut rng).unwrap().length;
        assert!((10.0..20.0).contains(&second.as_secs_f64()), "{second:?}");
        let asked = backoff.next(Some(Duration::from_secs(3)), &mut rng);
        let pause = Pause {
            length: Duration::from_secs(3),
            is_asked_for: true,
        };
        assert_eq!(asked, Ok(pause));
        let day = Duration::from_secs(86_400);
        assert_eq!(backoff.next(Some(day), &mut rng), Err(NoTry::TooLong(day)));
        let none = backoff.next(Some(Duration::ZERO), &mut rng).unwrap();
        assert_eq!(
            none.length, SHORTEST,
            "a pause of nothing is one all the same"
        );
        assert_eq!(backoff.next(None, &mut rng), Err(NoTry::Spent));
    }

    #[test]
    fn passing_trouble_is_told_from_lasting() {
        for status in [408, 429, 500, 502, 503, 504, 529] {
            assert!(may_pass(StatusCode::from_u16(status).unwrap()), "{status}");
        }
        for status in [301, 400, 401, 402, 403, 404, 422, 501] {
            assert!(!may_pass(StatusCode::from_u16(status).unwrap()), "{status}");
        }
    }
}
