//! Random draws over the grammar: fresh recipes, and the terms, weights and gates that variation adds.

use rand::{RngExt, seq::IndexedRandom};
use rand_chacha::ChaCha8Rng;

use super::{
    evidence::Evidence,
    recipe::{Gate, Hundredths, Part, Recipe},
    term::{Family, MEASURES, Measure, Role, Term},
};

/// Weights of the part that leads a fresh recipe.
pub(super) const LEAD_WEIGHTS: [f64; 4] = [1.0, 1.5, 2.0, 3.0];
/// Weights of every other new part.
pub(super) const SIDE_WEIGHTS: [f64; 4] = [0.2, 0.5, 1.0, 1.5];
/// What a gate may leave.
pub(super) const FLOORS: [f64; 4] = [0.0, 0.2, 0.3, 0.5];
/// How often the leading part of a fresh recipe is gated.
pub(super) const GATED_LEADS: f64 = 0.3;
/// How often a new side part is gated.
pub(super) const GATED_SIDES: f64 = 0.1;
/// Relative frequency of fresh recipes of one, two, three and four parts.
pub(super) const SIZES: [(usize, u32); 4] = [(1, 3), (2, 4), (3, 2), (4, 1)];

/// A fresh recipe whose heaviest part is of `family`. Knows nothing of earlier rounds.
pub(super) fn recipe(family: Family, max_parts: usize, rng: &mut ChaCha8Rng) -> Option<Recipe> {
    let leads: Vec<&'static Measure> = MEASURES
        .iter()
        .filter(|measure| measure.family == family && measure.role != Role::Fault)
        .collect();
    let lead = leads.choose_weighted(rng, |measure| measure.prior).ok()?;
    let lead = with_setting(lead, rng);
    let mut parts = vec![Part {
        weight: one_of(&LEAD_WEIGHTS, rng),
        term: lead,
        gate: rng
            .random_bool(GATED_LEADS)
            .then(|| gate(lead, &Evidence::default(), rng))
            .flatten(),
    }];
    let size = SIZES
        .choose_weighted(rng, |(_, frequency)| *frequency)
        .map_or(1, |(size, _)| *size);
    for _ in 1..size.min(max_parts) {
        parts.push(side_part(&Evidence::default(), rng)?);
    }
    Recipe::new(parts)
}

/// A part to go beside others.
pub(super) fn side_part(evidence: &Evidence, rng: &mut ChaCha8Rng) -> Option<Part> {
    let term = term(|_| true, evidence, rng)?;
    Some(Part {
        weight: one_of(&SIDE_WEIGHTS, rng),
        term,
        gate: rng
            .random_bool(GATED_SIDES)
            .then(|| gate(term, evidence, rng))
            .flatten(),
    })
}

/// A gate for a part that pays for `gated`.
pub(super) fn gate(gated: Term, evidence: &Evidence, rng: &mut ChaCha8Rng) -> Option<Gate> {
    let may_gate = |m: &Measure| m.role == Role::Merit && m.id != gated.measure.id;
    Some(Gate {
        term: term(may_gate, evidence, rng)?,
        floor: one_of(&FLOORS, rng),
    })
}

/// A term whose measure passes, the likelier the better recipes with that measure have done.
pub(super) fn term(
    passes: impl Fn(&Measure) -> bool,
    evidence: &Evidence,
    rng: &mut ChaCha8Rng,
) -> Option<Term> {
    let measures: Vec<&'static Measure> = MEASURES.iter().filter(|m| passes(m)).collect();
    let measure = measures
        .choose_weighted(rng, |measure| evidence.preference(measure))
        .ok()?;
    Some(with_setting(measure, rng))
}

fn with_setting(measure: &'static Measure, rng: &mut ChaCha8Rng) -> Term {
    Term {
        measure,
        setting: rng.random_range(0..measure.settings.len().max(1)),
    }
}

fn one_of(values: &[f64], rng: &mut ChaCha8Rng) -> Hundredths {
    Hundredths::new(values[rng.random_range(0..values.len())])
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::collections::HashSet;

    use rand::SeedableRng;

    use super::*;
    use crate::proposer::grammar::render;

    fn many() -> Vec<Recipe> {
        let mut rng = ChaCha8Rng::seed_from_u64(7);
        (0..2000)
            .filter_map(|i| recipe(Family::ALL[i % 4], 5, &mut rng))
            .collect()
    }

    #[test]
    fn rendered_recipes_read_back() {
        for recipe in many() {
            assert_eq!(recipe.to_string().parse().as_ref(), Ok(&recipe));
            assert_eq!(Recipe::in_source(&render::source(&recipe)), Some(recipe));
        }
    }

    #[test]
    fn draws_cover_the_grammar_and_do_not_favour_right_answers() {
        let recipes = many();
        let distinct: HashSet<String> = recipes.iter().map(Recipe::fingerprint).collect();
        assert!(distinct.len() > 1000, "{}", distinct.len());
        let text: Vec<String> = recipes.iter().map(Recipe::to_string).collect();
        for measure in MEASURES {
            assert!(
                text.iter().any(|t| t.contains(measure.id)),
                "{}",
                measure.id
            );
        }
        // A fresh draw may pay for a right answer or may not; the search has something to find.
        let right = text.iter().filter(|t| t.contains("correct")).count() as f64;
        let share = right / text.len() as f64;
        assert!((0.1..0.4).contains(&share), "{share}");
    }
}
