//! Repair of JSON that clients send with broken characters, and the id of a message that is beyond repair.
//!
//! `JSON.stringify` of JavaScript writes a cut emoji as a lone surrogate (`\ud83d`), some programs send another encoding
//! than UTF-8, and some leave control characters in strings as they are. A strict parser refuses the whole message, and
//! its sender waits for an answer until its timeout.

use std::borrow::Cow;

use serde_json::Value;

/// Editors put it in front of files, and some shells in front of pipes.
const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";

/// The escape of U+FFFD, without its backslash.
const REPLACEMENT: &[u8] = b"ufffd";

/// Makes broken characters readable: bytes that are not UTF-8 and lone surrogates become U+FFFD, control characters within
/// strings become escapes, and a byte order mark in front is left out. All else stays as it is.
pub fn repair(bytes: &[u8]) -> Cow<'_, [u8]> {
    let bytes = bytes.strip_prefix(BYTE_ORDER_MARK).unwrap_or(bytes);
    let text = match String::from_utf8_lossy(bytes) {
        Cow::Borrowed(text) => Cow::Borrowed(text.as_bytes()),
        Cow::Owned(text) => Cow::Owned(text.into_bytes()),
    };
    match repair_strings(&text) {
        Some(repaired) => Cow::Owned(repaired),
        None => text,
    }
}

/// `None` where there is nothing to repair.
fn repair_strings(text: &[u8]) -> Option<Vec<u8>> {
    let mut repaired = Vec::new();
    let (mut copied, mut at, mut in_string) = (0, 0, false);
    while let Some(byte) = text.get(at) {
        let (length, replacement) = match byte {
            b'"' => {
                in_string = !in_string;
                (1, None)
            }
            b'\\' if in_string => escape(&text[at..]),
            0..0x20 if in_string => (1, Some(format!("\\u{byte:04x}").into_bytes())),
            _ => (1, None),
        };
        if let Some(replacement) = replacement {
            repaired.extend_from_slice(&text[copied..at]);
            repaired.extend(replacement);
            copied = at + length;
        }
        at += length;
    }
    (copied > 0).then(|| {
        repaired.extend_from_slice(&text[copied..]);
        repaired
    })
}

/// How long the escape at the beginning of `text` is, and what to write instead of one that names half a character.
fn escape(text: &[u8]) -> (usize, Option<Vec<u8>>) {
    const UNIT: usize = "\\uXXXX".len();
    match utf16_unit(text) {
        Some(0xD800..0xDC00) if matches!(text.get(UNIT..).and_then(utf16_unit), Some(0xDC00..0xE000)) => {
            (2 * UNIT, None)
        }
        Some(0xD800..0xE000) => (UNIT, Some([b"\\", REPLACEMENT].concat())),
        Some(_) => (UNIT, None),
        // With the escaped character, or at the end of what there is.
        None => (text.len().min(2), None),
    }
}

/// The number in an escape `\uXXXX` at the beginning of `text`.
fn utf16_unit(text: &[u8]) -> Option<u16> {
    let digits = std::str::from_utf8(text.strip_prefix(b"\\u")?.get(..4)?).ok()?;
    let is_hex = digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    is_hex.then(|| u16::from_str_radix(digits, 16).ok()).flatten()
}

/// The `id` of a JSON-RPC message that is not JSON or not whole, so that its sender can be told.
///
/// `None` where there is none, or none that is a text or a number.
pub fn find_id(bytes: &[u8]) -> Option<Value> {
    let (mut at, mut depth, mut is_key) = (0, 0_usize, false);
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'{' | b'[' => {
                depth += 1;
                is_key = *byte == b'{';
            }
            b'}' | b']' => depth = depth.saturating_sub(1),
            b',' => is_key = true,
            b'"' => {
                let end = at + string_length(&bytes[at..])?;
                if depth == 1 && is_key && &bytes[at..end] == b"\"id\"" {
                    let value = bytes[end..].trim_ascii_start().strip_prefix(b":")?;
                    return scalar(value.trim_ascii_start());
                }
                is_key = false;
                at = end;
                continue;
            }
            _ => {}
        }
        at += 1;
    }
    None
}

