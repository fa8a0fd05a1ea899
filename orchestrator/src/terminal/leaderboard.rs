//! The leaderboard as a person reads it in a terminal or on a page, and as CSV.

use std::collections::BTreeMap;

use crate::{
    board::{
        leaderboard::{Leaderboard, Row},
        rank::Comparison,
        state::RowState,
    },
    domain::{protocol::Protocol, traces::Flag, trial::BASE_ONLY},
    terminal::{
        screen::{Mark, Screen},
        table::{
            Column::{Number, Text},
            Table,
        },
    },
    text::{counted, interval, one_line, probability, share},
};

/// What a narrow terminal can do without, first to go first.
const LEAST_FIRST: [&str; 8] = [
    "accuracy",
    "answered",
    "p vs best",
    "seeds",
    "steps",
    "round",
    "p vs base",
    "minus base",
];

/// Rows of each kind that a terminal shows unless it is asked for all.
pub const SHOWN: usize = 40;

/// A form of the board.
struct Form<'a> {
    /// Rows of each kind that are shown at most.
    rows: usize,
    /// A table whose column of this name may be cut.
    table: &'a dyn Fn(&Table, &str) -> String,
    /// Stands before the headline.
    mark: &'a str,
    /// Stands between a heading and its table.
    gap: &'a str,
    /// Stands before each unranked candidate.
    item: &'a str,
    screen: Screen,
}

impl Leaderboard {
    /// The board for a terminal: ranking, references, rounds, finalists, and what the figures mean; of ranked and of unranked candidates the
    /// first `rows`, of rounds the last.
    #[must_use]
    pub fn to_text(&self, screen: &Screen, rows: usize) -> String {
        self.whole(&Form {
            rows,
            table: &|table, cut| table.to_screen(screen, &LEAST_FIRST, cut),
            mark: "",
            gap: "\n",
            item: "\n  ",
            screen: *screen,
        })
    }

    /// The whole board for a page.
    #[must_use]
    pub fn to_markdown(&self) -> String {
        self.whole(&Form {
            rows: usize::MAX,
            table: &|table, _| table.to_markdown(),
            mark: "# ",
            gap: "\n\n",
            item: "\n\n- ",
            screen: Screen::FILE,
        })
    }

    fn whole(&self, form: &Form<'_>) -> String {
        let Form {
            rows,
            table,
            mark,
            gap,
            ..
        } = form;
        let mut text = format!(
            "{mark}{} (seed {}, {})\n\n",
            one_line(&self.search, 200),
            self.seed,
            self.state,
        );
        if let Some(warning) = self.warning {
            let warned = form.screen.wrapped(&format!("WARNING: {warning}."));
            text += &format!("{warned}\n\n");
        }
        let ranking = self.ranking(*rows);
        if !ranking.is_empty() {
            text += &table(&ranking, "reward");
        }
        text += &self.left_out(form);
        text += &self.unranked(form);
        text.push('\n');
        if self.rounds.len() > 1 {
            text += &format!("\n{}\n", table(&self.rounds_table(*rows), ""));
        }
        if !self.mixes.is_empty() {
            let mixes = table(&self.mixes_table(), "members");
            text += &format!("\nMixes tried on Dev{gap}{mixes}\n");
        }
        if !self.confirmed.is_empty() {
            let finalists = table(&self.confirmed_table(), "finalist");
            text += &format!("\nFinalists on Test{gap}{finalists}\n");
        }
        if !self.pairs.is_empty() {
            let pairs = table(&self.all_pairs_table(), "a");
            text += &format!(
                "\nAll pairs of the ensembles, on the questions they were chosen on{gap}{pairs}\n"
            );
        }
        text + &form.screen.wrapped(&self.legend())
    }

