//! Contact search: by name, and by e-mail address or phone number in the custom fields that hold those; and filters for
//! the number or address of the other side of a call, chat or e-mail, which need no contact.

use std::collections::BTreeSet;

use crate::{
    daktela::{error::Error, query::Filter},
    model::{context::Context, custom_field, filter::Condition},
    phone::{Likeness, Number, grouped},
    render::markdown::{inline, quoted},
    run::contact_points::{self, Found, Wanted},
    text,
};

/// How many contacts a filter names, so that a request line stays within what servers take.
const CONTACTS_MAX: usize = 40;

/// By name; what looks like an e-mail address or a phone number is also looked up in the fields for those.
pub(crate) fn search(context: &Context, given: &str) -> Result<Condition, Error> {
    if let Some(Wanted::Number(_)) = contact_points::wanted(given) {
        return by_number(context, given);
    }
    let name = contact_points::named("title", given);
    let Some(address) = contact_points::address(given) else {
        return Ok(name.into());
    };
    let fields = contact_points::filter_fields(context, &custom_field::EMAIL);
    let mut any: Vec<Filter> = fields.iter().map(|field| Filter::contains(field, address)).collect();
    any.push(name);
    Ok(Filter::Any(any).into())
}

fn by_number(context: &Context, given: &str) -> Result<Condition, Error> {
    let Some(wanted) = contact_points::wanted(given) else {
        return Ok(Filter::contains("title", given).into());
    };
    let search = contact_points::find(context, &wanted)?;
    let all = search.found;
    let has_whole = all.iter().any(|found| found.likeness < Likeness::End);
    let found: Vec<Found> = all
        .into_iter()
        .filter(|found| !has_whole || found.likeness < Likeness::End)
        .collect();
    if found.is_empty() {
        return Ok(Condition {
            filter: Filter::contains("title", given),
            notes: vec![search.searched],
        });
    }
    let mut notes = Vec::new();
    let codes = contact_points::codes(&found);
    let whose = |likeness: Likeness| -> Vec<String> {
        let these = found.iter().filter(|found| found.likeness == likeness);
        these
            .map(|found| format!("{} ({})", inline(&found.value, 60), inline(&found.name, 100)))
            .collect()
    };
    let has_code = matches!(&wanted, Wanted::Number(number) if number.code().is_some());
    if codes.len() > 1 && has_whole && !has_code {
        let codes: Vec<String> = codes.iter().map(|code| format!("+{code}")).collect();
        notes.push(format!(
            "{} has no country code, and contacts of several countries have that number: {}.",
            quoted(given),
            codes.join(", ")
        ));
    } else if !whose(Likeness::National).is_empty() {
        notes.push(format!(
            "A country code is missing in one of the two numbers, so only the rest was compared: {}.",
            whose(Likeness::National).join(", ")
        ));
    }
    if !whose(Likeness::End).is_empty() {
        notes.push(format!(
            "No contact has the whole number {}; these only end in the same digits: {}.",
            quoted(given),
            whose(Likeness::End).join(", ")
        ));
    }
    if found.len() > CONTACTS_MAX {
        notes.push(format!(
            "{} contacts have that number; {CONTACTS_MAX} of them were looked at.",
            text::thousands(found.len() as u64)
        ));
    }
    let names = found.into_iter().take(CONTACTS_MAX).map(|found| found.name).collect();
    Ok(Condition {
        filter: Filter::one_of("name", names),
        notes,
    })
}

/// Chats with a number that a visitor typed into this field, in groups of all kinds.
pub(crate) fn with_typed_number(given: &str, field: &str) -> Condition {
    let Some(number) = Number::parse(given) else {
        return with_number(given, &[field]);
    };
    let condition = with_number(given, &[field]);
    let filter = if number.code().is_some() {
        Filter::one_of(field, number.spellings(&BTreeSet::new()))
    } else {
        let ends = [
            number.national(),
            grouped(&number.national(), ' '),
            grouped(&number.national(), '-'),
        ];
        Filter::Any(ends.map(|end| Filter::new(field, "like", format!("%{end}"))).to_vec())
    };
    Condition { filter, ..condition }
}

/// Calls or chats with a number in one of these fields, as exchanges and networks write it.
pub(crate) fn with_number(given: &str, fields: &[&str]) -> Condition {
    let any = |condition: &dyn Fn(&str) -> Filter| Filter::Any(fields.iter().map(|field| condition(field)).collect());
    let Some(number) = Number::parse(given) else {
        // An extension, or whatever else stands there.
        return any(&|field| Filter::eq(field, given)).into();
    };
    let spellings = number.compact(&BTreeSet::new());
    // With a country code the spellings are few.
    if number.code().is_some() {
        return any(&|field| Filter::one_of(field, spellings.clone())).into();
    }
    let digits = number.national();
    Condition {
        filter: any(&|field| Filter::new(field, "like", format!("%{digits}"))),
        notes: vec![format!(
            "{} has no country code: numbers of every country that end in {digits} are meant.",
            quoted(given)
        )],
    }
}

/// E-mails or chats with an address in this field, which may also hold a name or several addresses.
pub(crate) fn with_address(given: &str, field: &str) -> Condition {
    let Some(address) = contact_points::address(given).filter(|address| contact_points::is_address(address)) else {
        return Condition {
            filter: Filter::contains(field, given),
            notes: vec![format!(
                "{} is no whole address: addresses that hold it are meant.",
                quoted(given)
            )],
        };
    };
    Filter::Any(vec![
        Filter::eq(field, address),
        Filter::contains(field, &format!("<{address}>")),
        Filter::new(field, "startswith", format!("{address},")),
        Filter::new(field, "endswith", format!(",{address}")),
        Filter::new(field, "endswith", format!(", {address}")),
        Filter::contains(field, &format!(", {address},")),
    ])
    .into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_with_its_country_is_asked_for_by_its_spellings() {
        let condition = with_number("+420 777 123 456", &["clid"]);
        let spellings = ["+420777123456", "00420777123456", "420777123456", "777123456"].map(str::to_owned);
        assert_eq!(
            condition.filter,
            Filter::Any(vec![Filter::one_of("clid", spellings.to_vec())])
        );
        assert_eq!(condition.notes, [""; 0]);
    }

    #[test]
    fn a_number_without_its_country_says_whose_are_meant() {
        let condition = with_number("0777 123 456", &["clid", "did"]);
        let like = |field| Filter::new(field, "like", "%777123456");
        assert_eq!(condition.filter, Filter::Any(vec![like("clid"), like("did")]));
        assert_eq!(
            condition.notes,
            ["\"0777 123 456\" has no country code: numbers of every country that end in 777123456 are meant."]
        );
        assert_eq!(
            with_number("201", &["clid"]).filter,
            Filter::Any(vec![Filter::eq("clid", "201")])
        );
    }

    #[test]
    fn another_address_that_ends_the_same_is_not_meant() {
        let condition = with_address("Jana <k@b.cz>", "address");
        let Filter::Any(filters) = condition.filter else {
            panic!("several spellings")
        };
        assert!(filters.contains(&Filter::eq("address", "k@b.cz")));
        assert!(!filters.contains(&Filter::contains("address", "k@b.cz")));
    }
}
