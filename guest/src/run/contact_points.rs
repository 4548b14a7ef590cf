//! Contact lookup by phone number or e-mail address, in the custom fields that hold those.
//!
//! Daktela compares texts, and people write numbers in many ways. So it is asked for candidates by the last digits with
//! anything between them, and the numbers of those are compared here; where it does not take such a pattern, by equality
//! with the usual spellings; where it filters by none of these fields, by its full-text search.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::{
    daktela::{
        client::Page,
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
    phone::{Likeness, Number},
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
    /// The calling codes of the numbers in the contacts that were looked at.
    codes: BTreeSet<u16>,
}

impl Fields {
    fn filters(&self) -> impl Iterator<Item = String> {
        self.keys.iter().map(|key| format!("customFields.{key}"))
    }
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
    let numbers = rows.iter().flat_map(|row| keys.iter().flat_map(|key| values(row, key)));
    let codes = numbers
        .flat_map(|text| Number::all(&text))
        .filter_map(|number| number.code())
        .collect();
    Fields { keys, codes }
}

/// The contacts that have a number or an address, the best matches first.
pub(crate) fn find(context: &Context, wanted: &Wanted) -> Result<Vec<Found>, Error> {
    let fields = fields(context, wanted.point());
    let any = |condition: &dyn Fn(&str) -> Vec<Filter>| {
        fields.filters().flat_map(|field| condition(&field)).collect::<Vec<_>>()
    };
    let (mut pattern, spelled) = match wanted {
        Wanted::Number(number) => {
            // People store numbers in groups of all kinds.
            let tail = number.tail();
            let like = tail
                .chars()
                .fold("%".to_owned(), |pattern, digit| format!("{pattern}{digit}%"));
            let spellings = number.spellings(&fields.codes);
            let mut pattern = any(&|field| vec![Filter::new(field, "like", like.as_str())]);
            // Callers who are not known by name have their number as the title.
            pattern.push(Filter::new("title", "like", like.as_str()));
            (
                pattern,
                any(&|field| {
                    spellings
                        .iter()
                        .map(|spelling| Filter::eq(field, spelling.as_str()))
                        .collect()
                }),
            )
        }
        Wanted::Address(address) => {
            let mut pattern = any(&|field| vec![Filter::contains(field, address)]);
            pattern.push(Filter::contains("title", address));
            (pattern, any(&|field| vec![Filter::eq(field, address.as_str())]))
        }
    };
    pattern.truncate(CONDITIONS_MAX);
    let read = |filter: Option<Vec<Filter>>, search: Option<String>| -> Result<Page, Error> {
        let query = Query::new(ENDPOINT, TAKE_MAX).fields(&["name", "title", "customFields"]);
        let query = filter
            .into_iter()
            .fold(query, |query, any| query.filter(Filter::Any(any)));
        context.client.read_page(&Query { search, ..query })
    };
    let mut is_refused = false;
    // Exact spellings of several fields may be more than one request line holds.
    let attempts = std::iter::once(pattern).chain(spelled.chunks(CONDITIONS_MAX).map(<[Filter]>::to_vec));
    for attempt in attempts {
        match read(Some(attempt), None) {
            Ok(page) => {
                let found = compare(wanted, &page.rows, Some(&fields.keys));
                if !found.is_empty() {
                    return Ok(found);
                }
            }
            Err(Error::Refused(_)) => is_refused = true,
            Err(error) => return Err(error),
        }
    }
    if !is_refused {
        return Ok(Vec::new());
    }
    let search = match wanted {
        Wanted::Number(number) => number.tail(),
        Wanted::Address(address) => address.clone(),
    };
    let page = read(None, Some(search))?;
    let found = compare(wanted, &page.rows, None);
    let gives = !found.is_empty();
    context
        .client
        .note_mend(Mend::FullTextSearch, ENDPOINT, &["customFields"], gives);
    Ok(found)
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