    fn ranking(&self, rows: usize) -> Table {
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
            Text("same as"),
            Text("audit"),
        ]);
        let ranks: std::collections::HashMap<&str, usize> = self
            .ranked()
            .filter_map(|row| Some((row.name.as_str(), row.rank?)))
            .collect();
        for row in self.ranked().take(rows) {
            let mut cells = figures_row(row.rank.map_or_else(String::new, |r| r.to_string()), row);
            let twin = row.same_as.as_deref();
            cells.push(twin.map_or_else(String::new, |twin| match ranks.get(twin) {
                Some(rank) => format!("= {rank}"),
                None => format!("= {}", one_line(twin, 40)),
            }));
            cells.push(signs(&row.flags));
            let mark = (row.rank == Some(1)).then_some(Mark::Leader);
            table.push_marked(cells, mark);
        }
        for row in &self.references {
            let mut cells = figures_row("-".into(), row);
            cells.push(String::new());
            cells.push(signs(&row.flags));
            table.push_marked(cells, Some(Mark::Aside));
        }
        let mut all = self.ranked().chain(&self.references);
        if all.all(|row| row.flags.is_empty()) {
            table.leave_out("audit");
        }
        if self.ranked().all(|row| row.same_as.is_none()) {
            table.leave_out("same as");
        }
        table
    }

    /// How many of the ranked ones are not shown.
    fn left_out(&self, form: &Form<'_>) -> String {
        let more = self.ranked().count().saturating_sub(form.rows);
        match more {
            0 => String::new(),
            more => form.more(&format!("{more} more are ranked below these")),
        }
    }

    /// Those without figures, each with its reason.
    fn unranked(&self, form: &Form<'_>) -> String {
        let Form {
            rows, item, screen, ..
        } = form;
        let mut text = String::new();
        let mut unranked = self.candidates.iter().filter(|row| row.rank.is_none());
        for row in unranked.by_ref().take(*rows) {
            let reason = row
                .reason
                .as_deref()
                .map(|r| format!(": {r}"))
                .unwrap_or_default();
            let line = format!(
                "{} (round {}) {}{reason}",
                named(row),
                row.round().unwrap_or_default(),
                row.state
            );
            let room = screen.width.map_or(240, |width| width.saturating_sub(3));
            let mark = row.reason.is_some().then_some(Mark::Trouble);
            text += &format!("{item}{}", screen.marked(&one_line(&line, room), mark));
        }
        let mut states: BTreeMap<RowState, usize> = BTreeMap::new();
        for row in unranked {
            *states.entry(row.state).or_default() += 1;
        }
        if !states.is_empty() {
            let states = states.iter().map(|(state, n)| format!("{n} {state}"));
            let states: Vec<String> = states.collect();
            text += &form.more(&format!("and {} more", states.join(", ")));
        }
        text
    }

    /// One line a round, of the last `rows`.
    fn rounds_table(&self, rows: usize) -> Table {
        let columns = [
            "round", "proposed", "accepted", "screened", "mean F1", "best F1",
        ];
        let mut table = Table::new(&columns.map(Number));
        for round in &self.rounds[self.rounds.len().saturating_sub(rows)..] {
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

    /// The mixes that were tried.
    fn mixes_table(&self) -> Table {
        let mut table = Table::new(&[
            Text("members"),
            Number("F1"),
            Text("95 % interval"),
            Text("chosen"),
        ]);
        for mix in &self.mixes {
            table.push(vec![
                one_line(&mix.members.join(" + "), 240),
                share(mix.f1.point),
                interval(&mix.f1),
                if mix.is_chosen { "yes" } else { "" }.to_owned(),
            ]);
        }
        table
    }

    /// All pairs of the ensembles, where the reference paper is reproduced.
    fn all_pairs_table(&self) -> Table {
        let mut table = Table::new(&[
            Text("a"),
            Text("b"),
            Number("only a"),
            Number("only b"),
            Number("chi-square p"),
            Number("exact p"),
            Number("Bonferroni"),
        ]);
        for pair in &self.pairs {
            table.push(vec![
                one_line(&pair.a, 60),
                one_line(&pair.b, 60),
                pair.only_a.to_string(),
                pair.only_b.to_string(),
                pair.chi_square_corrected_p
                    .map_or_else(String::new, probability),
                probability(pair.exact_p),
                probability(pair.bonferroni_p),
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
            Text("audit"),
        ]);
        for row in &self.confirmed {
            let seeds: Vec<String> = row.per_seed.iter().map(|f1| share(*f1)).collect();
            let missing = if row.missing > 0 {
                format!(" ({} missing)", row.missing)
            } else {
                String::new()
            };
            table.push(vec![
                one_line(&row.name, 60),
                row.steps.to_string(),
                share(row.f1.point),
                interval(&row.f1),
                seeds.join(" ") + &missing,
                row.minus_base
                    .as_ref()
                    .map_or_else(String::new, |d| format!("{:+.3} {}", d.point, interval(d))),
                p_value(row.vs_base),
                signs(&row.flags),
            ]);
        }
        if self.confirmed.iter().all(|row| row.flags.is_empty()) {
            table.leave_out("audit");
        }
        table
    }

    fn legend(&self) -> String {
        let family = self.family;
        if self.questions == 0 {
            return "\nNothing is judged yet.\n".to_owned();
        }
        let split = match self.protocol {
            Protocol::HeldOut => "Dev",
            Protocol::Paper => "Test",
        };
        let over = match family {
            0 | 1 => String::new(),
            _ => format!(", Holm-adjusted over all {family} ranked candidates"),
        };
        let mut text = format!(
            "\nF1 on {} {split} questions with bootstrap intervals. F1 = 2a/(1+a) of accuracy a, so ranking by one is ranking by the other.\n\
             p: exact McNemar on the same questions{over}; base: {BASE_ONLY}.\n",
            self.questions,
        );
        if self.ranked().any(|row| row.same_as.is_some()) {
            text += "same as: the two taught the policy exactly the same; only the first is combined, confirmed or exported.\n";
        }
        if family > 1 {
            text += &match &self.best_f1_corrected_for_choice {
                Some(f1) => format!(
                    "The best of many on {split} flatters itself: corrected for the choice its F1 is {} {}.",
                    share(f1.point),
                    interval(f1)
                ),
                None => format!("The best of many on {split} flatters itself."),
            };
            text += match self.protocol {
                Protocol::HeldOut => " Only the figures on Test are free of that.\n",
                Protocol::Paper => {
                    " So are those of the ensembles: all were chosen on the same questions.\n"
                }
            };
        }
        if self.has_flags() {
            text += "audit: signs that the reward was hacked; `reward-search audit NAME` has the figures.\n";
        }
        if let Some(verdicts) = &self.verdicts {
            text += &format!("Verdicts: {verdicts}.\n");
        }
        for change in &self.changes {
            text += &format!("Changed {change}.\n");
        }
        if !self.confirmed.is_empty() {
            text += &format!(
                "Finalists: intervals resample seeds and questions; p: exact sign test on who got a question right with more of the seeds, these \
                 seeds being given, Holm-adjusted over {}.\n",
                counted(self.confirmed.len(), "finalist")
            );
        }
        text
    }
}

impl Form<'_> {
    /// The line that says what is not shown.
    fn more(&self, what: &str) -> String {
        let line = format!("… {what}: `reward-search leaderboard --all` shows them");
        let line = self.screen.marked(&line, Some(Mark::Aside));
        format!("{}{line}", self.item)
    }
}

impl Leaderboard {
    fn has_flags(&self) -> bool {
        let mut rows = self.ranked().chain(&self.references);
        rows.any(|row| !row.flags.is_empty())
            || self.confirmed.iter().any(|row| !row.flags.is_empty())
    }
}

/// The signs in a word or two each.
pub(super) fn signs(flags: &[Flag]) -> String {
    let words: Vec<&str> = flags.iter().map(|flag| flag.sign.short()).collect();
    words.join(", ")
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
    let name = one_line(&row.name, 200);
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
