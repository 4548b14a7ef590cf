use serde_json::Value;

use super::{get, list};
use crate::{
    daktela::query::{Direction, Filter, Query},
    model::param,
    model::tool::{
        CustomFields, ENTITY, Entity, List, LongText, TextKind, Tool, computed, custom, detail, eq, plain, related,
        titled,
    },
    render::record::{self, ContactPoint, CustomFieldSchema},
    run::Context,
    value,
};

pub const CONTACT: Entity = Entity {
    endpoint: "contacts",
    singular: "contact",
    plural: "contacts",
    fields: &[
        related("Account", "account"),
        related("Owner", "user"),
        detail(titled("Database", "database")),
        detail(plain("First name", "firstname")),
        detail(plain("Last name", "lastname")),
        computed("NPS score", &["nps_score"], nps),
        plain("Created", "created"),
        plain("Edited", "edited"),
    ],
    texts: &[LongText {
        label: "",
        path: "description",
        kind: TextKind::Html,
        chars: 300,
    }],
    sort: &["edited", "created", "title", "lastname"],
    custom_fields: CustomFields::ContactPoints,
    ..ENTITY
};

/// One contact by itself says how much belongs to it.
const CONTACT_DETAIL: Entity = Entity {
    enrich: Some(|context, entity, _, rows| {
        let belongings = [
            ("Tickets (list_tickets)", "tickets", "contact"),
            ("CRM records (list_crm_records)", "crmRecords", "contact"),
        ];
        super::counted(context, entity, rows, &belongings)
    }),
    ..CONTACT
};

const LIST: List = List {
    entity: &CONTACT,
    filters: &[custom(&param::SEARCH_CONTACT, search), eq(&param::ACCOUNT, "account")],
    sort: Some(("edited", Direction::Descending)),
    take: (50, 200),
};

pub const TOOLS: &[Tool] = &[
    list(
        "list_contacts",
        "List contacts",
        &LIST,
        "Find contacts (people) by name, e-mail address or phone number, or list those of an account.",
    ),
    get(
        "get_contact",
        "Contact",
        &CONTACT_DETAIL,
        "list_contacts",
        "One contact with phone numbers, e-mail addresses and all custom fields that Daktela does not hide.",
    ),
];

/// The national part of a phone number, which every spelling of it ends with (`00420…`, `+420…`).
const NATIONAL_DIGITS: usize = 9;
/// Fewer digits than this are no phone number.
const PHONE_DIGITS_MIN: usize = 6;

/// By name; what looks like an e-mail address or a phone number is also looked up in the fields for those.
fn search(context: &Context, given: &str) -> Filter {
    let mut any: Vec<Filter> = if let Some(address) = address(given) {
        let fields = reach_fields(context, &record::EMAIL).into_iter();
        fields.map(|field| Filter::contains(&field, address)).collect()
    } else if let Some(number) = number(given) {
        let fields = reach_fields(context, &record::PHONE).into_iter();
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
fn reach_fields(context: &Context, reach: &ContactPoint) -> Vec<String> {
    let query = Query::new("contacts", FORMS)
        .fields(&["name", "customFields"])
        .sort("edited", Direction::Descending);
    let scheme = match context.client.read_page(&query) {
        Ok(page) => context.scheme(&CONTACT, &page.rows),
        Err(error) => {
            context.client.note_partial(
                "Contacts with phone numbers or e-mail addresses in fields of their own may be missing",
                &error,
            );
            CustomFieldSchema::new()
        }
    };
    let keys = reach.keys(&scheme).into_iter();
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

/// Daktela's default is 0, for those who were never asked.
fn nps(contact: &Value) -> Option<String> {
    value::first(contact, "nps_score")
        .filter(|score| value::number(score) != Some(0.0))
        .and_then(value::text)
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
