//! Says that a test is skipped, and fails on CI, where what tests need is installed.

use std::io::{self, Write};

/// For what nothing can be installed for.
pub fn impossible(what: &str, why: &str) {
    // Past the harness, which keeps to itself what passing tests print.
    let _ = writeln!(io::stderr(), "SKIPPED: {what}, because {why}");
}

/// What `.ci/run` installs is there on CI.
pub fn skipped(what: &str, why: &str) {
    assert!(
        std::env::var_os("CI").is_none(),
        "on CI nothing is skipped: {what}, because {why}"
    );
    impossible(what, why);
}
