//! A file of tokens by instance, for systems without a key ring: readable for its owner alone, and refused where it is not.

use std::{
    collections::BTreeMap,
    fs::{self, File, OpenOptions},
    io::{self, Write},
    path::{Path, PathBuf},
};

use super::TokenStoreError;
use crate::config::folders;

type Tokens = BTreeMap<String, String>;

fn path() -> Option<PathBuf> {
    folders::settings().map(|folder| folder.join("mcp-daktela/tokens.json"))
}

pub(super) fn read(account: &str) -> Result<Option<String>, TokenStoreError> {
    let Some(path) = path() else { return Ok(None) };
    Ok(tokens(&path)?.remove(account))
}

pub(super) fn write(account: &str, token: &str) -> Result<PathBuf, TokenStoreError> {
    let path = path().ok_or(TokenStoreError::NoFolder)?;
    let mut tokens = tokens(&path)?;
    tokens.insert(account.to_owned(), token.to_owned());
    replace(&path, &tokens)?;
    Ok(path)
}

pub(super) fn remove(account: &str) -> Result<bool, TokenStoreError> {
    let Some(path) = path() else { return Ok(false) };
    let mut tokens = tokens(&path)?;
    let was_there = tokens.remove(account).is_some();
    if was_there && tokens.is_empty() {
        fs::remove_file(&path).map_err(failed(&path))?;
    } else if was_there {
        replace(&path, &tokens)?;
    }
    Ok(was_there)
}

fn tokens(path: &Path) -> Result<Tokens, TokenStoreError> {
    match File::open(path) {
        Ok(file) if is_readable_for_others(&file) => Err(TokenStoreError::Readable(path.to_owned())),
        Ok(file) => {
            serde_json::from_reader(io::BufReader::new(file)).map_err(|_| TokenStoreError::Broken(path.to_owned()))
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Tokens::new()),
        Err(error) => Err(failed(path)(error)),
    }
}

/// Written beside it and renamed, so that a crash leaves the old file or the new one.
fn replace(path: &Path, tokens: &Tokens) -> Result<(), TokenStoreError> {
    let beside = path.with_added_extension("new");
    let write = || {
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        let _ = fs::remove_file(&beside);
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        {
            use std::os::unix::fs::OpenOptionsExt;
            options.mode(0o600);
        }
        let mut file = options.open(&beside)?;
        file.write_all(serde_json::to_string_pretty(tokens)?.as_bytes())?;
        file.sync_all()?;
        fs::rename(&beside, path)
    };
    write().map_err(failed(path))
}

fn failed(path: &Path) -> impl FnOnce(io::Error) -> TokenStoreError {
    |error| TokenStoreError::File {
        path: path.to_owned(),
        error,
    }
}

#[cfg(unix)]
fn is_readable_for_others(file: &File) -> bool {
    use std::os::unix::fs::PermissionsExt;
    file.metadata().is_ok_and(|file| file.permissions().mode() & 0o077 != 0)
}

/// The folder of a user's settings is closed to others on Windows.
#[cfg(not(unix))]
fn is_readable_for_others(_: &File) -> bool {
    false
}
