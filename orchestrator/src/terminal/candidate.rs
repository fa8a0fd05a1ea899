//! One candidate, reference row or finalist as a person reads it.

use std::io::{self, Write};

use trainer_bridge::StepMetrics;

use super::{
    audit::write_flags,
    screen::Screen,
    worth::{hacks_table, summary},
};
use crate::{
    board::{
        candidate::{CandidateView, Shown},
        confirmed::Confirmed,
        leaderboard::Row,
    },
    domain::decider::Tally,
    reward::probe::Probed,
    text::{interval, one_line, printable, probability, share},
};

/// Writes all of it; lines of words are broken where the screen ends.
///
/// # Errors
/// If it cannot be written.
pub fn write(out: &mut impl Write, screen: &Screen, shown: &Shown) -> io::Result<()> {
    match shown {
        Shown::Mix(mix) => write_mix(out, screen, mix),
        Shown::Reference(reference) => {
            let (name, state) = (&reference.row.name, reference.row.state);
            writeln!(out, "{name}  (a reference row, {state})")?;
            if let Some(confirmed) = reference.confirmed.first() {
                writeln!(out, "trained on  {}", members(confirmed))?;
            }
            write_figures(out, &reference.row)?;
            write_verdicts(out, reference.verdicts)?;
            reference
                .confirmed
                .iter()
                .try_for_each(|finalist| write_confirmed(out, finalist))
        }
        Shown::Candidate(candidate) => write_candidate(out, screen, candidate),
    }
}

fn write_candidate(
    out: &mut impl Write,
    screen: &Screen,
    candidate: &CandidateView,
) -> io::Result<()> {
    write_origin(out, screen, candidate)?;
    if let Some(warning) = candidate.warning {
        writeln!(out, "{}", screen.wrapped(&format!("WARNING: {warning}.")))?;
    }
    if let Some(row) = &candidate.screening {
        write_row(out, candidate, row)?;
        if let Some(reason) = &row.reason {
            let reason = screen.wrapped(&printable(reason));
            writeln!(out, "\nwhy {}\n{reason}", row.state)?;
        }
    }
    for finalist in &candidate.confirmed {
        write_confirmed(out, finalist)?;
    }
    if let Some(probe) = &candidate.probe {
        write_probe(out, probe)?;
    }
    writeln!(out, "\n{}", printable(candidate.source.trim_end()))
}

/// How a finalist did on Test, and what was seen of it there.
fn write_confirmed(out: &mut impl Write, finalist: &Confirmed) -> io::Result<()> {
    let (f1, steps) = (&finalist.f1, finalist.steps);
    let (f1, range) = (share(f1.point), interval(f1));
    writeln!(out, "F1 on Test  {f1} {range} after {steps} steps")?;
    if finalist.flags.is_empty() {
        return Ok(());
    }
    write_flags(out, &finalist.flags)
}

/// What a finalist was trained on.
fn members(finalist: &Confirmed) -> String {
    match &finalist.members[..] {
        [] => "nothing: the base model as it is".to_owned(),
        members => members.join(" + "),
    }
}

/// A finalist that is more than one candidate.
fn write_mix(out: &mut impl Write, screen: &Screen, mix: &Confirmed) -> io::Result<()> {
    let trained = format!("{}  trained on {}", mix.name, members(mix));
    writeln!(out, "{}", screen.wrapped(&trained))?;
    let (f1, range) = (share(mix.f1.point), interval(&mix.f1));
    writeln!(out, "F1 on Test  {f1} {range}")?;
    write_flags(out, &mix.flags)
}

/// Where a candidate comes from, and what it is after.
fn write_origin(
    out: &mut impl Write,
    screen: &Screen,
    candidate: &CandidateView,
) -> io::Result<()> {
    let (name, round, status) = (&candidate.name, candidate.round, &candidate.status);
    writeln!(out, "{name}  (round {round}, {status})")?;
    if !candidate.rationale.is_empty() {
        let rationale = one_line(&candidate.rationale, 2000);
        writeln!(out, "{}", screen.wrapped(&rationale))?;
    }
    for change in &candidate.changes {
        let change = one_line(&change.to_string(), 400);
        writeln!(out, "changed     {change}")?;
    }
    if !candidate.parents.is_empty() {
        let parents = one_line(&candidate.parents.join(", "), 400);
        writeln!(out, "parents     {parents}")?;
    }
    Ok(())
}

