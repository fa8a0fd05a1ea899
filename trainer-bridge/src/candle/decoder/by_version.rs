//! What an engine makes of a model's weights and keeps: as long as some model has these weights, and no longer than the next look.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::candle::model::version::{Version, VersionMark};

/// Things made of weights, one for each version of weights.
pub struct ByVersion<T>(Mutex<Vec<(VersionMark, Arc<MadeOnce<T>>)>>);

/// Locked while its thing is made, so that others who want it wait instead of making it, too.
type MadeOnce<T> = Mutex<Option<Arc<T>>>;

impl<T> Default for ByVersion<T> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<T> ByVersion<T> {
    /// What was made of weights of this version, made now if it was not before.
    ///
    /// # Errors
    /// Those of `make`, which is tried again the next time.
    pub fn get_or_make<E>(
        &self,
        version: &Version,
        make: impl FnOnce() -> Result<T, E>,
    ) -> Result<Arc<T>, E> {
        let slot = self.slot(version);
        let mut made = locked(&slot);
        if let Some(made) = &*made {
            return Ok(made.clone());
        }
        let new = Arc::new(make()?);
        *made = Some(new.clone());
        Ok(new)
    }

    /// Forgets what was made of weights that no model has any more.
    pub fn forget_unused(&self) {
        locked(&self.0).retain(|(mark, _)| mark.is_in_use());
    }

    fn slot(&self, version: &Version) -> Arc<MadeOnce<T>> {
        let mut slots = locked(&self.0);
        slots.retain(|(mark, _)| mark.is_in_use());
        if let Some((_, slot)) = slots.iter().find(|(mark, _)| mark.is_of(version)) {
            return slot.clone();
        }
        let slot = Arc::<MadeOnce<T>>::default();
        slots.push((version.mark(), slot.clone()));
        slot
    }
}

/// A lock whose value is whole at any time, even after a panic of its holder.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use super::*;

    #[test]
    fn a_thing_is_made_once_a_version_and_forgotten_with_it() {
        let things = ByVersion::default();
        let count = |things: &ByVersion<u32>| locked(&things.0).len();
        let (old, new) = (Version::new(), Version::new());
        let get = |version: &Version, value: u32| {
            let Ok(thing) = things.get_or_make(version, || Ok::<_, Infallible>(value));
            *thing
        };
        assert_eq!(
            (get(&old, 1), get(&old.clone(), 2), get(&new, 3)),
            (1, 1, 3)
        );
        assert_eq!(count(&things), 2);
        drop(old);
        assert_eq!(get(&new, 4), 3);
        assert_eq!(count(&things), 1);
        drop(new);
        things.forget_unused();
        assert_eq!(count(&things), 0);
    }

    #[test]
    fn what_failed_is_tried_again() {
        let (things, version) = (ByVersion::default(), Version::new());
        assert!(things.get_or_make(&version, || Err::<u32, _>(())).is_err());
        assert_eq!(
            things.get_or_make(&version, || Ok::<_, ()>(5)).map(|x| *x),
            Ok(5)
        );
    }
}
