//! Lenient JSON: reads what builds send in spite of the standard, and otherwise says what is wrong with it.
//!
//! A byte order mark is skipped; bytes that are no UTF-8 and halves of surrogate pairs become U+FFFD. Everything else, e.g.
//! `NaN` or a warning of PHP before the JSON, is an error.

use std::{borrow::Cow, cell::Cell, fmt};

use serde_core::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

/// Why a body is no JSON.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum JsonError {
    /// It begins with something else, e.g. a page, or it is empty.
    NotJson,
    /// It begins with a message of PHP.
    PhpMessage,
    /// It ends before its JSON does.
    Truncated,
    /// What the parser expected, and where.
    Invalid(String),
}

pub(crate) fn parse(body: &[u8]) -> Result<Value, JsonError> {
    let body = body.trim_ascii();
    let body = body.strip_prefix("\u{feff}".as_bytes()).unwrap_or(body).trim_ascii();
    // Checking all bytes at once takes less than checking each string.
    let text = String::from_utf8_lossy(body);
    let error = match value(&text) {
        Ok(value) => return Ok(value),
        Err(error) => error,
    };
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
    value(&without_lone_surrogates(&text)).map_err(|error| match error.is_eof() {
        true => JsonError::Truncated,
        false => JsonError::Invalid(error.to_string()),
    })
}

/// Reads one value, and nothing behind it.
fn value(text: &str) -> Result<Value, serde_json::Error> {
    let lengths: [Cell<usize>; DEPTHS] = Default::default();
    let mut json = serde_json::Deserializer::from_str(text);
    let value = Reading {
        lengths: &lengths,
        depth: 0,
    }
    .deserialize(&mut json)?;
    json.end()?;
    Ok(value)
}

/// So deep a page and its rows go.
const DEPTHS: usize = 8;
/// No row has more fields than this in common with the next.
const LENGTH_MAX: usize = 128;

/// Reads a value as `Value` itself does, but makes an object as large as the last one at its depth was: the rows of a page are alike,
/// and an object that grows is moved and hashed anew with each step.
#[derive(Clone, Copy)]
struct Reading<'a> {
    lengths: &'a [Cell<usize>; DEPTHS],
    depth: usize,
}

impl Reading<'_> {
    fn within(self) -> Self {
        Reading {
            depth: self.depth + 1,
            ..self
        }
    }
}

impl<'de> DeserializeSeed<'de> for Reading<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<Value, D::Error> {
        json.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Reading<'_> {
    type Value = Value;

    fn expecting(&self, out: &mut fmt::Formatter) -> fmt::Result {
        out.write_str("any valid JSON value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(Number::from_f64(value).map_or(Value::Null, Value::Number))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(value.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut out = Vec::new();
        while let Some(item) = items.next_element_seed(self.within())? {
            out.push(item);
        }
        Ok(Value::Array(out))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<Value, A::Error> {
        let length = self.lengths.get(self.depth);
        let mut out = Map::with_capacity(length.map_or(0, Cell::get).min(LENGTH_MAX));
        while let Some(key) = fields.next_key::<String>()? {
            out.insert(key, fields.next_value_seed(self.within())?);
        }
        if let Some(length) = length {
            length.set(out.len());
        }
        Ok(Value::Object(out))
    }
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
    fn values_are_those_that_the_parser_of_the_crate_reads() {
        for body in [
            r#"{"a":[{"b":1,"c":null,"d":-2.5e3},{"b":18446744073709551615,"c":true},{}],"a":"twice","e":"\u00e1\n"}"#,
            "[[],[{}],-0,0,1e400,-9223372036854775808,\"\"]",
            "7",
            "[1,]",
            "{\"a\":1} x",
            "{\"a\" 1}",
            &"[".repeat(200),
        ] {
            let expected = serde_json::from_str::<Value>(body).map_err(|error| error.to_string());
            assert_eq!(value(body).map_err(|error| error.to_string()), expected, "{body}");
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
