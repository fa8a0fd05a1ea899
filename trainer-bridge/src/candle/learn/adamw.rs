//! AdamW (Loshchilov and Hutter, arXiv 1711.05101) as in PyTorch, with clipping by the global norm.

use crate::candle::{decoder::gradients::Gradients, kernels::vectorized};

/// Settings of one update.
#[derive(Debug, Clone, Copy)]
pub struct Update<'a> {
    /// Learning rate of this step.
    pub learning_rate: f64,
    /// Decay of the first moment.
    pub beta1: f64,
    /// Decay of the second moment.
    pub beta2: f64,
    /// Decoupled weight decay.
    pub weight_decay: f64,
    /// Which parameters it is for.
    pub decays: &'a [bool],
    /// Largest global gradient norm; larger gradients are scaled down to it.
    pub max_grad_norm: f64,
}

/// PyTorch's default.
const EPSILON: f64 = 1e-8;

/// The optimiser's state.
#[derive(Debug, Clone, PartialEq)]
pub struct AdamW {
    /// Updates done.
    pub step: u32,
    /// First moments, one a parameter.
    pub first: Vec<Vec<f32>>,
    /// Second moments, one a parameter.
    pub second: Vec<Vec<f32>>,
}

impl AdamW {
    /// No updates yet.
    pub fn new(parameters: &[Vec<f32>]) -> Self {
        let zeros: Vec<Vec<f32>> = parameters
            .iter()
            .map(|parameter| vec![0.0; parameter.len()])
            .collect();
        Self {
            step: 0,
            first: zeros.clone(),
            second: zeros,
        }
    }

    /// One update of every parameter; `norm` is the gradients' norm.
    pub fn update(
        &mut self,
        parameters: &mut [Vec<f32>],
        gradients: &Gradients,
        norm: f64,
        update: &Update<'_>,
    ) {
        self.step += 1;
        // torch.nn.utils.clip_grad_norm_
        let clip = (update.max_grad_norm / (norm + 1e-6)).min(1.0);
        let bias1 = 1.0 - update.beta1.powi(self.step as i32);
        let bias2 = 1.0 - update.beta2.powi(self.step as i32);
        let rule = Rule {
            clip: clip as f32,
            decay: 1.0,
            beta1: update.beta1 as f32,
            rest1: (1.0 - update.beta1) as f32,
            beta2: update.beta2 as f32,
            rest2: (1.0 - update.beta2) as f32,
            rate: (update.learning_rate / bias1) as f32,
            root: (1.0 / bias2.sqrt()) as f32,
        };
        let decay = (1.0 - update.learning_rate * update.weight_decay) as f32;
        let moments = self.first.iter_mut().zip(&mut self.second);
        for (((parameter, gradient), (first, second)), &decays) in parameters
            .iter_mut()
            .zip(gradients.iter())
            .zip(moments)
            .zip(update.decays)
        {
            let decay = if decays { decay } else { rule.decay };
            apply(Rule { decay, ..rule }, parameter, gradient, first, second);
        }
    }
}

#[derive(Clone, Copy)]
struct Rule {
    clip: f32,
    decay: f32,
    beta1: f32,
    /// 1 - beta1, rounded once: a beta next to 1 must not make it 0.
    rest1: f32,
    beta2: f32,
    rest2: f32,
    rate: f32,
    root: f32,
}

vectorized! {
fn apply<'a>(rule: Rule, values: &'a mut [f32], gradient: &'a [f32], first: &'a mut [f32], second: &'a mut [f32]) {
    let moments = first.iter_mut().zip(second.iter_mut());
    for ((w, &g), (m, v)) in values.iter_mut().zip(gradient).zip(moments) {
        let g = g * rule.clip;
        *m = rule.beta1 * *m + rule.rest1 * g;
        *v = rule.beta2 * *v + rule.rest2 * g * g;
        *w = *w * rule.decay - rule.rate * *m / (v.sqrt() * rule.root + EPSILON as f32);
    }
}
}

#[cfg(test)]
mod tests {
    use super::*;

    /// torch 2 (`torch.optim.AdamW(lr=0.1, betas=(0.9, 0.95), weight_decay=0.01)` after `clip_grad_norm_(1.0)`), worked by hand: with one
    /// gradient g the first update is `-lr * sign(g)` up to epsilon, whatever the clipping.
    #[test]
    fn the_first_update_is_the_learning_rate_against_the_gradients_sign() {
        let mut parameters = vec![vec![1.0, -2.0], vec![3.0]];
        let mut gradients = Gradients::zeros(&parameters);
        gradients.at(0).copy_from_slice(&[3.0, -4.0]);
        let norm = gradients.norm();
        assert!((norm - 5.0).abs() < 1e-6);
        let update = Update {
            learning_rate: 0.1,
            beta1: 0.9,
            beta2: 0.95,
            weight_decay: 0.01,
            decays: &[true, false],
            max_grad_norm: 1.0,
        };
        let mut optimizer = AdamW::new(&parameters);
        optimizer.update(&mut parameters, &gradients, norm, &update);
        for (value, expected) in parameters[0]
            .iter()
            .zip([1.0 * 0.999 - 0.1, -2.0 * 0.999 + 0.1])
        {
            assert!((value - expected).abs() < 1e-5, "{parameters:?}");
        }
        // Clipped to norm 1: the first moment holds a tenth of (0.6, -0.8).
        assert!(
            (optimizer.first[0][0] - 0.06).abs() < 1e-6
                && (optimizer.first[0][1] + 0.08).abs() < 1e-6
        );
        assert_eq!(parameters[1], [3.0], "no gradient and no decay");
        // A second, equal gradient moves on by the learning rate again: both moments' biases are taken out.
        let before = parameters[0][0];
        optimizer.update(&mut parameters, &gradients, norm, &update);
        assert!((parameters[0][0] - (before * 0.999 - 0.1)).abs() < 1e-5);
    }
}
