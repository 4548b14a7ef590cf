//! Append-only journal (write-ahead log) of the in-memory store: what was used once or revoked outlives a restart of a single replica.
//!
//! One line for each entry, `EXPIRES KIND ID [NUMBER]`, written and synced before it counts. It holds random ids, which are of
//! use to nobody. Entries that are over, or were replaced, are left out when the file is compacted: at start, and when it has
//! grown to twice its size.

use std::{
    collections::HashMap,
    fs::{self, File, OpenOptions, TryLockError},
    io::{self, Read, Write},
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
    time::Duration,
};

use crate::oauth::claims::now;

/// What a line begins with after its time.
const CODE: &str = "code";
const REVOKED: &str = "revoked";
const NEWEST: &str = "newest";

/// A file with fewer lines than this is not worth compacting.
const LINES_MIN: usize = 10_000;

/// Something that must not be forgotten.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Entry {
    /// A code was exchanged.
    Code(String),
    /// A family of tokens was revoked.
    Revoked(String),
    /// How often a family was refreshed.
    Newest(String, u64),
}

/// Why the file is not taken.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    #[error(transparent)]
    Io(#[from] io::Error),
    #[error("another process uses it; replicas share a Redis instead (REDIS_URL)")]
    InUse,
    #[error("line {0} is none of this program's, so it is left alone; name a file of its own")]
    Foreign(usize),
}

/// The file, locked for this process.
#[derive(Debug)]
pub struct Journal {
    path: PathBuf,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    file: File,
    lines: usize,
    /// Compacted beyond so many lines.
    lines_max: usize,
    /// What the file held when it was opened, until the store takes it.
    read: Vec<Entry>,
}

impl Journal {
    /// Opens the file, or makes it, readable by this user alone.
    ///
    /// # Errors
    ///
    /// When it cannot be read or written, is used by another process, or holds anything else.
    pub fn open(path: &Path) -> Result<Self, JournalError> {
        let file = lock(open(path)?)?;
        let mut state = State {
            file,
            lines: 0,
            lines_max: LINES_MIN,
            read: Vec::new(),
        };
        state.read = state.compact(path)?;
        Ok(Self {
            path: path.to_owned(),
            state: Mutex::new(state),
        })
    }

    /// What it held when it was opened; nothing the second time.
    pub(super) fn take_entries(&self) -> Vec<Entry> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut state.read)
    }

    /// Writes an entry that counts for `lifetime` from now on, and waits until it is on the disk. Blocks.
    pub(super) fn append(&self, entry: &Entry, lifetime: Duration) -> io::Result<()> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state
            .file
            .write_all(line(entry, now() + lifetime.as_secs()).as_bytes())?;
        state.file.sync_data()?;
        state.lines += 1;
        if state.lines > state.lines_max {
            state.compact(&self.path).map_err(io::Error::other)?;
        }
        Ok(())
    }
}

impl State {
    /// Writes the file anew with what still counts, and returns that.
    fn compact(&mut self, path: &Path) -> Result<Vec<Entry>, JournalError> {
        let entries = read(path)?;
        let beside = path.with_added_extension("new");
        let mut text = String::new();
        for (entry, expires) in &entries {
            text += &line(entry, *expires);
        }
        let _ = fs::remove_file(&beside);
        let mut file = lock(open(&beside)?)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        fs::rename(&beside, path)?;
        // The lock goes with the file.
        self.file = file;
        self.lines = entries.len();
        self.lines_max = LINES_MIN.max(2 * entries.len());
        Ok(entries.into_iter().map(|(entry, _)| entry).collect())
    }
}

fn open(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).append(true).create(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.mode(0o600);
    }
    options.open(path)
}

fn lock(file: File) -> Result<File, JournalError> {
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(JournalError::InUse),
        Err(TryLockError::Error(error)) => Err(error.into()),
    }
}

fn line(entry: &Entry, expires: u64) -> String {
    match entry {
        Entry::Code(id) => format!("{expires} {CODE} {id}\n"),
        Entry::Revoked(id) => format!("{expires} {REVOKED} {id}\n"),
        Entry::Newest(id, number) => format!("{expires} {NEWEST} {id} {number}\n"),
    }
}

