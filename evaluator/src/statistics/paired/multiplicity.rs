//! Adjusting p-values for the number of tests made.
//!
//! Each function returns the adjusted p-values in the order given; reject those at or below the level.

/// Bonferroni: each p times the number of tests. Controls the family-wise error rate under any
/// dependence between tests; [`holm`] does too and is never weaker.
pub fn bonferroni(p: &[f64]) -> Vec<f64> {
    let tests = p.len() as f64;
    p.iter().map(|p| (p * tests).min(1.0)).collect()
}

/// Holm's step-down procedure (*Scandinavian Journal of Statistics* 6, 1979). Controls the family-wise
/// error rate under any dependence between tests.
pub fn holm(p: &[f64]) -> Vec<f64> {
    let mut adjusted = vec![0.0; p.len()];
    let mut largest: f64 = 0.0;
    for (rank, index) in ascending(p).into_iter().enumerate() {
        largest = largest.max(p[index] * (p.len() - rank) as f64).min(1.0);
        adjusted[index] = largest;
    }
    adjusted
}

/// Indices of `p` from the smallest value to the largest.
fn ascending(p: &[f64]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..p.len()).collect();
    order.sort_by(|&a, &b| p[a].total_cmp(&p[b]));
    order
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn bonferroni_bounds_holm_bounds_p(p in prop::collection::vec(0.0..=1.0, 0..12)) {
            let (bonferroni, holm) = (bonferroni(&p), holm(&p));
            for i in 0..p.len() {
                prop_assert!(bonferroni[i] >= holm[i] - 1e-12);
                prop_assert!(holm[i] >= p[i] - 1e-12 && bonferroni[i] <= 1.0);
            }
        }
    }
}
