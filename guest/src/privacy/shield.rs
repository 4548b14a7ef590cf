//! The shield of one call: what answers and errors go through on their way out, and arguments on their way in.
//!
//! Two walks over the same places (`slots`): the first gathers the identities that the records name, the second
//! replaces them, there and wherever free text mentions them or others. `arguments` leads pseudonyms back.

use std::cell::RefCell;

use serde_json::Value;

use super::{
    kind::{Holds, Kind},
    numbers::{self, Found},
    pseudonym::Keys,
    slots::{self, Slot},
    words::{Words, normal_of_address, normal_of_company, normal_of_person},
};
use crate::{
    daktela::{client::Client, error::Error, hints::Hints, http::Http, observations::Title},
    model::{context::Deidentify, output::Output, param::Param, tool::Tool},
    run,
    settings::{PrivacyLevel, ScanLimits, Settings},
};

/// What answers of one call go through.
pub struct Shield {
    pub(super) covers_agents: bool,
    /// Of pseudonyms; masks need none.
    pub(super) keys: Option<Keys>,
    words: RefCell<Words>,
}

impl Shield {
    /// The shield that the settings ask for, or a request, if that hides more: none at `off`. Fails where pseudonyms have no key.
    pub fn new(settings: &Settings, wanted: PrivacyLevel) -> Result<Option<Self>, String> {
        let privacy = &settings.privacy;
        let keys = match privacy.level.max(wanted) {
            PrivacyLevel::Off => return Ok(None),
            PrivacyLevel::Mask => None,
            PrivacyLevel::Pseudonym => {
                let key = privacy.key.as_deref().ok_or(
                    "The privacy level is pseudonym, and DAKTELA_PRIVACY_KEY is not set: give a random secret, or the level mask.",
                )?;
                Some(Keys::new(key.as_bytes(), &settings.origin))
            }
        };
        Ok(Some(Shield {
            covers_agents: privacy.agents,
            keys,
            words: RefCell::new(Words::new()),
        }))
    }

    fn replace_all(&self, output: &mut Output, titles: &[Title]) {
        let mut said = String::new();
        slots::visit(output, &mut |slot| match slot {
            Slot::Holds(Holds::Of(kind), value) => self.learn(kind, value),
            Slot::Holds(Holds::Agent, value) if self.covers_agents => self.learn(Kind::Person, value),
            Slot::Remark(text) => {
                said.push_str(text);
                said.push('\n');
            }
            _ => {}
        });
        self.learn_titles(titles, &said);
        slots::visit(output, &mut |slot| self.replace(slot));
        if let Some(first) = &mut output.first_record {
            self.ids(first);
        }
    }

    /// Replaces all identities of a text: those that were learnt, and what else looks like one.
    pub fn text(&self, text: &str) -> String {
        self.free(text).unwrap_or_else(|| text.to_owned())
    }

    /// A JSON text whose strings are free text: for what is written down of arguments.
    pub fn json(&self, text: &str) -> String {
        fn hide(of: &mut Value, shield: &Shield) {
            match of {
                Value::String(text) => *text = shield.text(text),
                Value::Array(values) => values.iter_mut().for_each(|value| hide(value, shield)),
                Value::Object(values) => values.values_mut().for_each(|value| hide(value, shield)),
                _ => {}
            }
        }
        match serde_json::from_str::<Value>(text) {
            Ok(mut value) => {
                hide(&mut value, self);
                value.to_string()
            }
            Err(_) => self.text(text),
        }
    }

