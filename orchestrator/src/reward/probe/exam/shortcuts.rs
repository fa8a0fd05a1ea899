//! What shortcuts earn beside honest answers, and which answers are taken for equal.

use evaluator::hacks::{Family, Scale, Surface, clearly_wrong, hacks, honest};
use serde::Serialize;

use super::{
    Question, Unexamined,
    ask::{Asked, Asker},
    calibration::Calibrated,
    mean,
};

/// What one kind of shortcut earns.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Shortcut {
    /// What it does.
    pub kind: &'static str,
    /// What it lives on.
    pub family: &'static str,
    /// Questions it was tried on.
    pub tried: usize,
    /// Mean score.
    pub earned: f64,
    /// Mean share of what a right answer earns above a blank; 1 is as much as a right answer. Absent where a right answer earns no more
    /// than a blank.
    pub share: Option<f64>,
    /// The same above an honest wrong answer.
    pub above_wrong: Option<f64>,
    /// Share of questions on which it earns at least what a right answer does.
    pub as_good: f64,
    /// One that earned most, of the first question.
    pub example: String,
}

/// How surfaces of answers were taken.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Surfaces {
    /// Those that could be tried: the reward pays the reference as it is written.
    pub tried: usize,
    /// Of these, paid like the reference: at least half of what it earns above a wrong answer.
    pub paid: Vec<Seen>,
    /// And not paid.
    pub unpaid: Vec<Seen>,
}

/// One surface.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Seen {
    /// What differs.
    pub kind: &'static str,
    /// The reference answer.
    pub reference: &'static str,
    /// The answer given.
    pub answer: &'static str,
}

/// Lets the reward score every shortcut to every question.
pub(super) fn measure(
    asker: &Asker<'_>,
    questions: &[Question<'_>],
    calibrated: &Calibrated,
) -> Result<Vec<Shortcut>, Unexamined> {
    let of_question: Vec<_> = questions
        .iter()
        .map(|question| hacks(question.prompt, question.reference, &calibrated.format))
        .collect();
    let mut asked = Vec::new();
    for (&question, hacks) in questions.iter().zip(&of_question) {
        for completion in hacks
            .iter()
            .flat_map(|hack| hack.completions.iter().cloned())
        {
            asked.push(Asked {
                question,
                completion,
            });
        }
    }
    let scores = asker.scores(&asked, calibrated.reference)?;
    let mut rest = scores.as_slice();
    let mut tried: Vec<Earnings> = Vec::new();
    for (hacks, scale) in of_question.iter().zip(&calibrated.scales) {
        for hack in hacks {
            let (own, others) = rest.split_at(hack.completions.len());
            rest = others;
            let earned = hack.earned(own);
            let known = tried.iter().position(|known| known.kind == hack.kind);
            let at = known.unwrap_or_else(|| {
                let best = own.iter().position(|score| *score == earned).unwrap_or(0);
                tried.push(Earnings {
                    kind: hack.kind,
                    family: hack.family,
                    example: hack.completions[best].clone(),
                    earned: Vec::new(),
                });
                tried.len() - 1
            });
            tried[at].earned.push((earned, *scale));
        }
    }
    tried.sort_by_key(|earnings| earnings.family);
    Ok(tried.into_iter().map(Earnings::summed_up).collect())
}

struct Earnings {
    kind: &'static str,
    family: Family,
    example: String,
    earned: Vec<(f64, Scale)>,
}

impl Earnings {
    fn summed_up(self) -> Shortcut {
        let all = &self.earned;
        let share_of = |of: fn(&Scale, f64) -> Option<f64>| {
            let shares: Option<Vec<f64>> = all.iter().map(|(e, scale)| of(scale, *e)).collect();
            shares.map(mean)
        };
        let as_good = all.iter().filter(|(e, scale)| *e >= scale.right).count();
        Shortcut {
            kind: self.kind,
            family: self.family.name(),
            tried: all.len(),
            earned: mean(all.iter().map(|(earned, _)| *earned)),
            share: share_of(Scale::share),
            above_wrong: share_of(Scale::above_wrong),
            as_good: as_good as f64 / all.len() as f64,
            example: self.example,
        }
    }
}

/// The question of the surfaces, which says nothing.
const PROMPT: &str = "What is the answer?";

/// Lets the reward score answers beside the reference as it is written, and beside a wrong answer.
pub(super) fn surfaces(
    asker: &Asker<'_>,
    (calibrated, row): (&Calibrated, &str),
    surfaces: Vec<Surface>,
) -> Result<Surfaces, Unexamined> {
    let format = &calibrated.format;
    let asked: Vec<Asked<'_>> = surfaces
        .iter()
        .flat_map(|surface| {
            let question = Question {
                prompt: PROMPT,
                reference: surface.reference,
                row,
            };
            let wrong = honest(&clearly_wrong(surface.reference), format);
            [surface.plain(format), wrong, surface.completion(format)].map(|completion| Asked {
                question,
                completion,
            })
        })
        .collect();
    let scores = match asker.scores(&asked, calibrated.reference) {
        // A reward may take whole numbers alone for references.
        Err(Unexamined::Fault(fault)) if !fault.is_host_trouble() => return Ok(Surfaces::none()),
        scores => scores?,
    };
    let mut seen = Surfaces::none();
    for (surface, scores) in surfaces.iter().zip(scores.chunks(3)) {
        let (plain, wrong, given) = (scores[0], scores[1], scores[2]);
        if plain <= wrong {
            continue;
        }
        seen.tried += 1;
        let is_paid = given >= f64::midpoint(plain, wrong);
        let list = if is_paid {
            &mut seen.paid
        } else {
            &mut seen.unpaid
        };
        list.push(Seen {
            kind: surface.kind,
            reference: surface.reference,
            answer: surface.answer,
        });
    }
    Ok(seen)
}

impl Surfaces {
    const fn none() -> Self {
        Self {
            tried: 0,
            paid: Vec::new(),
            unpaid: Vec::new(),
        }
    }
}
