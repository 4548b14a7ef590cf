//! What is sealed. Each says when it ends, for a seal alone lasts for ever.

use serde::{Deserialize, Serialize};

/// A client that registered itself: the document is its id.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Client {
    #[serde(rename = "n")]
    pub(super) name: String,
    #[serde(rename = "r")]
    pub(super) redirect_uris: Vec<String>,
}

/// A login under way: what the client asked for, checked. It travels in the page's form.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Login {
    pub(super) client_id: String,
    pub(super) client_name: String,
    pub(super) redirect_uri: String,
    pub(super) state: Option<String>,
    pub(super) challenge: String,
    /// The same as in the browser's cookie: the form is of use in no other.
    pub(super) browser: String,
    pub(super) expires: u64,
}

/// Goes to the client by way of the browser's address bar, and serves once.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Code {
    /// Also the name of the family of tokens that it begins.
    pub(super) id: String,
    pub(super) client: String,
    pub(super) redirect_uri: String,
    pub(super) challenge: String,
    pub(super) audience: String,
    pub(super) origin: String,
    pub(super) username: String,
    pub(super) grant: Grant,
    pub(super) expires: u64,
}

/// What Daktela gave.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct Grant {
    #[serde(rename = "t")]
    pub(super) token: String,
    #[serde(rename = "e")]
    pub(super) expires: u64,
    #[serde(rename = "k")]
    pub(super) renewal: Renewal,
}

/// With what a new token is had when the old one is over.
#[derive(Clone, Serialize, Deserialize)]
pub(super) enum Renewal {
    #[serde(rename = "r")]
    Refresh(String),
    /// For builds of Daktela that give out no refresh tokens.
    #[serde(rename = "p")]
    Password(String),
    /// An API token, which is good until somebody revokes it.
    #[serde(rename = "t")]
    Token(String),
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Access {
    #[serde(rename = "o")]
    pub(super) origin: String,
    #[serde(rename = "t")]
    pub(super) token: String,
    #[serde(rename = "a")]
    pub(super) audience: String,
    #[serde(rename = "f")]
    pub(super) family: String,
    #[serde(rename = "e")]
    pub(super) expires: u64,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Refresh {
    pub(super) id: String,
    pub(super) family: String,
    pub(super) client: String,
    pub(super) audience: String,
    pub(super) origin: String,
    pub(super) username: String,
    pub(super) renewal: Renewal,
    pub(super) expires: u64,
}

impl std::fmt::Debug for Grant {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Grant(…)")
    }
}

impl std::fmt::Debug for Renewal {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Renewal(…)")
    }
}
