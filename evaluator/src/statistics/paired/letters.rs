//! The compact letter display: which of many do not differ from each other, at a glance.

/// Splitting columns can double their number with every pair.
const MOST_LETTERS: usize = 500;

/// Gives each of `n` treatments its letters, so that two share a letter exactly when `differ` does not hold
/// for them; called with indices `i < j`.
///
/// All are empty where the display would need more than 500 letters, which is compact no more.
///
/// Insert and absorb (Piepho, *Journal of Computational and Graphical Statistics* 13, 2004). Treatments given
/// from best to worst get letters from `a` on.
pub fn compact_letters(n: usize, differ: impl Fn(usize, usize) -> bool) -> Vec<String> {
    // Each column is a letter: the treatments that share it.
    let mut columns = vec![vec![true; n]];
    for i in 0..n {
        for j in (i + 1..n).filter(|&j| differ(i, j)) {
            insert(&mut columns, i, j);
            absorb(&mut columns);
            if columns.len() > MOST_LETTERS {
                return vec![String::new(); n];
            }
        }
    }
    columns.sort_by_key(|column| column.iter().map(|member| !member).collect::<Vec<_>>());
    let letters_of = |treatment: usize| {
        let shared = columns
            .iter()
            .enumerate()
            .filter(|(_, column)| column[treatment]);
        shared.map(|(index, _)| letter(index)).collect()
    };
    (0..n).map(letters_of).collect()
}

/// Splits every column that holds both into one without the one and one without the other.
fn insert(columns: &mut Vec<Vec<bool>>, i: usize, j: usize) {
    let mut split = Vec::new();
    for column in columns.iter_mut().filter(|column| column[i] && column[j]) {
        let mut other = column.clone();
        column[i] = false;
        other[j] = false;
        split.push(other);
    }
    columns.extend(split);
}

/// Drops every column whose members all stand in another one.
fn absorb(columns: &mut Vec<Vec<bool>>) {
    let within = |a: &[bool], b: &[bool]| std::iter::zip(a, b).all(|(a, b)| !a || *b);
    let mut kept: Vec<Vec<bool>> = Vec::new();
    for column in columns.drain(..) {
        if kept.iter().any(|other| within(&column, other)) {
            continue;
        }
        kept.retain(|other| !within(other, &column));
        kept.push(column);
    }
    *columns = kept;
}

/// a, b, … z, then (a1), (b1) and so on, so that letters side by side stay apart.
fn letter(index: usize) -> String {
    let letter = char::from(b'a' + (index % 26) as u8);
    match index / 26 {
        0 => letter.to_string(),
        round => format!("({letter}{round})"),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_chain_of_overlapping_groups() {
        // Only the ends of four differ from what is two or more away.
        assert_eq!(
            compact_letters(4, |i, j| j - i >= 2),
            ["a", "ab", "bc", "c"]
        );
        assert_eq!(compact_letters(3, |_, _| false), ["a", "a", "a"]);
        assert_eq!(compact_letters(3, |_, _| true), ["a", "b", "c"]);
        assert!(compact_letters(0, |_, _| true).is_empty());
        assert_eq!(
            compact_letters(28, |_, _| true)[25..],
            ["z", "(a1)", "(b1)"]
        );
    }

    #[test]
    fn a_display_that_is_not_compact_is_left_out() {
        // Of each of twenty pairs one has to go: a million columns.
        let letters = compact_letters(40, |i, j| i % 2 == 0 && j == i + 1);
        assert!(letters.iter().all(String::is_empty));
    }

    proptest! {
        #[test]
        fn sharing_a_letter_is_not_differing(n in 1usize..8, table in prop::collection::vec(any::<bool>(), 64)) {
            let differ = |i: usize, j: usize| table[i * 8 + j];
            let letters = compact_letters(n, differ);
            for i in 0..n {
                prop_assert!(!letters[i].is_empty());
                for j in i + 1..n {
                    let share = letters[i].chars().any(|letter| letters[j].contains(letter));
                    prop_assert_eq!(share, !differ(i, j));
                }
            }
        }
    }
}
