//! A client's JSON file of settings: one entry of it is added or removed, and every other byte stays, comments too.

use std::{
    fs::{self, OpenOptions},
    io::{self, Write},
    path::{Path, PathBuf},
};

use jsonc_parser::{
    ParseOptions,
    cst::{CstInputValue, CstRootNode},
};
use serde_json::{Map, Value};

const BOM: char = '\u{feff}';

/// Backups have a number, so that none replaces another.
const BACKUPS_MAX: usize = 1000;

#[derive(Debug, thiserror::Error)]
pub(super) enum ConfigFileError {
    #[error("{}: {error}", .path.display())]
    Io { path: PathBuf, error: io::Error },
    #[error("{} is no text in UTF-8", .0.display())]
    NotUtf8(PathBuf),
    #[error("{} is no JSON: {reason}", .path.display())]
    Syntax { path: PathBuf, reason: String },
    #[error("{}: {what} is no JSON object", .path.display())]
    NotAnObject { path: PathBuf, what: String },
    #[error("{} has the key {key:?} twice", .path.display())]
    Twice { path: PathBuf, key: String },
    #[error("{} could not be changed without changing other parts of it", .0.display())]
    OtherParts(PathBuf),
    #[error("{} was changed by another program just now; run setup again", .0.display())]
    Changed(PathBuf),
    #[error("{} has too many backups beside it", .0.display())]
    Backups(PathBuf),
}

pub(super) struct ConfigFile {
    path: PathBuf,
    /// `None` where there is no file yet.
    text: Option<String>,
    root: Value,
}

impl ConfigFile {
    /// A link leads to the file that is meant.
    pub(super) fn read(path: PathBuf) -> Result<Self, ConfigFileError> {
        let path = fs::canonicalize(&path).map(without_verbatim_prefix).unwrap_or(path);
        let text = read(&path)?;
        let root = match text.as_deref().map(str::trim) {
            None => Value::Object(Map::new()),
            Some(_) => parse(&path, text.as_deref().unwrap_or_default())?,
        };
        Ok(Self { path, text, root })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn entry(&self, key: &str, name: &str) -> Option<Value> {
        self.root.get(key)?.get(name).cloned()
    }

    /// The text with an entry added, or replaced where it stands.
    pub(super) fn with_entry(&self, key: &str, name: &str, entry: &Value) -> Result<String, ConfigFileError> {
        let tree = self.tree()?;
        let not_an_object = |what: &str| ConfigFileError::NotAnObject {
            path: self.path.clone(),
            what: what.to_owned(),
        };
        let root = tree
            .object_value_or_create()
            .ok_or_else(|| not_an_object("the whole of it"))?;
        let servers = root
            .object_value_or_create(key)
            .ok_or_else(|| not_an_object(&format!("{key:?}")))?;
        match servers.get(name) {
            Some(present) => present.set_value(input(entry)),
            None => drop(servers.append(name, input(entry))),
        }
        self.checked(tree.to_string(), key, name, Some(entry))
    }

    /// The text without an entry. What remains of its parent stays, also when that is empty.
    pub(super) fn without_entry(&self, key: &str, name: &str) -> Result<String, ConfigFileError> {
        let tree = self.tree()?;
        let present = tree
            .object_value()
            .and_then(|root| root.object_value(key))
            .and_then(|servers| servers.get(name));
        if let Some(present) = present {
            present.remove();
        }
        self.checked(tree.to_string(), key, name, None)
    }

    /// Writes a new text in place of the old, which becomes a backup. Returns the backup's path, where there was a file.
    pub(super) fn write(&self, text: &str) -> Result<Option<PathBuf>, ConfigFileError> {
        let failed = |error| ConfigFileError::Io {
            path: self.path.clone(),
            error,
        };
        if read(&self.path)? != self.text {
            return Err(ConfigFileError::Changed(self.path.clone()));
        }
        if let Some(folder) = self.path.parent() {
            fs::create_dir_all(folder).map_err(failed)?;
        }
        let backup = match self.text {
            Some(_) => Some(self.back_up()?),
            None => None,
        };
        // Renamed into place, so that a crash leaves the old file or the new one.
        let beside = self.path.with_added_extension("new");
        let replace = || {
            if backup.is_some() {
                // For its permissions.
                fs::copy(&self.path, &beside)?;
            }
            let mut file = OpenOptions::new()
                .write(true)
                .create(true)
                .truncate(true)
                .open(&beside)?;
            file.write_all(text.as_bytes())?;
            file.sync_all()?;
            fs::rename(&beside, &self.path)
        };
        replace().map_err(failed)?;
        Ok(backup)
    }

    fn back_up(&self) -> Result<PathBuf, ConfigFileError> {
        let free = (1..BACKUPS_MAX)
            .map(|number| self.path.with_added_extension(format!("backup-{number}")))
            .find(|path| !path.exists());
        let backup = free.ok_or_else(|| ConfigFileError::Backups(self.path.clone()))?;
        fs::copy(&self.path, &backup).map_err(|error| ConfigFileError::Io {
            path: backup.clone(),
            error,
        })?;
        Ok(backup)
    }

    fn tree(&self) -> Result<CstRootNode, ConfigFileError> {
        let text = self.text.as_deref().unwrap_or_default();
        CstRootNode::parse(text.trim_start_matches(BOM), &options()).map_err(|error| syntax(&self.path, error))
    }

    /// Whether the new text differs from the old in this entry and in nothing else.
    fn checked(&self, text: String, key: &str, name: &str, entry: Option<&Value>) -> Result<String, ConfigFileError> {
        let mut expected = self.root.clone();
        match (entry, expected.get_mut(key).and_then(Value::as_object_mut)) {
            (Some(entry), Some(servers)) => drop(servers.insert(name.to_owned(), entry.clone())),
            (Some(entry), None) => {
                if let Some(root) = expected.as_object_mut() {
                    let servers = Map::from_iter([(name.to_owned(), entry.clone())]);
                    root.insert(key.to_owned(), servers.into());
                }
            }
            (None, Some(servers)) => drop(servers.shift_remove(name)),
            (None, None) => {}
        }
        if parse(&self.path, &text)? != expected {
            return Err(ConfigFileError::OtherParts(self.path.clone()));
        }
        let had_bom = self.text.as_ref().is_some_and(|text| text.starts_with(BOM));
        Ok(if had_bom { format!("{BOM}{text}") } else { text })
    }
}

fn read(path: &Path) -> Result<Option<String>, ConfigFileError> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) if error.kind() == io::ErrorKind::InvalidData => Err(ConfigFileError::NotUtf8(path.to_owned())),
        Err(error) => Err(ConfigFileError::Io {
            path: path.to_owned(),
            error,
        }),
    }
}

