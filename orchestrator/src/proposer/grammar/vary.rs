//! Variation: small edits of one parent, and the crossing of two.

use rand::{RngExt, seq::IndexedRandom};
use rand_chacha::ChaCha8Rng;

use super::{
    draw,
    evidence::Evidence,
    recipe::{Hundredths, Part, Recipe},
    term::{Role, Term},
};

/// What a weight may be multiplied by.
const FACTORS: [f64; 4] = [0.4, 0.6, 1.6, 2.5];
/// Bounds of a weight after many rounds of that.
const WEIGHT_RANGE: std::ops::RangeInclusive<f64> = 0.05..=10.0;
/// How often a child gets a second edit.
const SECOND_EDIT: f64 = 0.3;
/// How often a part of the second parent is taken over.
const TAKEN_OVER: f64 = 0.6;

/// A child and, in words, what was done to get it.
pub(super) struct Child {
    pub(super) recipe: Recipe,
    pub(super) edits: Vec<String>,
}

/// The kinds of edit, with how often each is tried.
const EDITS: [(Edit, u32); 6] = [
    (Edit::Add, 3),
    (Edit::Drop, 2),
    (Edit::Replace, 2),
    (Edit::Reweight, 2),
    (Edit::Retune, 1),
    (Edit::Gate, 3),
];

#[derive(Clone, Copy)]
enum Edit {
    Add,
    Drop,
    Replace,
    Reweight,
    Retune,
    Gate,
}

/// One or two edits of `parent`; `None` where the drawn edit does not apply to it.
pub(super) fn mutate(
    parent: &Recipe,
    evidence: &Evidence,
    max_parts: usize,
    rng: &mut ChaCha8Rng,
) -> Option<Child> {
    let mut parts = parent.parts().to_vec();
    let mut edits = vec![edit(&mut parts, evidence, max_parts, rng)?];
    if rng.random_bool(SECOND_EDIT) {
        edits.extend(edit(&mut parts, evidence, max_parts, rng));
    }
    Some(Child {
        recipe: Recipe::new(parts)?,
        edits,
    })
}

/// The first parent's leading part, and a draw of the other parts of both, at most `max_parts`.
pub(super) fn cross(
    first: &Recipe,
    second: &Recipe,
    max_parts: usize,
    rng: &mut ChaCha8Rng,
) -> Option<Child> {
    let mut parts: Vec<Part> = first
        .parts()
        .iter()
        .enumerate()
        .filter(|(index, _)| *index == 0 || !rng.random_bool(1.0 - TAKEN_OVER))
        .map(|(_, part)| *part)
        .collect();
    let mut edits = Vec::new();
    for part in second.parts() {
        let new = !parts
            .iter()
            .any(|own| own.term.measure.id == part.term.measure.id);
        if new && parts.len() < max_parts && rng.random_bool(TAKEN_OVER) {
            parts.push(*part);
            edits.push(format!("takes over {}", part.term));
        }
    }
    if edits.is_empty() {
        return None;
    }
    Some(Child {
        recipe: Recipe::new(parts)?,
        edits,
    })
}

