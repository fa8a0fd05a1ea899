//! Charts, drawn as SVG on the server: texts are escaped, colours are classes of the style sheet, and every chart says in words what it shows.

mod bar;
mod curves;
mod finalists;
mod lineage;
mod rounds;
mod scale;
mod svg;

pub(crate) use bar::{interval_bar, share_bar};
pub(crate) use curves::{Series, curves};
pub(crate) use finalists::finalists;
pub(crate) use lineage::{Descended, lineage};
pub(crate) use rounds::rounds;
