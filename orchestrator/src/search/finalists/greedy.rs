//! Which mixes are tried next on the way from the best candidate to a mix of several. It is a pure function of what was tried: a search asks
//! after every batch, and a restarted one gets the same answer.

use crate::{config::GreedyConfig, domain::candidate::CandidateId};

/// The candidates that may become members, best first, and how far the search for a mix may go.
#[derive(Debug, Clone, Copy)]
pub struct Shortlist<'a> {
    /// Best first.
    pub candidates: &'a [CandidateId],
    /// The settings.
    pub settings: &'a GreedyConfig,
}

/// What follows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Next {
    /// These mixes are to be trained and judged; the members of each stand in the order of the shortlist.
    Train(Vec<Vec<CandidateId>>),
    /// These members are the best that was found; one alone where no mix is better.
    Done(Vec<CandidateId>),
}

/// The next mixes to try. `known` gives what a set of members came to: nothing where it was not tried, no figure where its training failed.
///
/// It begins with the best candidate. Each candidate of the shortlist is tried as a further member; the one with the highest F1 is taken if it
/// adds more than `min_gain`. When none does, members are taken out again, as long as the mix without one is as good: a member that adds
/// nothing is dropped. No more mixes are trained than `trials`; where fewer are left than a step needs, the better-placed candidates are tried.
#[must_use]
pub fn next(
    shortlist: &Shortlist<'_>,
    known: &dyn Fn(&[CandidateId]) -> Option<Option<f64>>,
) -> Next {
    let mut walk = Walk {
        shortlist,
        known,
        tried: Vec::new(),
    };
    let Some(&best) = shortlist.candidates.first() else {
        return Next::Done(Vec::new());
    };
    let mut chosen = vec![best];
    let Some(Some(mut f1)) = known(&chosen) else {
        return Next::Done(chosen);
    };
    let settings = shortlist.settings;
    while chosen.len() < settings.size {
        let further = shortlist.candidates.iter().filter(|c| !chosen.contains(c));
        let tries = further.map(|&c| walk.ordered(&chosen, c)).collect();
        match walk.best_of(tries) {
            Found::Open(missing) => return Next::Train(missing),
            Found::Best(members, found) if found > f1 + settings.min_gain => {
                (chosen, f1) = (members, found);
            }
            _ => break,
        }
    }
    while chosen.len() > 2 {
        let without = |out: &CandidateId| chosen.iter().copied().filter(|c| c != out).collect();
        let tries = chosen.iter().map(without).collect();
        match walk.best_of(tries) {
            Found::Open(missing) => return Next::Train(missing),
            Found::Best(members, found) if found >= f1 => (chosen, f1) = (members, found),
            _ => break,
        }
    }
    Next::Done(chosen)
}

/// The way so far.
struct Walk<'a> {
    shortlist: &'a Shortlist<'a>,
    known: &'a dyn Fn(&[CandidateId]) -> Option<Option<f64>>,
    /// What was paid for.
    tried: Vec<Vec<CandidateId>>,
}

/// What a step comes to.
enum Found {
    /// These are not tried yet.
    Open(Vec<Vec<CandidateId>>),
    /// The best of those tried, with its F1; the first of equals.
    Best(Vec<CandidateId>, f64),
    /// Nothing may be tried any more, or nothing could be trained.
    Nothing,
}

