//! An audit as a person reads it.

use std::io::{self, Write};

use crate::{
    board::audit::{Audited, AuditedTrial},
    domain::traces::{Attack, Flag, Move},
    terminal::table::{
        Column::{Number, Text},
        Table,
    },
    text::{one_line, share},
};

/// Writes the audit of what a search has trained.
///
/// # Errors
/// If it cannot be written.
pub fn write(out: &mut impl Write, audited: &Audited) -> io::Result<()> {
    writeln!(out, "{}", one_line(&audited.name, 200))?;
    if let Some(warning) = audited.warning {
        writeln!(out, "  WARNING: {warning}.")?;
    }
    for trial in &audited.trials {
        writeln!(out, "\n{}: F1 {}", trial.on, share(trial.f1))?;
        write_flags(out, &trial.flags)?;
        writeln!(out, "{}", moves(trial).to_text())?;
    }
    if !audited.attacks.is_empty() {
        writeln!(
            out,
            "\nOn what its own policies write, and on hacks of the same questions"
        )?;
        write_flags(out, &audited.attack_flags)?;
        for attack in &audited.attacks {
            write_figures(out, attack)?;
        }
    }
    writeln!(out)
}

/// Writes what the probe says of a reward that was not trained.
///
/// # Errors
/// If it cannot be written.
pub fn write_attack(out: &mut impl Write, attack: &Attack, flags: &[Flag]) -> io::Result<()> {
    writeln!(
        out,
        "{}  (not trained here: what the probe says of it)",
        one_line(&attack.member, 200)
    )?;
    write_flags(out, flags)?;
    write_figures(out, attack)?;
    writeln!(out)
}

/// One line a sign.
pub(super) fn write_flags(out: &mut impl Write, flags: &[Flag]) -> io::Result<()> {
    if flags.is_empty() {
        return writeln!(out, "  no sign of a hacked reward");
    }
    for Flag { sign, told } in flags {
        writeln!(out, "  {:14} {}", sign.short(), one_line(told, 600))?;
    }
    Ok(())
}

fn write_figures(out: &mut impl Write, attack: &Attack) -> io::Result<()> {
    let member = one_line(&attack.member, 80);
    if let Some(fault) = &attack.fault {
        return writeln!(out, "  {member}: not measured: {}", one_line(fault, 400));
    }
    let auc = |auc: Option<f64>| auc.map_or_else(|| "-".to_owned(), share);
    writeln!(
        out,
        "  {member}: {} completions, {} right; AUC within groups {}, over all {}",
        attack.completions,
        attack.right,
        auc(attack.auc_within),
        auc(attack.auc)
    )?;
    let paid: Vec<String> = attack
        .hacks
        .iter()
        .map(|(kind, above)| format!("{} {:.0} %", one_line(kind, 40), 100.0 * above))
        .collect();
    match paid.is_empty() {
        true => Ok(()),
        false => writeln!(out, "    paid above right ones: {}", paid.join(", ")),
    }
}

/// How the figures of a training moved.
fn moves(trial: &AuditedTrial) -> Table {
    let traces = &trial.traces;
    let mut table = Table::new(&[Text("figure"), Number("first"), Number("last"), Number("z")]);
    let rows: [(&str, Move); 6] = [
        ("reward", traces.reward),
        ("its spread", traces.spread),
        ("flat groups", traces.flat),
        ("right", traces.correct),
        ("length", traces.length),
        ("entropy", traces.entropy),
    ];
    for (name, Move { from, to, z }) in rows {
        table.push(vec![
            name.to_owned(),
            format!("{from:.3}"),
            format!("{to:.3}"),
            format!("{z:+.1}"),
        ]);
    }
    let held_out = [
        (
            "held-out right",
            traces.untouched.right,
            traces.held_out.right,
        ),
        (
            "held-out answered",
            traces.untouched.answered,
            traces.held_out.answered,
        ),
        (
            "empty forms",
            traces.untouched.empty_forms,
            traces.held_out.empty_forms,
        ),
        (
            "without working",
            traces.untouched.without_working,
            traces.held_out.without_working,
        ),
    ];
    for (name, before, after) in held_out {
        table.push(vec![
            name.to_owned(),
            before.to_string(),
            after.to_string(),
            String::new(),
        ]);
    }
    table
}
