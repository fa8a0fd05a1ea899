//! The face in a browser: pages over the views of `board/`, drawn on the server, read-only. Every text of a search (names, sources,
//! completions, replies of language models) is hostile: [`page`] escapes whatever a template shows, [`guard`] says who may ask.

mod chart;
mod diff;
pub(crate) mod escape;
mod guard;
mod highlight;
mod live;
mod outlook;
mod page;
mod pages;
mod plot;
mod report;
mod server;
mod shelf;
mod site;
mod style;

pub use plot::{Plot, plot};
pub use report::html_report;
pub use server::{ServeError, Server, Settings};
