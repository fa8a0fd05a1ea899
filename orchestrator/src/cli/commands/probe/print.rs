//! What a probe came to, for people: short on a terminal, a list in Markdown.

use std::io::Write;

use super::{Fit, Outcome, Probed, Told};
use crate::{
    reward::probe::{
        Comparison, Part,
        exam::{Calibration, Shortcut, Standing},
        findings::Severity,
    },
    terminal::{
        screen::{Mark, Screen},
        table::{
            Column::{Number, Text},
            Table,
        },
        worth::{hacks_table, summary},
    },
    text::{counted, one_line},
};

/// Characters before what a row says.
const MARGIN: usize = 12;
/// The same where every figure is shown.
const WIDE_MARGIN: usize = 31;
/// Width of a page where there is no terminal.
const PAGE: usize = 80;

/// Every reward on a few lines; every figure where that is asked for.
pub(super) fn text(
    out: &mut impl Write,
    probed: &[Probed],
    (full, screen): (bool, Screen),
) -> anyhow::Result<()> {
    for (at, one) in probed.iter().enumerate() {
        if at > 0 {
            writeln!(out)?;
        }
        writeln!(out, "{}", one_line(&one.reward, 200))?;
        let mut rows = Rows { out, screen };
        match &one.outcome {
            Outcome::Unfit { refused } => {
                rows.row("refused:", &one_line(refused, 500), Some(Mark::Trouble))?;
                continue;
            }
            Outcome::Fit(fit) if full => every_figure(&mut rows, fit)?,
            Outcome::Fit(fit) => in_short(&mut rows, fit)?,
        }
        told(&mut rows, one)?;
    }
    if !full && probed.iter().any(|one| one.fit().is_some()) {
        writeln!(out, "\n--full shows every figure and every shortcut tried.")?;
    }
    Ok(())
}

struct Rows<'a, W> {
    out: &'a mut W,
    screen: Screen,
}

impl<W: Write> Rows<'_, W> {
    /// A name and what it says, broken between words and set in where it is long.
    fn row(&mut self, name: &str, says: &str, mark: Option<Mark>) -> anyhow::Result<()> {
        self.set_in(MARGIN, (name, says, mark))
    }

    fn set_in(
        &mut self,
        margin: usize,
        (name, says, mark): (&str, &str, Option<Mark>),
    ) -> anyhow::Result<()> {
        let width = self.screen.width.unwrap_or(PAGE);
        let room = Screen {
            width: Some(width.saturating_sub(margin).max(20)),
            ..self.screen
        };
        // A number stays with its unit.
        let says = says.replace(" %", "\u{a0}%");
        let mut name = name;
        for line in room.wrapped(&says).lines() {
            let line = self.screen.marked(&line.replace('\u{a0}', " "), mark);
            let wide = margin - 3;
            writeln!(self.out, "  {name:wide$} {line}")?;
            name = "";
        }
        Ok(())
    }

    /// A row of every figure, whose names are longer.
    fn figure(&mut self, name: &str, says: &str) -> anyhow::Result<()> {
        self.set_in(WIDE_MARGIN, (name, says, None))
    }

    fn plain(&mut self, name: &str, says: &str) -> anyhow::Result<()> {
        self.row(name, says, None)
    }
}

fn in_short<W: Write>(rows: &mut Rows<'_, W>, fit: &Fit) -> anyhow::Result<()> {
    let worth = &fit.worth;
    rows.plain("pays", &pays(&fit.exam.calibration))?;
    let within = worth.auc_within.map_or_else(
        || "no AUC: no question has right and wrong answers".to_owned(),
        |auc| match auc.standard_error {
            Some(error) => format!("AUC within groups {:.3} ± {error:.3}", auc.point),
            None => format!("AUC within groups {:.3}", auc.point),
        },
    );
    let constant = if worth.is_constant() {
        " (constant)"
    } else {
        ""
    };
    rows.plain(
        "pool",
        &format!(
            "{within}; {:.1} % of groups flat; {} to {}{constant}",
            100.0 * worth.flat_groups,
            short(worth.lowest),
            short(worth.highest)
        ),
    )?;
    if let Some(best) = most_paid(&fit.exam.shortcuts) {
        rows.plain("shortcuts", &best)?;
    }
    parts(rows, fit)?;
    rows.plain(
        "cost",
        &format!(
            "{:.1} microseconds and {} fuel a completion",
            fit.microseconds_per_completion, worth.mean_fuel
        ),
    )?;
    if !fit.printed.is_empty() {
        rows.plain("printed", &one_line(&fit.printed, 60))?;
    }
    Ok(())
}

