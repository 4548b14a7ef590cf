//! Build script: writes the WIT world, its documentation and the functions behind it for the adapter to include.

use std::{env, fmt::Write, fs, path::PathBuf};

use daktela_wassette_world::{self as world, argument, function};
use guest::{catalog, model::param::Kind};

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets it"));
    let write = |name: &str, bytes: &[u8]| fs::write(out.join(name), bytes).expect("cargo made the folder");
    write("world.wit", world::wit().as_bytes());
    write("functions.rs", functions().as_bytes());
    write("package-docs", &world::package_docs());
}

/// The functions in Rust: each hands its arguments on as the JSON that the tool takes.
fn functions() -> String {
    let mut out = String::from("impl Guest for Adapter {\n");
    for tool in catalog::tools() {
        let params = tool.params();
        let taken: Vec<String> = params
            .iter()
            .map(|param| format!("r#{}: {}", param.name, rust(&argument(tool, param))))
            .collect();
        let given: Vec<String> = params
            .iter()
            .map(|param| match param.kind {
                // By its place: the cases of the type are the values in their order.
                Kind::OneOf(values) if tool.required() == Some(param.name) => {
                    format!("{:?}: {values:?}[r#{} as usize]", param.name, param.name)
                }
                Kind::OneOf(values) => format!(
                    "{:?}: r#{}.map(|case| {values:?}[case as usize])",
                    param.name, param.name
                ),
                _ => format!("{:?}: r#{}", param.name, param.name),
            })
            .collect();
        writeln!(
            out,
            "fn {}({}) -> Result<String, Failure> {{ answer({:?}, &json!({{{}}})) }}",
            function(tool).replace('-', "_"),
            taken.join(", "),
            tool.name,
            given.join(", ")
        )
        .expect("a String");
    }
    out.push_str("}\n");
    out
}

/// A type as wit-bindgen names it in Rust.
fn rust(wit: &str) -> String {
    match wit {
        "bool" | "u64" => wit.to_owned(),
        _ => match wit.strip_prefix("option<").and_then(|rest| rest.strip_suffix('>')) {
            Some(inner) => format!("Option<{}>", rust(inner)),
            None => wit
                .trim_start_matches('%')
                .split('-')
                .map(|word| format!("{}{}", word[..1].to_uppercase(), &word[1..]))
                .collect(),
        },
    }
}
