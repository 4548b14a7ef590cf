//! Response envelope of Daktela, in every form in which builds send it.

use serde_json::Value;

use crate::{
    daktela::{
        error::Error,
        http::Response,
        lenient_json::{self, JsonError},
    },
    text, time, value,
};

/// An answer that is one.
pub struct Envelope {
    pub result: Value,
    /// The instance's time zone.
    pub zone: Option<String>,
    /// The instance's time, `YYYY-MM-DD HH:MM:SS` in that zone.
    pub now: Option<String>,
    /// Remarks of Daktela on an answer that it gave nevertheless.
    pub warnings: Vec<String>,
}

/// A page of records.
#[derive(Clone, Debug, Default)]
pub struct Page {
    pub rows: Vec<Value>,
    /// How many records match in all, where the build says so and its count can be trusted.
    pub total: Option<u64>,
    /// The fields of conditions that this build ignores: rows that contradict them were left out, so no total is known.
    pub ignored: Vec<String>,
    /// How many rows that are.
    pub left_out: usize,
    /// The rows come in an order of the build's own, since the one that was asked for gives none.
    pub is_unsorted: bool,
}

impl Page {
    /// How many rows came, with those that were left out.
    pub fn received(&self) -> usize {
        self.rows.len() + self.left_out
    }
}

/// Reads the outer object of an answer, or says what is wrong in Daktela's words and ours.
pub fn read(response: &Response, what: &str) -> Result<Envelope, Error> {
    let parsed = lenient_json::parse(&response.body);
    let words = parsed.as_ref().map(|body| {
        let of = |key: &str| words(&body[key]);
        let own = of("error");
        if own.is_empty() { of("errors") } else { own }
    });
    let words = words.unwrap_or_default();
    let success = (200..=299).contains(&response.status);
    let nothing = parsed.as_ref().ok().is_none_or(|body| match &body["result"] {
        Value::Array(rows) => rows.is_empty(),
        result => result.is_null(),
    });
    if !success || (nothing && !words.is_empty()) {
        return Err(
            match (Error::from_status(response.status, &words, what), meaning(&words)) {
                (Error::Refused(text) | Error::Upstream(text), Some(Meaning::Absent)) => Error::NotFound(text),
                (Error::Refused(_) | Error::Upstream(_), Some(Meaning::NoRight)) => {
                    Error::no_right(response.status, &words, what)
                }
                (error, _) => error,
            },
        );
    }
    let unreadable = match &parsed {
        Err(JsonError::Truncated) => Some(format!(
            "Daktela's answer for {what} ends in its middle. Try again, or ask for less at once (a smaller take)."
        )),
        Err(JsonError::PhpMessage) => Some(format!(
            "Daktela's answer for {what} begins with a message of PHP, so that it is no JSON. Whoever runs the instance has to \
             mend that."
        )),
        Err(JsonError::Invalid(reason)) => Some(format!(
            "Daktela's answer for {what} is no valid JSON ({reason}). Whoever runs the instance has to mend that."
        )),
        Ok(_) | Err(JsonError::NotJson) => None,
    };
    if let Some(text) = unreadable {
        return Err(Error::Upstream(text));
    }
    let mut envelope = parsed.ok().filter(|body| body.get("result").is_some()).ok_or_else(|| {
        Error::Upstream(format!("What answered for {what} is not Daktela's API (no JSON with a result). Check that DAKTELA_URL is the instance's own address."))
    })?;
    Ok(Envelope {
        zone: envelope["_timezone"].as_str().map(text::line),
        now: ["_time", "_serverTime"]
            .iter()
            .find_map(|key| value::text(&envelope[*key]))
            .filter(|now| time::seconds(now).is_some()),
        warnings: words,
        result: envelope["result"].take(),
    })
}

/// What an error says beyond its status, which differs from build to build.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Meaning {
    /// The record, the model or the relation is not there.
    Absent,
    /// The account may not read this.
    NoRight,
}

/// Words of Daktela's for what is not there, in English and Czech.
const ABSENT: &[&str] = &["not exist", "not found", "neexistuje", "nenalezen"];
/// Words for a right that is missing.
const NO_RIGHT: &[&str] = &[
    "permission",
    "not allowed",
    "access denied",
    "not authorized",
    "no access",
    "forbidden",
    "opravneni",
    "pristup odepren",
];
/// Words by which an error is of the query, or of the server's own parts, and no record's.
const OF_THE_QUERY: &[&str] = &[
    "field",
    "column",
    "filter",
    "operator",
    "parameter",
    "sort",
    "class",
    "table",
    "file",
    "method",
    "host",
    "pole",
    "sloupec",
];