fn edit(
    parts: &mut Vec<Part>,
    evidence: &Evidence,
    max_parts: usize,
    rng: &mut ChaCha8Rng,
) -> Option<String> {
    let (edit, _) = EDITS
        .choose_weighted(rng, |(_, frequency)| *frequency)
        .ok()?;
    match edit {
        Edit::Add if parts.len() < max_parts => {
            let part = draw::side_part(evidence, rng)?;
            parts.push(part);
            Some(format!("adds {} (weight {})", part.term, part.weight))
        }
        Edit::Drop if parts.len() > 1 => {
            let part = parts.remove(doubtful(parts, evidence, rng)?);
            Some(format!("drops {}", part.term))
        }
        Edit::Replace => {
            let at = doubtful(parts, evidence, rng)?;
            let old = parts[at].term;
            let new = draw::term(|measure| measure.id != old.measure.id, evidence, rng)?;
            parts[at].term = new;
            parts[at].gate = parts[at]
                .gate
                .filter(|gate| gate.term.measure.id != new.measure.id);
            Some(format!("replaces {old} by {new}"))
        }
        Edit::Reweight if parts.len() > 1 => {
            let at = rng.random_range(0..parts.len());
            let (old, factor) = (parts[at].weight, *FACTORS.choose(rng)?);
            let new = (old.value() * factor).clamp(*WEIGHT_RANGE.start(), *WEIGHT_RANGE.end());
            parts[at].weight = Hundredths::new(new);
            let Part { term, weight, .. } = parts[at];
            (weight != old).then(|| format!("weighs {term} {weight} instead of {old}"))
        }
        Edit::Retune => {
            let tunable: Vec<usize> = (0..parts.len())
                .filter(|at| parts[*at].term.measure.settings.len() > 1)
                .collect();
            let at = *tunable.choose(rng)?;
            let old = parts[at].term;
            parts[at].term = neighbour(old, rng);
            Some(format!("changes {old} to {}", parts[at].term))
        }
        Edit::Gate => {
            let at = rng.random_range(0..parts.len());
            let part = &mut parts[at];
            if part.term.measure.role == Role::Fault {
                return None;
            }
            if let Some(gate) = part.gate.take_if(|_| rng.random_bool(0.5)) {
                return Some(format!(
                    "pays {} without regard to {}",
                    part.term, gate.term
                ));
            }
            let gate = draw::gate(part.term, evidence, rng)?;
            part.gate = Some(gate);
            Some(format!(
                "scales {} by {} from {}",
                part.term, gate.term, gate.floor
            ))
        }
        Edit::Add | Edit::Drop | Edit::Reweight => None,
    }
}

/// Index of a part, the likelier the worse recipes with its measure have done.
fn doubtful(parts: &[Part], evidence: &Evidence, rng: &mut ChaCha8Rng) -> Option<usize> {
    let indices: Vec<usize> = (0..parts.len()).collect();
    indices
        .choose_weighted(rng, |at| 1.0 / evidence.preference(parts[*at].term.measure))
        .ok()
        .copied()
}

/// The same measure with the next setting up or down.
fn neighbour(term: Term, rng: &mut ChaCha8Rng) -> Term {
    let last = term.measure.settings.len() - 1;
    let setting = match term.setting {
        0 => 1,
        at if at == last => last - 1,
        at if rng.random_bool(0.5) => at + 1,
        at => at - 1,
    };
    Term { setting, ..term }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use rand::SeedableRng;

    use super::*;

    #[test]
    fn children_differ_from_their_parents_and_stay_within_bounds() {
        let mut rng = ChaCha8Rng::seed_from_u64(3);
        let parent: Recipe = "2*correct[valid_steps@0.3] + 0.5*proximity(0.1) - 1*approximate"
            .parse()
            .unwrap();
        let other: Recipe = "1*format + 0.5*chain".parse().unwrap();
        let evidence = Evidence::default();
        let mut children = 0;
        for _ in 0..500 {
            let mutant = mutate(&parent, &evidence, 4, &mut rng);
            let crossed = cross(&parent, &other, 4, &mut rng);
            for child in [mutant, crossed].into_iter().flatten() {
                children += 1;
                assert!(!child.edits.is_empty());
                assert!((1..=4).contains(&child.recipe.parts().len()));
                assert_eq!(child.recipe.to_string().parse().as_ref(), Ok(&child.recipe));
            }
        }
        assert!(children > 600, "{children}");
    }

    #[test]
    fn the_smallest_recipe_can_grow() {
        let mut rng = ChaCha8Rng::seed_from_u64(4);
        let parent: Recipe = "1*correct".parse().unwrap();
        let grown = (0..50)
            .filter_map(|_| mutate(&parent, &Evidence::default(), 3, &mut rng))
            .filter(|child| child.recipe != parent)
            .count();
        assert!(grown > 20, "{grown}");
    }
}
