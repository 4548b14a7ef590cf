//! Hash chain of the audit file: each line holds a sequence number, the hash of the line before it, and its own hash (SHA-256), so
//! that a line that is missing or was changed is found.
//!
//! A line is one JSON object. Its last field is `"hash"`, made of the bytes before that field. The chain shows that lines were
//! taken out or changed one by one; whoever can write the whole file can also write a new chain, so the newest hash should be
//! kept elsewhere as well (the log has it, event `audit_head`).

use std::{
    fmt,
    io::{self, BufRead},
};

use ring::digest::{SHA256, digest};
use serde_json::{Map, Value, json};

/// Before the first line.
pub(super) const NOTHING: &str = "0000000000000000000000000000000000000000000000000000000000000000";

/// What stands before the hash of a line.
const HASH_FIELD: &[u8] = b",\"hash\":\"";

/// The newest line: its number and its hash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    pub seq: u64,
    pub hash: String,
}

impl Head {
    /// Of an empty chain.
    pub(super) fn start() -> Self {
        Self {
            seq: 0,
            hash: NOTHING.to_owned(),
        }
    }

    /// The line that follows, with its line break, and the head that it makes.
    pub(super) fn next(&self, entry: Map<String, Value>) -> (Vec<u8>, Head) {
        let seq = self.seq + 1;
        let mut fields = Map::new();
        fields.insert("seq".to_owned(), json!(seq));
        fields.extend(entry);
        fields.insert("prev".to_owned(), json!(self.hash));
        let mut line = Value::Object(fields).to_string();
        // The closing brace comes back behind the hash.
        line.pop();
        let hash = sha256(line.as_bytes());
        let text = format!("{line},\"hash\":\"{hash}\"}}\n");
        (text.into_bytes(), Head { seq, hash })
    }
}

pub(super) fn sha256(bytes: &[u8]) -> String {
    digest(&SHA256, bytes)
        .as_ref()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

/// A line whose own hash is right.
pub(super) struct Line {
    pub(super) head: Head,
    prev: String,
    fields: Map<String, Value>,
}

impl Line {
    /// `None` for what is no whole line, or was changed.
    pub(super) fn parse(bytes: &[u8]) -> Option<Self> {
        let at = bytes
            .windows(HASH_FIELD.len())
            .rposition(|window| window == HASH_FIELD)?;
        let rest = std::str::from_utf8(&bytes[at + HASH_FIELD.len()..]).ok()?;
        let hash = rest.strip_suffix("\"}")?;
        if hash != sha256(&bytes[..at]) {
            return None;
        }
        let Value::Object(fields) = serde_json::from_slice(bytes).ok()? else {
            return None;
        };
        let seq = fields.get("seq")?.as_u64()?;
        let prev = fields.get("prev")?.as_str()?.to_owned();
        let hash = hash.to_owned();
        Some(Self {
            head: Head { seq, hash },
            prev,
            fields,
        })
    }

    fn is(&self, event: &str) -> bool {
        self.fields.get("event").is_some_and(|own| own == event)
    }
}

/// The events of lines that are no calls.
pub(super) const RESUMED: &str = "audit_resumed";
pub(super) const CONTINUED: &str = "audit_continued";

/// What a resumed chain says of the torn line before it.
pub(super) fn torn_fields(torn: &[u8]) -> Map<String, Value> {
    let mut fields = Map::new();
    fields.insert("torn_bytes".to_owned(), json!(torn.len()));
    fields.insert("torn_sha256".to_owned(), json!(sha256(torn)));
    fields
}

/// A chain without a gap.
#[derive(Debug, PartialEq, Eq)]
pub struct Verified {
    pub lines: u64,
    /// `None` of an empty file.
    pub head: Option<Head>,
    /// Number and hash of the line before the first, where the file goes on where a former one ended.
    pub continues: Option<Head>,
    /// Lines that a crash left unfinished, by their number in the file; the lines behind them say so.
    pub torn: Vec<u64>,
}

/// The first gap or change.
#[derive(Debug, PartialEq, Eq)]
pub struct Finding {
    /// Counted from 1.
    pub line: u64,
    pub what: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.what)
    }
}

