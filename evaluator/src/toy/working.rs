//! The arithmetic steps that lead from the numbers of a question to its answer.

/// The largest number a problem may contain.
pub(super) const LARGEST: u32 = 999;

/// One of the three operations.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Op {
    Add,
    Subtract,
    Multiply,
}

impl Op {
    pub const ALL: [Self; 3] = [Self::Add, Self::Subtract, Self::Multiply];

    /// Subtraction takes the distance: a wrong working may subtract the larger number, and the task
    /// has no negative ones.
    pub fn apply(self, a: u32, b: u32) -> u32 {
        match self {
            Self::Add => a + b,
            Self::Subtract => a.abs_diff(b),
            Self::Multiply => a * b,
        }
    }

    pub fn symbol(self) -> &'static str {
        match self {
            Self::Add => "+",
            Self::Subtract => "-",
            Self::Multiply => "*",
        }
    }
}

/// Where a step takes a number from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Operand {
    /// This number of the question.
    Number(usize),
    /// The result of this earlier step.
    Result(usize),
}

/// The steps of a template, first to last.
pub(super) type Plan = &'static [(Operand, Op, Operand)];

/// One worked step, `a op b = result`; the result need not be right.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Step {
    pub a: u32,
    pub op: Op,
    pub b: u32,
    pub result: u32,
}

/// A plan carried out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Working {
    pub steps: Vec<Step>,
}

impl Working {
    /// Carries the plan out without error.
    pub fn exact(plan: Plan, numbers: &[u32]) -> Self {
        Self::with(plan, numbers, |_, _| {})
    }

    /// Carries the plan out; `change` may alter each step (given with its index) before later steps
    /// build on its result.
    pub fn with(plan: Plan, numbers: &[u32], mut change: impl FnMut(usize, &mut Step)) -> Self {
        let mut steps: Vec<Step> = Vec::with_capacity(plan.len());
        for (index, &(a, op, b)) in plan.iter().enumerate() {
            let value = |operand| match operand {
                Operand::Number(i) => numbers[i],
                Operand::Result(i) => steps[i].result,
            };
            let (a, b) = (value(a), value(b));
            let mut step = Step {
                a,
                op,
                b,
                result: op.apply(a, b),
            };
            change(index, &mut step);
            steps.push(step);
        }
        Self { steps }
    }

    /// The result of the last step.
    pub fn result(&self) -> u32 {
        self.steps.last().expect("a plan has steps").result
    }

    /// The result of the first step.
    pub fn first_result(&self) -> u32 {
        self.steps.first().expect("a plan has steps").result
    }

    /// Whether every result lies in `1..=999`.
    pub fn is_bounded(&self) -> bool {
        self.steps.iter().all(|s| (1..=LARGEST).contains(&s.result))
    }
}
