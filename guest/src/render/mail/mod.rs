//! Quote folding: finds quoted mail and signatures in the text of a mail, leaves them out, and counts what was left out.
//!
//! Losing the writer's own words is worse than leaving a quote, so whatever may be their own stays: forwarded mail,
//! questions between answers, passages without a line that introduces them, forms, stories about what somebody wrote.
//! A mail of which nothing would stay is shown whole.

mod forward;
mod header_block;
mod reply_line;
mod signature;
mod words;

#[cfg(test)]
mod corpus;
#[cfg(test)]
mod tests;

use super::html::{self, Hidden, marks};
use crate::text;

pub use forward::is_forwarded;

/// A message without what it quotes.
#[derive(Debug, PartialEq, Eq)]
pub struct Folded {
    pub text: String,
    /// Lines of quoted mail that were left out.
    pub quoted: usize,
    /// Lines of the signature that were left out.
    pub signature: usize,
}

impl Folded {
    /// `12 lines of quoted mail and 4 lines of signature`; nothing where nothing was folded.
    pub fn note(&self) -> Option<String> {
        let part = |n: usize, what: &str| {
            (n > 0).then(|| text::count(n as u64, &format!("line of {what}"), &format!("lines of {what}")))
        };
        let parts: Vec<String> = [part(self.quoted, "quoted mail"), part(self.signature, "signature")]
            .into_iter()
            .flatten()
            .collect();
        (!parts.is_empty()).then(|| parts.join(" and "))
    }
}

/// The readable text of a mail's source, HTML or plain, by its subject.
pub fn body(source: &str, subject: Option<&str>) -> Folded {
    let marked = html::to_marked_text(source, Hidden::LeftOut);
    fold(&marked, subject.is_some_and(is_forwarded))
}

/// A line, with what the page said about it.
#[derive(Clone, Copy, Debug)]
struct Line<'a> {
    text: &'a str,
    /// It stands behind `>`.
    quoted: bool,
    /// It is quoted mail, as the page says.
    cited: bool,
    /// It is in a quotation that need not be mail.
    bare: bool,
    /// An original message begins here, as the page says.
    original: bool,
}

impl<'a> Line<'a> {
    fn new(line: &'a str) -> Self {
        let text = line.trim_start_matches([marks::ORIGINAL, marks::CITED, marks::BARE]);
        let marked = &line[..line.len() - text.len()];
        Line {
            text,
            quoted: text.trim_start().starts_with('>'),
            cited: marked.contains(marks::CITED),
            bare: marked.contains(marks::BARE),
            original: marked.contains(marks::ORIGINAL),
        }
    }

    fn is_empty(&self) -> bool {
        self.text.trim().is_empty()
    }

    fn is_quote(&self) -> bool {
        self.quoted || self.cited
    }

    /// A line across.
    fn is_ruler(&self) -> bool {
        let line = self.text.trim();
        line.len() > 2 && line.trim_matches(['-', '_', '=', '*', '—', '–', '─']).is_empty()
    }
}

/// A passage of quoted mail, as numbers of lines.
#[derive(Debug)]
struct Quote {
    /// Where the line that introduces it begins, or the quote itself.
    start: usize,
    /// Where the quoted lines begin.
    body: usize,
    end: usize,
    introduced: bool,
    /// Its end is not marked: it takes all that follows.
    open: bool,
}

/// Folds the quoted mail and the signature of a text, of which lines may bear marks. Of a mail that forwards another the
/// other is content.
pub fn fold(text: &str, forwards: bool) -> Folded {
    let lines: Vec<Line> = text.lines().map(Line::new).collect();
    let quotes = quotes(&lines);
    let whole = || Folded {
        text: join(&lines, |_| true),
        quoted: 0,
        signature: 0,
    };
    let (quotes, forwarded) = match quotes {
        Found::Quotes(quotes) => (quotes, None),
        Found::Forward(quotes, at) => (quotes, Some(at)),
    };
    let mut folded = vec![false; lines.len()];
    let content_end = forwarded.unwrap_or(lines.len());
    if !forwards || quotes.is_empty() {
        choose(&lines, &quotes, content_end, &mut folded);
    }
    let quoted_any = folded.iter().any(|folded| *folded);
    let quoted = count(&lines, |at| folded[at]);
    // Signatures and footers stand before the first quote or at the very end.
    let mut signed = vec![false; lines.len()];
    signature::find(&lines[..content_end], &folded, &mut signed);
    let own = |at: usize| !folded[at] && !signed[at];
    if quoted_any {
        let kept: Vec<&str> = (0..lines.len())
            .filter(|at| own(*at))
            .map(|at| lines[at].text)
            .collect();
        if !signature::has_content(&kept) || says_below(&kept) {
            return whole();
        }
    }
    if !(0..lines.len()).any(|at| own(at) && !lines[at].is_empty()) {
        return whole();
    }
    Folded {
        text: text::tidy(&join(&lines, own)),
        quoted,
        signature: count(&lines, |at| signed[at]),
    }
}

