//! What one call of a reward function may use.

use serde::{Deserialize, Serialize};

/// Budget of a candidate. The defaults leave a hundredfold margin over an ordinary reward on a long completion.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// Fuel for one sample: about one unit an executed WebAssembly instruction, one a byte copied. It decides verdicts, and
    /// it does so alike on every machine with the same engine version.
    pub fuel_per_call: u64,
    /// The same for a Python guest's batch of one; every further sample of a batch adds 1/128 of it, up to four times
    /// in all. The interpreter takes some ten
    /// times more for the same work, and counts in steps of 32 units: turns of loops, calls through tables. A fifth of a second to
    /// three, by what it does.
    pub python_fuel_per_call: u64,
    /// Wall time for one sample in milliseconds. Only a backstop: fuel should run out long before. A call of a Python guest has six times
    /// that, and as many times more as it has times the fuel of one sample.
    pub deadline_ms: u64,
    /// Linear memory of a guest in MiB, at most 4095. The guest's own stack takes 256 KiB of it.
    pub memory_mib: u32,
    /// Linear memory of a Python guest in MiB, of which the interpreter itself takes about 20; at most 4095.
    pub python_memory_mib: u32,
    /// Native stack of a guest in KiB, at most 1024.
    pub stack_kib: u32,
    /// Text of one sample (prompt, completion, answer, extracted answer together) in KiB.
    pub sample_kib: u32,
    /// Size of a WebAssembly binary in KiB.
    pub module_kib: u32,
    /// Calls that may run at the same moment in all threads together; further ones wait.
    pub concurrent_calls: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            fuel_per_call: 200_000_000,
            python_fuel_per_call: 2_000_000_000,
            deadline_ms: 10_000,
            memory_mib: 64,
            python_memory_mib: 256,
            stack_kib: 512,
            sample_kib: 1024,
            module_kib: 4096,
            concurrent_calls: 32,
        }
    }
}

/// A limit that makes no sense.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{key} = {value}` is not possible: {expected}")]
pub struct BadLimit {
    /// The field.
    pub key: &'static str,
    /// Its value.
    pub value: u64,
    /// What would be possible.
    pub expected: &'static str,
}

impl Limits {
    /// These limits, each at most that of `cap`: what somebody else asks for, as far as the user allows it.
    #[must_use]
    pub fn at_most(&self, cap: &Self) -> Self {
        Self {
            fuel_per_call: self.fuel_per_call.min(cap.fuel_per_call),
            python_fuel_per_call: self.python_fuel_per_call.min(cap.python_fuel_per_call),
            deadline_ms: self.deadline_ms.min(cap.deadline_ms),
            memory_mib: self.memory_mib.min(cap.memory_mib),
            python_memory_mib: self.python_memory_mib.min(cap.python_memory_mib),
            stack_kib: self.stack_kib.min(cap.stack_kib),
            sample_kib: self.sample_kib.min(cap.sample_kib),
            module_kib: self.module_kib.min(cap.module_kib),
            concurrent_calls: self.concurrent_calls.min(cap.concurrent_calls),
        }
    }

    /// Checks that every limit can be kept.
    ///
    /// # Errors
    /// The first field that is out of range.
    pub fn validate(&self) -> Result<(), BadLimit> {
        let fields = [
            (
                "fuel_per_call",
                self.fuel_per_call,
                1,
                i64::MAX as u64,
                "it must be at least 1",
            ),
            (
                "python_fuel_per_call",
                self.python_fuel_per_call,
                1,
                // A batch has that many times its size.
                1 << 50,
                "it must be between 1 and 2^50",
            ),
            (
                "deadline_ms",
                self.deadline_ms,
                1,
                86_400_000,
                "it must be between 1 and 86400000 (a day)",
            ),
            (
                "memory_mib",
                u64::from(self.memory_mib),
                2,
                4095,
                "it must be between 2 and 4095",
            ),
            (
                "python_memory_mib",
                u64::from(self.python_memory_mib),
                64,
                4095,
                "it must be between 64 and 4095",
            ),
            (
                "stack_kib",
                u64::from(self.stack_kib),
                64,
                1024,
                "it must be between 64 and 1024",
            ),
            (
                "sample_kib",
                u64::from(self.sample_kib),
                1,
                1_048_576,
                "it must be between 1 and 1048576",
            ),
            (
                "module_kib",
                u64::from(self.module_kib),
                1,
                65_536,
                "it must be between 1 and 65536",
            ),
            (
                "concurrent_calls",
                u64::from(self.concurrent_calls),
                1,
                1000,
                "it must be between 1 and 1000",
            ),
        ];
        for (key, value, least, most, expected) in fields {
            if !(least..=most).contains(&value) {
                return Err(BadLimit {
                    key,
                    value,
                    expected,
                });
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_is_possible_and_zero_is_not() {
        assert_eq!(Limits::default().validate(), Ok(()));
        let nothing = Limits {
            memory_mib: 0,
            ..Limits::default()
        };
        assert_eq!(nothing.validate().map_err(|bad| bad.key), Err("memory_mib"));
    }

    #[test]
    fn a_cap_holds_for_every_limit() {
        let text = serde_json::to_string(&Limits::default()).unwrap_or_default();
        let large: serde_json::Map<String, serde_json::Value> =
            serde_json::from_str(&text).unwrap_or_default();
        let larger = large
            .into_iter()
            .map(|(key, value)| (key, (value.as_u64().unwrap_or_default() * 2).into()))
            .collect::<serde_json::Map<_, _>>();
        let larger: Limits = serde_json::from_value(larger.into()).unwrap_or_default();
        assert_ne!(larger, Limits::default());
        assert_eq!(larger.at_most(&Limits::default()), Limits::default());
        assert_eq!(Limits::default().at_most(&larger), Limits::default());
    }

    #[test]
    fn an_unknown_key_is_refused() {
        assert!(serde_json::from_str::<Limits>(r#"{"fuel": 1}"#).is_err());
        let some: Limits = serde_json::from_str(r#"{"memory_mib": 8}"#).unwrap_or_default();
        assert_eq!(
            some,
            Limits {
                memory_mib: 8,
                ..Limits::default()
            }
        );
    }
}
