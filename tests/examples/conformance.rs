//! Prints where the component for the conformance suite lies, for tests that are not in Rust.
#![expect(clippy::print_stdout, reason = "that is what it is for")]

fn main() {
    println!("{}", daktela_test_guests::CONFORMANCE);
}
