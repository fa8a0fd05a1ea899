//! `\boxed{…}`, with braces balanced.

use super::{Found, phrase};
use crate::boxes::boxes;

/// The last group of boxes of the completion.
pub(super) fn find(completion: &str) -> Found {
    let boxes = boxes(completion);
    let Some(last) = boxes.last() else {
        return Found::Nothing;
    };
    // What is called the final answer after the last box takes its place.
    if completion[last.end..]
        .to_ascii_lowercase()
        .contains("final answer is")
    {
        return phrase::answer_is(&completion[last.end..]);
    }
    if offers_another(&completion[last.end..]) {
        return Found::Contradiction;
    }
    let mut group = vec![last.content];
    for pair in boxes.windows(2).rev() {
        let [before, after] = pair else { break };
        let between = &completion[before.end..after.start];
        let Some(joint) = joint(between) else { break };
        if group.len() > MOST_PARTS {
            return Found::Contradiction;
        }
        group.push(joint);
        group.push(before.content);
    }
    group.reverse();
    Found::text(&group.concat())
}

/// The most boxes and joints of one answer; who lists more has given none.
const MOST_PARTS: usize = 400;

/// What stands behind the last box.
pub(super) fn behind(completion: &str) -> Option<&str> {
    boxes(completion).last().map(|last| &completion[last.end..])
}

/// `or maybe 4`, in the sentence of the box.
fn offers_another(rest: &str) -> bool {
    let bare = rest.trim_start_matches(['$', '\\', ')', ']', '*', ',', ' ']);
    let sentence = bare.split(['.', '\n']).next().unwrap_or_default();
    sentence.starts_with("or ") && sentence.contains(|c: char| c.is_ascii_digit())
}

/// Longer texts between boxes are no joint.
const LONGEST_JOINT: usize = 60;

/// What joins two boxes into one answer, or `None` if there is more than a joint between them.
///
/// `and` and `or` join even with a few words round them, as in `\boxed{1} red and \boxed{2} blue`; a
/// sentence that ends between them does not.
fn joint(between: &str) -> Option<&'static str> {
    if between.len() > LONGEST_JOINT {
        return None;
    }
    if between.is_empty() {
        return Some(" or ");
    }
    // Of a command that was escaped once too often a backslash is left over.
    let mut bare = between.trim_end_matches('\\').to_lowercase();
    for dress in [
        r"\text", r"\quad", r"\(", r"\)", r"\[", r"\]", r"\ ", r"\,", "$", "{", "}",
    ] {
        bare = bare.replace(dress, " ");
    }
    if bare.contains(['.', ':', '\n', '?', '!']) {
        return None;
    }
    let words: Vec<&str> = bare
        .split([' ', ',', ';'])
        .filter(|word| !word.is_empty())
        .collect();
    if words.is_empty() && !bare.contains([',', ';']) || words.contains(&"or") {
        return Some(" or ");
    }
    // Marks that state no relation only set the boxes apart.
    let is_apart = bare.chars().all(|c| c == ' ' || c.is_ascii_punctuation())
        && !bare.contains(['=', '<', '>', '\\']);
    (is_apart || words.contains(&"and")).then_some(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(completion: &str, expected: &str) {
        assert_eq!(find(completion), Found::text(expected), "{completion}");
    }

    #[test]
    fn braces_balance() {
        check(r"\boxed{\frac{1}{\sqrt{2}}} is it", r"\frac{1}{\sqrt{2}}");
        check(r"\boxed{\{1, 2\}}", r"\{1, 2\}");
        check(r"\boxed {3}", "3");
    }

    #[test]
    fn the_last_box_with_content_counts() {
        check(r"\boxed{1} but then \boxed{2}. \boxed{}", "2");
        check(r"\boxed{1} and then \boxed{2", "1");
        check(r"\boxed{}", "");
    }

    #[test]
    fn joined_boxes_are_one_answer() {
        check(r"\boxed{1} or \boxed{2}", "1 or 2");
        check(r"$\boxed{1}$, $\boxed{2}$ and $\boxed{3}$", "1, 2, 3");
        check(r"\boxed{1}\boxed{2}", "1 or 2");
        check(
            r"\(\boxed{1}\) \quad \text{and} \quad \(\boxed{2}\)",
            "1, 2",
        );
        check(r"\boxed{1} red and \boxed{2} blue", "1, 2");
        check(r"\boxed{1} ++ \boxed{2}", "1, 2");
        check(r"\boxed{1} = \boxed{2}", "2");
        check(r"\boxed{1} \implies \boxed{2}", "2");
        check(r"\boxed{1}. Wait and see: \boxed{2}", "2");
    }

    #[test]
    fn many_unclosed_boxes_are_read_in_linear_time() {
        // Quadratic time would take minutes here.
        assert_eq!(find(&r"\boxed{".repeat(200_000)), Found::Nothing);
    }
}
