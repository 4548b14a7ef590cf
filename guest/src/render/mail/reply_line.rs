//! Reply lines: the line above the mail that is answered, "On 3 May … wrote:", in any language.
//!
//! Above lines that are marked as quoted, a line that ends in a colon and holds an address or a date is one. Where nothing
//! is marked, the line has to be as only programs write it, since people tell what somebody wrote, too.

use super::{
    Line,
    header_block::{has_date, has_time},
    lower, words,
};

/// A reply line may be wrapped, but not endlessly.
const ROWS_MAX: usize = 4;
const CHARS_MAX: usize = 300;

/// Where the reply line begins that stands directly above a quote.
pub(super) fn above(lines: &[Line], own: usize, quote: usize) -> Option<usize> {
    let end = (own..quote).rev().find(|at| !lines[*at].is_empty())?;
    if quote - end > 3 {
        return None;
    }
    let (start, joined) = window(lines, own, end, true)?;
    let lower = lower(&joined);
    let marked = lines[end].original || lines[start].original;
    let dated = has_date(&lower) || has_time(&lower);
    let told = verb(&lower);
    let program = if lower.contains('@') {
        dated || told.is_some()
    } else {
        // A list below `Prices from 1 March 2026:` is no quote.
        dated && told.is_some_and(|after| !is_loose(&joined, after))
    };
    ((marked && (dated || told.is_some() || lower.contains('@'))) || program)
        .then_some(start)
        .filter(|_| !is_narrative(&lower))
}

/// Where the reply line begins that ends on this line, above a quote that is not marked.
pub(super) fn ends_here(lines: &[Line], own: usize, at: usize) -> Option<usize> {
    let text = lines[at].text.trim_end();
    let ends = text.ends_with(':') || (text.ends_with("--") && text.contains('@') || text.ends_with(": ]"));
    if !ends || text.len() > 4 * CHARS_MAX {
        return None;
    }
    let (start, joined) = window(lines, own, at, false)?;
    let lower = lower(&joined);
    let lower = lower.trim_matches(['-', ' ', '*', '_']);
    let next = lines[at + 1..].iter().find(|line| !line.is_empty())?;
    if is_narrative(lower)
        || next
            .text
            .trim_start()
            .starts_with(['"', '„', '“', '”', '«', '»', '‚', '‘', '\''])
    {
        return None;
    }
    let address = lower.contains('@');
    let dated = has_date(lower) && has_time(lower);
    let form = words::WROTE_FORMS.iter().any(|form| lower.contains(form));
    let program = (address && verb(lower).is_some() && (has_date(lower) || has_time(lower)))
        || (dated && form)
        // `2026-11-03 10:12 GMT+01:00 Jan <jan@b.cz>:`
        || (address && dated && lower.ends_with(">:"))
        || (lines[start].original && (address || dated));
    program.then_some(start)
}

/// The rows of a reply line that ends on this line: as few as hold an address or a date, and those above them that the
/// program wrapped.
fn window(lines: &[Line], own: usize, end: usize, marked: bool) -> Option<(usize, String)> {
    let last = lines[end].text.trim_end();
    if !last.ends_with([':', '-', ']']) && !(marked && (last.ends_with('>') || last.ends_with(".:"))) {
        return None;
    }
    let mut joined = String::new();
    let mut start = end;
    for rows in 0..ROWS_MAX {
        let line = lines[start].text.trim();
        if line.is_empty() || lines[start].is_quote() {
            return None;
        }
        joined = if joined.is_empty() {
            line.to_owned()
        } else {
            format!("{line} {joined}")
        };
        if joined.len() > 2 * CHARS_MAX || joined.chars().count() > CHARS_MAX {
            return None;
        }
        let address = joined.contains('@');
        let dated = has_date(&joined) || has_time(&joined);
        let above = start
            .checked_sub(1)
            .filter(|above| *above >= own && rows + 1 < ROWS_MAX)
            .map(|above| &lines[above]);
        let above = above.filter(|line| !line.is_empty() && !line.is_quote() && line.text.len() < CHARS_MAX);
        if dated && (address || opens(&joined)) {
            return Some((start, joined));
        }
        // A row above with the date or the name, and nothing that ends a sentence.
        let goes_on = above.is_some_and(|line| {
            let text = line.text.trim();
            !text.ends_with(['.', '!', '?', ':', ';'])
                && (has_date(text) || has_time(text) || text.contains('@'))
                && (opens(text) || text.contains('@'))
        });
        if goes_on || (!address && !dated && above.is_some()) {
            start -= 1;
            continue;
        }
        return (address || dated).then_some((start, joined));
    }
    None
}

