//! Pseudonyms in arguments → what they stand for: an encrypted id by its key, any other by computing the pseudonyms of the
//! records that may be meant, page after page up to the limits of a scan, and not again within the call.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{
    kind::Kind,
    shield::{Shield, is_generated, kind_of},
};
use crate::{
    daktela::{
        client::Client,
        error::Error,
        query::{Direction, Query, TAKE_MAX},
    },
    model::{
        directory::{ACCOUNTS, CONTACTS, USERS},
        param::{self, Param},
    },
    settings::ScanLimits,
};

/// Where what a pseudonym stands for may be found: a model, the fields that hold it, and what it is sorted by.
struct Place {
    endpoint: &'static str,
    fields: &'static [&'static str],
    newest_by: &'static str,
}

const fn place(endpoint: &'static str, fields: &'static [&'static str], newest_by: &'static str) -> Place {
    Place {
        endpoint,
        fields,
        newest_by,
    }
}

const PEOPLE: &[Place] = &[place("contacts", &["title"], "edited"), place("users", &["title"], "")];
const COMPANIES: &[Place] = &[place("accounts", &["title"], "edited")];
const EMAILS: &[Place] = &[
    place("contacts", &["customFields"], "edited"),
    place("accounts", &["customFields"], "edited"),
    place("tickets", &["email"], "edited"),
    place("activitiesEmail", &["address"], "time"),
];
const PHONES: &[Place] = &[
    place("contacts", &["customFields"], "edited"),
    place("accounts", &["customFields"], "edited"),
    place("activitiesCall", &["clid", "did"], "call_time"),
];

/// Shorter ones are words of somebody's own.
const LETTERS_MIN: usize = 8;

/// A pseudonym in a text.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Written {
    start: usize,
    end: usize,
    kind: Kind,
    /// As this program writes it.
    whole: String,
}

/// All pseudonyms of a text, in any case.
fn written(text: &str) -> Vec<Written> {
    let mut out: Vec<Written> = Vec::new();
    for (hyphen, _) in text.match_indices('-') {
        let before = &text[..hyphen];
        let kind = Kind::ALL.into_iter().find(|kind| {
            let start = hyphen.wrapping_sub(kind.prefix().len());
            before
                .get(start..)
                .is_some_and(|written| written.eq_ignore_ascii_case(kind.prefix()))
                && !before[..start].ends_with(char::is_alphanumeric)
        });
        let letters = text[hyphen + 1..].bytes().take_while(u8::is_ascii_alphanumeric).count();
        if let Some(kind) = kind
            && letters >= LETTERS_MIN
        {
            let end = hyphen + 1 + letters;
            out.push(Written {
                start: hyphen - kind.prefix().len(),
                end,
                kind,
                whole: format!("{}-{}", kind.prefix(), text[hyphen + 1..end].to_ascii_uppercase()),
            });
        }
    }
    out
}

/// The places where the pseudonym of an argument is looked for, the likely ones first.
fn places(shield: &Shield, kind: Kind, param: Option<&Param>) -> Vec<&'static Place> {
    let all = match kind {
        Kind::Person => PEOPLE,
        Kind::Company => COMPANIES,
        Kind::Email => EMAILS,
        Kind::Phone => PHONES,
        _ => &[],
    };
    let wanted = match param.map(|param| &param.kind) {
        Some(param::Kind::Named(source)) if matches!(kind, Kind::Person | Kind::Company) => Some(source.endpoint),
        _ => None,
    };
    all.iter()
        .filter(|place| wanted.is_none_or(|wanted| wanted == place.endpoint))
        .filter(|place| place.endpoint != USERS.endpoint || shield.covers_agents || wanted.is_some())
        .collect()
}

impl Shield {
    /// The JSON text of arguments with what their pseudonyms stand for. Fails where one stands for nothing that can be found.
    pub fn lead_back(
        &self,
        client: &Client,
        limits: &ScanLimits,
        params: &[Param],
        arguments: &str,
    ) -> Result<String, Error> {
        let Ok(Value::Object(mut given)) = serde_json::from_str(arguments) else {
            // What is wrong with it is said later.
            return Ok(arguments.to_owned());
        };
        let mut known = BTreeMap::new();
        for (name, value) in &mut given {
            let param = params.iter().find(|param| param.name == name);
            let texts = match value {
                Value::Array(values) => values.as_mut_slice(),
                value => std::slice::from_mut(value),
            };
            for value in texts {
                let Value::String(text) = value else { continue };
                *text = self.lead_text_back(client, limits, param, text, &mut known)?;
                self.learn_argument(param, text);
            }
        }
        Ok(Value::Object(given).to_string())
    }

