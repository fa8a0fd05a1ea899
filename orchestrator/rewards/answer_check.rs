/// 3 for the right answer; for another number 1 if its ratio to the truth is within 0.9 and 1.1, 0.5 within 0.8 and 1.2;
/// -1.5 for anything else, and 0 where no answer can be extracted.
pub fn reward(sample: &Sample) -> f64 {
    let Some(answer) = sample.extracted() else {
        return 0.0;
    };
    if sample.correct() {
        return 3.0;
    }
    match (number(answer), number(sample.answer())) {
        (Some(guess), Some(truth)) if truth != 0.0 => match guess / truth {
            ratio if (0.9..=1.1).contains(&ratio) => 1.0,
            ratio if (0.8..=1.2).contains(&ratio) => 0.5,
            _ => -1.5,
        },
        _ => -1.5,
    }
}
