//! For build scripts: builds a component of this workspace and compiles it for the target's processor.
//!
//! What embeds or loads the result thus needs no compiler: it starts in milliseconds and stays small.
#![expect(clippy::print_stdout, reason = "a build script speaks to cargo on stdout")]

use std::{
    env, fs,
    path::{Path, PathBuf},
};

/// Leaves the component of a package as `{OUT_DIR}/{name}.wasm` and, compiled, as `.cwasm` beside it, or ends the build
/// script with a message.
pub fn component(package: &str, name: &str, prebuilt: Option<&str>) {
    or_error(run(package, name, prebuilt));
}

/// The same without compiling, for hosts that are no part of this build.
pub fn plain_component(package: &str, name: &str) {
    let copied = variable("OUT_DIR").and_then(|out| {
        let out = PathBuf::from(out);
        let built = build(package, &out)?;
        fs::copy(&built, out.join(name).with_extension("wasm")).map_err(|error| format!("{}: {error}", built.display()))
    });
    or_error(copied.map(drop));
}

#[expect(
    clippy::disallowed_methods,
    reason = "cargo wants a build script's exit code, and nothing is left to flush"
)]
fn or_error(result: Result<(), String>) {
    if let Err(message) = result {
        println!("cargo::error={message}");
        std::process::exit(1);
    }
}

fn run(package: &str, name: &str, prebuilt: Option<&str>) -> Result<(), String> {
    let out = PathBuf::from(variable("OUT_DIR")?);
    if let Some(prebuilt) = prebuilt {
        println!("cargo::rerun-if-env-changed={prebuilt}");
    }
    let component = match prebuilt.and_then(env::var_os) {
        Some(path) => {
            let path = PathBuf::from(path);
            println!("cargo::rerun-if-changed={}", path.display());
            path
        }
        None => build(package, &out)?,
    };
    let wasm = fs::read(&component).map_err(|error| format!("{}: {error}", component.display()))?;
    let compiled = compile_for(&variable("TARGET")?, &wasm)
        .map_err(|error| format!("{} does not compile: {error:#}", component.display()))?;
    for (extension, bytes) in [("wasm", &wasm), ("cwasm", &compiled)] {
        let path = out.join(name).with_extension(extension);
        fs::write(&path, bytes).map_err(|error| format!("{}: {error}", path.display()))?;
    }
    Ok(())
}

/// For the target's baseline, not for the features of the processor at hand: the program has to run elsewhere too.
fn compile_for(target: &str, wasm: &[u8]) -> wasmtime::Result<Vec<u8>> {
    wasmtime::Engine::new(daktela_engine_config::config().target(target)?)?.precompile_component(wasm)
}

fn build(package: &str, out: &Path) -> Result<PathBuf, String> {
    let workspace = daktela_components::workspace();
    // A directory of its own: sharing the outer one would wait for a lock that the outer build holds.
    let target_dir = out.join("guest-target");
    let built = daktela_components::build(&workspace, package, &target_dir);
    // Also after a failure, so that mending the guest's sources builds again.
    rerun_if_sources_change(&workspace, package, &target_dir);
    built
}

/// Cargo's own list of what went into the component: sources of all crates in the workspace, and the WIT files.
fn rerun_if_sources_change(workspace: &Path, package: &str, target_dir: &Path) {
    for manifest in ["Cargo.lock", "Cargo.toml", "guest/Cargo.toml"] {
        println!("cargo::rerun-if-changed={}", workspace.join(manifest).display());
    }
    for adapter in fs::read_dir(workspace.join("guest/adapters"))
        .into_iter()
        .flatten()
        .flatten()
    {
        println!(
            "cargo::rerun-if-changed={}",
            adapter.path().join("Cargo.toml").display()
        );
    }
    match fs::read_to_string(daktela_components::built(package, target_dir).with_extension("d")) {
        Ok(text) => {
            let sources = text
                .lines()
                .filter_map(|line| line.split_once(": "))
                .flat_map(|(_, sources)| paths(sources))
                // What an adapter's own build script wrote is newer than the build each time.
                .filter(|source| !Path::new(source).starts_with(target_dir));
            for source in sources {
                println!("cargo::rerun-if-changed={source}");
            }
        }
        // Nothing was ever built: look at everything.
        Err(_) => println!("cargo::rerun-if-changed={}", workspace.join("guest").display()),
    }
}

/// Space-separated, with `\ ` for a space within a path.
fn paths(list: &str) -> Vec<String> {
    list.replace("\\ ", "\0")
        .split(' ')
        .filter(|path| !path.is_empty())
        .map(|path| path.replace('\0', " "))
        .collect()
}

fn variable(name: &str) -> Result<String, String> {
    env::var(name).map_err(|error| format!("{name}: {error}"))
}
