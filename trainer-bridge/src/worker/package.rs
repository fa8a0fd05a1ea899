//! The Python files of the worker, which are part of this program: worker and program are always of one version.

use std::{fs, io, path::Path};

/// What the worker's packages must be.
pub const REQUIREMENTS: &str =
    include_str!("../../python/src/reward_search/worker/requirements.txt");
/// Says what an interpreter has.
pub const LOOK: &str = include_str!("../../python/src/reward_search/worker/look.py");
/// Writes the model in a checkpoint as a folder.
pub const CHECKPOINT: &str = include_str!("../../python/src/reward_search/worker/checkpoint.py");

/// A file of the package `reward_search`, by its path in it.
macro_rules! file {
    ($path:literal) => {
        (
            $path,
            include_str!(concat!("../../python/src/reward_search/", $path)),
        )
    };
}

/// What the worker imports, with its own files. The package's own `__init__.py` is not among them: it brings in what a worker has no use for.
const FILES: [(&str, &str); 17] = [
    file!("columns.py"),
    file!("errors.py"),
    file!("program.py"),
    file!("scoring.py"),
    file!("server.py"),
    file!("worker/__init__.py"),
    file!("worker/__main__.py"),
    file!("worker/channel.py"),
    file!("worker/checkpoint.py"),
    file!("worker/faults.py"),
    file!("worker/leased.py"),
    file!("worker/look.py"),
    file!("worker/metrics.py"),
    file!("worker/model.py"),
    file!("worker/run.py"),
    file!("worker/scorer.py"),
    file!("worker/spec.py"),
];

/// Writes the package into a folder, which then belongs into `PYTHONPATH`.
pub fn write(folder: &Path) -> io::Result<()> {
    let package = folder.join("reward_search");
    fs::create_dir_all(package.join("worker"))?;
    fs::write(package.join("__init__.py"), "")?;
    for (path, content) in FILES {
        fs::write(package.join(path), content)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn every_file_of_the_worker_is_part_of_the_program() {
        let worker = Path::new(env!("CARGO_MANIFEST_DIR")).join("python/src/reward_search/worker");
        for entry in fs::read_dir(worker).unwrap() {
            let name = entry.unwrap().file_name().into_string().unwrap();
            let is_source = name.ends_with(".py");
            let known = FILES
                .iter()
                .any(|(path, _)| *path == format!("worker/{name}"));
            assert!(known || !is_source, "{name} is not in FILES");
        }
    }

    /// The modules of the package that a file imports: `from .x import` and `from . import x, y`, one or two dots deep.
    fn imports(path: &str, text: &str) -> Vec<String> {
        let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
        let mut found = Vec::new();
        for line in text.lines() {
            let Some(rest) = line.trim().strip_prefix("from .") else {
                continue;
            };
            let (module, names) = rest.split_once(" import ").unwrap();
            let (folder, module) = match module.strip_prefix('.') {
                Some(module) => ("", module),
                None => (folder, module),
            };
            let modules = if module.is_empty() { names } else { module };
            let slash = if folder.is_empty() { "" } else { "/" };
            let file = |module: &str| format!("{folder}{slash}{}.py", module.trim());
            found.extend(modules.split(',').map(file));
        }
        found
    }

    #[test]
    fn everything_that_the_worker_imports_is_part_of_the_program() {
        let known: Vec<&str> = FILES.iter().map(|(path, _)| *path).collect();
        let mut seen = 0;
        for (path, text) in FILES {
            for module in imports(path, text) {
                assert!(known.contains(&&*module), "{path} imports {module}");
                seen += 1;
            }
        }
        assert!(seen > 20, "the imports are found");
    }
}
