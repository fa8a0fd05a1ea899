//! What of the findings fails a probe.

use std::collections::BTreeSet;

use super::findings::{Finding, RULES, Severity};
use crate::text::nearest;

/// When a probe fails: from a severity on, or for some rules.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct FailOn {
    /// From this severity on.
    pub severity: Option<Severity>,
    /// For these rules whatever their severity.
    pub rules: BTreeSet<&'static str>,
}

impl FailOn {
    /// Reads `error`, `warning`, `note`, `never` or a rule.
    ///
    /// # Errors
    /// A sentence that says what there is.
    pub fn add(&mut self, word: &str) -> Result<(), String> {
        let severities = [Severity::Note, Severity::Warning, Severity::Error];
        if let Some(severity) = severities.into_iter().find(|s| s.name() == word) {
            self.severity = Some(self.severity.map_or(severity, |known| known.min(severity)));
            return Ok(());
        }
        if word == "never" {
            return Ok(());
        }
        let rules = RULES.map(|(rule, _)| rule);
        let Some(rule) = rules.into_iter().find(|rule| *rule == word) else {
            return Err(format!(
                "`{word}` is neither a severity (error, warning, note, never) nor a rule ({}).{}",
                rules.join(", "),
                nearest::hint(word, rules)
            ));
        };
        self.rules.insert(rule);
        Ok(())
    }

    /// Whether this finding fails the probe.
    #[must_use]
    pub fn counts(&self, finding: &Finding) -> bool {
        self.severity.is_some_and(|least| finding.severity >= least)
            || self.rules.contains(finding.rule)
    }
}
