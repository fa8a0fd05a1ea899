//! `show`: one candidate, whole.

use std::io::{Write, stdout};

use trainer_bridge::StepMetrics;

use crate::{
    board::{
        confirmed::Confirmed,
        leaderboard::{Leaderboard, Row},
    },
    cli::{arguments::ShowArgs, open::open},
    domain::{candidate::Candidate, decider::Tally, trial::TrialId},
    reward::probe::Probed,
    store::Store,
    terminal::worth::{hacks_table, summary},
    text::{interval, one_line, printable, probability, share},
};

pub(super) async fn run(args: ShowArgs) -> anyhow::Result<()> {
    let mut out = stdout();
    let store = open(args.database).await?;
    let board = Leaderboard::read(&store).await?;
    let name = args.candidate;
    let mix = |row: &&Confirmed| row.name == name && row.members != [row.name.clone()];
    if let Some(mix) = board.confirmed.iter().find(mix) {
        return Ok(write_mix(&mut out, mix)?);
    }
    if let Some(reference) = board.references.iter().find(|row| row.name == name) {
        let (name, state) = (&reference.name, &reference.state);
        writeln!(out, "{name}  (a reference row, {state})")?;
        write_figures(&mut out, reference)?;
        return write_deciders(&mut out, &store, reference).await;
    }
    let candidate = store.candidate(store.search().await?.id, &name).await?;
    write_origin(&mut out, &candidate)?;
    let is_it = |row: &&Row| row.name == candidate.name;
    if let Some(row) = board.candidates.iter().find(is_it) {
        write_row(&mut out, &store, &board, row).await?;
    }
    for finalist in board.confirmed.iter().filter(|c| c.name == candidate.name) {
        let (f1, steps) = (&finalist.f1, finalist.steps);
        let (f1, range) = (share(f1.point), interval(f1));
        writeln!(out, "F1 on Test  {f1} {range} after {steps} steps")?;
    }
    if let Some(probe) = &candidate.probe {
        write_probe(&mut out, probe)?;
    }
    writeln!(out, "\n{}", printable(candidate.source.code.trim_end()))?;
    Ok(())
}

/// A finalist that is more than one candidate, or none.
fn write_mix(out: &mut impl Write, mix: &Confirmed) -> std::io::Result<()> {
    let members = match &mix.members[..] {
        [] => "nothing: the base model as it is".to_owned(),
        members => members.join(" + "),
    };
    writeln!(out, "{}  trained on {members}", mix.name)?;
    let (f1, range) = (share(mix.f1.point), interval(&mix.f1));
    writeln!(out, "F1 on Test  {f1} {range}")
}

/// Where a candidate comes from, and what it is after.
fn write_origin(out: &mut impl Write, candidate: &Candidate) -> std::io::Result<()> {
    let (name, round, status) = (&candidate.name, candidate.round, candidate.status.word());
    writeln!(out, "{name}  (round {round}, {status})")?;
    if !candidate.rationale.is_empty() {
        writeln!(out, "{}", one_line(&candidate.rationale, 2000))?;
    }
    if !candidate.parents.is_empty() {
        let parents = one_line(&candidate.parents.join(", "), 400);
        writeln!(out, "parents     {parents}")?;
    }
    Ok(())
}

/// How a candidate's screening went.
async fn write_row(
    out: &mut impl Write,
    store: &Store,
    board: &Leaderboard,
    row: &Row,
) -> anyhow::Result<()> {
    match row.rank {
        Some(rank) => writeln!(out, "rank        {rank} of {}", board.ranked().count())?,
        None => writeln!(out, "state       {}", row.state)?,
    }
    write_figures(out, row)?;
    write_deciders(out, store, row).await?;
    if let Some(c) = row.vs_base {
        writeln!(
            out,
            "vs base     {} questions only this, {} only the base rewards, p {} (Holm)",
            c.only_this,
            c.only_reference,
            probability(c.p_holm)
        )?;
    }
    let curves = store.curves(store.search().await?.id).await?;
    if let Some(curve) = row.trial.and_then(|id| curves.get(&TrialId(id))) {
        write_curves(out, curve)?;
    }
    if let Some(reason) = &row.reason {
        writeln!(out, "\nwhy {}\n{}", row.state, printable(reason))?;
    }
    Ok(())
}

/// The course of a training.
fn write_curves(out: &mut impl Write, curve: &[StepMetrics]) -> std::io::Result<()> {
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
fn write_probe(out: &mut impl Write, probe: &str) -> std::io::Result<()> {
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

fn write_figures(out: &mut impl Write, row: &Row) -> anyhow::Result<()> {
    let Some(f) = &row.figures else { return Ok(()) };
    writeln!(out, "F1          {} {}", share(f.f1.point), interval(&f.f1))?;
    writeln!(
        out,
        "accuracy    {} {}",
        share(f.accuracy.point),
        interval(&f.accuracy)
    )?;
    Ok(writeln!(out, "answered    {}", share(f.answer_rate))?)
}

/// Who decided the verdicts behind the figures, where a model had a part in them.
async fn write_deciders(out: &mut impl Write, store: &Store, row: &Row) -> anyhow::Result<()> {
    let Some(trial) = row.trial else {
        return Ok(());
    };
    let evaluations = store.evaluations(store.search().await?.id).await?;
    let Some(evaluation) = evaluations.get(&TrialId(trial)) else {
        return Ok(());
    };
    let tally = Tally::of(evaluation.deciders.iter().copied());
    if tally.involves_a_model() {
        writeln!(out, "verdicts    {tally}")?;
    }
    Ok(())
}

/// One figure of a step.
type Metric = fn(&StepMetrics) -> f64;

/// The parts a reward names itself, at the first step and the last, and what it printed at the last.
fn remarks(out: &mut impl Write, first: &StepMetrics, last: &StepMetrics) -> std::io::Result<()> {
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
