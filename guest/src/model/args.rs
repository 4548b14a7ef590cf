//! Argument validation: a call's JSON arguments, checked. All errors are reported at once, each with the legal values.

use serde_json::{Map, Value};

use crate::{
    daktela::{error::Error, query},
    date,
    model::param::{self, Kind, Param},
    text, time,
};

/// How large an answer may be.
#[derive(Clone, Copy, Debug)]
pub struct Budget {
    pub bytes: usize,
    /// No argument makes it larger: the operator allows no more.
    pub is_server_limit: bool,
}

impl Budget {
    /// Why a record is cut that does not fit by itself, and what to do about it.
    pub fn cut(self) -> String {
        let Budget { bytes, is_server_limit } = self;
        if is_server_limit {
            format!(
                "The record is larger than the {} bytes that there are for it, and this server's operator allows no more, so its texts are cut.",
                text::thousands(bytes as u64)
            )
        } else {
            format!("The record is larger than max_bytes={bytes}, so its texts are cut; a larger max_bytes shows more.")
        }
    }
}

/// Checked arguments. Absent ones take the default of their parameter.
#[derive(Debug)]
pub struct Args {
    values: Map<String, Value>,
    /// What was taken as absent although something was given.
    notes: Vec<String>,
}

/// Arguments that begin and end a range.
const RANGES: &[(&Param, &Param)] = &[
    (&param::DATE_FROM, &param::DATE_TO),
    (&param::NEXT_CALL_FROM, &param::NEXT_CALL_TO),
];

/// Longer than any name, title or search text of Daktela; a request line must stay within what servers take.
const TEXT_MAX: usize = 500;

impl Args {
    /// Notes for the answer on how arguments were understood.
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    /// What was given, in the type of the parameter.
    pub fn value(&self, param: &Param) -> Option<&Value> {
        self.values.get(param.name)
    }

    /// The value of an argument that takes one.
    pub fn text(&self, param: &Param) -> Option<&str> {
        self.values.get(param.name).and_then(Value::as_str)
    }

    /// The values of an argument that takes several; none where it is absent.
    pub fn texts(&self, param: &Param) -> Vec<&str> {
        match self.values.get(param.name) {
            Some(Value::Array(values)) => values.iter().filter_map(Value::as_str).collect(),
            value => value.and_then(Value::as_str).into_iter().collect(),
        }
    }

    /// Of a required parameter.
    pub fn required(&self, param: &Param) -> &str {
        self.text(param).expect("checked by Args::check")
    }

    pub fn flag(&self, param: &Param) -> bool {
        let default = matches!(param.kind, Kind::Flag { default: true });
        self.values.get(param.name).and_then(Value::as_bool).unwrap_or(default)
    }

    pub fn yes_no(&self, param: &Param) -> Option<bool> {
        self.values.get(param.name).and_then(Value::as_bool)
    }

    pub fn number(&self, param: &Param) -> Option<u64> {
        let default = if let Kind::Number { default, .. } = param.kind {
            default
        } else {
            None
        };
        self.values.get(param.name).and_then(Value::as_u64).or(default)
    }

    pub fn skip(&self) -> u64 {
        self.number(&param::SKIP).unwrap_or(0)
    }

    /// The size of the answer, within what the operator allows.
    pub fn budget(&self, operator_max: usize) -> Budget {
        let asked = self
            .number(&param::MAX_BYTES)
            .map_or(param::MAX_BYTES_DEFAULT, |bytes| bytes as usize);
        Budget {
            bytes: asked.min(operator_max),
            is_server_limit: asked >= operator_max,
        }
    }