/// The entries that are not over, with their ends; of a family the newest.
fn read(path: &Path) -> Result<Vec<(Entry, u64)>, JournalError> {
    let mut text = String::new();
    File::open(path)?.read_to_string(&mut text)?;
    let now = now();
    let mut newest: HashMap<String, (u64, u64)> = HashMap::new();
    let mut others: HashMap<Entry, u64> = HashMap::new();
    // A line that a crash cut off was not written: nobody was told that it was.
    let whole = text.rfind('\n').map_or("", |end| &text[..end]);
    for (at, line) in whole.lines().enumerate() {
        let (entry, expires) = parse(line).ok_or(JournalError::Foreign(at + 1))?;
        if expires <= now {
            continue;
        }
        match entry {
            Entry::Newest(family, number) => {
                let known = newest.entry(family).or_default();
                *known = (known.0.max(number), known.1.max(expires));
            }
            entry => {
                let known = others.entry(entry).or_default();
                *known = (*known).max(expires);
            }
        }
    }
    let newest = newest
        .into_iter()
        .map(|(family, (number, expires))| (Entry::Newest(family, number), expires));
    Ok(others.into_iter().chain(newest).collect())
}

fn parse(line: &str) -> Option<(Entry, u64)> {
    let mut parts = line.split(' ');
    let expires = parts.next()?.parse().ok()?;
    let (kind, id) = (parts.next()?, parts.next()?.to_owned());
    let entry = match (kind, parts.next()) {
        (CODE, None) => Entry::Code(id),
        (REVOKED, None) => Entry::Revoked(id),
        (NEWEST, Some(number)) => Entry::Newest(id, number.parse().ok()?),
        _ => return None,
    };
    parts.next().is_none().then_some((entry, expires))
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONG: Duration = Duration::from_secs(1000);

    /// A path in a folder of its own, which goes with it.
    struct Folder(PathBuf);

    impl Folder {
        fn new(name: &str) -> Self {
            let path = std::env::temp_dir().join(format!("mcp-daktela-journal-{name}-{}", std::process::id()));
            fs::create_dir_all(&path).unwrap();
            Self(path)
        }

        fn file(&self) -> PathBuf {
            self.0.join("state")
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    fn entries(path: &Path) -> Vec<String> {
        let mut entries: Vec<String> = Journal::open(path)
            .unwrap()
            .take_entries()
            .iter()
            .map(|entry| format!("{entry:?}"))
            .collect();
        entries.sort();
        entries
    }

    #[test]
    fn what_was_written_is_read_at_the_next_start() {
        let folder = Folder::new("read");
        let journal = Journal::open(&folder.file()).unwrap();
        assert_eq!(journal.take_entries(), []);
        let newest = |number| Entry::Newest("b".to_owned(), number);
        for entry in [
            Entry::Code("c".to_owned()),
            Entry::Revoked("a".to_owned()),
            newest(1),
            newest(3),
            newest(2),
        ] {
            journal.append(&entry, LONG).unwrap();
        }
        journal
            .append(&Entry::Revoked("over".to_owned()), Duration::ZERO)
            .unwrap();
        drop(journal);
        assert_eq!(
            entries(&folder.file()),
            [r#"Code("c")"#, r#"Newest("b", 3)"#, r#"Revoked("a")"#]
        );
        assert_eq!(fs::read_to_string(folder.file()).unwrap().lines().count(), 3);
    }

    #[test]
    fn a_line_that_a_crash_cut_off_is_left_out() {
        let folder = Folder::new("crash");
        let end = now() + 1000;
        fs::write(folder.file(), format!("{end} revoked a\n{end} revo")).unwrap();
        assert_eq!(entries(&folder.file()), [r#"Revoked("a")"#]);
    }

    #[test]
    fn a_file_that_is_used_or_not_ours_is_refused() {
        let folder = Folder::new("refused");
        let first = Journal::open(&folder.file()).unwrap();
        assert!(matches!(Journal::open(&folder.file()), Err(JournalError::InUse)));
        drop(first);
        fs::write(folder.file(), "my diary\n").unwrap();
        assert!(matches!(Journal::open(&folder.file()), Err(JournalError::Foreign(1))));
        assert_eq!(fs::read_to_string(folder.file()).unwrap(), "my diary\n");
    }

    #[test]
    fn it_does_not_grow_with_what_is_over() {
        let folder = Folder::new("grow");
        let mut state = State {
            file: open(&folder.file()).unwrap(),
            lines: 0,
            lines_max: LINES_MIN,
            read: Vec::new(),
        };
        let refreshes: String = (0..LINES_MIN as u64)
            .map(|number| line(&Entry::Newest("a".to_owned(), number), now() + 1000))
            .collect();
        state.file.write_all(refreshes.as_bytes()).unwrap();
        let left = state.compact(&folder.file()).unwrap();
        assert_eq!(left, [Entry::Newest("a".to_owned(), LINES_MIN as u64 - 1)]);
        assert_eq!((state.lines, state.lines_max), (1, LINES_MIN));
    }
}
