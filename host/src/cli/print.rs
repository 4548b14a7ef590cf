//! Output for people on stdout and stderr. A reader that went away, as `| head` does, is no error.

use std::io::{self, Write};

use crate::telemetry::log;

pub(super) fn out(text: &str) {
    let _ = writeln!(io::stdout().lock(), "{text}");
}

/// Goes through the log's queue: a stderr that nobody reads keeps no command from ending.
pub(super) fn err(text: &str) {
    log::write_text(text);
}
