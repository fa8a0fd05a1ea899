//! A batch as the guest is given it: column by column, those that the function takes.

use super::bindings::{Batch, Loaded};
use crate::abi;
use crate::fault::Fault;
use crate::sample::Sample;

/// A batch column by column; those the function does not take stay empty.
pub(super) struct Columns<'a> {
    prompts: Vec<&'a str>,
    completions: Vec<&'a str>,
    answer: Vec<&'a str>,
    correct: Vec<u8>,
    extracted: Vec<Option<&'a str>>,
    rows: Vec<&'a str>,
}

impl<'a> Columns<'a> {
    pub(super) fn of(batch: &[Sample<'a>], wanted: &Loaded) -> Self {
        Self {
            prompts: column(batch, wanted.prompts, |sample| sample.prompt),
            completions: column(batch, true, |sample| sample.completion),
            answer: column(batch, wanted.answer, |sample| sample.answer),
            correct: column(batch, wanted.correct, |sample| {
                u8::from(sample.verdict.correct)
            }),
            extracted: column(batch, wanted.extracted, |sample| {
                sample.verdict.extracted.as_deref()
            }),
            rows: rows(batch),
        }
    }

    pub(super) fn batch(&self, conversational: bool) -> Batch<'_> {
        Batch {
            conversational,
            prompts: &self.prompts,
            completions: &self.completions,
            answer: &self.answer,
            correct: &self.correct,
            extracted: &self.extracted,
            rows: &self.rows,
        }
    }
}

fn column<'a, T>(batch: &[Sample<'a>], wanted: bool, of: impl Fn(&Sample<'a>) -> T) -> Vec<T> {
    batch.iter().filter(|_| wanted).map(of).collect()
}

/// The data set's columns: nothing, or an object a sample.
fn rows<'a>(batch: &[Sample<'a>]) -> Vec<&'a str> {
    if batch.iter().all(|sample| sample.row.is_empty()) {
        return Vec::new();
    }
    let row = |sample: &Sample<'a>| {
        if sample.row.is_empty() {
            "{}"
        } else {
            sample.row
        }
    };
    batch.iter().map(row).collect()
}

/// The first sample with more text than a guest may be given.
pub(super) fn too_large(batch: &[Sample<'_>], limit: usize) -> Option<Fault> {
    let sizes = batch
        .iter()
        .map(|sample| abi::text_length(sample) + sample.row.len());
    let (index, bytes) = sizes.enumerate().find(|(_, bytes)| *bytes > limit)?;
    Some(Fault::SampleTooLarge { index, bytes })
}
