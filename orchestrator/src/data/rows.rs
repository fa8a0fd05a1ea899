//! Files of rows as they are published: JSON lines, JSON, CSV, TSV, parquet. What the columns mean is told elsewhere.

use std::{
    fmt,
    path::{Path, PathBuf},
};

use serde_json::{Map, Number, Value};
use sha2::{Digest as _, Sha256};

use super::parquet;
use crate::text::{hex, of_one_line};

/// A row of a file.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// Where it stands.
    pub place: Place,
    /// Its columns.
    pub columns: Map<String, Value>,
}

/// Where a row stands: the file, and the line in it from 1 (of a list in JSON and of parquet, the place in it).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    path: PathBuf,
    line: usize,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.path.display(), self.line)
    }
}

/// Why a file has no rows that can be used.
#[derive(Debug, thiserror::Error)]
pub enum RowsError {
    /// It cannot be read.
    #[error("cannot read {}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// Nothing here reads such files.
    #[error("{}: {what}", path.display())]
    Kind {
        /// The file.
        path: PathBuf,
        /// Which can be read, and how to make one of them.
        what: String,
    },
    /// A row is wrong.
    #[error("{place}: {what}")]
    Row {
        /// Where it stands.
        place: Place,
        /// What is wrong with it.
        what: String,
    },
    /// There is none.
    #[error("{} holds no rows", path.display())]
    Empty {
        /// The file.
        path: PathBuf,
    },
}

impl RowsError {
    /// A row that is wrong.
    pub fn of(place: &Place, what: impl Into<String>) -> Self {
        Self::Row {
            place: place.clone(),
            what: what.into(),
        }
    }
}

/// Reads the rows of files, one after the other.
///
/// # Errors
/// The first thing that is wrong.
pub fn read<'a>(paths: impl IntoIterator<Item = &'a PathBuf>) -> Result<Vec<Row>, RowsError> {
    let mut rows = Vec::new();
    for path in paths {
        let found = read_one(path)?;
        if found.is_empty() {
            return Err(RowsError::Empty { path: path.clone() });
        }
        rows.extend(found);
    }
    Ok(rows)
}

/// The SHA-256 of what files hold, in hexadecimal; `None` if one cannot be read.
#[must_use]
pub fn sha256<'a>(paths: impl IntoIterator<Item = &'a PathBuf>) -> Option<String> {
    let mut hash = Sha256::new();
    for path in paths {
        let bytes = std::fs::read(path).ok()?;
        hash.update((bytes.len() as u64).to_le_bytes());
        hash.update(bytes);
    }
    Some(hex(&hash.finalize()))
}

fn read_one(path: &Path) -> Result<Vec<Row>, RowsError> {
    let extension = path
        .extension()
        .and_then(|e| e.to_str())
        .unwrap_or_default();
    let kind = extension.to_ascii_lowercase();
    let other = |what: &str| RowsError::Kind {
        path: path.to_owned(),
        what: what.to_owned(),
    };
    if kind == "parquet" {
        let rows = parquet::rows(path).map_err(|what| other(&what))?;
        let rows = (1..).zip(rows).map(|(number, columns)| Row {
            place: at(path, number),
            columns,
        });
        return Ok(rows.collect());
    }
    if !["jsonl", "ndjson", "json", "csv", "tsv"].contains(&&*kind) {
        return Err(other(
            "expected a .jsonl, .json, .csv, .tsv or .parquet file",
        ));
    }
    let text = std::fs::read_to_string(path).map_err(|source| RowsError::Read {
        path: path.to_owned(),
        source,
    })?;
    let text = text.trim_start_matches('\u{feff}');
    match &*kind {
        "csv" => separated(path, text, b','),
        "tsv" => separated(path, text, b'\t'),
        "json" if text.trim_start().starts_with('[') => json(path, text),
        _ => json_lines(path, text),
    }
}

fn json_lines(path: &Path, text: &str) -> Result<Vec<Row>, RowsError> {
    let lines = text.lines().enumerate();
    lines
        .filter(|(_, line)| !line.trim().is_empty())
        .map(|(number, line)| {
            let place = at(path, number + 1);
            match serde_json::from_str(line) {
                Ok(Value::Object(columns)) => Ok(Row { place, columns }),
                Ok(_) => Err(RowsError::of(
                    &place,
                    "expected an object, `{\"question\": …}`",
                )),
                Err(error) => Err(RowsError::of(
                    &place,
                    format!("no JSON: {}", of_one_line(&error)),
                )),
            }
        })
        .collect()
}

fn json(path: &Path, text: &str) -> Result<Vec<Row>, RowsError> {
    let list: Vec<Value> = serde_json::from_str(text).map_err(|error| {
        RowsError::of(&at(path, error.line()), format!("no list of JSON: {error}"))
    })?;
    let rows = (1..).zip(list).map(|(number, value)| {
        let place = at(path, number);
        match value {
            Value::Object(columns) => Ok(Row { place, columns }),
            _ => Err(RowsError::of(
                &place,
                "expected an object, `{\"question\": …}`",
            )),
        }
    });
    rows.collect()
}

