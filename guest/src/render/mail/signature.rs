//! Signature detection: signatures, footers, greetings and banners at the end of a mail.

use super::{Line, lower, words};

const LINES_MAX: usize = 10;
const LINE_CHARS: usize = 100;
const FOOTER_CHARS: usize = 120;

/// Marks the lines of the signature and of footers that telephones add: at the end, or where the last quote begins.
pub(super) fn find(lines: &[Line], folded: &[bool], signed: &mut [bool]) {
    let mut end = lines.len();
    while end > 0 {
        while end > 0 && (folded[end - 1] || lines[end - 1].is_empty()) {
            end -= 1;
        }
        let start = (0..end).rev().take_while(|at| !folded[*at]).last().unwrap_or(end);
        let mut stop = end;
        while stop > start && (is_footer(lines[stop - 1].text) || lines[stop - 1].is_empty()) {
            stop -= 1;
            signed[stop] = true;
        }
        if let Some(at) = delimiter(lines, start, stop) {
            signed[at..stop].fill(true);
            stop = at;
        }
        // A signature above text of the writer's own is not the last.
        if lines[start..stop].iter().any(|line| !line.is_empty()) {
            return;
        }
        end = start;
    }
}

/// The line of `--` above a signature: the only one, a few short lines above the end, none of which is text.
pub(super) fn delimiter(lines: &[Line], start: usize, stop: usize) -> Option<usize> {
    let is_delimiter = |line: &Line| matches!(line.text.trim(), "--" | "—" | "-- ");
    let mut found = (start..stop).filter(|at| is_delimiter(&lines[*at]));
    let (at, None) = (found.next()?, found.next()) else {
        return None;
    };
    let below: Vec<&str> = lines[at + 1..stop].iter().map(|line| line.text.trim()).collect();
    let filled: Vec<&str> = below.iter().copied().filter(|line| !line.is_empty()).collect();
    let first = filled.first()?;
    let fits = filled.len() <= LINES_MAX && filled.iter().all(|line| line.chars().count() <= LINE_CHARS);
    let is_name = first.starts_with(|c: char| c.is_uppercase() || (!c.is_alphanumeric() && !"-*•>[(\"'".contains(c)))
        || first.contains('@')
        || first.starts_with("www.");
    // What a colon announces is text.
    let announced = lines[start..at]
        .iter()
        .rfind(|line| !line.is_empty())
        .is_some_and(|line| line.text.trim_end().ends_with(':'));
    (fits && is_name && !announced && !filled.iter().any(|line| is_prose(line))).then_some(at)
}

/// Whether a line has what stands in signatures: an address, a number, a company.
fn is_contact(line: &str) -> bool {
    let lower = lower(line);
    let digits = line.chars().filter(char::is_ascii_digit).count();
    line.contains('@')
        || lower.contains("www.")
        || lower.contains("http")
        || (digits >= 7 && !line.chars().any(char::is_alphabetic))
        || [
            "tel", "mob", "phone", "fax", "gsm", "s.r.o", "a.s.", "gmbh", "ltd", "sp. z", "inc", "s.a.", "ag ",
            "e-mail", "ičo", "dič",
        ]
        .iter()
        .any(|word| lower.contains(word))
}

/// Whether a line is text or an item of a list.
fn is_prose(line: &str) -> bool {
    if line.contains('?') || line.starts_with(['-', '*', '•', '>']) {
        return true;
    }
    let words: Vec<&str> = line.split_whitespace().collect();
    // `1x kolo`, `3 kusy`
    let amount = words.first().is_some_and(|word| {
        word.starts_with(|c: char| c.is_ascii_digit())
            && word
                .trim_end_matches(['x', '×', 'k', 's', '.', ')'])
                .bytes()
                .all(|b| b.is_ascii_digit())
            && word.trim_end_matches(['x', '×', 'k', 's', '.', ')']).len() <= 3
            && words.get(1).is_some_and(|next| next.starts_with(char::is_alphabetic))
    });
    // An account and what belongs to a payment.
    let account = line.split_once('/').is_some_and(|(number, bank)| {
        let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit() || b == b'-');
        number.len() >= 6 && bank.len() == 4 && digits(number) && digits(bank)
    });
    if amount
        || account
        || ["IBAN", "VS ", "VS:", "č.ú.", "účet"]
            .iter()
            .any(|word| line.starts_with(word))
    {
        return true;
    }
    if is_contact(line) || words::CLOSINGS.iter().any(|closing| lower(line).starts_with(closing)) {
        return false;
    }
    let small = words.iter().filter(|word| word.starts_with(char::is_lowercase)).count();
    (words.len() >= 3 && line.ends_with(['.', '!', ':'])) && small * 2 >= words.len() - 1
        || small >= 4
        || words
            .iter()
            .any(|word| word.len() >= 4 && word.bytes().all(|b| b.is_ascii_digit()) && small > 0 && words.len() <= 5)
}

/// Whether a line is what a telephone or an app adds.
pub(super) fn is_footer(line: &str) -> bool {
    let line = line.trim().trim_start_matches(['-', '_', '*', ' ', '>', '|', '(', '[']);
    if line.is_empty() || line.chars().count() > FOOTER_CHARS {
        return false;
    }
    let lower = lower(line);
    words::FOOTERS.iter().any(|footer| lower.starts_with(footer))
}

/// Whether lines hold more than a greeting, a banner, a footer and a name below a closing.
pub(super) fn has_content(lines: &[&str]) -> bool {
    let mut closing = false;
    let mut greeted = false;
    for line in lines {
        let line = line.trim().trim_matches(['|', '*', '-', '_', '=', ' ']).trim();
        if line.is_empty() || is_footer(line) {
            continue;
        }
        if line == "[hidden text left out]" {
            continue;
        }
        let lower = lower(line);
        let starts = |words: &[&str]| {
            words.iter().any(|word| {
                lower
                    .strip_prefix(word)
                    .is_some_and(|rest| !rest.starts_with(char::is_alphanumeric))
            })
        };
        if words::BANNERS.iter().any(|banner| lower.starts_with(banner)) {
            continue;
        }
        if !greeted && starts(words::GREETINGS) && line.split_whitespace().count() <= 5 && !line.ends_with(['?']) {
            greeted = true;
            continue;
        }
        if starts(words::CLOSINGS) && line.split_whitespace().count() <= 7 {
            closing = true;
            continue;
        }
        // What stands below a closing is a name and how to reach it.
        if closing {
            continue;
        }
        if line.chars().any(char::is_alphanumeric) || line.chars().any(|c| !c.is_ascii() && !c.is_whitespace()) {
            return true;
        }
    }
    false
}
