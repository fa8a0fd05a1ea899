//! A recipe as Rust source that a person would have written: a name, a doc comment, one variable a measure, one sum.

use std::fmt::Write;

use super::{
    recipe::{Hundredths, MARK, Part, Recipe},
    term::{Need, Term},
};

/// Measures that may go into a name; more make it unreadable.
const MEASURES_IN_NAME: usize = 3;

/// Longest line of a doc comment.
const DOC_WIDTH: usize = 100;

/// A name made of the heaviest measures, e.g. `correct_x_valid_agrees`.
pub(super) fn name(recipe: &Recipe) -> String {
    let words: Vec<String> = recipe
        .parts()
        .iter()
        .take(MEASURES_IN_NAME)
        .map(|part| match part.gate {
            Some(gate) => format!("{}_x_{}", part.term.measure.short, gate.term.measure.short),
            None => part.term.measure.short.to_owned(),
        })
        .collect();
    words.join("_")
}

/// What the recipe pays for and takes off for, in one sentence.
pub(super) fn summary(recipe: &Recipe) -> String {
    let say = |penalty: bool| -> Vec<String> {
        recipe
            .parts()
            .iter()
            .filter(|part| part.is_penalty() == penalty)
            .map(|part| match part.gate {
                Some(gate) => format!(
                    "{} (weight {}, scaled from {} to 1 by {})",
                    part.term.summary(),
                    part.weight,
                    gate.floor,
                    gate.term.summary(),
                ),
                None => format!("{} (weight {})", part.term.summary(), part.weight),
            })
            .collect()
    };
    let mut text = format!("Pays for {}", say(false).join("; "));
    let penalties = say(true);
    if !penalties.is_empty() {
        let _ = write!(text, "; takes off for {}", penalties.join("; "));
    }
    text.push('.');
    text
}

/// The whole source.
pub(super) fn source(recipe: &Recipe) -> String {
    let mut terms: Vec<Term> = Vec::new();
    for part in recipe.parts() {
        for term in [Some(part.term), part.gate.map(|gate| gate.term)] {
            match term {
                Some(term) if !terms.contains(&term) => terms.push(term),
                _ => {}
            }
        }
    }
    let needs = |need: Need| terms.iter().any(|term| term.measure.needs.contains(&need));

    let mut code = doc_comment(&summary(recipe));
    let _ = writeln!(code, "{MARK}{recipe}");
    code.push_str("pub fn reward(sample: &Sample) -> f64 {\n");
    if needs(Need::Text) || needs(Need::Working) {
        code.push_str("    let text = sample.completion();\n");
    }
    if needs(Need::Working) {
        code.push_str("    let working = tag(text, \"thinking\").unwrap_or(text);\n");
    }
    for term in &terms {
        let _ = writeln!(code, "    let {} = {};", variable(*term), term.expression());
    }
    code.push('\n');
    for (index, part) in recipe.parts().iter().enumerate() {
        let sign = match (index, part.is_penalty()) {
            (0, false) => "    ",
            (0, true) => "    -",
            (_, false) => "\n        + ",
            (_, true) => "\n        - ",
        };
        let _ = write!(code, "{sign}{}", product(part));
    }
    code.push_str("\n}\n");
    for (need, function) in FUNCTIONS {
        if needs(*need) {
            let _ = write!(code, "\n{function}");
        }
    }
    code
}

/// `text` broken into `///` lines.
fn doc_comment(text: &str) -> String {
    let mut comment = String::from("///");
    let mut width = comment.len();
    for word in text.split(' ') {
        if width + 1 + word.chars().count() > DOC_WIDTH {
            comment.push_str("\n///");
            width = 3;
        }
        comment.push(' ');
        comment.push_str(word);
        width += 1 + word.chars().count();
    }
    comment.push('\n');
    comment
}

/// One summand, without its sign.
fn product(part: &Part) -> String {
    let mut text = format!("{:?} * {}", part.weight.value(), variable(part.term));
    if let Some(gate) = part.gate {
        let floor = gate.floor.value();
        let rest = Hundredths::new(1.0 - floor).value();
        let gate = variable(gate.term);
        let _ = if floor == 0.0 {
            write!(text, " * {gate}")
        } else {
            write!(text, " * ({floor:?} + {rest:?} * {gate})")
        };
    }
    text
}

/// A variable a term; two settings of one measure get two.
fn variable(term: Term) -> String {
    match term.value() {
        Some(value) => format!(
            "{}_{}",
            term.measure.id,
            value.to_string().replace('.', "_")
        ),
        None => term.measure.id.to_owned(),
    }
}

/// Functions that measures call, in the order they are appended.
static FUNCTIONS: &[(Need, &str)] = &[
    (
        Need::Compare,
        "/// A measure of the extracted number against the true one; 0 where there is none.
fn compare(sample: &Sample, measure: impl Fn(f64, f64) -> f64) -> f64 {
    match (sample.extracted().and_then(number), number(sample.answer())) {
        (Some(guess), Some(truth)) => measure(guess, truth),
        _ => 0.0,
    }
}
",
    ),
    (
        Need::Chain,
        "/// Share of the steps after the first that use a result stated before them.
fn chain(working: &str) -> f64 {
    let mut results: Vec<f64> = Vec::new();
    let mut linked = 0;
    for step in equations(working) {
        linked += usize::from(results.iter().any(|result| step.uses(*result)));
        results.push(step.result());
    }
    if results.len() < 2 {
        0.0
    } else {
        linked as f64 / (results.len() - 1) as f64
    }
}
",
    ),
    (
        Need::LengthRatio,
        "/// Words written for each word of the question.
fn length_ratio(sample: &Sample) -> f64 {
    word_count(sample.completion()) as f64 / word_count(sample.prompt()).max(1) as f64
}
",
    ),
];

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn reads_like_source_a_person_wrote() {
        let recipe: Recipe = "2*correct[valid_steps@0.3] - 1*approximate + 0.5*proximity(0.1)"
            .parse()
            .unwrap();
        assert_eq!(name(&recipe), "correct_x_valid_noapprox_near");
        let expected = r#"/// Pays for a right final answer (weight 2, scaled from 0.3 to 1 by the share of arithmetic steps
/// that are exactly right); a final answer near the truth, fading with the error (width 0.1)
/// (weight 0.5); takes off for any step that is only about right by its own account (`~`) (weight
/// 1).
// recipe: 2*correct[valid_steps@0.3] - 1*approximate + 0.5*proximity(0.1)
pub fn reward(sample: &Sample) -> f64 {
    let text = sample.completion();
    let working = tag(text, "thinking").unwrap_or(text);
    let correct = f64::from(sample.correct());
    let valid_steps = valid_share(working);
    let approximate = f64::from(equations(working).any(|step| step.relation() == Relation::About));
    let proximity_0_1 = compare(sample, |guess, truth| proximity(guess, truth, 0.1));

    2.0 * correct * (0.3 + 0.7 * valid_steps)
        - 1.0 * approximate
        + 0.5 * proximity_0_1
}

/// A measure of the extracted number against the true one; 0 where there is none.
fn compare(sample: &Sample, measure: impl Fn(f64, f64) -> f64) -> f64 {
    match (sample.extracted().and_then(number), number(sample.answer())) {
        (Some(guess), Some(truth)) => measure(guess, truth),
        _ => 0.0,
    }
}
"#;
        assert_eq!(source(&recipe), expected);
        assert_eq!(Recipe::in_source(&source(&recipe)), Some(recipe));
    }
}
