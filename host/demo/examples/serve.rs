//! `cargo run -p daktela-demo --example serve`: the sample company on a free port, until Enter.

use std::io::{self, Write};

fn main() -> io::Result<()> {
    let demo = daktela_demo::Demo::start()?;
    writeln!(io::stderr(), "{}  X-AUTH-TOKEN: {}", demo.origin(), daktela_demo::TOKEN)?;
    io::stdin().read_line(&mut String::new())?;
    for request in demo.take_requests() {
        writeln!(io::stderr(), "{}", request.summary)?;
    }
    Ok(())
}
