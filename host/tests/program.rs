//! Has cargo build the program for the end-to-end tests, which are the package `daktela-tests`.

use std::{path::Path, process::Command};

/// They look for the program in the folder above their own.
#[test]
fn the_program_lies_where_the_end_to_end_tests_look() {
    let program = Path::new(env!("CARGO_BIN_EXE_mcp-daktela"));
    let tests = std::env::current_exe().expect("a path");
    assert_eq!(program.parent(), tests.ancestors().nth(2));
    let output = Command::new(program)
        .arg("--version")
        .output()
        .expect("the program starts");
    let version = concat!("mcp-daktela ", env!("CARGO_PKG_VERSION"), "\n");
    assert_eq!(String::from_utf8(output.stdout).expect("text"), version);
}
