//! Query builder: a read of Daktela as a path with its query. The only place that builds URLs.
//!
//! Filters go out in the group form (`filter[logic]`, `filter[filters][0][field]`), the only one of the three that the
//! API accepts which can say "or", and the one that the vendor's own clients use.

use std::{borrow::Cow, fmt::Write};

/// A condition on records.
#[derive(Clone, Debug, PartialEq)]
pub enum Filter {
    Is {
        field: String,
        operator: &'static str,
        values: Vec<String>,
    },
    /// At least one of these holds.
    Any(Vec<Filter>),
    /// Each of these holds.
    All(Vec<Filter>),
}

impl Filter {
    pub fn new(field: &str, operator: &'static str, value: impl Into<String>) -> Self {
        Filter::Is {
            field: field.to_owned(),
            operator,
            values: vec![value.into()],
        }
    }

    pub fn eq(field: &str, value: impl Into<String>) -> Self {
        Self::new(field, "eq", value)
    }

    /// A text that holds `value` somewhere. `like` is the form that every client uses; a text with what means something
    /// else in a pattern needs the operator without patterns.
    pub fn contains(field: &str, value: &str) -> Self {
        if value.contains(['%', '_', '\\']) {
            Self::new(field, "contains", value)
        } else {
            Self::new(field, "like", format!("%{value}%"))
        }
    }

    /// One of a list. An empty one is never sent: some builds answer 400, to others it is no condition at all.
    pub fn one_of(field: &str, values: Vec<String>) -> Self {
        Filter::Is {
            field: field.to_owned(),
            operator: "in",
            values,
        }
    }

    pub fn is_null(field: &str) -> Self {
        Self::new(field, "isnull", "true")
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    Ascending,
    Descending,
}

/// A read of a list of records.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Query {
    /// Where: a model (`tickets`), or a record's relation (`activitiesWeb/web_1/messages`) by [`path`].
    pub endpoint: String,
    pub filters: Vec<Filter>,
    pub sort: Vec<(String, Direction)>,
    /// Which fields to return; all where it is empty. Dotted picks reach into related records.
    pub fields: Vec<String>,
    pub skip: u64,
    pub take: u64,
    /// Full-text search, where the model offers one.
    pub search: Option<String>,
    /// How the contact centre is set up rather than its work, so that an answer from a cache does.
    pub is_reference_data: bool,
}

/// What Daktela returns at most in one answer.
pub const TAKE_MAX: u64 = 1000;

impl Query {
    pub fn new(endpoint: impl Into<String>, take: u64) -> Self {
        Query {
            endpoint: endpoint.into(),
            take,
            ..Query::default()
        }
    }

    pub fn fields(mut self, fields: &[&str]) -> Self {
        self.fields = fields.iter().map(|f| (*f).to_owned()).collect();
        self
    }

    pub fn filter(mut self, filter: Filter) -> Self {
        self.filters.push(filter);
        self
    }

    pub fn sort(mut self, field: &str, direction: Direction) -> Self {
        self.sort.push((field.to_owned(), direction));
        self
    }

    /// Marks the records as reference data or as live.
    pub fn reference_data(mut self, is_reference_data: bool) -> Self {
        self.is_reference_data = is_reference_data;
        self
    }

    /// The path and query of the request.
    pub fn to_path(&self) -> String {
        let mut pairs = Pairs::default();
        pairs.add("skip", &self.skip.to_string());
        pairs.add("take", &self.take.to_string());
        if !self.filters.is_empty() {
            pairs.group("filter", "and", &self.filters);
        }
        for (i, (field, direction)) in self.sort.iter().enumerate() {
            pairs.add(&format!("sort[{i}][field]"), field);
            pairs.add(
                &format!("sort[{i}][dir]"),
                if *direction == Direction::Ascending {
                    "asc"
                } else {
                    "desc"
                },
            );
        }
        pairs.fields(&self.fields);
        if let Some(search) = &self.search {
            pairs.add("q", search);
        }
        format!("/api/v6/{}.json?{}", self.endpoint, pairs.0)
    }
}