/// Whether a line begins as reply lines do: with a date, a day of the week or the word before it.
fn opens(line: &str) -> bool {
    const OPENERS: &[&str] = &[
        "on",
        "dne",
        "dňa",
        "am",
        "vom",
        "le",
        "el",
        "il",
        "em",
        "op",
        "den",
        "pe",
        "în",
        "in",
        "w",
        "dnia",
        "no",
        "em",
        "a",
        "på",
        "от",
        "на",
        "в",
        "у",
        "στις",
        "la",
        "data",
        "de",
        "ve",
        "dana",
        "u",
        "dne:",
        "at",
        "den:",
        "kuupäeval",
        "2",
        "às",
        "fecha",
        "wiadomość",
        "message",
    ];
    let line = line.trim_start_matches(['-', ' ', '*', '[', '_']);
    if line.starts_with(|c: char| c.is_ascii_digit()) {
        return true;
    }
    let lower = lower(line);
    let first = lower.split([' ', ',', '.']).next().unwrap_or_default();
    // A day of the week, long or short, stands before a comma, a full stop or a digit.
    let after = lower[first.len()..].trim_start_matches([',', '.', ' ']);
    let is_day = first.chars().count() <= 12
        && first.chars().all(char::is_alphabetic)
        && after.starts_with(|c: char| c.is_ascii_digit());
    let is_month = first.chars().count() <= 12 && lower[first.len()..].starts_with([',', '.']) && has_date(&lower);
    OPENERS.contains(&first) || is_day || is_month
}

/// The verb of a reply line: how many characters stand behind it.
fn verb(lower: &str) -> Option<usize> {
    words::WROTE
        .iter()
        .flat_map(|verb| lower.match_indices(verb))
        .filter(|(at, verb)| {
            let before = lower[..*at].chars().next_back();
            let after = lower[at + verb.len()..].chars().next();
            !before.is_some_and(char::is_alphanumeric) && !after.is_some_and(char::is_alphanumeric)
        })
        .map(|(at, verb)| lower[at + verb.len()..].chars().count())
        .min()
}

/// Whether sentences go on behind the verb: `… wrote on the slip:`. Programs write a name there, or a time.
fn is_loose(joined: &str, after: usize) -> bool {
    let tail: String = joined
        .chars()
        .rev()
        .take(after)
        .collect::<Vec<_>>()
        .into_iter()
        .rev()
        .collect();
    let small = tail
        .split_whitespace()
        .filter(|word| {
            word.chars().count() > 1 && word.chars().all(char::is_alphabetic) && word.starts_with(char::is_lowercase)
        })
        .count();
    small >= 2 && !has_date(&tail) && !has_time(&tail)
}

/// Whether a person tells what was written: to me, by your technician.
fn is_narrative(lower: &str) -> bool {
    // Names in quotes and addresses are not looked at.
    let mut text = String::new();
    let mut depth = 0_usize;
    for c in lower.chars() {
        match c {
            '<' | '(' | '[' => depth += 1,
            '>' | ')' | ']' => depth = depth.saturating_sub(1),
            c if depth == 0 => text.push(c),
            _ => {}
        }
    }
    let words: Vec<&str> = text.split(' ').filter(|word| !word.is_empty()).collect();
    words.iter().enumerate().any(|(n, word)| {
        // `Mi., 3. Juni`: a day of the week has a full stop or comma; the first word opens the line.
        n > 0 && !word.ends_with(['.', ',']) && words::NARRATIVE.contains(&word.trim_matches([':', '"', '„', '“']))
    })
}
