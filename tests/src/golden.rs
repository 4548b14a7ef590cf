//! Golden files: what the outside sees, committed, so that a change of it is read. `UPDATE_EXPECT=1` rewrites them.

use std::{
    fs,
    panic::{self, AssertUnwindSafe},
    path::{Path, PathBuf},
};

use expect_test::expect_file;

/// The folder `tests` of the repository, in which this package lies.
pub fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

pub fn updating() -> bool {
    std::env::var_os("UPDATE_EXPECT").is_some()
}

/// Compares with one golden file, prints where it differs and fails.
#[track_caller]
pub fn assert_eq(path: &Path, actual: &str) {
    if updating() {
        fs::create_dir_all(path.parent().expect("a folder")).expect("a folder for golden files");
    }
    expect_file![path].assert_eq(actual);
}

/// Compares with one of many golden files: prints where it differs and returns its name, for [`report`].
pub fn check(path: &Path, actual: &str) -> Result<(), String> {
    panic::catch_unwind(AssertUnwindSafe(|| assert_eq(path, actual))).map_err(|_| path.display().to_string())
}

/// Fails with the names of all files that differ.
#[track_caller]
pub fn report(differing: Vec<String>) {
    assert!(
        differing.is_empty(),
        "{} golden files differ, as shown above:\n{}\nUPDATE_EXPECT=1 rewrites them",
        differing.len(),
        differing.join("\n")
    );
}

/// All files with an ending below a folder, in order.
pub fn files(folder: &Path, ending: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder)
        .expect("a folder")
        .map(|entry| entry.expect("an entry").path())
    {
        if entry.is_dir() {
            found.extend(files(&entry, ending));
        } else if entry.extension().is_some_and(|extension| extension == ending) {
            found.push(entry);
        }
    }
    found.sort();
    found
}
