//! What `config.json` says of the rotary angles: `rope_parameters` of transformers 5, `rope_scaling` and `rope_theta` before.

use serde::{Deserialize, Serialize};

use crate::candle::model::{
    complaints::{require, unsupported},
    rope::Llama3Scaling,
};

/// Base of the angles where the file names none, as in transformers.
const THETA: f64 = 10_000.0;

/// `rope_parameters` of transformers 5, `rope_scaling` before. A field that is not here belongs to a scaling there is no code for.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RopeParameters {
    /// Base of the angles.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rope_theta: Option<f64>,
    /// How angles are scaled.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rope_type: Option<String>,
    /// The old name of `rope_type`; some files have both.
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub old_type: Option<String>,
    /// What the slow frequencies are divided by.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub factor: Option<f64>,
    /// Turns within the original context below which a frequency is slow.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub low_freq_factor: Option<f64>,
    /// Turns within the original context above which a frequency is fast.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub high_freq_factor: Option<f64>,
    /// The context the model was first trained with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub original_max_position_embeddings: Option<usize>,
    /// Share of a head that is rotated.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub partial_rotary_factor: Option<f64>,
}

/// The rotary angles of a model.
#[derive(Debug, Clone, PartialEq)]
pub struct Rotation {
    /// Base of the angles.
    pub theta: f64,
    /// How they are scaled.
    pub scaling: Option<Llama3Scaling>,
}

impl Rotation {
    /// From the three fields. Where both structs are set and `scaling` is not empty, it alone counts, as in transformers.
    pub fn of(
        parameters: Option<&RopeParameters>,
        scaling: Option<&RopeParameters>,
        theta: Option<f64>,
    ) -> Result<Self, String> {
        let scaling = scaling.filter(|scaling| **scaling != RopeParameters::default());
        let (field, rope) = match (scaling, parameters) {
            (Some(scaling), _) => ("rope_scaling", scaling),
            (None, Some(parameters)) => ("rope_parameters", parameters),
            (None, None) => ("rope_parameters", &RopeParameters::default()),
        };
        let theta = rope.rope_theta.or(theta).unwrap_or(THETA);
        require(theta.is_finite() && theta > 0.0, || {
            format!("`rope_theta` must be a number above 0, not {theta}")
        })?;
        let rotated = rope.partial_rotary_factor.unwrap_or(1.0);
        require(rotated == 1.0, || {
            let name = format!("{field}.partial_rotary_factor");
            unsupported(&name, &rotated.to_string(), "1")
        })?;
        let scaling = rope.scaling(field)?;
        Ok(Self { theta, scaling })
    }
}

impl RopeParameters {
    fn scaling(&self, field: &str) -> Result<Option<Llama3Scaling>, String> {
        let kind = self.rope_type.as_ref().or(self.old_type.as_ref());
        match kind.map_or("default", String::as_str) {
            "default" => Ok(None),
            "llama3" => self.llama3(field).map(Some),
            other => Err(unsupported(
                &format!("{field}.rope_type"),
                other,
                "default, llama3",
            )),
        }
    }

    fn llama3(&self, field: &str) -> Result<Llama3Scaling, String> {
        let positive = |name: &str, value: Option<f64>| {
            value
                .filter(|value| value.is_finite() && *value > 0.0)
                .ok_or_else(|| format!("`{field}.{name}` must be a number above 0"))
        };
        let scaling = Llama3Scaling {
            factor: positive("factor", self.factor)?,
            low_freq_factor: positive("low_freq_factor", self.low_freq_factor)?,
            high_freq_factor: positive("high_freq_factor", self.high_freq_factor)?,
            original_context: positive(
                "original_max_position_embeddings",
                self.original_max_position_embeddings
                    .map(|context| context as f64),
            )?,
        };
        require(scaling.low_freq_factor < scaling.high_freq_factor, || {
            format!("`{field}.low_freq_factor` must be below `high_freq_factor`")
        })?;
        Ok(scaling)
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used)]
    use super::*;

    fn llama3(theta: Option<f64>) -> RopeParameters {
        RopeParameters {
            rope_theta: theta,
            rope_type: Some("llama3".into()),
            factor: Some(8.0),
            low_freq_factor: Some(1.0),
            high_freq_factor: Some(4.0),
            original_max_position_embeddings: Some(32),
            ..RopeParameters::default()
        }
    }

    #[test]
    fn the_old_field_counts_where_both_are_set_and_it_says_something() {
        let plain = RopeParameters {
            rope_theta: Some(5e5),
            ..RopeParameters::default()
        };
        let empty = RopeParameters::default();
        let (scaled, own_base) = (llama3(None), llama3(Some(3.0)));
        let of = |parameters, scaling, theta| Rotation::of(parameters, scaling, theta).unwrap();
        let both = of(Some(&plain), Some(&scaled), Some(7.0));
        assert_eq!(
            (both.theta, both.scaling.map(|s| s.factor)),
            (7.0, Some(8.0))
        );
        let new = of(Some(&plain), Some(&empty), Some(7.0));
        assert_eq!((new.theta, new.scaling), (5e5, None));
        assert_eq!(of(None, None, Some(7.0)).theta, 7.0);
        assert_eq!(of(None, None, None).theta, THETA);
        assert_eq!(of(Some(&own_base), None, None).theta, 3.0);
    }

    #[test]
    fn angles_that_cannot_be_are_refused_by_field() {
        for theta in [0.0, -5.0, f64::INFINITY] {
            let problem = Rotation::of(None, None, Some(theta)).unwrap_err();
            assert!(problem.contains("rope_theta"), "{problem}");
        }
        let partial = RopeParameters {
            partial_rotary_factor: Some(0.5),
            ..RopeParameters::default()
        };
        let problem = Rotation::of(Some(&partial), None, None).unwrap_err();
        assert!(
            problem.contains("rope_parameters.partial_rotary_factor"),
            "{problem}"
        );
    }
}
