const WORDS: [&str; 8] = ["so", "because", "therefore", "thus", "hence", "since", "then", "total"];

pub fn reward(sample: &Sample) -> f64 {
    let mut counts = [0_usize; WORDS.len()];
    for word in words(sample.completion()).filter(|word| word.len() <= 9) {
        for part in word.split('\'') {
            if let Some(place) = WORDS.iter().position(|known| known.eq_ignore_ascii_case(part)) {
                counts[place] += 1;
            }
        }
    }
    let distinct = counts.iter().filter(|count| **count > 0).count();
    let all: usize = counts.iter().sum();
    0.1 * distinct.min(5) as f64 - 0.02 * all.saturating_sub(12) as f64
}
