//! What a ranking teaches about whole recipes: which measures, weights, gates and sizes the better ones had. With `learn = true` half of what
//! has no parents in later rounds is drawn from that.
//!
//! Every choice starts from what a fresh draw believes, and is moved by where the recipes that made it stood; seldom tried choices are
//! moved little.

use std::{collections::HashMap, hash::Hash};

use rand::{RngExt, seq::IndexedRandom};
use rand_chacha::ChaCha8Rng;

use super::{
    draw::{FLOORS, GATED_LEADS, GATED_SIDES, LEAD_WEIGHTS, SIDE_WEIGHTS, SIZES},
    evidence::{Evidence, Standing, moved},
    recipe::{Gate, Hundredths, Part, Recipe},
    term::{MEASURES, Measure, Role, Term},
};

/// Standings of the choices that ranked recipes made.
pub(super) struct Learnt {
    evidence: Evidence,
    /// Of a term, its setting included.
    terms: HashMap<String, Standing>,
    /// Of a measure's share of the heaviest weight, in tenths.
    weights: HashMap<(&'static str, u32), Standing>,
    /// Of whether a measure's part is gated, and by what.
    gates: HashMap<(&'static str, Option<&'static str>), Standing>,
    /// Of the number of parts.
    sizes: HashMap<usize, Standing>,
    /// Of which measure is the heaviest.
    leads: HashMap<&'static str, Standing>,
}

/// The weight relative to the heaviest, in tenths.
fn tenths(weight: f64, heaviest: f64) -> u32 {
    (10.0 * weight / heaviest).round() as u32
}

impl Learnt {
    /// Gathers the choices of `ranked`, best first.
    pub(super) fn gather(ranked: &[&Recipe]) -> Self {
        let last = ranked.len().saturating_sub(1).max(1) as f64;
        let mut learnt = Self {
            evidence: Evidence::gather(ranked.iter().copied()),
            terms: HashMap::new(),
            weights: HashMap::new(),
            gates: HashMap::new(),
            sizes: HashMap::new(),
            leads: HashMap::new(),
        };
        for (index, recipe) in ranked.iter().enumerate() {
            let standing = 1.0 - index as f64 / last;
            let parts = recipe.parts();
            let heaviest = parts[0].weight.value();
            observe(&mut learnt.sizes, parts.len(), standing);
            observe(&mut learnt.leads, parts[0].term.measure.id, standing);
            for part in parts {
                let id = part.term.measure.id;
                let gate = part.gate.map(|gate| gate.term.measure.id);
                observe(&mut learnt.terms, part.term.to_string(), standing);
                observe(
                    &mut learnt.weights,
                    (id, tenths(part.weight.value(), heaviest)),
                    standing,
                );
                observe(&mut learnt.gates, (id, gate), standing);
            }
        }
        learnt
    }

    /// A recipe as the better ones were made.
    pub(super) fn recipe(&self, max_parts: usize, rng: &mut ChaCha8Rng) -> Option<Recipe> {
        let size = *SIZES
            .choose_weighted(rng, |(size, frequency)| {
                f64::from(*frequency) * liking(&self.sizes, size)
            })
            .ok()?;
        let lead = self.measure(
            rng,
            |m| m.role != Role::Fault,
            |m| liking(&self.leads, &m.id),
        )?;
        let heaviest = LEAD_WEIGHTS[rng.random_range(0..LEAD_WEIGHTS.len())];
        let mut parts = vec![self.part(lead, Hundredths::new(heaviest), GATED_LEADS, rng)?];
        for _ in 1..size.0.min(max_parts) {
            let taken: Vec<&str> = parts.iter().map(|part| part.term.measure.id).collect();
            let measure = self.measure(rng, |m| !taken.contains(&m.id), |_| 1.0)?;
            let weight = *SIDE_WEIGHTS
                .choose_weighted(rng, |weight| {
                    let relative = tenths(weight.min(heaviest), heaviest);
                    liking(&self.weights, &(measure.id, relative))
                })
                .ok()?;
            parts.push(self.part(
                measure,
                Hundredths::new(weight.min(heaviest)),
                GATED_SIDES,
                rng,
            )?);
        }
        Recipe::new(parts)
    }

