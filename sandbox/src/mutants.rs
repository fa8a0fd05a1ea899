//! Small changes to a reward's source, each in one place. This file makes those of Rust; those of Python are made in the guest
//! (`guest-python/mutants.py`), which has Python's parser.

use std::ops::Range;

use syn::spanned::Spanned as _;
use syn::visit::{self, Visit};
use syn::{BinOp, Expr, ExprBinary, ExprIf, ExprLit, ExprRepeat, ExprUnary, Lit, UnOp};

use crate::source::Source;

/// Characters of a changed expression that are shown.
const SHOWN: usize = 60;

/// A reward with a change in one place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mutant {
    /// The line of the change, from 1.
    pub line: usize,
    /// What becomes what, in words.
    pub change: String,
    /// The whole source as changed. It may not compile.
    pub source: Source,
}

/// Changes to a source in Rust, at most so many, spread over it.
pub(crate) fn of_rust(code: &str, most: u32) -> Vec<Mutant> {
    let Ok(file) = syn::parse_file(code) else {
        return Vec::new();
    };
    let mut changes = Changes {
        code,
        made: Vec::new(),
    };
    changes.visit_file(&file);
    let mut made = changes.made;
    made.sort_by_key(|change| change.at.start);
    let every = made.len().div_ceil(most.max(1) as usize).max(1);
    made.into_iter()
        .step_by(every)
        .map(|change| change.mutant(code))
        .collect()
}

/// A piece of the source and what is to stand there.
struct Change {
    at: Range<usize>,
    line: usize,
    after: String,
}

impl Change {
    fn mutant(self, code: &str) -> Mutant {
        let Range { start, end } = self.at;
        let change = format!(
            "`{}` becomes `{}`",
            short(&code[start..end]),
            short(&self.after)
        );
        Mutant {
            line: self.line,
            change,
            source: Source::rust(format!("{}{}{}", &code[..start], self.after, &code[end..])),
        }
    }
}

fn short(text: &str) -> String {
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

/// Collects what can be changed, outside of types, patterns and the arguments of macros.
struct Changes<'a> {
    code: &'a str,
    made: Vec<Change>,
}

impl Changes<'_> {
    fn change(&mut self, expression: &Expr, after: String) {
        let span = expression.span();
        self.made.push(Change {
            at: span.byte_range(),
            line: span.start().line,
            after,
        });
    }

    fn text(&self, expression: &Expr) -> &str {
        &self.code[expression.span().byte_range()]
    }
}

impl<'a> Visit<'a> for Changes<'_> {
    fn visit_expr(&mut self, expression: &'a Expr) {
        match expression {
            Expr::Binary(binary) => {
                if let Some(after) = self.of_binary(binary) {
                    self.change(expression, after);
                }
            }
            Expr::Unary(ExprUnary {
                op: UnOp::Not(_),
                expr,
                ..
            }) => {
                let after = self.text(expr).to_owned();
                self.change(expression, after);
            }
            Expr::Lit(ExprLit { lit, .. }) => {
                if let Some(after) = of_literal(lit) {
                    self.change(expression, after);
                }
            }
            _ => {}
        }
        visit::visit_expr(self, expression);
    }

    /// Its condition, where it is more than a comparison, which is changed itself.
    fn visit_expr_if(&mut self, condition: &'a ExprIf) {
        if matches!(
            &*condition.cond,
            Expr::Call(_) | Expr::MethodCall(_) | Expr::Path(_)
        ) {
            let after = format!("!({})", self.text(&condition.cond));
            self.change(&condition.cond, after);
        }
        visit::visit_expr_if(self, condition);
    }

    /// The length of an array is part of its type.
    fn visit_expr_repeat(&mut self, repeat: &'a ExprRepeat) {
        self.visit_expr(&repeat.expr);
    }

    fn visit_type(&mut self, _: &'a syn::Type) {}
    fn visit_pat(&mut self, _: &'a syn::Pat) {}
    fn visit_attribute(&mut self, _: &'a syn::Attribute) {}
}

impl Changes<'_> {
    fn of_binary(&self, binary: &ExprBinary) -> Option<String> {
        let (left, right) = (self.text(&binary.left), self.text(&binary.right));
        let other = match binary.op {
            BinOp::Lt(_) => ">=",
            BinOp::Le(_) => ">",
            BinOp::Gt(_) => "<=",
            BinOp::Ge(_) => "<",
            BinOp::Eq(_) => "!=",
            BinOp::Ne(_) => "==",
            BinOp::And(_) => "||",
            BinOp::Or(_) => "&&",
            BinOp::Add(_) | BinOp::Sub(_) | BinOp::Mul(_) | BinOp::Div(_) => {
                return Some(format!("({left})"));
            }
            _ => return None,
        };
        Some(format!("(({left}) {other} ({right}))"))
    }
}

/// Another literal of the same type.
fn of_literal(literal: &Lit) -> Option<String> {
    match literal {
        Lit::Bool(one) => Some((!one.value).to_string()),
        Lit::Int(one) => {
            let other = u8::from(one.base10_digits() == "0");
            Some(format!("{other}{}", one.suffix()))
        }
        Lit::Float(one) => {
            let is_zero = one.base10_parse::<f64>().is_ok_and(|value| value == 0.0);
            let other = if is_zero { "1.0" } else { "0.0" };
            Some(format!("{other}{}", one.suffix()))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CODE: &str = "pub fn reward(sample: &Sample) -> f64 {\n    let table: [u8; 3] = [0; 3];\n    if sample.correct() && sample.completion().len() < 20 {\n        \
                        return 1.0 + f64::from(table[0]);\n    }\n    match sample.answer() { \"1\" => 0.5, _ => format!(\"{}\", 7).len() as f64 }\n}\n";

    #[test]
    fn every_place_is_changed_alone() {
        let made = of_rust(CODE, 100);
        let shown: Vec<String> = made
            .iter()
            .map(|one| format!("{}: {}", one.line, one.change))
            .collect();
        for expected in [
            "2: `0` becomes `1`",
            "3: `sample.completion().len() < 20` becomes `((sample.completion().len()) >= (20))`",
            "3: `20` becomes `0`",
            "4: `1.0 + f64::from(table[0])` becomes `(1.0)`",
            "6: `0.5` becomes `0.0`",
        ] {
            assert!(
                shown.iter().any(|one| one == expected),
                "{expected}: {shown:#?}"
            );
        }
        // Not the length in the type, nor the pattern, nor what a macro is given.
        assert!(
            !shown
                .iter()
                .any(|one| one.contains("`3`") || one.contains("`7`") || one.contains("\"1\"")),
            "{shown:#?}"
        );
        for one in &made {
            assert_ne!(one.source.code, CODE);
            assert!(
                syn::parse_file(&one.source.code).is_ok(),
                "{}",
                one.source.code
            );
        }
    }

    #[test]
    fn so_many_are_spread_over_the_file() {
        let all = of_rust(CODE, 100);
        let some = of_rust(CODE, 3);
        assert!(some.len() <= 3 && some.len() > 1, "{}", some.len());
        assert_eq!(
            some.first().map(|one| one.line),
            all.first().map(|one| one.line)
        );
        assert!(some.last().is_some_and(|one| one.line > 3), "{some:?}");
        assert!(of_rust("no rust", 3).is_empty());
    }
}