fn meaning(words: &[String]) -> Option<Meaning> {
    words.iter().find_map(|word| {
        let word = text::fold(word);
        let says = |any: &[&str]| any.iter().any(|part| word.contains(part));
        match () {
            () if says(OF_THE_QUERY) => None,
            () if says(NO_RIGHT) => Some(Meaning::NoRight),
            () if says(ABSENT) => Some(Meaning::Absent),
            () => None,
        }
    })
}

/// The records of a list.
pub fn page(mut result: Value, what: &str) -> Result<Page, Error> {
    let total = result
        .get("total")
        .and_then(value::number)
        .filter(|n| *n >= 0.0)
        .map(|n| n as u64);
    let data = match &mut result {
        Value::Object(map) => map.get_mut("data").map(Value::take),
        Value::Array(_) => Some(result),
        _ => None,
    };
    let rows: Option<Vec<Value>> = match data {
        Some(Value::Array(rows)) => Some(rows),
        // Some sources show the records keyed by their name.
        Some(Value::Object(rows)) => Some(rows.into_iter().map(|(_, row)| row).collect()),
        // No rows, as long as nothing says that there are some.
        Some(Value::Null) if total.unwrap_or(0) == 0 => Some(Vec::new()),
        None if total == Some(0) => Some(Vec::new()),
        _ => None,
    };
    let rows = match rows {
        Some(rows) if rows.iter().all(Value::is_object) => rows,
        _ => {
            return Err(Error::Upstream(format!(
                "Daktela's answer for {what} holds no list of records. Its build may differ from what this server knows."
            )));
        }
    };
    Ok(Page {
        rows,
        total,
        ..Page::default()
    })
}

/// The sentences in the `error` of an answer: a list, a bare text, or a map of the fields of a form.
fn words(error: &Value) -> Vec<String> {
    /// More than this is no message for a reader.
    const WORDS_MAX: usize = 5;
    const CHARS_MAX: usize = 300;
    fn collect(error: &Value, key: &str, out: &mut Vec<String>) {
        match error {
            Value::String(word) if !word.trim().is_empty() => {
                let word = text::cut(&text::line(word), CHARS_MAX);
                out.push(if key.is_empty() {
                    word
                } else {
                    format!("{}: {word}", text::line(key))
                });
            }
            Value::Array(items) => items.iter().for_each(|item| collect(item, key, out)),
            // Some keys say only that what they hold is an error.
            Value::Object(map) => map.iter().for_each(|(k, item)| {
                let is_frame = ["form", "primary", "message", "detail", "title"].contains(&k.as_str());
                collect(item, if is_frame { "" } else { k }, out);
            }),
            _ => {}
        }
    }
    let mut out = Vec::new();
    collect(error, "", &mut out);
    out.truncate(WORDS_MAX);
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn an_error_means_what_its_words_say() {
        for (word, wanted) in [
            ("Ticket not found", Some(Meaning::Absent)),
            ("Object does not exist", Some(Meaning::Absent)),
            ("Model not exist", Some(Meaning::Absent)),
            ("Záznam neexistuje", Some(Meaning::Absent)),
            ("You do not have permission to read tickets", Some(Meaning::NoRight)),
            ("Access denied", Some(Meaning::NoRight)),
            ("Nemáte oprávnění", Some(Meaning::NoRight)),
            ("Column not found: 1054 Unknown column", None),
            ("Filter is not allowed on this field", None),
            ("Wrong filter", None),
        ] {
            assert_eq!(meaning(&[word.to_owned()]), wanted, "{word}");
        }
    }

    #[test]
    fn errors_are_read_in_every_shape() {
        assert_eq!(words(&json!([])), [""; 0]);
        assert_eq!(words(&json!("Object not exist")), ["Object not exist"]);
        assert_eq!(words(&json!(["a", "b\nc"])), ["a", "b c"]);
        assert_eq!(
            words(
                &json!({"form": {"lastname": "required", "customFields": {"email": ["bad"]}}, "primary": ["No device", "error"]})
            ),
            ["lastname: required", "email: bad", "No device", "error"]
        );
    }
}
