//! Parquet as pandas, the Hub and trainers write it: its rows as objects. Compressed by snappy or gzip, or not at all.

use std::{fs::File, path::Path};

use parquet::{
    errors::ParquetError,
    file::reader::{FileReader as _, SerializedFileReader},
};
use serde_json::{Map, Value};

/// How a file is written anew by what every reader of such files understands.
const ANEW: &str = "python3 -c \"import pandas, sys; pandas.read_parquet(sys.argv[1]).to_parquet(sys.argv[2], compression='snappy')\" IN.parquet OUT.parquet";

/// The rows of a file, in order. Lists and structures become lists and objects; dates and times become texts; NaN and infinities null.
///
/// # Errors
/// What is wrong with the file, and what to do about it.
pub fn rows(path: &Path) -> Result<Vec<Map<String, Value>>, String> {
    let file = File::open(path).map_err(|error| format!("cannot be read: {error}"))?;
    let reader = SerializedFileReader::new(file).map_err(|error| said(&error))?;
    let rows = reader.get_row_iter(None).map_err(|error| said(&error))?;
    rows.map(|row| {
        let row = row.map_err(|error| said(&error))?;
        match row.to_json_value() {
            Value::Object(columns) => Ok(columns),
            other => Err(format!("a row is {other}, and no object")),
        }
    })
    .collect()
}

fn said(error: &ParquetError) -> String {
    let said = error.to_string();
    if said.contains("Disabled feature") {
        return format!("is compressed by what is not read here ({said}); write it anew: {ANEW}");
    }
    format!("is no parquet that can be read: {said}")
}