fn join(lines: &[Line], keep: impl Fn(usize) -> bool) -> String {
    let kept: Vec<&str> = lines
        .iter()
        .enumerate()
        .filter(|(at, _)| keep(*at))
        .map(|(_, line)| line.text)
        .collect();
    kept.join("\n")
}

fn count(lines: &[Line], of: impl Fn(usize) -> bool) -> usize {
    (0..lines.len())
        .filter(|at| of(*at) && !lines[*at].is_empty() && !lines[*at].is_ruler() && lines[*at].text.trim() != "--")
        .count()
}

enum Found {
    Quotes(Vec<Quote>),
    /// Quotes above a forwarded message, and the line where that begins.
    Forward(Vec<Quote>, usize),
}

/// The quotes of a mail, from the top.
fn quotes(lines: &[Line]) -> Found {
    let mut quotes: Vec<Quote> = Vec::new();
    let mut at = 0;
    // The first line that is not part of a quote yet.
    let mut own = 0;
    while at < lines.len() {
        let line = &lines[at];
        if line.is_empty() {
            at += 1;
            continue;
        }
        if forward::begins(lines, at) {
            return Found::Forward(quotes, at);
        }
        if line.is_quote() {
            let end = run_end(lines, at);
            let intro = reply_line::above(lines, own, at);
            let start = intro.unwrap_or_else(|| with_rulers(lines, own, at));
            quotes.push(Quote {
                start,
                body: at,
                end,
                introduced: intro.is_some() || start < at || header_block::in_quote(&lines[at..end]),
                open: false,
            });
            at = end;
            own = end;
            continue;
        }
        if let Some(rows) = header_block::begins(lines, own, at) {
            let start = with_rulers(lines, own, at);
            // A marked quote below the headers has an end of its own.
            let body = next_filled(lines, at + rows);
            let marked = lines.get(body).is_some_and(Line::is_quote);
            let end = if marked { run_end(lines, body) } else { lines.len() };
            quotes.push(Quote {
                start,
                body,
                end,
                introduced: true,
                open: !marked,
            });
            at = end;
            own = end;
            continue;
        }
        if let Some(start) = reply_line::ends_here(lines, own, at) {
            let body = next_filled(lines, at + 1);
            let goes_on = body < lines.len()
                && !lines[body].is_quote()
                && !forward::begins(lines, body)
                && header_block::begins(lines, at + 1, body).is_none();
            if goes_on {
                quotes.push(Quote {
                    start: with_rulers(lines, own, start),
                    body,
                    end: lines.len(),
                    introduced: true,
                    open: true,
                });
                return Found::Quotes(quotes);
            }
        }
        at += 1;
    }
    Found::Quotes(quotes)
}

fn next_filled(lines: &[Line], from: usize) -> usize {
    (from..lines.len())
        .find(|at| !lines[*at].is_empty())
        .unwrap_or(lines.len())
}

/// Where a run of quoted lines ends; empty lines between them belong to it.
fn run_end(lines: &[Line], start: usize) -> usize {
    let mut end = start;
    let mut at = start;
    while at < lines.len() && (lines[at].is_quote() || lines[at].is_empty()) {
        if !lines[at].is_empty() {
            end = at + 1;
        }
        at += 1;
    }
    end
}

/// A line across above what was found belongs to it.
fn with_rulers(lines: &[Line], own: usize, mut start: usize) -> usize {
    let mut at = start;
    while at > own {
        at -= 1;
        if lines[at].is_ruler() {
            start = at;
        } else if !lines[at].is_empty() {
            break;
        }
    }
    start
}

