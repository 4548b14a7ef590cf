//! Header blocks above the mail that is answered: lines of `Label: value` with a sender, a time and a subject.
//!
//! Forms of web pages and transport requests look alike. Theirs have other labels, too, and neither an address nor the
//! word that only mail programs use for the time.

use super::{
    Line, lower,
    words::{self, Label},
};

/// A block's lines, with those of a long list of people.
const ROWS_MAX: usize = 60;
const LABEL_CHARS: usize = 40;

/// A line's label, and what stands behind it.
fn split(line: &str) -> Option<(String, &str)> {
    let line = line.trim().trim_start_matches(['*', ' ']);
    let colon = line
        .char_indices()
        .take(LABEL_CHARS)
        .find(|(_, c)| matches!(c, ':' | '：'))?;
    let (name, value) = line.split_at(colon.0);
    let name = lower(name.trim_matches(['*', ' ', '|', '\u{a0}']));
    let value = value.trim_start_matches([':', '：', '*', ' ', '|']).trim();
    (!name.is_empty() && name.split(' ').count() <= 4).then_some((name, value))
}

fn known(name: &str) -> Option<Label> {
    words::LABELS
        .iter()
        .find(|(_, names)| names.contains(&name))
        .map(|(label, _)| *label)
}

/// The label of a header that a line bears.
pub(super) fn label(line: &str) -> Option<Label> {
    split(line).and_then(|(name, _)| known(&name))
}

#[derive(Default)]
struct Block {
    rows: usize,
    labels: Vec<Label>,
    /// Labels that no mail program writes.
    form: bool,
    foreign: usize,
    address: bool,
    time: bool,
}

impl Block {
    fn has(&self, label: Label) -> bool {
        self.labels.contains(&label)
    }
}

/// Reads the block that begins with these lines.
fn read<'a>(lines: impl Iterator<Item = &'a str>) -> Block {
    let mut block = Block::default();
    let mut empty = 0;
    let mut rows = 0;
    let mut last = None;
    for line in lines.take(ROWS_MAX) {
        rows += 1;
        let line = line.trim();
        if line.is_empty() {
            empty += 1;
            continue;
        }
        let found = split(line).map(|(name, value)| (known(&name), name, value));
        match found {
            Some((Some(label), _, value)) if empty < 2 => {
                // The same label again: another block, of the mail that this one answers.
                if block.labels.contains(&label) && label != Label::Other && label != Label::Cc && label != Label::Date
                {
                    break;
                }
                // `Gesendet: per Spedition` tells how something is sent.
                block.form |=
                    label == Label::Sent && !value.contains(|c: char| c.is_ascii_digit()) && value.contains(' ');
                block.labels.push(label);
                block.note(label, value);
                last = Some(label);
            }
            Some((None, name, _)) if words::FORM_LABELS.contains(&name.as_str()) => {
                block.form = true;
                break;
            }
            Some((None, name, value))
                if empty == 0
                    && !value.is_empty()
                    && !matches!(last, Some(Label::Subject))
                    && name.len() < 30
                    && !name.contains("//") =>
            {
                block.foreign += 1;
                block.note(Label::Other, value);
                last = Some(Label::Other);
            }
            _ => {
                // A list of people goes on, or a value stands below its label.
                let goes_on = match last {
                    Some(Label::To | Label::Cc) => empty == 0 && line.len() < 300 && !is_sentence(line),
                    Some(Label::From | Label::Sent | Label::Date) => {
                        empty == 0 && (line.contains('@') || has_time(line))
                    }
                    Some(Label::Subject) => false,
                    _ => false,
                };
                if !goes_on || block.has(Label::Subject) && last == Some(Label::Subject) {
                    break;
                }
                block.note(last.unwrap_or(Label::Other), line);
            }
        }
        empty = 0;
        block.rows = rows;
    }
    block
}

impl Block {
    fn note(&mut self, label: Label, value: &str) {
        match label {
            Label::From | Label::To | Label::Cc | Label::Other => self.address |= value.contains('@'),
            Label::Sent | Label::Date => self.time |= has_time(value) || has_date(value),
            Label::Subject => {}
        }
    }
}

/// People's names in a list end in a separator or hold an address; sentences do not.
fn is_sentence(line: &str) -> bool {
    let words = line.split_whitespace().count();
    !line.contains(['@', ';']) && (line.ends_with(['.', '?', '!', ',']) && !line.contains(';') || words > 6)
}

/// `10:12` or `10h12`.
pub(super) fn has_time(text: &str) -> bool {
    let bytes = text.as_bytes();
    bytes.windows(4).enumerate().any(|(at, four)| {
        let before = at.checked_sub(1).map(|at| bytes[at]);
        four[0].is_ascii_digit()
            && matches!(four[1], b':' | b'h')
            && four[2].is_ascii_digit()
            && four[3].is_ascii_digit()
            && before.is_none_or(|c| c.is_ascii_digit() || !c.is_ascii_alphanumeric())
    }) || ["kl. ", "kl ", "klo ", "kello ", "ore "].iter().any(|word| {
        text.to_lowercase().split_once(word).is_some_and(|(_, rest)| {
            rest.starts_with(|c: char| c.is_ascii_digit())
                && rest
                    .get(1..)
                    .is_some_and(|rest| rest.trim_start_matches(|c: char| c.is_ascii_digit()).starts_with('.'))
        })
    })
}

