/// Chance: a hash of the completion, the same for the same text.
pub fn reward(s: &Sample) -> f64 {
    let hash = s
        .completion()
        .bytes()
        .fold(2_166_136_261_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(16_777_619));
    f64::from(hash >> 8) / 16_777_216.0
}