/// How a candidate's screening went.
fn write_row(out: &mut impl Write, candidate: &CandidateView, row: &Row) -> io::Result<()> {
    match row.rank {
        Some(rank) => writeln!(out, "rank        {rank} of {}", candidate.ranked)?,
        None => writeln!(out, "state       {}", row.state)?,
    }
    write_figures(out, row)?;
    if let Some(f1) = &candidate.f1_corrected_for_choice {
        let (f1, range) = (share(f1.point), interval(f1));
        writeln!(
            out,
            "            chosen as the best, it looks better than it is:\n            F1 {f1} {range} corrected for the choice"
        )?;
    }
    write_verdicts(out, candidate.verdicts)?;
    if let Some(c) = row.vs_base {
        writeln!(
            out,
            "vs base     {} questions only this, {} only the base rewards, p {} (Holm)",
            c.only_this,
            c.only_reference,
            probability(c.p_holm)
        )?;
    }
    if candidate.traces.is_some() {
        writeln!(out, "audit")?;
        write_flags(out, &row.flags)?;
    }
    write_curves(out, &candidate.curve)
}

/// Who decided the verdicts behind the figures, where a model had a part in them.
fn write_verdicts(out: &mut impl Write, verdicts: Option<Tally>) -> io::Result<()> {
    match verdicts {
        Some(tally) => writeln!(out, "verdicts    {tally}"),
        None => Ok(()),
    }
}

/// The course of a training.
fn write_curves(out: &mut impl Write, curve: &[StepMetrics]) -> io::Result<()> {
    let curves: [(&str, Metric); 3] = [
        ("reward", |m| m.reward),
        ("right", |m| m.correct),
        ("length", |m| m.completion_length),
    ];
    for (name, of) in curves {
        let values: Vec<f64> = curve.iter().map(of).collect();
        if let [first, .., last] = values[..] {
            let line = sparkline(&values);
            writeln!(out, "{name:11} {line}  {first:.2} -> {last:.2}")?;
        }
    }
    match curve {
        [first, .., last] => remarks(out, first, last),
        _ => Ok(()),
    }
}

/// What the probe saw: a table where there is one, else as it is stored.
fn write_probe(out: &mut impl Write, probe: &str) -> io::Result<()> {
    let probed = serde_json::from_str::<Probed>(probe);
    let Ok(Probed {
        worth: Some(worth), ..
    }) = probed
    else {
        return writeln!(out, "probe       {probe}");
    };
    writeln!(out, "\nprobe, on what the untouched policy writes")?;
    for (name, value) in summary(&worth) {
        writeln!(out, "  {name:28} {value}")?;
    }
    writeln!(out, "{}", hacks_table(&worth.hacks))
}

fn write_figures(out: &mut impl Write, row: &Row) -> io::Result<()> {
    let Some(f) = &row.figures else { return Ok(()) };
    writeln!(out, "F1          {} {}", share(f.f1.point), interval(&f.f1))?;
    writeln!(
        out,
        "accuracy    {} {}",
        share(f.accuracy.point),
        interval(&f.accuracy)
    )?;
    writeln!(out, "answered    {}", share(f.answer_rate))
}

/// One figure of a step.
type Metric = fn(&StepMetrics) -> f64;

/// The parts a reward names itself, at the first step and the last, and what it printed at the last.
fn remarks(out: &mut impl Write, first: &StepMetrics, last: &StepMetrics) -> io::Result<()> {
    for part in &last.parts {
        let before = first.parts.iter().find(|p| p.part == part.part);
        let before = before.map_or("-".to_owned(), |p| format!("{:.2}", p.mean));
        writeln!(
            out,
            "part        {}  {before} -> {:.2}",
            printable(&part.part),
            part.mean
        )?;
    }
    if !last.printed.is_empty() {
        let printed = printable(last.printed.trim_end()).replace('\n', "\n            ");
        writeln!(out, "printed     {printed}")?;
    }
    Ok(())
}

/// A curve in eight heights.
fn sparkline(values: &[f64]) -> String {
    let low = values.iter().copied().fold(f64::INFINITY, f64::min);
    let high = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let heights: Vec<char> = "▁▂▃▄▅▆▇█".chars().collect();
    values
        .iter()
        .map(|value| {
            let share = if high > low {
                (value - low) / (high - low)
            } else {
                0.0
            };
            heights[((share * 7.0).round() as usize).min(7)]
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_curve_rises_from_the_lowest_to_the_highest_block() {
        assert_eq!(sparkline(&[0.0, 0.5, 1.0]), "▁▅█");
        assert_eq!(sparkline(&[2.0, 2.0]), "▁▁");
        assert_eq!(sparkline(&[]), "");
    }
}