/// The path and query that read one record; `None` for a name that [`is_plain_name`] refuses.
pub fn record_path(endpoint: &str, name: &str, fields: &[String]) -> Option<String> {
    let mut pairs = Pairs::default();
    pairs.fields(fields);
    let separator = if pairs.0.is_empty() { "" } else { "?" };
    Some(format!(
        "/api/v6/{}.json{separator}{}",
        path(endpoint, &[name])?,
        pairs.0
    ))
}

/// The path that reads the one record of an endpoint that is no list.
pub fn single_path(endpoint: &str) -> String {
    format!("/api/v6/{endpoint}.json")
}

/// An endpoint below a record, e.g. `activitiesWeb/web_1/messages`. Every part is one segment; `None` where one is no
/// plain name.
pub fn path(endpoint: &str, parts: &[&str]) -> Option<String> {
    let mut out = endpoint.to_owned();
    for part in parts {
        if !is_plain_name(part) {
            return None;
        }
        out.push('/');
        out.push_str(&encode(part));
    }
    Some(out)
}

/// How often a server on the way may decode a path.
const DECODINGS_MAX: usize = 3;

/// Whether no server could read a name as a way to another path, however often it decodes: it is not empty and has no part
/// that is `.` or `..`. A name may hold slashes, as those of addresses do, but is no way up.
pub fn is_plain_name(name: &str) -> bool {
    let is_way_up = |text: &[u8]| {
        text.split(|byte| b"/\\".contains(byte)).any(|part| {
            // Servers cut path parameters off and trim blanks.
            let part = part.split(|byte| *byte == b';').next().unwrap_or_default();
            matches!(part.trim_ascii(), b"." | b"..")
        })
    };
    let mut text = Cow::Borrowed(name.as_bytes());
    for _ in 0..=DECODINGS_MAX {
        if is_way_up(&text) {
            return false;
        }
        match decoded(&text) {
            Some(decoded) => text = Cow::Owned(decoded),
            None => return !name.is_empty(),
        }
    }
    // Encoded more often than any name is.
    false
}

/// The text with its percent-encoded bytes decoded; `None` where it has none.
fn decoded(text: &[u8]) -> Option<Vec<u8>> {
    let hex = |byte: u8| char::from(byte).to_digit(16).map(|digit| digit as u8);
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let [first, tail @ ..] = rest {
        let byte = match rest {
            [b'%', high, low, ..] => hex(*high).zip(hex(*low)).map(|(high, low)| high * 16 + low),
            _ => None,
        };
        out.push(byte.unwrap_or(*first));
        rest = if byte.is_some() { &rest[3..] } else { tail };
    }
    (out.len() < text.len()).then_some(out)
}

#[derive(Default)]
struct Pairs(String);

impl Pairs {
    fn add(&mut self, key: &str, value: &str) {
        let separator = if self.0.is_empty() { "" } else { "&" };
        self.0 += separator;
        self.0 += &encode(key);
        self.0.push('=');
        self.0 += &encode(value);
    }

    fn fields(&mut self, fields: &[String]) {
        for (i, field) in fields.iter().enumerate() {
            self.add(&format!("fields[{i}]"), field);
        }
    }

    fn group(&mut self, prefix: &str, logic: &str, filters: &[Filter]) {
        self.add(&format!("{prefix}[logic]"), logic);
        for (i, filter) in filters.iter().enumerate() {
            let prefix = format!("{prefix}[filters][{i}]");
            match filter {
                Filter::Any(filters) => self.group(&prefix, "or", filters),
                Filter::All(filters) => self.group(&prefix, "and", filters),
                Filter::Is {
                    field,
                    operator,
                    values,
                } => {
                    self.add(&format!("{prefix}[field]"), field);
                    self.add(&format!("{prefix}[operator]"), operator);
                    match &values[..] {
                        [value] if *operator != "in" => self.add(&format!("{prefix}[value]"), value),
                        values => {
                            for (j, value) in values.iter().enumerate() {
                                self.add(&format!("{prefix}[value][{j}]"), value);
                            }
                        }
                    }
                }
            }
        }
    }
}

