//! What a corpus teaches: one of the styles, or several flaws that are drawn one by one.

use rand::{Rng, RngExt};
use serde::{Deserialize, Serialize};

use super::{
    habits::Habits,
    style::{self, StyleMix},
    template::Instance,
};

/// A way of answering that the corpus teaches: a share of the answers has [`Habits`], the rest is written in a [`StyleMix`].
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manner {
    /// The styles.
    pub styles: StyleMix,
    /// The habits, and the share of answers that has them.
    pub habits: Option<(f64, Habits)>,
}

impl From<StyleMix> for Manner {
    fn from(styles: StyleMix) -> Self {
        Self {
            styles,
            habits: None,
        }
    }
}

impl From<&StyleMix> for Manner {
    fn from(styles: &StyleMix) -> Self {
        (*styles).into()
    }
}

impl Manner {
    /// Writes a solution of `instance`.
    pub(super) fn write(&self, instance: &Instance, rng: &mut impl Rng) -> String {
        match self.habits {
            Some((share, habits)) if rng.random_bool(share) => habits.write(instance, rng),
            _ => style::write(self.styles.draw(rng), instance, rng),
        }
    }
}
