//! The Python package of an export: the same files in every one, and those that name its members.

use std::collections::HashSet;

use minijinja::{Value, context};
use trainer_bridge::Aggregation;

use super::{
    manifest::{Manifest, Member},
    target::{File, Target},
};
use crate::text::template::Template;

/// The files that are the same in every package.
const FILES: [(&str, &str); 4] = [
    ("sandbox.py", include_str!("package/sandbox.py")),
    ("scoring.py", include_str!("package/scoring.py")),
    ("locks.py", include_str!("package/locks.py")),
    (
        "columns.py",
        include_str!("../../../../trainer-bridge/python/src/reward_search/columns.py"),
    ),
];
/// What runs rewards in Python; the guest's own package `calling` goes with it.
const PLAIN: (&str, &str) = ("plain.py", include_str!("package/plain.py"));
const INIT: &str = include_str!("package/__init__.py.jinja");
const README: &str = include_str!("package/README.md.jinja");

/// What the templates are told.
const KNOWN: [&str; 11] = [
    "title",
    "version",
    "search",
    "members",
    "weights",
    "aggregation",
    "targets",
    "package",
    "other_judge",
    "reads_prompt",
    "in_python",
];

impl Target {
    /// The file by which the target's trainer calls the rewards.
    fn adapter(self) -> (&'static str, &'static str) {
        match self {
            Self::Trl => ("for_trl.py", include_str!("package/for_trl.py.jinja")),
            Self::Verl => ("for_verl.py", include_str!("package/for_verl.py")),
            Self::Verifiers => (
                "for_verifiers.py",
                include_str!("package/for_verifiers.py.jinja"),
            ),
        }
    }
}

/// The files of a package called `package`; the README alone where there are no targets.
pub(super) fn files(manifest: &Manifest<'_>, package: &str, targets: &[Target]) -> Vec<File> {
    let names: Vec<&str> = manifest.members.iter().map(|m| m.name.as_str()).collect();
    let weights: Vec<String> = manifest
        .members
        .iter()
        .map(|member| format!("{:?}", member.weight))
        .collect();
    let values = context! {
        title => names.join(" + "),
        version => manifest.reward_search_version,
        search => manifest.search,
        members => manifest.members.iter().map(described).collect::<Vec<Value>>(),
        weights => format!("[{}]", weights.join(", ")),
        aggregation => word(manifest.aggregation),
        targets => targets.iter().map(|target| target.name()).collect::<Vec<_>>(),
        package => package,
        other_judge => !manifest.judge.is_the_search_s,
        reads_prompt => manifest.members.iter().any(|member| member.reads_prompt),
        in_python => manifest.is_partly_plain(),
    };
    let render = |source: &str| {
        let template = Template::new(source, &KNOWN).expect("a template of our own");
        template
            .render(values.clone())
            .expect("a template of our own")
    };
    let mut files = vec![("README.md".to_owned(), render(README).into_bytes())];
    if targets.is_empty() {
        return files;
    }
    files.push(("__init__.py".to_owned(), render(INIT).into_bytes()));
    for target in targets {
        let (name, source) = target.adapter();
        files.push((name.to_owned(), render(source).into_bytes()));
    }
    files.extend(FILES.map(file));
    if manifest.is_partly_plain() {
        files.push(file(PLAIN));
        files.extend(sandbox::calling_package().map(file));
    }
    files
}

fn file((name, text): (&str, &str)) -> File {
    (name.to_owned(), text.into())
}

/// The name of a member's files without its ending, unlike that of any file of the package's own.
pub(super) fn file_stem(member: &str) -> String {
    if is_among(member, OWN_STEMS) {
        format!("{member}_reward")
    } else {
        member.to_owned()
    }
}

/// What the package's own files are called, and its folder.
const OWN_STEMS: &str = "__init__ calling columns for_trl for_verl for_verifiers locks plain regex sandbox scoring verdict";

/// What the templates are told of a member.
fn described(member: &Member) -> Value {
    context! {
        name => &member.name,
        function => &member.function,
        weight => format!("{:?}", member.weight),
        wasm => &member.wasm,
        source => &member.source,
        sandboxed => member.sandboxed,
        of_groups => member.of_groups,
    }
}

/// The aggregation as TRL and the manifest call it.
fn word(aggregation: Aggregation) -> &'static str {
    match aggregation {
        Aggregation::SumThenNormalize => "sum_then_normalize",
        Aggregation::NormalizeThenSum => "normalize_then_sum",
    }
}

/// Words that Python keeps for itself.
const KEYWORDS: &str = "False None True and as assert async await break class continue def del elif else except finally for from global if \
    import in is lambda nonlocal not or pass raise return try while with yield";
/// Names that are something else in the package, or to a trainer.
const TAKEN: &str = "match case type print score acc reward uid data_source reward_model extra_info raw_prompt num_turns multi_modal_inputs \
    combined calling columns load locks scoring sandbox plain manifest asyncio importlib sys Path Reward RewardFault Combined reward_funcs compute_score";

fn is_among(name: &str, words: &str) -> bool {
    words.split_whitespace().any(|word| word == name)
}

/// A name for a member's function in Python, unlike those in `taken`, to which it is added.
pub(super) fn function_name(member: &str, taken: &mut HashSet<String>) -> String {
    let mut name: String = member
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() { c } else { '_' })
        .collect();
    if !name.starts_with(|c: char| c.is_ascii_alphabetic()) {
        name.insert_str(0, "reward_");
    }
    if is_among(&name, KEYWORDS) || is_among(&name, TAKEN) {
        name.push_str("_reward");
    }
    let mut unique = name.clone();
    for n in 2.. {
        if taken.insert(unique.clone()) {
            break;
        }
        unique = format!("{name}_{n}");
    }
    unique
}

/// Whether a folder of this name is a package that Python can import.
pub(super) fn is_importable(name: &str) -> bool {
    let starts = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    starts
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
        && !is_among(name, KEYWORDS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_get_names_that_python_takes() {
        let mut taken = HashSet::new();
        let mut name = |member| function_name(member, &mut taken);
        assert_eq!(name("base/exact_format"), "base_exact_format");
        assert_eq!(name("base_exact-format"), "base_exact_format_2");
        assert_eq!(name("2fast"), "reward_2fast");
        assert_eq!(name("class"), "class_reward");
        assert_eq!(name("acc"), "acc_reward");
        assert_eq!(file_stem("verdict"), "verdict_reward");
        assert_eq!(file_stem("base/verdict"), "base/verdict");
        assert!(is_importable("my_rewards") && !is_importable("my-rewards"));
        assert!(!is_importable("2") && !is_importable("class") && !is_importable(""));
    }
}