/// Four places at most, and none that say nothing.
fn short(value: f64) -> String {
    let text = format!("{value:.4}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

fn pays(honest: &Calibration) -> String {
    let earns = format!(
        "right {}, wrong {}, blank {}",
        short(honest.right),
        short(honest.wrong),
        short(honest.blank)
    );
    let reference = match honest.reference {
        "72" => String::new(),
        other => format!("; references as {other}"),
    };
    match honest.standing {
        Standing::Calibrated => format!(
            "{}: {earns} ({} of {} formats pay{reference})",
            honest.format,
            honest.pays_in.len(),
            honest.tried
        ),
        Standing::AnswerBlind => {
            format!("right and wrong alike; most in {}: {earns}", honest.format)
        }
        Standing::Inverted => format!("wrong answers; most in {}: {earns}", honest.format),
        Standing::Uncalibrated => format!(
            "uncalibrated: no right answer earns anything in {} formats tried",
            honest.tried
        ),
    }
}

fn most_paid(shortcuts: &[Shortcut]) -> Option<String> {
    let shared = shortcuts.iter().filter_map(|s| Some((s, s.share?)));
    // Of equals the first.
    let (best, share) = shared.rev().max_by(|a, b| a.1.total_cmp(&b.1))?;
    let tried = shortcuts.len();
    Some(if share > 0.0 {
        let percent = 100.0 * share;
        format!(
            "{tried} tried; at most {percent:.0} % of a right answer ({})",
            best.kind
        )
    } else {
        format!("{tried} tried; none earns more than a blank")
    })
}

fn parts<W: Write>(rows: &mut Rows<'_, W>, fit: &Fit) -> anyhow::Result<()> {
    for part in &fit.parts {
        let name = format!("part {}", one_line(&part.part, 60));
        rows.plain(&name, &carries(part))?;
    }
    if let Some(part) = &fit.in_sum {
        rows.plain("in the sum", &carries(part))?;
    }
    for other in &fit.against {
        rows.plain("against", &differs(other))?;
    }
    Ok(())
}

fn carries(part: &Part) -> String {
    let mut says = format!(
        "{} to {}, mean {:.3}",
        short(part.lowest),
        short(part.highest),
        part.mean
    );
    if let Some(share) = part.variance_share {
        says += &format!("; {:.0} % of the variance within groups", 100.0 * share);
    }
    if let Some(auc) = part.auc_within {
        says += &format!(", AUC {:.3}", auc.point);
    }
    says
}

fn differs(other: &Comparison) -> String {
    let tau = other.kendall.map_or_else(String::new, |tau| {
        format!("; tau-b {tau:+.3} within groups")
    });
    format!(
        "{}: {} with another score, {} of {} groups in another order{tau}",
        one_line(&other.with, 40),
        counted(other.other_score, "completion"),
        other.other_order,
        other.groups
    )
}

fn every_figure<W: Write>(rows: &mut Rows<'_, W>, fit: &Fit) -> anyhow::Result<()> {
    let odd = &fit.odd;
    let mut row = |name: &str, value: &str| rows.figure(name, value);
    row("pays", &pays(&fit.exam.calibration))?;
    row("pays in", &fit.exam.calibration.pays_in.join(" · "))?;
    row(
        "odd samples",
        &format!("survived, {} to {}", odd.lowest, odd.highest),
    )?;
    for note in &odd.notes {
        row("note", &one_line(note, 300))?;
    }
    for (name, value) in summary(&fit.worth) {
        row(&name, &value)?;
    }
    let yes = |depends: bool| if depends { "YES" } else { "no" };
    row("depends on the batch", yes(fit.exam.depends_on_batch))?;
    row("depends on its group", yes(fit.exam.depends_on_group))?;
    let altered = &fit.exam.altered;
    row(
        "altered answers",
        &format!(
            "{} of {} earn less than the right one",
            altered.killed, altered.mutants
        ),
    )?;
    if let Some(mutants) = &fit.source_mutants {
        row(
            "changes to the source",
            &format!(
                "{} of {} move a score of the pool",
                mutants.told_apart, mutants.tried
            ),
        )?;
    }
    for relation in &altered.relations {
        row(
            relation.change,
            &format!("{} of {} score the same", relation.same, relation.tried),
        )?;
    }
    row(
        "time",
        &format!(
            "{:.1} microseconds a completion",
            fit.microseconds_per_completion
        ),
    )?;
    if !fit.printed.is_empty() {
        row("printed", &one_line(&fit.printed, 300))?;
    }
    parts(rows, fit)?;
    writeln!(rows.out, "{}", shortcuts_table(&fit.exam.shortcuts))?;
    writeln!(rows.out, "{}", hacks_table(&fit.worth.hacks))?;
    Ok(())
}

fn shortcuts_table(shortcuts: &[Shortcut]) -> String {
    let mut table = Table::new(&[
        Text("family"),
        Text("shortcut"),
        Number("of a right one"),
        Number("above wrong"),
        Number("as good"),
    ]);
    let percent = |share: f64| format!("{:.0} %", 100.0 * share);
    let or_none = |share: Option<f64>| share.map_or_else(|| "-".to_owned(), percent);
    for shortcut in shortcuts {
        table.push(vec![
            shortcut.family.to_owned(),
            shortcut.kind.to_owned(),
            or_none(shortcut.share),
            or_none(shortcut.above_wrong),
            percent(shortcut.as_good),
        ]);
    }
    table.to_text()
}

fn told<W: Write>(rows: &mut Rows<'_, W>, one: &Probed) -> anyhow::Result<()> {
    if one.findings.is_empty() {
        return rows.row("found", "nothing", Some(Mark::Leader));
    }
    let key = |told: &Told| (told.finding.rule, told.finding.severity, told.known);
    for alike in one.findings.chunk_by(|a, b| key(a) == key(b)) {
        let Told { finding, known } = &alike[0];
        let (name, mark) = match (known, finding.severity) {
            (true, _) => ("known", Some(Mark::Aside)),
            (_, Severity::Error) => ("error", Some(Mark::Trouble)),
            (_, Severity::Warning) => ("warning", None),
            (_, Severity::Note) => ("note", None),
        };
        let messages: Vec<&str> = alike.iter().map(|told| &*told.finding.message).collect();
        let says = format!("{}: {}", finding.rule, one_line(&together(&messages), 1000));
        rows.row(name, &says, mark)?;
    }
    Ok(())
}

/// Messages of one rule in one: what they end in alike is said once.
fn together(messages: &[&str]) -> String {
    let mut said: Vec<(Vec<&str>, &str)> = Vec::new();
    for message in messages {
        let (head, tail) = message.split_once(" earns ").unwrap_or((message, ""));
        match said
            .iter_mut()
            .find(|(_, known)| !tail.is_empty() && *known == tail)
        {
            Some((heads, _)) => heads.push(head),
            None => said.push((vec![head], tail)),
        }
    }
    let each = said
        .into_iter()
        .map(|(heads, tail)| match (heads.len(), tail) {
            (_, "") => heads.concat(),
            (1, tail) => format!("{} earns {tail}", heads[0]),
            (_, tail) => format!("{} each earn {tail}", heads.join(" · ")),
        });
    each.collect::<Vec<_>>().join("; ")
}

/// A table of all findings.
pub(super) fn markdown(out: &mut impl Write, probed: &[Probed]) -> anyhow::Result<()> {
    let mut table = Table::new(&[
        Text("reward"),
        Text("severity"),
        Text("rule"),
        Text("found"),
    ]);
    for one in probed {
        let name = one_line(&one.reward, 200);
        for Told { finding, known } in &one.findings {
            let severity = if *known {
                "known"
            } else {
                finding.severity.name()
            };
            table.push(vec![
                name.clone(),
                severity.to_owned(),
                format!("`{}`", finding.rule),
                one_line(&finding.message, 600),
            ]);
        }
        if one.findings.is_empty() {
            table.push(vec![name, "-".into(), "-".into(), "nothing found".into()]);
        }
    }
    writeln!(out, "{}", table.to_markdown())?;
    Ok(())
}
