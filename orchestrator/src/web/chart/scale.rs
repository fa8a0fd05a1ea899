//! From values to places on a chart.

/// A straight line from values to places.
#[derive(Debug, Clone, Copy)]
pub(super) struct Scale {
    values: (f64, f64),
    places: (f64, f64),
}

impl Scale {
    /// `values` are stretched to a range of round numbers if they are one number.
    pub(super) fn new(values: (f64, f64), places: (f64, f64)) -> Self {
        let (low, high) = values;
        let values = match low < high {
            true => values,
            false => (low - 0.5, high + 0.5),
        };
        Self { values, places }
    }

    /// The place of a value.
    pub(super) fn at(self, value: f64) -> f64 {
        let (low, high) = self.values;
        let (from, to) = self.places;
        from + (value - low) / (high - low) * (to - from)
    }

    /// Round numbers within the values, about `wanted` of them.
    pub(super) fn ticks(self, wanted: usize) -> Vec<f64> {
        let (low, high) = self.values;
        let step = round_step((high - low) / wanted.max(1) as f64);
        let first = (low / step - 1e-9).ceil() as i64;
        let last = (high / step + 1e-9).floor() as i64;
        (first..=last).map(|i| i as f64 * step).collect()
    }

    /// The ends, widened to the next round numbers.
    pub(super) fn widened(values: (f64, f64), wanted: usize) -> (f64, f64) {
        let (low, high) = values;
        if low >= high {
            return (low - 0.5, high + 0.5);
        }
        let step = round_step((high - low) / wanted.max(1) as f64);
        (
            (low / step + 1e-9).floor() * step,
            (high / step - 1e-9).ceil() * step,
        )
    }
}

/// 1, 2 or 5 times a power of ten, at least `raw`.
fn round_step(raw: f64) -> f64 {
    let power = 10f64.powf(raw.max(f64::MIN_POSITIVE).log10().floor());
    let step = [1.0, 2.0, 5.0, 10.0]
        .into_iter()
        .find(|factor| factor * power >= raw - 1e-12);
    step.unwrap_or(10.0) * power
}

/// A value of a tick, as short as it can be told from its neighbours.
pub(super) fn short(value: f64) -> String {
    let text = match value.abs() {
        large if large >= 1e6 => format!("{value:.1e}"),
        large if large >= 100.0 => format!("{value:.0}"),
        small if small > 0.0 && small < 1e-3 => format!("{value:.0e}"),
        _ => format!("{value:.3}"),
    };
    if text.contains('.') && !text.contains('e') {
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    } else {
        text
    }
}

/// Lowest and highest of finite values; `None` where there are none.
pub(super) fn extent(values: impl Iterator<Item = f64>) -> Option<(f64, f64)> {
    values.filter(|v| v.is_finite()).fold(None, |known, v| {
        let (low, high) = known.unwrap_or((v, v));
        Some((low.min(v), high.max(v)))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_round_and_within() {
        let scale = Scale::new((0.18, 0.91), (0.0, 100.0));
        let ticks: Vec<String> = scale.ticks(4).into_iter().map(short).collect();
        assert_eq!(ticks, ["0.2", "0.4", "0.6", "0.8"]);
        let (low, high) = Scale::widened((0.18, 0.91), 4);
        assert!((low - 0.0).abs() < 1e-12 && (high - 1.0).abs() < 1e-12);
        assert!((Scale::new((2.0, 2.0), (0.0, 10.0)).at(2.0) - 5.0).abs() < 1e-12);
        assert_eq!(short(-0.25), "-0.25");
        assert_eq!(short(3e-7), "3e-7");
        assert_eq!(short(1200.0), "1200");
    }
}