/// A year, or a date in digits.
pub(super) fn has_date(text: &str) -> bool {
    let digits = |part: &str| !part.is_empty() && part.len() <= 4 && part.bytes().all(|b| b.is_ascii_digit());
    text.split(|c: char| c.is_whitespace() || matches!(c, ',' | '(' | ')' | ';'))
        .any(|word| {
            let word = word.trim_end_matches(['.', 'г', 'р', ':']);
            let parts: Vec<&str> = word.split(['.', '/', '-', 'T']).take(4).collect();
            let is_year =
                |part: &str| part.len() == 4 && digits(part) && (part.starts_with("19") || part.starts_with("20"));
            parts.iter().any(|part| is_year(part)) || (parts.len() >= 3 && parts[..3].iter().all(|part| digits(part)))
        })
}

/// How many lines the headers take that begin here, if they do.
pub(super) fn begins(lines: &[Line], own: usize, at: usize) -> Option<usize> {
    let line = &lines[at];
    if line.text.len() > 2_000 {
        return None;
    }
    if let Some(rest) = original_ruler(line.text) {
        // Samsung's programs write the headers on the ruler's line.
        if !rest.is_empty() {
            return has_labels(rest).then_some(1);
        }
        let block = read(lines[at + 1..].iter().map(|line| line.text));
        return Some(1 + if block.labels.len() > 1 { block.rows } else { 0 });
    }
    let first = label(line.text);
    if first.is_none() && !line.original {
        return None;
    }
    let block = read(lines[at..].iter().map(|line| line.text));
    let above = lines[own..at].iter().rfind(|line| !line.is_empty());
    let below_ruler = above.is_some_and(Line::is_ruler);
    let marked = line.original
        || lines[own..at]
            .iter()
            .rev()
            .take_while(|line| line.is_empty() || line.is_ruler())
            .any(|line| line.original);
    if is_mail(&block, marked, below_ruler) && !is_form(lines, own, at, &block) {
        return Some(block.rows);
    }
    None
}

fn is_mail(block: &Block, marked: bool, below_ruler: bool) -> bool {
    if block.form {
        return false;
    }
    let dated = block.has(Label::Sent) || block.has(Label::Date);
    let complete = block.has(Label::From) && dated && block.has(Label::Subject);
    if marked {
        // The page says so; the words may be of a language that is not known.
        let rows = block.labels.len() + block.foreign;
        return (complete || (rows >= 3 && block.time && (block.address || block.has(Label::Sent))))
            || (block.labels.len() >= 3 && dated);
    }
    if block.foreign > 0 && !(block.has(Label::Sent) && block.address) {
        return false;
    }
    let addressed = block.has(Label::To) || below_ruler;
    let told = block.has(Label::Sent) && (block.time || block.address || block.has(Label::To));
    complete && addressed && (told || (block.address && block.time))
        // Mobile programs leave the subject or the receiver out.
        || (block.has(Label::From) && block.has(Label::Sent) && block.address && block.time && block.labels.len() >= 3)
        || (block.has(Label::From) && block.address && block.time && dated && block.labels.len() >= 3 && below_ruler)
        || (complete && block.address && block.time)
}

/// Whether labels of a form follow the block, or a heading alone stands above it.
fn is_form(lines: &[Line], own: usize, at: usize, block: &Block) -> bool {
    let next = (at + block.rows..lines.len())
        .find(|at| !lines[*at].is_empty())
        .map(|at| lines[at].text);
    if let Some((name, _)) = next.and_then(split)
        && words::FORM_LABELS.contains(&name.as_str())
        && !(block.has(Label::Sent) && block.address && block.has(Label::To))
    {
        return true;
    }
    if own > 0 || (block.has(Label::Sent) && block.address) {
        return false;
    }
    let mut above = lines[..at].iter().filter(|line| !line.is_empty() && !line.is_ruler());
    let (Some(heading), None) = (above.next(), above.next()) else {
        return false;
    };
    let heading = lower(heading.text);
    heading.chars().count() <= 80 && words::FORM_HEADINGS.iter().any(|word| heading.contains(word))
}

/// Whether these quoted lines begin with headers.
pub(super) fn in_quote(lines: &[Line]) -> bool {
    let bare = |line: &Line<'_>| -> usize { line.text.len() - line.text.trim_start_matches(['>', ' ']).len() };
    let block = read(lines.iter().take(ROWS_MAX).map(|line| &line.text[bare(line)..]));
    is_mail(&block, false, true)
}

/// What stands behind `-----Original Message-----`, if a line begins with such a ruler.
fn original_ruler(line: &str) -> Option<&str> {
    let line = line.trim();
    let inner = line
        .strip_prefix("--")
        .or_else(|| line.strip_prefix("=="))
        .or_else(|| line.strip_prefix("__"))?;
    let inner = inner.trim_start_matches(['-', '=', '_', ' ']);
    let end = inner
        .find("--")
        .or_else(|| inner.find("=="))
        .or_else(|| inner.find("__"))?;
    let name = lower(inner[..end].trim().trim_end_matches(':'));
    words::ORIGINAL
        .contains(&name.as_str())
        .then(|| inner[end..].trim_start_matches(['-', '=', '_', ' ']))
}

/// Whether a line holds several headers behind one another.
fn has_labels(line: &str) -> bool {
    let lower = lower(line);
    let found = lower
        .split(':')
        .filter(|part| {
            let word = part.rsplit(' ').next().unwrap_or_default();
            known(word.trim()).is_some()
        })
        .count();
    found >= 2
}