    /// What happens to personal data, in a word for an audit.
    pub fn treatment(&self) -> &'static str {
        if self.keys.is_some() { "pseudonymised" } else { "masked" }
    }

    /// What is said of the account behind the credential, which is an agent.
    pub fn of_account(&self, name: &str, said: &str) -> String {
        if self.covers_agents && !name.is_empty() {
            said.replace(name, &self.shown(Kind::Person, name))
        } else {
            said.to_owned()
        }
    }

    /// The values of a completion, which are titles of records of an endpoint.
    pub fn titles(&self, endpoint: &str, titles: &mut [String]) {
        let holds = match endpoint {
            "contacts" => Holds::Of(Kind::Person),
            "accounts" => Holds::Of(Kind::Company),
            "users" => Holds::Agent,
            _ => Holds::Free,
        };
        for title in titles {
            self.replace(Slot::Holds(holds, title));
        }
    }

    /// Whether titles of an endpoint's records show as masks.
    pub fn masks(&self, endpoint: &str) -> bool {
        self.keys.is_none() && self.endpoints().contains(&endpoint)
    }

    /// The JSON text of a prompt's arguments, without the identities that a caller wrote.
    pub fn prompt(&self, param: impl Fn(&str) -> Option<&'static Param>, arguments: &str) -> String {
        let Ok(Value::Object(mut given)) = serde_json::from_str(arguments) else {
            return arguments.to_owned();
        };
        for (name, value) in &mut given {
            if let Value::String(text) = value {
                self.learn_argument(param(name), text);
                *text = self.text(text);
            }
        }
        Value::Object(given).to_string()
    }

    /// Makes known what a caller named, or a pseudonym stands for, so that an answer does not say it.
    pub(super) fn learn(&self, kind: Kind, value: &str) {
        let kind = kind_of(kind, value);
        self.words.borrow_mut().learn(kind, value);
    }

    /// Those that the text says, since a directory may hold thousands.
    fn learn_titles(&self, titles: &[Title], text: &str) {
        if text.is_empty() {
            return;
        }
        for title in titles {
            let kind = match title.endpoint {
                "contacts" => Kind::Person,
                "accounts" => Kind::Company,
                "users" if self.covers_agents => Kind::Person,
                _ => continue,
            };
            if text.contains(title.title.as_str()) {
                self.learn(kind, &title.title);
            }
        }
    }

    fn replace(&self, slot: Slot) {
        match slot {
            Slot::Holds(Holds::Of(kind), value) => {
                if !value.trim().is_empty() {
                    *value = self.shown(kind_of(kind, value), value);
                }
            }
            Slot::Holds(Holds::Agent, value) => {
                if self.covers_agents && !value.trim().is_empty() {
                    *value = self.shown(kind_of(Kind::Person, value), value);
                }
            }
            Slot::Holds(Holds::Free, value) | Slot::Remark(value) => {
                if let Some(new) = self.free(value) {
                    *value = new;
                }
            }
            Slot::Id(holds, id) => {
                if let Some(new) = self.id(holds, id) {
                    *id = new;
                }
            }
            Slot::Link(holds, id, link) => {
                let hides = id.is_some_and(|id| self.id(holds, id).is_some());
                if hides || link.as_deref().is_some_and(|link| self.free(link).is_some()) {
                    *link = None;
                }
            }
        }
    }

    /// What an identity shows as. One that holds another, such as a contact that is named by an address, is that one.
    pub(super) fn shown(&self, kind: Kind, value: &str) -> String {
        let Some(_) = &self.keys else {
            return kind.mask().to_owned();
        };
        let normal = match kind {
            Kind::Person => normal_of_person(value),
            Kind::Company => normal_of_company(value),
            Kind::Address => normal_of_address(value),
            Kind::Phone => {
                let digits: String = value.chars().filter(char::is_ascii_digit).collect();
                numbers::phone_form(
                    &digits,
                    value.trim_start().starts_with(['+', '(']) || digits.starts_with("00"),
                )
            }
            _ => value.trim().to_lowercase(),
        };
        self.of_normal(kind, &normal)
    }

    fn of_normal(&self, kind: Kind, normal: &str) -> String {
        match &self.keys {
            Some(keys) => format!("{}-{}", kind.prefix(), keys.name(kind.prefix(), normal)),
            None => kind.mask().to_owned(),
        }
    }

    /// The text without identities; `None` where it has none.
    fn free(&self, text: &str) -> Option<String> {
        if text.is_empty() {
            return None;
        }
        let found = self.words.borrow().find(text);
        let mut out = String::with_capacity(text.len());
        let mut done = 0;
        for Found {
            start,
            end,
            kind,
            normal,
        } in &found
        {
            if *start < done || is_pseudonym(&text[..*start], &text[*start..]) {
                continue;
            }
            out.push_str(&text[done..*start]);
            match normal {
                Some(normal) => out.push_str(&self.of_normal(*kind, normal)),
                None => out.push_str(&self.shown(*kind, &text[*start..*end])),
            }
            done = *end;
        }
        if done == 0 {
            return None;
        }
        out.push_str(&text[done..]);
        Some(out)
    }

    /// What an id shows as, where it holds an identity: an address, a number, or a name. Those that Daktela generates do not.
    fn id(&self, holds: Holds, id: &str) -> Option<String> {
        let is_of_people = match holds {
            Holds::Of(_) => true,
            Holds::Agent => self.covers_agents,
            Holds::Free => false,
        };
        let hides = if is_of_people {
            !is_generated(id)
        } else {
            !is_plain(id) && self.free(id).is_some()
        };
        hides.then(|| match &self.keys {
            Some(keys) => format!("{}-{}", Kind::Id.prefix(), keys.seal(id)),
            None => Kind::Id.mask().to_owned(),
        })
    }

    /// Ids of a record for programs, by key.
    fn ids(&self, of: &mut Value) {
        match of {
            Value::String(id) => {
                if let Some(new) = self
                    .id(Holds::Free, id)
                    .or_else(|| (!is_plain(id)).then(|| self.free(id)).flatten())
                {
                    *id = new;
                }
            }
            Value::Array(values) => values.iter_mut().for_each(|value| self.ids(value)),
            Value::Object(values) => values.values_mut().for_each(|value| self.ids(value)),
            _ => {}
        }
    }
}

