//! What earlier rounds say about each measure: how well the recipes that hold it did.

use std::collections::HashMap;

use super::{
    recipe::Recipe,
    term::{Family, Measure},
};

/// Observations that what is believed beforehand counts for, so that one lucky recipe does not settle a measure: a family
/// is believed middling, a measure to be like its family.
const PRIOR_OBSERVATIONS: f64 = 2.0;
/// How strongly standing moves preference: from worst to best by e to this power.
const SHARPNESS: f64 = 4.0;

/// Standings of measures and families; without any, only the measures' priors tell them apart.
#[derive(Debug, Default)]
pub(super) struct Evidence {
    measures: HashMap<&'static str, Standing>,
    families: HashMap<Family, Standing>,
}

/// Where recipes stood between the worst (0) and the best (1).
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Standing {
    sum: f64,
    count: f64,
}

impl Standing {
    pub(super) fn observe(&mut self, standing: f64) {
        self.sum += standing;
        self.count += 1.0;
    }

    /// The mean, drawn towards what was believed beforehand.
    pub(super) fn mean(self, believed: f64) -> f64 {
        (self.sum + believed * PRIOR_OBSERVATIONS) / (self.count + PRIOR_OBSERVATIONS)
    }
}

impl Evidence {
    /// Gathers the standings of the measures in `ranked`, best first.
    pub(super) fn gather<'a>(ranked: impl ExactSizeIterator<Item = &'a Recipe>) -> Self {
        let last = ranked.len().saturating_sub(1).max(1) as f64;
        let mut evidence = Self::default();
        for (index, recipe) in ranked.enumerate() {
            let standing = 1.0 - index as f64 / last;
            let mut measures: Vec<&'static Measure> = recipe
                .parts()
                .iter()
                .flat_map(|part| [Some(part.term), part.gate.map(|gate| gate.term)])
                .flatten()
                .map(|term| term.measure)
                .collect();
            measures.sort_unstable_by_key(|measure| measure.id);
            measures.dedup_by_key(|measure| measure.id);
            for measure in measures {
                evidence
                    .measures
                    .entry(measure.id)
                    .or_default()
                    .observe(standing);
                evidence
                    .families
                    .entry(measure.family)
                    .or_default()
                    .observe(standing);
            }
        }
        evidence
    }

    /// Relative frequency with which a measure should be added.
    pub(super) fn preference(&self, measure: &Measure) -> f64 {
        let family = self
            .families
            .get(&measure.family)
            .copied()
            .unwrap_or_default();
        let own = self.measures.get(measure.id).copied().unwrap_or_default();
        let mean = own.mean(family.mean(0.5));
        measure.prior * moved(mean)
    }
}

/// How much likelier a choice is for a mean standing, against one in the middle.
pub(super) fn moved(mean: f64) -> f64 {
    (SHARPNESS * (mean - 0.5)).exp()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::proposer::grammar::term::MEASURES;

    #[test]
    fn measures_of_good_recipes_and_their_kin_are_preferred() {
        let ranked: Vec<Recipe> = [
            "1*valid_steps",
            "1*valid_steps + 1*format",
            "1*format",
            "1*thorough(1)",
        ]
        .iter()
        .map(|text| text.parse().unwrap())
        .collect();
        let evidence = Evidence::gather(ranked.iter());
        let preference =
            |id: &str| evidence.preference(MEASURES.iter().find(|m| m.id == id).unwrap());
        let order = ["valid_steps", "chain", "format", "concise", "thorough"].map(preference);
        assert!(
            order.is_sorted_by(|better, worse| better > worse),
            "{order:?}"
        );
        let unknown = Evidence::default();
        assert!(
            MEASURES
                .iter()
                .all(|measure| unknown.preference(measure) == measure.prior)
        );
    }
}
