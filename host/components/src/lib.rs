//! Reproducible builds of the components: the same toolchain and flags whatever the surrounding build has, and no path of the
//! machine in the output, so that two builds of the same sources are the same bytes.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

pub const WASM: &str = "wasm32-wasip2";

/// What an outer build says about its own compiler calls; none of it fits a component.
const NOT_FOR_COMPONENTS: &[&str] = &[
    "CARGO_BUILD_RUSTC_WORKSPACE_WRAPPER",
    "CARGO_BUILD_RUSTC_WRAPPER",
    "CARGO_BUILD_RUSTFLAGS",
    "CARGO_BUILD_TARGET",
    "CARGO_BUILD_TARGET_DIR",
    "CARGO_TARGET_DIR",
    "LLVM_PROFILE_FILE",
    "RUSTC_WORKSPACE_WRAPPER",
    "RUSTC_WRAPPER",
    "RUSTFLAGS",
];

/// The workspace that this crate was built in.
pub fn workspace() -> PathBuf {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    workspace.canonicalize().unwrap_or(workspace)
}

/// Where the component of a package is after `build`.
pub fn built(package: &str, target_dir: &Path) -> PathBuf {
    let name = package.replace('-', "_");
    target_dir
        .join(WASM)
        .join("component")
        .join(name)
        .with_extension("wasm")
}

/// Builds the component of a package in a workspace.
pub fn build(workspace: &Path, package: &str, target_dir: &Path) -> Result<PathBuf, String> {
    require_target()?;
    let mut cargo = Command::new(tool("CARGO", "cargo"));
    cargo
        .current_dir(workspace)
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
        .arg(target_dir)
        .env("CARGO_ENCODED_RUSTFLAGS", without_paths(workspace, target_dir));
    for name in NOT_FOR_COMPONENTS {
        cargo.env_remove(name);
    }
    match cargo.status() {
        Ok(status) if status.success() => Ok(built(package, target_dir)),
        Ok(_) => Err(format!("{package} does not build; its errors are above")),
        Err(error) => Err(format!("cargo for {package}: {error}")),
    }
}

/// Messages of panics name source files; these flags keep the folders before them out of the component.
fn without_paths(workspace: &Path, target_dir: &Path) -> String {
    let home = env::var_os("HOME").map(|home| PathBuf::from(home).join(".cargo"));
    let cargo_home = env::var_os("CARGO_HOME").map(PathBuf::from).or(home);
    // Of several that fit, rustc takes the last.
    [
        cargo_home.map(|path| (path, "/cargo")),
        Some((workspace.into(), "/src")),
        Some((target_dir.into(), "/target")),
    ]
    .into_iter()
    .flatten()
    .map(|(path, name)| format!("--remap-path-prefix={}={name}", path.display()))
    .collect::<Vec<_>>()
    .join("\x1f")
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
    let rustc = tool("RUSTC", "rustc");
    let output = Command::new(&rustc)
        .args(["--print", "target-libdir", "--target", WASM])
        .output()
        .map_err(|error| format!("{}: {error}", rustc.display()))?;
    let libdir = String::from_utf8_lossy(&output.stdout);
    let files = fs::read_dir(libdir.trim()).into_iter().flatten().flatten();
    Ok(files
        .into_iter()
        .any(|file| file.file_name().to_string_lossy().starts_with("libstd-")))
}

/// The tool of the build that runs this, or the one on the path.
fn tool(variable: &str, name: &str) -> PathBuf {
    env::var_os(variable).map_or_else(|| name.into(), PathBuf::from)
}
