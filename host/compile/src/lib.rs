//! For build scripts: builds a component of this workspace and compiles it for the target's processor.
//!
//! What embeds or loads the result thus needs no compiler: it starts in milliseconds and stays small.
#![expect(clippy::print_stdout, reason = "a build script speaks to cargo on stdout")]

#[path = "../../src/sandbox/compile.rs"]
mod compile;

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

const WASM: &str = "wasm32-wasip2";

/// What the outer build says about its own compiler calls; none of it fits the component.
const NOT_FOR_THE_GUEST: &[&str] = &[
    "CARGO_BUILD_RUSTC_WORKSPACE_WRAPPER",
    "CARGO_BUILD_RUSTC_WRAPPER",
    "CARGO_BUILD_RUSTFLAGS",
    "CARGO_BUILD_TARGET",
    "CARGO_BUILD_TARGET_DIR",
    "CARGO_ENCODED_RUSTFLAGS",
    "CARGO_TARGET_DIR",
    "LLVM_PROFILE_FILE",
    "RUSTC_WORKSPACE_WRAPPER",
    "RUSTC_WRAPPER",
    "RUSTFLAGS",
];

/// Leaves the component of a package as `{OUT_DIR}/{name}.cwasm`, or ends the build script with a message.
pub fn component(package: &str, name: &str, prebuilt: Option<&str>) {
    if let Err(message) = run(package, name, prebuilt) {
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
    let compiled_to = out.join(name).with_extension("cwasm");
    fs::write(&compiled_to, compiled).map_err(|error| format!("{}: {error}", compiled_to.display()))
}

/// For the target's baseline, not for the features of the processor at hand: the program has to run elsewhere too.
fn compile_for(target: &str, wasm: &[u8]) -> wasmtime::Result<Vec<u8>> {
    wasmtime::Engine::new(compile::config().target(target)?)?.precompile_component(wasm)
}

fn build(package: &str, out: &Path) -> Result<PathBuf, String> {
    require_target()?;
    let workspace = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..");
    // A directory of its own: sharing the outer one would wait for a lock that the outer build holds.
    let target_dir = out.join("guest-target");
    let mut cargo = Command::new(variable("CARGO")?);
    cargo
        .current_dir(&workspace)
        .args([
            "build",
            "--locked",
            "--package",
            package,
            "--profile",
            "component",
            "--target",
            WASM,
        ])
        .arg("--target-dir")
        .arg(&target_dir);
    for name in NOT_FOR_THE_GUEST {
        cargo.env_remove(name);
    }
    let status = cargo
        .status()
        .map_err(|error| format!("cargo for the component: {error}"))?;
    let built = target_dir
        .join(WASM)
        .join("component")
        .join(package.replace('-', "_"))
        .with_extension("wasm");
    // Also after a failure, so that mending the guest's sources builds again.
    rerun_if_sources_change(&workspace, &built.with_extension("d"));
    if !status.success() {
        return Err("the component does not build; its errors are above".to_owned());
    }
    Ok(built)
}

/// Cargo's own list of what went into the component: sources of all crates in the workspace, and the WIT files.
fn rerun_if_sources_change(workspace: &Path, dep_info: &Path) {
    for manifest in [
        "Cargo.lock",
        "Cargo.toml",
        "guest/Cargo.toml",
        "guest/faces/plugin/Cargo.toml",
        "guest/faces/upstream/Cargo.toml",
    ] {
        println!("cargo::rerun-if-changed={}", workspace.join(manifest).display());
    }
    match fs::read_to_string(dep_info) {
        Ok(text) => {
            let sources = text
                .lines()
                .filter_map(|line| line.split_once(": "))
                .flat_map(|(_, sources)| paths(sources));
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

/// Asks rustc, which every toolchain has, and only then rustup.
fn require_target() -> Result<(), String> {
    if has_target()? {
        return Ok(());
    }
    let added = Command::new("rustup")
        .args(["target", "add", WASM])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    if added.is_ok_and(|status| status.success()) && has_target()? {
        return Ok(());
    }
    Err(format!(
        "the component needs Rust's {WASM} target, which this toolchain lacks. Run: rustup target add {WASM}"
    ))
}

fn has_target() -> Result<bool, String> {
    let rustc = variable("RUSTC")?;
    let output = Command::new(&rustc)
        .args(["--print", "target-libdir", "--target", WASM])
        .output()
        .map_err(|error| format!("{rustc}: {error}"))?;
    let libdir = String::from_utf8_lossy(&output.stdout);
    let files = fs::read_dir(libdir.trim()).into_iter().flatten().flatten();
    Ok(files
        .into_iter()
        .any(|file| file.file_name().to_string_lossy().starts_with("libstd-")))
}

fn variable(name: &str) -> Result<String, String> {
    env::var(name).map_err(|error| format!("{name}: {error}"))
}
