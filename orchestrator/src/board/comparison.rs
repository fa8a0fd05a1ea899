//! Several models on the same questions: figures, all pairwise tests with adjusted p-values, and who cannot be told from whom.
//!
//! McNemar's test is the right one here because all models answer the same questions; Holm's adjustment covers the family of all
//! pairs. Two models share a letter exactly if their adjusted exact p is above [`LEVEL`].

use std::collections::HashMap;

use evaluator::{
    BootstrapConfig, Estimate, Evaluation, Unpaired, bonferroni, compact_letters, holm, mcnemar,
    paired_difference,
};
use serde::Serialize;

use super::arm_names::ArmNames;
use crate::{
    domain::{
        figures::{Figures, bootstrap_of},
        trial::Stage,
    },
    store::{Snapshot, Store, StoreError},
    text::nearest,
};

/// The level at which two models count as different.
pub const LEVEL: f64 = 0.05;

/// Models that answered the same questions.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Comparison {
    /// Which questions.
    pub on: String,
    /// Whether these questions were used to select among the models, so that the best of them looks better than it is.
    pub used_for_selection: bool,
    /// How many.
    pub questions: usize,
    /// The models, as given.
    pub models: Vec<Contestant>,
    /// Every pair of them.
    pub pairs: Vec<Pair>,
}

/// One model.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Contestant {
    /// Its name.
    pub model: String,
    /// Questions it answered or left open.
    pub questions: usize,
    /// Questions it got right.
    pub correct: u64,
    /// Figures with intervals.
    pub figures: Figures,
    /// Letters: two models that share one do not differ at [`LEVEL`].
    pub letters: String,
}

/// Two models.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Pair {
    /// The one.
    pub a: String,
    /// The other.
    pub b: String,
    /// Questions both got right.
    pub both: u64,
    /// Questions only the one got right.
    pub only_a: u64,
    /// Questions only the other got right.
    pub only_b: u64,
    /// Questions neither got right.
    pub neither: u64,
    /// McNemar's exact test.
    pub exact_p: f64,
    /// The chi-square test with continuity correction, as the reference paper reports it; absent where no question tells the two apart.
    pub chi_square_corrected_p: Option<f64>,
    /// Its mid-p variant.
    pub mid_p: f64,
    /// The exact p, Holm-adjusted over all pairs.
    pub holm_p: f64,
    /// The exact p, Bonferroni-adjusted over all pairs.
    pub bonferroni_p: f64,
    /// F1 of the one minus F1 of the other.
    pub f1_difference: Estimate,
    /// Accuracy of the one minus accuracy of the other.
    pub accuracy_difference: Estimate,
}

impl Comparison {
    /// Compares `models` on the questions called `on`.
    ///
    /// # Errors
    /// If they did not answer equally many questions.
    pub fn of(
        on: &str,
        used_for_selection: bool,
        models: &[(String, Evaluation)],
        bootstrap: &BootstrapConfig,
    ) -> Result<Self, Unpaired> {
        let pairs = pairs(models, bootstrap)?;
        let letters = letters(models, &pairs);
        let contestants = models
            .iter()
            .zip(letters)
            .map(|((model, evaluation), letters)| Contestant {
                model: model.clone(),
                questions: evaluation.outcomes().len(),
                correct: evaluation.counts().correct,
                figures: Figures::of(evaluation, bootstrap),
                letters,
            });
        Ok(Self {
            on: on.to_owned(),
            used_for_selection,
            questions: models.first().map_or(0, |(_, e)| e.outcomes().len()),
            models: contestants.collect(),
            pairs,
        })
    }
}

/// Why arms of a search cannot be compared.
#[derive(Debug, thiserror::Error)]
pub enum CompareError {
    /// Nothing judged is called so.
    #[error("nothing judged is called `{name}`.{hint} `reward-search leaderboard` lists all names")]
    NotFound {
        /// The name.
        name: String,
        /// The name that was probably meant.
        hint: String,
    },
    /// They have no questions in common.
    #[error(
        "{0} were never judged on the same questions: candidates are screened on Dev, ensembles confirmed on Test"
    )]
    NeverTogether(String),
    /// They answered other numbers of questions.
    #[error(transparent)]
    Unpaired(#[from] Unpaired),
    /// The database.
    #[error("{0}")]
    Store(#[from] StoreError),
}

/// Arms of a search, by name: one comparison for each set of questions that all of them were judged on.
///
/// # Errors
/// See [`CompareError`].
pub async fn of_search(store: &Store, names: &[String]) -> Result<Vec<Comparison>, CompareError> {
    of_snapshot(&store.outcomes().await?, names)
}

/// The same from what is read already.
///
/// # Errors
/// As [`of_search`].
pub fn of_snapshot(snapshot: &Snapshot, names: &[String]) -> Result<Vec<Comparison>, CompareError> {
    let runs = runs(snapshot);
    let of_each = names
        .iter()
        .map(|name| runs_of(&runs, name))
        .collect::<Result<Vec<_>, _>>()?;
    let Some(first) = of_each.first() else {
        return Ok(Vec::new());
    };
    let mut stages: Vec<Stage> = first
        .keys()
        .filter(|stage| of_each.iter().all(|of| of.contains_key(stage)))
        .copied()
        .collect();
    stages.sort();
    if stages.is_empty() {
        let names: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
        return Err(CompareError::NeverTogether(names.join(" and ")));
    }
    let bootstrap = bootstrap_of(snapshot.search.seed);
    let protocol = snapshot.search.protocol();
    stages
        .into_iter()
        .map(|stage| {
            let models: Vec<(String, Evaluation)> = names
                .iter()
                .zip(&of_each)
                .map(|(name, of)| (name.clone(), of[&stage].clone()))
                .collect();
            let used_for_selection = protocol.selects_on(stage);
            let on = protocol.heading(stage);
            Ok(Comparison::of(
                &on,
                used_for_selection,
                &models,
                &bootstrap,
            )?)
        })
        .collect()
}

/// What was judged: the arm's name, on which questions, and how it did.
type Runs<'a> = Vec<(String, Stage, &'a Evaluation)>;

