//! Splitting groups into micro-batches.

use crate::candle::decoder::pack::Group;

/// Splits groups into runs of whole groups of about so many rows.
pub fn micro_batches<'a, 'g>(groups: &'a [Group<'g>], most: usize) -> Vec<&'a [Group<'g>]> {
    let rows = |group: &Group<'_>| {
        group.prompt.len() + group.completions.iter().map(|c| c.len()).sum::<usize>()
    };
    let mut batches = Vec::new();
    let (mut start, mut filled) = (0, 0);
    for (i, group) in groups.iter().enumerate() {
        let here = rows(group);
        if i > start && filled + here > most {
            batches.push(&groups[start..i]);
            (start, filled) = (i, 0);
        }
        filled += here;
    }
    if start < groups.len() {
        batches.push(&groups[start..]);
    }
    batches
}
