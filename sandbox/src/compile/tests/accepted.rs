//! What the source check accepts never makes rustc open a file or read the environment. Every literal and every name of good
//! sources is replaced by a macro that would; whatever is accepted all the same is shown to rustc, which lists what it has read.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::fs;
use std::path::Path;
use std::process::Command;

use proc_macro2::{Group, TokenStream, TokenTree};

use super::super::toolchain::Toolchain;
use crate::lint;

/// Goods that use much of the language, with macros of their own or without.
const GOOD: [&str; 4] = [
    "rust/attributes_and_tables",
    "rust/rich_rust",
    "rust/typical_rust",
    "honest/own_macros",
];

/// The tokens with the one at `place` (counted through all groups) replaced, and whether there was one.
fn replaced(tokens: TokenStream, place: &mut usize, by: &TokenStream) -> TokenStream {
    let mut all = TokenStream::new();
    for token in tokens {
        match token {
            TokenTree::Group(group) => {
                let inner = replaced(group.stream(), place, by);
                all.extend([TokenTree::Group(Group::new(group.delimiter(), inner))]);
            }
            TokenTree::Punct(sign) => all.extend([TokenTree::Punct(sign)]),
            other => {
                let here = *place == 0;
                *place = place.wrapping_sub(1);
                if here {
                    all.extend(by.clone());
                } else {
                    all.extend([other]);
                }
            }
        }
    }
    all
}

#[test]
fn what_is_accepted_reads_no_file() {
    let folder = tempfile::tempdir().unwrap();
    let secret = folder.path().join("secret.txt");
    fs::write(&secret, "1").unwrap();
    let path = secret.to_str().unwrap();
    let attacks = [
        format!("include_str!({path:?})"),
        format!("compile_error!(include_str!({path:?}))"),
        format!("core::include!({path:?})"),
        "env!(\"PATH\")".to_owned(),
    ];
    let toolchain = Toolchain::find(None).unwrap();
    let (mut tried, mut accepted) = (0, 0);
    for name in GOOD {
        let code = fs::read_to_string(
            Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/fixtures/{name}.rs")),
        )
        .unwrap();
        let tokens: TokenStream = code.parse().unwrap();
        for attack in &attacks {
            let by: TokenStream = attack.parse().unwrap();
            for place in 0.. {
                let mut left = place;
                let text = replaced(tokens.clone(), &mut left, &by).to_string();
                if left <= place {
                    break;
                }
                tried += 1;
                if lint::check(&text).unwrap().is_err() {
                    continue;
                }
                accepted += 1;
                assert_reads_nothing(&toolchain, folder.path(), &text);
            }
        }
    }
    assert!(tried > 1000, "only {tried} sources, {accepted} accepted");
}

/// A macro puts the tokens of a call between those of its definition. The name, the `!` and the file of the attack are spread over both in
/// every way; none that is accepted reads the file, and some that are harmless are accepted, so that this shows something.
#[test]
fn no_macro_puts_together_what_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let secret = folder.path().join("secret.txt");
    fs::write(&secret, "1").unwrap();
    let path = secret.to_str().unwrap();
    // What stands for the name, the mark and the argument in a body, with the fragment it needs and what the call gives for it.
    let names = [
        ("include_str", "", ""),
        ("core::include_str", "", ""),
        ("$n", "$n:ident", "include_str"),
        ("$($n)*", "$($n:ident)*", "include_str"),
        ("$($n)?", "$($n:ident)?", "include_str"),
        ("$n", "$n:path", "core::include_str"),
        ("$n", "$n:expr", "include_str"),
        ("$n", "$n:ty", "include_str"),
        ("format", "", ""),
        ("harmless", "", ""),
    ];
    let marks = [
        "!", "$(!)?", "$(!)*", "= !", ", !", "!=", "&& !", "; !", "=> !", "$vec!", "",
    ];
    let arguments = [
        (format!("({path:?})"), "", String::new()),
        ("($a)".to_owned(), "$a:literal", format!("{path:?}")),
        ("($a)".to_owned(), "$a:expr", format!("{path:?}")),
        ("$a".to_owned(), "$a:expr", format!("({path:?})")),
        ("$a".to_owned(), "$a:expr", format!("!({path:?})")),
        ("$($a)*".to_owned(), "$($a:literal)*", format!("{path:?}")),
        ("$a".to_owned(), "$a:block", format!("{{{path:?}}}")),
        ("$a".to_owned(), "$a:tt", format!("({path:?})")),
    ];
    let toolchain = Toolchain::find(None).unwrap();
    let (mut tried, mut accepted) = (0, 0);
    for (name, name_fragment, name_given) in names {
        for mark in marks {
            for (argument, fragment, given) in &arguments {
                let text = format!(
                    "fn harmless(_: impl Sized) -> bool {{ true }}
                     macro_rules! attack {{ ({name_fragment}; {fragment}) => {{ {{ let _ = {name} {mark} {argument}; }} }} }}
                     pub fn reward(_: &Sample) -> f64 {{ attack!({name_given}; {given}); 0.0 }}"
                );
                tried += 1;
                if lint::check(&text).unwrap().is_err() {
                    continue;
                }
                accepted += 1;
                assert_reads_nothing(&toolchain, folder.path(), &text);
            }
        }
    }
    assert!(
        tried > 800 && accepted > 5,
        "{accepted} of {tried} accepted"
    );
}

/// rustc lists the files it has read, and the variables; there must be none but the source.
fn assert_reads_nothing(toolchain: &Toolchain, folder: &Path, text: &str) {
    fs::write(folder.join("candidate.rs"), text).unwrap();
    let _ = fs::remove_file(folder.join("read.d"));
    let _ = Command::new(&toolchain.rustc)
        .current_dir(folder)
        .args([
            "--edition=2024",
            "--crate-type=rlib",
            "--emit=dep-info=read.d",
        ])
        .arg("candidate.rs")
        .output()
        .unwrap();
    // Where it stops before it lists anything, it says what it could not do; it must not be for want of the attack.
    let read = fs::read_to_string(folder.join("read.d")).unwrap_or_default();
    assert!(
        !read.contains("secret.txt") && !read.contains("env-dep"),
        "{read}\n{text}"
    );
}
