//! Golden files: what the outside sees, committed, so that a change of it is read.

use std::{
    fs,
    path::{Path, PathBuf},
};

/// The folder `tests` of the repository, in which this package lies.
pub fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

pub fn updating() -> bool {
    std::env::var_os("UPDATE_EXPECT").is_some()
}

/// Compares with a golden file, or rewrites it. The complaint shows both in full.
pub fn check(path: &Path, actual: &str) -> Result<(), String> {
    let expected = fs::read_to_string(path).unwrap_or_default();
    if expected == actual {
        return Ok(());
    }
    if updating() {
        fs::create_dir_all(path.parent().expect("a folder")).expect("a folder for golden files");
        fs::write(path, actual).expect("writing a golden file");
        return Ok(());
    }
    Err(format!(
        "{} differs.\n--- expected\n{expected}\n--- actual\n{actual}\n--- UPDATE_EXPECT=1 rewrites it",
        path.display()
    ))
}

/// Fails with all complaints at once.
#[track_caller]
pub fn report(complaints: Vec<String>) {
    assert!(
        complaints.is_empty(),
        "{} golden files differ:\n\n{}",
        complaints.len(),
        complaints.join("\n\n")
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