/// Comments and trailing commas are allowed, as VS Code and others allow them in these files.
fn options() -> ParseOptions {
    ParseOptions {
        allow_comments: true,
        allow_trailing_commas: true,
        allow_loose_object_property_names: false,
        allow_missing_commas: false,
        allow_single_quoted_strings: false,
        allow_hexadecimal_numbers: false,
        allow_unary_plus_numbers: false,
        allow_bare_decimal_point_numbers: false,
        allow_non_finite_numbers: false,
        allow_extended_string_escapes: false,
    }
}

/// An empty file is an empty object, as clients leave it. A key that is there twice would leave unclear which one counts.
fn parse(path: &Path, text: &str) -> Result<Value, ConfigFileError> {
    let tree = CstRootNode::parse(text.trim_start_matches(BOM), &options()).map_err(|error| syntax(path, error))?;
    let Some(value) = tree.value() else {
        return Ok(Value::Object(Map::new()));
    };
    let not_an_object = || ConfigFileError::NotAnObject {
        path: path.to_owned(),
        what: "the whole of it".to_owned(),
    };
    let root = value.as_object().ok_or_else(not_an_object)?;
    let mut objects = vec![root];
    while let Some(object) = objects.pop() {
        let mut names = std::collections::BTreeSet::new();
        for property in object.properties() {
            let name = property.decoded_name().unwrap_or_default();
            if !names.insert(name.clone()) {
                return Err(ConfigFileError::Twice {
                    path: path.to_owned(),
                    key: name,
                });
            }
            objects.extend(property.object_value());
        }
    }
    tree.to_serde_value().ok_or_else(not_an_object)
}

fn syntax(path: &Path, error: impl ToString) -> ConfigFileError {
    ConfigFileError::Syntax {
        path: path.to_owned(),
        reason: error.to_string(),
    }
}

fn input(value: &Value) -> CstInputValue {
    match value {
        Value::Null => CstInputValue::Null,
        Value::Bool(it) => CstInputValue::Bool(*it),
        Value::Number(it) => CstInputValue::Number(it.to_string()),
        Value::String(it) => CstInputValue::String(it.clone()),
        Value::Array(items) => CstInputValue::Array(items.iter().map(input).collect()),
        Value::Object(map) => {
            CstInputValue::Object(map.iter().map(|(name, value)| (name.clone(), input(value))).collect())
        }
    }
}

/// Windows gives canonical paths in a form that programs and people do not expect (`\\?\C:\…`).
fn without_verbatim_prefix(path: PathBuf) -> PathBuf {
    let plain = path.to_str().and_then(|path| path.strip_prefix(r"\\?\"));
    match plain {
        Some(plain) if !plain.starts_with("UNC") => plain.into(),
        _ => path,
    }
}
