//! The gate of `[screen.gate]`: candidates that cannot teach anything are refused before a training run is spent on them. Off unless asked for.

use super::Worth;
use crate::config::GateConfig;

/// Standard errors by which an AUC must miss the margin: what chance alone explains refuses nobody.
const STANDARD_ERRORS: f64 = 2.0;

impl GateConfig {
    /// Why a reward of this worth is refused. A pool in which no question was answered both right and wrong refuses nobody: it cannot
    /// tell a hopeless reward from a policy that has yet to learn.
    #[must_use]
    pub fn refusal(&self, worth: &Worth) -> Option<String> {
        if worth.mixed_groups == 0 {
            return None;
        }
        if self.refuse_flat && worth.flat_groups == 1.0 {
            return Some(format!(
                "refused by the gate: no variance within any of {} groups of the untouched policy's completions, so nothing to learn from",
                worth.groups
            ));
        }
        let (least, within) = (self.min_auc?, worth.auc_within?);
        let upper = within.point + STANDARD_ERRORS * within.standard_error?;
        (upper < least).then(|| {
            format!(
                "refused by the gate: AUC {:.3} against correctness within groups (at most {upper:.3} with {STANDARD_ERRORS} standard errors) is below screen.gate.min_auc = {least}",
                within.point
            )
        })
    }
}
