//! A table of texts in every form it is asked for: for a terminal, for a Markdown page, for a spreadsheet.

use comfy_table::{CellAlignment, ContentArrangement, presets};
use console::{measure_text_width, truncate_str};

use super::screen::{Mark, Screen};

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
    /// What stands out, one a row.
    marks: Vec<Option<Mark>>,
}

impl Table {
    /// A table without rows.
    #[must_use]
    pub fn new(columns: &[Column]) -> Self {
        Self {
            columns: columns.to_vec(),
            rows: Vec::new(),
            marks: Vec::new(),
        }
    }

    /// Adds a row: one text a column.
    pub fn push(&mut self, row: Vec<String>) {
        self.push_marked(row, None);
    }

    /// Adds a row that stands out.
    pub fn push_marked(&mut self, row: Vec<String>, mark: Option<Mark>) {
        debug_assert_eq!(row.len(), self.columns.len());
        self.rows.push(row);
        self.marks.push(mark);
    }

    /// The table for a terminal: columns named in `least_first` are left out, in that order, until it fits; what is still too long in
    /// the column called `cut` is cut.
    #[must_use]
    pub fn to_screen(&self, screen: &Screen, least_first: &[&str], cut: &str) -> String {
        let mut table = self.clone();
        if let Some(width) = screen.width {
            for name in least_first {
                if table.width() <= width {
                    break;
                }
                table.leave_out(name);
            }
            let over = table.width().saturating_sub(width);
            if let Some(at) = table.columns.iter().position(|c| c.name() == cut)
                && over > 0
            {
                let room = table.width_of(at).saturating_sub(over).max(8);
                for row in &mut table.rows {
                    row[at] = truncate_str(&row[at], room, "…").into_owned();
                }
            }
        }
        let text = table.to_text();
        let marks = std::iter::once(&None).chain(&table.marks);
        let lines = text.lines().zip(marks);
        let lines: Vec<String> = lines
            .map(|(line, mark)| screen.marked(line, *mark))
            .collect();
        lines.join("\n")
    }

    /// Leaves a column out.
    pub fn leave_out(&mut self, name: &str) {
        let Some(at) = self.columns.iter().position(|c| c.name() == name) else {
            return;
        };
        self.columns.remove(at);
        for row in &mut self.rows {
            row.remove(at);
        }
    }

    /// The width of a column's longest cell.
    fn width_of(&self, column: usize) -> usize {
        let cells = self.rows.iter().map(|row| row[column].as_str());
        let all = cells.chain([self.columns[column].name()]);
        all.map(measure_text_width).max().unwrap_or(0)
    }

    /// The width of the longest line: a blank on either side of each cell, but for the last one's right.
    fn width(&self) -> usize {
        (0..self.columns.len())
            .map(|at| self.width_of(at) + 2)
            .sum::<usize>()
            .saturating_sub(1)
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
        let text = table.to_string();
        let lines: Vec<&str> = text.lines().map(str::trim_end).collect();
        lines.join("\n")
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
        assert_eq!(table.to_text(), " name   n\n a|b   12");
        assert_eq!(
            table.to_markdown(),
            "| name | n |\n| --- | ---: |\n| a\\|b | 12 |"
        );
        assert_eq!(table.to_csv().unwrap(), "name,n\na|b,12\n");
    }

    #[test]
    fn what_does_not_fit_is_left_out_and_then_cut() {
        let mut table = Table::new(&[
            Column::Text("name"),
            Column::Number("n"),
            Column::Text("more"),
        ]);
        table.push_marked(
            vec!["a long name of a reward".into(), "1".into(), "xxxx".into()],
            Some(Mark::Leader),
        );
        let shown = |width| {
            let screen = Screen {
                width,
                colour: false,
            };
            table.to_screen(&screen, &["more", "n"], "name")
        };
        assert_eq!(
            shown(None).lines().nth(1),
            Some(" a long name of a reward  1  xxxx")
        );
        assert_eq!(shown(Some(33)), shown(None), "it just fits");
        assert_eq!(
            shown(Some(32)).lines().nth(1),
            Some(" a long name of a reward  1")
        );
        assert_eq!(shown(Some(20)).lines().nth(1), Some(" a long name of a r…"));
        let coloured = Screen {
            width: None,
            colour: true,
        };
        let text = table.to_screen(&coloured, &[], "name");
        assert!(
            text.contains("\u{1b}[32m") && text.lines().count() == 2,
            "{text:?}"
        );
    }
}
