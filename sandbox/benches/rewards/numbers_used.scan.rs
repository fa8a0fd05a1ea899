pub fn reward(sample: &Sample) -> f64 {
    let last = last_number(sample.completion());
    let share = number_overlap(sample.prompt(), sample.completion());
    share + if last.is_some() && last == number(sample.answer()) { 1.0 } else { 0.0 }
}
