//! What was said before: drafts in a JSONL file by hand, the drafts of an earlier search, or every word of one.
//!
//! Drafts depend on the number of their round alone, so that a search that was interrupted goes on where it was. The words of an earlier
//! search ([`Rehearsal`]) are read as they were then, so that the same search comes of them, without network.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use sandbox::{Language, Source};
use serde::{Deserialize, Serialize};

use crate::domain::draft::{Draft, Exchange};

use super::{
    Aftermath, BoxFuture, Brief, Heard, Ledger, Proposal, ProposeError, Proposer,
    chat::{Chat, ChatConfig},
};

/// Where written-down drafts are.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReplayConfig {
    /// A JSONL file of drafts, or the database of an earlier search.
    pub path: PathBuf,
}

/// A recording as a [`Proposer`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Replay {
    recording: Recording,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Recording {
    /// Drafts of each round.
    ByRound(BTreeMap<u32, Vec<Draft>>),
    /// Drafts to be handed out in order, as many a round as are wanted.
    InOrder(Vec<Draft>),
}

/// One line of a JSONL recording.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    name: String,
    code: String,
    #[serde(default = "rust")]
    language: Language,
    #[serde(default, alias = "description")]
    rationale: String,
    round: Option<u32>,
    #[serde(default)]
    parents: Vec<String>,
}

const fn rust() -> Language {
    Language::Rust
}

impl Replay {
    /// Replays the given drafts of each round, from 1; a round that is not there proposes nothing.
    #[must_use]
    pub const fn by_round(drafts: BTreeMap<u32, Vec<Draft>>) -> Self {
        Self {
            recording: Recording::ByRound(drafts),
        }
    }

    /// Hands the drafts out in order, as many a round as its brief asks for.
    #[must_use]
    pub const fn in_order(drafts: Vec<Draft>) -> Self {
        Self {
            recording: Recording::InOrder(drafts),
        }
    }

    /// Reads a file with one JSON object a line: `name` and `code`; optionally `language` (`"rust"`), `rationale` (or
    /// `description`), `parents`, and `round`, which either all lines have or none. Empty lines are skipped.
    ///
    /// # Errors
    /// [`ProposeError::Setup`] if the file cannot be read, is a database, holds no drafts, or a line is no draft.
    pub fn from_jsonl(path: &Path) -> Result<Self, ProposeError> {
        let refuse = |why: String| {
            ProposeError::Setup(format!(
                "cannot replay drafts from {}: {why}",
                path.display()
            ))
        };
        let bytes = fs::read(path).map_err(|error| refuse(error.to_string()))?;
        if bytes.starts_with(DATABASE_MAGIC) {
            return Err(refuse("it is a database, not a JSONL file".to_owned()));
        }
        let text =
            String::from_utf8(bytes).map_err(|_| refuse("it is not UTF-8 text".to_owned()))?;
        Self::read(&text).map_err(refuse)
    }

    fn read(text: &str) -> Result<Self, String> {
        let mut in_order = Vec::new();
        let mut by_round: BTreeMap<u32, Vec<Draft>> = BTreeMap::new();
        for (index, text) in text.lines().enumerate() {
            let number = index + 1;
            if text.trim().is_empty() {
                continue;
            }
            let line: Line =
                serde_json::from_str(text).map_err(|error| format!("line {number}: {error}"))?;
            let draft = Draft {
                name: line.name,
                source: Source {
                    language: line.language,
                    code: line.code,
                },
                rationale: line.rationale,
                parents: line.parents,
            };
            match line.round {
                Some(0) => return Err(format!("line {number}: rounds are counted from 1")),
                Some(round) => by_round.entry(round).or_default().push(draft),
                None => in_order.push(draft),
            }
            if !in_order.is_empty() && !by_round.is_empty() {
                return Err(format!(
                    "line {number}: either every line has a `round` or none"
                ));
            }
        }
        match (in_order.is_empty(), by_round.is_empty()) {
            (true, true) => Err("it holds no drafts".to_owned()),
            (true, false) => Ok(Self::by_round(by_round)),
            (false, _) => Ok(Self::in_order(in_order)),
        }
    }

