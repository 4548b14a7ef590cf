//! Forwarded mail: told by the subject or by the line that a mail program sets above the message.

use super::{Line, header_block, lower, next_filled, words};

/// Whether a subject says that the mail is there for what it forwards: `Fwd: …`, `[EXTERNAL] WG: …`.
pub fn is_forwarded(subject: &str) -> bool {
    let mut subject = subject.trim_start();
    // Marks of servers and ticket systems: `[EXT]`, `(External)`, `***SPAM***`, `EXTERNAL:`.
    loop {
        let rest = if let Some(inner) = subject.strip_prefix('[') {
            inner.split_once(']').map(|(_, rest)| rest)
        } else if let Some(inner) = subject.strip_prefix('(') {
            inner.split_once(')').map(|(_, rest)| rest)
        } else if let Some(inner) = subject.strip_prefix('*') {
            inner
                .trim_start_matches('*')
                .split_once('*')
                .map(|(_, rest)| rest.trim_start_matches('*'))
        } else if let Some((word, rest)) = subject.split_once(':')
            && ["ext", "extern", "external", "externí", "spam", "warning"].contains(&lower(word.trim()).as_str())
        {
            Some(rest)
        } else {
            None
        };
        match rest {
            Some(rest) => subject = rest.trim_start_matches([' ', '-', '\u{a0}']),
            None => break,
        }
    }
    let Some((word, rest)) = subject.split_once(':') else {
        return false;
    };
    let word = lower(word.trim());
    let counted = word.trim_end_matches(|c: char| c.is_ascii_digit() || matches!(c, '[' | ']' | '(' | ')' | '^'));
    // `VS: 2026001` is a payment's variable symbol.
    let is_number = rest.trim_start().starts_with(|c: char| c.is_ascii_digit());
    words::FORWARD_SUBJECTS.contains(&counted) && !(is_number && matches!(counted, "vs" | "i" | "tr" | "pd"))
}

/// Whether a forwarded message begins on a line, quoted or not.
pub(super) fn begins(lines: &[Line], at: usize) -> bool {
    let text = lines[at].text.trim();
    if text.len() > 200 {
        return false;
    }
    // A message that is forwarded within one that is answered is quoted with it.
    let bare = text.trim_start_matches(['>', ' ']);
    if lines[at].is_quote() && at > 0 && lines[at - 1].is_quote() {
        return false;
    }
    let dashed = bare.starts_with("--") || bare.starts_with("==") || bare.starts_with("—") || bare.starts_with("__");
    let inner = lower(bare.trim_matches(['-', '=', '_', '—', '*', '~', ' ', ':']));
    if inner.is_empty() {
        return false;
    }
    let counted = inner.trim_start_matches(|c: char| c.is_ascii_digit() || c == ' ');
    // `Forwarded by Jan on 3 June` of Notes, `Forwarded message from …` of others.
    if words::FORWARD.contains(&inner.as_str())
        || (dashed && words::FORWARD.iter().any(|known| counted.starts_with(known)))
        || (dashed && inner.starts_with("forwarded by"))
    {
        return true;
    }
    if dashed && bare.ends_with(['-', '=', '—', '_']) && words::FORWARD_STEMS.iter().any(|stem| inner.contains(stem))
    {
        return true;
    }
    // A line in words of its own that ends in a colon, above a block of headers.
    let next = next_filled(lines, at + 1);
    let below = lines.get(next).map(|line| line.text.trim_start_matches(['>', ' ']));
    bare.ends_with(':')
        && inner.split(' ').count() <= 6
        && words::FORWARD_STEMS.iter().any(|stem| inner.contains(stem))
        && below.is_some_and(|line| header_block::label(line).is_some())
}
