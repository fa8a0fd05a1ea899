//! A comparison as a person reads it: tables of models and pairs, and what they mean.

use crate::board::comparison::{Comparison, LEVEL};
use crate::{
    terminal::table::{Column, Table},
    text::{interval, one_line, probability, share},
};

/// What a narrow terminal can do without in the tables, first to go first.
pub const LEAST_OF_MODELS: [&str; 6] = [
    "precision",
    "recall",
    "of",
    "accuracy interval",
    "accuracy",
    "right",
];
/// The same of the pairs.
pub const LEAST_OF_PAIRS: [&str; 5] = ["mid-p", "neither", "both", "95 % interval", "exact p"];

impl Comparison {
    /// The models for people.
    #[must_use]
    pub fn models_table(&self) -> Table {
        use Column::{Number, Text};
        let mut table = Table::new(&[
            Text("model"),
            Number("right"),
            Number("of"),
            Number("F1"),
            Text("95 % interval"),
            Number("accuracy"),
            Text("accuracy interval"),
            Number("precision"),
            Number("recall"),
            Number("answered"),
            Text("group"),
        ]);
        let optional = |value: Option<f64>| value.map_or_else(|| "-".to_owned(), share);
        for model in &self.models {
            let f = &model.figures;
            table.push(vec![
                one_line(&model.model, 60),
                model.correct.to_string(),
                model.questions.to_string(),
                share(f.f1.point),
                interval(&f.f1),
                share(f.accuracy.point),
                interval(&f.accuracy),
                optional(f.precision),
                optional(f.recall),
                share(f.answer_rate),
                model.letters.clone(),
            ]);
        }
        table
    }

    /// The pairs for people.
    #[must_use]
    pub fn pairs_table(&self) -> Table {
        use Column::{Number, Text};
        let mut table = Table::new(&[
            Text("a"),
            Text("b"),
            Number("both"),
            Number("only a"),
            Number("only b"),
            Number("neither"),
            Number("a - b in F1"),
            Text("95 % interval"),
            Number("exact p"),
            Number("mid-p"),
            Number("Holm"),
        ]);
        for pair in &self.pairs {
            table.push(vec![
                one_line(&pair.a, 60),
                one_line(&pair.b, 60),
                pair.both.to_string(),
                pair.only_a.to_string(),
                pair.only_b.to_string(),
                pair.neither.to_string(),
                format!("{:+.3}", pair.f1_difference.point),
                interval(&pair.f1_difference),
                probability(pair.exact_p),
                probability(pair.mid_p),
                probability(pair.holm_p),
            ]);
        }
        table
    }

    /// What the tables mean, and the plain warning where it is due.
    #[must_use]
    pub fn legend(&self) -> String {
        let mut lines = Vec::new();
        if !self.pairs.is_empty() {
            lines.push(format!(
                "McNemar's exact test on the same questions; Holm: adjusted over all pairs ({}). Models that share a letter do not differ at {LEVEL}.",
                self.pairs.len()
            ));
            lines.push("F1 = 2a/(1+a) of accuracy a: one test serves both.".to_owned());
        }
        if self.used_for_selection {
            lines.push(SELECTION_WARNING.to_owned());
        }
        lines.join("\n")
    }
}

/// Said wherever figures of a split are shown that candidates were selected on.
const SELECTION_WARNING: &str = "Warning: these questions were used to select candidates. The best of many looks better here than it is, and p-values \
     between selected ones are too small; only figures on Test are free of that.";
