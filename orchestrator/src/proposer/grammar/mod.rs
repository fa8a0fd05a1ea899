//! The built-in proposer: recipes drawn, varied and crossed from a small grammar of reward terms. Needs no network.
//!
//! Round 1 is a seeded random draw, led by each family of measures in turn; what it holds is not chosen for its quality.
//! Later rounds vary and cross the better half of what has been ranked, prefer measures that better recipes had, and keep
//! a share of fresh draws. A recipe is never proposed twice. Everything follows from the brief's seed and history.

mod config;
mod draw;
mod evidence;
mod learn;
mod recipe;
mod render;
mod term;
mod vary;

use std::collections::HashSet;

use rand::{
    RngExt, SeedableRng,
    seq::{IndexedRandom, SliceRandom},
};
use rand_chacha::ChaCha8Rng;
use sandbox::{Language, Source};

pub use self::config::GrammarConfig;
use self::{evidence::Evidence, learn::Learnt, recipe::Recipe, term::Family, vary::Child};
use super::{
    Background, BoxFuture, Brief, Fate, Ledger, PastCandidate, Proposal, ProposeError, Proposer,
};
use crate::domain::draft::Draft;

/// Tries at a child that has not been there before, ere a fresh draw takes its place.
const TRIES: usize = 64;
/// How often a child has two parents.
const CROSSED: f64 = 0.35;
/// Share of the ranked recipes that may be parents.
const PARENT_SHARE: f64 = 0.5;
/// Of so many drafts that have no parents one is drawn from what the ranking taught, where that is asked for.
const LEARNT_EVERY: usize = 2;
/// Parents at most: deep in a long search, only the very best.
const MOST_PARENTS: usize = 12;

/// The grammar as a [`Proposer`].
#[derive(Debug, Clone)]
pub struct Grammar {
    config: GrammarConfig,
}

impl Grammar {
    /// A proposer with these settings.
    ///
    /// # Errors
    /// [`ProposeError::Setup`] if a setting is out of range.
    pub fn new(config: GrammarConfig) -> Result<Self, ProposeError> {
        if !(0.0..=1.0).contains(&config.explore) {
            return Err(ProposeError::Setup(format!(
                "proposer.explore is {}; it is a share and must lie between 0 and 1",
                config.explore
            )));
        }
        if config.max_terms == 0 {
            return Err(ProposeError::Setup(
                "proposer.max_terms is 0; a reward needs at least one term".to_owned(),
            ));
        }
        Ok(Self { config })
    }

    /// The drafts of a round.
    fn drafts(&self, brief: &Brief<'_>) -> Vec<Draft> {
        let mut round = Round::open(brief, &self.config);
        let fresh = match round.parents.is_empty() {
            true => brief.count,
            false => (self.config.explore * brief.count as f64).round() as usize,
        };
        let varied = brief.count.saturating_sub(fresh);
        (0..brief.count)
            .map_while(|index| {
                let child = if index < varied {
                    round.child(index)
                } else if (index - varied).is_multiple_of(LEARNT_EVERY) {
                    round.learnt()
                } else {
                    None
                };
                child.or_else(|| round.fresh())
            })
            .collect()
    }
}

/// So many drafts as a first round has them: drawn at random, without any feedback.
#[must_use]
pub fn random(count: usize, seed: u64) -> Vec<Draft> {
    let grammar = Grammar {
        config: GrammarConfig::default(),
    };
    grammar.drafts(&Brief {
        round: 1,
        count,
        seed,
        history: &[],
        problems: &[],
        format_hint: "",
        background: Background::NONE,
    })
}

impl Proposer for Grammar {
    fn propose<'a>(
        &'a self,
        brief: Brief<'a>,
        _ledger: &'a dyn Ledger,
    ) -> BoxFuture<'a, Result<Proposal, ProposeError>> {
        Box::pin(async move {
            Ok(Proposal {
                drafts: self.drafts(&brief),
                ..Proposal::default()
            })
        })
    }
}

/// An earlier recipe that may be a parent.
struct Parent<'a> {
    candidate: &'a PastCandidate,
    recipe: Recipe,
}

/// What a round draws from.
struct Round<'a> {
    rng: ChaCha8Rng,
    max_parts: usize,
    /// Best first.
    parents: Vec<Parent<'a>>,
    evidence: Evidence,
    /// Where draws from it are asked for, and there is something to learn from.
    learnt: Option<Learnt>,
    /// Fingerprints of every recipe so far, failed and rejected ones included.
    known: HashSet<String>,
    /// Names of every candidate so far.
    names: HashSet<String>,
    /// The order in which families lead fresh recipes, and whose turn it is.
    families: [Family; 4],
    turn: usize,
}