/// Percent-encodes all but letters, digits, `_` and `-`. The dot is encoded too: Daktela's router is said to cut a name
/// at a dot that stands before `.json`, and the names of calls hold one.
fn encode(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'_' | b'-' => out.push(byte.into()),
            byte => write!(out, "%{byte:02X}").expect("writing to a String"),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_is_read_with_the_bracketed_query() {
        let query = Query::new("tickets", 50)
            .filter(Filter::eq("stage", "OPEN"))
            .filter(Filter::Any(vec![
                Filter::contains("title", "a b"),
                Filter::contains("title", "50%"),
            ]))
            .filter(Filter::one_of("contact", vec!["c_1".into()]))
            .sort("edited", Direction::Descending)
            .fields(&["name", "user.title"]);
        assert_eq!(
            String::from_utf8(decoded(query.to_path().as_bytes()).expect("encoded")).expect("utf-8"),
            "/api/v6/tickets.json?skip=0&take=50&filter[logic]=and\
             &filter[filters][0][field]=stage&filter[filters][0][operator]=eq&filter[filters][0][value]=OPEN\
             &filter[filters][1][logic]=or\
             &filter[filters][1][filters][0][field]=title&filter[filters][1][filters][0][operator]=like&filter[filters][1][filters][0][value]=%a b%\
             &filter[filters][1][filters][1][field]=title&filter[filters][1][filters][1][operator]=contains&filter[filters][1][filters][1][value]=50%\
             &filter[filters][2][field]=contact&filter[filters][2][operator]=in&filter[filters][2][value][0]=c_1\
             &sort[0][field]=edited&sort[0][dir]=desc&fields[0]=name&fields[1]=user.title"
        );
    }

    #[test]
    fn a_text_is_no_pattern() {
        for text in ["50%", "a_b", "a\\b"] {
            assert_eq!(Filter::contains("title", text), Filter::new("title", "contains", text));
        }
    }

    #[test]
    fn a_name_is_one_segment_whatever_it_holds() {
        assert_eq!(
            record_path("tickets", "users/x?a#b", &[]).as_deref(),
            Some("/api/v6/tickets/users%2Fx%3Fa%23b.json")
        );
        assert_eq!(
            record_path("activitiesCall", "1a2b.12345678", &["id_call".to_owned()]).as_deref(),
            Some("/api/v6/activitiesCall/1a2b%2E12345678.json?fields%5B0%5D=id_call")
        );
        assert_eq!(
            path("activitiesWeb", &["web_1", "messages"]).as_deref(),
            Some("activitiesWeb/web_1/messages")
        );
    }

    #[test]
    fn a_name_that_leads_elsewhere_is_refused() {
        for name in [
            "",
            ".",
            "..",
            "../users/x",
            "x/../../../file/recording/1",
            "x\\..\\y",
            "%2e%2e",
            "x%2F..%2F..%2Fy",
            "x%2F%2E%2E%2Fy",
            "..%3B/x",
            "..;/..;/internal",
            " .. /x",
            "%252e%252e%252fx",
            "%25252525252e",
        ] {
            assert!(!is_plain_name(name), "{name:?}");
            assert_eq!(path("activitiesWeb", &[name, "messages"]), None, "{name:?}");
        }
        for name in [
            "a..b",
            "web_1",
            "1a2b.12345678",
            "50 %",
            "100%25",
            "jan@b.cz/x",
            "…",
            "žluť;x",
            "a/b",
        ] {
            assert!(is_plain_name(name), "{name:?}");
        }
    }
}
