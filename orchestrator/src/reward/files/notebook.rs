//! Jupyter notebooks as Python files: their code cells one after the other, without the lines that only a notebook understands.

use serde::Deserialize;

/// As much of a notebook as is read.
#[derive(Deserialize)]
struct Notebook {
    cells: Vec<Cell>,
}

#[derive(Deserialize)]
struct Cell {
    cell_type: String,
    #[serde(default)]
    source: Source,
}

/// A cell's text, or its lines.
#[derive(Deserialize)]
#[serde(untagged)]
enum Source {
    Text(String),
    Lines(Vec<String>),
}

impl Default for Source {
    fn default() -> Self {
        Self::Text(String::new())
    }
}

/// Cell magics whose cell is Python all the same.
const PYTHON_CELLS: [&str; 4] = ["%%capture", "%%time", "%%timeit", "%%prun"];

/// The Python of a notebook, each code cell under a comment with its number (from 1, cells of text included).
///
/// # Errors
/// What is wrong where it is no notebook.
pub(super) fn python(json: &str) -> Result<String, String> {
    let notebook: Notebook = serde_json::from_str(json.trim_start_matches('\u{feff}'))
        .map_err(|error| format!("is no notebook: {error}"))?;
    let mut python = String::new();
    for (place, cell) in notebook.cells.iter().enumerate() {
        if cell.cell_type != "code" {
            continue;
        }
        let text = match &cell.source {
            Source::Text(text) => text.clone(),
            Source::Lines(lines) => lines.concat(),
        };
        let first = text.trim_start();
        let foreign =
            first.starts_with("%%") && !PYTHON_CELLS.iter().any(|magic| first.starts_with(magic));
        python += &format!("# cell {}\n", place + 1);
        for line in text.lines() {
            if foreign || is_foreign(line) {
                let indent = line.len() - line.trim_start().len();
                // A block must not become empty by it.
                let (before, after) = line.split_at(indent);
                python += before;
                python += if indent > 0 { "pass  # " } else { "# " };
                python += after;
            } else {
                python += line;
            }
            python.push('\n');
        }
    }
    Ok(python)
}

/// A magic, a command of the shell, or a question for help.
fn is_foreign(line: &str) -> bool {
    let bare = line.trim();
    bare.starts_with(['!', '%', '?']) || (bare.ends_with('?') && !bare.contains(['#', '"', '\'']))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn code_cells_follow_each_other_without_magics() {
        let json = r##"{"cells": [
            {"cell_type": "markdown", "source": ["# Title\n"]},
            {"cell_type": "code", "source": ["%%capture\n", "!pip install x\n", "import re\n"]},
            {"cell_type": "code", "source": "if True:\n    !ls\nre.sub?"},
            {"cell_type": "code", "source": ["%%bash\n", "ls -l"]}], "nbformat": 4}"##;
        assert_eq!(
            python(json).unwrap(),
            "# cell 2\n# %%capture\n# !pip install x\nimport re\n# cell 3\nif True:\n    pass  # !ls\n# re.sub?\n# cell 4\n# %%bash\n# ls -l\n"
        );
        assert!(python("{}").unwrap_err().contains("cells"));
    }
}
