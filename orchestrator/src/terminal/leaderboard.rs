//! The leaderboard as a person reads it in a terminal or on a page, and as CSV.

use crate::board::leaderboard::{Leaderboard, Row};
use crate::{
    board::rank::Comparison,
    domain::trial::BASE_ONLY,
    terminal::table::{
        Column::{Number, Text},
        Table,
    },
    text::{interval, one_line, probability, share},
};

impl Leaderboard {
    /// The whole board for a terminal: ranking, references, rounds, finalists, and what the figures mean.
    #[must_use]
    pub fn to_text(&self) -> String {
        self.whole("", Table::to_text, "\n", "\n  ")
    }

    /// The same for a page.
    #[must_use]
    pub fn to_markdown(&self) -> String {
        self.whole("# ", Table::to_markdown, "\n\n", "\n\n- ")
    }

    /// The board with its tables in a `form`; `gap` stands between a heading and its table, `item` before each unranked candidate.
    fn whole(&self, mark: &str, form: fn(&Table) -> String, gap: &str, item: &str) -> String {
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
            text += &format!("\n{}\n", form(&self.rounds_table()));
        }
        if !self.confirmed.is_empty() {
            let finalists = form(&self.confirmed_table());
            text += &format!("\nFinalists on Test{gap}{finalists}\n");
        }
        text + &self.legend()
    }

    fn ranking(&self) -> Table {
        let mut table = Table::new(&[
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
            table.push(figures_row(
                row.rank.map_or_else(String::new, |r| r.to_string()),
                row,
            ));
        }
        for row in &self.references {
            table.push(figures_row("-".into(), row));
        }
        table
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
                named(row),
                row.round().unwrap_or_default(),
                row.state
            );
        }
        text
    }

    /// One line a round.
    fn rounds_table(&self) -> Table {
        let columns = [
            "round", "proposed", "accepted", "screened", "mean F1", "best F1",
        ];
        let mut table = Table::new(&columns.map(Number));
        for round in &self.rounds {
            table.push(vec![
                round.round.to_string(),
                round.proposed.to_string(),
                round.accepted.to_string(),
                round.complete.to_string(),
                optional(round.mean_f1),
                optional(round.best_f1),
            ]);
        }
        table
    }

    /// The finalists.
    fn confirmed_table(&self) -> Table {
        let mut table = Table::new(&[
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
            table.push(vec![
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
        table
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
        for change in &self.changes {
            text += &format!("Changed {change}.\n");
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
                row.round().unwrap_or_default().to_string(),
                row.state.to_string(),
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

/// Its name, and whose twin it is.
fn named(row: &Row) -> String {
    match &row.same_as {
        Some(twin) => format!("{} = {twin}", row.name),
        None => row.name.clone(),
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
            row.state.to_string(),
            String::new(),
            String::new(),
            String::new(),
        ),
    };
    let round = row
        .round()
        .map_or_else(String::new, |round| round.to_string());
    let name = named(row);
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

fn optional(value: Option<f64>) -> String {
    value.map_or_else(|| "-".to_owned(), share)
}

fn p_value(comparison: Option<Comparison>) -> String {
    comparison.map_or_else(String::new, |c| probability(c.p_holm))
}