    /// Checks the JSON text of a call against the parameters of its tool.
    pub fn check(params: &[Param], json: &str) -> Result<Args, Error> {
        let given = match serde_json::from_str(if json.trim().is_empty() { "{}" } else { json }) {
            // Some proxies send the object as a text.
            Ok(Value::String(text)) => serde_json::from_str(if text.trim().is_empty() { "{}" } else { &text }),
            given => given,
        };
        let given = match given {
            Ok(Value::Object(given)) => given,
            Ok(Value::Null) => Map::new(),
            // PHP writes an empty object so.
            Ok(Value::Array(given)) if given.is_empty() => Map::new(),
            _ => {
                return Err(Error::Argument(
                    "The arguments must be one JSON object, e.g. {\"take\": 10}.".to_owned(),
                ));
            }
        };
        let mut checked = Map::new();
        let (mut wrong, mut notes) = (Vec::new(), Vec::new());
        for (name, value) in &given {
            let Some(param) = params.iter().find(|param| param.name == name) else {
                wrong.push(unknown(params, name));
                continue;
            };
            // 0 may be the id of a record.
            if !(param.required && value.is_number())
                && let Some(shown) = placeholder(param, value)
            {
                notes.push(format!("{name} {shown} was taken as not given."));
                continue;
            }
            let value = if param.many {
                check_many(param, value)
            } else {
                check(param, value)
            };
            match value {
                Ok(Some(value)) => drop(checked.insert(name.clone(), value)),
                Ok(None) => {}
                Err(expected) => wrong.push(format!("{name}: {expected}")),
            }
        }
        for Param { name, description, .. } in params.iter().filter(|param| param.required) {
            if !checked.contains_key(*name) && !wrong.iter().any(|problem| problem.starts_with(&format!("{name}:"))) {
                wrong.push(format!("{name} is required: {description}"));
            }
        }
        let date = |param: &Param| checked.get(param.name).and_then(Value::as_str);
        for (after, before) in RANGES {
            if let (Some(from), Some(to)) = (date(after), date(before))
                && from > to
            {
                let mend = if time::compare(from, to, None).is_none() {
                    "that hour occurs twice in the night when the clocks go back, and Daktela's times do not tell which: take the whole hour"
                } else {
                    "swap them"
                };
                wrong.push(format!(
                    "{} ({from}) is after {} ({to}); {mend}",
                    after.name, before.name
                ));
            }
        }
        if wrong.is_empty() {
            Ok(Args { values: checked, notes })
        } else {
            Err(Error::Argument(format!("Wrong arguments:\n- {}", wrong.join("\n- "))))
        }
    }
}

fn unknown(params: &[Param], name: &str) -> String {
    let names: Vec<&str> = params.iter().map(|param| param.name).collect();
    let takes = if names.is_empty() {
        "none is expected".to_owned()
    } else {
        format!("expected are {}", names.join(", "))
    };
    format!(
        "{:?} is not an argument here; {takes}",
        text::cut(&text::line(name), 60)
    )
}

/// What proxies and models fill optional arguments with that they were not asked to give, as it is shown: the word null, a
/// zero where zero means nothing, an empty list or object. An empty text means the same without a word.
fn placeholder(param: &Param, value: &Value) -> Option<String> {
    let is_word = |text: &str, words: &[&str]| words.iter().any(|word| text.trim().eq_ignore_ascii_case(word));
    let is_placeholder = match (value, param.kind) {
        (Value::Array(items), _) => items.is_empty(),
        (Value::Object(items), _) => items.is_empty(),
        // A name may be any word.
        (Value::String(text), Kind::Text | Kind::Id | Kind::TicketNumber | Kind::Named(_)) => {
            is_word(text, &["null", "undefined"])
        }
        (Value::String(text), Kind::Flag { .. } | Kind::YesNo) => is_word(text, &["null", "undefined", "none"]),
        (Value::String(text), Kind::Number { min, .. }) => {
            is_word(text, &["null", "undefined", "none"]) || (min > 0 && is_word(text, &["0", "0.0"]))
        }
        (Value::String(text), Kind::OneOf(_) | Kind::Date(_)) => is_word(text, &["null", "undefined", "none", "0"]),
        (Value::Number(number), kind) if number.as_f64() == Some(0.0) => match kind {
            Kind::Number { min, .. } => min > 0,
            Kind::Flag { .. } | Kind::YesNo => false,
            Kind::Text | Kind::Id | Kind::TicketNumber | Kind::Named(_) | Kind::OneOf(_) | Kind::Date(_) => true,
        },
        _ => false,
    };
    is_placeholder.then(|| text::cut(&text::line(&value.to_string()), 80))
}

/// How many values one argument takes: more would not fit the line of a request.
const VALUES_MAX: usize = 40;

/// One value as [`check`] returns it, several as a list. Lists also come as the text of one; choices and words, none of
/// which holds a comma, in one text with commas.
fn check_many(param: &Param, value: &Value) -> Result<Option<Value>, String> {
    let parsed = value
        .as_str()
        .filter(|text| text.trim_start().starts_with('['))
        .and_then(|text| serde_json::from_str::<Vec<Value>>(text).ok());
    let given = match (value, parsed, param.kind) {
        (Value::Array(values), ..) => values.clone(),
        (_, Some(values), _) => values,
        (Value::String(text), None, Kind::OneOf(_) | Kind::Text) => text.split(',').map(Value::from).collect(),
        (value, ..) => return check(param, value),
    };
    if given.len() > VALUES_MAX {
        return Err(format!("{} values are too many; at most {VALUES_MAX}", given.len()));
    }
    let mut checked: Vec<Value> = Vec::new();
    for value in &given {
        if let Some(value) = check(param, value)?
            && !checked.contains(&value)
        {
            checked.push(value);
        }
    }
    Ok(if checked.len() > 1 {
        Some(Value::Array(checked))
    } else {
        checked.pop()
    })
}