impl Walk<'_> {
    /// A mix with one more member, in the order of the shortlist.
    fn ordered(&self, chosen: &[CandidateId], further: CandidateId) -> Vec<CandidateId> {
        let all = self.shortlist.candidates.iter().copied();
        all.filter(|c| chosen.contains(c) || *c == further)
            .collect()
    }

    /// The best of a step's mixes, as far as the budget reaches.
    fn best_of(&mut self, tries: Vec<Vec<CandidateId>>) -> Found {
        let mut affordable = Vec::new();
        for members in tries {
            let is_paid = self.tried.contains(&members) || members.len() == 1;
            if !is_paid {
                if self.tried.len() >= self.shortlist.settings.trials {
                    continue;
                }
                self.tried.push(members.clone());
            }
            affordable.push(members);
        }
        let open: Vec<Vec<CandidateId>> = affordable
            .iter()
            .filter(|members| (self.known)(members).is_none())
            .cloned()
            .collect();
        if !open.is_empty() {
            return Found::Open(open);
        }
        let mut best: Option<(Vec<CandidateId>, f64)> = None;
        for members in affordable {
            if let Some(Some(f1)) = (self.known)(&members)
                && best.as_ref().is_none_or(|(_, highest)| f1 > *highest)
            {
                best = Some((members, f1));
            }
        }
        best.map_or(Found::Nothing, |(members, f1)| Found::Best(members, f1))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;

    fn ids(numbers: &[i64]) -> Vec<CandidateId> {
        numbers.iter().map(|&n| CandidateId(n)).collect()
    }

    fn settings(trials: usize) -> GreedyConfig {
        GreedyConfig {
            trials,
            shortlist: 4,
            size: 4,
            min_gain: 0.0,
        }
    }

    /// Walks to the end; the members, and how many mixes were trained.
    fn walk(
        shortlist: &[i64],
        trials: usize,
        f1: &dyn Fn(&[i64]) -> Option<f64>,
    ) -> (Vec<i64>, usize) {
        let (candidates, settings) = (ids(shortlist), settings(trials));
        let shortlist = Shortlist {
            candidates: &candidates,
            settings: &settings,
        };
        let numbers =
            |members: &[CandidateId]| -> Vec<i64> { members.iter().map(|c| c.0).collect() };
        let mut known: HashMap<Vec<CandidateId>, Option<f64>> =
            candidates.iter().map(|c| (vec![*c], f1(&[c.0]))).collect();
        let mut trained = 0;
        loop {
            match next(&shortlist, &|members| known.get(members).copied()) {
                Next::Done(members) => return (numbers(&members), trained),
                Next::Train(mixes) => {
                    assert!(!mixes.is_empty());
                    for mix in mixes {
                        let figure = f1(&numbers(&mix));
                        assert!(
                            known.insert(mix, figure).is_none(),
                            "nothing is trained twice"
                        );
                        trained += 1;
                    }
                }
            }
        }
    }

    #[test]
    fn members_are_added_by_what_they_add_and_not_by_their_rank() {
        // The second alone is as good as the first; only the fourth has what the first has not.
        let f1 = |members: &[i64]| {
            let has = |n| members.contains(&n);
            Some(0.5 + if has(1) && has(4) { 0.2 } else { 0.0 } - 0.01 * members.len() as f64)
        };
        assert_eq!(walk(&[1, 2, 3, 4], 20, &f1), (vec![1, 4], 5));
    }

    #[test]
    fn where_no_mix_is_better_the_best_stays_alone() {
        let f1 = |members: &[i64]| Some(0.8 - 0.1 * (members.len() - 1) as f64);
        assert_eq!(walk(&[1, 2, 3], 20, &f1), (vec![1], 2));
        let failing = |members: &[i64]| (members.len() == 1).then_some(0.5);
        assert_eq!(
            walk(&[1, 2, 3], 20, &failing),
            (vec![1], 2),
            "failed trainings are no members"
        );
        assert_eq!(walk(&[1], 20, &f1), (vec![1], 0));
        assert_eq!(walk(&[], 20, &f1), (vec![], 0));
    }

    #[test]
    fn a_member_that_adds_nothing_any_more_is_dropped() {
        // The second helps the first, then the third makes up for it with the fourth.
        let f1 = |members: &[i64]| {
            Some(match members {
                [1, 2] => 0.6,
                [1, 2, 3] => 0.7,
                [1, 2, 3, 4] => 0.8,
                [1, 3, 4] => 0.8,
                [1] => 0.5,
                _ => 0.4,
            })
        };
        let (members, _) = walk(&[1, 2, 3, 4], 40, &f1);
        assert_eq!(members, [1, 3, 4]);
    }

    #[test]
    fn no_more_is_trained_than_may_be() {
        let f1 = |members: &[i64]| Some(0.1 * members.len() as f64);
        for trials in 0..12 {
            let (_, trained) = walk(&[1, 2, 3, 4], trials, &f1);
            assert!(trained <= trials, "{trained} of {trials}");
        }
        assert_eq!(
            walk(&[1, 2, 3, 4], 1, &f1),
            (vec![1, 2], 1),
            "the better-placed is tried first"
        );
    }

    #[test]
    fn a_gain_below_the_least_that_counts_is_none() {
        let candidates = ids(&[1, 2]);
        let settings = GreedyConfig {
            min_gain: 0.02,
            ..settings(9)
        };
        let shortlist = Shortlist {
            candidates: &candidates,
            settings: &settings,
        };
        let known = |f1: f64| {
            move |members: &[CandidateId]| Some(Some(if members.len() == 2 { f1 } else { 0.5 }))
        };
        assert_eq!(next(&shortlist, &known(0.51)), Next::Done(ids(&[1])));
        assert_eq!(next(&shortlist, &known(0.53)), Next::Done(ids(&[1, 2])));
    }
}
