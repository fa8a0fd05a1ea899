//! The leaderboard as CSV, unrounded.

use super::leaderboard::signs;
use crate::{
    board::{
        confirmed::Confirmed,
        leaderboard::{Leaderboard, Row},
        rank::Comparison,
    },
    domain::figures::Figures,
    text::one_line,
};

impl Leaderboard {
    /// Everything as CSV, unrounded: a line a candidate, reference and finalist.
    ///
    /// # Errors
    /// If a line cannot be encoded (it always can).
    pub fn to_csv(&self) -> Result<String, csv::Error> {
        let mut out = csv::Writer::from_writer(Vec::new());
        out.write_record(CSV)?;
        for row in &self.candidates {
            out.write_record(csv_row("candidate", row, self.warning))?;
        }
        for row in &self.references {
            out.write_record(csv_row("reference", row, self.warning))?;
        }
        for row in &self.confirmed {
            out.write_record(csv_finalist(row, self.warning))?;
        }
        let bytes = out.into_inner().map_err(|e| e.into_error())?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }
}

const CSV: [&str; 28] = [
    "kind",
    "rank",
    "name",
    "round",
    "rung",
    "state",
    "f1",
    "f1_error",
    "f1_lower",
    "f1_upper",
    "accuracy",
    "accuracy_lower",
    "accuracy_upper",
    "answer_rate",
    "precision",
    "recall",
    "only_this_vs_base",
    "only_base",
    "p_vs_base_holm",
    "only_this_vs_leader",
    "only_leader",
    "p_vs_leader_holm",
    "same_as",
    "seeds",
    "minus_base",
    "reason",
    "audit",
    "warning",
];

/// A number as short as it can be read back; small ones in powers of ten.
fn number(value: Option<f64>) -> String {
    value.map_or_else(String::new, |v| match v.abs() {
        small if small > 0.0 && small < 1e-4 => format!("{v:e}"),
        _ => v.to_string(),
    })
}

fn counts(comparison: Option<Comparison>) -> [String; 3] {
    match comparison {
        Some(c) => [
            c.only_this.to_string(),
            c.only_reference.to_string(),
            number(Some(c.p_holm)),
        ],
        None => Default::default(),
    }
}

fn csv_row(kind: &str, row: &Row, warning: Option<&str>) -> Vec<String> {
    let of = |value: fn(&Figures) -> f64| number(row.figures.as_ref().map(value));
    let figures = row.figures.as_ref();
    let mut cells = vec![
        kind.to_owned(),
        row.rank.map(|r| r.to_string()).unwrap_or_default(),
        row.name.clone(),
        row.round().unwrap_or_default().to_string(),
        row.rung.to_string(),
        row.state.to_string(),
        of(|f| f.f1.point),
        of(|f| f.f1.standard_error),
        of(|f| f.f1.interval.lower),
        of(|f| f.f1.interval.upper),
        of(|f| f.accuracy.point),
        of(|f| f.accuracy.interval.lower),
        of(|f| f.accuracy.interval.upper),
        of(|f| f.answer_rate),
        number(figures.and_then(|f| f.precision)),
        number(figures.and_then(|f| f.recall)),
    ];
    cells.extend(counts(row.vs_base));
    cells.extend(counts(row.vs_leader));
    let reason = row.reason.as_deref().map(|reason| one_line(reason, 2000));
    cells.extend([
        row.same_as.clone().unwrap_or_default(),
        String::new(),
        String::new(),
        reason.unwrap_or_default(),
        signs(&row.flags),
        warning.unwrap_or_default().to_owned(),
    ]);
    cells
}

fn csv_finalist(row: &Confirmed, warning: Option<&str>) -> Vec<String> {
    let seeds: Vec<String> = row.per_seed.iter().map(|f1| number(Some(*f1))).collect();
    let mut cells = vec![String::new(); CSV.len()];
    let mut put = |name: &str, value: String| {
        let at = CSV.iter().position(|column| *column == name);
        cells[at.expect("a column of the list")] = value;
    };
    put("kind", "finalist".to_owned());
    put("name", row.name.clone());
    put("audit", signs(&row.flags));
    put("warning", warning.unwrap_or_default().to_owned());
    put("state", "complete".to_owned());
    put("f1", number(Some(row.f1.point)));
    put("f1_error", number(Some(row.f1.standard_error)));
    put("f1_lower", number(Some(row.f1.interval.lower)));
    put("f1_upper", number(Some(row.f1.interval.upper)));
    let [this, base, p] = counts(row.vs_base);
    put("only_this_vs_base", this);
    put("only_base", base);
    put("p_vs_base_holm", p);
    put("seeds", seeds.join(" "));
    put(
        "minus_base",
        number(row.minus_base.as_ref().map(|d| d.point)),
    );
    cells
}