/// Of the string that begins here, quotes included; `None` where it does not end.
fn string_length(bytes: &[u8]) -> Option<usize> {
    let mut escaped = false;
    let end = bytes.iter().skip(1).position(|byte| {
        let ends = *byte == b'"' && !escaped;
        escaped = *byte == b'\\' && !escaped;
        ends
    })?;
    Some(end + 2)
}

/// The text or the number that begins here.
fn scalar(bytes: &[u8]) -> Option<Value> {
    let length = match bytes.first()? {
        b'"' => string_length(bytes)?,
        // A number that is cut off would be another one.
        _ => bytes
            .iter()
            .position(|byte| b",}".contains(byte) || byte.is_ascii_whitespace())?,
    };
    let value = serde_json::from_slice(&bytes[..length]).ok()?;
    matches!(value, Value::String(_) | Value::Number(_)).then_some(value)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn broken_characters_become_readable_and_all_else_stays() {
        for (broken, repaired) in [
            (&br#"{"a":"ahoj \ud83d"}"#[..], r#"{"a":"ahoj \ufffd"}"#),
            (
                br#""\uDE00 \ud83d\ude00 \ud83d\ud83d\ude00""#,
                r#""\ufffd \ud83d\ude00 \ufffd\ud83d\ude00""#,
            ),
            (br#""\\ud83d \\\ud83d""#, r#""\\ud83d \\\ufffd""#),
            (b"\"p\xF8\xEDli\x9A\"", "\"p\u{FFFD}\u{FFFD}li\u{FFFD}\""),
            (b"\xEF\xBB\xBF{\"a\": 1}", "{\"a\": 1}"),
            (b"{\"a\":\n\"one\ntwo\t\"}", "{\"a\":\n\"one\\u000atwo\\u0009\"}"),
            (
                r#"{"a":"žluťoučký 😀 \u00e9 \"x\""}"#.as_bytes(),
                r#"{"a":"žluťoučký 😀 \u00e9 \"x\""}"#,
            ),
            (br#""\ud8"#, r#""\ud8"#),
            (br#""\"#, r#""\"#),
        ] {
            let got = repair(broken);
            assert_eq!(String::from_utf8_lossy(&got), repaired);
            let is_same = broken == repaired.as_bytes();
            assert_eq!(
                matches!(got, Cow::Borrowed(_)),
                is_same || broken.starts_with(BYTE_ORDER_MARK)
            );
        }
    }

    #[test]
    fn what_is_repaired_can_be_parsed() {
        let message = br#"{"id":7,"params":{"\ud800":"\udfff"}}"#;
        assert!(serde_json::from_slice::<Value>(message).is_err());
        let repaired = repair(message);
        let parsed: Value = serde_json::from_slice(&repaired).expect("JSON");
        assert_eq!(parsed, json!({"id": 7, "params": {"\u{FFFD}": "\u{FFFD}"}}));
    }

    #[test]
    fn the_id_is_found_in_what_is_not_json() {
        for (message, id) in [
            (r#"{"id":7,"method":"x","params":{"a":NaN}}"#, json!(7)),
            (
                r#"{"jsonrpc":"2.0","params":{"id":8,"a":[{"id":9}]},"id" : "a\"b" ,"#,
                json!("a\"b"),
            ),
            (r#"{"method":"id","x":"id","id":1.5,"#, json!(1.5)),
            (r#"{"params":{"id":8}"#, Value::Null),
            (r#"{"id":71"#, Value::Null),
            (r#"{"id":null,"#, Value::Null),
            (r#"{"id":{"id":1},"#, Value::Null),
            (r#"{"id"#, Value::Null),
            (r#"[{"id":1}]"#, Value::Null),
            ("hello \"id\":1,", Value::Null),
            ("}}{\"id\":1}", json!(1)),
            ("", Value::Null),
        ] {
            assert_eq!(find_id(message.as_bytes()).unwrap_or_default(), id, "{message}");
        }
    }
}
