//! The name that was probably meant.

/// Likeness (Jaro-Winkler, 0 to 1) from which on one name may stand for another.
const LIKENESS: f64 = 0.7;

/// ` Did you mean …?` with the name most like the wanted one, or nothing where none is like it.
pub fn hint<'a>(wanted: &str, names: impl IntoIterator<Item = &'a str>) -> String {
    let likeness = |name: &str| strsim::jaro_winkler(wanted, name);
    names
        .into_iter()
        .map(|name| (likeness(name), name))
        .filter(|(likeness, _)| *likeness > LIKENESS)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, name)| format!(" Did you mean `{name}`?"))
        .unwrap_or_default()
}