impl<'a> Round<'a> {
    fn open(brief: &Brief<'a>, config: &GrammarConfig) -> Self {
        let max_parts = config.max_terms;
        let mut rng = ChaCha8Rng::seed_from_u64(brief.seed);
        let mut families = Family::ALL;
        families.shuffle(&mut rng);

        let mut known = HashSet::new();
        let mut ranked = Vec::new();
        for candidate in brief.history {
            // Candidates by other authors carry no recipe and are left alone.
            let Some(recipe) = Recipe::in_source(&candidate.draft.source.code) else {
                continue;
            };
            known.insert(recipe.fingerprint());
            if let Fate::Ranked { rank, .. } = candidate.fate {
                ranked.push((rank, Parent { candidate, recipe }));
            }
        }
        ranked.sort_by_key(|(rank, _)| *rank);
        let mut parents: Vec<Parent<'a>> = ranked.into_iter().map(|(_, parent)| parent).collect();
        let evidence = Evidence::gather(parents.iter().map(|parent| &parent.recipe));
        let recipes: Vec<&Recipe> = parents.iter().map(|parent| &parent.recipe).collect();
        let learnt = (config.learn && !recipes.is_empty()).then(|| Learnt::gather(&recipes));
        let better = (PARENT_SHARE * parents.len() as f64).ceil() as usize;
        parents.truncate(better.clamp(1, MOST_PARENTS));
        Self {
            rng,
            max_parts,
            parents,
            evidence,
            learnt,
            known,
            names: brief.history.iter().map(|c| c.draft.name.clone()).collect(),
            families,
            turn: 0,
        }
    }

    /// A recipe from one or two parents; the first child of a round is always the leader's.
    fn child(&mut self, index: usize) -> Option<Draft> {
        for _ in 0..TRIES {
            let first = if index == 0 { 0 } else { self.parent()? };
            let second = self.parent()?;
            let crossed = index > 0 && first != second && self.rng.random_bool(CROSSED);
            let one = &self.parents[first].recipe;
            let child = if crossed {
                let other = &self.parents[second].recipe;
                vary::cross(one, other, self.max_parts, &mut self.rng)
            } else {
                vary::mutate(one, &self.evidence, self.max_parts, &mut self.rng)
            };
            let parents: &[usize] = if crossed { &[first, second] } else { &[first] };
            match child {
                Some(child) if self.known.insert(child.recipe.fingerprint()) => {
                    return Some(self.draft_of_child(&child, parents));
                }
                _ => {}
            }
        }
        None
    }

    /// A recipe as the better ones were made; `None` where that is not asked for, or brings nothing new.
    fn learnt(&mut self) -> Option<Draft> {
        for _ in 0..TRIES {
            let recipe = self.learnt.as_ref()?.recipe(self.max_parts, &mut self.rng);
            match recipe {
                Some(recipe) if self.known.insert(recipe.fingerprint()) => {
                    let rationale = format!(
                        "Drawn from what the better rewards have in common. {}",
                        render::summary(&recipe)
                    );
                    return Some(self.draft(&recipe, rationale, Vec::new()));
                }
                _ => {}
            }
        }
        None
    }

    /// A recipe from nowhere; `None` once the grammar seems exhausted.
    fn fresh(&mut self) -> Option<Draft> {
        let family = self.families[self.turn % self.families.len()];
        self.turn += 1;
        (0..TRIES * TRIES).find_map(|_| {
            let recipe = draw::recipe(family, self.max_parts, &mut self.rng)?;
            self.known.insert(recipe.fingerprint()).then(|| {
                let rationale = format!("A fresh draw. {}", render::summary(&recipe));
                self.draft(&recipe, rationale, Vec::new())
            })
        })
    }

    /// Index of a parent, the likelier the better its rank.
    fn parent(&mut self) -> Option<usize> {
        let count = self.parents.len();
        let indices: Vec<usize> = (0..count).collect();
        indices
            .choose_weighted(&mut self.rng, |index| (count - index) as f64)
            .ok()
            .copied()
    }

    fn draft_of_child(&mut self, child: &Child, parents: &[usize]) -> Draft {
        let parents: Vec<&PastCandidate> =
            parents.iter().map(|p| self.parents[*p].candidate).collect();
        let told: Vec<String> = parents.iter().map(|parent| introduce(parent)).collect();
        let verb = if parents.len() == 2 {
            "Crosses"
        } else {
            "Varies"
        };
        let rationale = format!(
            "{verb} {}: {}. {}",
            told.join(" with "),
            child.edits.join(", "),
            render::summary(&child.recipe)
        );
        let names = parents
            .iter()
            .map(|parent| parent.draft.name.clone())
            .collect();
        self.draft(&child.recipe, rationale, names)
    }

    fn draft(&mut self, recipe: &Recipe, rationale: String, parents: Vec<String>) -> Draft {
        let stem = render::name(recipe);
        let name = std::iter::once(stem.clone())
            .chain((2..).map(|number| format!("{stem}_{number}")))
            .find(|name| !self.names.contains(name))
            .expect("the numbers never end");
        self.names.insert(name.clone());
        Draft {
            name,
            source: Source {
                language: Language::Rust,
                code: render::source(recipe),
            },
            rationale,
            parents,
        }
    }
}

/// A parent in a rationale: its name and how it did.
fn introduce(parent: &PastCandidate) -> String {
    match &parent.fate {
        Fate::Ranked { rank, f1, .. } => format!("{} (rank {rank}, F1 {f1:.3})", parent.draft.name),
        Fate::Rejected { .. } | Fate::Failed { .. } => parent.draft.name.clone(),
    }
}

#[cfg(test)]
mod tests;
