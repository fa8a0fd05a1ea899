//! A table of texts in every form it is asked for: for a terminal, for a Markdown page, for a spreadsheet.

use comfy_table::{CellAlignment, ContentArrangement, presets};

/// A column of a table.
#[derive(Debug, Clone, Copy)]
pub enum Column {
    /// Words, aligned to the left.
    Text(&'static str),
    /// Numbers, aligned to the right.
    Number(&'static str),
}

impl Column {
    const fn name(self) -> &'static str {
        match self {
            Self::Text(name) | Self::Number(name) => name,
        }
    }
}

/// A table of texts.
#[derive(Debug, Clone)]
pub struct Table {
    columns: Vec<Column>,
    rows: Vec<Vec<String>>,
}

impl Table {
    /// A table without rows.
    #[must_use]
    pub fn new(columns: &[Column]) -> Self {
        Self {
            columns: columns.to_vec(),
            rows: Vec::new(),
        }
    }

    /// Adds a row: one text a column.
    pub fn push(&mut self, row: Vec<String>) {
        debug_assert_eq!(row.len(), self.columns.len());
        self.rows.push(row);
    }

    /// Whether it has no rows.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// As wide as it needs, without lines, for a terminal.
    #[must_use]
    pub fn to_text(&self) -> String {
        let mut table = comfy_table::Table::new();
        table
            .load_style(presets::NOTHING)
            .set_content_arrangement(ContentArrangement::Disabled)
            .set_header(self.columns.iter().map(|column| column.name()))
            .add_rows(&self.rows);
        for (cells, column) in table.column_iter_mut().zip(&self.columns) {
            if let Column::Number(_) = column {
                cells.set_cell_alignment(CellAlignment::Right);
            }
        }
        table.to_string()
    }

    /// A table of GitHub's Markdown.
    #[must_use]
    pub fn to_markdown(&self) -> String {
        let line = |cells: Vec<String>| format!("| {} |", cells.join(" | "));
        let mut lines = vec![
            line(self.columns.iter().map(|c| c.name().to_owned()).collect()),
            line(
                self.columns
                    .iter()
                    .map(|column| match column {
                        Column::Text(_) => "---".to_owned(),
                        Column::Number(_) => "---:".to_owned(),
                    })
                    .collect(),
            ),
        ];
        let cell = |text: &String| text.replace('|', "\\|").replace('\n', " ");
        lines.extend(
            self.rows
                .iter()
                .map(|row| line(row.iter().map(cell).collect())),
        );
        lines.join("\n")
    }

    /// Comma-separated values with a header.
    ///
    /// # Errors
    /// If a line cannot be encoded (it always can).
    pub fn to_csv(&self) -> Result<String, csv::Error> {
        let mut out = csv::Writer::from_writer(Vec::new());
        out.write_record(self.columns.iter().map(|column| column.name()))?;
        for row in &self.rows {
            out.write_record(row)?;
        }
        let bytes = out.into_inner().map_err(|e| e.into_error())?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn one_table_in_three_forms() {
        let mut table = Table::new(&[Column::Text("name"), Column::Number("n")]);
        assert!(table.is_empty());
        table.push(vec!["a|b".into(), "12".into()]);
        assert_eq!(table.to_text(), " name   n \n a|b   12 ");
        assert_eq!(
            table.to_markdown(),
            "| name | n |\n| --- | ---: |\n| a\\|b | 12 |"
        );
        assert_eq!(table.to_csv().unwrap(), "name,n\na|b,12\n");
    }
}
