//! Contact lookup by phone number or e-mail address, in the custom fields that hold those.
//!
//! Daktela compares texts, and people write numbers in many ways. So it is asked for candidates by the last digits with
//! anything between them, and the numbers of those are compared here. No source shows such a pattern on custom fields, so
//! where nobody is found, it is asked by equality with the usual spellings, and then by its full-text search.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::{
    daktela::{
        error::Error,
        observations::Mend,
        query::{Direction, Filter, Query, TAKE_MAX},
    },
    model::{
        context::Context,
        custom_field::{self, ContactPoint, CustomFieldSchema, EMAIL, PHONE},
        entity::{ENTITY, Entity},
    },
    names::Name,
    phone::{Likeness, Number, grouped},
    render::markdown::inline,
    run::custom_fields,
    sort, text, unicode, value,
};

pub(crate) const ENDPOINT: &str = "contacts";

const CONTACT: Entity = Entity {
    endpoint: ENDPOINT,
    ..ENTITY
};

/// What a contact is looked up by.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Wanted {
    Number(Number),
    Address(String),
}

/// The number or the address that a text consists of: `+420 777 123 456`, `jana@acme.cz`, `Jana Nová <jana@acme.cz>`.
pub(crate) fn wanted(given: &str) -> Option<Wanted> {
    if let Some(address) = address(given).filter(|address| is_address(address)) {
        return Some(Wanted::Address(address.to_owned()));
    }
    Number::parse(given).map(Wanted::Number)
}

/// The word of `jana@acme.cz` or `Jana Nová <jana@acme.cz>` that has an at sign.
pub(crate) fn address(given: &str) -> Option<&str> {
    given
        .split([' ', '<', '>', ',', ';', '"'])
        .map(|word| word.strip_prefix("mailto:").unwrap_or(word))
        .find(|word| word.contains('@'))
}

/// A part of an address is none.
pub(crate) fn is_address(text: &str) -> bool {
    text.split_once('@').is_some_and(|(user, host)| {
        !user.is_empty() && host.contains('.') && !host.starts_with('.') && !host.ends_with('.')
    })
}

impl Wanted {
    pub(crate) fn noun(&self) -> &'static str {
        match self {
            Wanted::Number(_) => "phone number",
            Wanted::Address(_) => "e-mail address",
        }
    }

    /// How to find what people did who are no contacts.
    pub(crate) fn without_contact(&self) -> &'static str {
        match self {
            Wanted::Number(_) => {
                "Calls and chats of people who are no contacts are found by number instead of contact. "
            }
            Wanted::Address(_) => "E-mails of people who are no contacts are found by address instead of contact. ",
        }
    }

    fn point(&self) -> &'static ContactPoint {
        match self {
            Wanted::Number(_) => &PHONE,
            Wanted::Address(_) => &EMAIL,
        }
    }

    fn likeness(&self, text: &str) -> Likeness {
        match self {
            Wanted::Number(number) => crate::phone::likeness(number, text),
            Wanted::Address(wanted) if address(text).is_some_and(|found| found.eq_ignore_ascii_case(wanted)) => {
                Likeness::Same
            }
            Wanted::Address(_) => Likeness::Different,
        }
    }
}

/// A contact, with the number or address of it that compares best.
#[derive(Clone, Debug)]
pub(crate) struct Found {
    pub name: String,
    pub title: String,
    pub value: String,
    pub likeness: Likeness,
}

/// Contacts whose forms are looked at for their fields: forms differ, and each database of contacts has one. Those that
/// were edited last show the ones in use.
const FORMS: u64 = 20;

/// Keys that are searched at once, and spellings of a number: a request line stays within what servers take (8 KB).
const KEYS_MAX: usize = 4;
const CONDITIONS_MAX: usize = 32;

struct Fields {
    keys: Vec<String>,
    /// Keys in use elsewhere, where nothing tells which ones are in use here.
    usual: Vec<String>,
    /// The calling codes of the numbers in the contacts that were looked at.
    codes: BTreeSet<u16>,
}

impl Fields {
    fn filters(&self) -> impl Iterator<Item = String> {
        self.keys.iter().map(|key| custom(key))
    }
}

fn custom(key: &str) -> String {
    format!("customFields.{key}")
}

/// What a search found, and where it looked in words, for an answer that has found nobody.
pub(crate) struct Search {
    pub found: Vec<Found>,
    pub searched: String,
}

/// The custom fields that hold phone numbers or e-mail addresses, as filters name them.
pub(crate) fn filter_fields(context: &Context, point: &ContactPoint) -> Vec<String> {
    fields(context, point).filters().collect()
}

