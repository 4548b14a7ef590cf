//! Lenient JSON: reads what builds send in spite of the standard, and otherwise says what is wrong with it.
//!
//! A byte order mark is skipped; bytes that are no UTF-8 and halves of surrogate pairs become U+FFFD. Everything else, e.g.
//! `NaN` or a warning of PHP before the JSON, is an error.

use std::borrow::Cow;

use serde_json::Value;

/// Why a body is no JSON.
#[derive(Debug, PartialEq, Eq)]
pub enum JsonError {
    /// It begins with something else, e.g. a page, or it is empty.
    NotJson,
    /// It begins with a message of PHP.
    PhpMessage,
    /// It ends before its JSON does.
    Truncated,
    /// What the parser expected, and where.
    Invalid(String),
}

pub fn parse(body: &[u8]) -> Result<Value, JsonError> {
    let body = body.trim_ascii();
    let body = body.strip_prefix("\u{feff}".as_bytes()).unwrap_or(body).trim_ascii();
    let error = match serde_json::from_slice(body) {
        Ok(value) => return Ok(value),
        Err(error) => error,
    };
    let text = String::from_utf8_lossy(body);
    if !text.starts_with(['{', '[']) {
        return Err(if is_php_message(&text) {
            JsonError::PhpMessage
        } else {
            JsonError::NotJson
        });
    }
    if error.is_eof() {
        return Err(JsonError::Truncated);
    }
    serde_json::from_str(&without_lone_surrogates(&text)).map_err(|error: serde_json::Error| match error.is_eof() {
        true => JsonError::Truncated,
        false => JsonError::Invalid(error.to_string()),
    })
}

/// `<br />\n<b>Warning</b>: …` or `Warning: … in … on line …`.
fn is_php_message(text: &str) -> bool {
    let head: String = text.chars().take(400).collect();
    let is_one = |word: &str| {
        let bare = head.trim_start();
        let bare = bare.strip_prefix("PHP ").unwrap_or(bare);
        head.contains(&format!("<b>{word}</b>:")) || bare.starts_with(&format!("{word}:"))
    };
    ["Warning", "Notice", "Deprecated", "Fatal error", "Parse error"]
        .into_iter()
        .any(is_one)
}

/// Replaces escapes of surrogates that are not in pairs; JSON has no character for them.
fn without_lone_surrogates(text: &str) -> Cow<'_, str> {
    let unit = |at: usize| {
        let digits = text.as_bytes().get(at..at + 6)?.strip_prefix(b"\\u")?;
        u16::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()
    };
    let (mut out, mut copied, mut at) = (String::new(), 0, 0);
    while let Some(found) = text[at..].find('\\') {
        at += found;
        let length = match (unit(at), unit(at + 6)) {
            (None, _) => 2,
            (Some(0xd800..=0xdbff), Some(0xdc00..=0xdfff)) => 12,
            (Some(0xd800..=0xdfff), _) => {
                out.push_str(&text[copied..at]);
                out.push_str("\\ufffd");
                copied = at + 6;
                6
            }
            (Some(_), _) => 6,
        };
        // Behind a backslash may stand a character of several bytes, where the JSON is broken anyway.
        at = (at + length).min(text.len());
        while !text.is_char_boundary(at) {
            at += 1;
        }
    }
    if copied == 0 {
        return Cow::Borrowed(text);
    }
    out.push_str(&text[copied..]);
    Cow::Owned(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn broken_characters_are_replaced() {
        for (body, expected) in [
            (&b"\xef\xbb\xbf {\"a\":1}"[..], json!({"a": 1})),
            (b"{\"a\":\"\xff\xfe\"}", json!({"a": "\u{fffd}\u{fffd}"})),
            (br#"{"a":"x\ud83dy"}"#, json!({"a": "x\u{fffd}y"})),
            (
                br#"{"a":"\ude00\ud83d\ude00\uD83D"}"#,
                json!({"a": "\u{fffd}\u{1f600}\u{fffd}"}),
            ),
            (br#"{"a":"\\ud83d \ud83d"}"#, json!({"a": "\\ud83d \u{fffd}"})),
            (br#"{"a":"\ud83d\n"}"#, json!({"a": "\u{fffd}\n"})),
        ] {
            assert_eq!(parse(body), Ok(expected), "{}", String::from_utf8_lossy(body));
        }
    }

    #[test]
    fn other_faults_are_named() {
        for (body, expected) in [
            ("", JsonError::NotJson),
            ("<html><b>Sorry</b>", JsonError::NotJson),
            (
                "<br />\n<b>Warning</b>:  Undefined key in <b>x.php</b>\n{\"result\":[]}",
                JsonError::PhpMessage,
            ),
            ("\nDeprecated: each() in x.php on line 1\n{}", JsonError::PhpMessage),
            (r#"{"result":[{"a"#, JsonError::Truncated),
            (r#"{"a":"\ud83d"#, JsonError::Truncated),
            (
                r#"{"a":NaN}"#,
                JsonError::Invalid("expected value at line 1 column 6".to_owned()),
            ),
            (
                "{\"a\":\"\\\u{159}\"}",
                JsonError::Invalid("invalid escape at line 1 column 8".to_owned()),
            ),
        ] {
            assert_eq!(parse(body.as_bytes()), Err(expected), "{body}");
        }
    }
}
