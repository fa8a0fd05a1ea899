//! Every reward that ships or that the grammar renders compiles, loads, and scores as it says.

#![allow(clippy::unwrap_used, clippy::panic)]

use std::path::Path;

use orchestrator::{
    domain::draft::Draft,
    proposer::{
        Background, Brief, Proposal, Proposer, Unkept,
        grammar::{Grammar, GrammarConfig},
        replay::Replay,
    },
    reward::base::base_rewards,
};
use sandbox::{Compiler, CompilerConfig, Limits, RewardFn, Sample, Sandbox, Verdict};

const PROMPT: &str = "tom buys 6 boxes of 49 pens . tom gives 52 away . how many pens are left ?";
const EXACT: &str =
    "<thinking> 6 * 49 = 294 . 294 - 52 = 242 . </thinking> <solution> 242 </solution>";
const ROUNDED: &str =
    "<thinking> 6 * 49 ~ 290 . 290 - 52 ~ 240 . </thinking> <solution> 240 </solution>";
const WRONG: &str = "<thinking> 6 + 49 = 55 . </thinking> <solution> 55 </solution>";
const NO_ANSWER: &str = "<thinking> 6 * 49 = 294 . </thinking> the answer is 294 .";

fn sample(completion: &'static str, verdict: &'static Verdict) -> Sample<'static> {
    Sample {
        prompt: PROMPT,
        completion,
        answer: "242",
        verdict,
        row: "",
    }
}

/// The verdict on an extracted answer.
fn says(extracted: &str) -> &'static Verdict {
    Box::leak(Box::new(Verdict {
        correct: extracted == "242",
        extracted: Some(extracted.to_owned()),
    }))
}

fn samples() -> [Sample<'static>; 5] {
    [
        sample(EXACT, says("242")),
        sample(ROUNDED, says("240")),
        sample(WRONG, says("55")),
        sample(NO_ANSWER, &Verdict::NO_ANSWER),
        sample("", &Verdict::NO_ANSWER),
    ]
}

struct Loader {
    compiler: Compiler,
    sandbox: Sandbox,
}

impl Loader {
    fn open() -> Self {
        Self {
            compiler: Compiler::new(CompilerConfig::default()).unwrap(),
            sandbox: Sandbox::new(Limits::default()).unwrap(),
        }
    }

    fn load(&self, draft: &Draft) -> RewardFn {
        self.compiler
            .compile(&draft.source)
            .and_then(|module| self.sandbox.load(&module))
            .unwrap_or_else(|error| panic!("{}: {error}\n{}", draft.name, draft.source.code))
    }

    fn scores(&self, draft: &Draft) -> Vec<f64> {
        self.load(draft).score(&samples()).unwrap()
    }
}

fn round_trip(proposer: &dyn Proposer, round: u32, count: usize, seed: u64) -> Proposal {
    let brief = Brief {
        round,
        count,
        seed,
        history: &[],
        problems: &[],
        format_hint: "",
        background: Background::NONE,
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    runtime.block_on(proposer.propose(brief, &Unkept)).unwrap()
}

#[test]
fn base_rewards_score_as_published() {
    let loader = Loader::open();
    let [exact, approximate, answer] = base_rewards().map(|draft| loader.scores(&draft));
    assert_eq!(exact, [3.0, 3.0, 3.0, 0.0, 0.0]);
    assert_eq!(approximate, [2.0, 2.0, 2.0, 0.5 + 0.5 - 1.0 - 1.0, -4.0]);
    assert_eq!(answer, [3.0, 1.0, -1.5, 0.0, 0.0]);

    let check = loader.load(&base_rewards()[2]);
    let guesses = ["242", "266", "267", "194", "193", "-242", "many"];
    let graded: Vec<f64> = guesses
        .iter()
        .map(|guess| check.score(&[sample("", says(guess))]).unwrap()[0])
        .collect();
    assert_eq!(graded, [3.0, 1.0, 0.5, 0.5, -1.5, -1.5, -1.5]);
}

#[test]
fn bad_rewards_are_bad_in_the_way_they_say() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/bad_rewards.jsonl");
    let drafts = round_trip(&Replay::from_jsonl(&path).unwrap(), 1, 10, 0).drafts;
    let loader = Loader::open();
    let scores: Vec<(&str, Vec<f64>)> = drafts
        .iter()
        .map(|draft| (draft.name.as_str(), loader.scores(draft)))
        .collect();
    let of = |name: &str| &scores.iter().find(|(n, _)| *n == name).unwrap().1;
    assert_eq!(scores.len(), 4);
    assert_eq!(*of("format_only"), [5.0, 5.0, 5.0, -1.0, -4.0]);
    assert_eq!(*of("constant"), [1.0; 5]);
    assert_eq!(*of("inverted"), [-2.8, -0.8, 1.7, 0.0, 0.0]);
    // 33 tokens: four tags, eleven marks, and the digits one by one.
    assert!(
        (of("length_only")[0] - 1.5).abs() < 0.3,
        "{:?}",
        of("length_only")
    );
    assert_eq!(of("length_only")[4], 0.0);
}

#[test]
fn rendered_recipes_compile_and_score() {
    let loader = Loader::open();
    let grammar = Grammar::new(GrammarConfig::default()).unwrap();
    let drafts: Vec<Draft> = (0..20)
        .flat_map(|seed| round_trip(&grammar, 1, 28, seed).drafts)
        .collect();
    // The first dozen as they come, then each that brings a measure not seen before.
    let mut missing: Vec<&str> = vec![
        "correct",
        "graded",
        "proximity",
        "within",
        "answered",
        "format",
        "tags_once",
        "bare_number",
        "valid_steps",
        "all_valid",
        "agreement",
        "uses_question",
        "chain",
        "steps",
        "concise",
        "thorough",
        "approximate",
        "repeats",
    ];
    for (index, draft) in drafts.iter().enumerate() {
        let wanted = missing.len();
        missing.retain(|id| !draft.source.code.contains(&format!("let {id}")));
        if index < 12 || missing.len() < wanted {
            let scores = loader.scores(draft);
            assert_eq!(scores.len(), 5, "{}", draft.name);
        }
    }
    assert!(missing.is_empty(), "no draw has {missing:?}");
}
