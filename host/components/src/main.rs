//! `cargo components`: builds every component into `dist/`, with sizes and digests. With `--verify` it builds them again from
//! a copy of the sources elsewhere, and fails where the bytes differ.
#![expect(clippy::print_stdout, reason = "its output is for people")]

use std::{
    env, fs,
    path::Path,
    process::{Command, ExitCode},
};

use sha2::{Digest, Sha256};

const COMPONENTS: [&str; 4] = ["daktela-plugin", "daktela-http", "daktela-wassette", "daktela-act"];

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let done = match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [] => components().map(drop),
        ["--verify"] => components().and_then(|sums| verify(&sums)),
        _ => Err("expected nothing or --verify".to_owned()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("error: {message}");
            ExitCode::FAILURE
        }
    }
}

/// Builds, and returns what `SHA256SUMS` holds.
fn components() -> Result<String, String> {
    let workspace = daktela_components::workspace();
    let folder = workspace.join("dist");
    fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let sums = build_all(&workspace, &workspace.join("target/components"), &folder)?;
    let path = folder.join("SHA256SUMS");
    fs::write(&path, &sums).map_err(|error| format!("{}: {error}", path.display()))?;
    for (name, line) in COMPONENTS.iter().zip(sums.lines()) {
        let bytes = fs::metadata(folder.join(name).with_extension("wasm"))
            .map_err(|error| error.to_string())?
            .len();
        println!("{bytes:>9} bytes  {line}");
    }
    Ok(sums)
}

fn build_all(workspace: &Path, target_dir: &Path, folder: &Path) -> Result<String, String> {
    let mut sums = String::new();
    for package in COMPONENTS {
        let built = daktela_components::build(workspace, package, target_dir)?;
        let bytes = fs::read(&built).map_err(|error| format!("{}: {error}", built.display()))?;
        let path = folder.join(package).with_extension("wasm");
        fs::write(&path, &bytes).map_err(|error| format!("{}: {error}", path.display()))?;
        let digest: String = Sha256::digest(&bytes)
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        sums += &format!("{digest}  {package}.wasm\n");
    }
    Ok(sums)
}

/// What git knows of, in another folder, built by a target directory of its own.
fn verify(sums: &str) -> Result<(), String> {
    let elsewhere = env::temp_dir().join(format!("daktela-components-{}", std::process::id()));
    let result = build_elsewhere(&elsewhere);
    let _ = fs::remove_dir_all(&elsewhere);
    let again = result?;
    if again == sums {
        println!("The same from another folder.");
        Ok(())
    } else {
        Err(format!("another folder gives other bytes:\n{again}"))
    }
}

fn build_elsewhere(elsewhere: &Path) -> Result<String, String> {
    let workspace = daktela_components::workspace();
    let listed = Command::new("git")
        .current_dir(&workspace)
        .args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"])
        .output()
        .map_err(|error| format!("git ls-files: {error}"))?;
    let listed = String::from_utf8(listed.stdout).map_err(|error| format!("git ls-files: {error}"))?;
    for file in listed.split_terminator('\0') {
        let (from, to) = (workspace.join(file), elsewhere.join("sources").join(file));
        let copied = fs::create_dir_all(to.parent().unwrap_or(&to)).and_then(|()| fs::copy(&from, &to));
        copied.map_err(|error| format!("{}: {error}", from.display()))?;
    }
    let [sources, target_dir, folder] = ["sources", "target", "dist"].map(|name| elsewhere.join(name));
    fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    build_all(&sources, &target_dir, &folder)
}
