//! Looks an author's Rust over before rustc does, and refuses what a reward has no use for.
//!
//! rustc evaluates constants, expands macros and reads files while it compiles. So: no macros beyond a list, no attributes
//! beyond a list, no paths into the parts of the standard library that reach outside, nothing in a constant that could
//! loop, an author's own macros only where what they become can be checked, and sizes and nesting within bounds before anything recursive touches the text. What an accepted source does when
//! it *runs* is not looked at; that happens in the sandbox.
//!
//! The check alone is no wall; it keeps the noise down, gives authors a plain reason with a line, and leaves the
//! [confinement](crate::Compiler::confinement) of rustc little to do.

mod attributes;
mod constants;
mod expansion;
mod macros;
mod own_macros;
mod paths;
mod size;
mod walk;

use std::thread;

use proc_macro2::Span;
use syn::spanned::Spanned;

use crate::error::HostError;
use crate::rejection::Rejection;

/// Stack for the parser: eight times what the deepest text needs that passes the size check, since debug builds need more.
const STACK_BYTES: usize = 256 << 20;

/// Something that is refused.
#[derive(Debug)]
pub(crate) struct Finding {
    /// Stable name of the rule.
    pub(crate) rule: &'static str,
    /// What it is and what to write instead.
    pub(crate) what: String,
    /// Line in the source, from 1.
    pub(crate) line: usize,
}

impl Finding {
    fn new(rule: &'static str, span: Span, what: impl Into<String>) -> Self {
        Self {
            rule,
            what: what.into(),
            line: span.start().line,
        }
    }
}

impl From<Finding> for Rejection {
    fn from(Finding { rule, what, line }: Finding) -> Self {
        Self::Forbidden {
            rule: rule.to_owned(),
            what,
            line,
        }
    }
}

/// What a source offers to be called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Entry {
    /// `reward`, for one sample.
    Sample,
    /// `reward_group`, for the completions of one prompt together.
    Group,
}

impl Entry {
    const ALL: [Self; 2] = [Self::Sample, Self::Group];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Sample => "reward",
            Self::Group => "reward_group",
        }
    }

    pub(crate) const fn signature(self) -> &'static str {
        match self {
            Self::Sample => "pub fn reward(sample: &Sample) -> f64",
            Self::Group => "pub fn reward_group(samples: &[Sample]) -> Vec<f64>",
        }
    }
}