    /// The drafts of a round, where earlier ones have had `before`.
    fn drafts(&self, round: u32, count: usize, before: usize) -> &[Draft] {
        match &self.recording {
            Recording::ByRound(drafts) => {
                let recorded = drafts.get(&round).map_or(&[][..], Vec::as_slice);
                if recorded.len() > count {
                    tracing::warn!(
                        round,
                        recorded = recorded.len(),
                        wanted = count,
                        "more drafts are recorded than the round takes; the rest is left out"
                    );
                }
                &recorded[..recorded.len().min(count)]
            }
            Recording::InOrder(drafts) => {
                let rest = &drafts[before.min(drafts.len())..];
                &rest[..rest.len().min(count)]
            }
        }
    }
}

impl Proposer for Replay {
    fn can_replace(&self) -> bool {
        false
    }

    fn propose<'a>(
        &'a self,
        brief: Brief<'a>,
        _ledger: &'a dyn Ledger,
    ) -> BoxFuture<'a, Result<Proposal, ProposeError>> {
        Box::pin(async move {
            Ok(Proposal {
                drafts: self
                    .drafts(brief.round, brief.count, brief.background.proposed)
                    .to_vec(),
                ..Proposal::default()
            })
        })
    }
}

/// The exchanges of an earlier search with its language models, as a [`Proposer`]: it says what they said, to who asks the same.
#[derive(Debug)]
pub struct Rehearsal {
    chat: Chat,
    rounds: BTreeMap<u32, Vec<Exchange>>,
}

impl Rehearsal {
    /// Says again what stands in these exchanges, each with the round it was part of. `config` is that of the search they are from.
    ///
    /// # Errors
    /// [`ProposeError::Setup`] if the configuration cannot be used here.
    pub fn new(
        config: &ChatConfig,
        exchanges: impl IntoIterator<Item = (u32, Exchange)>,
    ) -> Result<Self, ProposeError> {
        let mut rounds: BTreeMap<u32, Vec<Exchange>> = BTreeMap::new();
        for (round, exchange) in exchanges {
            rounds.entry(round).or_default().push(exchange);
        }
        Ok(Self {
            chat: Chat::without_network(config)?,
            rounds,
        })
    }

    fn recorded<'a>(&'a self, round: u32, ledger: &'a dyn Ledger) -> Recorded<'a> {
        Recorded {
            exchanges: self.rounds.get(&round).map_or(&[], Vec::as_slice),
            ledger,
        }
    }
}

impl Proposer for Rehearsal {
    fn propose<'a>(
        &'a self,
        brief: Brief<'a>,
        ledger: &'a dyn Ledger,
    ) -> BoxFuture<'a, Result<Proposal, ProposeError>> {
        Box::pin(async move {
            let recorded = self.recorded(brief.round, ledger);
            self.chat.propose(brief, &recorded).await
        })
    }

    fn follow_up<'a>(
        &'a self,
        brief: Brief<'a>,
        aftermath: Aftermath<'a>,
        ledger: &'a dyn Ledger,
    ) -> BoxFuture<'a, Result<Proposal, ProposeError>> {
        Box::pin(async move {
            let recorded = self.recorded(brief.round, ledger);
            self.chat.follow_up(brief, aftermath, &recorded).await
        })
    }
}

/// A ledger in which the replies of an earlier search stand already. They are copied into that of the new one as they are asked for, failed
/// requests and costs included: it then says of itself what the earlier one does.
struct Recorded<'a> {
    exchanges: &'a [Exchange],
    ledger: &'a dyn Ledger,
}

