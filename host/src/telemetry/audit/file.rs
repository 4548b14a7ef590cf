//! The audit file: lines are appended to a hash chain that goes on across restarts and rotations.
//!
//! Each line is written before the answer of its call leaves, and is on the disk at the latest a second later (`fsync`), or before
//! the answer where the operator asks for that. One process writes a file; a second one is refused by a lock.

use std::{
    fs::{File, OpenOptions, TryLockError},
    io::{self, Read, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError, Weak},
    thread,
    time::Duration,
};

use serde_json::{Map, Value, json};

use super::chain::{CONTINUED, Head, Line, RESUMED, torn_fields};

/// What is written is on the disk after so long.
const SYNC_EVERY: Duration = Duration::from_secs(1);

/// The last two lines are within so much: a line names at most a thousand ids of each kind, and arguments of 16 KB.
const TAIL_BYTES: u64 = 4 * 1024 * 1024;

/// Why the audit file cannot be used. Its text says what to do.
#[derive(Debug, thiserror::Error)]
pub enum AuditFileError {
    #[error("{}: {error}", .file.display())]
    Io { file: PathBuf, error: io::Error },
    #[error("{}: another process writes it; give each process a file of its own", .0.display())]
    Locked(PathBuf),
    #[error(
        "{}: its last line was changed or is no line of an audit; look with `mcp-daktela audit verify`, then move the file away, so \
         that a new one begins", .0.display()
    )]
    Broken(PathBuf),
}

/// Appends to the file. Safe to share.
pub(super) struct AuditFile {
    state: Arc<Mutex<State>>,
}

struct State {
    path: PathBuf,
    file: File,
    head: Head,
    syncs_each_line: bool,
    is_dirty: bool,
    /// A write failed half-way, so that the file may end in a torn line.
    is_torn: bool,
}

impl AuditFile {
    /// Opens or begins a file. `syncs_each_line`: a line is on the disk before its call is answered.
    pub(super) fn open(path: &Path, syncs_each_line: bool) -> Result<Self, AuditFileError> {
        let io = |error| AuditFileError::Io {
            file: path.to_owned(),
            error,
        };
        let mut file = open_locked(path)?;
        let end = read_end(&mut file).map_err(io)?;
        let head = end.head.ok_or_else(|| AuditFileError::Broken(path.to_owned()))?;
        let mut state = State {
            path: path.to_owned(),
            file,
            head,
            syncs_each_line,
            is_dirty: false,
            is_torn: false,
        };
        state.mend(&end.rest).map_err(io)?;
        let state = Arc::new(Mutex::new(state));
        let weak = Arc::downgrade(&state);
        thread::Builder::new()
            .name("audit".to_owned())
            .spawn(move || sync_forever(&weak))
            .map_err(io)?;
        Ok(Self { state })
    }

    /// Appends a line and returns its number; it is written when this returns.
    pub(super) fn append(&self, entry: Map<String, Value>) -> io::Result<u64> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.append(entry)?;
        Ok(state.head.seq)
    }

    /// The newest line.
    pub(super) fn head(&self) -> Head {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.head.clone()
    }
}

impl State {
    fn append(&mut self, entry: Map<String, Value>) -> io::Result<()> {
        if self.is_torn {
            let end = read_end(&mut self.file)?;
            // What was written of the line is there or is not; the chain goes on behind the last whole one.
            self.head = end.head.ok_or(io::ErrorKind::InvalidData)?;
            self.mend(&end.rest)?;
            self.is_torn = false;
        }
        self.follow_rotation()?;
        self.write(entry)
    }

