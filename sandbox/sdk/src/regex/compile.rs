//! Trees as programs for a small machine.

use super::RegexError;
use super::class::Class;
use super::parse::{Assertion, Node, Parsed};

/// A step of the machine. Positions are indexes into the program.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Step {
    /// This byte, then on.
    Byte(u8),
    /// One character of the set with this number, then on.
    Set(usize),
    /// This one first, the other if that fails.
    Split(usize, usize),
    Jump(usize),
    /// Notes the position in a slot.
    Save(usize),
    Assert(Assertion),
    Match,
}

/// Characters as a bit map for ASCII and ranges for the rest.
#[derive(Debug, Clone)]
pub(crate) struct Set {
    ascii: u128,
    others: Vec<(char, char)>,
    others_negated: bool,
}

impl Set {
    fn new(class: &Class) -> Self {
        let mut ascii = 0_u128;
        for (low, high) in &class.ranges {
            for byte in (*low as u32)..=(*high as u32).min(127) {
                ascii |= 1 << byte;
            }
        }
        let others = class
            .ranges
            .iter()
            .copied()
            .filter(|(_, high)| !high.is_ascii())
            .collect();
        Self {
            ascii: if class.negated { !ascii } else { ascii },
            others,
            others_negated: class.negated,
        }
    }

    pub(crate) const fn has_ascii(&self, byte: u8) -> bool {
        self.ascii >> byte & 1 == 1
    }

    pub(crate) fn has_other(&self, c: char) -> bool {
        self.others
            .iter()
            .any(|(low, high)| (*low..=*high).contains(&c))
            != self.others_negated
    }
}

/// A compiled pattern.
#[derive(Debug, Clone)]
pub(crate) struct Program {
    pub(crate) steps: Vec<Step>,
    pub(crate) sets: Vec<Set>,
    /// Two a group.
    pub(crate) slots: usize,
    pub(crate) names: Vec<(String, usize)>,
    /// Whether a match can start with this byte; `None` if it can be empty.
    pub(crate) first: Option<Box<[bool; 256]>>,
    /// It can only match at the start of the text.
    pub(crate) anchored: bool,
}

const MOST_STEPS: usize = 10_000;

/// Compiles a tree.
pub(crate) fn compile(parsed: &Parsed) -> Result<Program, RegexError> {
    let mut compiler = Compiler {
        steps: Vec::new(),
        sets: Vec::new(),
    };
    compiler.group(0, &parsed.node)?;
    compiler.push(Step::Match)?;
    let Compiler { steps, sets } = compiler;
    let mut program = Program {
        steps,
        sets,
        slots: parsed.groups * 2,
        names: parsed.names.clone(),
        first: None,
        anchored: false,
    };
    program.anchored = matches!(
        program.steps.get(1),
        Some(Step::Assert(Assertion::TextStart))
    );
    program.first = first_bytes(&program);
    Ok(program)
}

struct Compiler {
    steps: Vec<Step>,
    sets: Vec<Set>,
}

impl Compiler {
    fn push(&mut self, step: Step) -> Result<usize, RegexError> {
        if self.steps.len() >= MOST_STEPS {
            return Err(RegexError {
                message: "the pattern is too large",
                position: 0,
            });
        }
        self.steps.push(step);
        Ok(self.steps.len() - 1)
    }

    fn node(&mut self, node: &Node) -> Result<(), RegexError> {
        match node {
            Node::Empty => {}
            Node::Char(c) => {
                for byte in c.encode_utf8(&mut [0; 4]).bytes() {
                    self.push(Step::Byte(byte))?;
                }
            }
            Node::Class(class) => {
                self.sets.push(Set::new(class));
                self.push(Step::Set(self.sets.len() - 1))?;
            }
            Node::Assert(assertion) => {
                self.push(Step::Assert(*assertion))?;
            }
            Node::Group(number, inner) => self.group(*number, inner)?,
            Node::Sequence(all) => {
                for node in all {
                    self.node(node)?;
                }
            }
            Node::Either(all) => self.either(all)?,
            Node::Repeat {
                node,
                least,
                most,
                greedy,
            } => self.repeat(node, *least, *most, *greedy)?,
        }
        Ok(())
    }