fn runs(snapshot: &Snapshot) -> Runs<'_> {
    let names = ArmNames::of(snapshot);
    let judged = snapshot.trials.iter().filter_map(|trial| {
        let stored = snapshot.evaluations.get(&trial.id)?;
        Some((names.name(trial.arm), trial.stage, &stored.evaluation))
    });
    judged.collect()
}

fn runs_of<'a>(
    runs: &Runs<'a>,
    name: &str,
) -> Result<HashMap<Stage, &'a Evaluation>, CompareError> {
    let found: HashMap<_, _> = runs
        .iter()
        .filter(|run| run.0 == name)
        .map(|run| (run.1, run.2))
        .collect();
    if found.is_empty() {
        return Err(CompareError::NotFound {
            name: name.to_owned(),
            hint: nearest::hint(name, runs.iter().map(|run| &*run.0)),
        });
    }
    Ok(found)
}

pub(super) fn pairs(
    models: &[(String, Evaluation)],
    bootstrap: &BootstrapConfig,
) -> Result<Vec<Pair>, Unpaired> {
    let mut pairs = Vec::new();
    for (i, (a, of_a)) in models.iter().enumerate() {
        for (b, of_b) in &models[i + 1..] {
            let test = mcnemar(of_a, of_b)?;
            let difference = paired_difference(of_a, of_b, bootstrap)?;
            pairs.push(Pair {
                a: a.clone(),
                b: b.clone(),
                both: test.both,
                only_a: test.only_a,
                only_b: test.only_b,
                neither: test.neither,
                exact_p: test.exact_p,
                chi_square_corrected_p: test.chi_square_corrected.map(|test| test.p),
                mid_p: test.mid_p,
                holm_p: test.exact_p,
                bonferroni_p: test.exact_p,
                f1_difference: difference.f1,
                accuracy_difference: difference.accuracy,
            });
        }
    }
    let p: Vec<f64> = pairs.iter().map(|pair| pair.exact_p).collect();
    for ((pair, holm), bonferroni) in pairs.iter_mut().zip(holm(&p)).zip(bonferroni(&p)) {
        pair.holm_p = holm;
        pair.bonferroni_p = bonferroni;
    }
    Ok(pairs)
}

/// The letters of each model, `a` going to the best.
fn letters(models: &[(String, Evaluation)], pairs: &[Pair]) -> Vec<String> {
    let mut order: Vec<usize> = (0..models.len()).collect();
    order.sort_by(|&i, &j| models[j].1.f1().total_cmp(&models[i].1.f1()));
    // Pairs stand in the order of `models`: (0, 1), (0, 2), …, (1, 2), …
    let n = models.len();
    let pair_of = |i: usize, j: usize| {
        let (i, j) = (i.min(j), i.max(j));
        i * (2 * n - i - 1) / 2 + j - i - 1
    };
    let differ = |i: usize, j: usize| pairs[pair_of(order[i], order[j])].holm_p <= LEVEL;
    let ranked = compact_letters(n, differ);
    let mut letters = vec![String::new(); n];
    for (place, of_place) in order.iter().zip(ranked) {
        letters[*place] = of_place;
    }
    letters
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn model(name: &str, right: usize, of: usize) -> (String, Evaluation) {
        let bytes = [b"c".repeat(right), b"w".repeat(of - right)].concat();
        (name.to_owned(), Evaluation::from_bytes(&bytes).unwrap())
    }

    #[test]
    fn models_that_differ_get_other_letters_the_best_getting_a() {
        let models = [
            model("bad", 5, 100),
            model("good", 60, 100),
            model("as good", 58, 100),
        ];
        let comparison =
            Comparison::of("these", false, &models, &BootstrapConfig::default()).unwrap();
        let letters: Vec<&str> = comparison
            .models
            .iter()
            .map(|m| m.letters.as_str())
            .collect();
        assert_eq!(letters, ["b", "a", "a"]);
        let pair = &comparison.pairs[0];
        assert_eq!((pair.only_a, pair.only_b, pair.both), (0, 55, 5));
        assert!(pair.exact_p < pair.holm_p && pair.holm_p <= pair.bonferroni_p);
        let told = &pair.f1_difference;
        assert!(told.interval.lower < told.point && told.point < told.interval.upper);
        assert!(!comparison.legend().contains("Warning"));
        let selected = Comparison::of("Dev", true, &models, &BootstrapConfig::default()).unwrap();
        assert!(selected.legend().contains("Warning"));
    }

    #[test]
    fn other_questions_cannot_be_compared() {
        let models = [model("a", 1, 10), model("b", 1, 11)];
        assert!(Comparison::of("x", false, &models, &BootstrapConfig::default()).is_err());
    }
}