    fn write(&mut self, entry: Map<String, Value>) -> io::Result<()> {
        let (line, head) = self.head.next(entry);
        self.write_all(&line)?;
        self.head = head;
        Ok(())
    }

    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        let written = self.file.write_all(bytes).and_then(|()| match self.syncs_each_line {
            true => self.file.sync_data(),
            false => Ok(()),
        });
        self.is_torn |= written.is_err();
        self.is_dirty |= written.is_ok();
        written
    }

    /// Ends a torn last line, and says how much of it there is.
    fn mend(&mut self, rest: &Rest) -> io::Result<()> {
        match rest {
            Rest::Nothing => Ok(()),
            Rest::LineBreak => self.write_all(b"\n"),
            Rest::Torn(torn) => {
                self.write_all(b"\n")?;
                let mut entry = Map::new();
                entry.insert("time".to_owned(), json!(super::now()));
                entry.insert("event".to_owned(), json!(RESUMED));
                entry.extend(torn_fields(torn));
                tracing::warn!(
                    event = "audit_resumed",
                    torn_bytes = torn.len(),
                    "the audit file ended in a torn line"
                );
                self.write(entry)
            }
        }
    }

    /// Where the file was moved away, another begins under its name, and its first line says what it goes on from.
    fn follow_rotation(&mut self) -> io::Result<()> {
        if !is_moved(&self.file, &self.path)? {
            return Ok(());
        }
        self.file.sync_data()?;
        let mut file = open_locked(&self.path).map_err(io::Error::other)?;
        let is_new = file.seek(SeekFrom::End(0))? == 0;
        if !is_new {
            return Err(io::Error::other(
                "another file was put in the audit file's place; expected none",
            ));
        }
        self.file = file;
        let mut entry = Map::new();
        entry.insert("time".to_owned(), json!(super::now()));
        entry.insert("event".to_owned(), json!(CONTINUED));
        self.write(entry)
    }
}

impl Drop for State {
    fn drop(&mut self) {
        let synced = if self.is_dirty { self.file.sync_data() } else { Ok(()) };
        if let Err(error) = synced {
            tracing::error!(event = "audit_not_synced", reason = %error.kind());
        }
    }
}

fn sync_forever(state: &Weak<Mutex<State>>) {
    loop {
        thread::sleep(SYNC_EVERY);
        let Some(state) = state.upgrade() else { return };
        // The disk is waited for without the lock, which calls wait for.
        let dirty = {
            let mut state = state.lock().unwrap_or_else(PoisonError::into_inner);
            let is_dirty = std::mem::take(&mut state.is_dirty);
            is_dirty.then(|| state.file.try_clone())
        };
        let synced = dirty.map(|file| file.and_then(|file| file.sync_data()));
        if let Some(Err(error)) = synced {
            tracing::error!(event = "audit_not_synced", reason = %error.kind());
            state.lock().unwrap_or_else(PoisonError::into_inner).is_dirty = true;
        }
    }
}

fn open_locked(path: &Path) -> Result<File, AuditFileError> {
    let io = |error| AuditFileError::Io {
        file: path.to_owned(),
        error,
    };
    let mut options = OpenOptions::new();
    options.read(true).append(true).create(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let file = options.open(path).map_err(io)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(AuditFileError::Locked(path.to_owned())),
        Err(TryLockError::Error(error)) => Err(io(error)),
    }
}

/// How a file ends.
struct End {
    /// `None` where the last whole line is none of a chain.
    head: Option<Head>,
    rest: Rest,
}

/// What stands behind the last whole line.
enum Rest {
    Nothing,
    /// A whole line without its line break.
    LineBreak,
    Torn(Vec<u8>),
}

fn read_end(file: &mut File) -> io::Result<End> {
    let length = file.seek(SeekFrom::End(0))?;
    let start = length.saturating_sub(TAIL_BYTES);
    file.seek(SeekFrom::Start(start))?;
    let mut tail = Vec::new();
    // Devices have no end.
    file.take(length - start).read_to_end(&mut tail)?;
    let at = tail.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
    let (lines, rest) = tail.split_at(at);
    if let Some(line) = Line::parse(rest) {
        return Ok(End {
            head: Some(line.head),
            rest: Rest::LineBreak,
        });
    }
    let last = lines.strip_suffix(b"\n").unwrap_or_default();
    let last = last.rsplit(|byte| *byte == b'\n').next().unwrap_or_default();
    let is_first = last.is_empty() && start == 0;
    let head = match Line::parse(last) {
        Some(line) => Some(line.head),
        None => is_first.then(Head::start),
    };
    let rest = if rest.is_empty() {
        Rest::Nothing
    } else {
        Rest::Torn(rest.to_vec())
    };
    Ok(End { head, rest })
}

