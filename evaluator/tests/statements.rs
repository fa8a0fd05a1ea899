//! Completions that state an answer in a sentence: the number in it is the answer only if the sentence says so.

use evaluator::{Answer, Outcome, verify};

/// Gold answer, and a completion that says something else.
const OTHERWISE: &[(&str, &str)] = &[
    ("5", "The answer is minus 5."),
    ("5", "The answer is negative 5."),
    ("5", "The answer is 5 million."),
    ("5", "The answer is $5$ million."),
    ("5", "The answer is 5 squared."),
    ("5", "The answer is 5 factorial."),
    ("5", "The answer is anything but 5."),
    ("5", "The answer is less than 5."),
    ("5", "The answer is at least 5."),
    ("5", "The answer is at most $5$."),
    ("5", "The answer is other than 5."),
    ("5", "The answer is different from 5."),
    ("5", "The answer is half of 5."),
    ("5", "The answer is twice $5$."),
    ("5", "The answer isn\u{2019}t 5."),
    ("5", "The answer is that it isn\u{2019}t 5."),
    ("5", "The answer is NOT 5."),
    ("5", "The answer is not 5."),
    ("5", "The answer is neither 5 nor six."),
    ("5", "The answer is minus $5$."),
    ("$45", "The answer is 45 cents."),
    (
        "$45",
        "The answer is that it costs 45 cents for each of them.",
    ),
    ("2 km", "The answer is 2 cm."),
    ("2 km", "The answer is $2$ cm."),
    (
        "2 km",
        "The answer is that it is 2 cm to the next one of them.",
    ),
    ("€20", "The answer is that it costs $20 in the shop."),
    ("6", "The answer is either $5$ or $6$."),
    ("6", "It is $5$ or $6$."),
    ("6", "So it is 5 or 6."),
    ("5", "So it is minus 5."),
    ("5", "They earn 5 million in a year."),
    ("5", "So they have 5 dozen."),
    ("B", "The correct option is C."),
    ("5", "It is not 5."),
];

/// Gold answer, and a completion that says it.
const SAID: &[(&str, &str)] = &[
    ("-5", "The answer is minus 5."),
    ("-5", "The answer is negative 5."),
    ("5000000", "The answer is 5 million."),
    ("5000000", "They earn 5 million."),
    ("$45", "The answer is $45 for all of them together."),
    ("$45", "The answer is 4500 cents."),
    ("45", "The answer is 45 cents."),
    ("2 km", "The answer is $2$ km."),
    ("2 km", "The answer is 2000 m."),
    ("18", "The answer is that she sells 18 eggs a day."),
    ("18", "The answer is 18 eggs."),
    ("18", "The answer is: **18**."),
    ("12", "The answer is `12`."),
    ("12", "Answer: `12`"),
    ("5 or 6", "The answer is either $5$ or $6$."),
    ("5", "The answer is $x = 5$."),
    ("5", "The answer is therefore $5$."),
    ("no", "The answer is no."),
    ("B", "The correct option is B."),
    ("B", "The correct choice is **B**."),
    ("B", "The answer is Option B."),
    ("J", "The answer is J. 42"),
    ("5", "So 10 minus 5 is 5."),
    ("5", "Of 10 or more they keep 5."),
];

#[test]
fn a_sentence_that_says_otherwise_is_not_the_answer() {
    let accepted: Vec<_> = OTHERWISE
        .iter()
        .map(|(gold, completion)| (completion, verify(completion, &Answer::new(gold))))
        .filter(|(_, verdict)| verdict.outcome == Outcome::Correct)
        .collect();
    assert!(accepted.is_empty(), "{accepted:#?}");
}

#[test]
fn a_sentence_that_says_it_is() {
    let refused: Vec<_> = SAID
        .iter()
        .map(|(gold, completion)| (gold, completion, verify(completion, &Answer::new(gold))))
        .filter(|(.., verdict)| verdict.outcome != Outcome::Correct)
        .collect();
    assert!(refused.is_empty(), "{refused:#?}");
}