    fn group(&mut self, number: usize, inner: &Node) -> Result<(), RegexError> {
        self.push(Step::Save(number * 2))?;
        self.node(inner)?;
        self.push(Step::Save(number * 2 + 1))?;
        Ok(())
    }

    fn either(&mut self, all: &[Node]) -> Result<(), RegexError> {
        let Some((last, others)) = all.split_last() else {
            return Ok(());
        };
        let mut jumps = Vec::new();
        for node in others {
            let split = self.push(Step::Match)?;
            self.node(node)?;
            jumps.push(self.push(Step::Match)?);
            self.steps[split] = Step::Split(split + 1, self.steps.len());
        }
        self.node(last)?;
        let end = self.steps.len();
        for jump in jumps {
            self.steps[jump] = Step::Jump(end);
        }
        Ok(())
    }

    fn repeat(
        &mut self,
        node: &Node,
        least: u32,
        most: Option<u32>,
        greedy: bool,
    ) -> Result<(), RegexError> {
        let split = |yes, no| {
            if greedy {
                Step::Split(yes, no)
            } else {
                Step::Split(no, yes)
            }
        };
        let Some(most) = most else {
            return self.at_least(node, least, split);
        };
        for _ in 0..least {
            self.node(node)?;
        }
        let mut splits = Vec::new();
        for _ in least..most {
            splits.push(self.push(Step::Match)?);
            self.node(node)?;
        }
        let end = self.steps.len();
        for start in splits {
            self.steps[start] = split(start + 1, end);
        }
        Ok(())
    }

    /// A repeat without end. One that may go round without consuming anything must be left after such a round, and in the
    /// order of preference of the `regex` crate: `x*` is then `(x+)?`, and `x+` asks whether to go on after each `x`.
    fn at_least(
        &mut self,
        node: &Node,
        least: u32,
        split: impl Fn(usize, usize) -> Step,
    ) -> Result<(), RegexError> {
        if least == 0 && !can_be_empty(node) {
            let start = self.push(Step::Match)?;
            self.node(node)?;
            self.push(Step::Jump(start))?;
            self.steps[start] = split(start + 1, self.steps.len());
            return Ok(());
        }
        let optional = if least == 0 {
            Some(self.push(Step::Match)?)
        } else {
            None
        };
        for _ in 1..least {
            self.node(node)?;
        }
        let start = self.steps.len();
        self.node(node)?;
        let end = self.push(Step::Match)?;
        self.steps[end] = split(start, end + 1);
        if let Some(optional) = optional {
            self.steps[optional] = split(optional + 1, end + 1);
        }
        Ok(())
    }
}

/// Whether a tree may match the empty text.
fn can_be_empty(node: &Node) -> bool {
    match node {
        Node::Empty | Node::Assert(_) => true,
        Node::Char(_) | Node::Class(_) => false,
        Node::Group(_, inner) => can_be_empty(inner),
        Node::Sequence(all) => all.iter().all(can_be_empty),
        Node::Either(all) => all.iter().any(can_be_empty),
        Node::Repeat { node, least, .. } => *least == 0 || can_be_empty(node),
    }
}

/// The bytes a match can start with, found by following all ways that consume nothing.
fn first_bytes(program: &Program) -> Option<Box<[bool; 256]>> {
    let mut first = Box::new([false; 256]);
    let mut seen = vec![false; program.steps.len()];
    let mut ways = vec![0];
    while let Some(at) = ways.pop() {
        if std::mem::replace(&mut seen[at], true) {
            continue;
        }
        match program.steps[at] {
            Step::Byte(byte) => first[usize::from(byte)] = true,
            Step::Set(set) => {
                for byte in 0..=255_u8 {
                    // Which character a byte beyond ASCII begins is for the search to find out.
                    first[usize::from(byte)] |=
                        !byte.is_ascii() || program.sets[set].has_ascii(byte);
                }
            }
            Step::Split(a, b) => ways.extend([a, b]),
            Step::Jump(to) => ways.push(to),
            Step::Save(_) | Step::Assert(_) => ways.push(at + 1),
            Step::Match => return None,
        }
    }
    Some(first)
}