#[cfg(unix)]
fn is_moved(file: &File, path: &Path) -> io::Result<bool> {
    use std::os::unix::fs::MetadataExt;
    let own = file.metadata()?;
    match std::fs::metadata(path) {
        Ok(named) => Ok((own.dev(), own.ino()) != (named.dev(), named.ino())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(true),
        Err(error) => Err(error),
    }
}

/// A file that is open cannot be moved there.
#[cfg(not(unix))]
fn is_moved(_file: &File, _path: &Path) -> io::Result<bool> {
    Ok(false)
}

#[cfg(test)]
mod tests {
    use std::{fs, io::BufReader};

    use super::*;
    use crate::telemetry::audit::verify;

    struct Folder(PathBuf);

    impl Folder {
        fn new(name: &str) -> Self {
            let path = std::env::temp_dir().join(format!("mcp-daktela-audit-{name}-{}", std::process::id()));
            fs::create_dir_all(&path).unwrap();
            Self(path)
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    fn entry(tool: &str) -> Map<String, Value> {
        let mut fields = Map::new();
        fields.insert("event".to_owned(), json!("call"));
        fields.insert("tool".to_owned(), json!(tool));
        fields
    }

    fn check(path: &Path) -> Result<super::super::Verified, super::super::Finding> {
        verify(BufReader::new(File::open(path).unwrap())).unwrap()
    }

    #[test]
    fn the_chain_goes_on_after_a_restart_and_a_torn_line() {
        let folder = Folder::new("restart");
        let path = folder.0.join("audit.jsonl");
        let open = || AuditFile::open(&path, false).unwrap();
        open().append(entry("a")).unwrap();
        open().append(entry("b")).unwrap();
        assert_eq!(check(&path).unwrap().head.unwrap().seq, 2);
        let whole = fs::read(&path).unwrap();
        // Cut in the middle of the last line, at its very end, and before its line break.
        for left in [1, whole.len() / 2 - 20, whole.len() / 2 - 1] {
            fs::write(&path, &whole[..whole.len() - left]).unwrap();
            open().append(entry("c")).unwrap();
            let verified = check(&path).unwrap();
            assert_eq!(verified.torn.len(), usize::from(left > 1), "{left} bytes are gone");
            assert_eq!(verified.head.unwrap().seq, 3);
        }
        // Torn in its first line.
        fs::write(&path, &whole[..10]).unwrap();
        open().append(entry("c")).unwrap();
        assert_eq!(check(&path).unwrap().torn, [1]);
    }

    #[test]
    fn a_rotated_file_goes_on_in_the_next() {
        let folder = Folder::new("rotation");
        let (path, former) = (folder.0.join("audit.jsonl"), folder.0.join("audit.jsonl.1"));
        let file = AuditFile::open(&path, true).unwrap();
        file.append(entry("a")).unwrap();
        fs::rename(&path, &former).unwrap();
        file.append(entry("b")).unwrap();
        let (one, two) = (check(&former).unwrap(), check(&path).unwrap());
        assert_eq!(two.continues, one.head);
        assert_eq!(two.lines, 2);
    }

    #[test]
    fn a_file_that_was_changed_or_is_in_use_is_refused() {
        let folder = Folder::new("refused");
        let path = folder.0.join("audit.jsonl");
        let file = AuditFile::open(&path, false).unwrap();
        file.append(entry("a")).unwrap();
        assert!(matches!(AuditFile::open(&path, false), Err(AuditFileError::Locked(_))));
        drop(file);
        fs::write(&path, "no audit\n").unwrap();
        assert!(matches!(AuditFile::open(&path, false), Err(AuditFileError::Broken(_))));
    }
}
