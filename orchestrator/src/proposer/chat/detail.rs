//! How much of what is known goes into a prompt, and what is left out first where that is too long.
//!
//! The order is told in docs/proposing.md: what a proposer can do without goes before what it cannot.

/// How many of each kind of thing a prompt shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Detail {
    /// Sample questions.
    pub(super) problems: usize,
    /// Completions of the untouched model.
    pub(super) written: usize,
    /// Sources of refused and failed candidates, the latest.
    pub(super) failed_sources: usize,
    /// Refused and failed candidates, the latest.
    pub(super) failures: usize,
    /// Completions that good candidates got wrong.
    pub(super) misjudged: usize,
    /// Candidates whose curves are shown.
    pub(super) curves: usize,
    /// Rows of the ranking.
    pub(super) rows: usize,
    /// Sources of good candidates.
    pub(super) sources: usize,
    /// Lessons of earlier rounds, the latest.
    pub(super) lessons: usize,
}

const MOST: Detail = Detail {
    problems: 20,
    written: 3,
    failed_sources: 4,
    failures: 12,
    misjudged: 6,
    curves: 5,
    rows: 40,
    sources: 5,
    lessons: 6,
};

/// What is left out, one thing after the other.
const LEFT_OUT: [fn(&mut Detail); 16] = [
    |d| d.problems = 8,
    |d| d.failed_sources = 2,
    |d| d.misjudged = 2,
    |d| d.written = 1,
    |d| d.curves = 3,
    |d| d.rows = 15,
    |d| d.failed_sources = 0,
    |d| d.failures = 4,
    |d| d.sources = 3,
    |d| d.misjudged = 0,
    |d| d.written = 0,
    |d| d.curves = 1,
    |d| d.lessons = 2,
    |d| d.problems = 3,
    |d| d.rows = 8,
    |d| d.sources = 1,
];

/// From the most that is shown to the least.
pub(super) fn from_most() -> impl Iterator<Item = Detail> {
    let mut detail = MOST;
    std::iter::once(MOST).chain(LEFT_OUT.iter().map(move |leave_out| {
        leave_out(&mut detail);
        detail
    }))
}
