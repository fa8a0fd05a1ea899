//! The prompts a proposing model gets, whole, and how they shrink. The texts beside this file are the templates' own output, read by a person:
//! `REWARD_SEARCH_WRITE_PROMPTS=1` writes them anew.
#![allow(clippy::unwrap_used)]

use std::path::Path;

use evaluator::{Answer, Problem};
use sandbox::{Language, Source};

use super::{
    config::Moves,
    errand::{Errand, errands},
    prompt::{Form, Templates},
};
use crate::{
    domain::{candidate::Origin, draft::Draft},
    proposer::{
        Aftermath, Background, Brief, Curve, Fate, Lesson, Misjudged, PastCandidate, ProbeFigures,
        Reference, Setback, Study, Unreadable, Written, Wrong,
    },
};

const WIDE: Form = Form {
    language: Language::Python,
    budget: 100_000,
};

/// A candidate of which nothing is known but its name.
pub(super) fn past(name: &str) -> PastCandidate {
    PastCandidate {
        origin: Origin::Round(1),
        draft: draft(
            name,
            "def reward(completions, **kwargs):\n    return [0.0 for _ in completions]\n",
        ),
        fate: Fate::Rejected {
            reason: String::new(),
        },
        study: Study::default(),
    }
}

fn draft(name: &str, code: &str) -> Draft {
    Draft {
        name: name.to_owned(),
        source: Source {
            language: Language::Python,
            code: code.to_owned(),
        },
        rationale: format!("Pays | for what `{name}` says;\nnot for {{{{count}}}} or <tags>."),
        parents: Vec::new(),
    }
}

fn problems() -> Vec<Problem> {
    let problem = |question: &str, answer: &str| Problem {
        question: question.to_owned(),
        answer: Answer::new(answer),
        solution: None,
        row: String::new(),
    };
    vec![
        problem("Tom has 3 apples\nand buys {{count}} more.", "5"),
        problem("What is <b>2 & 3</b> \"together\"?", "1/2"),
    ]
}

fn background(round: u32) -> Background {
    let reference = |name: &str, f1: f64| Reference {
        name: name.to_owned(),
        f1,
        interval: [f1 - 0.05, f1 + 0.05],
        accuracy: f1 - 0.02,
        answer_rate: 0.93,
    };
    let base = |name: &str, rationale: &str| Draft {
        rationale: rationale.to_owned(),
        ..draft(name, "")
    };
    Background {
        references: vec![
            reference("untouched", 0.41),
            reference("base-rewards-only", 0.55),
        ],
        base: vec![
            base("base/exact_format", "The whole completion is a thinking and a solution section."),
            base("base/approximate_format", "Each of the four tags stands exactly once."),
            base("base/answer_check", "The answer is right, or at least near."),
        ],
        adds_base: round == 3,
        seeds: match round {
            1 => vec![draft("mine", "def mine(completions, correct, **kwargs):\n    return [float(c) for c in correct]\n")],
            _ => Vec::new(),
        },
        written: vec![Written {
            prompt: "tom buys 6 boxes of 49 pens . tom gives 52 away . how many pens are left ?".to_owned(),
            answer: "242".to_owned(),
            completion: "<thinking> 6 * 49 ~ 290 .\n290 - 52 = 238 . </thinking> <solution> 238 </solution>".to_owned(),
        }],
        lessons: match round {
            1 => Vec::new(),
            _ => vec![Lesson {
                round: 2,
                text: "Form alone is learnt by step 5 and pays nothing after.\nRounded steps (~) lead to near misses.".to_owned(),
            }],
        },
        steps: 25,
        group: 8,
        proposed: 0,
    }
}

fn ranked(rank: usize) -> Fate {
    Fate::Ranked {
        rank,
        f1: 0.9 - rank as f64 * 0.0125,
        interval: [0.7, 0.8],
        accuracy: 0.6,
        answer_rate: 0.99,
    }
}