/// The value in the type of its parameter; `None` for null and an empty text, which mean the same as leaving it out.
/// Numbers and flags that came as text are forgiven, as models send them.
fn check(param: &Param, value: &Value) -> Result<Option<Value>, String> {
    let shown = || text::cut(&text::line(&value.to_string()), 80);
    let given = match value {
        Value::Null => return Ok(None),
        Value::String(given) => given.trim().to_owned(),
        Value::Bool(_) | Value::Number(_) => value.to_string(),
        Value::Array(_) | Value::Object(_) => return Err(format!("expected {}, not {}", expected(param), shown())),
    };
    if given.is_empty() {
        return Ok(None);
    }
    if given.chars().count() > TEXT_MAX {
        return Err(format!("the text is too long; at most {TEXT_MAX} characters"));
    }
    let refuse = || Err(format!("expected {}, not {}", expected(param), shown()));
    match param.kind {
        Kind::Text | Kind::Named(_) => Ok(Some(given.into())),
        Kind::Id => record_id(&given).map(|id| Some(id.into())),
        Kind::TicketNumber => record_id(&given).map(|id| Some(ticket_id(&id).into())),
        Kind::OneOf(values) => match values.iter().find(|value| value.eq_ignore_ascii_case(&given)) {
            Some(value) => Ok(Some((*value).into())),
            None => refuse(),
        },
        Kind::Flag { .. } | Kind::YesNo => match given.to_ascii_lowercase().as_str() {
            "true" | "1" | "yes" => Ok(Some(true.into())),
            "false" | "0" | "no" => Ok(Some(false.into())),
            _ => refuse(),
        },
        Kind::Number { min, max, .. } => {
            let number = given.strip_suffix(".0").unwrap_or(&given).parse::<u64>().ok();
            number
                .filter(|n| (min..=max).contains(n))
                .map_or_else(refuse, |n| Ok(Some(n.into())))
        }
        Kind::Date(bound) => date::parse(&given, bound).map(|date| Some(date.into())),
    }
}

fn expected(param: &Param) -> String {
    let one = expected_one(param);
    if param.many {
        format!("{one}, or a list of them")
    } else {
        one
    }
}

fn expected_one(param: &Param) -> String {
    match param.kind {
        Kind::Text | Kind::Named(_) => "a text".to_owned(),
        Kind::Id | Kind::TicketNumber => "an id".to_owned(),
        Kind::OneOf(values) => format!("one of {}", values.join(", ")),
        Kind::Flag { .. } | Kind::YesNo => "true or false".to_owned(),
        Kind::Number { min, max, .. } if param.name == param::SKIP.name => {
            format!("a whole number from {min} (at most {max})")
        }
        Kind::Number { min, max, .. } => format!("a whole number from {min} to {max}"),
        Kind::Date(_) => "a date such as 2026-11-20 or 2026-11-20 14:30".to_owned(),
    }
}

/// An id is one segment of a path. It may hold a slash, as e-mail addresses and names do, but never a way up.
fn record_id(given: &str) -> Result<String, String> {
    if !query::is_plain_name(given) || given.chars().any(char::is_control) {
        return Err(format!(
            "{:?} is no id of a record; take one from a list",
            text::line(given)
        ));
    }
    Ok(given.to_owned())
}

