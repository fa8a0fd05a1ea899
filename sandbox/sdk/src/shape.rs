//! Curves that turn a measure into a score between 0 and 1.

/// 0 at `from` and before, 1 at `to` and beyond, a straight line between; `to` may lie below `from` for a falling ramp.
///
/// ```
/// use reward_sdk::prelude::*;
/// assert_eq!(ramp(15.0, 10.0, 20.0), 0.5);
/// assert_eq!(ramp(15.0, 20.0, 10.0), 0.5);
/// assert_eq!(ramp(99.0, 10.0, 20.0), 1.0);
/// ```
#[must_use]
pub fn ramp(value: f64, from: f64, to: f64) -> f64 {
    let share = if from == to {
        f64::from(value >= to)
    } else {
        (value - from) / (to - from)
    };
    if share.is_nan() {
        0.0
    } else {
        share.clamp(0.0, 1.0)
    }
}

/// 1 within `low..=high`, falling in a straight line to 0 over `margin` on either side.
///
/// ```
/// use reward_sdk::prelude::*;
/// assert_eq!(band(25.0, 20.0, 60.0, 10.0), 1.0);
/// assert_eq!(band(15.0, 20.0, 60.0, 10.0), 0.5);
/// assert_eq!(band(90.0, 20.0, 60.0, 10.0), 0.0);
/// ```
#[must_use]
pub fn band(value: f64, low: f64, high: f64, margin: f64) -> f64 {
    ramp(value, low - margin, low).min(ramp(value, high + margin, high))
}

/// Credit for a near miss: `exp(-|guess - truth| / (1 + width * |truth|))`; 1 where equal, towards 0 far off.
///
/// ```
/// use reward_sdk::prelude::*;
/// assert_eq!(proximity(42.0, 42.0, 0.1), 1.0);
/// assert!(proximity(40.0, 42.0, 0.1) > proximity(10.0, 42.0, 0.1));
/// ```
#[must_use]
pub fn proximity(guess: f64, truth: f64, width: f64) -> f64 {
    let score = (-(guess - truth).abs() / (1.0 + width.abs() * truth.abs())).exp();
    if score.is_nan() { 0.0 } else { score }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn curves_stay_between_0_and_1_on_odd_values() {
        let odd = [
            0.0,
            -0.0,
            1.0,
            -1e308,
            1e308,
            f64::INFINITY,
            f64::NEG_INFINITY,
            f64::NAN,
        ];
        for a in odd {
            for b in odd {
                for c in odd {
                    for score in [ramp(a, b, c), proximity(a, b, c), band(a, b, c, 1.0)] {
                        assert!((0.0..=1.0).contains(&score), "{a} {b} {c}: {score}");
                    }
                }
            }
        }
    }

    #[test]
    fn a_ramp_of_no_width_is_a_step() {
        assert_eq!(ramp(1.0, 2.0, 2.0), 0.0);
        assert_eq!(ramp(2.0, 2.0, 2.0), 1.0);
    }
}