fn history() -> Vec<PastCandidate> {
    let mut history: Vec<_> = (1..=12)
        .map(|rank| PastCandidate {
            fate: ranked(rank),
            ..past(&format!("reward_{rank}"))
        })
        .collect();
    let curve = |of: &str, values: &[f64]| Curve {
        of: of.to_owned(),
        values: values.to_vec(),
    };
    history[0].study = Study {
        curves: vec![
            curve("reward", &[0.1, 0.4, 0.9, 1.2, 1.3]),
            curve("part right", &[0.1, 0.2, 0.5, 0.6, 0.7]),
            curve("right", &[0.1, 0.2, 0.5, 0.6, 0.7]),
            curve("length", &[33.0, 32.0, 30.0, 28.0, 28.0]),
        ],
        misjudged: vec![
            Misjudged {
                step: 24,
                prompt: "what is 7 * 8 ?".to_owned(),
                completion: "<thinking> 7 * 8 ~ 60 . </thinking> <solution> 60 </solution>"
                    .to_owned(),
                reward: 1.1,
                correct: false,
            },
            Misjudged {
                step: 22,
                prompt: "what is 9 + 4 ?".to_owned(),
                completion: "13".to_owned(),
                reward: 0.2,
                correct: true,
            },
        ],
        probe: Some(ProbeFigures {
            auc: Some(0.91),
            flat: 0.03,
            range: [-0.5, 1.5],
            agreement: vec![("base/answer_check".to_owned(), 0.82)],
            hacks: vec![("empty".to_owned(), 0.0), ("echo".to_owned(), 0.25)],
        }),
        same_as: None,
    };
    history[2].study.same_as = Some("reward_1".to_owned());
    history[3].draft.source = Source {
        language: Language::Rust,
        code: "pub fn reward(sample: &Sample) -> f64 {\n    valid_share(sample.completion()) // ``` {% if %} {# no comment #}\n}\n".to_owned(),
    };
    let rejected = |name: &str, reason: &str| PastCandidate {
        fate: Fate::Rejected {
            reason: reason.to_owned(),
        },
        ..past(name)
    };
    history.push(rejected(
        "broken",
        "line 4: SyntaxError: expected ':' <here>",
    ));
    history.push(PastCandidate {
        fate: Fate::Failed {
            reason: "out of fuel".repeat(50),
        },
        ..past("slow")
    });
    history
}

/// Compares a prompt with the text of that name, the references of the sandbox, which change on their own, left out.
#[track_caller]
fn is_told(name: &str, prompt: &super::prompt::Prompt) {
    let text = [sandbox::SDK_REFERENCE, sandbox::PYTHON_REFERENCE]
        .iter()
        .fold(prompt.to_string(), |prompt, reference| {
            prompt.replace(reference.trim(), "(reference)")
        });
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("src/proposer/chat/tests")
        .join(name);
    if std::env::var_os("REWARD_SEARCH_WRITE_PROMPTS").is_some() {
        std::fs::write(&path, &text).unwrap();
    }
    let expected = std::fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(text, expected, "{}", path.display());
}

fn brief<'a>(
    round: u32,
    history: &'a [PastCandidate],
    problems: &'a [Problem],
    background: &'a Background,
) -> Brief<'a> {
    Brief {
        round,
        count: 8,
        seed: 0,
        history,
        problems,
        format_hint: " <thinking> the working </thinking> <solution> the number </solution>\n",
        background,
    }
}

#[test]
fn the_prompt_of_the_first_round_is_told_word_for_word() {
    let (problems, background) = (problems(), background(1));
    let brief = brief(1, &[], &problems, &background);
    let templates = Templates::load(None).unwrap();
    for (name, language) in [
        ("round_1.md", Language::Rust),
        ("round_1_python.md", Language::Python),
    ] {
        let form = Form { language, ..WIDE };
        is_told(
            name,
            &templates.ask(&brief, &Errand::whole(8), form).unwrap(),
        );
    }
}

#[test]
fn the_prompts_of_a_later_round_are_told_word_for_word() {
    let (problems, background, history) = (problems(), background(3), history());
    let brief = brief(3, &history, &problems, &background);
    let templates = Templates::load(None).unwrap();
    is_told(
        "round_3.md",
        &templates.ask(&brief, &Errand::whole(8), WIDE).unwrap(),
    );
    for errand in errands(&brief, &[1.0], Some(Moves::default())) {
        let prompt = templates.ask(&brief, &errand, WIDE).unwrap();
        let wanted = prompt.user.split("# What is wanted").nth(1).unwrap();
        let prompt = super::prompt::Prompt {
            system: String::new(),
            user: wanted.to_owned(),
        };
        is_told(&format!("{}.md", errand.step.replace(' ', "_")), &prompt);
    }
}

