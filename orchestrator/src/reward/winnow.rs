//! What of a round is not worth training: twins of what is known, and all but the better part by the probe.

use std::{
    cmp::Ordering,
    collections::{HashMap, HashSet},
};

use crate::{
    config::GateConfig,
    domain::candidate::{Candidate, NewCandidate, Origin, Refusal, Status},
    reward::probe::{ENOUGH_MIXED, Probed},
};

/// The advantages of the accepted candidates so far, with the name of the first that has them.
pub type Known = HashMap<String, String>;

/// What the accepted among the earlier candidates teach.
#[must_use]
pub fn known(earlier: &[Candidate]) -> Known {
    let mut known = Known::new();
    for candidate in earlier {
        let is_trained = candidate.status.is_accepted()
            && !matches!(candidate.origin, Origin::Base | Origin::Control);
        if let Some(advantages) = advantages(candidate.probe.as_deref()).filter(|_| is_trained) {
            known
                .entry(advantages)
                .or_insert_with(|| candidate.draft.name.clone());
        }
    }
    known
}

/// Leaves out, in order, what teaches the same as an earlier candidate.
pub fn leave_out_twins(candidates: &mut [NewCandidate], mut known: Known) {
    for candidate in candidates.iter_mut().filter(|c| c.status.is_accepted()) {
        let Some(advantages) = advantages(candidate.probe.as_deref()) else {
            continue;
        };
        match known.get(&advantages) {
            Some(of) => {
                candidate.status = Status::Twin { of: of.clone() };
                candidate.wasm = None;
            }
            None => {
                known.insert(advantages, candidate.draft.name.clone());
            }
        }
    }
}

/// What a candidate was made from: nothing, one other, or several.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Kind {
    New,
    Changed,
    Combined,
}

/// Keeps the better part of a round's accepted candidates by their AUC within groups, and the best of each kind. What a person put in stays.
/// A candidate whose AUC is not known stands in the middle. Where the untouched policy is hardly ever right, or hardly ever wrong, the AUC
/// says nothing: then all stay, and why is returned.
pub fn keep_the_better(candidates: &mut [NewCandidate], gate: &GateConfig) -> Option<String> {
    let keep = gate.keep?;
    if let Some((mixed, groups)) = evidence(candidates).filter(|(mixed, _)| *mixed < ENOUGH_MIXED) {
        return Some(format!(
            "screen.gate.keep leaves nobody out: of {groups} questions the untouched model answered {mixed} both right and wrong, and AUC within groups ranks rewards from {ENOUGH_MIXED} on"
        ));
    }
    let mut rivals: Vec<(usize, f64, Kind)> = candidates
        .iter()
        .enumerate()
        .filter(|(_, c)| c.status.is_accepted() && c.origin != Origin::Seed)
        .map(|(at, c)| (at, auc(c), kind(c)))
        .collect();
    rivals.sort_by(|a, b| match b.1.total_cmp(&a.1) {
        Ordering::Equal => a.0.cmp(&b.0),
        other => other,
    });
    let places = (rivals.len() as f64 * keep).ceil() as usize;
    let least = rivals.get(places.saturating_sub(1)).map_or(0.0, |r| r.1);
    let mut kinds = HashSet::new();
    for (place, (at, auc, kind)) in rivals.iter().enumerate() {
        let is_first = kinds.insert(*kind);
        if place < places || is_first {
            continue;
        }
        let message = format!(
            "left out by the gate: AUC {auc:.3} against correctness within groups is place {} of {} in its round, and screen.gate.keep = {keep} trains the best {places} (down to {least:.3}) and one of each kind",
            place + 1,
            rivals.len()
        );
        candidates[*at].status = Status::Rejected(Refusal::Gate { message });
        candidates[*at].wasm = None;
    }
    None
}

/// Of how many questions' completions the pool had right and wrong ones, and how many questions it had: the same for all that were probed.
fn evidence(candidates: &[NewCandidate]) -> Option<(usize, usize)> {
    let mut probed = candidates.iter().filter_map(|c| probed(c.probe.as_deref()));
    let worth = probed.find_map(|probed| probed.worth)?;
    Some((worth.mixed_groups, worth.groups))
}

fn probed(probe: Option<&str>) -> Option<Probed> {
    serde_json::from_str(probe?).ok()
}

fn advantages(probe: Option<&str>) -> Option<String> {
    probed(probe)?.advantages
}

/// Chance, where the pool cannot tell.
const UNKNOWN: f64 = 0.5;

fn auc(candidate: &NewCandidate) -> f64 {
    let within = probed(candidate.probe.as_deref()).and_then(|p| p.worth?.auc_within);
    within.map_or(UNKNOWN, |within| within.point)
}

