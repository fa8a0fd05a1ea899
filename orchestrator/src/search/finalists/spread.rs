//! Weights by which rewards of different scales are heard alike: one over the spread of each on what the untouched policy writes.

use sandbox::{CompileError, Module};

use crate::{
    domain::candidate::CandidateId,
    reward::maker::blocking,
    search::{SearchError, context::Context, pool, runner::TrialRunner},
};

/// One weight a member, in order. A reward that has no spread there, or cannot be measured, keeps 1.
pub(super) async fn weights(
    runner: &TrialRunner,
    members: &[CandidateId],
) -> Result<Vec<f64>, SearchError> {
    let Context { config, store, .. } = &*runner.context;
    let set = pool::probe_set(runner).await?;
    let mut weights = Vec::new();
    for &member in members {
        let module = store.wasm(member).await?.map(Module::from_bytes);
        let module = module.expect("only accepted candidates are ranked");
        let (limits, set) = (config.limits.clone(), std::sync::Arc::clone(&set));
        let scores = blocking(&runner.bench, move |bench| {
            let reward = bench.load(&module, &limits)?;
            Ok(reward.score(&set.samples()))
        });
        weights.push(match scores.await {
            Ok(Ok(scores)) => weight(&scores),
            Ok(Err(_)) | Err(CompileError::Rejected(_)) => 1.0,
            Err(CompileError::Host(error)) => return Err(error.into()),
        });
    }
    Ok(weights)
}

/// One over the standard deviation, to four digits: enough to be heard alike, and short in a manifest.
fn weight(scores: &[f64]) -> f64 {
    let n = scores.len().max(1) as f64;
    let mean = scores.iter().sum::<f64>() / n;
    let variance = scores
        .iter()
        .map(|score| (score - mean).powi(2))
        .sum::<f64>()
        / n;
    let weight = 1.0 / variance.sqrt();
    if !weight.is_finite() {
        return 1.0;
    }
    let digits = 10f64.powi(3 - weight.log10().floor() as i32);
    (weight * digits).round() / digits
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reward_ten_times_as_large_has_a_tenth_of_the_weight() {
        assert_eq!(weight(&[0.0, 1.0]), 2.0);
        assert_eq!(weight(&[0.0, 10.0]), 0.2);
        assert_eq!(weight(&[0.0, 3.0]), 0.6667);
        assert_eq!(weight(&[4.0, 4.0]), 1.0, "no spread, no weight");
        assert_eq!(weight(&[]), 1.0);
    }
}
