//! The leaderboard as a person reads it in a terminal or on a page, and as CSV.

use comfy_table::{CellAlignment, ContentArrangement, Table, presets};
use evaluator::Estimate;

use super::{Leaderboard, Row};
use crate::{
    rank::Comparison,
    search::BASE_ONLY,
    sheet::{
        Column::{Number, Text},
        Sheet,
    },
};

impl Leaderboard {
    /// The whole board for a terminal: ranking, references, rounds, finalists, and what the figures mean.
    #[must_use]
    pub fn to_text(&self) -> String {
        self.whole("", Sheet::to_text, "\n", "\n  ")
    }

    /// The same for a page.
    #[must_use]
    pub fn to_markdown(&self) -> String {
        self.whole("# ", Sheet::to_markdown, "\n\n", "\n\n- ")
    }

    /// The board with its tables in a `form`; `gap` stands between a heading and its table, `item` before each unranked candidate.
    fn whole(&self, mark: &str, form: fn(&Sheet) -> String, gap: &str, item: &str) -> String {
        let mut text = format!(
            "{mark}{} (seed {}, {})\n\n{}",
            self.search,
            self.seed,
            self.state,
            form(&self.ranking())
        );
        text += &self.unranked(item);
        text.push('\n');
        if self.rounds.len() > 1 {
            text += &format!("\n{}\n", form(&self.rounds_sheet()));
        }
        if !self.confirmed.is_empty() {
            let finalists = form(&self.confirmed_sheet());
            text += &format!("\nFinalists on Test{gap}{finalists}\n");
        }
        text + &self.legend()
    }

    fn ranking(&self) -> Sheet {
        let mut sheet = Sheet::new(&[
            Number(""),
            Text("reward"),
            Number("round"),
            Number("F1"),
            Text("95 % interval"),
            Number("accuracy"),
            Number("answered"),
            Number("p vs base"),
            Number("p vs best"),
        ]);
        for row in self.ranked() {
            sheet.push(figures_row(
                row.rank.map_or_else(String::new, |r| r.to_string()),
                row,
            ));
        }
        for row in &self.references {
            sheet.push(figures_row("-".into(), row));
        }
        sheet
    }

    /// Those without figures, each with its reason.
    fn unranked(&self, item: &str) -> String {
        let mut text = String::new();
        for row in self.candidates.iter().filter(|row| row.rank.is_none()) {
            let reason = row
                .reason
                .as_deref()
                .map(|r| format!(": {}", one_line(r, 160)))
                .unwrap_or_default();
            text += &format!(
                "{item}{} (round {}) {}{reason}",
                row.name, row.round, row.state
            );
        }
        text
    }

    /// One line a round.
    fn rounds_sheet(&self) -> Sheet {
        let columns = [
            "round", "proposed", "accepted", "screened", "mean F1", "best F1",
        ];
        let mut sheet = Sheet::new(&columns.map(Number));
        for round in &self.rounds {
            sheet.push(vec![
                round.round.to_string(),
                round.proposed.to_string(),
                round.accepted.to_string(),
                round.complete.to_string(),
                optional(round.mean_f1),
                optional(round.best_f1),
            ]);
        }
        sheet
    }

    /// The finalists.
    fn confirmed_sheet(&self) -> Sheet {
        let mut sheet = Sheet::new(&[
            Text("finalist"),
            Number("steps"),
            Number("mean F1"),
            Text("95 % interval"),
            Text("seeds"),
            Text("minus base"),
            Number("p vs base"),
        ]);
        for row in &self.confirmed {
            let seeds: Vec<String> = row.per_seed.iter().map(|f1| share(*f1)).collect();
            let missing = if row.missing > 0 {
                format!(" ({} missing)", row.missing)
            } else {
                String::new()
            };
            sheet.push(vec![
                row.name.clone(),
                row.steps.to_string(),
                share(row.f1.point),
                interval(&row.f1),
                seeds.join(" ") + &missing,
                row.minus_base
                    .as_ref()
                    .map_or_else(String::new, |d| format!("{:+.3} {}", d.point, interval(d))),
                p_value(row.vs_base),
            ]);
        }
        sheet
    }

    fn legend(&self) -> String {
        let family = self.family;
        let mut text = format!(
            "\nF1 on {} Dev questions with bootstrap intervals. F1 = 2a/(1+a) of accuracy a, so ranking by one is ranking by the other.\n\
             p: exact McNemar on the same questions, Holm-adjusted over all {family} ranked candidates; base: {BASE_ONLY}.\n",
            self.questions,
        );
        if self.ranked().any(|row| row.same_as.is_some()) {
            text += "a = b: a taught the policy exactly what b did; it is not combined, confirmed or exported beside b.\n";
        }
        if family > 1 {
            text += "The best of many on Dev flatters itself; only the figures on Test are free of that.\n";
        }
        if let Some(verdicts) = &self.verdicts {
            text += &format!("Verdicts: {verdicts}.\n");
        }
        if !self.confirmed.is_empty() {
            text += "Finalists: intervals resample seeds and questions; p: exact sign test on who got a question right\nwith more of the seeds, these seeds being given, Holm-adjusted over the finalists.\n";
        }
        text
    }