/// A ticket number as people write it: `TK00787979`, `#787979` and `787979` are the same. Anything else is left alone.
pub fn ticket_id(given: &str) -> String {
    let digits = given
        .strip_prefix('#')
        .or_else(|| {
            given
                .get(..2)
                .filter(|p| p.eq_ignore_ascii_case("TK"))
                .and_then(|_| given.get(2..))
        })
        .unwrap_or(given);
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return given.to_owned();
    }
    let number = digits.trim_start_matches('0');
    if number.is_empty() {
        given.to_owned()
    } else {
        number.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const PARAMS: &[Param] = &[
        param::STAGE,
        param::TICKET,
        param::ANSWERED,
        param::DATE_FROM,
        param::DATE_TO,
        param::SKIP,
        param::take(50, 200),
    ];

    #[track_caller]
    fn checked(arguments: Value) -> Value {
        Value::Object(Args::check(PARAMS, &arguments.to_string()).expect("right").values)
    }

    #[test]
    fn values_in_the_wrong_json_type_are_forgiven() {
        assert_eq!(
            checked(
                json!({"take": "25", "skip": 3.0, "ticket": 787979, "answered": "true", "stage": "open", "date_to": "2026-11-20"})
            ),
            json!({"take": 25, "skip": 3, "ticket": "787979", "answered": true, "stage": "OPEN", "date_to": "2026-11-20 23:59:59"})
        );
        assert_eq!(checked(json!({"stage": null, "ticket": " "})), json!({}));
    }

    #[test]
    fn several_values_come_in_every_form() {
        let both = json!({"stage": ["OPEN", "WAIT"]});
        for given in [
            json!(["open", "WAIT", "OPEN", ""]),
            json!("OPEN,WAIT"),
            json!("[\"OPEN\", \"WAIT\"]"),
        ] {
            assert_eq!(checked(json!({"stage": given})), both, "{given}");
        }
        assert_eq!(checked(json!({"stage": ["OPEN"]})), json!({"stage": "OPEN"}));
        assert_eq!(checked(json!({"stage": [null]})), json!({}));
        for wrong in [json!(["OPEN", "NEW"]), json!("OPEN,NEW"), json!([["OPEN"]])] {
            assert!(
                Args::check(PARAMS, &json!({"stage": wrong}).to_string()).is_err(),
                "{wrong}"
            );
        }
    }

    #[test]
    fn all_that_is_wrong_is_said_at_once() {
        let arguments =
            json!({"stage": "NEW", "take": 201, "skip": -1, "queue": 1, "date_from": "soon", "answered": [1]});
        let params: Vec<Param> = PARAMS
            .iter()
            .map(|param| {
                if param.name == "ticket" {
                    param.required()
                } else {
                    *param
                }
            })
            .collect();
        let error = Args::check(&params, &arguments.to_string()).expect_err("wrong");
        assert_eq!(
            error.text(),
            "Wrong arguments:\n\
             - stage: expected one of OPEN, WAIT, CLOSE, ARCHIVE, or a list of them, not \"NEW\"\n\
             - take: expected a whole number from 1 to 200, not 201\n\
             - skip: expected a whole number from 0 (at most 1000000000), not -1\n\
             - \"queue\" is not an argument here; expected are stage, ticket, answered, date_from, date_to, skip, take\n\
             - date_from: \"soon\" is not a date; expected a day (2026-11-20) or a time of the instance (2026-11-20 14:30 or 2026-11-20T14:30:00)\n\
             - answered: expected true or false, not [1]\n\
             - ticket is required: Ticket number, e.g. 787979 or TK00787979."
        );
    }

    #[test]
    fn a_range_that_ends_before_it_begins_is_refused() {
        let error = Args::check(PARAMS, r#"{"date_from": "2026-11-20", "date_to": "2026-11-19"}"#).expect_err("wrong");
        assert!(error.text().contains("is after date_to"), "{}", error.text());
    }

    #[test]
    fn ticket_numbers_are_read_as_people_write_them() {
        for (given, id) in [
            ("TK00787979", "787979"),
            ("tk12", "12"),
            ("#12", "12"),
            ("0012", "12"),
            ("787979", "787979"),
            ("Tomato", "Tomato"),
            ("TK", "TK"),
            ("000", "000"),
        ] {
            assert_eq!(ticket_id(given), id);
        }
    }

    #[test]
    fn placeholders_of_proxies_are_no_arguments() {
        let given = json!({"take": 0, "stage": "null", "ticket": 0, "date_from": "None", "answered": "undefined", "date_to": [], "skip": 0});
        let args = Args::check(PARAMS, &given.to_string()).expect("right");
        assert_eq!(Value::Object(args.values), json!({"skip": 0}));
        assert_eq!(
            args.notes,
            [
                "take 0 was taken as not given.",
                "stage \"null\" was taken as not given.",
                "ticket 0 was taken as not given.",
                "date_from \"None\" was taken as not given.",
                "answered \"undefined\" was taken as not given.",
                "date_to [] was taken as not given.",
            ]
        );
        // What is required is said to be missing.
        let required = [param::TICKET.required()];
        let error = Args::check(&required, r#"{"ticket": "null"}"#).expect_err("missing");
        assert!(error.text().contains("ticket"), "{}", error.text());
    }

    #[test]
    fn an_object_as_a_text_is_read() {
        for json in [r#""{\"stage\": \"OPEN\"}""#, r#"{"stage": "OPEN"}"#] {
            let args = Args::check(PARAMS, json).expect("right");
            assert_eq!(Value::Object(args.values), json!({"stage": "OPEN"}), "{json}");
        }
        for json in ["[]", "null", "", r#""""#, r#""{}""#] {
            assert_eq!(Args::check(PARAMS, json).expect("right").values, Map::new(), "{json}");
        }
        assert!(Args::check(PARAMS, r#""OPEN""#).is_err());
    }

    #[test]
    fn a_range_within_the_hour_that_occurs_twice_says_so() {
        let given = r#"{"date_from": "2026-10-25 02:50", "date_to": "2026-10-25 02:10"}"#;
        let error = Args::check(PARAMS, given).expect_err("no order");
        assert!(error.text().contains("occurs twice"), "{}", error.text());
    }
}
