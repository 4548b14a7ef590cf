//! Build script: writes the component's metadata in the form in which ACT's hosts read it.

use std::{env, fs, path::PathBuf};

use serde_json::json;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    let about = json!({
        "std": {
            "name": "daktela",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "Read-only access to a Daktela contact centre: tickets, calls, e-mails, chats, contacts, CRM.",
            "license": "MIT",
            // The most that an operator can grant. Who runs Daktela below a domain of their own adds it here.
            "capabilities": {"wasi:http": {
                "description": "Reads from the Daktela that is granted.",
                "constraints": [
                    {"host": "*.daktela.com", "scheme": "https", "methods": ["GET"]},
                    // A sample company or a proxy on the same machine.
                    {"host": "127.0.0.1", "scheme": "http", "methods": ["GET"]},
                ],
            }},
        },
    });
    let mut section = Vec::new();
    ciborium::into_writer(&about, &mut section).expect("a Vec");
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets it"));
    fs::write(out.join("act-component"), section).expect("cargo made the folder");
}