fn fields(context: &Context, point: &ContactPoint) -> Fields {
    let query = Query::new(ENDPOINT, FORMS)
        .fields(&["name", "customFields"])
        .sort("edited", Direction::Descending);
    let (rows, schema) = match context.client.read_page(&query) {
        Ok(page) => {
            let schema = custom_fields::schema(context, &CONTACT, &page.rows);
            (page.rows, schema)
        }
        Err(error) => {
            context.client.note_partial(
                "Contacts with phone numbers or e-mail addresses in fields of their own may be missing",
                &error,
            );
            (Vec::new(), CustomFieldSchema::new())
        }
    };
    let mut keys = point.keys(&schema);
    let values = |row: &Value, key: &str| -> Vec<String> {
        value::all(&row["customFields"], key)
            .into_iter()
            .filter_map(value::text)
            .collect()
    };
    if schema.is_empty() {
        // Without definitions the values tell which fields hold numbers.
        let looks_right = |text: &String| match point.label == PHONE.label {
            true => Number::parse(text).is_some(),
            false => is_address(text),
        };
        for row in &rows {
            for (key, _) in custom_field::fields_of(row) {
                if !keys.contains(key) && values(row, key).iter().any(looks_right) {
                    keys.push(key.clone());
                }
            }
        }
    }
    keys.truncate(KEYS_MAX);
    let usual = if schema.is_empty() { point.usual_keys() } else { &[] };
    let usual = usual.iter().filter(|key| !keys.iter().any(|known| known == *key));
    let usual = usual.map(|key| (*key).to_owned()).collect();
    let numbers = rows.iter().flat_map(|row| keys.iter().flat_map(|key| values(row, key)));
    let codes = numbers
        .flat_map(|text| Number::all(&text))
        .filter_map(|number| number.code())
        .collect();
    Fields { keys, usual, codes }
}

/// The contacts that have a number or an address, the best matches first.
pub(crate) fn find(context: &Context, wanted: &Wanted) -> Result<Search, Error> {
    let fields = fields(context, wanted.point());
    let spellings: Vec<String> = match wanted {
        Wanted::Number(number) => number.spellings(&fields.codes),
        Wanted::Address(address) => vec![address.clone()],
    };
    let pattern = |field: &str| match wanted {
        // People store numbers in groups of all kinds.
        Wanted::Number(number) => {
            let tail = number.tail();
            let like = tail
                .chars()
                .fold("%".to_owned(), |pattern, digit| format!("{pattern}{digit}%"));
            Filter::new(field, "like", like)
        }
        Wanted::Address(address) => Filter::contains(field, address),
    };
    let spelled = |field: &str| -> Vec<Filter> {
        let equal = |spelling: &String| Filter::eq(field, spelling.as_str());
        spellings.iter().map(equal).collect()
    };
    // Callers who are not known by name have their number as the title.
    let mut patterns: Vec<Filter> = fields.filters().map(|field| pattern(&field)).collect();
    patterns.push(pattern("title"));
    patterns.truncate(CONDITIONS_MAX);
    let equal: Vec<Filter> = fields.filters().flat_map(|field| spelled(&field)).collect();
    // Exact spellings of several fields may be more than one request line holds. A key that a build does not know is refused
    // with all that is asked beside it.
    let mut attempts: Vec<(&str, Vec<Filter>)> = vec![("by pattern", patterns)];
    attempts.extend(equal.chunks(CONDITIONS_MAX).map(|some| ("by equality", some.to_vec())));
    for key in &fields.usual {
        let filters = spelled(&custom(key));
        attempts.extend(
            filters
                .chunks(CONDITIONS_MAX)
                .map(|some| ("by equality", some.to_vec())),
        );
    }
    let searched = format!(
        "Looked for in the custom fields {} by pattern and by its usual spellings, in titles, and in full text.",
        inline(&[&fields.keys[..], &fields.usual[..]].concat().join(", "), 200)
    );
    let query = Query::new(ENDPOINT, TAKE_MAX).fields(&["name", "title", "customFields"]);
    let mut is_refused = false;
    for (how, attempt) in attempts {
        match context.client.read_page(&query.clone().filter(Filter::Any(attempt))) {
            Ok(page) => {
                let found = compare(wanted, &page.rows, None);
                if !found.is_empty() {
                    if how != "by pattern" {
                        context
                            .client
                            .note_mend(Mend::EqualSpellings, ENDPOINT, &["customFields"], true);
                    }
                    return Ok(Search { found, searched });
                }
            }
            Err(Error::Refused(_)) => is_refused = true,
            Err(error) => return Err(error),
        }
    }
    let texts = match wanted {
        Wanted::Number(number) => {
            let tail = number.tail();
            vec![grouped(&tail, ' '), tail]
        }
        Wanted::Address(address) => vec![address.clone()],
    };
    let queries: Vec<Query> = texts
        .into_iter()
        .map(|text| Query {
            search: Some(text),
            ..query.clone()
        })
        .collect();
    let mut found: Vec<Found> = Vec::new();
    for page in context.client.read_pages(&queries) {
        match page {
            Ok(page) => found.extend(compare(wanted, &page.rows, None)),
            // It was to find what filters do not; those were answered.
            Err(_) if !is_refused => {}
            Err(error) => return Err(error),
        }
    }
    found.sort_by(|a, b| (a.likeness, &a.name).cmp(&(b.likeness, &b.name)));
    found.dedup_by(|a, b| a.name == b.name);
    if is_refused || !found.is_empty() {
        let gives = !found.is_empty();
        context
            .client
            .note_mend(Mend::FullTextSearch, ENDPOINT, &["customFields"], gives);
    }
    Ok(Search { found, searched })
}