#[test]
fn what_is_asked_after_a_reply_is_told_word_for_word() {
    let (problems, background, history) = (problems(), background(3), history());
    let brief = brief(3, &history[..2], &problems, &background);
    let templates = Templates::load(None).unwrap();
    let setbacks = [
        Setback {
            draft: history[12].draft.clone(),
            why: Wrong::Refused(
                "line 4: SyntaxError: expected ':'\n    4 | def f()\n      |        ^".to_owned(),
            ),
        },
        Setback {
            draft: history[2].draft.clone(),
            why: Wrong::Twin {
                of: "reward_1".to_owned(),
            },
        },
    ];
    let aftermath = Aftermath {
        setbacks: &setbacks,
        missing: 2,
    };
    is_told(
        "follow_up.md",
        &templates.follow_up(&brief, aftermath, WIDE).unwrap(),
    );
    let asked = super::prompt::Prompt {
        system: "(as before)".to_owned(),
        user: "(as before)\n".to_owned(),
    };
    let unreadable = [Unreadable {
        text: "I'm sorry,\nbut no.".to_owned(),
        reason: "there is no code".to_owned(),
    }];
    is_told(
        "unreadable.md",
        &templates.unreadable(&asked, &unreadable, WIDE).unwrap(),
    );
}

#[test]
fn a_prompt_keeps_to_its_budget_and_to_the_order_of_what_is_left_out() {
    let (background, mut history) = (background(3), history());
    for candidate in &mut history {
        candidate.draft.source.code = "x = 1  # something long\n".repeat(120);
    }
    let problems: Vec<Problem> = (0..20).flat_map(|_| problems()).collect();
    let brief = brief(3, &history, &problems, &background);
    let templates = Templates::load(None).unwrap();
    let at = |budget| {
        let form = Form { budget, ..WIDE };
        templates.ask(&brief, &Errand::whole(8), form).unwrap()
    };
    let sources = |prompt: &super::prompt::Prompt| prompt.user.matches("Source of").count();
    let questions = |prompt: &super::prompt::Prompt| prompt.user.matches("Tom has 3").count();
    let whole = at(100_000);
    assert_eq!((sources(&whole), questions(&whole)), (5, 10));
    let mut last = whole.tokens();
    for budget in [last - 1, 6000, 4000] {
        let prompt = at(budget);
        assert!(prompt.tokens() < last, "{budget}: {}", prompt.tokens());
        last = prompt.tokens();
    }
    let shorter = at(whole.tokens() - 1);
    assert_eq!(
        (sources(&shorter), questions(&shorter)),
        (5, 4),
        "questions go first"
    );
    let least = at(1);
    assert_eq!(sources(&least), 1, "the best one stays");
    assert!(least.user.contains("| 1 | reward_1 |"));
}

#[test]
fn templates_of_ones_own() {
    let folder = tempfile::tempdir().unwrap();
    let load = || Templates::load(Some(folder.path()));
    let why = load().unwrap_err();
    assert!(why.contains("neither"), "{why}");
    let own = "Give {{count}}{% if round > 1 %} more{% endif %}.\n";
    std::fs::write(folder.path().join("user.md"), own).unwrap();
    let background = Background::default();
    let brief = brief(2, &[], &[], &background);
    let prompt = load()
        .unwrap()
        .ask(&brief, &Errand::whole(8), WIDE)
        .unwrap();
    assert_eq!(prompt.user, "Give 8 more.\n");
    assert!(prompt.system.contains(sandbox::PYTHON_REFERENCE.trim()));
    for (bad, says) in [
        ("{{cuont}}", "Did you mean `count`?"),
        ("one\n{% nonsense %}", "system.md: line 2"),
        ("\n", "it is empty"),
    ] {
        std::fs::write(folder.path().join("system.md"), bad).unwrap();
        let why = load().unwrap_err();
        assert!(why.contains(says), "{why}");
    }
}
