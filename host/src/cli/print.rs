//! The one place that writes for people. A reader that went away, as `| head` does, is no error.

use std::io::{self, Write};

pub(super) fn out(text: &str) {
    let _ = writeln!(io::stdout().lock(), "{text}");
}

pub(super) fn err(text: &str) {
    let _ = writeln!(io::stderr().lock(), "{text}");
}