/// Those of these contacts that have the number or address; `keys` are the fields to look at, all where they are not known.
fn compare(wanted: &Wanted, rows: &[Value], keys: Option<&[String]>) -> Vec<Found> {
    let found = |row: &Value| {
        let title = value::text_at(row, "title")
            .map(|title| text::line(&title))
            .unwrap_or_default();
        let custom = custom_field::fields_of(row)
            .filter(|(key, _)| keys.is_none_or(|keys| keys.contains(key)))
            .flat_map(|(key, _)| value::all(&row["customFields"], key))
            .filter_map(value::text);
        let name = value::text_at(row, "name")?;
        let own = [name.clone(), title.clone()];
        let (likeness, value) = custom
            .chain(own)
            .map(|text| (wanted.likeness(&text), text))
            .min_by_key(|(likeness, _)| *likeness)?;
        (likeness != Likeness::Different).then_some(Found {
            name,
            title,
            value,
            likeness,
        })
    };
    let mut found: Vec<Found> = rows.iter().filter_map(found).collect();
    sort::sort_by_key(&mut found, |found| found.likeness);
    found
}

/// The calling codes of the numbers that were found.
pub(crate) fn codes(found: &[Found]) -> BTreeSet<u16> {
    let numbers = found.iter().flat_map(|found| Number::all(&found.value));
    let mut codes = BTreeSet::new();
    codes.extend(numbers.filter_map(|number| number.code()));
    codes
}

/// That a title holds a name, its words in any order and without academic titles.
pub(crate) fn named(field: &str, given: &str) -> Filter {
    let words = Name::search_words(given);
    if words.len() < 2 {
        return Filter::contains(field, words.first().map_or(given, String::as_str));
    }
    let whole = Filter::contains(field, &unicode::nfc(given));
    let each = words
        .iter()
        .take(WORDS_MAX)
        .map(|word| Filter::contains(field, word))
        .collect();
    Filter::Any(vec![whole, Filter::All(each)])
}

/// More words than any name has.
const WORDS_MAX: usize = 8;

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_address_may_stand_beside_a_name() {
        for given in ["jana@acme.cz", "Jana Nová <jana@acme.cz>", "mailto:jana@acme.cz"] {
            assert_eq!(
                wanted(given),
                Some(Wanted::Address("jana@acme.cz".to_owned())),
                "{given}"
            );
        }
        for given in ["Jana", "@acme.cz", "jana@", "jana@acme", "Jana Nová"] {
            assert_eq!(wanted(given), None, "{given}");
        }
    }

    #[test]
    fn only_the_same_number_or_address_is_found() {
        let contact = |name: &str, number: &str, email: &str| json!({"name": name, "title": name, "customFields": {"number": [number], "email": [email]}});
        let rows = [
            contact("other", "+420 777 123 499", "ok@b.cz"),
            contact("slovak", "+421 777 123 456", "k@b.cz.example"),
            contact("bare", "777 123 456", "K@B.cz"),
            contact("same", "00420777123456", "x@b.cz"),
        ];
        let names = |given: &str| {
            let found = compare(&wanted(given).expect("a number or an address"), &rows, None);
            found
                .into_iter()
                .map(|found| (found.name, found.likeness))
                .collect::<Vec<_>>()
        };
        assert_eq!(
            names("+420 777 123 456"),
            [
                ("same".to_owned(), Likeness::Same),
                ("bare".to_owned(), Likeness::National)
            ]
        );
        assert_eq!(names("+420 207 771 234"), []);
        assert_eq!(names("k@b.cz"), [("bare".to_owned(), Likeness::Same)]);
    }

    #[test]
    fn words_of_a_name_may_stand_in_any_order() {
        assert_eq!(named("title", "Horáková"), Filter::contains("title", "Horáková"));
        assert_eq!(
            named("title", "Jan Novák"),
            Filter::Any(vec![
                Filter::contains("title", "Jan Novák"),
                Filter::All(vec![
                    Filter::contains("title", "Novák"),
                    Filter::contains("title", "Jan")
                ])
            ])
        );
    }
}
