//! Reading the JSON files of a checkpoint into structs, so that a complaint names the field.

use serde::Deserialize;

/// Reads JSON; the error names the field, and the place where the text is no JSON.
pub fn parse<'a, T: Deserialize<'a>>(json: &'a [u8]) -> Result<T, String> {
    let mut reader = serde_json::Deserializer::from_slice(json);
    let value = serde_path_to_error::deserialize(&mut reader).map_err(|error| {
        let path = error.path().to_string();
        let problem = error.into_inner();
        // The path of the whole is a dot, and a text that breaks off is no field's fault.
        if path == "." || !problem.is_data() {
            problem.to_string()
        } else {
            format!("`{path}`: {problem}")
        }
    })?;
    reader.end().map_err(|error| error.to_string())?;
    Ok(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, PartialEq, Deserialize)]
    struct Outer {
        inner: Inner,
    }

    #[derive(Debug, PartialEq, Deserialize)]
    struct Inner {
        size: usize,
    }

    #[test]
    fn complaints_name_the_field_or_the_place() {
        let error = |json: &str| parse::<Outer>(json.as_bytes()).expect_err("it is broken");
        assert!(error(r#"{"inner": {"size": "64"}}"#).starts_with("`inner.size`: invalid type"));
        assert!(error(r#"{"inner": {}}"#).contains("missing field `size`"));
        assert!(error(r#"{"inner": {"size": 6"#).starts_with("EOF"));
        assert!(error(r#"{"inner": {"size": 6}} x"#).starts_with("trailing"));
        let inner = Inner { size: 6 };
        assert_eq!(parse(br#"{"inner": {"size": 6}}"#), Ok(Outer { inner }));
    }
}
