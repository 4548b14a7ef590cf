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
    if is_plain_line(text) {
        return text.to_owned();
    }
    let mut out = String::with_capacity(text.len());
    for word in visible(text).split_whitespace() {
        if !out.is_empty() {
            out.push(' ');
        }
        out.push_str(word);
    }
    out
}

/// Whether a text is made of accented Latin letters and of printable ASCII without the signs of Markdown, with single blanks
/// between words: what every cleaning leaves as it is. Most values are, and need no copy.
pub(crate) fn is_plain_line(text: &str) -> bool {
    let mut before = b' ';
    for &byte in text.as_bytes() {
        let is_plain = match byte {
            b' ' => before != b' ',
            b'*' | b'[' | b'<' => false,
            // The first bytes of U+00C0 to U+027F, and the second byte of any of them, as other first bytes are refused.
            b'!'..=b'~' | 0xc3..=0xc9 | 0x80..=0xbf => true,
            _ => false,
        };
        if !is_plain {
            return false;
        }
        before = byte;
    }
    before != b' '
}

/// The text with line breaks as `\n`, blanks as ` `, and without invisible characters. Letters and their marks are one
/// character where there is one (NFC).
fn visible(text: &str) -> Cow<'_, str> {
    let mut out = String::new();
    // Up to where the text is in `out`: runs without a change are copied as a whole.
    let mut copied = 0;
    for (at, c) in text.char_indices() {
        if matches!(c, ' '..='~' | '\n' | '\u{c0}'..='\u{24f}') {
            continue;
        }
        let instead = match c {
            '\r' if text[at + 1..].starts_with('\n') => "",
            '\r' | '\u{b}' | '\u{c}' | '\u{85}' | '\u{2028}' | '\u{2029}' => "\n",
            '\t' => " ",
            c if c.is_ascii() => "",
            c if c.is_whitespace() || c == '\u{2800}' => " ",
            c if is_invisible(c) => "",
            _ => continue,
        };
        if out.is_empty() {
            out.reserve(text.len());
        }
        out.push_str(&text[copied..at]);
        out.push_str(instead);
        copied = at + c.len_utf8();
    }
    if copied == 0 {
        return unicode::nfc(text);
    }
    out.push_str(&text[copied..]);
    match unicode::nfc(&out) {
        Cow::Borrowed(_) => out.into(),
        Cow::Owned(composed) => composed.into(),
    }
}

/// Where the first `max` characters of a text end, if it has more.
pub(crate) fn end_of(text: &str, max: usize) -> Option<usize> {
    // No text has more characters than bytes.
    if text.len() <= max {
        return None;
    }
    text.char_indices().nth(max).map(|(at, _)| at)
}

/// At most `max` characters of a text; what is missing is said in the text itself.
pub fn cut(text: &str, max: usize) -> String {
    match end_of(text, max) {
        None => text.to_owned(),
        Some(at) => {
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
    fn a_plain_line_is_what_no_cleaning_changes() {
        for text in ["Jan Novák", "a", "ŽLUŤOUČKÝ kůň, 5 × 3 = 15; ok?", "\u{27f}"] {
            assert!(is_plain_line(text), "{text:?}");
            assert_eq!(visible(text).split_whitespace().collect::<Vec<_>>().join(" "), text);
            assert!(matches!(defuse(text), Cow::Borrowed(_)));
        }
        for text in [
            "",
            " a",
            "a ",
            "a  b",
            "a\nb",
            "a\tb",
            "a\u{a0}b",
            "a\u{ad}b",
            "a · b",
            "[a]",
            "<a>",
            "**a**",
            "e\u{301}",
            "a\u{200b}",
            "a\u{7f}",
            "日本",
        ] {
            assert!(!is_plain_line(text), "{text:?}");
        }
        // All that the shorter way lets pass is no blank, visible, no mark and no dot.
        for c in '\u{c0}'..='\u{27f}' {
            assert!(!c.is_whitespace() && !is_invisible(c), "{c:?}");
            let composed = format!("a{c}b");
            assert_eq!(unicode::nfc(&composed), composed);
        }
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
