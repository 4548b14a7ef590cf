//! Contact search: by name, and by e-mail address or phone number in the custom fields that hold those.

use crate::{
    daktela::query::{Direction, Filter, Query},
    model::{
        context::Context,
        custom_field::{self, ContactPoint, CustomFieldSchema},
        entity::Entity,
    },
    run::custom_fields,
};

/// The national part of a phone number, which every spelling of it ends with (`00420…`, `+420…`).
const NATIONAL_DIGITS: usize = 9;
/// Fewer digits than this are no phone number.
const PHONE_DIGITS_MIN: usize = 6;

/// By name; what looks like an e-mail address or a phone number is also looked up in the fields for those.
pub(crate) fn search(context: &Context, given: &str, contact: &Entity) -> Filter {
    let mut any: Vec<Filter> = if let Some(address) = address(given) {
        let fields = fields_of(context, contact, &custom_field::EMAIL).into_iter();
        fields.map(|field| Filter::contains(&field, address)).collect()
    } else if let Some(number) = number(given) {
        let fields = fields_of(context, contact, &custom_field::PHONE).into_iter();
        fields
            .map(|field| Filter::new(&field, "like", number.as_str()))
            .collect()
    } else {
        Vec::new()
    };
    let name = Filter::contains("title", given);
    if any.is_empty() {
        return name;
    }
    any.push(name);
    Filter::Any(any)
}

/// The custom fields that hold phone numbers or e-mail addresses, as filters name them. Forms differ, and each database
/// of contacts has one; the contacts that were edited last show those in use.
fn fields_of(context: &Context, contact: &Entity, point: &ContactPoint) -> Vec<String> {
    let query = Query::new("contacts", FORMS)
        .fields(&["name", "customFields"])
        .sort("edited", Direction::Descending);
    let scheme = match context.client.read_page(&query) {
        Ok(page) => custom_fields::schema(context, contact, &page.rows),
        Err(error) => {
            context.client.note_partial(
                "Contacts with phone numbers or e-mail addresses in fields of their own may be missing",
                &error,
            );
            CustomFieldSchema::new()
        }
    };
    let keys = point.keys(&scheme).into_iter();
    keys.map(|key| format!("customFields.{key}")).collect()
}

/// Contacts whose forms are looked at for their fields.
const FORMS: u64 = 20;

/// The address of `jana@acme.cz` or `Jana Nová <jana@acme.cz>`.
fn address(given: &str) -> Option<&str> {
    given
        .split([' ', '<', '>', ',', ';', '"'])
        .find(|word| word.contains('@'))
}

/// A pattern for the digits of a phone number, with anything between them: people store them in groups of all kinds.
fn number(given: &str) -> Option<String> {
    let given = given.strip_prefix("tel:").unwrap_or(given);
    let digits: Vec<char> = given.chars().filter(char::is_ascii_digit).collect();
    let is_phone =
        digits.len() >= PHONE_DIGITS_MIN && given.chars().all(|c| c.is_ascii_digit() || " +-()/.".contains(c));
    let national = &digits[digits.len().saturating_sub(NATIONAL_DIGITS)..];
    is_phone.then(|| {
        national
            .iter()
            .fold("%".to_owned(), |pattern, digit| format!("{pattern}{digit}%"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_may_stand_beside_a_name() {
        assert_eq!(address("jana@acme.cz"), Some("jana@acme.cz"));
        assert_eq!(address("Jana Nová <jana@acme.cz>"), Some("jana@acme.cz"));
        assert_eq!(address("Jana"), None);
    }

    #[test]
    fn a_phone_number_is_its_last_nine_digits_in_groups_of_any_kind() {
        for given in [
            "+420 777 123 456",
            "00420777123456",
            "tel:777-123-456",
            "(777) 12/34.56",
        ] {
            assert_eq!(number(given).as_deref(), Some("%7%7%7%1%2%3%4%5%6%"));
        }
        for given in ["12345", "Jana 777123456", "787979a"] {
            assert_eq!(number(given), None);
        }
    }
}
