//! Untrusted text on its way into an answer, against prompt injection: cleaned, cut with notice, and quoted so that it cannot pass for ours.
//!
//! Everything that a customer wrote stands either on one line behind a label of ours, or in a quote whose every line
//! starts with `> `. Neither can be left from within: line breaks of any kind become `\n` first, and then each line gets
//! the mark.

use std::borrow::Cow;

use crate::unicode;

mod defuse;
mod invisible;

pub use self::{defuse::defuse, invisible::is_invisible};

/// Cleans text of several lines: one kind of line break, no control or invisible characters, no trailing blanks, at
/// most one empty line in a row.
pub fn clean(text: &str) -> String {
    tidy(&visible(text))
}

/// Cuts trailing blanks and runs of empty lines.
pub fn tidy(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut empty = 0;
    for line in text.split('\n') {
        let line = line.trim_end();
        empty = if line.is_empty() { empty + 1 } else { 0 };
        if empty < 2 {
            out.push_str(line);
            out.push('\n');
        }
    }
    out.trim_matches('\n').to_owned()
}

/// Cleans text that has to stand on one line.
pub fn line(text: &str) -> String {
    visible(text).split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The text with line breaks as `\n`, blanks as ` `, and without invisible characters. Letters and their marks are one
/// character where there is one (NFC).
fn visible(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\r' => {
                if chars.peek() != Some(&'\n') {
                    out.push('\n');
                }
            }
            '\n' | '\u{b}' | '\u{c}' | '\u{85}' | '\u{2028}' | '\u{2029}' => out.push('\n'),
            '\t' => out.push(' '),
            c if c.is_ascii() => {
                if !c.is_control() {
                    out.push(c);
                }
            }
            c if c.is_whitespace() || c == '\u{2800}' => out.push(' '),
            c if is_invisible(c) => {}
            c => out.push(c),
        }
    }
    match unicode::nfc(&out) {
        Cow::Borrowed(_) => out,
        Cow::Owned(composed) => composed,
    }
}

/// At most `max` characters of a text; what is missing is said in the text itself.
pub fn cut(text: &str, max: usize) -> String {
    match text.char_indices().nth(max) {
        None => text.to_owned(),
        Some((at, _)) => {
            let kept = text[..at].trim_end();
            let missing = text[at..].chars().count() + text[kept.len()..at].chars().count();
            format!(
                "{kept}{}[+{missing} characters]",
                if kept.is_empty() { "" } else { " … " }
            )
        }
    }
}

/// Each line behind `> `, itself behind `indent`; Markdown in it is defused.
pub fn quote(text: &str, indent: &str) -> String {
    defuse(text)
        .lines()
        .map(|line| format!("{indent}> {line}").trim_end().to_owned())
        .collect::<Vec<_>>()
        .join("\n")
}

/// Lower case without accents, for comparing names as people type them.
pub fn fold(text: &str) -> String {
    unicode::fold(&line(text))
}

/// `1 ticket`, `2 tickets`, `1,234 tickets`.
pub fn count(number: u64, one: &str, many: &str) -> String {
    format!("{} {}", thousands(number), if number == 1 { one } else { many })
}

pub fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn invisible_characters_and_foreign_line_breaks_go() {
        assert_eq!(
            clean("a\u{200b}b\u{202e}c\r\nd\re\u{2028}f\u{0}g\u{a0}h\u{e0041}"),
            "abc\nd\ne\nfg h"
        );
        assert_eq!(line("  a\r\n\tb\u{2029} c "), "a b c");
    }

    #[test]
    fn runs_of_empty_lines_shrink_to_one() {
        assert_eq!(clean("\n\na  \n\n \n\nb\n\n"), "a\n\nb");
    }

    #[test]
    fn a_cut_says_how_much_is_missing_and_splits_no_character() {
        assert_eq!(cut("žluťoučký kůň", 9), "žluťoučký … [+4 characters]");
        assert_eq!(cut("žluť", 4), "žluť");
        assert_eq!(cut("žluť", 0), "[+4 characters]");
    }

    #[test]
    fn every_line_of_a_quote_is_marked() {
        assert_eq!(quote("a\n\nb", "  "), "  > a\n  >\n  > b");
    }

    #[test]
    fn names_compare_without_case_and_accents() {
        assert_eq!(fold("Jiří  ŽLUŤOUČKÝ"), "jiri zlutoucky");
    }

    #[test]
    fn counts_read_well() {
        assert_eq!(count(1, "ticket", "tickets"), "1 ticket");
        assert_eq!(count(1234567, "ticket", "tickets"), "1,234,567 tickets");
    }
}
