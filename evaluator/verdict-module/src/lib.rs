//! The rules that say whether an answer is right, as a module: what an exported reward is told of a completion comes from the code that the
//! search judged with, not from a translation of it.
//!
//! It is a guest like the rewards it serves: no imports, a memory of its own. A host writes texts into [`room`], says with [`configure`]
//! how answers are read, and then asks one question after the other. Every answer is a record in memory: its address is the high half of
//! the result, its length the low one, its first byte holds flags, the rest is a text.
//!
//! | export | in the room | flags | text |
//! |---|---|---|---|
//! | `configure()` | JSON: `{"extraction": […], "conventions": {…}}`, either may be absent | 1: understood | what is wrong with it |
//! | `verdict(n)` | a completion of n bytes, then the reference | 1: right; 2: there is an answer | the answer found |
//! | `compare(n)` | a bare answer of n bytes, then the reference | the same | the answer |
//! | `extract()` | a completion | 2: there is an answer | the answer found |

use std::sync::{Mutex, PoisonError};

use evaluator::{
    Answer, Conventions, ExtractionConfig, Outcome, RuleVerifier, Verdict, extract_with,
};
use serde::Deserialize;

/// How answers are read.
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Settings {
    extraction: ExtractionConfig,
    conventions: Conventions,
}

#[derive(Default)]
struct Judge {
    /// Written by the host.
    room: Vec<u8>,
    extraction: ExtractionConfig,
    rules: RuleVerifier,
    /// The reference that came last. The completions of a group share theirs, which is read once.
    reference: Option<(String, Answer)>,
    /// The record that was returned last.
    record: Vec<u8>,
}

static JUDGE: Mutex<Option<Judge>> = Mutex::new(None);

/// In the flags of a record: understood, or right.
const YES: u8 = 1;
/// The same: there is an answer.
const HAS_ANSWER: u8 = 2;

fn with<T>(work: impl FnOnce(&mut Judge) -> T) -> T {
    let mut judge = JUDGE.lock().unwrap_or_else(PoisonError::into_inner);
    work(judge.get_or_insert_default())
}

/// A record's place, for the host.
fn answered(work: impl FnOnce(&mut Judge) -> (u8, String)) -> u64 {
    with(|judge| {
        let (flags, text) = work(judge);
        judge.record.clear();
        judge.record.push(flags);
        judge.record.extend_from_slice(text.as_bytes());
        let address = judge.record.as_ptr().expose_provenance() as u64;
        address << 32 | judge.record.len() as u64
    })
}

/// Makes room for `length` bytes and says where.
#[unsafe(no_mangle)]
extern "C" fn room(length: u32) -> u32 {
    with(|judge| {
        judge.room.clear();
        judge.room.resize(length as usize, 0);
        judge.room.as_mut_ptr().expose_provenance() as u32
    })
}

/// Takes the settings in the room.
#[unsafe(no_mangle)]
extern "C" fn configure() -> u64 {
    answered(|judge| {
        let settings = serde_json::from_slice(&judge.room).map_err(|error| error.to_string());
        let checked = settings.and_then(|settings: Settings| {
            settings.conventions.check()?;
            Ok(settings)
        });
        match checked {
            Ok(settings) => {
                judge.extraction = settings.extraction.clone();
                judge.rules =
                    RuleVerifier::new(settings.extraction).with_conventions(settings.conventions);
                (YES, String::new())
            }
            Err(what) => (0, what),
        }
    })
}

/// Judges the completion in the first `completion` bytes of the room against the reference in the rest.
#[unsafe(no_mangle)]
extern "C" fn verdict(completion: u32) -> u64 {
    judged(completion, RuleVerifier::verify)
}

/// The same for an answer without a completion around it.
#[unsafe(no_mangle)]
extern "C" fn compare(answer: u32) -> u64 {
    judged(answer, RuleVerifier::verify_answer)
}

/// Finds the answer in the completion in the room.
#[unsafe(no_mangle)]
extern "C" fn extract() -> u64 {
    answered(|judge| {
        let found = std::str::from_utf8(&judge.room).ok();
        let found = found.and_then(|completion| extract_with(completion, &judge.extraction));
        found.map_or((0, String::new()), |found| (HAS_ANSWER, found.text))
    })
}

/// Nothing is right of texts that are not UTF-8.
fn judged(given: u32, by: fn(&RuleVerifier, &str, &Answer) -> Verdict) -> u64 {
    answered(|judge| {
        let texts = judge.room.split_at_checked(given as usize);
        let texts = texts.and_then(|(given, reference)| {
            Some((
                std::str::from_utf8(given).ok()?,
                std::str::from_utf8(reference).ok()?,
            ))
        });
        let Some((given, reference)) = texts else {
            return (0, String::new());
        };
        let answer = match &judge.reference {
            Some((known, answer)) if known == reference => answer,
            _ => {
                let new = (reference.to_owned(), Answer::new(reference));
                &judge.reference.insert(new).1
            }
        };
        let verdict = by(&judge.rules, given, answer);
        let mut flags = 0;
        if verdict.outcome == Outcome::Correct {
            flags |= YES;
        }
        if verdict.extracted.is_some() {
            flags |= HAS_ANSWER;
        }
        (flags, verdict.extracted.unwrap_or_default())
    })
}