    /// The same of a text that is searched for.
    fn lead_text_back(
        &self,
        client: &Client,
        limits: &ScanLimits,
        param: Option<&Param>,
        text: &str,
        known: &mut BTreeMap<String, String>,
    ) -> Result<String, Error> {
        let mut out = String::new();
        let mut done = 0;
        for pseudonym in written(text) {
            let Some(keys) = &self.keys else { break };
            let stands_for = match known.get(&pseudonym.whole) {
                Some(found) => found.clone(),
                None if pseudonym.kind == Kind::Id => {
                    let sealed = &pseudonym.whole[Kind::Id.prefix().len() + 1..];
                    keys.open(sealed).ok_or_else(|| unknown(&pseudonym.whole, 0))?
                }
                None => self.search(client, limits, &pseudonym, &places(self, pseudonym.kind, param))?,
            };
            if pseudonym.kind != Kind::Id {
                self.learn(pseudonym.kind, &stands_for);
            }
            known.insert(pseudonym.whole, stands_for.clone());
            out.push_str(&text[done..pseudonym.start]);
            out.push_str(&stands_for);
            done = pseudonym.end;
        }
        out.push_str(&text[done..]);
        Ok(out)
    }

    fn search(
        &self,
        client: &Client,
        limits: &ScanLimits,
        wanted: &Written,
        places: &[&Place],
    ) -> Result<String, Error> {
        let mut read = 0;
        for place in places {
            let mut skip = 0;
            loop {
                let mut query = Query::new(place.endpoint, TAKE_MAX).fields(place.fields);
                query.skip = skip;
                if !place.newest_by.is_empty() {
                    query = query.sort(place.newest_by, Direction::Descending);
                }
                let page = match client.read_page(&query) {
                    Ok(page) => page,
                    // What the account may not read, or the build lacks, holds nothing.
                    Err(Error::NoRight(_) | Error::NotFound(_) | Error::Refused(_)) => break,
                    Err(error) => return Err(error),
                };
                let received = page.received() as u64;
                for row in &page.rows {
                    if let Some(found) = self.within(row, wanted, place) {
                        return Ok(found);
                    }
                }
                read += received;
                skip += received;
                let is_all = page.total.map_or(received < TAKE_MAX, |total| skip >= total);
                if received == 0 || is_all {
                    break;
                }
                if read >= limits.rows || read / TAKE_MAX >= limits.requests {
                    return Err(unknown(&wanted.whole, read));
                }
            }
        }
        Err(unknown(&wanted.whole, read))
    }

    /// The text of a row's fields that the pseudonym stands for.
    fn within(&self, row: &Value, wanted: &Written, place: &Place) -> Option<String> {
        let is_it = |text: &str| {
            kind_of(wanted.kind, text) == wanted.kind
                && (wanted.kind != Kind::Email || text.contains('@'))
                && self.shown(wanted.kind, text) == wanted.whole
        };
        fn search(value: &Value, is_it: &dyn Fn(&str) -> bool) -> Option<String> {
            match value {
                Value::String(text) => is_it(text).then(|| text.clone()),
                Value::Number(number) => Some(number.to_string()).filter(|text| is_it(text)),
                Value::Array(values) => values.iter().find_map(|value| search(value, is_it)),
                Value::Object(values) => values.values().find_map(|value| search(value, is_it)),
                _ => None,
            }
        }
        place.fields.iter().find_map(|field| search(row.get(field)?, &is_it))
    }

    /// A name that a caller gave does not show either.
    pub(super) fn learn_argument(&self, param: Option<&Param>, given: &str) {
        let Some(param) = param else { return };
        let kind = match param.kind {
            param::Kind::Named(source) if source.endpoint == CONTACTS.endpoint => Kind::Person,
            param::Kind::Named(source) if source.endpoint == ACCOUNTS.endpoint => Kind::Company,
            param::Kind::Named(source) if source.endpoint == USERS.endpoint && self.covers_agents => Kind::Person,
            param::Kind::Text if param.description == param::SEARCH_CONTACT.description => Kind::Person,
            _ => return,
        };
        if !is_generated(given) {
            self.learn(kind, given);
        }
    }
}

fn unknown(pseudonym: &str, read: u64) -> Error {
    let read = if read > 0 {
        format!(" It is none of the {read} newest records that hold such values.")
    } else {
        String::new()
    };
    Error::Argument(format!(
        "Nothing is known by the pseudonym {pseudonym}.{read} A pseudonym belongs to one instance and one key, which this server may have \
         changed. Take the id in brackets behind it, or ask for the records anew."
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pseudonyms_are_seen_in_any_case_and_within_ids() {
        let seen = |text: &str| written(text).into_iter().map(|one| one.whole).collect::<Vec<_>>();
        assert_eq!(seen("person-7f3a2c9k"), ["Person-7F3A2C9K"]);
        assert_eq!(
            seen("contact:Id-0123456789ABCDEF and Email-AAAAAAAA"),
            ["Id-0123456789ABCDEF", "Email-AAAAAAAA"]
        );
        assert_eq!(
            seen("valid-0123456789, e-mail, Person-1, x-Person-"),
            Vec::<String>::new()
        );
    }
}
