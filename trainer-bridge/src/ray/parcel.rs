//! What a job needs, packed as Ray unpacks it: a zip whose name follows from its content, so that nothing is uploaded twice.

use std::{
    fs,
    io::{self, Cursor, Write as _},
    path::Path,
};

use sha2::{Digest as _, Sha256};
use zip::{CompressionMethod, ZipWriter, write::SimpleFileOptions};

/// A package.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parcel {
    /// Its name for the cluster.
    pub name: String,
    /// The zip.
    pub bytes: Vec<u8>,
}

impl Parcel {
    /// Packs a folder with all that is in it. The files whose paths in it are in `programs` may be run.
    ///
    /// # Errors
    /// If something cannot be read.
    pub fn of(folder: &Path, programs: &[&str]) -> io::Result<Self> {
        let mut files = Vec::new();
        collect(folder, "", &mut files)?;
        files.sort_unstable();
        let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
        for path in &files {
            let may_run = programs.contains(&path.as_str());
            // What is big in it (the program, weights) hardly shrinks.
            let options = SimpleFileOptions::default()
                .compression_method(CompressionMethod::Stored)
                .unix_permissions(if may_run { 0o755 } else { 0o644 })
                .large_file(true);
            zip.start_file(path, options)?;
            zip.write_all(&fs::read(folder.join(path))?)?;
        }
        let bytes = zip.finish()?.into_inner();
        let digest = Sha256::digest(&bytes);
        let digest: String = digest.iter().take(20).map(|b| format!("{b:02x}")).collect();
        Ok(Self {
            name: format!("_ray_pkg_{digest}.zip"),
            bytes,
        })
    }

    /// How a runtime environment names it.
    pub fn uri(&self) -> String {
        format!("gcs://{}", self.name)
    }
}

/// The paths of all files below a folder, with slashes.
fn collect(folder: &Path, below: &str, into: &mut Vec<String>) -> io::Result<()> {
    for entry in fs::read_dir(folder.join(below))? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let path = match below {
            "" => name,
            below => format!("{below}/{name}"),
        };
        match entry.file_type()?.is_dir() {
            true => collect(folder, &path, into)?,
            false => into.push(path),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn the_name_follows_from_the_content_alone() {
        let parcel = |text: &str| {
            let folder = tempfile::tempdir().unwrap();
            fs::create_dir_all(folder.path().join("a/b")).unwrap();
            fs::write(folder.path().join("a/b/c.py"), text).unwrap();
            fs::write(folder.path().join("run"), "#!/bin/sh").unwrap();
            Parcel::of(folder.path(), &["run"]).unwrap()
        };
        let (one, same, other) = (parcel("x"), parcel("x"), parcel("y"));
        assert_eq!(one, same);
        assert_ne!(one.name, other.name);
        assert!(one.name.starts_with("_ray_pkg_") && one.uri().ends_with(".zip"));
        let mut zip = zip::ZipArchive::new(Cursor::new(one.bytes)).unwrap();
        assert_eq!(zip.len(), 2);
        assert_eq!(
            zip.by_name("run").unwrap().unix_mode().unwrap() & 0o777,
            0o755
        );
        assert!(zip.by_name("a/b/c.py").is_ok());
    }
}
