//! `mcp-daktela audit verify`: walks the hash chain of audit files and prints the first gap or change.

use std::{fs::File, io::BufReader, path::PathBuf};

use super::{ExitError, print};
use crate::telemetry::audit::{self, Head};

/// Files that were rotated, the oldest first.
pub(super) fn verify(files: &[PathBuf]) -> Result<(), ExitError> {
    let mut former: Option<Head> = None;
    for path in files {
        let name = path.display();
        let unreadable = |error| ExitError::failed(format!("{name}: {error}"));
        let file = File::open(path).map_err(unreadable)?;
        let found = audit::verify(BufReader::new(file)).map_err(unreadable)?;
        let verified = match found {
            Ok(verified) => verified,
            Err(finding) => {
                print::out(&format!("{name}: {finding}"));
                return Err(ExitError::told());
            }
        };
        if former.is_some() && verified.continues != former {
            print::out(&format!(
                "{name}: line 1: it does not go on where the file before it ends; lines or a file between them are missing"
            ));
            return Err(ExitError::told());
        }
        if let Some(before) = verified.continues.as_ref().filter(|_| former.is_none()) {
            print::out(&format!(
                "{name}: goes on from line number {} of a former file, hash {}",
                before.seq, before.hash
            ));
        }
        for line in &verified.torn {
            print::out(&format!("{name}: line {line}: torn by a crash, as the next line says"));
        }
        match &verified.head {
            Some(head) => print::out(&format!(
                "{name}: {} lines without a gap; the newest has number {} and hash {}",
                verified.lines, head.seq, head.hash
            )),
            None => print::out(&format!("{name}: empty")),
        }
        former = verified.head.or(former);
    }
    Ok(())
}
