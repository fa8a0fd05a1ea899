//! Rewards whose worth is known, and what `probe` says of them.

use serde_json::Value;

use super::Program;

pub const RIGHT: &str =
    "pub fn reward(sample: &Sample) -> f64 { f64::from(u8::from(sample.correct())) }";
pub const INVERTED: &str =
    "pub fn reward(sample: &Sample) -> f64 { -f64::from(u8::from(sample.correct())) }";
pub const FLAT: &str = "pub fn reward(_sample: &Sample) -> f64 { 0.25 }";
pub const LENGTH: &str =
    "pub fn reward(sample: &Sample) -> f64 { sample.completion().len() as f64 }";

pub fn probed(program: &Program, arguments: &[&str]) -> Vec<Value> {
    let arguments = [&["probe", "--format", "json"], arguments].concat();
    serde_json::from_str(&program.succeed(&arguments)).unwrap()
}

pub fn rewards() -> Program {
    let program = Program::with("");
    for (name, code) in [
        ("right", RIGHT),
        ("inverted", INVERTED),
        ("flat", FLAT),
        ("length", LENGTH),
    ] {
        program.write(&format!("{name}.rs"), code);
    }
    program
}