/// Runs a tool on the JSON text of its arguments, at the privacy level of the settings: for hosts that call tools without MCP.
pub fn run(tool: &Tool, http: &dyn Http, settings: &Settings, arguments: &str) -> Result<Output, Error> {
    let shield = Shield::new(settings, PrivacyLevel::Off).map_err(Error::Forbidden)?;
    let deidentify = shield.as_ref().map(|shield| shield as &dyn Deidentify);
    run::run_observed(tool, http, &Hints::default(), settings, deidentify, arguments).0
}

impl Deidentify for Shield {
    fn endpoints(&self) -> &'static [&'static str] {
        if self.covers_agents {
            &["contacts", "accounts", "users"]
        } else {
            &["contacts", "accounts"]
        }
    }

    fn arguments(
        &self,
        client: &Client,
        limits: &ScanLimits,
        params: &[Param],
        arguments: &str,
    ) -> Result<String, Error> {
        self.lead_back(client, limits, params, arguments)
    }

    fn output(&self, output: &mut Output, titles: &[Title]) {
        self.replace_all(output, titles);
    }

    fn error(&self, error: Error, titles: &[Title]) -> Error {
        self.learn_titles(titles, error.text());
        error.map(|text| self.text(&text))
    }
}

/// A name that really is an address or a number is that.
pub(super) fn kind_of(kind: Kind, value: &str) -> Kind {
    if !matches!(kind, Kind::Person | Kind::Company | Kind::Phone | Kind::Email) {
        return kind;
    }
    let digits = value.bytes().filter(u8::is_ascii_digit).count();
    if value.contains('@') && !value.contains(char::is_whitespace) {
        Kind::Email
    } else if digits >= 6 && !value.contains(char::is_alphabetic) {
        Kind::Phone
    } else if kind == Kind::Phone && value.contains(char::is_alphabetic) {
        Kind::Person
    } else {
        kind
    }
}

/// Whether what is between these two is part of a pseudonym: hidden already.
fn is_pseudonym(before: &str, from: &str) -> bool {
    Kind::ALL.iter().any(|kind| {
        let is_first = from
            .strip_prefix(kind.prefix())
            .is_some_and(|rest| rest.starts_with('-'));
        is_first
            || before
                .strip_suffix('-')
                .is_some_and(|before| before.ends_with(kind.prefix()))
    })
}

/// An id of Daktela's making: a prefix and hexadecimal digits, or a number that is too short for a phone's.
pub(super) fn is_generated(id: &str) -> bool {
    const HEX_MIN: usize = 13;
    const NUMBER_MAX: usize = 8;
    let tail = id.rsplit_once('_').map_or(id, |(_, tail)| tail);
    let is_hex = tail.len() >= HEX_MIN
        && tail.bytes().all(|byte| byte.is_ascii_hexdigit())
        && (tail.len() < id.len() || tail.bytes().any(|byte| byte.is_ascii_alphabetic()));
    let prefix_is_word = id.len() == tail.len()
        || id[..id.len() - tail.len()]
            .bytes()
            .all(|byte| byte.is_ascii_alphabetic() || byte == b'_');
    is_hex && prefix_is_word || id.len() <= NUMBER_MAX && id.bytes().all(|byte| byte.is_ascii_digit())
}

/// An id of letters without blanks, or a number with a dot, as of calls, holds nobody.
fn is_plain(id: &str) -> bool {
    is_generated(id) || id.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.') && id.contains('.')
}
