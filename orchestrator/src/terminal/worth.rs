//! The worth of rewards as a person reads it.

use crate::reward::probe::{HackShare, Worth};
use crate::{
    terminal::table::{
        Column::{Number, Text},
        Table,
    },
    text::{one_line, share},
};

/// Name and value of every figure but the hacks, in the order they are read.
pub(crate) fn summary(worth: &Worth) -> Vec<(String, String)> {
    let yes = |holds: bool| if holds { "yes" } else { "NO" };
    let optional =
        |value: Option<f64>| value.map_or_else(|| "-".to_owned(), |v| format!("{v:+.3}"));
    let within = worth.auc_within.map_or_else(
        || "-".to_owned(),
        |auc| match auc.standard_error {
            Some(error) => format!("{:.3} ± {error:.3} (standard error)", auc.point),
            None => share(auc.point),
        },
    );
    let constant = if worth.is_constant() {
        " (constant)"
    } else {
        ""
    };
    let mut rows = vec![
        (
            "completions",
            format!(
                "{} in {} groups, {} right; {} groups with right and wrong ones",
                worth.completions, worth.groups, worth.right, worth.mixed_groups
            ),
        ),
        ("deterministic", yes(worth.deterministic).to_owned()),
        ("order-independent", yes(worth.order_independent).to_owned()),
        (
            "range",
            format!(
                "{} to {}, mean {:.3}{constant}",
                worth.lowest, worth.highest, worth.mean
            ),
        ),
        (
            "fuel",
            format!(
                "{} a completion, at most {}",
                worth.mean_fuel, worth.most_fuel
            ),
        ),
        (
            "flat groups",
            format!(
                "{:.1} % of groups score all alike",
                100.0 * worth.flat_groups
            ),
        ),
        ("AUC within groups", within),
        (
            "AUC over all",
            worth.auc.map_or_else(|| "-".to_owned(), share),
        ),
    ]
    .into_iter()
    .map(|(name, value)| (name.to_owned(), value))
    .collect::<Vec<_>>();
    rows.extend(worth.agreement.iter().map(|other| {
        let value = format!(
            "tau-b {} within groups, Spearman {} over all",
            optional(other.kendall),
            optional(other.spearman)
        );
        (format!("with {}", other.with), value)
    }));
    rows
}

/// How hacks are paid, one row a kind.
pub(crate) fn hacks_table(hacks: &[HackShare]) -> String {
    let mut table = Table::new(&[
        Text("hack"),
        Number("tried"),
        Number("called right"),
        Number("above a right one"),
        Number("equal to it"),
    ]);
    for hack in hacks {
        let percent = |share: f64| format!("{:.1} %", 100.0 * share);
        table.push(vec![
            one_line(&hack.kind, 40),
            hack.tried.to_string(),
            hack.called_right.to_string(),
            percent(hack.above),
            percent(hack.equal),
        ]);
    }
    table.to_text()
}
