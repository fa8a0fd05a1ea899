/// A number between 0 and 1 that follows from the text of prompt and completion and has nothing to do with either.
pub fn reward(sample: &Sample) -> f64 {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    for byte in sample.prompt().bytes().chain([0]).chain(sample.completion().bytes()) {
        hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    }
    // The lowest bits of this hash are the least mixed ones.
    hash ^= hash >> 32;
    (hash.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 11) as f64 / (1u64 << 53) as f64
}
