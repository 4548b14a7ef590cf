//! Kinds of identities: the word that masks each, the prefix of its pseudonyms, and which facts of records hold one.

use crate::model::output::Personal;

/// What a value tells of a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    Person,
    Company,
    Email,
    Phone,
    Address,
    BankAccount,
    BirthNumber,
    Card,
    Plate,
    Ip,
    /// An id that holds one of the others.
    Id,
}

impl Kind {
    pub const ALL: [Kind; 11] = [
        Kind::Person,
        Kind::Company,
        Kind::Email,
        Kind::Phone,
        Kind::Address,
        Kind::BankAccount,
        Kind::BirthNumber,
        Kind::Card,
        Kind::Plate,
        Kind::Ip,
        Kind::Id,
    ];

    /// What stands for it at the level `mask`.
    pub fn mask(self) -> &'static str {
        match self {
            Kind::Person => "[name]",
            Kind::Company => "[company]",
            Kind::Email => "[e-mail]",
            Kind::Phone => "[phone]",
            Kind::Address => "[address]",
            Kind::BankAccount => "[bank account]",
            Kind::BirthNumber => "[birth number]",
            Kind::Card => "[card number]",
            Kind::Plate => "[plate]",
            Kind::Ip => "[IP address]",
            Kind::Id => "[id]",
        }
    }

    /// What its pseudonyms begin with, before a hyphen.
    pub fn prefix(self) -> &'static str {
        match self {
            Kind::Person => "Person",
            Kind::Company => "Company",
            Kind::Email => "Email",
            Kind::Phone => "Phone",
            Kind::Address => "Address",
            Kind::BankAccount => "BankAccount",
            Kind::BirthNumber => "BirthNumber",
            Kind::Card => "Card",
            Kind::Plate => "Plate",
            Kind::Ip => "Ip",
            Kind::Id => "Id",
        }
    }
}

/// What a fact of a record holds, by its label.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Holds {
    Of(Kind),
    /// An agent's name, which is covered where the operator wants it.
    Agent,
    /// Text in which anything may stand.
    Free,
}

/// The labels of facts that hold an identity. A test compares them with the catalogue: a field whose path names a person,
/// a company, an address or a number has to be here.
const LABELS: &[(&str, Holds)] = &[
    ("Contact", Holds::Of(Kind::Person)),
    ("Caller", Holds::Of(Kind::Person)),
    ("Customer", Holds::Of(Kind::Person)),
    ("From", Holds::Of(Kind::Person)),
    ("To", Holds::Of(Kind::Person)),
    ("Cc", Holds::Of(Kind::Person)),
    ("First name", Holds::Of(Kind::Person)),
    ("Last name", Holds::Of(Kind::Person)),
    ("Account", Holds::Of(Kind::Company)),
    ("E-mail", Holds::Of(Kind::Email)),
    ("Address", Holds::Of(Kind::Email)),
    ("Phone", Holds::Of(Kind::Phone)),
    ("Number", Holds::Of(Kind::Phone)),
    ("Dialled", Holds::Of(Kind::Phone)),
    ("Sender", Holds::Of(Kind::Phone)),
    ("Agent", Holds::Agent),
    ("Assigned to", Holds::Agent),
    ("Owner", Holds::Agent),
    ("Created by", Holds::Agent),
    ("Edited by", Holds::Agent),
    ("Followers", Holds::Agent),
];

/// What the fact of this label holds; free text where nothing is known of it. A channel's record repeats labels.
pub(super) fn of_label(label: &str) -> Holds {
    let label = label.strip_suffix(" in the channel").unwrap_or(label);
    let known = LABELS.iter().find(|(known, _)| *known == label);
    known.map_or(Holds::Free, |(_, holds)| *holds)
}

/// What the title of a record is, by the record's kind.
pub(super) fn of_title(singular: &str) -> Holds {
    match singular {
        "contact" => Holds::Of(Kind::Person),
        "account" => Holds::Of(Kind::Company),
        "user" | "agent session" => Holds::Agent,
        _ => Holds::Free,
    }
}

impl From<Personal> for Kind {
    fn from(of: Personal) -> Self {
        match of {
            Personal::Phone => Kind::Phone,
            Personal::Email => Kind::Email,
            Personal::Address => Kind::Address,
        }
    }
}
