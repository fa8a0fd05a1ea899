//! `compare`: arms of a search question by question, any number of them.

use std::io::{Write as _, stdout};

use anyhow::bail;

use crate::{
    board::comparison::{Comparison, Pair, of_search},
    cli::{
        arguments::{CompareArgs, Format},
        open::open,
    },
    terminal::{
        comparison::{LEAST_OF_MODELS, LEAST_OF_PAIRS},
        screen::Screen,
        table::{Column, Table},
    },
};

pub(super) async fn run(args: CompareArgs) -> anyhow::Result<()> {
    let mut twice = args.names.iter().enumerate();
    if let Some((_, name)) = twice.find(|(at, name)| args.names[..*at].contains(name)) {
        bail!("`{name}` is named twice: it differs from itself in nothing");
    }
    let store = open(args.database).await?;
    let comparisons = of_search(&store, &args.names).await?;
    let mut out = stdout();
    match args.format {
        Format::Json => writeln!(out, "{}", serde_json::to_string_pretty(&comparisons)?)?,
        Format::Csv => write!(out, "{}", csv(&comparisons)?)?,
        Format::Table | Format::Markdown => {
            let is_table = args.format == Format::Table;
            let screen = match is_table {
                true => Screen::of_stdout(),
                false => Screen::FILE,
            };
            let heading = if is_table { "" } else { "## " };
            for comparison in &comparisons {
                let (models, pairs) = (comparison.models_table(), comparison.pairs_table());
                let [models, pairs] = match is_table {
                    true => [
                        models.to_screen(&screen, &LEAST_OF_MODELS, "model"),
                        pairs.to_screen(&screen, &LEAST_OF_PAIRS, "a"),
                    ],
                    false => [models.to_markdown(), pairs.to_markdown()],
                };
                let legend = screen.wrapped(&comparison.legend());
                let (on, questions) = (&comparison.on, comparison.questions);
                writeln!(
                    out,
                    "{heading}{on}: {questions} questions\n\n{models}\n\n{pairs}\n\n{legend}\n"
                )?;
            }
        }
    }
    Ok(())
}

/// One line a pair and set of questions, unrounded.
fn csv(comparisons: &[Comparison]) -> anyhow::Result<String> {
    use Column::Text;
    let mut table = Table::new(
        &[
            "on",
            "used_for_selection",
            "questions",
            "a",
            "b",
            "f1_a",
            "f1_b",
            "both",
            "only_a",
            "only_b",
            "neither",
            "exact_p",
            "mid_p",
            "holm_p",
            "bonferroni_p",
            "f1_difference",
            "f1_difference_lower",
            "f1_difference_upper",
            "accuracy_difference",
            "accuracy_difference_lower",
            "accuracy_difference_upper",
        ]
        .map(Text),
    );
    for comparison in comparisons {
        let f1 = |name: &str| {
            let model = comparison.models.iter().find(|m| m.model == name);
            model.map_or_else(String::new, |m| m.figures.f1.point.to_string())
        };
        for pair in &comparison.pairs {
            let mut row = vec![
                comparison.on.clone(),
                comparison.used_for_selection.to_string(),
                comparison.questions.to_string(),
                pair.a.clone(),
                pair.b.clone(),
                f1(&pair.a),
                f1(&pair.b),
            ];
            row.extend(numbers(pair));
            table.push(row);
        }
    }
    Ok(table.to_csv()?)
}

/// The counts, tests and differences of a pair, unrounded.
fn numbers(pair: &Pair) -> Vec<String> {
    let counts = [pair.both, pair.only_a, pair.only_b, pair.neither];
    let tests = [pair.exact_p, pair.mid_p, pair.holm_p, pair.bonferroni_p];
    let differences = [&pair.f1_difference, &pair.accuracy_difference]
        .map(|d| [d.point, d.interval.lower, d.interval.upper]);
    let reals = tests.into_iter().chain(differences.into_iter().flatten());
    counts
        .iter()
        .map(u64::to_string)
        .chain(reals.map(|x| x.to_string()))
        .collect()
}
