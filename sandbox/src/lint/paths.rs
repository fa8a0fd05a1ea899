//! Paths into the standard library and the SDK: the parts that compute are open, the rest is closed.
//!
//! At run time nothing outside can be reached whatever the path; this is about macros that act while compiling
//! (`core::include_str`), and about telling an author early that `std::fs` will not do.

use syn::{Ident, Path, UseTree, ext::IdentExt};

use super::Finding;

/// Modules of `std`, `core` and `alloc` that a reward may use.
const MODULES: &[&str] = &[
    "alloc",
    "any",
    "array",
    "ascii",
    "borrow",
    "boxed",
    "cell",
    "char",
    "clone",
    "cmp",
    "collections",
    "convert",
    "default",
    "error",
    "fmt",
    "hash",
    "iter",
    "marker",
    "mem",
    "num",
    "ops",
    "option",
    "rc",
    "result",
    "slice",
    "str",
    "string",
    "sync",
    "vec",
    "f32",
    "f64",
    "i8",
    "i16",
    "i32",
    "i64",
    "i128",
    "isize",
    "u8",
    "u16",
    "u32",
    "u64",
    "u128",
    "usize",
];
/// Names that constants may call (see `constants`), so an author's own item may not bear them.
pub(crate) const RESERVED: &[&str] = &[
    "LazyLock",
    "OnceLock",
    "LazyCell",
    "OnceCell",
    "Mutex",
    "RwLock",
    "Cell",
    "RefCell",
    "String",
    "Vec",
    "AtomicBool",
    "AtomicI32",
    "AtomicI64",
    "AtomicU32",
    "AtomicU64",
    "AtomicUsize",
    "Some",
    "Ok",
    "Err",
];

/// Types of the language itself.
const PRIMITIVES: &[&str] = &[
    "bool", "char", "str", "f32", "f64", "i8", "i16", "i32", "i64", "i128", "isize", "u8", "u16",
    "u32", "u64", "u128", "usize",
];

/// Refuses paths into closed parts.
pub(crate) fn check(path: &Path) -> Result<(), Finding> {
    let names: Vec<&Ident> = path.segments.iter().map(|segment| &segment.ident).collect();
    check_names(&names, path.segments.len() == 1)
}

/// Refuses imports of closed parts, leaf by leaf.
pub(crate) fn check_use(tree: &UseTree) -> Result<(), Finding> {
    check_branch(tree, &mut Vec::new())
}

fn check_branch<'a>(tree: &'a UseTree, prefix: &mut Vec<&'a Ident>) -> Result<(), Finding> {
    match tree {
        UseTree::Path(path) => {
            prefix.push(&path.ident);
            check_branch(&path.tree, prefix)?;
            prefix.pop();
            Ok(())
        }
        UseTree::Group(group) => group
            .items
            .iter()
            .try_for_each(|tree| check_branch(tree, prefix)),
        UseTree::Name(leaf) => check_leaf(&leaf.ident, prefix),
        UseTree::Rename(leaf) => {
            check_name(&leaf.rename)?;
            check_rename(&leaf.ident, &leaf.rename)?;
            check_leaf(&leaf.ident, prefix)
        }
        UseTree::Glob(glob) => match prefix.last() {
            Some(_) if !is_root(prefix) => check_names(prefix, false),
            _ => Err(Finding::new(
                "path",
                glob.star_token.spans[0],
                "import names one by one, not all of a crate",
            )),
        },
    }
}

fn check_leaf<'a>(leaf: &'a Ident, prefix: &mut Vec<&'a Ident>) -> Result<(), Finding> {
    let itself = leaf == "self";
    if !itself {
        prefix.push(leaf);
    }
    let result = if is_root(prefix) {
        Err(Finding::new(
            "path",
            leaf.span(),
            "a whole crate cannot be imported or renamed",
        ))
    } else {
        check_names(prefix, false)
    };
    if !itself {
        prefix.pop();
    }
    result
}

/// Refuses a new name that makes something look like what it is not: constants may call what begins with a capital letter.
fn check_rename(old: &Ident, new: &Ident) -> Result<(), Finding> {
    let is_large = |name: &Ident| name.unraw().to_string().starts_with(char::is_uppercase);
    if is_large(new) && !is_large(old) {
        return Err(Finding::new(
            "name",
            new.span(),
            format!("`{old}` may not be renamed to begin with a capital letter"),
        ));
    }
    Ok(())
}

/// Refuses names of an author's own items that the rules for constants rely on.
pub(crate) fn check_name(name: &Ident) -> Result<(), Finding> {
    let plain = name.unraw().to_string();
    let is_taken = RESERVED.contains(&plain.as_str()) || PRIMITIVES.contains(&plain.as_str());
    if is_taken || is_crate(&plain) {
        return Err(Finding::new(
            "name",
            name.span(),
            format!("`{plain}` is a name of the standard library; choose another"),
        ));
    }
    Ok(())
}

/// `alone`: a single name is a local one, even if it reads `core`.
pub(super) fn check_names(names: &[&Ident], alone: bool) -> Result<(), Finding> {
    let Some(first) = names.first().filter(|_| !alone) else {
        return Ok(());
    };
    let plain = |name: &Ident| name.unraw().to_string();
    let second = names.get(1).map(|name| plain(name));
    let refuse = |what: String| Err(Finding::new("path", first.span(), what));
    match (plain(first).as_str(), second.as_deref()) {
        ("std" | "core" | "alloc", Some(module)) if !MODULES.contains(&module) => refuse(format!(
            "`{}::{module}` is not available in a reward",
            plain(first)
        )),
        ("reward_sdk", Some("abi")) => refuse("`reward_sdk::abi` belongs to the host".to_owned()),
        _ => Ok(()),
    }
}

fn is_root(path: &[&Ident]) -> bool {
    path.len() == 1 && is_crate(&path[0].unraw().to_string())
}

pub(super) fn is_crate(name: &str) -> bool {
    matches!(name, "std" | "core" | "alloc" | "reward_sdk")
}