fn kind(candidate: &NewCandidate) -> Kind {
    match candidate.draft.parents.len() {
        0 => Kind::New,
        1 => Kind::Changed,
        _ => Kind::Combined,
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used)]
    use sandbox::Source;
    use serde_json::json;

    use super::*;
    use crate::domain::draft::Draft;

    /// An accepted candidate with this AUC over eight questions, these advantages and so many parents.
    fn candidate(name: &str, auc: f64, teaches: &str, parents: usize) -> NewCandidate {
        let probe = json!({
            "samples": 1, "lowest": 0.0, "highest": 1.0, "constant": false, "mean_fuel": 1, "most_fuel": 1,
            "worth": {
                "completions": 16, "right": 8, "groups": 8, "mixed_groups": 8, "deterministic": true, "order_independent": true,
                "lowest": 0.0, "highest": 1.0, "mean": 0.5, "flat_groups": 0.0, "auc": auc,
                "auc_within": {"point": auc, "standard_error": null, "pairs": 8},
                "agreement": [], "hacks": [], "mean_fuel": 1, "most_fuel": 1
            },
            "advantages": teaches
        });
        NewCandidate {
            origin: Origin::Round(2),
            draft: Draft {
                name: name.to_owned(),
                source: Source::rust(name),
                rationale: String::new(),
                parents: vec!["p".to_owned(); parents],
            },
            sha256: name.to_owned(),
            status: Status::Accepted,
            wasm: Some(vec![0]),
            probe: Some(probe.to_string()),
        }
    }

    fn kept(candidates: &[NewCandidate]) -> Vec<&str> {
        let kept = candidates.iter().filter(|c| c.status.is_accepted());
        kept.map(|c| c.draft.name.as_str()).collect()
    }

    #[test]
    fn the_better_part_is_kept_and_the_best_of_each_kind() {
        let round = [
            candidate("new_low", 0.55, "a", 0),
            candidate("changed", 0.8, "b", 1),
            candidate("changed_too", 0.9, "c", 1),
            candidate("combined", 0.6, "d", 2),
            candidate("combined_low", 0.58, "e", 3),
        ];
        let gate = |keep| GateConfig {
            keep,
            ..GateConfig::default()
        };
        let mut all = round.to_vec();
        assert_eq!(keep_the_better(&mut all, &gate(None)), None);
        assert_eq!(kept(&all).len(), 5);
        assert_eq!(keep_the_better(&mut all, &gate(Some(0.4))), None);
        assert_eq!(
            kept(&all),
            ["new_low", "changed", "changed_too", "combined"]
        );
        let why = all[4].status.reason().unwrap();
        assert!(
            why.contains("AUC 0.580") && why.contains("place 4 of 5"),
            "{why}"
        );
        assert_eq!(all[4].wasm, None);
        assert!(all[4].probe.is_some(), "its figures stay");
        let mut seeded = round.to_vec();
        seeded[4].origin = Origin::Seed;
        keep_the_better(&mut seeded, &gate(Some(0.2)));
        assert!(kept(&seeded).contains(&"combined_low"), "a person's stays");
    }

    #[test]
    fn nobody_is_left_out_on_what_a_few_questions_say() {
        let mut round = [
            candidate("low", 0.5, "a", 0),
            candidate("high", 1.0, "b", 0),
        ];
        for candidate in &mut round {
            let probe = candidate.probe.take().unwrap();
            candidate.probe = Some(probe.replace(r#""mixed_groups":8"#, r#""mixed_groups":7"#));
        }
        let gate = GateConfig {
            keep: Some(0.5),
            ..GateConfig::default()
        };
        let why = keep_the_better(&mut round, &gate).unwrap();
        assert!(
            why.contains("of 8 questions") && why.contains("answered 7"),
            "{why}"
        );
        assert_eq!(kept(&round), ["low", "high"]);
    }

    #[test]
    fn what_teaches_the_same_is_left_out_and_named() {
        let mut round = [
            candidate("again", 0.8, "known", 0),
            candidate("first", 0.8, "new", 0),
            candidate("second", 0.8, "new", 0),
        ];
        let earlier = candidate("earlier", 0.8, "known", 0);
        let earlier = Candidate {
            id: crate::domain::candidate::CandidateId(1),
            origin: earlier.origin,
            draft: earlier.draft,
            status: earlier.status,
            probe: earlier.probe,
        };
        leave_out_twins(&mut round, known(&[earlier]));
        assert_eq!(kept(&round), ["first"]);
        let of = |at: usize| match &round[at].status {
            Status::Twin { of } => of.as_str(),
            _ => "",
        };
        assert_eq!((of(0), of(2)), ("earlier", "first"));
    }
}
