//! Which run gets which GPU: each has one for itself, and waits for it.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// The GPUs that runs may take. Clones share them.
#[derive(Debug, Clone)]
pub struct Devices {
    free: Arc<Mutex<Vec<u32>>>,
    permits: Option<Arc<Semaphore>>,
}

/// A place to compute, given back when it is dropped.
#[derive(Debug)]
pub struct Lease {
    /// The GPU; `None` for the processor, which any number of runs share.
    pub number: Option<u32>,
    free: Arc<Mutex<Vec<u32>>>,
    _permit: Option<OwnedSemaphorePermit>,
}

impl Devices {
    /// GPUs by number, the first ones first; none of them is the processor.
    pub fn of(numbers: &[u32]) -> Self {
        let permits = (!numbers.is_empty()).then(|| Arc::new(Semaphore::new(numbers.len())));
        Self {
            free: Arc::new(Mutex::new(numbers.iter().rev().copied().collect())),
            permits,
        }
    }

    /// A place to compute; waits until one is free.
    pub async fn take(&self) -> Lease {
        let permit = match &self.permits {
            Some(permits) => {
                let permit = Arc::clone(permits).acquire_owned().await;
                Some(permit.expect("the semaphore is never closed"))
            }
            None => None,
        };
        let free = Arc::clone(&self.free);
        let number = locked(&free).pop();
        Lease {
            number,
            free,
            _permit: permit,
        }
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        // Before the permit, which is a field and dropped after this.
        if let Some(number) = self.number {
            locked(&self.free).push(number);
        }
    }
}

/// The value of `CUDA_VISIBLE_DEVICES` for a GPU by its number among those that this process may see.
pub fn visible(number: Option<u32>, own: Option<&str>) -> String {
    let Some(number) = number else {
        return String::new();
    };
    let named = own.and_then(|own| own.split(',').nth(number as usize));
    named.map_or_else(|| number.to_string(), |name| name.trim().to_owned())
}

fn locked<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used)]
    use std::time::Duration;

    use super::*;

    #[tokio::test]
    async fn a_run_waits_for_a_gpu_of_its_own() {
        let devices = Devices::of(&[3, 5]);
        let first = devices.take().await;
        let second = devices.take().await;
        assert_eq!((first.number, second.number), (Some(3), Some(5)));
        let waited = tokio::time::timeout(Duration::from_millis(20), devices.take()).await;
        assert!(waited.is_err(), "both are taken");
        drop(first);
        let third = tokio::time::timeout(Duration::from_secs(5), devices.take()).await;
        assert_eq!(third.unwrap().number, Some(3));
        assert_eq!(Devices::of(&[]).take().await.number, None);
    }

    #[test]
    fn numbers_count_among_the_gpus_that_may_be_seen() {
        assert_eq!(visible(Some(1), None), "1");
        assert_eq!(visible(Some(1), Some("6, 7")), "7");
        assert_eq!(visible(Some(0), Some("GPU-abc")), "GPU-abc");
        assert_eq!(visible(None, Some("0")), "");
    }
}