/// Walks a chain from its first line to its last.
///
/// # Errors
///
/// When the file cannot be read.
pub fn verify(mut file: impl BufRead) -> io::Result<Result<Verified, Finding>> {
    let mut found = Verified {
        lines: 0,
        head: None,
        continues: None,
        torn: Vec::new(),
    };
    let mut torn: Option<Vec<u8>> = None;
    let mut bytes = Vec::new();
    loop {
        bytes.clear();
        if file.read_until(b'\n', &mut bytes)? == 0 {
            break;
        }
        found.lines += 1;
        let is_whole = bytes.last() == Some(&b'\n');
        if is_whole {
            bytes.pop();
        }
        let at = |what: String| Finding {
            line: found.lines,
            what,
        };
        if let Some(former) = &torn {
            let said = Line::parse(&bytes).filter(|line| line.is(RESUMED));
            let fits = said.is_some_and(|line| {
                torn_fields(former)
                    .iter()
                    .all(|(key, value)| line.fields.get(key) == Some(value))
            });
            if !fits {
                let line = found.lines - 1;
                return Ok(Err(Finding {
                    line,
                    what: "the line was changed, or is torn and the next line does not say so".to_owned(),
                }));
            }
            found.torn.push(found.lines - 1);
            torn = None;
        }
        let Some(line) = Line::parse(&bytes) else {
            if !is_whole {
                return Ok(Err(at(
                    "the last line is torn: the program ended while it wrote. Its next start completes and notes it"
                        .to_owned(),
                )));
            }
            torn = Some(bytes.clone());
            continue;
        };
        let expected = found.head.clone().unwrap_or_else(|| match line.is(CONTINUED) {
            true => Head {
                seq: line.head.seq.saturating_sub(1),
                hash: line.prev.clone(),
            },
            false => Head::start(),
        });
        if line.head.seq != expected.seq + 1 {
            return Ok(Err(at(format!(
                "its number is {}, expected {}: lines before it are missing or were put in",
                line.head.seq,
                expected.seq + 1
            ))));
        }
        if line.prev != expected.hash {
            return Ok(Err(at(
                "it does not follow from the line before it, which was exchanged".to_owned(),
            )));
        }
        if found.head.is_none() && line.is(CONTINUED) {
            found.continues = Some(expected);
        }
        found.head = Some(line.head);
    }
    if torn.is_some() {
        let line = found.lines;
        return Ok(Err(Finding {
            line,
            what: "the line was changed: its hash is not that of its text".to_owned(),
        }));
    }
    Ok(Ok(found))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(tool: &str) -> Map<String, Value> {
        match json!({"event": "call", "tool": tool, "arguments": {"hash": "\",\"hash\":\"x\"}"}}) {
            Value::Object(fields) => fields,
            _ => Map::new(),
        }
    }

    fn chain(number: usize) -> Vec<Vec<u8>> {
        let mut head = Head::start();
        let mut lines = Vec::new();
        for index in 0..number {
            let (line, next) = head.next(entry(&format!("list_{index}")));
            lines.push(line);
            head = next;
        }
        lines
    }

    fn verdict(lines: &[Vec<u8>]) -> Result<Verified, Finding> {
        verify(lines.concat().as_slice()).unwrap()
    }

    #[test]
    fn a_whole_chain_is_found_whole() {
        let verified = verdict(&chain(3)).unwrap();
        assert_eq!((verified.lines, verified.head.unwrap().seq), (3, 3));
        assert_eq!(verdict(&[]).unwrap().head, None);
    }

    #[test]
    fn every_gap_and_every_changed_byte_is_found_at_its_line() {
        let lines = chain(4);
        for index in 0..3 {
            let mut fewer = lines.clone();
            fewer.remove(index);
            assert_eq!(
                verdict(&fewer).unwrap_err().line,
                index as u64 + 1,
                "without line {index}"
            );
        }
        let mut swapped = lines.clone();
        swapped.swap(1, 2);
        assert_eq!(verdict(&swapped).unwrap_err().line, 2);
        let whole = lines.concat();
        for at in 0..whole.len() {
            let mut changed = whole.clone();
            changed[at] ^= 1;
            assert!(verify(changed.as_slice()).unwrap().is_err(), "byte {at}");
        }
        // A line of another chain with the right number.
        let mut exchanged = lines.clone();
        let (line, _) = Head {
            seq: 1,
            hash: sha256(b"x"),
        }
        .next(entry("list_1"));
        exchanged[1] = line;
        assert_eq!(verdict(&exchanged).unwrap_err().line, 2);
    }

    #[test]
    fn a_torn_line_is_told_and_accepted_once_the_next_line_says_so() {
        let mut lines = chain(2);
        let torn = lines[1][..20].to_vec();
        lines[1] = torn.clone();
        let finding = verdict(&lines).unwrap_err();
        assert!(finding.line == 2 && finding.what.contains("torn"), "{finding}");
        lines[1].push(b'\n');
        assert_eq!(verdict(&lines).unwrap_err().line, 2);
        let head = Line::parse(lines[0].strip_suffix(b"\n").unwrap()).unwrap().head;
        let mut resumed = torn_fields(&torn);
        resumed.insert("event".to_owned(), json!(RESUMED));
        lines.push(head.next(resumed.clone()).0);
        assert_eq!(verdict(&lines).unwrap().torn, [2]);
        // Of another torn line.
        lines[1] = b"{\"seq\":2,\n".to_vec();
        assert_eq!(verdict(&lines).unwrap_err().line, 2);
    }

    #[test]
    fn a_file_may_go_on_where_another_ended_if_it_says_so() {
        let former = Head {
            seq: 7,
            hash: sha256(b"x"),
        };
        let mut continued = entry("list_1");
        let (unsaid, _) = former.next(continued.clone());
        assert_eq!(verdict(&[unsaid]).unwrap_err().line, 1);
        continued.insert("event".to_owned(), json!(CONTINUED));
        let (said, _) = former.next(continued);
        assert_eq!(verdict(&[said]).unwrap().continues, Some(former));
    }
}