/// Columns of nothing but numbers are numbers, as in other readers of such files; empty cells are null.
fn separated(path: &Path, text: &str, delimiter: u8) -> Result<Vec<Row>, RowsError> {
    let mut reader = csv::ReaderBuilder::new()
        .delimiter(delimiter)
        .from_reader(text.as_bytes());
    let wrong = |error: &csv::Error| {
        let line = error
            .position()
            .map_or(1, |position| position.line() as usize);
        RowsError::of(&at(path, line), error.to_string())
    };
    let names = reader.headers().map_err(|error| wrong(&error))?.clone();
    let records = reader.records().collect::<Result<Vec<_>, _>>();
    let records = records.map_err(|error| wrong(&error))?;
    let kinds: Vec<Cells> = (0..names.len())
        .map(|column| Cells::of(records.iter().filter_map(|record| record.get(column))))
        .collect();
    let row = |record: &csv::StringRecord| {
        let line = record
            .position()
            .map_or(1, |position| position.line() as usize);
        let cells = names.iter().zip(record).zip(&kinds);
        Row {
            place: at(path, line),
            columns: cells
                .map(|((name, cell), kind)| (name.to_owned(), kind.value(cell)))
                .collect(),
        }
    };
    Ok(records.iter().map(row).collect())
}

/// What the cells of a column are.
#[derive(Clone, Copy)]
enum Cells {
    Whole,
    Decimal,
    Texts,
}

impl Cells {
    fn of<'a>(cells: impl Iterator<Item = &'a str> + Clone) -> Self {
        let mut filled = cells.filter(|cell| !cell.is_empty()).peekable();
        if filled.peek().is_none() {
            return Self::Texts;
        }
        if filled.clone().all(|cell| whole(cell).is_some()) {
            return Self::Whole;
        }
        if filled.all(|cell| decimal(cell).is_some()) {
            return Self::Decimal;
        }
        Self::Texts
    }

    fn value(self, cell: &str) -> Value {
        let number = match self {
            _ if cell.is_empty() => return Value::Null,
            Self::Whole => whole(cell).map(Number::from),
            Self::Decimal => decimal(cell),
            Self::Texts => None,
        };
        number.map_or_else(|| Value::from(cell), Value::Number)
    }
}

/// A whole number as it is usually written: `007` and `+7` say more than 7.
fn whole(cell: &str) -> Option<i64> {
    let number: i64 = cell.parse().ok()?;
    (number.to_string() == cell).then_some(number)
}

fn decimal(cell: &str) -> Option<Number> {
    let digits = cell.trim_start_matches('-');
    let usual = digits.starts_with(|c: char| c.is_ascii_digit())
        && !(digits.starts_with('0') && digits[1..].starts_with(|c: char| c.is_ascii_digit()));
    if !usual {
        return None;
    }
    Number::from_f64(cell.parse().ok()?)
}

fn at(path: &Path, line: usize) -> Place {
    Place {
        path: path.to_owned(),
        line,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::fs;

    use serde_json::json;

    use super::*;

    fn rows(name: &str, text: &str) -> Result<Vec<Value>, String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(name);
        fs::write(&path, text).unwrap();
        let place = folder.path().display().to_string();
        match read([&path]) {
            Ok(rows) => Ok(rows.into_iter().map(|row| row.columns.into()).collect()),
            Err(error) => Err(error.to_string().replace(&place, "DATA")),
        }
    }

    #[test]
    fn every_kind_of_file_gives_the_same_rows() {
        let expected = vec![
            json!({"q": "1, 2?", "n": 3}),
            json!({"q": "\"so\"", "n": -4}),
        ];
        let lines = "{\"q\": \"1, 2?\", \"n\": 3}\n\n{\"q\": \"\\\"so\\\"\", \"n\": -4}\n";
        assert_eq!(rows("a.jsonl", lines).unwrap(), expected);
        assert_eq!(rows("a.json", lines).unwrap(), expected);
        let list = format!("[{}]", lines.trim().replace("\n\n", ","));
        assert_eq!(rows("a.json", &list).unwrap(), expected);
        let csv = "\u{feff}q,n\n\"1, 2?\",3\n\"\"\"so\"\"\",-4\n";
        assert_eq!(rows("a.csv", csv).unwrap(), expected);
        let tsv = "q\tn\n1, 2?\t3\n\"\"\"so\"\"\"\t-4\n";
        assert_eq!(rows("a.tsv", tsv).unwrap(), expected);
    }

    #[test]
    fn columns_of_numbers_are_numbers_and_others_keep_their_spelling() {
        let found = rows("a.csv", "a,b,c,d,e\n1,1.5,007,1,\n2,2,08,x,\n").unwrap();
        assert_eq!(
            found[0],
            json!({"a": 1, "b": 1.5, "c": "007", "d": "1", "e": null})
        );
        assert_eq!(found[1]["b"], json!(2.0));
    }

    #[test]
    fn what_is_wrong_is_named_with_its_place() {
        for (name, text, says) in [
            ("a.jsonl", "{}\n[1]\n", "DATA/a.jsonl:2: expected an object"),
            ("a.jsonl", "{}\n{\n", "DATA/a.jsonl:2: no JSON"),
            ("a.jsonl", "\n", "DATA/a.jsonl holds no rows"),
            ("a.csv", "a,b\n1\n", "DATA/a.csv:2:"),
            (
                "a.parquet",
                "PAR1 and then nothing",
                "DATA/a.parquet: is no parquet that can be read",
            ),
            ("a.txt", "", "DATA/a.txt: expected a .jsonl"),
        ] {
            let why = rows(name, text).unwrap_err();
            assert!(why.starts_with(says), "{why}");
        }
        let missing = read([&PathBuf::from("no/such.jsonl")])
            .unwrap_err()
            .to_string();
        assert!(
            missing.starts_with("cannot read no/such.jsonl: "),
            "{missing}"
        );
    }
}
