//! Pages out of templates: whatever a template shows is escaped here, unless it was drawn here.

use axum::{
    http::{StatusCode, header},
    response::{Html, IntoResponse, Response},
};
use minijinja::{
    AutoEscape, Environment, Error, ErrorKind, Output, State, UndefinedBehavior, Value, context,
    escape_formatter, syntax::SyntaxConfig,
};

use super::escape::{breakable, escaped, in_query};
use crate::{
    store::StoreError,
    text::{probability, share},
};

/// The templates, by the names they know each other by.
const TEMPLATES: [(&str, &str); 14] = [
    ("layout.html", include_str!("templates/layout.html")),
    ("macros.html", include_str!("templates/macros.html")),
    ("overview.html", include_str!("templates/overview.html")),
    ("search.html", include_str!("templates/search.html")),
    ("ranking.html", include_str!("templates/ranking.html")),
    ("candidate.html", include_str!("templates/candidate.html")),
    ("compare.html", include_str!("templates/compare.html")),
    ("ensembles.html", include_str!("templates/ensembles.html")),
    ("exchanges.html", include_str!("templates/exchanges.html")),
    ("exchange.html", include_str!("templates/exchange.html")),
    ("lineage.html", include_str!("templates/lineage.html")),
    ("refused.html", include_str!("templates/refused.html")),
    ("report.html", include_str!("templates/report.html")),
    ("trouble.html", include_str!("templates/trouble.html")),
];

/// What draws pages.
pub(super) struct Pages {
    environment: Environment<'static>,
}

/// Why a page cannot be shown.
#[derive(Debug)]
pub(super) enum PageError {
    /// There is no such thing.
    NotFound(String),
    /// The database cannot be read.
    Store(StoreError),
    /// A template is wrong.
    Template(Error),
}

impl From<StoreError> for PageError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::NotFound(what) => Self::NotFound(what),
            other => Self::Store(other),
        }
    }
}

impl From<Error> for PageError {
    fn from(error: Error) -> Self {
        Self::Template(error)
    }
}

impl Pages {
    pub(super) fn new() -> Self {
        let syntax = SyntaxConfig::builder()
            .trim_blocks(true)
            .lstrip_blocks(true)
            .build();
        let mut environment = Environment::new();
        environment.set_syntax(syntax.expect("the usual marks"));
        environment.set_undefined_behavior(UndefinedBehavior::SemiStrict);
        environment.set_auto_escape_callback(|_| AutoEscape::Html);
        environment.set_formatter(format);
        environment.add_filter("share", |value: f64| share(value));
        environment.add_filter("signed", |value: f64| format!("{value:+.3}"));
        environment.add_filter("p", |value: f64| probability(value));
        environment.add_filter("range", range);
        environment.add_filter("in_query", |text: &str| in_query(text));
        environment.add_filter("name", |name: &str| {
            Value::from_safe_string(breakable(name))
        });
        environment.add_filter("usd", |value: f64| match value {
            tiny if tiny > 0.0 && tiny < 0.000_05 => "< $0.0001".to_owned(),
            small if small > 0.0 && small < 0.1 => format!("${small:.4}"),
            value => format!("${value:.2}"),
        });
        environment.add_filter("grouped", grouped);
        environment.add_filter("time", |text: &str| {
            let (day, time) = text.split_once('T').unwrap_or((text, ""));
            format!("{day} {}", time.get(..5).unwrap_or(time))
        });
        for (name, source) in TEMPLATES {
            environment
                .add_template(name, source)
                .expect("a test compiles every template");
        }
        Self { environment }
    }

    /// The text of a page.
    pub(super) fn text(&self, template: &str, values: Value) -> Result<String, PageError> {
        Ok(self.environment.get_template(template)?.render(values)?)
    }

    /// A page.
    pub(super) fn page(&self, template: &str, values: Value) -> Result<Response, PageError> {
        Ok(Html(self.text(template, values)?).into_response())
    }

    /// The page that says why another cannot be shown.
    pub(super) fn trouble(&self, error: &PageError) -> Response {
        let (status, title, what) = match error {
            PageError::NotFound(what) => (StatusCode::NOT_FOUND, "Not found", what.clone()),
            PageError::Store(error) => (
                StatusCode::INTERNAL_SERVER_ERROR,
                "The database cannot be read",
                error.to_string(),
            ),
            PageError::Template(error) => (
                StatusCode::INTERNAL_SERVER_ERROR,
                "This page cannot be drawn",
                format!("{error:#}"),
            ),
        };
        self.said(status, title, &what)
    }

    /// A page of one sentence.
    pub(super) fn said(&self, status: StatusCode, title: &str, what: &str) -> Response {
        let wants_token = status == StatusCode::UNAUTHORIZED;
        let page = self.text("trouble.html", context! { title, what, wants_token });
        match page {
            Ok(text) => (status, Html(text)).into_response(),
            Err(_) => {
                let plain = [(header::CONTENT_TYPE, "text/plain; charset=utf-8")];
                (status, plain, title.to_owned()).into_response()
            }
        }
    }
}

/// Every text that was not drawn here is foreign.
fn format(out: &mut Output<'_>, state: &mut State<'_, '_>, value: &Value) -> Result<(), Error> {
    match value.as_str() {
        Some(text) if !value.is_safe() => out.write_str(&escaped(text)).map_err(Error::from),
        _ => escape_formatter(out, state, value),
    }
}

/// The interval of an estimate.
fn range(estimate: &Value) -> Result<String, Error> {
    let interval = estimate.get_attr("interval")?;
    let end = |name| f64::try_from(interval.get_attr(name)?);
    Ok(format!("[{:.3}, {:.3}]", end("lower")?, end("upper")?))
}

/// A count with its thousands apart.
fn grouped(value: &Value) -> Result<String, Error> {
    let number = i64::try_from(value.clone())
        .map_err(|_| Error::new(ErrorKind::InvalidOperation, "grouped wants a whole number"))?;
    let digits = number.unsigned_abs().to_string();
    let mut text = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push('\u{202f}');
        }
        text.push(digit);
    }
    Ok(if number < 0 { format!("-{text}") } else { text })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn every_template_compiles_and_what_they_show_is_escaped() {
        let pages = Pages::new();
        let hostile = "<script>alert(1)</script>\u{202e}";
        let values = context! { title => hostile, what => hostile, wants_token => true };
        let text = pages.text("trouble.html", values).unwrap();
        assert!(
            !text.contains("<script>alert") && !text.contains('\u{202e}'),
            "{text}"
        );
        assert!(text.contains("&lt;script&gt;alert"), "{text}");
    }

    #[test]
    fn thousands_stand_apart() {
        let text = |n: i64| grouped(&Value::from(n)).unwrap();
        assert_eq!(text(999), "999");
        assert_eq!(text(1_234_567), "1\u{202f}234\u{202f}567");
    }
}
