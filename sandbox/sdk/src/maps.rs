//! Hash maps and sets with a fixed, fast hash: equal on every machine and in every run.
//!
//! They are the standard ones with another hasher behind `Deref`, so that every method of
//! `std::collections::{HashMap, HashSet}` works, and `new`, `with_capacity`, `collect`, `for` and `[..]` as well.
//! Iteration order is fixed but arbitrary; sort where order matters.

use std::borrow::Borrow;
use std::collections::{hash_map, hash_set};
use std::hash::{BuildHasherDefault, Hash, Hasher};
use std::ops::{Deref, DerefMut, Index};

type State = BuildHasherDefault<FixedHasher>;
type InnerMap<K, V> = std::collections::HashMap<K, V, State>;
type InnerSet<T> = std::collections::HashSet<T, State>;

/// Multiply-and-rotate hash without a seed. Guests cannot be attacked through collisions: fuel bounds them.
#[derive(Debug, Default, Clone, Copy)]
pub struct FixedHasher(u64);

/// An odd constant near 2^64 divided by the golden ratio (Knuth's multiplicative hashing).
const MULTIPLIER: u64 = 0x9e37_79b9_7f4a_7c15;

impl FixedHasher {
    const fn add(&mut self, word: u64) {
        self.0 = (self.0.rotate_left(5) ^ word).wrapping_mul(MULTIPLIER);
    }
}

impl Hasher for FixedHasher {
    fn write(&mut self, bytes: &[u8]) {
        let (words, rest) = bytes.as_chunks::<8>();
        for word in words {
            self.add(u64::from_le_bytes(*word));
        }
        if !rest.is_empty() {
            // The length keeps "a" and "a\0" apart.
            let word = rest
                .iter()
                .fold(rest.len() as u64, |word, byte| word << 8 | u64::from(*byte));
            self.add(word);
        }
    }

    fn write_u8(&mut self, value: u8) {
        self.add(u64::from(value));
    }

    fn write_u32(&mut self, value: u32) {
        self.add(u64::from(value));
    }

    fn write_u64(&mut self, value: u64) {
        self.add(value);
    }

    fn write_usize(&mut self, value: usize) {
        self.add(value as u64);
    }

    fn finish(&self) -> u64 {
        // The table takes its bucket from the low bits and its tag from the high ones; multiplication leaves the low bits weak.
        self.0 ^ (self.0 >> 32)
    }
}

/// A `HashMap` with a fixed hash.
///
/// ```
/// use reward_sdk::prelude::*;
/// let mut seen: HashMap<&str, usize> = HashMap::new();
/// for word in words("a b a") {
///     *seen.entry(word).or_insert(0) += 1;
/// }
/// assert_eq!(seen["a"], 2);
/// ```
#[derive(Debug, Clone)]
pub struct HashMap<K, V>(InnerMap<K, V>);

/// A `HashSet` with a fixed hash.
///
/// ```
/// use reward_sdk::prelude::*;
/// let distinct: HashSet<&str> = words("a b a").collect();
/// assert_eq!(distinct.len(), 2);
/// ```
#[derive(Debug, Clone)]
pub struct HashSet<T>(InnerSet<T>);

impl<K, V> HashMap<K, V> {
    /// An empty map.
    #[must_use]
    pub fn new() -> Self {
        Self(InnerMap::default())
    }

    /// An empty map with room for `capacity` entries.
    #[must_use]
    pub fn with_capacity(capacity: usize) -> Self {
        Self(InnerMap::with_capacity_and_hasher(
            capacity,
            State::default(),
        ))
    }

    /// The keys, in arbitrary order; the map is used up.
    #[must_use]
    pub fn into_keys(self) -> hash_map::IntoKeys<K, V> {
        self.0.into_keys()
    }

    /// The values, in arbitrary order; the map is used up.
    #[must_use]
    pub fn into_values(self) -> hash_map::IntoValues<K, V> {
        self.0.into_values()
    }
}

impl<T> HashSet<T> {
    /// An empty set.
    #[must_use]
    pub fn new() -> Self {
        Self(InnerSet::default())
    }

    /// An empty set with room for `capacity` members.
    #[must_use]
    pub fn with_capacity(capacity: usize) -> Self {
        Self(InnerSet::with_capacity_and_hasher(
            capacity,
            State::default(),
        ))
    }
}

