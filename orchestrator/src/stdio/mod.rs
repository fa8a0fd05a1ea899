//! `score --stdio`: a long-lived process that scores batches for a trainer in another one, over JSON lines.
//!
//! The manual of the protocol is `docs/stdio.md`. A bad line gets an error reply and the next one is read; the end of the input, or a
//! reader that went away, ends the process quietly. Requests are answered in order, one at a time.

mod hello;
mod line;
mod protocol;
mod row;
mod text;

use std::io::{self, BufRead, Write};

pub use self::line::{Line, Lines};
pub use self::protocol::{Id, PROTOCOL, Reply, Request, Sample, Trouble, parse};

use serde::Serialize;

use self::hello::Hello;
use self::protocol::ByName;
use crate::reward::panel::{Panel, PanelFault, Scored, Unscored};

/// Longest line a request may have.
pub const LINE_BYTES: usize = 64 << 20;

/// Answers requests until the input ends or the reader is gone.
///
/// # Errors
/// If the input cannot be read, or the output cannot be written for another reason than that its reader is gone.
pub fn serve(input: impl BufRead, mut output: impl Write, panel: &Panel) -> io::Result<()> {
    match converse(&mut Lines::new(input, LINE_BYTES), &mut output, panel) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        end => end,
    }
}

fn converse(
    lines: &mut Lines<impl BufRead>,
    output: &mut impl Write,
    panel: &Panel,
) -> io::Result<()> {
    say(output, &Hello::of(panel))?;
    while let Some(line) = lines.next_line()? {
        match line {
            Line::TooLong => {
                let message = format!("a line may have {LINE_BYTES} bytes; send smaller batches");
                let error = Trouble::new("line_too_long", message);
                say(
                    output,
                    &Reply::Error {
                        id: Id::Absent,
                        error,
                    },
                )?;
            }
            Line::Whole(text) if text.trim_ascii().is_empty() => {}
            Line::Whole(text) => answer(text, output, panel)?,
        }
    }
    Ok(())
}

fn answer(line: &[u8], output: &mut impl Write, panel: &Panel) -> io::Result<()> {
    match parse(line) {
        Ok(Request::Ping(id)) => say(output, &Reply::Pong { id, pong: true }),
        Err((id, error)) => say(output, &Reply::Error { id, error }),
        Ok(Request::Score(id, samples)) => {
            let unscored: Vec<Unscored<'_>> = samples.iter().map(Unscored::from).collect();
            match panel.score(&unscored) {
                Ok(scored) => say(output, &scores(id, &scored)),
                Err(fault) => {
                    let error = fault.into();
                    say(output, &Reply::Error { id, error })
                }
            }
        }
    }
}

fn say(output: &mut impl Write, reply: &impl Serialize) -> io::Result<()> {
    let mut line = serde_json::to_vec(reply)?;
    line.push(b'\n');
    output.write_all(&line)?;
    output.flush()
}

fn scores(id: Id, scored: &Scored) -> Reply<'_> {
    Reply::Scores {
        id,
        scores: &scored.totals,
        components: ByName(&scored.components),
        printed: ByName(&scored.printed),
        correct: scored.verdicts.iter().map(|v| v.correct).collect(),
        extracted: scored
            .verdicts
            .iter()
            .map(|v| v.extracted.as_deref())
            .collect(),
    }
}

impl<'a> From<&'a Sample<'_>> for Unscored<'a> {
    fn from(sample: &'a Sample<'_>) -> Self {
        Self {
            prompt: &sample.prompt.0,
            completion: &sample.completion.0,
            answer: &sample.answer.0,
        }
    }
}

impl From<PanelFault> for Trouble {
    fn from(fault: PanelFault) -> Self {
        Self {
            kind: fault.fault.kind(),
            message: fault.fault.to_string(),
            index: fault.fault.index(),
            reward: Some(fault.reward),
        }
    }
}

#[cfg(test)]
mod tests;