/// Checks a source and finds its entry. The first finding, the inner error, refuses it; the outer error is the machine's.
pub(crate) fn check(code: &str) -> Result<Result<Entry, Finding>, HostError> {
    // Parsing, walking and dropping the tree all recurse. A thread that ends also frees the source map kept for spans.
    thread::scope(|scope| {
        let checker = thread::Builder::new()
            .name("sandbox-lint".to_owned())
            .stack_size(STACK_BYTES)
            .spawn_scoped(scope, || check_text(code))
            .map_err(HostError::io("start the thread that checks sources"))?;
        Ok(checker
            .join()
            .unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
    })
}

fn check_text(code: &str) -> Result<Entry, Finding> {
    size::check_text(code)?;
    let syntax = |error: syn::Error| {
        Finding::new("syntax", error.span(), format!("not valid Rust: {error}"))
    };
    let tokens: proc_macro2::TokenStream = code
        .parse()
        .map_err(|error: proc_macro2::LexError| syntax(syn::Error::from(error)))?;
    size::check_tokens(tokens, 0)?;
    let file = syn::parse_file(code).map_err(syntax)?;
    walk::check(&file)?;
    check_entry(&file)
}

/// There must be one function that can be called as `reward(&sample)` or as `reward_group(&samples)`; its types are rustc's
/// business.
fn check_entry(file: &syn::File) -> Result<Entry, Finding> {
    let mut found = file.items.iter().filter_map(|item| match item {
        syn::Item::Fn(function) => Entry::ALL
            .into_iter()
            .find(|entry| function.sig.ident == entry.name())
            .map(|entry| (entry, &function.sig)),
        _ => None,
    });
    let refuse = |span, what| Err(Finding::new("entry", span, what));
    let Some((entry, signature)) = found.next() else {
        let [sample, group] = Entry::ALL.map(Entry::signature);
        return refuse(
            Span::call_site(),
            format!("there is no `{sample}`, nor a `{group}`"),
        );
    };
    if let Some((_, second)) = found.next() {
        return refuse(
            second.span(),
            "there must be one entry, `reward` or `reward_group`".to_owned(),
        );
    }
    let sound = signature.inputs.len() == 1
        && matches!(signature.output, syn::ReturnType::Type(..))
        && signature.generics.type_params().next().is_none()
        && signature.generics.const_params().next().is_none();
    if sound {
        Ok(entry)
    } else {
        refuse(
            signature.span(),
            format!("the entry must be `{}`", entry.signature()),
        )
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use proptest::sample::Index;

    use super::{Finding, check};

    /// The rule that refuses `code`, or nothing.
    fn rule(code: &str) -> Option<(&'static str, usize)> {
        finding(code).map(|finding| (finding.rule, finding.line))
    }

    fn finding(code: &str) -> Option<Finding> {
        check(code).ok().and_then(Result::err)
    }

    #[test]
    fn the_entry_must_be_there() {
        assert_eq!(rule("fn reward(sample: &Sample) -> f64 { 1.0 }"), None);
        assert_eq!(
            rule("fn score(sample: &Sample) -> f64 { 1.0 }"),
            Some(("entry", 1))
        );
        assert_eq!(rule("\nfn reward() -> f64 { 1.0 }"), Some(("entry", 2)));
        assert_eq!(rule("fn reward(a: &Sample) { }"), Some(("entry", 1)));
        assert_eq!(rule(""), Some(("entry", 1)));
    }

    #[test]
    fn broken_source_is_refused_with_its_line() {
        assert_eq!(
            rule("fn reward(sample: &Sample) -> f64 {\n 1.0 +\n}"),
            Some(("syntax", 3))
        );
        assert_eq!(
            rule("fn reward(sample: &Sample) -> f64 { \"open }"),
            Some(("syntax", 1))
        );
    }

    #[test]
    fn no_nesting_overflows_the_check() {
        // As deep as the length allows, in every way the grammar nests, bracketed or not.
        let nests = [
            ("(\")\", ", ")"),
            ("[\"]\", ", "]"),
            ("{\"}\"; ", "}"),
            ("/*)*/(", ")"),
            ("return ", ""),
            ("break ", ""),
            ("match ", " {}"),
            ("if ", " {}"),
            ("while ", " {}"),
            ("a=", ""),
            ("a..", ""),
            ("&mut ", ""),
            ("||", ""),
            ("|a|", ""),
            ("-", ""),
            ("!", ""),
            ("*", ""),
            ("", "?"),
            ("", ".a"),
            ("", ".a()"),
            ("", "()"),
            ("", "[0]"),
            ("", " as u8"),
            ("", "+1"),
            ("async ", ""),
            ("unsafe {", "}"),
            ("const {", "}"),
            ("let a = ", ""),
            ("a::", ""),
            ("<", ">"),
            ("<a as ", ">"),
        ];
        for (open, close) in nests {
            for inner in ["1", "a"] {
                let times = 32_000 / (open.len() + close.len());
                let expression = open.repeat(times) + inner + &close.repeat(times);
                // Statements of the greatest length, one in another.
                let level = open.repeat(700) + "(";
                let levels = (31_000 / (level.len() + 700 * close.len() + 1)).min(60);
                let staged = level.repeat(levels)
                    + inner
                    + &(")".to_owned() + &close.repeat(700)).repeat(levels);
                for text in [expression, staged] {
                    let _ = check(&format!("fn reward(s: &Sample) -> f64 {{ {text} }}"));
                    let _ = check(&format!("type A = {text};"));
                }
            }
        }
        for (open, close) in [
            ("fn()->", ""),
            ("&'a ", ""),
            ("*const ", ""),
            ("Vec<", ">"),
            ("impl Fn()->", ""),
            ("dyn ", ""),
            ("a::{", "}"),
            ("a::", ""),
            ("(", ",)"),
        ] {
            let times = 32_000 / (open.len() + close.len());
            let text = open.repeat(times) + "u8" + &close.repeat(times);
            let _ = check(&format!("type A = {text};"));
            let _ = check(&format!("use {text};"));
            let _ = check(&format!("fn reward({text}: u8) -> f64 {{ 1.0 }}"));
        }
    }

    /// A source with a macro `m` and a statement of its entry.
    fn with_macro(rules: &str, statement: &str) -> String {
        format!(
            "macro_rules! m {{ {rules} }}\nfn reward(s: &Sample) -> f64 {{\n{statement};\n0.0 }}"
        )
    }

    #[test]
    fn macros_of_ones_own_are_put_in_as_rustc_does() {
        let harmless = [
            ("($x:expr) => { $x.max(0.0) }", "m!(a + b)"),
            ("($x:expr) => { !$x && a != b && !(c) }", "m!(!a)"),
            ("() => { if !a { return !b } }", "m!()"),
            (
                "() => { 1 }; ($x:expr) => { $x }; ($x:expr, $($rest:expr),+ $(,)?) => { $x $( + $rest )+ }",
                "m!(1, 2, 3,)",
            ),
            (
                "($f:ident($($x:expr),*) as $t:ty) => { $f::<$t>($($x),*) }",
                "m!(f(1, 2) as Vec<u8>)",
            ),
            (
                "($($k:literal => $v:expr),* $(,)?) => {{ let mut t = HashMap::new(); $( t.insert($k, $v); )* t }}",
                "m!(\"a\" => 1, \"b\" => vec![2; 3])",
            ),
            (
                "($x:expr; $($p:pat => $v:expr),*) => { match $x { $($p => $v),* } }",
                "m!(s; Some(_) | None => 1)",
            ),
            (
                "($a:ident $b:block) => { { let $a = 1; $b } }",
                "m!(x { x + 1 })",
            ),
            (
                "($x:expr) => {{ static T: OnceLock<u8> = OnceLock::new(); T.get_or_init(|| $x) }}",
                "m!(1)",
            ),
            (
                "($($($x:expr),*);*) => { [$([$($x),*].len()),*] }",
                "m!(1, 2; 3)",
            ),
        ];
        for (rules, statement) in harmless {
            let found = finding(&with_macro(rules, statement));
            assert!(found.is_none(), "{rules} {statement}: {found:?}");
        }
        // What comes out is checked, whichever rule it comes from, and so are lines.
        let refused = [
            ("($x:expr) => { $x }", "m!([0; 1 << 40])", "macro"),
            ("($x:expr) => { std::fs::read($x) }", "m!(1)", "path"),
            ("($x:ty) => { <$x>::new() }", "m!(std::fs::File)", "path"),
            (
                "($x:ident) => { 1 }; ($x:expr) => { f::<{ 1 << 40 }>($x) }",
                "m!(a)",
                "array",
            ),
            ("() => { m!() }", "m!()", "macro"),
            ("($x:expr) => { $y }", "m!(1)", "macro"),
            ("($($x:expr),*) => { $x }", "m!(1)", "macro"),
            ("() => { $crate::f() }", "m!()", "macro"),
            ("() => { /// text\n let a = 1; }", "m!()", "macro"),
            ("() => {{ static T: u8 = 1; }}; (1) => {}", "m!()", "macro"),
            ("($x:vis) => { 1 }", "m!(pub)", "macro"),
            ("() => { 1 }", "m!(2)", "macro"),
            ("() => { 1 }", "self::m!()", "macro"),
            ("() => { 1 }", "let m!() = 1", "macro"),
            (
                "() => { 1 } } macro_rules! m { () => { 2 }",
                "m!()",
                "macro",
            ),
            (
                "() => { 1 } } macro_rules! std { () => { 2 }",
                "m!()",
                "macro",
            ),
            (
                "() => { 1 }",
                "vec![{ macro_rules! n { () => { 1 } } n!() }]",
                "item",
            ),
        ];
        for (rules, statement, expected) in refused {
            let found = rule(&with_macro(rules, statement)).map(|(rule, _)| rule);
            assert_eq!(found, Some(expected), "{rules} {statement}");
        }
        assert_eq!(
            rule(&with_macro("($x:expr) => {\n std::fs::read($x) }", "m!(1)")),
            Some(("path", 2))
        );
    }

    #[test]
    fn macros_that_never_end_to_be_put_in_are_refused() {
        // Every repetition is tried at every place, over and over.
        let mut matcher = "$a:expr".to_owned();
        for (depth, mark) in ('b'..='k').enumerate() {
            matcher = format!(
                "$({matcher} z{mark})* $({} y{mark})*",
                matcher.replace("$a", &format!("$a{depth}"))
            );
        }
        let rules = format!("({matcher}) => {{ 1 }}");
        let call = format!("m!({})", "1 + ".repeat(900) + "1");
        let found = rule(&with_macro(&rules, &call)).map(|(rule, _)| rule);
        assert!(matches!(found, Some("size" | "macro")), "{found:?}");
        let rules = "($($x:expr),*) => {{ $( f($x); f($x); f($x); f($x); )* }}";
        let call = format!("m!({})", vec!["1"; 1400].join(", "));
        let calls = format!("{call};\n{call};\n{call}");
        assert_eq!(rule(&with_macro(rules, &call)), None);
        assert_eq!(rule(&with_macro(rules, &calls)), Some(("size", 1)));
    }

    /// Sources as authors and attackers write them.
    fn fixtures() -> Vec<String> {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/rust");
        let files = std::fs::read_dir(folder).into_iter().flatten().flatten();
        files
            .filter_map(|entry| std::fs::read_to_string(entry.path()).ok())
            .collect()
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 1500, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn no_text_breaks_the_check(a in any::<Index>(), b in any::<Index>(), from in any::<Index>(), to in any::<Index>(), noise in "[\\PC\n]{0,20}") {
            // The head of one source, some noise, the tail of another.
            let all = fixtures();
            let (head, tail) = (a.get(&all), b.get(&all));
            let head: String = head.chars().take(from.index(head.len() + 1)).collect();
            let tail: String = tail.chars().skip(to.index(tail.len() + 1)).collect();
            if let Some(finding) = finding(&format!("{head}{noise}{tail}")) {
                prop_assert!(finding.line >= 1 && !finding.what.is_empty());
            }
        }
    }
}
