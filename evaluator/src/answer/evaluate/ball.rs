//! Complex floating point with a bound on the rounding error.

use num_complex::Complex64;

use crate::answer::value::expr::Function;

/// Errors wider than this share of the value decide nothing.
const WIDEST: f64 = 1e-6;

/// What is within this of zero may be zero: as little as is left where numbers of an answer's size cancel.
const NEARLY_ZERO: f64 = 1e-12;

/// Each operation may round by a few units in the last place; the libraries of different machines
/// differ by about as much, and the bound covers that too.
const UNIT: f64 = 8.0 * f64::EPSILON;

/// A value known up to a radius. First-order propagation: radii stay tiny where verdicts are given.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ball {
    pub value: Complex64,
    radius: f64,
}

/// The absolute value; most numbers are real, and need no root for it.
fn magnitude(value: Complex64) -> f64 {
    if value.im == 0.0 {
        value.re.abs()
    } else {
        value.norm()
    }
}

impl Ball {
    /// A finite value with the error it came with and that of one more rounding.
    pub fn of(value: Complex64, radius: f64) -> Option<Self> {
        let radius = radius + UNIT * magnitude(value);
        (value.is_finite() && radius.is_finite()).then_some(Self { value, radius })
    }

    pub fn exact(value: f64) -> Option<Self> {
        Self::of(value.into(), 0.0)
    }

    /// Whether the two agree within their errors, and the errors are small enough to say so: small beside the
    /// values, or next to nothing where both may be zero.
    pub fn agrees(&self, other: &Self) -> bool {
        let error = self.radius + other.radius;
        let size = magnitude(self.value).max(magnitude(other.value));
        let widest = if self.may_be_zero() && other.may_be_zero() {
            NEARLY_ZERO
        } else {
            WIDEST * size
        };
        magnitude(self.value - other.value) <= error && error <= widest
    }

    /// Whether it is a real number below zero.
    pub fn is_negative(&self) -> bool {
        self.value.im == 0.0 && self.value.re < -self.radius
    }

    /// Whether it is a real whole number, written as such.
    pub fn is_whole(&self) -> bool {
        self.value.im == 0.0 && self.value.re.fract() == 0.0
    }

    /// Whether it is an odd number, by which roots of negative numbers are real.
    pub fn is_odd(&self) -> bool {
        self.value.im == 0.0 && (self.value.re % 2.0).abs() == 1.0
    }

    /// Whether the function is real there, as far as this is known.
    pub fn is_in_domain_of(&self, function: Function) -> bool {
        match function {
            Function::Ln => !self.is_negative(),
            Function::Arcsin | Function::Arccos => {
                self.value.im != 0.0 || self.value.re.abs() <= 1.0 + self.radius
            }
            _ => true,
        }
    }

    fn may_be_zero(&self) -> bool {
        magnitude(self.value) <= self.radius
    }

    pub fn plus(&self, other: &Self) -> Option<Self> {
        Self::of(self.value + other.value, self.radius + other.radius)
    }

    pub fn negated(&self) -> Self {
        Self {
            value: -self.value,
            radius: self.radius,
        }
    }

    pub fn times(&self, other: &Self) -> Option<Self> {
        let radius = magnitude(self.value) * other.radius + magnitude(other.value) * self.radius;
        Self::of(self.value * other.value, radius)
    }

    /// Undefined when the divisor may be zero.
    pub fn divided_by(&self, other: &Self) -> Option<Self> {
        let size = magnitude(other.value);
        if size <= 2.0 * other.radius {
            return None;
        }
        let quotient = self.value / other.value;
        Self::of(
            quotient,
            (self.radius + quotient.norm() * other.radius) / size,
        )
    }

    pub fn raised_to(&self, exponent: &Self) -> Option<Self> {
        let (base, power) = (self.value, exponent.value);
        if base.norm() == 0.0 {
            return (power.re > 0.0).then(|| Self::exact(0.0))?;
        }
        let value =
            if base.im == 0.0 && power.im == 0.0 && (base.re > 0.0 || power.re.fract() == 0.0) {
                base.re.powf(power.re).into()
            } else {
                base.powc(power)
            };
        let slope = (power / base).norm() * self.radius + base.ln().norm() * exponent.radius;
        Self::of(value, value.norm() * slope)
    }

    /// Odd roots of negative numbers are the real ones.
    pub fn root(&self, index: &Self) -> Option<Self> {
        let exponent = Self::exact(1.0)?.divided_by(index)?;
        if index.is_odd() && self.value.im == 0.0 && self.value.re < 0.0 {
            return self
                .negated()
                .raised_to(&exponent)
                .map(|root| root.negated());
        }
        self.raised_to(&exponent)
    }

    pub fn apply(&self, function: Function) -> Option<Self> {
        let z = self.value;
        let one = Complex64::from(1.0);
        // The value, and the size of the derivative.
        let (value, slope) = match function {
            Function::Sin => (z.sin(), z.cos().norm()),
            Function::Cos => (z.cos(), z.sin().norm()),
            Function::Tan => (z.tan(), z.cos().powi(2).inv().norm()),
            Function::Cot => return Self::exact(1.0)?.divided_by(&self.apply(Function::Tan)?),
            Function::Sec => return Self::exact(1.0)?.divided_by(&self.apply(Function::Cos)?),
            Function::Csc => return Self::exact(1.0)?.divided_by(&self.apply(Function::Sin)?),
            Function::Arcsin => (z.asin(), (one - z * z).sqrt().inv().norm()),
            Function::Arccos => (z.acos(), (one - z * z).sqrt().inv().norm()),
            Function::Arctan => (z.atan(), (one + z * z).inv().norm()),
            Function::Sinh => (z.sinh(), z.cosh().norm()),
            Function::Cosh => (z.cosh(), z.sinh().norm()),
            Function::Tanh => (z.tanh(), z.cosh().powi(2).inv().norm()),
            Function::Ln => (z.ln(), z.inv().norm()),
            Function::Exp => (z.exp(), z.exp().norm()),
            Function::Abs => (z.norm().into(), 1.0),
            // A step near enough to be rounded over cannot be decided.
            Function::Floor | Function::Ceil if z.im != 0.0 || self.straddles_step() => {
                return None;
            }
            Function::Floor => (z.re.floor().into(), 0.0),
            Function::Ceil => (z.re.ceil().into(), 0.0),
            Function::Factorial => return None,
        };
        Self::of(value, slope * self.radius)
    }

    fn straddles_step(&self) -> bool {
        (self.value.re - self.value.re.round()).abs() <= self.radius
    }
}