    fn measure(
        &self,
        rng: &mut ChaCha8Rng,
        passes: impl Fn(&Measure) -> bool,
        liked: impl Fn(&Measure) -> f64,
    ) -> Option<&'static Measure> {
        let measures: Vec<&'static Measure> = MEASURES.iter().filter(|m| passes(m)).collect();
        measures
            .choose_weighted(rng, |m| self.evidence.preference(m) * liked(m))
            .ok()
            .copied()
    }

    fn term(&self, measure: &'static Measure, rng: &mut ChaCha8Rng) -> Option<Term> {
        let settings: Vec<usize> = (0..measure.settings.len().max(1)).collect();
        let of = |setting: usize| Term { measure, setting };
        let setting = settings
            .choose_weighted(rng, |setting| {
                liking(&self.terms, &of(*setting).to_string())
            })
            .ok()?;
        Some(of(*setting))
    }

    /// A part of that measure; gated as often as `usual`, moved by what gates of it have done.
    fn part(
        &self,
        measure: &'static Measure,
        weight: Hundredths,
        usual: f64,
        rng: &mut ChaCha8Rng,
    ) -> Option<Part> {
        let term = self.term(measure, rng)?;
        let without = (1.0 - usual) * liking(&self.gates, &(measure.id, None));
        let gates: Vec<&'static Measure> = MEASURES
            .iter()
            .filter(|m| m.role == Role::Merit && m.id != measure.id)
            .collect();
        let of = |m: &Measure| {
            self.evidence.preference(m) * liking(&self.gates, &(measure.id, Some(m.id)))
        };
        let all: f64 = gates.iter().map(|m| m.prior).sum();
        let with: f64 = usual * gates.iter().map(|m| of(m)).sum::<f64>() / all;
        let is_gated = measure.role != Role::Fault && rng.random_bool(with / (with + without));
        let gate = match is_gated {
            true => Some(Gate {
                term: self.term(gates.choose_weighted(rng, |m| of(m)).ok()?, rng)?,
                floor: Hundredths::new(FLOORS[rng.random_range(0..FLOORS.len())]),
            }),
            false => None,
        };
        Some(Part { weight, term, gate })
    }
}

fn observe<K: Eq + Hash>(standings: &mut HashMap<K, Standing>, choice: K, standing: f64) {
    standings.entry(choice).or_default().observe(standing);
}

/// How much likelier a choice is for where recipes that made it stood; 1 for one that nobody made.
fn liking<K: Eq + Hash>(standings: &HashMap<K, Standing>, choice: &K) -> f64 {
    standings
        .get(choice)
        .map_or(1.0, |standing| moved(standing.mean(0.5)))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use rand::SeedableRng;

    use super::*;

    #[test]
    fn measures_weights_gates_and_sizes_of_the_better_are_drawn_more_often() {
        let ranked: Vec<Recipe> = [
            "2*chain[format@0.3] + 1*concise(2)",
            "1*chain[format@0] + 0.5*concise(2)",
            "3*chain[format@0.5]",
            "1*correct",
            "1*thorough(1) + 1*repeats(3) + 0.5*steps(2)",
            "2*thorough(2) + 0.2*steps(1) + 0.2*answered",
        ]
        .iter()
        .map(|text| text.parse().unwrap())
        .collect();
        let learnt = Learnt::gather(&ranked.iter().collect::<Vec<_>>());
        let nothing = Learnt::gather(&[]);
        let mut rng = ChaCha8Rng::seed_from_u64(5);
        let mut share = |from: &Learnt, what: fn(&Recipe) -> bool| {
            let drawn = (0..2000).filter_map(|_| from.recipe(5, &mut rng));
            drawn.filter(what).count() as f64 / 2000.0
        };
        type Holds = fn(&Recipe) -> bool;
        let cases: [(&str, Holds); 4] = [
            ("a lead", |r| r.parts()[0].term.measure.id == "chain"),
            ("a gate", |r| r.to_string().contains("chain[format")),
            ("a setting", |r| r.to_string().contains("concise(2)")),
            ("a size", |r| r.parts().len() <= 2),
        ];
        for (what, holds) in cases {
            let (before, after) = (share(&nothing, holds), share(&learnt, holds));
            assert!(after > 1.1 * before, "{what}: {before} -> {after}");
        }
        let bad: Holds = |r| r.to_string().contains("thorough");
        assert!(share(&learnt, bad) < 0.7 * share(&nothing, bad));
    }
}