/// Decides which quotes are folded.
fn choose(lines: &[Line], quotes: &[Quote], end: usize, folded: &mut [bool]) {
    let own_between = |from: usize, to: usize| {
        let own: Vec<&str> = lines[from..to.max(from)].iter().map(|line| line.text).collect();
        signature::has_content(&own)
    };
    let next_start = |n: usize| quotes.get(n + 1).map_or(end, |quote| quote.start);
    let answered: Vec<bool> = quotes
        .iter()
        .enumerate()
        .map(|(n, quote)| !quote.open && own_between(quote.end, next_start(n)))
        .collect();
    // Answers stand between the quotes: what they answer stays, so that "Yes." can be understood.
    let interleaved = answered.iter().filter(|answered| **answered).count() >= 2;
    let last_answered = answered.iter().rposition(|answered| *answered);
    for (n, quote) in quotes.iter().enumerate() {
        let above = match n.checked_sub(1) {
            Some(last) => answered[last],
            None => own_between(0, quote.start),
        };
        let at_start = n == 0 && !lines[..quote.start].iter().any(|line| !line.is_empty());
        let below = last_answered.is_some_and(|last| last >= n);
        if interleaved && answered[n] {
            // Only its last lines, if it is long.
            let body = quote
                .body
                .max(last_filled(lines, quote.body, quote.end, QUESTION_LINES));
            fold_lines(folded, quote.start, body);
            continue;
        }
        let folds = quote.introduced || (!(above && below) && is_likely_mail(lines, quote, at_start));
        if folds && !(interleaved && below && !quote.introduced) {
            fold_lines(folded, quote.start, quote.end);
        }
    }
}

/// A question between answers shows this many of its last lines.
const QUESTION_LINES: usize = 12;

fn last_filled(lines: &[Line], start: usize, end: usize, count: usize) -> usize {
    (start..end)
        .rev()
        .filter(|at| !lines[*at].is_empty())
        .take(count)
        .last()
        .unwrap_or(start)
}

fn fold_lines(folded: &mut [bool], start: usize, end: usize) {
    folded[start..end].fill(true);
}

/// Whether a quote that nothing introduces is quoted mail: as the page says, or a block of its own in plain text. People
/// also use `>` as an arrow or before the items of a list.
fn is_likely_mail(lines: &[Line], quote: &Quote, at_start: bool) -> bool {
    let body = &lines[quote.body..quote.end];
    if body.iter().any(|line| line.cited) {
        return true;
    }
    if body.iter().any(|line| line.bare) {
        return false;
    }
    // The writer has signed above it.
    let passage = (0..quote.start)
        .rev()
        .take_while(|at| !lines[*at].is_quote())
        .last()
        .unwrap_or(quote.start);
    if signature::delimiter(lines, passage, quote.start).is_some() {
        return true;
    }
    let filled = body
        .iter()
        .filter(|line| !line.text.trim_matches(['>', ' ']).is_empty());
    let long = filled
        .clone()
        .filter(|line| line.text.trim().chars().count() > 24)
        .count();
    let apart = if at_start {
        lines.get(quote.end).is_none_or(Line::is_empty)
    } else {
        quote.start > 0 && lines[quote.start - 1].is_empty()
    };
    let led_in = lines[..quote.start]
        .iter()
        .rfind(|line| !line.is_empty())
        .is_some_and(|line| line.text.trim_end().ends_with(':'));
    filled.count() >= 2 && long >= 1 && apart && !led_in
}

/// Of a short text this says that what matters stands below.
const BELOW_CHARS: usize = 500;

fn says_below(own: &[&str]) -> bool {
    let text = lower(&own.join(" "));
    text.chars().count() <= BELOW_CHARS && words::BELOW.iter().any(|word| contains_word(&text, word))
}

/// Whether a text contains a word, or words that begin with it.
fn contains_word(text: &str, word: &str) -> bool {
    text.match_indices(word)
        .any(|(at, _)| !text[..at].chars().next_back().is_some_and(char::is_alphanumeric))
}

/// In lower case; the Turkish dotted İ without the dot that Unicode leaves.
fn lower(text: &str) -> String {
    // Most lines; mails have many.
    if text.is_ascii() {
        return text.to_ascii_lowercase();
    }
    let lower = text.to_lowercase();
    if lower.contains('\u{307}') {
        lower.replace('\u{307}', "")
    } else {
        lower
    }
}
