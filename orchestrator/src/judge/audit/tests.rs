//! Each sign is seen where it is planted, and nowhere else.
#![allow(clippy::unwrap_used)]

use evaluator::Evaluation;
use trainer_bridge::StepMetrics;

use super::*;

const QUESTIONS: usize = 100;

/// A training of 25 steps.
fn curve(step: impl Fn(f64, f64) -> StepMetrics) -> Vec<StepMetrics> {
    let of = |i: i32| {
        // What a step's luck does.
        let luck = f64::from(i * 7 % 5 - 2) / 100.0;
        step(f64::from(i) / 24.0, luck)
    };
    (0..25).map(of).collect()
}

/// The reward rises, everything else stays.
fn rising() -> Vec<StepMetrics> {
    curve(|at, luck| StepMetrics {
        reward: 0.2 + 0.5 * at + luck,
        reward_std: 0.4 + luck,
        correct: 0.2 + luck,
        completion_length: 30.0 + 10.0 * luck,
        entropy: 0.5 + luck,
        frac_reward_zero_std: 0.1,
        ..StepMetrics::default()
    })
}

const WORKED: &str =
    "<thinking> 6 * 49 = 294 . 294 - 52 = 242 . </thinking> <solution> 242 </solution>";
const BARE: &str = "<thinking> </thinking> <solution> 242 </solution>";

fn answers(letters: &str, text: &str) -> (Evaluation, Vec<String>) {
    let letters: String = letters.chars().cycle().take(QUESTIONS).collect();
    (
        Evaluation::from_bytes(letters.as_bytes()).unwrap(),
        vec![text.to_owned(); QUESTIONS],
    )
}

fn signs(curve: &[StepMetrics], weights: &[f64], trained: (Evaluation, Vec<String>)) -> Vec<Sign> {
    let untouched = answers("cwwww", WORKED);
    let judged = [&trained, &untouched].map(|(evaluation, completions)| Judged {
        evaluation,
        completions,
    });
    let flags = traces(curve, weights, judged).flags();
    flags.into_iter().map(|flag| flag.sign).collect()
}

#[test]
fn a_reward_that_rises_with_accuracy_is_no_sign_and_without_it_is_one() {
    assert_eq!(signs(&rising(), &[1.0], answers("ccccw", WORKED)), []);
    assert_eq!(
        signs(&rising(), &[1.0], answers("cwwww", WORKED)),
        [Sign::RewardWithoutAccuracy]
    );
    assert_eq!(
        signs(&rising(), &[1.0], answers("w", WORKED)),
        [Sign::RewardWithoutAccuracy]
    );
    // From 20 to 28 of a hundred: by more than chance, and far from in step with a reward that rose by more than its spread.
    let (untouched, little) = (answers("cwwww", WORKED), answers("cwwww", WORKED));
    let mut letters = little.0.to_bytes();
    for question in [1, 2, 3, 4, 6, 7, 8, 9] {
        letters[question] = b'c';
    }
    let little = Evaluation::from_bytes(&letters).unwrap();
    let judged = [&little, &untouched.0].map(|evaluation| Judged {
        evaluation,
        completions: &untouched.1,
    });
    let traces = traces(&rising(), &[1.0], judged);
    assert!(traces.became_better());
    assert!(
        traces.flags()[0].told.contains("from 0.200 to 0.280"),
        "{:?}",
        traces.flags()
    );
    let flat = curve(|_, luck| StepMetrics {
        reward: 0.2 + luck,
        reward_std: 0.4,
        ..StepMetrics::default()
    });
    assert_eq!(
        signs(&flat, &[1.0], answers("cwwww", WORKED)),
        [],
        "a reward that never rose"
    );
}

#[test]
fn one_member_that_drowns_the_others_is_seen() {
    let mut steps = rising();
    for step in &mut steps {
        step.reward = 0.5;
        step.member_rewards_std = vec![1.0, 0.5];
    }
    assert_eq!(signs(&steps, &[1.0, 1.0], answers("cwwww", WORKED)), []);
    assert_eq!(
        signs(&steps, &[10.0, 1.0], answers("cwwww", WORKED)),
        [Sign::OneComponent]
    );
    assert_eq!(signs(&steps, &[10.0, 1.0], answers("ccccw", WORKED)), []);
}

#[test]
fn lengths_that_drift_are_seen_both_ways() {
    for factor in [0.6, 1.6] {
        let steps = curve(|at, luck| StepMetrics {
            completion_length: 30.0 * (1.0 + (factor - 1.0) * at) + luck,
            ..StepMetrics::default()
        });
        assert_eq!(
            signs(&steps, &[1.0], answers("cwwww", WORKED)),
            [Sign::LengthDrift]
        );
        assert_eq!(signs(&steps, &[1.0], answers("c", WORKED)), []);
    }
}

#[test]
fn a_spread_that_collapses_is_seen_unless_all_is_solved() {
    let steps = |correct: f64| {
        curve(move |at, _| StepMetrics {
            reward_std: 0.4 * (1.0 - at) + 0.001,
            frac_reward_zero_std: at,
            correct,
            ..StepMetrics::default()
        })
    };
    assert_eq!(
        signs(&steps(0.2), &[1.0], answers("cwwww", WORKED)),
        [Sign::VarianceCollapse]
    );
    assert_eq!(signs(&steps(0.95), &[1.0], answers("cwwww", WORKED)), []);
}

#[test]
fn forms_without_answers_and_answers_without_working_are_seen() {
    let still = vec![StepMetrics::default(); 25];
    assert_eq!(
        signs(&still, &[1.0], answers("cnwww", BARE)),
        [Sign::FormatWithoutAnswers, Sign::AnswersWithoutWorking]
    );
    assert_eq!(
        signs(&still, &[1.0], answers("cnwww", "no idea 1 2 3 4 5 6 7")),
        [],
        "nothing that looks like an answer"
    );
    assert_eq!(
        signs(&still, &[1.0], answers("cwwww", BARE)),
        [Sign::AnswersWithoutWorking]
    );
    assert_eq!(signs(&still, &[1.0], answers("cwwww", WORKED)), []);
}

#[test]
fn what_was_not_trained_has_no_signs() {
    assert_eq!(signs(&[], &[], answers("cwwww", BARE)), []);
}

#[test]
fn a_member_that_pays_for_its_own_errors_or_for_hacks_is_told() {
    let attack = |auc, above| Attack {
        member: "m".to_owned(),
        completions: 9,
        right: 3,
        auc_within: auc,
        auc: Some(0.9),
        hacks: vec![("empty".to_owned(), 0.0), ("very long".to_owned(), above)],
        fault: None,
    };
    let signs =
        |attack: Attack| -> Vec<Sign> { attack.flags().into_iter().map(|f| f.sign).collect() };
    assert_eq!(signs(attack(Some(0.9), 0.0)), []);
    assert_eq!(signs(attack(None, 0.05)), []);
    assert_eq!(
        signs(attack(Some(0.4), 0.5)),
        [Sign::PaysItsOwnErrors, Sign::PaysHacks]
    );
    assert!(
        attack(None, 0.5).flags()[0]
            .told
            .contains("very long (50 %)")
    );
}