    /// The candidates and references as CSV, one line each.
    ///
    /// # Errors
    /// If a line cannot be encoded (it always can).
    pub fn to_csv(&self) -> Result<String, csv::Error> {
        let mut out = csv::Writer::from_writer(Vec::new());
        out.write_record([
            "rank",
            "name",
            "round",
            "state",
            "f1",
            "f1_lower",
            "f1_upper",
            "accuracy",
            "accuracy_lower",
            "accuracy_upper",
            "answer_rate",
            "p_vs_base_holm",
            "p_vs_leader_holm",
            "reason",
        ])?;
        for row in self.candidates.iter().chain(&self.references) {
            let figures = row.figures.as_ref();
            let number = |value: Option<f64>| value.map(|v| v.to_string()).unwrap_or_default();
            out.write_record([
                row.rank.map(|r| r.to_string()).unwrap_or_default(),
                row.name.clone(),
                row.round.to_string(),
                row.state.clone(),
                number(figures.map(|f| f.f1.point)),
                number(figures.map(|f| f.f1.interval.lower)),
                number(figures.map(|f| f.f1.interval.upper)),
                number(figures.map(|f| f.accuracy.point)),
                number(figures.map(|f| f.accuracy.interval.lower)),
                number(figures.map(|f| f.accuracy.interval.upper)),
                number(figures.map(|f| f.answer_rate)),
                number(row.vs_base.map(|c| c.p_holm)),
                number(row.vs_leader.map(|c| c.p_holm)),
                row.reason
                    .as_deref()
                    .map(|reason| one_line(reason, 2000))
                    .unwrap_or_default(),
            ])?;
        }
        let bytes = out.into_inner().map_err(|e| e.into_error())?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }
}

/// A table without lines, as wide as it needs.
pub(crate) fn plain(header: &[&str]) -> Table {
    let mut table = Table::new();
    table
        .load_style(presets::NOTHING)
        .set_content_arrangement(ContentArrangement::Disabled)
        .set_header(header);
    table
}

/// Right-aligns the given columns.
pub(crate) fn align_right(table: &mut Table, columns: &[usize]) {
    for &column in columns {
        if let Some(column) = table.column_mut(column) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
}

fn figures_row(rank: String, row: &Row) -> Vec<String> {
    let (f1, bounds, accuracy, answered) = match &row.figures {
        Some(f) => (
            share(f.f1.point),
            interval(&f.f1),
            share(f.accuracy.point),
            share(f.answer_rate),
        ),
        None => (
            row.state.clone(),
            String::new(),
            String::new(),
            String::new(),
        ),
    };
    let round = if row.round == 0 {
        String::new()
    } else {
        row.round.to_string()
    };
    let name = match &row.same_as {
        Some(twin) => format!("{} = {twin}", row.name),
        None => row.name.clone(),
    };
    vec![
        rank,
        name,
        round,
        f1,
        bounds,
        accuracy,
        answered,
        p_value(row.vs_base),
        p_value(row.vs_leader),
    ]
}

/// A share to three places, as `0.512`.
pub(crate) fn share(value: f64) -> String {
    format!("{value:.3}")
}

/// An interval to three places, as `[0.480, 0.544]`.
pub(crate) fn interval(estimate: &Estimate) -> String {
    format!(
        "[{:.3}, {:.3}]",
        estimate.interval.lower, estimate.interval.upper
    )
}

fn optional(value: Option<f64>) -> String {
    value.map_or_else(|| "-".to_owned(), share)
}

fn p_value(comparison: Option<Comparison>) -> String {
    comparison.map_or_else(String::new, |c| probability(c.p_holm))
}

/// A p-value to three places, small ones in powers of ten.
pub(crate) fn probability(p: f64) -> String {
    if p < 0.001 {
        format!("{p:.0e}")
    } else {
        format!("{p:.3}")
    }
}

/// Foreign text made safe for a terminal: one line, no control characters, cut at `width`.
pub(crate) fn one_line(text: &str, width: usize) -> String {
    let clean: String = text
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect();
    let clean = clean.split_whitespace().collect::<Vec<_>>().join(" ");
    match clean.char_indices().nth(width) {
        Some((cut, _)) => format!("{}…", &clean[..cut]),
        None => clean,
    }
}

/// Foreign text of several lines without control characters.
pub(crate) fn printable(text: &str) -> String {
    text.chars()
        .filter(|&c| c == '\n' || c == '\t' || !c.is_control())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn foreign_text_cannot_move_the_cursor() {
        assert_eq!(one_line("a\x1b[31m\r\nb   c", 80), "a [31m b c");
        assert_eq!(one_line("abcdef", 3), "abc…");
    }

    #[test]
    fn p_values_are_never_zero() {
        assert_eq!(probability(0.0421), "0.042");
        assert_eq!(probability(3.2e-36), "3e-36");
    }
}
