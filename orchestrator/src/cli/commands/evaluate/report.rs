//! What `evaluate` prints: figures of every model, strict and flexible extraction side by side, all pairwise tests.

use std::io::Write;

use serde_json::{Value, json};

use crate::{
    board::comparison::Comparison,
    cli::arguments::Format,
    domain::{
        figures::Figures,
        verdict::{Evaluated, ModelKind},
    },
    terminal::table::{Column, Table},
    text::{interval, one_line, share},
};

/// One model's completions, judged.
pub(super) struct Judged {
    pub(super) model: String,
    /// Questions its endpoint refused to answer.
    pub(super) refused: usize,
    /// Figures where only explicit marks count: tags, boxes and `####`.
    pub(super) strict: Figures,
    /// Where every usual way of giving an answer counts; what all comparisons go by.
    pub(super) flexible: Evaluated,
}

/// All there is to print, the best model first.
pub(super) struct Report {
    pub(super) comparison: Comparison,
    pub(super) judged: Vec<Judged>,
    /// The kind of model that helped to judge.
    pub(super) judge: Option<ModelKind>,
}

impl Report {
    pub(super) fn print(&self, format: Format, out: &mut impl Write) -> anyhow::Result<()> {
        match format {
            Format::Json => writeln!(out, "{}", serde_json::to_string_pretty(&self.json()?)?)?,
            Format::Csv => write!(out, "{}", self.csv()?)?,
            Format::Table => self.print_sheets(Table::to_text, out)?,
            Format::Markdown => self.print_sheets(Table::to_markdown, out)?,
        }
        Ok(())
    }

    fn json(&self) -> anyhow::Result<Value> {
        let mut models = serde_json::to_value(&self.comparison.models)?;
        let rows = models.as_array_mut().map(Vec::as_mut_slice);
        for (row, judged) in rows.unwrap_or_default().iter_mut().zip(&self.judged) {
            row["strict"] = serde_json::to_value(&judged.strict)?;
            row["refused"] = json!(judged.refused);
            row["decided_by"] = serde_json::to_value(judged.flexible.tally())?;
        }
        Ok(json!({"models": models, "pairs": self.comparison.pairs}))
    }

    fn print_sheets(&self, form: fn(&Table) -> String, out: &mut impl Write) -> anyhow::Result<()> {
        writeln!(out, "{}", form(&self.comparison.models_table()))?;
        writeln!(out, "\n{}", form(&self.extraction_sheet()))?;
        let pairs = self.comparison.pairs_table();
        if !pairs.is_empty() {
            writeln!(out, "\n{}\n\n{}", form(&pairs), self.comparison.legend())?;
        }
        for judged in &self.judged {
            self.print_remarks(judged, out)?;
        }
        Ok(())
    }

    /// The accuracy by explicit marks alone beside the one that all else goes by.
    fn extraction_sheet(&self) -> Table {
        let mut table = Table::new(&[
            Column::Text("accuracy by extraction"),
            Column::Number("strict"),
            Column::Text("95 % interval"),
            Column::Number("flexible"),
            Column::Text("95 % interval"),
        ]);
        for (judged, model) in self.judged.iter().zip(&self.comparison.models) {
            let (strict, flexible) = (&judged.strict.accuracy, &model.figures.accuracy);
            table.push(vec![
                one_line(&judged.model, 60),
                share(strict.point),
                interval(strict),
                share(flexible.point),
                interval(flexible),
            ]);
        }
        table
    }

    fn print_remarks(&self, judged: &Judged, out: &mut impl Write) -> anyhow::Result<()> {
        let name = one_line(&judged.model, 60);
        if judged.refused > 0 {
            writeln!(
                out,
                "\n{name}: {} questions refused by the endpoint, counted as unanswered",
                judged.refused
            )?;
        }
        if let Some(kind) = self.judge {
            let tally = judged.flexible.tally();
            writeln!(out, "\n{name}: verdicts with {}: {tally}", kind.name())?;
        }
        Ok(())
    }

    /// One line a model, unrounded.
    fn csv(&self) -> anyhow::Result<String> {
        let mut table = Table::new(
            &[
                "model",
                "questions",
                "correct",
                "f1",
                "f1_lower",
                "f1_upper",
                "accuracy",
                "accuracy_lower",
                "accuracy_upper",
                "answer_rate",
                "strict_accuracy",
                "strict_accuracy_lower",
                "strict_accuracy_upper",
                "group",
                "refused",
                "asked",
                "cached",
                "failed",
            ]
            .map(Column::Text),
        );
        for (judged, model) in self.judged.iter().zip(&self.comparison.models) {
            let estimates = [&model.figures.f1, &model.figures.accuracy]
                .map(|e| [e.point, e.interval.lower, e.interval.upper]);
            let strict = &judged.strict.accuracy;
            let strict = [strict.point, strict.interval.lower, strict.interval.upper];
            let mut row = vec![
                one_line(&model.model, 200),
                model.questions.to_string(),
                model.correct.to_string(),
            ];
            row.extend(estimates.iter().flatten().map(f64::to_string));
            row.push(model.figures.answer_rate.to_string());
            row.extend(strict.map(|x| x.to_string()));
            row.push(model.letters.clone());
            let tally = judged.flexible.tally();
            let counts = [
                judged.refused as u64,
                tally.asked,
                tally.cached,
                tally.missed(),
            ];
            row.extend(counts.map(|n| n.to_string()));
            table.push(row);
        }
        Ok(table.to_csv()?)
    }
}
