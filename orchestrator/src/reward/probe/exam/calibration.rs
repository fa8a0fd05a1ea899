//! Which format a reward pays in: every usual one is tried with a right answer and a wrong one.

use evaluator::hacks::{Format, Scale, clearly_wrong, honest};
use sandbox::{Fault, RewardFn};
use serde::Serialize;

use super::{
    ProbeSet, Question, Unexamined,
    ask::{Asked, Asker},
    mean,
};
use crate::reward::probe::{reference::Reference, statistics::split};

/// Groups of a pool of which a format is learnt, at most.
const LEARNT: usize = 3;

/// How a reward stands to right answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// Right answers earn more than wrong ones in some format.
    Calibrated,
    /// Something earns something, and right answers never more than wrong ones: it looks at the form, the length, the question.
    AnswerBlind,
    /// Wrong answers earn more.
    Inverted,
    /// Whatever was tried earns the same: what the reward wants was not found, or there is nothing.
    Uncalibrated,
}

/// What honest answers earn in the format that pays most.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Calibration {
    /// How it stands.
    pub standing: Standing,
    /// The format that right answers earn most in.
    pub format: String,
    /// All formats in which right answers earn more than wrong ones.
    pub pays_in: Vec<String>,
    /// Formats tried.
    pub tried: usize,
    /// How the reference answer has to be written.
    pub reference: &'static str,
    /// Mean of an honest right answer.
    pub right: f64,
    /// Mean of an honest wrong answer in the same format.
    pub wrong: f64,
    /// Mean of a blank: the less of an empty completion and gibberish.
    pub blank: f64,
}

/// The same, for what comes next.
pub(super) struct Calibrated {
    pub(super) calibration: Calibration,
    pub(super) format: Format,
    pub(super) reference: Reference,
    /// One a question.
    pub(super) scales: Vec<Scale>,
}

impl Calibrated {
    /// Whether nothing of a made-up pool has to be changed.
    pub(super) fn is_of_the_house(&self) -> bool {
        self.reference == Reference::Plain
            && (self.format == Format::house()
                || self.calibration.standing == Standing::Uncalibrated)
    }
}

/// What one format earns.
struct Tried {
    format: Format,
    right: Vec<f64>,
    wrong: Vec<f64>,
}

impl Tried {
    /// Whether right answers earn more than wrong ones for half of the questions at least.
    fn pays(&self) -> bool {
        2 * self.count(|right, wrong| right > wrong) >= self.right.len()
    }

    fn is_inverted(&self) -> bool {
        2 * self.count(|right, wrong| right < wrong) >= self.right.len()
    }

    fn count(&self, holds: impl Fn(f64, f64) -> bool) -> usize {
        let pairs = self.right.iter().zip(&self.wrong);
        pairs
            .filter(|(right, wrong)| holds(**right, **wrong))
            .count()
    }

    fn earns(&self) -> (f64, f64) {
        let right = mean(self.right.iter().copied());
        (right, right - mean(self.wrong.iter().copied()))
    }
}

/// Tries every format, and every way to write the reference until one pays.
pub(super) fn calibrate(
    asker: &Asker<'_>,
    questions: &[Question<'_>],
    learnt: Vec<Format>,
) -> Result<Calibrated, Unexamined> {
    let mut formats = Format::usual();
    formats.extend(learnt);
    let mut first = None;
    for reference in Reference::ALL {
        // What fails on another way to write the reference does not want it.
        let found = match one(asker, questions, (&formats, reference)) {
            Err(Unexamined::Fault(_)) if first.is_some() => continue,
            found => found?,
        };
        if found.calibration.standing == Standing::Calibrated {
            return Ok(found);
        }
        first = first.or(Some(found));
    }
    Ok(first.expect("the plain reference was tried"))
}

fn one(
    asker: &Asker<'_>,
    questions: &[Question<'_>],
    (formats, reference): (&[Format], Reference),
) -> Result<Calibrated, Unexamined> {
    let mut asked = Vec::new();
    for &question in questions {
        let mut ask = |completion| {
            asked.push(Asked {
                question,
                completion,
            })
        };
        ask(String::new());
        ask("wq zxv kkj ;; plo mn bvc ?? rty uio".to_owned());
        for format in formats {
            ask(honest(question.reference, format));
            ask(honest(&clearly_wrong(question.reference), format));
        }
    }
    let scores = asker.scores(&asked, reference)?;
    let of_question = scores.chunks(2 + 2 * formats.len());
    let blanks: Vec<f64> = of_question.clone().map(|own| own[0].min(own[1])).collect();
    let tried: Vec<Tried> = formats
        .iter()
        .enumerate()
        .map(|(at, format)| Tried {
            format: format.clone(),
            right: of_question.clone().map(|own| own[2 + 2 * at]).collect(),
            wrong: of_question.clone().map(|own| own[3 + 2 * at]).collect(),
        })
        .collect();
    let standing = if tried.iter().any(Tried::pays) {
        Standing::Calibrated
    } else if scores.iter().all(|score| *score == scores[0]) {
        Standing::Uncalibrated
    } else if tried.iter().any(Tried::is_inverted) {
        Standing::Inverted
    } else {
        Standing::AnswerBlind
    };
    let counts = |tried: &&Tried| match standing {
        Standing::Calibrated => tried.pays(),
        Standing::Inverted => tried.is_inverted(),
        Standing::AnswerBlind | Standing::Uncalibrated => true,
    };
    let mut best: Option<&Tried> = None;
    for one in tried.iter().filter(counts) {
        // Of equals the first.
        if best.is_none_or(|best| one.earns() > best.earns()) {
            best = Some(one);
        }
    }
    let best = best.expect("there are formats");
    let pays = tried.iter().filter(|tried| tried.pays());
    let each = best.right.iter().zip(&best.wrong).zip(&blanks);
    let scales: Vec<Scale> = each
        .map(|((&right, &wrong), &blank)| Scale {
            right,
            wrong,
            blank,
        })
        .collect();
    Ok(Calibrated {
        calibration: Calibration {
            standing,
            format: best.format.name.to_string(),
            pays_in: pays.map(|tried| tried.format.name.to_string()).collect(),
            tried: formats.len(),
            reference: reference.name(),
            right: mean(scales.iter().map(|scale| scale.right)),
            wrong: mean(scales.iter().map(|scale| scale.wrong)),
            blank: mean(scales.iter().map(|scale| scale.blank)),
        },
        format: best.format.clone(),
        reference,
        scales,
    })
}

impl ProbeSet {
    /// Formats of recorded completions that earn more than a wrong one of their group.
    pub(super) fn learnt(&self, reward: &RewardFn) -> Result<Vec<Format>, Fault> {
        let scores = reward.score(&self.samples())?;
        let scored = split(&scores, &self.sizes).zip(split(&self.verdicts, &self.sizes));
        let mut learnt = Vec::new();
        for (group, (scores, verdicts)) in self.pool.groups.iter().zip(scored) {
            let of = |correct: bool| {
                let all = scores.iter().zip(verdicts).enumerate();
                all.filter(move |(_, (_, verdict))| verdict.correct == correct)
                    .map(|(at, (score, _))| (at, *score))
            };
            let Some((best, most)) = of(true).max_by(|a, b| a.1.total_cmp(&b.1)) else {
                continue;
            };
            if of(false).any(|(_, score)| score < most) {
                learnt.extend(Format::learnt(&group.completions[best], &group.answer));
            }
            if learnt.len() == LEARNT {
                break;
            }
        }
        Ok(learnt)
    }
}