impl<K, V> Default for HashMap<K, V> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T> Default for HashSet<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<K, V> Deref for HashMap<K, V> {
    type Target = InnerMap<K, V>;

    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

impl<K, V> DerefMut for HashMap<K, V> {
    fn deref_mut(&mut self) -> &mut Self::Target {
        &mut self.0
    }
}

impl<T> Deref for HashSet<T> {
    type Target = InnerSet<T>;

    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

impl<T> DerefMut for HashSet<T> {
    fn deref_mut(&mut self) -> &mut Self::Target {
        &mut self.0
    }
}

impl<K: Eq + Hash, V: PartialEq> PartialEq for HashMap<K, V> {
    fn eq(&self, other: &Self) -> bool {
        self.0 == other.0
    }
}

impl<T: Eq + Hash> PartialEq for HashSet<T> {
    fn eq(&self, other: &Self) -> bool {
        self.0 == other.0
    }
}

impl<Q: Eq + Hash + ?Sized, K: Eq + Hash + Borrow<Q>, V> Index<&Q> for HashMap<K, V> {
    type Output = V;

    fn index(&self, key: &Q) -> &V {
        &self.0[key]
    }
}

impl<K: Eq + Hash, V> FromIterator<(K, V)> for HashMap<K, V> {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(entries: I) -> Self {
        Self(entries.into_iter().collect())
    }
}

impl<T: Eq + Hash> FromIterator<T> for HashSet<T> {
    fn from_iter<I: IntoIterator<Item = T>>(members: I) -> Self {
        Self(members.into_iter().collect())
    }
}

impl<K: Eq + Hash, V, const N: usize> From<[(K, V); N]> for HashMap<K, V> {
    fn from(entries: [(K, V); N]) -> Self {
        entries.into_iter().collect()
    }
}

impl<T: Eq + Hash, const N: usize> From<[T; N]> for HashSet<T> {
    fn from(members: [T; N]) -> Self {
        members.into_iter().collect()
    }
}

impl<K: Eq + Hash, V> Extend<(K, V)> for HashMap<K, V> {
    fn extend<I: IntoIterator<Item = (K, V)>>(&mut self, entries: I) {
        self.0.extend(entries);
    }
}

impl<T: Eq + Hash> Extend<T> for HashSet<T> {
    fn extend<I: IntoIterator<Item = T>>(&mut self, members: I) {
        self.0.extend(members);
    }
}

impl<K, V> IntoIterator for HashMap<K, V> {
    type Item = (K, V);
    type IntoIter = hash_map::IntoIter<K, V>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl<'a, K, V> IntoIterator for &'a HashMap<K, V> {
    type Item = (&'a K, &'a V);
    type IntoIter = hash_map::Iter<'a, K, V>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.iter()
    }
}

impl<'a, K, V> IntoIterator for &'a mut HashMap<K, V> {
    type Item = (&'a K, &'a mut V);
    type IntoIter = hash_map::IterMut<'a, K, V>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.iter_mut()
    }
}

impl<T> IntoIterator for HashSet<T> {
    type Item = T;
    type IntoIter = hash_set::IntoIter<T>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl<'a, T> IntoIterator for &'a HashSet<T> {
    type Item = &'a T;
    type IntoIter = hash_set::Iter<'a, T>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_is_fixed() {
        let mut hasher = FixedHasher::default();
        "reward".hash(&mut hasher);
        let first = hasher.finish();
        let mut hasher = FixedHasher::default();
        String::from("reward").hash(&mut hasher);
        assert_eq!(first, hasher.finish());
    }

    #[test]
    fn methods_of_the_standard_maps_are_there() {
        let mut map: HashMap<String, i32> = HashMap::with_capacity(4);
        map.insert("a".into(), 1);
        map.extend([("b".to_string(), 2)]);
        assert_eq!(map["a"] + map.get("b").copied().unwrap_or(0), 3);
        for (_, value) in &mut map {
            *value += 1;
        }
        assert_eq!(map.values().sum::<i32>(), 5);
        assert_eq!(
            map,
            HashMap::from([("a".to_string(), 2), ("b".to_string(), 3)])
        );
        let a = HashSet::from([1, 2, 3]);
        let b: HashSet<i32> = [2, 3, 4].into_iter().collect();
        assert_eq!(a.intersection(&b).count(), 2);
    }
}
