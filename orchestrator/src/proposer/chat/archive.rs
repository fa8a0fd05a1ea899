//! Good candidates of which no two are alike: what is shown to a model that is to build on them.
//!
//! How alike two are is told by what they did on the untouched model's completions: how they agree with right answers and with the base
//! rewards, what tricks they pay, how often they are flat. A candidate that taught exactly what a better one did is left out where there are others.

use crate::proposer::{Fate, PastCandidate, ProbeFigures};

/// What it counts for to be unlike the ones chosen already, beside the rank.
const NOVELTY: f64 = 0.5;
/// How unlike two candidates are of which nothing is known.
const UNKNOWN: f64 = 0.25;

/// Candidates that there should be to build on; where fewer differ in what they taught, those that taught the same serve, too.
const FEW: usize = 3;

/// The best, then at each turn the one that is good and unlike those before; at most `most`.
pub(super) fn archive(history: &[PastCandidate], most: usize) -> Vec<&PastCandidate> {
    let mut ranked: Vec<(usize, &PastCandidate)> = history
        .iter()
        .filter_map(|c| match c.fate {
            Fate::Ranked { rank, .. } => Some((rank, c)),
            _ => None,
        })
        .collect();
    ranked.sort_by_key(|(rank, _)| *rank);
    let differs = |(_, candidate): &(usize, &PastCandidate)| candidate.study.same_as.is_none();
    if ranked.iter().filter(|one| differs(one)).count() >= FEW {
        ranked.retain(differs);
    }
    let count = ranked.len() as f64;
    let mut left: Vec<(f64, &PastCandidate)> = (0..)
        .zip(ranked)
        .map(|(at, (_, candidate))| (1.0 - f64::from(at) / count, candidate))
        .collect();
    let mut chosen: Vec<&PastCandidate> = Vec::new();
    while chosen.len() < most && !left.is_empty() {
        let worth = |(quality, candidate): &(f64, &PastCandidate)| {
            let nearest = chosen.iter().map(|c| distance(c, candidate));
            let novelty = nearest.fold(f64::INFINITY, f64::min);
            quality
                + if novelty.is_finite() {
                    NOVELTY * novelty
                } else {
                    0.0
                }
        };
        let mut best = 0;
        for at in 1..left.len() {
            if worth(&left[at]) > worth(&left[best]) {
                best = at;
            }
        }
        chosen.push(left.remove(best).1);
    }
    chosen
}

/// From 0, alike, to 1.
fn distance(a: &PastCandidate, b: &PastCandidate) -> f64 {
    let (Some(a), Some(b)) = (&a.study.probe, &b.study.probe) else {
        return UNKNOWN;
    };
    let (a, b) = (features(a), features(b));
    let mut sum = 0.0;
    let mut shared: u32 = 0;
    for (name, value) in &a {
        if let Some((_, other)) = b.iter().find(|(known, _)| known == name) {
            sum += (value - other).abs().min(1.0);
            shared += 1;
        }
    }
    match shared {
        0 => UNKNOWN,
        shared => sum / f64::from(shared),
    }
}

/// The figures that tell candidates apart, each in a range of about one.
fn features(probe: &ProbeFigures) -> Vec<(String, f64)> {
    let agreement = probe
        .agreement
        .iter()
        .map(|(name, tau)| (name.clone(), tau / 2.0));
    let own = [("auc", probe.auc), ("flat", Some(probe.flat))];
    let own = own
        .into_iter()
        .filter_map(|(name, value)| Some((name.to_owned(), value?)));
    own.chain(agreement)
        .chain(probe.hacks.iter().cloned())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proposer::Study;

    #[test]
    fn the_best_comes_first_and_its_like_after_something_else() {
        let candidate = |name: &str, rank, auc| PastCandidate {
            fate: Fate::Ranked {
                rank,
                f1: 0.5,
                interval: [0.4, 0.6],
                accuracy: 0.5,
                answer_rate: 1.0,
            },
            study: Study {
                probe: Some(ProbeFigures {
                    auc: Some(auc),
                    ..ProbeFigures::default()
                }),
                ..Study::default()
            },
            ..crate::proposer::chat::tests::past(name)
        };
        let mut history = vec![
            candidate("best", 1, 1.0),
            candidate("twin", 2, 1.0),
            candidate("alike", 3, 1.0),
            candidate("other", 4, 0.2),
        ];
        history[1].study.same_as = Some("best".to_owned());
        let names = |most| -> Vec<&str> {
            let chosen = archive(&history, most);
            chosen.iter().map(|c| &*c.draft.name).collect()
        };
        // `other` is a third of the ranking behind `alike`, but of another kind.
        assert_eq!(names(2), ["best", "alike"]);
        assert_eq!(names(9), ["best", "alike", "other"]);
        history[3].study.probe.as_mut().expect("it has one").flat = 1.0;
        let chosen = archive(&history, 2);
        assert_eq!(chosen[1].draft.name, "other");
    }
}
