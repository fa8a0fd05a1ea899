/// 3 for a completion that is one thinking and one solution section, and for each of the four tags 0.5 if it stands exactly once, -1 otherwise:
/// the base rewards without the one that looks at the answer.
pub fn reward(sample: &Sample) -> f64 {
    let marks = ["<thinking>", "</thinking>", "<solution>", "</solution>"];
    let once = |mark: &&str| count(sample.completion(), mark) == 1;
    let marked: f64 = marks.iter().map(|mark| if once(&mark) { 0.5 } else { -1.0 }).sum();
    let whole = in_format(sample.completion(), &["thinking", "solution"]);
    marked + if whole { 3.0 } else { 0.0 }
}
