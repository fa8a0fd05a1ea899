//! A pattern as the `regex` crate runs it: any text, any pattern, linear time.

use std::ops::Range;

use regex_automata::meta::{Cache, Config, Regex};
use regex_automata::util::primitives::NonMaxUsize;
use regex_automata::{Input, MatchKind};
use regex_syntax::hir::Hir;

/// Bytes a compiled pattern may take. Ordinary ones take some tens of thousands.
const SIZE_LIMIT: usize = 1 << 20;
/// Bytes of the cache a lazy automaton may take.
const CACHE_LIMIT: usize = 1 << 20;

/// Start and end of each group of a match.
pub type Slots = Vec<Option<NonMaxUsize>>;

pub struct Full {
    pub regex: Regex,
    /// Made when it is first needed.
    cache: Option<Cache>,
}

impl Full {
    /// Compiles a pattern, or says why not.
    pub fn new(pattern: &Hir) -> Result<Self, String> {
        let config = Config::new()
            .match_kind(MatchKind::LeftmostFirst)
            .utf8_empty(true)
            .nfa_size_limit(Some(SIZE_LIMIT))
            .hybrid_cache_capacity(CACHE_LIMIT)
            // What a full automaton is good for, `quick` does better.
            .dfa(false);
        let regex = Regex::builder()
            .configure(config)
            .build_from_hir(pattern)
            .map_err(|error| match error.size_limit() {
                Some(limit) => format!("Compiled regex exceeds size limit of {limit} bytes."),
                None => error.to_string(),
            })?;
        Ok(Self { regex, cache: None })
    }

    /// The first match.
    pub fn find(&mut self, input: &Input<'_>) -> Option<Range<usize>> {
        let cache = self.cache.get_or_insert_with(|| self.regex.create_cache());
        Some(self.regex.search_with(cache, input)?.range())
    }

    /// The first match's groups; `None` if there is no match.
    pub fn find_groups(&mut self, input: &Input<'_>, slots: &mut Slots) -> Option<()> {
        let cache = self.cache.get_or_insert_with(|| self.regex.create_cache());
        self.regex
            .search_slots_with(cache, input, slots)
            .map(|_| ())
    }
}