impl Ledger for Recorded<'_> {
    fn keep<'a>(&'a self, exchange: &'a Exchange) -> BoxFuture<'a, Result<(), ProposeError>> {
        self.ledger.keep(exchange)
    }

    fn closed(&self) -> Option<String> {
        self.ledger.closed()
    }

    fn answered<'a>(
        &'a self,
        step: &'a str,
    ) -> BoxFuture<'a, Result<Option<Exchange>, ProposeError>> {
        Box::pin(async move {
            if let Some(kept) = self.ledger.answered(step).await? {
                return Ok(Some(kept));
            }
            if self.ledger.closed().is_some() {
                return Ok(None);
            }
            let name = self.ledger.name_of(step);
            let mut answer = None;
            for recorded in self.exchanges.iter().filter(|e| e.step == name) {
                let exchange = Exchange {
                    step: step.to_owned(),
                    ..recorded.clone()
                };
                self.ledger.keep(&exchange).await?;
                if exchange.error.is_none() {
                    answer = Some(exchange);
                }
            }
            Ok(answer)
        })
    }

    fn hears(&self, heard: &Heard<'_>) {
        self.ledger.hears(heard);
    }
}

/// The first bytes of every SQLite database.
const DATABASE_MAGIC: &[u8] = b"SQLite format 3\0";

/// Whether the file is a database (which the store must open) rather than a JSONL recording.
///
/// # Errors
/// If the file cannot be read.
pub fn is_database(path: &Path) -> std::io::Result<bool> {
    use std::io::Read;
    let mut head = Vec::with_capacity(DATABASE_MAGIC.len());
    fs::File::open(path)?
        .take(DATABASE_MAGIC.len() as u64)
        .read_to_end(&mut head)?;
    Ok(head == DATABASE_MAGIC)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn names(replay: &Replay, round: u32, count: usize) -> Vec<&str> {
        let before = (round as usize - 1).saturating_mul(count);
        replay
            .drafts(round, count, before)
            .iter()
            .map(|draft| draft.name.as_str())
            .collect()
    }

    #[test]
    fn lines_without_rounds_are_handed_out_in_order() {
        let lines: Vec<String> = ["a", "b", "c"]
            .iter()
            .map(|name| format!(r#"{{"name": "{name}", "code": "x"}}"#))
            .collect();
        let replay = Replay::read(&lines.join("\n\n")).unwrap();
        assert_eq!(names(&replay, 1, 2), ["a", "b"]);
        assert_eq!(names(&replay, 2, 2), ["c"]);
        assert_eq!(names(&replay, 2, 2), ["c"], "asking twice changes nothing");
        assert!(names(&replay, 3, 2).is_empty());
        assert!(names(&replay, u32::MAX, usize::MAX).is_empty());
        // Where a round wants more or fewer than those before, it goes on where they ended.
        assert_eq!(replay.drafts(2, 1, 2)[0].name, "c");
        assert_eq!(replay.drafts(2, 5, 1).len(), 2);
    }

    #[test]
    fn lines_with_rounds_wait_for_theirs() {
        let replay = Replay::read(
            r#"{"name": "late", "code": "x", "round": 3, "description": "why", "parents": ["early"]}
               {"name": "early", "code": "x", "round": 1, "language": "python"}"#,
        )
        .unwrap();
        assert_eq!(names(&replay, 1, 5), ["early"]);
        assert!(names(&replay, 2, 5).is_empty());
        assert_eq!(names(&replay, 3, 5), ["late"]);
        let late = &replay.drafts(3, 1, 0)[0];
        assert_eq!(
            (late.rationale.as_str(), late.source.language),
            ("why", Language::Rust)
        );
        assert_eq!(replay.drafts(1, 1, 0)[0].source.language, Language::Python);
    }

    #[test]
    fn bad_lines_are_pointed_at() {
        for (text, why) in [
            ("", "no drafts"),
            ("\n{\"name\": 1}", "line 2"),
            ("{\"name\": \"a\", \"code\": \"x\", \"cod\": 1}", "cod"),
            ("{\"name\": \"a\", \"code\": \"x\", \"round\": 0}", "from 1"),
            (
                "{\"name\": \"a\", \"code\": \"x\", \"round\": 1}\n{\"name\": \"b\", \"code\": \"x\"}",
                "line 2",
            ),
        ] {
            let error = Replay::read(text).unwrap_err();
            assert!(error.contains(why), "{text}: {error}");
        }
        let error = Replay::from_jsonl(Path::new("no/such/file.jsonl")).unwrap_err();
        assert!(error.to_string().contains("no/such/file.jsonl"), "{error}");
    }
}
