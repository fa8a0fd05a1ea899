//! The eight templates, their numbers, and the split a problem falls into.

use rand::{Rng, RngExt, seq::IndexedRandom};
use sha2::{Digest, Sha256};

use super::working::{Op, Operand, Plan, Working};
use crate::dataset::problem::Split;

pub(super) const NAMES: [&str; 6] = ["tom", "ana", "sam", "lily", "ben", "mia"];
pub(super) const ITEMS: [&str; 6] = ["apples", "pens", "books", "coins", "eggs", "cards"];

/// The smallest answer, so that rounding to tens stays within ten per cent of it.
const SMALLEST_ANSWER: u32 = 60;

/// A question with holes: `{n}` and `{m}` are two different names, `{it}` the items, `{0}`… the
/// numbers.
pub(super) struct Template {
    pub text: &'static str,
    /// The inclusive range of each number.
    ranges: &'static [(u32, u32)],
    plan: Plan,
}

/// The number at this place of the question.
const fn n(index: usize) -> Operand {
    Operand::Number(index)
}

/// The result of this earlier step.
const fn r(step: usize) -> Operand {
    Operand::Result(step)
}

pub(super) const TEMPLATES: [Template; 8] = [
    Template {
        text: "{n} has {0} {it} . {n} gets {1} more . {n} gives {2} away . how many {it} are left ?",
        ranges: &[(60, 300), (20, 90), (20, 90)],
        plan: &[(n(0), Op::Add, n(1)), (r(0), Op::Subtract, n(2))],
    },
    Template {
        text: "{0} boxes hold {1} {it} each . {n} takes {2} out . how many {it} are left ?",
        ranges: &[(3, 9), (12, 60), (12, 60)],
        plan: &[(n(0), Op::Multiply, n(1)), (r(0), Op::Subtract, n(2))],
    },
    Template {
        text: "{n} has {0} {it} . {m} has {1} times as many . how many {it} in all ?",
        ranges: &[(12, 60), (3, 9)],
        plan: &[(n(0), Op::Multiply, n(1)), (r(0), Op::Add, n(0))],
    },
    Template {
        text: "{n} buys {0} {it} for {1} dollars each and {2} bags for {3} dollars each . \
               how many dollars in all ?",
        ranges: &[(3, 9), (12, 40), (3, 9), (12, 40)],
        plan: &[
            (n(0), Op::Multiply, n(1)),
            (n(2), Op::Multiply, n(3)),
            (r(0), Op::Add, r(1)),
        ],
    },
    Template {
        text: "{n} has {0} {it} . {m} has {1} more . how many {it} in all ?",
        ranges: &[(40, 250), (20, 90)],
        plan: &[(n(0), Op::Add, n(1)), (r(0), Op::Add, n(0))],
    },
    Template {
        text: "{n} gets {0} {it} every day for {1} days . {n} then gets {2} more and gives {3} away . \
               how many {it} are left ?",
        ranges: &[(12, 60), (3, 9), (20, 90), (12, 60)],
        plan: &[
            (n(0), Op::Multiply, n(1)),
            (r(0), Op::Add, n(2)),
            (r(1), Op::Subtract, n(3)),
        ],
    },
    Template {
        text: "there are {0} {it} . {n} takes {1} . {m} takes {2} . how many {it} are left ?",
        ranges: &[(150, 500), (20, 90), (20, 90)],
        plan: &[(n(0), Op::Subtract, n(1)), (r(0), Op::Subtract, n(2))],
    },
    Template {
        text: "{n} has {0} bags and {m} has {1} bags . every bags hold {2} {it} . {n} loses {3} {it} . \
               how many {it} are left ?",
        ranges: &[(2, 5), (2, 5), (12, 60), (12, 60)],
        plan: &[
            (n(0), Op::Add, n(1)),
            (r(0), Op::Multiply, n(2)),
            (r(1), Op::Subtract, n(3)),
        ],
    },
];

/// A template with its holes filled.
pub(super) struct Instance {
    template: usize,
    numbers: Vec<u32>,
    names: [&'static str; 2],
    items: &'static str,
}

impl Instance {
    /// Draws a problem of `split`, uniformly over templates, by rejection.
    pub fn draw(split: Split, rng: &mut impl Rng) -> Self {
        loop {
            let instance = Self::draw_any(rng);
            if instance.in_bounds() && instance.split() == split {
                return instance;
            }
        }
    }

    fn draw_any(rng: &mut impl Rng) -> Self {
        let template = rng.random_range(0..TEMPLATES.len());
        let numbers = TEMPLATES[template]
            .ranges
            .iter()
            .map(|&(low, high)| rng.random_range(low..=high))
            .collect();
        let first = rng.random_range(0..NAMES.len());
        let step = rng.random_range(1..NAMES.len());
        Self {
            template,
            numbers,
            names: [NAMES[first], NAMES[(first + step) % NAMES.len()]],
            items: ITEMS.choose(rng).expect("there are items"),
        }
    }

    fn in_bounds(&self) -> bool {
        let working = self.working();
        working.is_bounded() && working.result() >= SMALLEST_ANSWER
    }

    /// Decided by template and numbers alone, so that a held-out problem is held out under any name.
    fn split(&self) -> Split {
        let numbers: Vec<String> = self.numbers.iter().map(u32::to_string).collect();
        let key = format!("{}:{}", self.template, numbers.join(","));
        // 26 of 256 values are 10.2 %.
        match Sha256::digest(key.as_bytes())[0] {
            0..26 => Split::Test,
            26..52 => Split::Dev,
            _ => Split::Train,
        }
    }

    pub fn question(&self) -> String {
        let fill = |word: &'static str| -> String {
            match word {
                "{n}" => self.names[0].to_owned(),
                "{m}" => self.names[1].to_owned(),
                "{it}" => self.items.to_owned(),
                "{0}" => self.numbers[0].to_string(),
                "{1}" => self.numbers[1].to_string(),
                "{2}" => self.numbers[2].to_string(),
                "{3}" => self.numbers[3].to_string(),
                plain => plain.to_owned(),
            }
        };
        let words: Vec<String> = TEMPLATES[self.template].text.split(' ').map(fill).collect();
        words.join(" ")
    }

    /// The numbers of the question, in order.
    pub fn numbers(&self) -> &[u32] {
        &self.numbers
    }

    pub fn plan(&self) -> Plan {
        TEMPLATES[self.template].plan
    }

    /// The right working.
    pub fn working(&self) -> Working {
        Working::exact(self.plan(), &self.numbers)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn instance(template: usize, numbers: &[u32]) -> Instance {
        Instance {
            template,
            numbers: numbers.to_vec(),
            names: ["tom", "ana"],
            items: "apples",
        }
    }

    #[test]
    fn each_template_means_what_its_question_asks() {
        let cases: [(&[u32], u32); 8] = [
            (&[100, 30, 20], 110),
            (&[6, 49, 52], 242),
            (&[20, 4], 100),
            (&[3, 20, 4, 15], 120),
            (&[100, 20], 220),
            (&[20, 5, 30, 12], 118),
            (&[200, 30, 40], 130),
            (&[2, 3, 20, 15], 85),
        ];
        for (template, (numbers, answer)) in cases.into_iter().enumerate() {
            assert_eq!(instance(template, numbers).working().result(), answer);
        }
    }

    #[test]
    fn a_question_reads_as_documented() {
        assert_eq!(
            instance(1, &[6, 49, 52]).question(),
            "6 boxes hold 49 apples each . tom takes 52 out . how many apples are left ?"
        );
    }
}
